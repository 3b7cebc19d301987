//! When a timer completes.

use std::sync::Arc;
use std::task::{Poll, Wake};
use std::time::Duration;

use timer_future::{duration_to_ticks, TimerFuture, TimerSource, NEVER};

use crate::harness::Harness;
use crate::wakers::{callback, poll, poll_with, Probe, WATCHDOG};

/// Whenever a poll is `Ready` or a wake has come, the clock has reached the deadline, and the deadline is
/// not before the duration.
pub(crate) fn never_early<H: Harness>() {
    let harness = H::new();
    let source = harness.source();
    for micros in [1, 3, 7, 50, 999, 1_001, 8_192, 20_000] {
        let duration = Duration::from_micros(micros);
        let before = source.now();
        let mut timer = TimerFuture::with_source(source.clone(), duration);
        let ticks = duration_to_ticks(duration, H::Source::TICK_HZ);
        assert!(
            timer.deadline() >= before + ticks,
            "{duration:?}: the deadline is early"
        );

        let (early, deadline) = (Probe::new(), timer.deadline());
        let (woken, clock) = (Probe::new(), source.clone());
        let waker = callback({
            let (early, woken) = (early.clone(), woken.clone());
            move || {
                let probe = if clock.now() < deadline {
                    &early
                } else {
                    &woken
                };
                probe.wake_by_ref();
            }
        });
        let mut polled = poll_with(&mut timer, &waker);
        if polled.is_pending() {
            harness.pass(deadline - 1);
            polled = poll_with(&mut timer, &waker);
        }
        if polled.is_ready() {
            assert!(source.now() >= deadline, "{duration:?}: Ready early");
            continue;
        }
        harness.pass(deadline);
        woken.wait(1);
        assert_eq!(early.wakes(), 0, "{duration:?}: woken early");
        assert_eq!(poll_with(&mut timer, &waker), Poll::Ready(()));
    }
}

/// Never early, measured by somebody else's clock where the source has a clock of the world.
pub(crate) fn never_early_when_awaited<H: Harness>() {
    let harness = H::new();
    let source = harness.source();
    let duration = Duration::from_millis(2);
    let (before, mut timer) = (source.now(), harness.after(duration));
    let probe = Probe::new();
    while poll(&mut timer, &probe).is_pending() {
        let woken = probe.wakes();
        harness.pass(timer.deadline());
        probe.wait(woken + 1);
    }
    assert!(source.now() - before >= duration_to_ticks(duration, H::Source::TICK_HZ));
}

pub(crate) fn zero_completes_in_one_poll<H: Harness>() {
    let harness = H::new();
    for _ in 0..100 {
        let probe = Probe::new();
        assert_eq!(
            poll(&mut harness.after(Duration::ZERO), &probe),
            Poll::Ready(())
        );
        assert_eq!(Arc::strong_count(&probe), 1);
    }
}

/// The time keeper stands in somebody's waker, and has been told of other timers meanwhile.
pub(crate) fn zero_completes_in_one_poll_while_the_keeper_is_busy<H: Harness>() {
    let harness = H::new();
    let source = harness.source();
    let (done, pending) = (Probe::new(), Probe::new());
    let mut busy = harness.after(Duration::from_millis(1));
    let waker = callback({
        let (done, pending) = (done.clone(), pending.clone());
        move || {
            let mut soon = TimerFuture::with_source(source.clone(), Duration::from_millis(5));
            assert_eq!(soon.try_start(), Ok(()));
            for _ in 0..10 {
                let zero = TimerFuture::with_source(source.clone(), Duration::ZERO);
                let past = TimerFuture::with_deadline(source.clone(), source.now() - 1);
                for mut timer in [zero, past] {
                    if poll(&mut timer, &Probe::new()).is_pending() {
                        pending.wake_by_ref();
                    }
                }
            }
            done.wake_by_ref();
        }
    });
    if poll_with(&mut busy, &waker).is_pending() {
        harness.pass(busy.deadline());
        done.wait(1);
    }
    assert_eq!(pending.wakes(), 0, "first polls that were Pending");
}

