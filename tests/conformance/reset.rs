//! Moving a timer to another deadline.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use timer_future::{TimerFuture, TimerSource, NEVER};

use crate::harness::{in_time, Harness};
use crate::wakers::{poll, Probe};

/// Waits until the timer has completed: by the wake of an earlier poll, which the reset must keep.
fn finish<H: Harness>(harness: &H, timer: &mut TimerFuture<H::Source>, probe: &Arc<Probe>) {
    let woken = probe.wakes();
    harness.pass(timer.deadline());
    probe.wait(woken + 1);
    assert!(harness.source().now() >= timer.deadline());
    assert_eq!(poll(timer, probe), Poll::Ready(()));
}

/// With and without another poll after the reset.
pub(crate) fn reset_to_earlier<H: Harness>() {
    for poll_again in [true, false] {
        in_time(|delay| {
            let harness = H::new();
            let (mut timer, probe) = (harness.after(Duration::from_secs(3600)), Probe::new());
            assert!(poll(&mut timer, &probe).is_pending());
            let far = timer.deadline();
            timer.reset(delay);
            assert!(timer.deadline() < far);
            if poll_again && poll(&mut timer, &probe).is_ready() {
                return None;
            }
            finish(&harness, &mut timer, &probe);
            Some(())
        });
    }
}

pub(crate) fn reset_to_later<H: Harness>() {
    for poll_again in [true, false] {
        in_time(|delay| {
            let harness = H::new();
            let (mut timer, probe) = (harness.after(delay), Probe::new());
            if poll(&mut timer, &probe).is_ready() {
                return None;
            }
            let before = timer.deadline();
            timer.reset_at(before + H::ticks(delay));
            if harness.source().now() >= before || probe.wakes() > 0 {
                return None; // it may have fired before the reset
            }
            if poll_again && poll(&mut timer, &probe).is_ready() {
                return None;
            }
            harness.pass(before);
            if harness.source().now() >= timer.deadline() {
                return None;
            }
            let (woken, now) = (probe.wakes(), harness.source().now());
            assert!(
                woken == 0 || now >= timer.deadline(),
                "woken at the old deadline"
            );
            if poll(&mut timer, &probe).is_ready() {
                assert!(harness.source().now() >= timer.deadline(), "early");
                return None;
            }
            finish(&harness, &mut timer, &probe);
            Some(())
        });
    }
}

pub(crate) fn reset_to_the_past<H: Harness>() {
    let harness = H::new();
    let source = harness.source();
    harness.pass(source.now() + 10);
    for deadline in [0, 1, source.now()] {
        let (mut timer, probe) = (harness.after(Duration::from_secs(3600)), Probe::new());
        assert!(poll(&mut timer, &probe).is_pending());
        timer.reset_at(deadline);
        harness.pass(source.now());
        probe.wait(1);
        finish_past(&mut timer);
    }
    let mut timer = harness.after(Duration::from_secs(3600));
    assert!(poll(&mut timer, &Probe::new()).is_pending());
    timer.reset(Duration::ZERO);
    finish_past(&mut timer);
}

fn finish_past<S: TimerSource>(timer: &mut TimerFuture<S>) {
    let probe = Probe::new();
    if poll(timer, &probe).is_pending() {
        probe.wait(1);
        assert_eq!(poll(timer, &probe), Poll::Ready(()));
    }
}

pub(crate) fn reset_after_completion_starts_anew<H: Harness>() {
    let harness = H::new();
    let (mut timer, probe) = (harness.after(Duration::ZERO), Probe::new());
    for polled in [true, false, true] {
        if polled {
            while poll(&mut timer, &probe).is_pending() {
                harness.pass(timer.deadline());
            }
        } else {
            // Completed, and nobody has seen it.
            assert_eq!(timer.try_start(), Ok(()));
            harness.pass(timer.deadline());
        }
        timer.reset(Duration::from_millis(1));
        let before = probe.wakes();
        match poll(&mut timer, &probe) {
            Poll::Ready(()) => assert!(harness.source().now() >= timer.deadline(), "early"),
            Poll::Pending => {
                harness.pass(timer.deadline());
                probe.wait(before + 1);
                assert_eq!(poll(&mut timer, &probe), Poll::Ready(()));
            }
        }
    }
}

pub(crate) fn reset_to_never_and_back<H: Harness>() {
    in_time(|delay| {
        let harness = H::new();
        let source = harness.source();
        let (mut timer, probe) = (harness.after(delay), Probe::new());
        if poll(&mut timer, &probe).is_ready() {
            return None;
        }
        let first = timer.deadline();
        timer.reset(Duration::MAX);
        if source.now() >= first || probe.wakes() > 0 {
            return None;
        }
        assert_eq!(timer.deadline(), NEVER);
        harness.pass(first + 1);
        assert_eq!(poll(&mut timer, &probe), Poll::Pending);
        assert_eq!(probe.wakes(), 0, "woken, though it was to be never");
        if let Some((pending, next)) = harness.books() {
            assert!(pending.is_none_or(|pending| pending == 0));
            assert_eq!(next, None);
        }
        timer.reset(Duration::from_millis(1));
        finish(&harness, &mut timer, &probe);
        Some(())
    });
}

pub(crate) fn reset_before_the_first_poll<H: Harness>() {
    let harness = H::new();
    let (mut timer, probe) = (harness.after(Duration::from_secs(3600)), Probe::new());
    timer.reset(Duration::from_millis(1));
    if poll(&mut timer, &probe).is_pending() {
        harness.pass(timer.deadline());
        probe.wait(1);
        assert_eq!(poll(&mut timer, &probe), Poll::Ready(()));
    }
    assert!(harness.source().now() >= timer.deadline());
}

/// Later and later, then earlier and earlier: what an idle timeout does.
pub(crate) fn reset_again_and_again<H: Harness>() {
    let harness = H::new();
    let (mut timer, probe) = (harness.after(Duration::from_secs(3600)), Probe::new());
    assert!(poll(&mut timer, &probe).is_pending());
    for minutes in (60..100).chain((60..100).rev()) {
        timer.reset(Duration::from_secs(60 * minutes));
        assert!(poll(&mut timer, &probe).is_pending());
    }
    assert_eq!(Arc::strong_count(&probe), 2);
    assert_eq!(probe.wakes(), 0);
    timer.reset(Duration::from_millis(1));
    finish(&harness, &mut timer, &probe);
}
