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

/// So many timers, at such a distance, all mixed; some of them change their mind.
fn keep_the_order(start: u64, distance: u64) {
    let clock = Arc::new(ManualSource::new());
    let log = Arc::default();
    let mut timers: Vec<_> = (0..TIMERS)
        .map(|n| {
            let deadline = start + (n * 7_919) % TIMERS * distance;
            Some(TimerFuture::with_deadline(clock.clone(), deadline))
        })
        .collect();
    for (id, timer) in timers.iter_mut().enumerate() {
        let note = Note {
            id,
            clock: clock.clone(),
            log: Arc::clone(&log),
        };
        let waker = Waker::from(Arc::new(note));
        let mut cx = Context::from_waker(&waker);
        assert!(timer.as_mut().unwrap().poll_unpin(&mut cx).is_pending());
    }
    assert_eq!(clock.pending() as u64, TIMERS);
    // Let the keeper see them all.
    clock.advance_to(start / 2);
    let mut starts: Vec<_> = (0..TIMERS).collect();
    for id in (0..TIMERS).step_by(7) {
        // Earlier, in the same bucket or another; later; never.
        let timer = &mut timers[id as usize];
        let deadline = timer.as_ref().unwrap().deadline();
        let to = match id % 5 {
            0 => deadline - distance,
            1 => deadline.saturating_sub(100 * distance).max(start),
            2 => deadline + 3 * distance,
            3 => deadline + 1_000 * distance,
            _ => {
                *timer = None;
                continue;
            }
        };
        timer.as_mut().unwrap().reset_at(to);
        starts[id as usize] += TIMERS;
    }
    let left = timers.iter().flatten().count();
    for _ in 0..800 {
        clock.advance(Duration::from_nanos((TIMERS + 2_000) * distance / 200));
    }
    let woken = log.lock().unwrap();
    assert_eq!(woken.len(), left);
    let deadline = |id: usize| timers[id].as_ref().unwrap().deadline();
    assert!(
        woken.iter().all(|&(id, now)| deadline(id) == now),
        "not on time"
    );
    let order: Vec<_> = woken
        .iter()
        .map(|&(id, _)| (deadline(id), starts[id]))
        .collect();
    assert!(order.is_sorted(), "not in order");
}

/// Many to a bucket of four seconds, which is spread by looking at each.
#[test]
fn big_buckets_keep_the_order() {
    keep_the_order(20_000_000_000, 200_000);
}

/// So many to a bucket of 34 ms that they come down by what the wheel knows of them.
#[test]
fn dense_buckets_keep_the_order() {
    keep_the_order(200_000_000, 3_000);
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
