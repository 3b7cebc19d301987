//! A source that has no room for a timer that is moved. Those of this crate move it in place.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Wake, Waker};

use timer_future::{CapacityError, TimerFuture, TimerSource, TimerState};

/// Room for one timer; nobody completes it.
#[derive(Default)]
struct One {
    timer: Cell<Weak<TimerState>>,
}

impl TimerSource for One {
    type Timer = Arc<TimerState>;
    const TICK_HZ: u64 = 1_000;

    fn now(&self) -> u64 {
        0
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
