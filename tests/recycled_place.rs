//! A recycled slot may keep its place in the keeper's order. These are the two ways in which that place
//! came to be later than the next deadline; the soak test found them, these pin them down.

use std::time::Duration;

use timer_future::{ManualSource, ThreadSource, TimerFuture};

fn start(clock: &ManualSource, deadline: u64) -> TimerFuture<&ManualSource> {
    let mut timer = TimerFuture::with_deadline(clock, deadline);
    timer.try_start().unwrap();
    timer
}

/// A slot whose place is at 1,000,000, free again.
fn clock_with_a_late_place() -> ManualSource {
    let clock = ManualSource::new();
    let timer = start(&clock, 1_000_000);
    clock.advance_to(1); // the keeper sees it
    drop(timer);
    clock
}

#[test]
fn cancelled_before_the_keeper_saw_the_earlier_deadline() {
    let clock = clock_with_a_late_place();
    drop(start(&clock, 500_000)); // earlier than the place: told, and cancelled
    clock.advance_to(2); // the keeper finds it cancelled
    let timer = start(&clock, 600_000); // later than the last deadline, earlier than the place
    clock.advance_to(600_000);
    assert!(timer.is_elapsed());
}

/// Here nobody kicks the keeper, so it takes a keeper that sleeps.
#[test]
fn completed_by_its_own_start_because_the_deadline_was_past() {
    let source = ThreadSource::new();
    let hour = Duration::from_secs(3600);
    let mut late = TimerFuture::with_source(&source, hour);
    late.try_start().unwrap();
    let now = source.now();
    // When this has fired, the keeper has seen the other one.
    pollster::block_on(TimerFuture::with_deadline(&source, now + 1_000_000));
    drop(late);
    let mut past = TimerFuture::with_deadline(&source, now);
    past.try_start().unwrap();
    assert!(past.is_elapsed());
    drop(past);
    let timer = TimerFuture::with_deadline(&source, now + 20_000_000);
    // The guard is on another source, so that a failure ends.
    let guard = TimerFuture::new(Duration::from_secs(60));
    let first = pollster::block_on(futures::future::select(timer, guard));
    assert!(
        matches!(first, futures::future::Either::Left(_)),
        "the timer was lost"
    );
}

#[test]
fn never_is_not_a_place() {
    let clock = clock_with_a_late_place();
    let mut timer = start(&clock, u64::MAX);
    clock.advance_to(2_000_000); // its place comes up
    timer.reset_at(3_000_000);
    clock.advance_to(3_000_000);
    assert!(timer.is_elapsed());
}
