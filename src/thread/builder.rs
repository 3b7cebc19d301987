//! How to make a [`ThreadSource`] with other than the defaults.

use core::time::Duration;
use std::string::String;
use std::sync::{Arc, OnceLock};

use super::clock::TICK_HZ;
use super::driver::Shared;
use super::ThreadSource;
use crate::ticks::duration_to_ticks;

/// With 10,000 timers a second, half of them are later than 60 us, and the thread costs a third of what it
/// costs to wake for each: docs/growth.md.
const DEFAULT_SLACK: Duration = Duration::from_micros(200);

/// Nothing may be lost, however large the slack.
const MOST_SLACK: Duration = Duration::from_secs(60);

/// Sets what a new [`ThreadSource`] shall be like.
///
/// ```
/// use timer_future::ThreadSource;
///
/// let source = ThreadSource::builder().name("io-timeouts").build();
/// source.try_spawn()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "call build()"]
pub struct ThreadSourceBuilder {
    name: String,
    slack: Duration,
    stack_size: Option<usize>,
}

impl ThreadSourceBuilder {
    pub(super) fn new() -> Self {
        Self {
            name: String::from("timer-future"),
            slack: DEFAULT_SLACK,
            stack_size: None,
        }
    }

    /// The name of the thread. The default is `timer-future`. A NUL byte ends it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        let mut name = name.into();
        // std::thread::Builder panics on it.
        if let Some(nul) = name.find('\0') {
            name.truncate(nul);
        }
        self.name = name;
        self
    }

    /// How much later than its deadline a timer may fire so that several share one wake of the thread. It
    /// wakes at the last deadline that is not later than `slack` after the first: so it wakes once per `slack` at
    /// most, and a timer that has no near neighbour is not delayed. Under load it rests a little longer: as long as
    /// the last burst took is added, half of `slack` at most. The default is 200 us; zero wakes for each deadline,
    /// and more than a minute is taken as a minute.
    pub fn slack(mut self, slack: Duration) -> Self {
        self.slack = slack.min(MOST_SLACK);
        self
    }

    /// The stack size of the thread in bytes. Wakers run on it. The default is std's.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// Makes the source. The thread is created when the first timer is started.
    pub fn build(self) -> ThreadSource {
        ThreadSource {
            shared: Arc::new(Shared::new(duration_to_ticks(self.slack, TICK_HZ))),
            driver: OnceLock::new(),
            name: self.name,
            stack_size: self.stack_size,
        }
    }
}
