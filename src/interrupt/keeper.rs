//! What the interrupt handler does: the keeper's side.

use super::client::EMPTY;
use super::head::{Head, BUSY};
use super::order;
use super::slot::{Link, NIL};
use super::{Alarm, InterruptSource};
use crate::sync::{full_fence, Ordering};

/// The handler is inside, and leaves in good order even if a waker unwinds.
struct Inside<'a, A: Alarm, const N: usize> {
    source: &'a InterruptSource<A, N>,
    /// What the head was.
    before: Head<N>,
    /// The order begins here.
    first: Link,
}

impl<A: Alarm, const N: usize> InterruptSource<A, N> {
    /// Fires what is due and programs the alarm for what is next. To be called by the interrupt handler of
    /// the alarm, *after* it has cleared the interrupt flag. Calling it too often or too early is harmless.
    ///
    /// # Interrupt safety
    ///
    /// Wakers run in here. If it is entered again, nested or on another core, or if a waker starts a timer, the
    /// second call leaves at once, and the first pends the interrupt when it leaves.
    ///
    /// # Panics
    ///
    /// Only if a waker does. That waker's own timer is complete by then; the handler pends itself, and the
    /// others are served at the next interrupt.
    #[inline]
    pub fn on_interrupt(&self) {
        let Some(before) = self.enter() else { return };
        let mut inside = Inside {
            source: self,
            before,
            first: before.first(),
        };
        inside.run();
        // It has left already.
        core::mem::forget(inside);
    }

    /// Makes the head Busy. Returns what it was, or `None` if a handler is inside: then that asks for another
    /// interrupt.
    #[inline]
    fn enter(&self) -> Option<Head<N>> {
        loop {
            // This may wipe out the Again of somebody else. Then this one asks in its place, or, if the handler
            // has left without seeing it, does the work itself.
            // ORDERING: Relaxed, and the fence below, which includes Acquire: takes over the order from the handler
            // that left last, and what clients put in front. loom: two_handlers_lose_nothing.
            let before = Head(self.head.swap(BUSY, Ordering::Relaxed));
            if !before.is_busy() {
                // ORDERING: SeqCst: the head became Busy before the inbox and the words are read (KICK-OR-SEE).
                // loom: an_arm_is_seen_or_kicks.
                full_fence();
                return Some(before);
            }
            if self.go_again() {
                return None;
            }
        }
    }

    /// Leaves, with the order that begins with `first`.
    #[inline]
    fn leave(&self, before: Head<N>, first: Link) -> bool {
        // ORDERING: Release: hands the order and `next` over. loom: a_head_that_comes_back_is_another. (What the
        // alarm was set to is ordered by the head's becoming Busy: HEAD.)
        self.head.swap(before.keeper(first).0, Ordering::Release) == BUSY
    }
}

impl<A: Alarm, const N: usize> Inside<'_, A, N> {
    #[inline]
    fn run(&mut self) {
        let source = self.source;
        // ORDERING: Relaxed, ordered by the fence in `enter` (KICK-OR-SEE). loom: an_arm_is_seen_or_kicks.
        if source.inbox.load(Ordering::Relaxed) != EMPTY {
            // ORDERING: Acquire: sees the links. loom: two_later_arms_are_both_seen.
            let taken = source.inbox.swap(EMPTY, Ordering::Acquire);
            self.first = source.sort_in(self.first, taken);
        }
        let next = self.settle(source.alarm.now());
        source.alarm.set_alarm(next);
        let mut in_time = true;
        if let Some(next) = next {
            source.next.set(next);
            // The alarm may have been in the past when it was set.
            in_time = source.alarm.now() < next;
        }
        let alone = source.leave(self.before, self.first);
        if !(alone && in_time) {
            source.alarm.pend();
        }
    }

    /// Fires what is due and brings the front of the order in order. Returns the first deadline that is not
    /// due: that of the first slot. Between any two steps the order is whole, so a waker may do what it likes.
    #[inline]
    fn settle(&mut self, now: u64) -> Option<u64> {
        let source = self.source;
        while let Some(slot) = source.linked(self.first) {
            let word = slot.word();
            if !word.has_place() {
                // A client has owned it.
                self.first = source.mend(self.first);
                continue;
            }
            let rest = if N == 1 { NIL } else { slot.next() };
            let deadline = slot.last_deadline();
            if deadline > now {
                if slot.is_still(word) {
                    return Some(deadline);
                }
            } else if slot.fire(word) {
                self.first = rest;
                if let Some(waker) = slot.finish(word) {
                    waker.wake();
                }
            }
        }
        // None is last.
        order::set(&source.last, NIL);
        None
    }
}

impl<A: Alarm, const N: usize> Drop for Inside<'_, A, N> {
    /// A waker has panicked. The order is whole. Until the next interrupt the alarm is said to ring at once: no
    /// client can arm an earlier timer, if there is any.
    fn drop(&mut self) {
        self.source.next.set(0);
        order::set(&self.source.last, NIL);
        self.source.leave(self.before, self.first);
        self.source.alarm.pend();
    }
}
