//! What cannot be seen from outside: what a slot leaves behind whose waker panicked while it was stored.

use std::cell::Cell;
use std::panic::{catch_unwind, AssertUnwindSafe};

use super::{Alarm, InterruptSource};
use crate::source::TimerSource;

#[derive(Default)]
struct Device {
    time: Cell<u64>,
    compare: Cell<Option<u64>>,
    pends: Cell<usize>,
}

impl Alarm for Device {
    const TICK_HZ: u64 = 1;
    fn now(&self) -> u64 {
        self.time.get()
    }
    fn set_alarm(&self, deadline: Option<u64>) {
        self.compare.set(deadline);
    }
    fn pend(&self) {
        self.pends.set(self.pends.get() + 1);
    }
}

#[test]
fn a_waker_that_panics_while_it_is_stored_costs_a_slot_and_nothing_else() {
    for linked in [false, true] {
        let source = &InterruptSource::<_, 2>::new(Device::default());
        if linked {
            drop(source.start(30));
        }
        let panicking = || source.take(40, |_| panic!("a waker panics when cloned, on purpose"));
        assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
        let good = source.start(10).map_err(drop);
        assert!(good.is_ok());
        assert!(source.start(10).is_err(), "it is not given out again");
        source.alarm().time.set(10);
        source.alarm().pends.set(0);
        source.on_interrupt();
        assert!(good.is_ok_and(|timer| timer.is_complete()));
        // Nothing of it is left that the handler would look at again and again.
        source.alarm().time.set(100);
        source.on_interrupt();
        source.on_interrupt();
        assert_eq!(source.alarm().pends.get(), 0);
        assert_eq!(source.alarm().compare.get(), None);
        assert_eq!(source.inbox.load(crate::sync::Ordering::Relaxed), 0);
        assert!(source.start(1_000).is_ok());
    }
}
