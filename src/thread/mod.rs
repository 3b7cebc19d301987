//! [`ThreadSource`]: one background thread keeps time for all timers.

mod builder;
mod clock;
mod driver;
mod lead;

pub use builder::ThreadSourceBuilder;

use core::fmt;
use core::task::{Context, Poll};
use core::time::Duration;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Instant;

use crate::pool::{Pool, PoolTimer, Pooled};
use crate::source::{CapacityError, TimerSource};
use crate::ticks::NEVER;
use crate::TimerFuture;
use driver::Shared;

/// A source for std: one background thread, created when the first timer is started, keeps time for any
/// number of timers. [`TimerFuture::new`] uses the [`global`](Self::global) one.
///
/// Ticks are nanoseconds since the source was made. Starting, polling, resetting and dropping a timer
/// lock nothing and, in the steady state, allocate nothing; the thread is woken only by a timer that is
/// earlier than all others, or by the 4,096th new one. Memory follows the peak of live timers (about 45
/// bytes each, reused and given back to the allocator when the source is dropped).
///
/// Share it as `&ThreadSource` or `Arc<ThreadSource>`; both are [`TimerSource`]s.
///
/// # Precision
///
/// Never early. Late by how unevenly the system wakes a thread (on Linux it asks for minimal timer slack; it
/// learns what a wake takes and asks for it that much before the deadline, 100 us at most, and watches the
/// clock for what is left), and, when timers are dense, by at most [`slack`](ThreadSourceBuilder::slack), under
/// load half of it more, which bounds how often the thread wakes. Wakers run on this thread, one after the
/// other: a waker that blocks delays the others; one that panics does not.
///
/// The clock is [`Instant`]: on Linux it stands still while the machine is suspended.
///
/// # Errors
///
/// If the thread cannot be spawned, `start` (and [`TimerFuture::try_start`]) fails with
/// [`CapacityError`], each later start tries again, and futures that are merely awaited keep themselves
/// scheduled and complete on time. [`try_spawn`](Self::try_spawn) tells the system's reason.
///
/// After a `fork` without `exec` the child has no such thread, and its timers do not fire.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use timer_future::{ThreadSource, TimerFuture};
///
/// let source = ThreadSource::builder()
///     .name("my-timers")
///     .slack(Duration::from_millis(1))
///     .build();
/// pollster::block_on(TimerFuture::with_source(&source, Duration::from_millis(5)));
/// ```
pub struct ThreadSource {
    shared: Arc<Shared>,
    /// For `drop` to join.
    driver: OnceLock<JoinHandle<()>>,
    name: std::string::String,
    stack_size: Option<usize>,
}

impl ThreadSource {
    /// A source with the defaults of [`builder`](Self::builder). Its thread is not created yet.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Sets thread name, slack and stack size.
    pub fn builder() -> ThreadSourceBuilder {
        ThreadSourceBuilder::new()
    }

    /// The source of [`TimerFuture::new`]; it lives as long as the program.
    pub fn global() -> &'static ThreadSource {
        static GLOBAL: OnceLock<ThreadSource> = OnceLock::new();
        GLOBAL.get_or_init(Self::new)
    }

    /// The time in ticks: nanoseconds since the source was made.
    #[inline]
    pub fn now(&self) -> u64 {
        self.shared.clock.now()
    }

    /// The deadline in ticks of a moment. Moments before the source was made are tick 0.
    #[inline]
    pub fn ticks_at(&self, instant: Instant) -> u64 {
        self.shared.clock.at(instant)
    }

    /// Creates the background thread now instead of at the first start; nothing to do if it exists.
    ///
    /// # Errors
    ///
    /// What the system says when it cannot create a thread.
    #[inline]
    pub fn try_spawn(&self) -> std::io::Result<()> {
        if self.shared.driver.get().is_some() {
            return Ok(());
        }
        self.spawn()
    }

    /// Two threads may get here at once. Neither waits for the other: both spawn a candidate, the
    /// `OnceLock` elects one, and the other ends at once.
    #[cold]
    fn spawn(&self) -> std::io::Result<()> {
        let shared = self.shared.clone();
        let mut builder = std::thread::Builder::new().name(self.name.clone());
        if let Some(size) = self.stack_size {
            builder = builder.stack_size(size);
        }
        let candidate = builder.spawn(move || shared.drive_if_elected())?;
        let thread = candidate.thread().clone();
        if self.shared.driver.set(thread.clone()).is_ok() {
            // Nobody else was elected, so this is empty. A candidate that lost is detached.
            drop(self.driver.set(candidate));
        }
        thread.unpark();
        Ok(())
    }

    #[inline]
    fn start(&self) -> Result<&Self, CapacityError> {
        match self.try_spawn() {
            Ok(()) => Ok(self),
            Err(_) => Err(CapacityError::new()),
        }
    }
}

