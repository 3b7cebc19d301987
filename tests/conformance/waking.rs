//! Whom a timer wakes.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use futures::executor::LocalPool;
use futures::FutureExt;

use crate::harness::{in_time, Harness};
use crate::wakers::{clones, counts_clones, poll, poll_with, Probe};

pub(crate) fn newest_waker_wins<H: Harness>() {
    in_time(|delay| {
        let harness = H::new();
        let (mut timer, tasks) = (harness.after(delay), [(); 4].map(|()| Probe::new()));
        for task in [
            &tasks[0], &tasks[1], &tasks[1], &tasks[2], &tasks[0], &tasks[3],
        ] {
            if poll(&mut timer, task).is_ready() {
                return None;
            }
        }
        harness.pass(timer.deadline());
        tasks[3].wait(1);
        for older in &tasks[..3] {
            assert_eq!(older.wakes(), 0, "an older waker was woken");
            assert_eq!(
                Arc::strong_count(older),
                1,
                "an older waker is still stored"
            );
        }
        assert_eq!(poll(&mut timer, &tasks[0]), Poll::Ready(()));
        Some(())
    });
}

pub(crate) fn newest_waker_wins_across_threads<H: Harness>() {
    in_time(|delay| {
        let harness = H::new();
        let (mut timer, first, second) = (harness.after(delay), Probe::new(), Probe::new());
        if poll(&mut timer, &first).is_ready() {
            return None;
        }
        let (mut timer, polled) = thread::spawn({
            let second = second.clone();
            move || {
                let polled = poll(&mut timer, &second);
                (timer, polled)
            }
        })
        .join()
        .unwrap();
        if polled.is_ready() {
            return None;
        }
        harness.pass(timer.deadline());
        second.wait(1);
        assert_eq!(first.wakes(), 0);
        assert_eq!(poll(&mut timer, &first), Poll::Ready(()));
        Some(())
    });
}

/// Pending in a `LocalPool` here, then awaited by pollster in another thread.
pub(crate) fn newest_waker_wins_across_executors<H: Harness>() {
    in_time(|delay| {
        let harness = H::new();
        let mut timer = harness.after(delay);
        let deadline = timer.deadline();
        let first = LocalPool::new().run_until(poll_fn(|cx| Poll::Ready(timer.poll_unpin(cx))));
        if first.is_ready() {
            return None;
        }
        let pending = Probe::new();
        let other = thread::spawn({
            let pending = pending.clone();
            move || {
                let mut polls = 0;
                pollster::block_on(poll_fn(|cx| {
                    let polled = timer.poll_unpin(cx);
                    polls += 1;
                    std::task::Wake::wake_by_ref(&pending);
                    polled
                }));
                polls
            }
        });
        pending.wait(1);
        harness.pass(deadline);
        let polls = other.join().unwrap();
        // One poll: it was late for the wake. More than two: it was woken for nothing.
        (polls > 1).then(|| assert_eq!(polls, 2))
    });
}

pub(crate) fn a_poll_with_nothing_new_clones_nothing<H: Harness>() {
    in_time(|delay| {
        let harness = H::new();
        let mut timer = harness.after(delay);
        let waker = counts_clones::<H>();
        let before = clones::<H>();
        if poll_with(&mut timer, &waker).is_ready() {
            return None;
        }
        let first = clones::<H>() - before;
        assert!(first <= 1, "{first} clones for one poll");
        for _ in 0..10 {
            if poll_with(&mut timer, &waker).is_ready() {
                return None;
            }
        }
        assert_eq!(clones::<H>() - before, 1, "it was stored already");
        Some(())
    });
}

pub(crate) fn a_ready_poll_stores_nothing<H: Harness>() {
    let harness = H::new();
    let (mut timer, probe) = (harness.after(Duration::from_millis(1)), Probe::new());
    assert_eq!(timer.try_start(), Ok(()));
    harness.pass(timer.deadline());
    while !timer.is_elapsed() {
        thread::yield_now();
    }
    assert_eq!(poll(&mut timer, &probe), Poll::Ready(()));
    assert_eq!(Arc::strong_count(&probe), 1);
    assert_eq!(probe.wakes(), 0);
}

pub(crate) fn one_wake_for_one_timer<H: Harness>() {
    in_time(|delay| {
        let harness = H::new();
        let (mut timer, probe) = (harness.after(delay), Probe::new());
        for _ in 0..3 {
            if poll(&mut timer, &probe).is_ready() {
                return None;
            }
        }
        harness.pass(timer.deadline());
        probe.wait(1);
        assert_eq!(poll(&mut timer, &probe), Poll::Ready(()));
        harness.pass(timer.deadline() + H::ticks(delay));
        assert_eq!(probe.wakes(), 1);
        Some(())
    });
}
