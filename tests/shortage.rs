//! Sources of coarse ticks and little room: what a future and an interval make of them.

#![allow(clippy::unwrap_used)]

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use timer_future::{
    CapacityError, Interval, MissedTickBehavior, TimerFuture, TimerSource, TimerState,
};

/// Room for one timer, ticks of a millisecond; nobody completes anything.
#[derive(Default)]
struct One {
    now: Cell<u64>,
    timer: Cell<Weak<TimerState>>,
}

impl TimerSource for One {
    type Timer = Arc<TimerState>;
    const TICK_HZ: u64 = 1_000;

    fn now(&self) -> u64 {
        self.now.get()
    }
    fn start(&self, _: u64) -> Result<Self::Timer, CapacityError> {
        let held = self.timer.take();
        if held.strong_count() > 0 {
            self.timer.set(held);
            return Err(CapacityError::new());
        }
        let timer = Arc::new(TimerState::new());
        self.timer.set(Arc::downgrade(&timer));
        Ok(timer)
    }
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// The provided `restart` needs room for two. The task must hear of it, or nobody polls again.
#[test]
fn a_reset_that_finds_no_room_wakes_the_task() {
    let source = One::default();
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let mut cx = Context::from_waker(&waker);
    let mut timer = pin!(TimerFuture::with_deadline(&source, 100));
    assert!(timer.as_mut().poll(&mut cx).is_pending());
    timer.reset_at(50);
    assert_eq!(count.0.load(Ordering::SeqCst), 1);
    // Now there is room.
    assert!(timer.as_mut().poll(&mut cx).is_pending());
    assert_eq!(source.timer.take().strong_count(), 1);
    assert_eq!(count.0.load(Ordering::SeqCst), 1);
}

/// What reads 10 may be 10.99: a period of one tick from there is over at 12, not at 11.
#[test]
fn a_period_after_a_late_tick_is_a_whole_one() {
    let source = One::default();
    let mut cx = Context::from_waker(Waker::noop());
    let mut interval = Interval::starting_at(&source, 5, Duration::from_millis(1))
        .with_missed_tick_behavior(MissedTickBehavior::Delay);
    source.now.set(10);
    assert_eq!(interval.poll_tick(&mut cx), Poll::Ready(5));
    let after_late = interval.deadline();
    interval.reset();
    assert_eq!((after_late, interval.deadline()), (12, 12));
}
