//! What a dropped timer leaves behind: nothing.

use std::mem;
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use timer_future::TimerSource;

use crate::harness::{in_time, Harness};
use crate::wakers::{poll, Probe};

pub(crate) fn drop_releases_the_waker_at_once<H: Harness>() {
    in_time(|delay| {
        let harness = H::new();
        let (mut timer, probe) = (harness.after(delay), Probe::new());
        if poll(&mut timer, &probe).is_ready() {
            return None;
        }
        let stored = Arc::strong_count(&probe);
        drop(timer);
        let left = Arc::strong_count(&probe);
        // Fired meanwhile? Then this says nothing about drop.
        (probe.wakes() == 0 && stored == 2).then(|| assert_eq!(left, 1, "the waker is kept"))
    });
}

pub(crate) fn completion_releases_the_waker<H: Harness>() {
    let harness = H::new();
    let (mut timer, probe) = (harness.after(Duration::from_millis(1)), Probe::new());
    if poll(&mut timer, &probe).is_pending() {
        harness.pass(timer.deadline());
        probe.wait(1);
        assert_eq!(poll(&mut timer, &probe), Poll::Ready(()));
        // The keeper drops the waker after its wake has returned.
        harness.pass(harness.source().now() + 1);
    }
    assert_eq!(Arc::strong_count(&probe), 1);
}

pub(crate) fn a_newer_waker_releases_the_older_at_once<H: Harness>() {
    in_time(|delay| {
        let harness = H::new();
        let (mut timer, older, newer) = (harness.after(delay), Probe::new(), Probe::new());
        if poll(&mut timer, &older).is_ready() || poll(&mut timer, &newer).is_ready() {
            return None;
        }
        assert_eq!(Arc::strong_count(&older), 1, "the older waker is kept");
        Some(())
    });
}

pub(crate) fn a_dropped_timer_wakes_nobody<H: Harness>() {
    in_time(|delay| {
        let harness = H::new();
        let (mut timer, probe) = (harness.after(delay), Probe::new());
        let mut neighbour = harness.after(delay);
        if poll(&mut timer, &probe).is_ready() {
            return None;
        }
        let deadline = timer.deadline();
        drop(timer);
        if harness.source().now() >= deadline {
            return None; // it may have fired before the drop
        }
        let kept = Probe::new();
        let pending = poll(&mut neighbour, &kept).is_pending();
        harness.pass(deadline + H::ticks(delay));
        if pending {
            kept.wait(1);
        }
        assert_eq!(probe.wakes(), 0, "a dropped timer has woken somebody");
        Some(())
    });
}

pub(crate) fn a_timer_may_be_dropped_by_another_thread<H: Harness>() {
    in_time(|delay| {
        let harness = H::new();
        let (mut timer, probe) = (harness.after(delay), Probe::new());
        if poll(&mut timer, &probe).is_ready() {
            return None;
        }
        let deadline = timer.deadline();
        thread::spawn(move || drop(timer)).join().unwrap();
        if harness.source().now() >= deadline {
            return None;
        }
        assert_eq!(Arc::strong_count(&probe), 1);
        harness.pass(deadline + 1);
        assert_eq!(probe.wakes(), 0);
        Some(())
    });
}

/// Of an armed timer, an unpolled one and a completed one: each may cost memory, nothing else.
pub(crate) fn forget_is_harmless<H: Harness>() {
    let harness = H::new();
    let (armed, started, done) = (Probe::new(), Probe::new(), Probe::new());
    let mut timer = harness.after(Duration::from_millis(1));
    let deadline = timer.deadline();
    let pending = poll(&mut timer, &armed).is_pending();
    mem::forget(timer);
    mem::forget(harness.after(Duration::from_millis(1)));
    let mut timer = harness.after(Duration::from_millis(1));
    assert_eq!(timer.try_start(), Ok(()));
    mem::forget(timer);
    let mut timer = harness.after(Duration::ZERO);
    assert_eq!(poll(&mut timer, &done), Poll::Ready(()));
    mem::forget(timer);

    harness.pass(deadline + H::ticks(Duration::from_millis(1)));
    if pending {
        armed.wait(1);
    }
    let mut next = harness.after(Duration::from_millis(1));
    if poll(&mut next, &started).is_pending() {
        harness.pass(next.deadline());
        started.wait(1);
    }
    assert_eq!(poll(&mut next, &started), Poll::Ready(()));
    assert!(armed.wakes() <= 1);
}

pub(crate) fn drop_before_the_first_poll_is_nothing<H: Harness>() {
    let harness = H::new();
    for _ in 0..1_000 {
        drop(harness.after(Duration::from_secs(3600)));
    }
    if let Some((pending, next)) = harness.books() {
        assert!(pending.is_none_or(|pending| pending == 0));
        assert_eq!(next, None);
    }
}
