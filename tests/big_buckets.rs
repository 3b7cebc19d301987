//! The order of firing is exact also where a bucket of the wheel is so big that it is spread early.

#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use futures::FutureExt;
use timer_future::{ManualSource, TimerFuture};

const TIMERS: u64 = 20_000;

/// Notes who was woken, and when.
struct Note {
    id: usize,
    clock: Arc<ManualSource>,
    log: Arc<Mutex<Vec<(usize, u64)>>>,
}

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        self.log.lock().unwrap().push((self.id, self.clock.now()));
    }
}

#[test]
fn big_buckets_keep_the_order() {
    let clock = Arc::new(ManualSource::new());
    let log = Arc::default();
    let mut timers: Vec<_> = (0..TIMERS)
        .map(|n| {
            // Many to a bucket of a second, from four of them, all mixed.
            let deadline = 3_000_000_000 + (n * 7_919) % TIMERS * 200_000;
            TimerFuture::with_deadline(clock.clone(), deadline)
        })
        .collect();
    for (id, timer) in timers.iter_mut().enumerate() {
        let note = Note {
            id,
            clock: clock.clone(),
            log: Arc::clone(&log),
        };
        let waker = Waker::from(Arc::new(note));
        assert!(timer
            .poll_unpin(&mut Context::from_waker(&waker))
            .is_pending());
    }
    assert_eq!(clock.pending() as u64, TIMERS);
    for _ in 0..800 {
        clock.advance(Duration::from_millis(10));
    }
    let woken = log.lock().unwrap();
    assert_eq!(woken.len() as u64, TIMERS);
    assert!(
        woken.iter().all(|&(id, now)| timers[id].deadline() == now),
        "not on time"
    );
    let order: Vec<_> = woken
        .iter()
        .map(|&(id, _)| (timers[id].deadline(), id))
        .collect();
    assert!(order.is_sorted(), "not in order");
}

/// More than the keeper takes at once, from every level of the wheel.
#[test]
fn thousands_of_equal_deadlines_fire_in_the_order_of_starts() {
    for deadline in [7, 1_000_000, 5_000_000_000, 123_456_789_000] {
        let clock = Arc::new(ManualSource::new());
        let log: Arc<Mutex<Vec<(usize, u64)>>> = Arc::default();
        let mut timers: Vec<_> = (0..3_000)
            .map(|_| TimerFuture::with_deadline(clock.clone(), deadline))
            .collect();
        for (id, timer) in timers.iter_mut().enumerate() {
            let (clock, log) = (clock.clone(), log.clone());
            let waker = Waker::from(Arc::new(Note { id, clock, log }));
            let mut cx = Context::from_waker(&waker);
            assert!(timer.poll_unpin(&mut cx).is_pending());
        }
        clock.advance_to(deadline * 2);
        let woken = log.lock().unwrap();
        assert_eq!(woken.len(), timers.len());
        assert!(woken.iter().all(|&(_, now)| now == deadline), "not on time");
        assert!(woken.iter().is_sorted_by_key(|&(id, _)| id), "not in order");
    }
}
