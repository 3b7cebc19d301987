//! What a timer costs in memory: no allocation in the steady state, and what is kept follows the peak of
//! live timers, not how many there ever were.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::alloc::System;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::FutureExt;
use stats_alloc::{Region, StatsAlloc, INSTRUMENTED_SYSTEM};
use timer_future::{ManualSource, ThreadSource, TimerFuture, TimerSource};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ROUNDS: u64 = 10_000;

/// The allocator counts for all threads, so the tests take turns.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn poll<S: TimerSource>(timer: &mut TimerFuture<S>) -> Poll<()> {
    timer.poll_unpin(&mut Context::from_waker(Waker::noop()))
}

/// Allocations of `timed`, once `warm_up` rounds have brought everything to its size. The test harness
/// may allocate as well, in its own thread, so the least of a few runs counts.
fn allocations(mut timed: impl FnMut(u64)) -> usize {
    (0..ROUNDS).for_each(&mut timed);
    let runs = (0..5).map(|_| {
        let region = Region::new(ALLOCATOR);
        (0..ROUNDS).for_each(&mut timed);
        let change = region.change();
        change.allocations + change.reallocations
    });
    runs.min().unwrap()
}

/// Bytes that are in use afterwards and were not before.
fn kept(work: impl FnOnce()) -> usize {
    let region = Region::new(ALLOCATOR);
    work();
    let change = region.change();
    change
        .bytes_allocated
        .saturating_sub(change.bytes_deallocated)
}

#[test]
fn a_cancelled_timer_allocates_nothing() {
    let _alone = alone();
    let source = ThreadSource::new();
    let lengths = [30_000, 5, 1_000, 60_000].map(Duration::from_millis);
    let allocations = allocations(|n| {
        let mut timer = TimerFuture::with_source(&source, lengths[n as usize % 4]);
        assert!(poll(&mut timer).is_pending() || n % 4 == 1);
    });
    assert_eq!(allocations, 0);
}

#[test]
fn a_reset_timer_allocates_nothing() {
    let _alone = alone();
    let source = ThreadSource::new();
    let mut timer = TimerFuture::with_source(&source, Duration::from_secs(30));
    assert!(poll(&mut timer).is_pending());
    let allocations = allocations(|n| timer.reset(Duration::from_secs(30 + n % 7)));
    assert_eq!(allocations, 0);
}

#[test]
fn a_fired_timer_allocates_nothing() {
    let _alone = alone();
    let clock = ManualSource::new();
    let allocations = allocations(|n| {
        let mut timer = TimerFuture::with_source(&clock, Duration::from_micros(1 + n % 1_000));
        assert!(poll(&mut timer).is_pending());
        clock.advance_to(timer.deadline());
        assert!(poll(&mut timer).is_ready());
    });
    assert_eq!(allocations, 0);
}

#[test]
fn a_polled_timer_and_a_ready_one_allocate_nothing() {
    let _alone = alone();
    let source = ThreadSource::new();
    let mut timer = TimerFuture::with_source(&source, Duration::MAX);
    let allocations = allocations(|_| {
        assert!(poll(&mut timer).is_pending());
        assert!(poll(&mut TimerFuture::with_source(&source, Duration::ZERO)).is_ready());
    });
    assert_eq!(allocations, 0);
}

/// Each is earlier than the one before, so each goes through the inbox, and leaves a stale entry.
#[test]
fn a_million_cancels_with_decreasing_deadlines_keep_nothing() {
    let _alone = alone();
    for keeper_runs in [true, false] {
        let source = ThreadSource::new();
        let (clock, hour) = (ManualSource::new(), 3_600_000_000_000u64);
        let kept = kept(|| {
            for n in 0..1_000_000u64 {
                if keeper_runs {
                    let deadline =
                        source.ticks_at(std::time::Instant::now()) + hour - n * 1_000_000;
                    let mut timer = TimerFuture::with_deadline(&source, deadline);
                    assert!(poll(&mut timer).is_pending());
                } else {
                    let mut timer = TimerFuture::with_deadline(&clock, hour - n * 1_000_000 % hour);
                    assert!(poll(&mut timer).is_pending());
                    if n % 16 == 0 {
                        clock.advance_to(n / 16);
                    }
                }
            }
        });
        assert!(kept < 200_000, "{kept} bytes for one live timer at a time");
    }
}

/// Timers that live at once, in waves; the second wave finds the memory of the first.
#[test]
fn memory_follows_the_peak() {
    let _alone = alone();
    let source = ThreadSource::new();
    let wave = || {
        let mut timers: Vec<_> = (0..10_000)
            .map(|n| TimerFuture::with_source(&source, Duration::from_secs(60 + n)))
            .collect();
        assert!(timers.iter_mut().all(|timer| poll(timer).is_pending()));
    };
    let first = kept(wave);
    assert!(
        first < 10_000 * 80 + 300_000,
        "{first} bytes for 10,000 timers"
    );
    let more = kept(|| (0..20).for_each(|_| wave()));
    assert!(
        more < first / 2,
        "{more} bytes more for the same number again"
    );
}

#[test]
fn a_source_gives_its_memory_back() {
    let _alone = alone();
    let kept = kept(|| {
        for _ in 0..10 {
            let source = ThreadSource::new();
            let mut timers: Vec<_> = (0..1_000)
                .map(|_| TimerFuture::with_source(&source, Duration::from_secs(60)))
                .collect();
            assert!(timers.iter_mut().all(|timer| poll(timer).is_pending()));
        }
    });
    assert!(kept < 20_000, "{kept} bytes");
}