pub(crate) fn past_deadlines_complete_in_one_poll<H: Harness>() {
    let harness = H::new();
    let source = harness.source();
    harness.pass(source.now() + 1_000);
    let now = source.now();
    for deadline in [0, 1, now / 2, now - 1, now] {
        let mut timer = TimerFuture::with_deadline(source.clone(), deadline);
        assert_eq!(
            poll(&mut timer, &Probe::new()),
            Poll::Ready(()),
            "{deadline} at {now}"
        );
        assert!(timer.is_elapsed());
    }
}

pub(crate) fn duration_max_is_never_and_costs_nothing<H: Harness>() {
    let harness = H::new();
    let source = harness.source();
    let probe = Probe::new();
    let mut max = harness.after(Duration::MAX);
    let mut saturated = harness.after(Duration::MAX - Duration::from_nanos(1));
    let mut never = TimerFuture::with_deadline(source.clone(), NEVER);
    for timer in [&mut max, &mut saturated, &mut never] {
        assert_eq!(timer.deadline(), NEVER);
        assert_eq!(poll(timer, &probe), Poll::Pending);
        assert!(!timer.is_elapsed());
    }
    if let Some((pending, next)) = harness.books() {
        assert!(pending.is_none_or(|pending| pending == 0), "{pending:?}");
        assert_eq!(next, None);
    }
    harness.pass(source.now() + 1_000);
    assert_eq!(probe.wakes(), 0);
    assert_eq!(poll(&mut max, &probe), Poll::Pending);
    drop((max, saturated, never));
    assert_eq!(Arc::strong_count(&probe), 1);
}

pub(crate) fn ready_stays_ready<H: Harness>() {
    let harness = H::new();
    let (mut timer, probe) = (harness.after(Duration::from_millis(1)), Probe::new());
    if poll(&mut timer, &probe).is_pending() {
        harness.pass(timer.deadline());
        probe.wait(1);
    }
    for _ in 0..3 {
        assert_eq!(poll(&mut timer, &probe), Poll::Ready(()));
        assert!(timer.is_elapsed());
        assert_eq!(
            Arc::strong_count(&probe),
            1,
            "a completed timer keeps no waker"
        );
    }
}

pub(crate) fn the_deadline_is_fixed_at_construction<H: Harness>() {
    let harness = H::new();
    let (mut timer, probe) = (harness.after(Duration::from_millis(1)), Probe::new());
    let deadline = timer.deadline();
    assert!(!timer.is_elapsed() || harness.source().now() >= deadline);
    harness.pass(deadline);
    assert!(timer.is_elapsed());
    assert_eq!(poll(&mut timer, &probe), Poll::Ready(()));
    assert_eq!(timer.deadline(), deadline);
}

pub(crate) fn try_start_starts_without_a_poll<H: Harness>() {
    let harness = H::new();
    let mut timer = harness.after(Duration::from_millis(1));
    assert_eq!(timer.try_start(), Ok(()));
    assert_eq!(timer.try_start(), Ok(()), "twice is once");
    harness.pass(timer.deadline());
    let start = std::time::Instant::now();
    while !timer.is_elapsed() {
        assert!(start.elapsed() < WATCHDOG, "never completed");
        std::thread::yield_now();
    }
    assert_eq!(poll(&mut timer, &Probe::new()), Poll::Ready(()));
}

pub(crate) fn many_timers_all_complete<H: Harness>() {
    let harness = H::new();
    let probe = Probe::new();
    let mut timers: Vec<_> = (0..H::MANY)
        .map(|i| harness.after(Duration::from_micros(100 * (i % 37) as u64)))
        .collect();
    let mut last = 0;
    for timer in &mut timers {
        last = last.max(timer.deadline());
        let _ = poll(timer, &probe);
    }
    harness.pass(last);
    for timer in &mut timers {
        // A probe of its own for each: its wake alone must suffice.
        let own = Probe::new();
        if poll(timer, &own).is_pending() {
            own.wait(1);
            assert_eq!(poll(timer, &own), Poll::Ready(()));
        }
    }
    assert_eq!(Arc::strong_count(&probe), 1);
}
