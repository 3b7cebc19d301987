//! What the interrupt handler does: the keeper's side.

use super::client::EMPTY;
use super::head::Head;
use super::slot::{Link, NIL};
use super::{Alarm, InterruptSource};
use crate::sync::{sc_fence, Ordering};
use crate::ticks::NEVER;

/// How often the handler goes round before it asks for another interrupt instead.
const ROUNDS: u32 = 3;

/// The handler is inside, and leaves in good order even if a waker unwinds.
struct Inside<'a, A: Alarm, const N: usize> {
    source: &'a InterruptSource<A, N>,
    busy: Head<N>,
}

impl<A: Alarm, const N: usize> InterruptSource<A, N> {
    /// Fires what is due and programs the alarm for what is next. To be called by the interrupt handler of
    /// the alarm, *after* it has cleared the interrupt flag. Calling it too often or too early is harmless.
    ///
    /// # Interrupt safety
    ///
    /// Wakers run in here. If it is entered again, nested or on another core, the second call leaves at once
    /// and the first goes round again. At most three times: then it pends itself, so that other handlers
    /// get their turn.
    ///
    /// # Panics
    ///
    /// Only if a waker does. That waker's own timer is complete by then; the handler pends itself, and the
    /// others are served at the next interrupt.
    #[inline]
    pub fn on_interrupt(&self) {
        let Some(before) = self.enter() else { return };
        let inside = Inside {
            source: self,
            busy: before.busy(),
        };
        // The first time round, it is likely that this one is due, and the only one in the inbox.
        inside.run(before.earliest());
        // It has left already.
        core::mem::forget(inside);
    }

    /// Makes the head Busy. Returns what it was, or `None` if a handler is inside: then that goes round again.
    #[inline]
    fn enter(&self) -> Option<Head<N>> {
        loop {
            // ORDERING: Relaxed: the exchange says whether it was right.
            let seen = Head::<N>(self.head.load(Ordering::Relaxed));
            if seen.is_busy() {
                if self.go_again(seen) {
                    return None;
                }
                continue;
            }
            // ORDERING: SeqCst: Acquire takes over the order from the handler that left last. The total
            // order is KICK-OR-SEE. loom: an_arm_is_seen_or_kicks, two_handlers_lose_nothing.
            let entered = self.head.compare_exchange_weak(
                seen.0,
                seen.busy().0,
                Ordering::SeqCst,
                Ordering::Relaxed,
            );
            if entered.is_ok() {
                sc_fence();
                return Some(seen);
            }
        }
    }

    /// Asks the handler that is inside to go round again. False if it has left.
    #[cold]
    pub(super) fn go_again(&self, seen: Head<N>) -> bool {
        let again = seen.again();
        // ORDERING: SeqCst: what this context did before is seen by the handler that goes round.
        // loom: an_arm_is_seen_or_kicks, two_handlers_lose_nothing.
        match self
            .head
            .compare_exchange(seen.0, again.0, Ordering::SeqCst, Ordering::Relaxed)
        {
            Ok(_) => true,
            Err(now) => now == again.0,
        }
    }
}

impl<A: Alarm, const N: usize> Inside<'_, A, N> {
    #[inline]
    fn run(&self, mut earliest: Link) {
        let source = self.source;
        let mut rounds = 1;
        loop {
            // ORDERING: SeqCst, after the head became Busy (KICK-OR-SEE). loom: an_arm_is_seen_or_kicks.
            if source.inbox.load(Ordering::SeqCst) != EMPTY {
                // ORDERING: SeqCst, as above; Acquire sees the links.
                source.sort_in(source.inbox.swap(EMPTY, Ordering::SeqCst), earliest);
            }
            let next = self.settle(source.alarm.now());
            source.alarm.set_alarm(next);
            let next = match next {
                // The alarm may have been in the past when it was set.
                Some(next) if source.alarm.now() >= next => {
                    if rounds == ROUNDS {
                        return self.leave_for_another();
                    }
                    (rounds, earliest) = (rounds + 1, NIL);
                    continue;
                }
                Some(next) => next,
                None => NEVER,
            };
            source.next.set(!next);
            // ORDERING: SeqCst: Release hands the order and `next` over; the total order is that of heads and
            // alarms (HEAD). loom: two_earliest_arms_leave_the_earlier_alarm.
            if source
                .head
                .compare_exchange(
                    self.busy.0,
                    self.busy.keeper().0,
                    Ordering::SeqCst,
                    Ordering::Relaxed,
                )
                .is_ok()
            {
                return;
            }
            if rounds == ROUNDS {
                return self.leave_for_another();
            }
            (rounds, earliest) = (rounds + 1, NIL);
            // Again. ORDERING: SeqCst: what the others did before they marked it is seen after this.
            source.head.swap(self.busy.0, Ordering::SeqCst);
            sc_fence();
        }
    }

    /// Leaves, and asks for an interrupt that does what is still to be done. Until then the alarm is said to
    /// ring at once: no client can arm an earlier timer.
    #[cold]
    fn leave_for_another(&self) {
        self.source.next.set(!0);
        // ORDERING: SeqCst, as in `run`.
        self.source
            .head
            .swap(self.busy.keeper().0, Ordering::SeqCst);
        self.source.alarm.pend();
    }

    /// Fires what is due and brings the front of the order in order. Returns the first deadline that is not
    /// due. Between any two steps the order is whole, so a waker may do what it likes.
    #[inline]
    fn settle(&self, now: u64) -> Option<u64> {
        let source = self.source;
        // What is before this link is just owned by clients: they see to themselves when they arm it
        // (KICK-OR-SEE).
        let mut link = &source.first;
        while let Some((index, slot)) = source.follow(link) {
            let word = slot.word();
            let rest = slot.next();
            if !word.is_armed() {
                if word.is_owned() {
                    link = slot.link();
                } else if slot.unlink(word) {
                    source.remove(link, rest);
                }
                continue;
            }
            let Some(deadline) = slot.deadline_of(word) else {
                continue;
            };
            if deadline <= now {
                if let Ok(waker) = slot.fire(word) {
                    source.remove(link, rest);
                    if let Some(waker) = waker {
                        waker.wake();
                    }
                }
            } else if !word.is_moved() {
                return Some(deadline);
            } else if slot.give_place(word) {
                // It was armed anew for later.
                source.remove(link, rest);
                source.insert(index, slot, link);
            }
        }
        None
    }
}

impl<A: Alarm, const N: usize> Drop for Inside<'_, A, N> {
    /// A waker has panicked. The order is whole.
    fn drop(&mut self) {
        self.leave_for_another();
    }
}
