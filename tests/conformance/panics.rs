//! A waker that panics costs only its own timer (P6).

use std::task::{Poll, Waker};
use std::time::Duration;

use timer_future::TimerFuture;

use crate::harness::{in_time, Harness};
use crate::wakers::{
    panics, panics_in_clone, panics_in_drop, panics_in_wake, poll, poll_with, Probe,
};

/// A neighbour that was armed before, one that is armed after, and the timer itself, polled again with a
/// good waker: all complete.
fn everybody_completes<H: Harness>(
    harness: &H,
    timer: &mut TimerFuture<H::Source>,
    neighbour: &mut TimerFuture<H::Source>,
    neighbours: &std::sync::Arc<Probe>,
) {
    let good = Probe::new();
    let pending = poll(timer, &good).is_pending();
    harness.pass(timer.deadline().max(neighbour.deadline()));
    if pending {
        good.wait(1);
    }
    assert_eq!(poll(timer, &good), Poll::Ready(()));
    neighbours.wait(1);
    assert_eq!(poll(neighbour, neighbours), Poll::Ready(()));

    let mut next = harness.after(Duration::from_millis(1));
    let probe = Probe::new();
    if poll(&mut next, &probe).is_pending() {
        harness.pass(next.deadline());
        probe.wait(1);
        assert_eq!(poll(&mut next, &probe), Poll::Ready(()));
    }
}

pub(crate) fn panic_in_wake_costs_only_its_own_timer<H: Harness>() {
    in_time(|delay| {
        let harness = H::new();
        let (mut timer, mut neighbour) = (harness.after(delay), harness.after(delay));
        let (mut second, neighbours) = (harness.after(delay), Probe::new());
        let bad = panics_in_wake();
        if poll_with(&mut timer, &bad).is_ready()
            || poll_with(&mut second, &bad).is_ready()
            || poll(&mut neighbour, &neighbours).is_ready()
        {
            return None;
        }
        harness.pass(neighbour.deadline().max(second.deadline()));
        everybody_completes(&harness, &mut timer, &mut neighbour, &neighbours);
        everybody_completes(&harness, &mut second, &mut neighbour, &neighbours);
        Some(())
    });
}

/// At the first poll, and at a later one that would replace a good waker.
pub(crate) fn panic_in_clone_costs_only_its_own_timer<H: Harness>() {
    let bad = panics_in_clone();
    for polled_before in [false, true] {
        in_time(|delay| {
            let harness = H::new();
            let (mut timer, mut neighbour) = (harness.after(delay), harness.after(delay));
            let neighbours = Probe::new();
            if poll(&mut neighbour, &neighbours).is_ready()
                || polled_before && poll(&mut timer, &Probe::new()).is_ready()
            {
                return None;
            }
            if !panics(|| _ = poll_with(&mut timer, &bad)) {
                return None; // Ready, and so not cloned
            }
            everybody_completes(&harness, &mut timer, &mut neighbour, &neighbours);

            // And one that is dropped in that state, or reset in it.
            let (mut dropped, mut moved) = (harness.after(delay), harness.after(delay));
            panics(|| _ = poll_with(&mut dropped, &bad));
            drop(dropped);
            panics(|| _ = poll_with(&mut moved, &bad));
            moved.reset(Duration::from_millis(1));
            everybody_completes(&harness, &mut moved, &mut neighbour, &neighbours);
            Some(())
        });
    }
}

/// The waker is dropped by the drop of its timer; the panic reaches whoever drops.
pub(crate) fn panic_in_drop_costs_only_its_own_timer<H: Harness>() {
    in_time(|delay| {
        let harness = H::new();
        let (mut timer, mut neighbour) = (harness.after(delay), harness.after(delay));
        let neighbours = Probe::new();
        if store(&mut timer, panics_in_drop()).is_ready()
            || poll(&mut neighbour, &neighbours).is_ready()
        {
            return None;
        }
        panics(|| drop(timer));
        // One that fires: dropped by whoever keeps the time.
        let mut timer = harness.after(delay);
        if store(&mut timer, panics_in_drop()).is_ready() {
            return None;
        }
        harness.pass(timer.deadline());
        everybody_completes(&harness, &mut timer, &mut neighbour, &neighbours);
        Some(())
    });
}

pub(crate) fn panic_in_drop_when_replaced_costs_only_its_own_timer<H: Harness>() {
    in_time(|delay| {
        let harness = H::new();
        let (mut timer, mut neighbour) = (harness.after(delay), harness.after(delay));
        let neighbours = Probe::new();
        if store(&mut timer, panics_in_drop()).is_ready()
            || poll(&mut neighbour, &neighbours).is_ready()
            || !panics(|| _ = poll(&mut timer, &Probe::new()))
        {
            return None;
        }
        everybody_completes(&harness, &mut timer, &mut neighbour, &neighbours);
        Some(())
    });
}

/// Polls with a waker that panics when its last clone is dropped, which the timer keeps.
fn store<S: timer_future::TimerSource>(timer: &mut TimerFuture<S>, waker: Waker) -> Poll<()> {
    let polled = poll_with(timer, &waker);
    panics(|| drop(waker));
    polled
}