impl Default for ThreadSource {
    fn default() -> Self {
        Self::new()
    }
}

/// Stops the thread and waits until it has ended. Timers borrow the source, so none is left, but for
/// forgotten ones. If the last handle is dropped by a waker, on the thread itself, nobody waits.
impl Drop for ThreadSource {
    fn drop(&mut self) {
        self.shared.stop();
        self.kick();
        let Some(driver) = self.driver.take() else {
            return;
        };
        driver.thread().unpark();
        if driver.thread().id() != std::thread::current().id() {
            // The driver catches the panics of wakers; there is no other.
            let _ = driver.join();
        }
    }
}

impl fmt::Debug for ThreadSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadSource")
            .field("name", &self.name)
            .field("slack", &Duration::from_nanos(self.shared.slack))
            .field("running", &self.shared.driver.get().is_some())
            .finish_non_exhaustive()
    }
}

impl Pooled for ThreadSource {
    #[inline]
    fn pool(&self) -> &Pool {
        &self.shared.pool
    }

    #[inline]
    fn now(&self) -> u64 {
        self.now()
    }

    #[inline]
    fn slack(&self) -> u64 {
        self.shared.slack
    }

    fn kick(&self) {
        if self.shared.pool.alarm.kick() {
            if let Some(driver) = self.shared.driver.get() {
                driver.unpark();
            }
        }
    }
}

macro_rules! source_for_handle {
    ($($handle:ty),*) => {$(
        impl TimerSource for $handle {
            type Timer = PoolTimer<Self>;
            const TICK_HZ: u64 = clock::TICK_HZ;

            #[inline]
            fn now(&self) -> u64 {
                self.shared.clock.now()
            }
            #[inline]
            fn start(&self, deadline: u64) -> Result<Self::Timer, CapacityError> {
                ThreadSource::start(self)?;
                PoolTimer::start(self, deadline)
            }
            #[inline]
            fn start_polled(
                &self,
                deadline: u64,
                cx: &mut Context<'_>,
            ) -> Result<(Self::Timer, Poll<()>), CapacityError> {
                ThreadSource::start(self)?;
                PoolTimer::start_polled(self, deadline, cx)
            }
            #[inline]
            fn restart(&self, timer: &mut Self::Timer, deadline: u64) -> Result<(), CapacityError> {
                timer.restart(deadline)
            }
            #[inline]
            fn cancel(&self, timer: Self::Timer) {
                drop(timer);
            }
            /// A past deadline is later than the next alarm only if the thread is about to fire;
            /// otherwise `start` looks at the clock.
            #[inline]
            fn is_past(&self, deadline: u64) -> bool {
                deadline == 0
            }
        }
    )*};
}
source_for_handle!(&ThreadSource, Arc<ThreadSource>);

impl TimerFuture<&'static ThreadSource> {
    /// A timer that completes `duration` from now, on the [global](ThreadSource::global) source.
    /// [`Duration::MAX`] is "never".
    #[inline]
    pub fn new(duration: Duration) -> Self {
        Self::with_source(ThreadSource::global(), duration)
    }

    /// A timer that completes at `instant`, on the [global](ThreadSource::global) source.
    #[inline]
    pub fn at(instant: Instant) -> Self {
        let source = ThreadSource::global();
        Self::with_deadline(source, source.ticks_at(instant))
    }

    /// A timer that never completes, until it is reset.
    #[inline]
    pub fn never() -> Self {
        Self::with_deadline(ThreadSource::global(), NEVER)
    }
}
