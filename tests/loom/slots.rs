//! Slots through `ManualSource`: arm, cancel, fire, abandon, recycle; inbox and free list.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::FutureExt;
use loom::thread;
use timer_future::{ManualSource, TimerFuture, TimerSource};

use crate::handshake::Count;

/// Of std, not of loom: its counter need not be part of the model.
type Source = Arc<ManualSource>;
type Timer = <Source as TimerSource>::Timer;

const SOON: u64 = 5;
const FAR: u64 = 1 << 40;
/// Two deadlines that differ in both halves. High of the second with low of the first is far beyond both.
const FIRST: u64 = (3 << 30) + 200;
const SECOND: u64 = 1 << 32;

/// A source with as many slots as the test will need; see tests/loom.rs.
fn source(slots: usize) -> Source {
    let source = Source::default();
    let timers: Vec<_> = (0..slots)
        .map(|_| source.start(u64::MAX).unwrap())
        .collect();
    drop(timers);
    source
}

/// Which slot a timer has.
fn slot(timer: &Timer) -> usize {
    std::ptr::from_ref(&**timer) as usize
}

fn poll(timer: &mut TimerFuture<Source>, waker: &Waker) -> Poll<()> {
    timer.poll_unpin(&mut Context::from_waker(waker))
}

/// A timer is started and polled while the time passes over its deadline.
#[test]
fn started_while_time_passes_is_not_lost() {
    loom::model(|| {
        let source = source(2);
        let client = thread::spawn({
            let source = source.clone();
            move || {
                let (count, waker) = Count::new();
                let mut timer = TimerFuture::with_deadline(source, SOON);
                let polled = poll(&mut timer, &waker);
                (timer, polled, count)
            }
        });
        source.advance_to(SOON);
        let (mut timer, polled, count) = client.join().unwrap();
        // It may have come after the last look at the inbox; then the next one finds it.
        source.advance_to(SOON + 1);
        if polled.is_pending() {
            assert_eq!(count.wakes(), 1, "lost");
        }
        assert_eq!(poll(&mut timer, &Count::new().1), Poll::Ready(()));
    });
}

/// A timer that runs already is polled while it is fired: it is ready, or its task is woken.
#[test]
fn polled_while_it_fires_is_not_lost() {
    loom::model(|| {
        let source = source(2);
        let mut timer = TimerFuture::with_deadline(source.clone(), SOON);
        timer.try_start().unwrap();
        let client = thread::spawn(move || {
            let (count, waker) = Count::new();
            let polled = poll(&mut timer, &waker);
            (timer, polled, count)
        });
        source.advance_to(SOON);
        let (mut timer, polled, count) = client.join().unwrap();
        if polled.is_pending() {
            assert_eq!(count.wakes(), 1, "lost");
        }
        assert_eq!(poll(&mut timer, &Count::new().1), Poll::Ready(()));
    });
}

/// A timer is dropped while it is fired: its slot is free again, and no later timer in it is complete.
#[test]
fn drop_while_firing_frees_the_slot() {
    loom::model(|| {
        let source = source(2);
        let timer = source.start(SOON).unwrap();
        let before = slot(&timer);
        let client = thread::spawn(move || drop(timer));
        source.advance_to(SOON);
        client.join().unwrap();
        assert_eq!(source.pending(), 0);
        let next = source.start(FAR).unwrap();
        assert_eq!(slot(&next), before, "the slot is lost");
        assert!(!next.is_complete(), "completed by the timer before it");
        source.advance_to(FAR - 1);
        assert!(!next.is_complete());
        source.advance_to(FAR);
        assert!(next.is_complete());
    });
}

/// A dropped timer wakes nobody once the drop has returned, unless it was woken before.
#[test]
fn cancelled_or_fired_but_not_both() {
    loom::model(|| {
        let source = source(2);
        let (count, waker) = Count::new();
        let mut timer = TimerFuture::with_deadline(source.clone(), SOON);
        assert!(poll(&mut timer, &waker).is_pending());
        drop(waker);
        let client = thread::spawn(move || {
            let fired = timer.is_elapsed();
            drop(timer);
            fired
        });
        source.advance_to(SOON);
        let fired = client.join().unwrap();
        assert!(
            !fired || count.wakes() == 1,
            "fired, and the waker was not woken"
        );
        assert_eq!(Arc::strong_count(&count), 1, "the waker is kept");
    });
}

