//! The driver thread: the loop that sleeps until the next deadline and fires what is due.

use core::time::Duration;
use std::sync::OnceLock;
use std::thread::Thread;

use super::clock::Clock;
use super::lead::Lead;
use crate::pool::{Keeper, Pool};
use crate::sync::{AtomicBool, Ordering};

/// Above this, headroom pays: one wake more, for a timer so far away.
const FAR: u64 = 1_000_000_000;

/// What the driver thread and the source share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) pool: Pool,
    pub(super) clock: Clock,
    /// In nanoseconds.
    pub(super) slack: u64,
    stopped: AtomicBool,
    /// The thread that was elected; see `ThreadSource::spawn`.
    pub(super) driver: OnceLock<Thread>,
}

/// When the driver means to look next.
#[derive(Clone, Copy)]
struct Alarm {
    time: u64,
    /// A deadline, to be met. Otherwise a little earlier does as well.
    exact: bool,
}

/// What the driver remembers from one sleep to the next.
struct Rhythm {
    lead: Lead,
    /// How often it was kicked since an alarm was served.
    kicks: u32,
    /// When it began to work: at the last wake, or when there was no time to sleep.
    began: u64,
}

impl Shared {
    pub(super) fn new(slack: u64) -> Self {
        Self {
            pool: Pool::new(false),
            clock: Clock::new(),
            slack,
            stopped: AtomicBool::new(false),
            driver: OnceLock::new(),
        }
    }

    pub(super) fn stop(&self) {
        // ORDERING: SeqCst, in the total order of kick-or-see: this store, then the kick; in `look` the look, then
        // the load. A look that overwrites the kick is followed by a load that sees this.
        // loom: a_stop_is_seen.
        self.stopped.store(true, Ordering::SeqCst);
        crate::sync::sc_fence();
    }

    /// The driver begins to look. `false`, if it is to end. Asked after the look: from here on a kick makes the
    /// driver go round again, even if a waker takes the token of `park` for itself.
    fn look(&self) -> bool {
        self.pool.alarm.look();
        // ORDERING: SeqCst, see `stop`.
        !self.stopped.load(Ordering::SeqCst)
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
        let mut keeper = Keeper::new(false);
        let mut now = self.clock.now();
        let mut rhythm = Rhythm {
            lead: Lead::new(),
            kicks: 0,
            began: now,
        };
        while self.look() {
            if keeper.step(&self.pool, now) {
                now = self.clock.now();
                continue;
            }
            // The clock again: the step may have taken longer than there is time until the alarm.
            now = self.clock.now();
            let slack = rhythm.slack(self.slack, now);
            let alarm = rhythm.next(keeper.next_within(slack), now);
            if self.pool.alarm.sleep_until(alarm.map(|alarm| alarm.time)) {
                now = match alarm {
                    None => {
                        std::thread::park();
                        self.clock.now()
                    }
                    Some(alarm) => self.sleep(alarm, now, &mut rhythm),
                };
                rhythm.began = now;
            }
        }
    }

    /// Sleeps until the alarm, or a kick. Returns the time.
    fn sleep(&self, alarm: Alarm, now: u64, rhythm: &mut Rhythm) -> u64 {
        let wake_at = alarm.time.saturating_sub(rhythm.lead.get());
        let left = wake_at.saturating_sub(now);
        if left > 0 {
            std::thread::park_timeout(Duration::from_nanos(left));
        }
        let mut now = self.clock.now();
        if now < wake_at || self.pool.alarm.is_kicked() {
            // A kick is paid for by who kicks; only alarms count.
            rhythm.kicks = rhythm.kicks.saturating_add(1);
            return now;
        }
        if left > 0 {
            rhythm.lead.learn(now - wake_at);
        }
        // Awake early, by less than the lead: not worth another sleep.
        while alarm.exact && now < alarm.time && !self.pool.alarm.is_kicked() {
            now = self.clock.now();
        }
        rhythm.kicks = 0;
        now
    }
}

impl Rhythm {
    /// The slack from now on: what was asked for, and as much time as the work since the last wake took, half a
    /// slack at most. So the thread rests that long between two bursts, and wakes less often when there is much to do:
    /// the last of a burst is late by the length of the burst anyway.
    fn slack(&self, slack: u64, now: u64) -> u64 {
        let worked = now.saturating_sub(self.began);
        slack.saturating_add(worked.min(slack / 2))
    }

    fn next(&self, next: Option<u64>, now: u64) -> Option<Alarm> {
        let next = next?;
        let left = next.saturating_sub(now);
        if self.kicks > 1 && left > FAR {
            // Timers that are earlier each time, each by a little, need not kick each time.
            return Some(Alarm {
                time: next - left / 64,
                exact: false,
            });
        }
        Some(Alarm {
            time: next,
            exact: true,
        })
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

#[cfg(all(test, not(timer_future_loom)))]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600 * FAR;

    fn next(kicks: u32, next: u64, now: u64) -> Option<(u64, bool)> {
        let lead = Lead::new();
        let rhythm = Rhythm {
            lead,
            kicks,
            began: now,
        };
        let alarm = rhythm.next(Some(next), now);
        alarm.map(|alarm| (alarm.time, alarm.exact))
    }

    #[test]
    fn a_timer_that_stays_is_met_exactly() {
        assert_eq!(next(0, HOUR, 0), Some((HOUR, true)));
        assert_eq!(next(1, HOUR, 0), Some((HOUR, true)));
        assert_eq!(next(9, 5, 9), Some((5, true)));
        assert_eq!(next(9, FAR, 0), Some((FAR, true)));
    }

    #[test]
    fn work_adds_to_the_slack_but_a_waker_that_blocks_does_not_rule_it() {
        let rhythm = Rhythm {
            lead: Lead::new(),
            kicks: 0,
            began: 1_000,
        };
        assert_eq!(rhythm.slack(200, 1_000), 200);
        assert_eq!(rhythm.slack(200, 1_060), 260);
        assert_eq!(rhythm.slack(200, HOUR), 300);
        assert_eq!(rhythm.slack(0, HOUR), 0);
    }

    /// Without it each reset is a wake of the thread.
    #[test]
    fn resets_to_earlier_and_earlier_kick_seldom() {
        let (mut deadline, mut alarm, mut kicks) = (HOUR, HOUR, 0);
        for _ in 0..1_000_000 {
            deadline -= 1_000;
            if deadline < alarm {
                kicks += 1;
                (alarm, _) = next(kicks, deadline, 0).unwrap_or_default();
                assert!(alarm <= deadline);
            }
        }
        assert!(kicks < 5, "{kicks}");
    }
}

#[cfg(all(test, timer_future_loom))]
mod loom_tests {
    use super::*;
    use loom::thread;
    use std::sync::Arc;

    /// The kick alone must do: the token of `park` may be gone.
    #[test]
    fn a_stop_is_seen() {
        loom::model(|| {
            let shared = Arc::new(Shared::new(0));
            let (other, driver) = (shared.clone(), thread::current());
            thread::spawn(move || {
                other.stop();
                if other.pool.alarm.kick() {
                    driver.unpark();
                }
            });
            while shared.look() {
                if shared.pool.alarm.sleep_until(None) {
                    thread::park();
                }
            }
        });
    }
}
