//! When an `Interval` ticks: no drift, and what each `MissedTickBehavior` does about late polls.

use std::cell::Cell;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use timer_future::{
    CapacityError, Interval, ManualSource, MissedTickBehavior, TimerSource, TimerState,
};

/// Time that moves by hand, in coarse ticks; an interval that is late looks at nothing else.
#[derive(Default)]
struct Clock<const HZ: u64>(Cell<u64>);

impl<const HZ: u64> TimerSource for Clock<HZ> {
    type Timer = Arc<TimerState>;
    const TICK_HZ: u64 = HZ;

    fn now(&self) -> u64 {
        self.0.get()
    }
    fn start(&self, _: u64) -> Result<Self::Timer, CapacityError> {
        Ok(Arc::new(TimerState::new()))
    }
}

fn poll<S: TimerSource>(interval: &mut Interval<S>) -> Poll<u64> {
    interval.poll_tick(&mut Context::from_waker(Waker::noop()))
}

/// An interval of 10 ns from 10 on, polled again and again at 35: its ticks, and the deadline of the next one.
fn late(behavior: MissedTickBehavior) -> (Vec<u64>, u64) {
    let clock = ManualSource::new();
    let mut interval = Interval::starting_at(&clock, 10, Duration::from_nanos(10))
        .with_missed_tick_behavior(behavior);
    assert!(poll(&mut interval).is_pending());
    clock.advance_to(35);
    let mut ticks = Vec::new();
    while let Poll::Ready(due) = poll(&mut interval) {
        ticks.push(due);
    }
    (ticks, interval.deadline())
}

#[test]
fn missed_ticks_are_made_up_for_or_delay_the_next_or_are_left_out() {
    assert_eq!(late(MissedTickBehavior::Burst), (vec![10, 20, 30], 40));
    assert_eq!(late(MissedTickBehavior::Delay), (vec![10], 45));
    assert_eq!(late(MissedTickBehavior::Skip), (vec![10], 40));
}

#[test]
fn an_interval_that_is_not_late_ticks_the_same_whatever_its_behavior() {
    use MissedTickBehavior::{Burst, Delay, Skip};
    for behavior in [Burst, Delay, Skip] {
        let clock = ManualSource::new();
        let mut interval = Interval::starting_at(&clock, 10, Duration::from_nanos(10))
            .with_missed_tick_behavior(behavior);
        for due in (10..1_000).step_by(10) {
            assert!(poll(&mut interval).is_pending());
            clock.advance_to(due);
            assert_eq!(poll(&mut interval), Poll::Ready(due));
        }
    }
}

/// A third of a second is 10,922.67 ticks of 32,768 Hz: each deadline is rounded up by itself.
#[test]
fn rounding_does_not_add_up() {
    let clock = Clock::<32_768>::default();
    let mut interval = Interval::starting_at(&clock, 0, Duration::from_nanos(333_333_333));
    for n in 0..30_000 {
        let exact = u128::from(n as u64) * 333_333_333 * 32_768;
        assert_eq!(
            u128::from(interval.deadline()),
            exact.div_ceil(1_000_000_000)
        );
        clock.0.set(interval.deadline());
        assert!(poll(&mut interval).is_ready());
    }
}

/// What reads 10 may be 10.99: a period of one tick from there is over at 12, not at 11.
#[test]
fn a_period_after_a_late_tick_is_a_whole_one() {
    let clock = Clock::<1_000>::default();
    let mut interval = Interval::starting_at(&clock, 5, Duration::from_millis(1))
        .with_missed_tick_behavior(MissedTickBehavior::Delay);
    clock.0.set(10);
    assert_eq!(poll(&mut interval), Poll::Ready(5));
    let after_late = interval.deadline();
    interval.reset();
    assert_eq!((after_late, interval.deadline()), (12, 12));
}
