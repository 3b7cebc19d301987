//! Wakers that start timers of the same clock while its time moves.

#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use futures::FutureExt;
use timer_future::{ManualSource, TimerFuture};

const SECOND: Duration = Duration::from_secs(1);

/// Notes the time when it is woken, and starts the next of a few.
struct Chain {
    clock: Arc<ManualSource>,
    log: Arc<Mutex<Vec<u64>>>,
    timers: Arc<Mutex<Vec<TimerFuture<Arc<ManualSource>>>>>,
    left: usize,
}

impl Chain {
    fn start(self) {
        let mut timer = TimerFuture::with_source(self.clock.clone(), SECOND);
        let timers = self.timers.clone();
        let waker = Waker::from(Arc::new(self));
        assert!(timer
            .poll_unpin(&mut Context::from_waker(&waker))
            .is_pending());
        timers.lock().unwrap().push(timer);
    }
}

impl Wake for Chain {
    fn wake(self: Arc<Self>) {
        self.log.lock().unwrap().push(self.clock.now());
        if self.left > 0 {
            let next = Self {
                clock: self.clock.clone(),
                log: self.log.clone(),
                timers: self.timers.clone(),
                left: self.left - 1,
            };
            next.start();
        }
    }
}

#[test]
fn time_stops_at_the_deadlines_of_timers_that_wakers_start() {
    let clock = Arc::new(ManualSource::new());
    let log = Arc::default();
    Chain {
        clock: clock.clone(),
        log: Arc::clone(&log),
        timers: Arc::default(),
        left: 4,
    }
    .start();
    clock.advance(10 * SECOND);
    let seconds: Vec<u64> = log
        .lock()
        .unwrap()
        .iter()
        .map(|n| n / 1_000_000_000)
        .collect();
    assert_eq!(seconds, [1, 2, 3, 4, 5]);
    assert_eq!(clock.now(), 10_000_000_000);
}
