//! How long the system takes to wake the driver thread, learned, so that it can ask to be woken that much
//! earlier: then a timer is as late as the wake is *uneven*, not as late as it is slow.
//!
//! The estimate stays near the low end of what was seen. So the thread is seldom awake before its alarm,
//! and then by a few microseconds, in which it watches the clock. No timer fires before its deadline by
//! this: what fires is decided by the clock, after the wake.

/// In nanoseconds.
#[derive(Debug)]
pub(super) struct Lead(u64);

impl Lead {
    /// Machines that need longer are busy, and that does not last.
    const MOST: u64 = 100_000;
    /// One late wake says little about the next.
    const SURPRISE: u64 = 8_000;

    pub(super) const fn new() -> Self {
        Self(0)
    }

    /// How much before the alarm to ask for.
    pub(super) fn get(&self) -> u64 {
        self.0
    }

    /// The thread was woken `late` after the time it asked for. Down by half of the difference, up by a
    /// sixty-fourth: that settles where one wake in twenty or so comes earlier.
    pub(super) fn learn(&mut self, late: u64) {
        self.0 = match late.checked_sub(self.0) {
            Some(more) => self.0 + more.min(Self::SURPRISE).div_ceil(64),
            None => self.0 - (self.0 - late) / 2,
        };
        self.0 = self.0.min(Self::MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_at_the_low_end_of_what_was_seen() {
        let mut lead = Lead::new();
        for round in 0..10_000 {
            // 30 to 50 us, and a millisecond now and then.
            let late = if round % 50 == 0 {
                1_000_000
            } else {
                30_000 + round * 7_919 % 20_000
            };
            lead.learn(late);
        }
        assert!((28_000..36_000).contains(&lead.get()), "{lead:?}");
    }

    #[test]
    fn forgets_slow_wakes_at_once_and_has_a_limit() {
        let mut lead = Lead::new();
        for _ in 0..100_000 {
            lead.learn(u64::MAX);
        }
        assert_eq!(lead.get(), Lead::MOST);
        for _ in 0..20 {
            lead.learn(0);
        }
        assert!(lead.get() <= 1, "{lead:?}");
    }
}