/// A timer is moved to a far deadline while it is about to fire: it does not fire at the old one.
#[test]
fn reset_against_fire() {
    loom::model(|| {
        let source = source(4);
        let (count, waker) = Count::new();
        let mut timer = TimerFuture::with_deadline(source.clone(), SOON);
        assert!(poll(&mut timer, &waker).is_pending());
        let client = thread::spawn({
            let waker = waker.clone();
            move || {
                timer.reset_at(FAR);
                assert!(!timer.is_elapsed(), "complete at once");
                assert!(poll(&mut timer, &waker).is_pending(), "early");
                timer
            }
        });
        source.advance_to(SOON);
        let mut timer = client.join().unwrap();
        assert!(!timer.is_elapsed(), "early");
        let woken = count.wakes();
        source.advance_to(FAR);
        assert!(timer.is_elapsed(), "lost");
        assert_eq!(count.wakes(), woken + 1, "not woken");
        assert_eq!(poll(&mut timer, &waker), Poll::Ready(()));
    });
}

/// The keeper looks at a deadline of two words while a client writes another: it must not put the slot
/// where a mixture of the two belongs.
#[test]
fn slot_deadline_is_published() {
    loom::model(|| {
        let source = source(2);
        let mut timer = source.start(FIRST - 200).unwrap();
        source.advance_to(1); // the keeper knows it: LINKED
        source.restart(&mut timer, FIRST).unwrap();
        let client = thread::spawn({
            let source = source.clone();
            move || {
                source.restart(&mut timer, SECOND).unwrap();
                timer
            }
        });
        // Its place comes up, before its time.
        source.advance_to(FIRST - 100);
        let timer = client.join().unwrap();
        assert!(!timer.is_complete());
        source.advance_to(SECOND - 1);
        assert!(!timer.is_complete(), "early");
        source.advance_to(SECOND);
        assert!(timer.is_complete(), "lost: it was put elsewhere");
    });
}

/// One thread takes the last slot of a group, so the group is forgotten, while another gives a slot of it
/// back: somebody lists it again.
#[test]
fn slots_are_recycled() {
    loom::model(|| {
        let source = Source::default();
        let (first, _second) = (source.start(FAR).unwrap(), source.start(FAR).unwrap());
        let free = slot(&first);
        let other = thread::spawn(move || drop(first));
        let third = source.start(FAR).unwrap();
        other.join().unwrap();
        let (fourth, fifth) = (source.start(FAR).unwrap(), source.start(FAR).unwrap());
        let mut slots = [&_second, &third, &fourth, &fifth].map(slot);
        slots.sort_unstable();
        assert!(
            slots.windows(2).all(|pair| pair[0] != pair[1]),
            "a slot was given twice"
        );
        // Four live timers, two groups: the slot that came back is among them.
        assert!(slots.contains(&free), "the group is lost");
    });
}

/// Two threads start and drop at once: no slot is given to both, and none is lost.
#[test]
fn no_slot_is_given_twice() {
    loom::model(|| {
        let source = source(2);
        let held = source.start(FAR).unwrap();
        let last = {
            let probe = source.start(FAR).unwrap();
            slot(&probe)
        };
        let other = thread::spawn({
            let source = source.clone();
            move || slot(&source.start(FAR).unwrap())
        });
        drop(held);
        let mine = source.start(FAR).unwrap();
        assert!(!mine.is_complete());
        _ = other.join().unwrap();
        let next = source.start(FAR).unwrap();
        assert_ne!(slot(&mine), slot(&next));
        assert!(slot(&next) == last || slot(&mine) == last, "a slot is lost");
    });
}

/// A group is pushed into the inbox again while the keeper walks through what it took: the groups behind it
/// are still found.
#[test]
fn inbox_loses_no_group() {
    loom::model(|| {
        let source = source(4);
        let mut held = Vec::new();
        // One slot of each of two groups is marked; both groups are in the inbox.
        for _ in 0..3 {
            held.push(source.start(SOON).unwrap());
        }
        let client = thread::spawn({
            let source = source.clone();
            move || source.start(SOON).unwrap()
        });
        source.advance_to(1);
        held.push(client.join().unwrap());
        source.advance_to(SOON);
        for timer in &held {
            assert!(timer.is_complete(), "lost");
        }
    });
}

/// A group is pushed on top of another while the keeper takes the inbox: the link between them is published
/// with it.
#[test]
fn inbox_publishes_its_links() {
    loom::model(|| {
        let source = source(4);
        let mut held: Vec<_> = (0..2).map(|_| source.start(SOON).unwrap()).collect();
        let client = thread::spawn({
            let source = source.clone();
            move || source.start(SOON).unwrap()
        });
        source.advance_to(1);
        held.push(client.join().unwrap());
        source.advance_to(SOON);
        assert!(held.iter().all(|timer| timer.is_complete()), "lost");
    });
}
