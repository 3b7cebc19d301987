//! When a crowded inbox wakes the keeper. Its races are in loom_tests.rs.

use std::cell::Cell;
use std::vec::Vec;

use super::{Keeper, Pool, Pooled};

const FAR: u64 = 3_600_000_000_000;

pub(super) struct Counting {
    pub(super) pool: Pool,
    kicks: Cell<u32>,
}

impl Pooled for Counting {
    fn pool(&self) -> &Pool {
        &self.pool
    }
    fn now(&self) -> u64 {
        0
    }
    fn slack(&self) -> u64 {
        0
    }
    fn kick(&self) {
        self.kicks.set(self.kicks.get() + 1);
    }
}

impl Counting {
    pub(super) fn new() -> Self {
        Self {
            pool: Pool::new(false),
            kicks: Cell::new(0),
        }
    }

    /// A keeper that sleeps, and knows of a timer before all others.
    fn asleep() -> (Self, Keeper) {
        let source = Self::new();
        let mut keeper = Keeper::new(false);
        assert!(source.pool.start(&source, FAR).is_ok());
        source.pool.alarm.look();
        while keeper.step(&source.pool, 0) {}
        assert!(source.pool.alarm.sleep_until(keeper.next()));
        source.kicks.set(0);
        (source, keeper)
    }
}

#[test]
fn a_crowd_of_later_timers_wakes_the_keeper_once_for_thousands() {
    let (source, _keeper) = Counting::asleep();
    for n in 0..10 * 4_096 {
        assert!(source.pool.start(&source, FAR + n).is_ok());
    }
    assert!(
        (9..=10).contains(&source.kicks.get()),
        "{}",
        source.kicks.get()
    );
}

#[test]
fn timers_that_come_and_go_wake_nobody() {
    let (source, _keeper) = Counting::asleep();
    for n in 0..100_000 {
        let some: Vec<_> = (0..8)
            .flat_map(|_| source.pool.start(&source, FAR + n))
            .collect();
        for index in some {
            source.pool.cancel(index);
        }
    }
    assert_eq!(source.kicks.get(), 0);
}
