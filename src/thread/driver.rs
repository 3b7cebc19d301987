//! The driver thread: the loop that sleeps until the next deadline and fires what is due.

use core::time::Duration;
use std::sync::OnceLock;
use std::thread::Thread;
use std::time::Instant;

use crate::pool::{Keeper, Pool};
use crate::sync::{AtomicBool, Ordering};

/// What the driver thread and the source share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) pool: Pool,
    pub(super) epoch: Instant,
    /// In nanoseconds.
    pub(super) slack: u64,
    stopped: AtomicBool,
    /// The thread that was elected; see `ThreadSource::spawn`.
    pub(super) driver: OnceLock<Thread>,
}

impl Shared {
    pub(super) fn new(slack: u64) -> Self {
        Self {
            pool: Pool::new(false),
            epoch: Instant::now(),
            slack,
            stopped: AtomicBool::new(false),
            driver: OnceLock::new(),
        }
    }

    /// Nanoseconds since the source was made: 584 years until they saturate.
    #[inline]
    pub(super) fn now(&self) -> u64 {
        let elapsed = self.epoch.elapsed();
        elapsed
            .as_secs()
            .saturating_mul(1_000_000_000)
            .saturating_add(u64::from(elapsed.subsec_nanos()))
    }

    pub(super) fn stop(&self) {
        // ORDERING: Release, pairs with the Acquire in `drive`; the kick that follows makes the
        // driver look.
        self.stopped.store(true, Ordering::Release);
    }

    /// What a candidate thread does: waits until somebody is elected, and ends if it is another.
    pub(super) fn drive_if_elected(&self) {
        let elected = loop {
            match self.driver.get() {
                Some(driver) => break driver.id(),
                None => std::thread::park(),
            }
        };
        if elected == std::thread::current().id() {
            self.drive();
        }
    }

    fn drive(&self) {
        minimal_timer_slack();
        let mut keeper = Keeper::new();
        // No alarm before this, if it can serve several: the last one that was served, and the slack.
        let mut not_before = 0;
        // ORDERING: Acquire, see `stop`.
        while !self.stopped.load(Ordering::Acquire) {
            self.pool.alarm.look();
            let now = self.now();
            if keeper.step(&self.pool, now) {
                continue;
            }
            let alarm = keeper.next(now).map(|next| {
                if next < not_before && keeper.is_crowded(not_before) {
                    not_before
                } else {
                    next
                }
            });
            if !self.pool.alarm.sleep_until(alarm) {
                continue;
            }
            match alarm {
                None => std::thread::park(),
                Some(alarm) => {
                    // The clock again: the step may have taken longer than there was time.
                    let left = alarm.saturating_sub(self.now());
                    if left > 0 {
                        std::thread::park_timeout(Duration::from_nanos(left));
                    }
                    // A kick is paid for by who kicks; only alarms count.
                    let now = self.now();
                    if now >= alarm {
                        not_before = now.saturating_add(self.slack);
                    }
                }
            }
        }
    }
}

/// Asks the kernel to wake this thread when it is due, not up to 50 us later.
fn minimal_timer_slack() {
    #[cfg(target_os = "linux")]
    {
        // An error leaves the default slack: later, not wrong.
        let _ = rustix::thread::set_current_timer_slack(core::num::NonZeroU64::new(1));
    }
}
