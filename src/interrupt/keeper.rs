//! What the interrupt handler does: the keeper's side.

use super::client::EMPTY;
use super::fence::{kick_or_see, release_fence};
use super::head::Head;
use super::slot::NIL;
use super::{Alarm, InterruptSource};
use crate::sync::Ordering;
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
        let Some(busy) = self.enter() else { return };
        let inside = Inside { source: self, busy };
        inside.run();
        // It has left already.
        core::mem::forget(inside);
    }

    #[inline]
    fn enter(&self) -> Option<Head<N>> {
        // ORDERING: Relaxed: the exchange below says whether it was right.
        let mut seen = Head::<N>(self.head.load(Ordering::Relaxed));
        loop {
            let (to, first) = if seen.is_busy() {
                (seen.again(), None)
            } else {
                (seen.busy(), Some(seen.busy()))
            };
            // ORDERING: SeqCst: Acquire takes over the order from the handler that left last. The total
            // order is KICK-OR-SEE. loom: an_arm_is_seen_or_kicks, two_handlers_lose_nothing.
            match self
                .head
                .compare_exchange(seen.0, to.0, Ordering::SeqCst, Ordering::Relaxed)
            {
                Ok(_) => {
                    kick_or_see();
                    return first;
                }
                Err(now) => seen = Head(now),
            }
        }
    }
}

impl<A: Alarm, const N: usize> Inside<'_, A, N> {
    #[inline]
    fn run(&self) {
        let source = self.source;
        let mut rounds = ROUNDS;
        loop {
            // ORDERING: SeqCst, after the head became Busy (KICK-OR-SEE). loom: an_arm_is_seen_or_kicks.
            if source.inbox.load(Ordering::SeqCst) != EMPTY {
                // ORDERING: SeqCst, as above; Acquire sees the links.
                source.sort_in(source.inbox.swap(EMPTY, Ordering::SeqCst));
            }
            let next = self.settle(source.alarm.now());
            source
                .alarm
                .set_alarm(if next == NEVER { None } else { Some(next) });
            rounds -= 1;
            // The alarm may have been in the past when it was set.
            let missed = next != NEVER && source.alarm.now() >= next;
            if missed && rounds != 0 {
                continue;
            }
            release_fence();
            source.next.set(!next);
            if rounds == 0 {
                // Everything that is still to be done is done at the next interrupt.
                return self.leave_and_pend();
            }
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
            // Again. ORDERING: SeqCst: what the others did before they marked it is seen after this.
            source.head.swap(self.busy.0, Ordering::SeqCst);
            kick_or_see();
        }
    }

    #[cold]
    fn leave_and_pend(&self) {
        // ORDERING: SeqCst, as in `run`.
        self.source
            .head
            .swap(self.busy.keeper().0, Ordering::SeqCst);
        self.source.alarm.pend();
    }

    /// Fires what is due and brings the front of the order in order. Returns the first deadline that is not
    /// due. Between any two steps the order is whole, so a waker may do what it likes.
    #[inline]
    fn settle(&self, now: u64) -> u64 {
        let source = self.source;
        // Behind this slot, all slots have places in order. Only slots that are just owned by a client
        // are before it: they see to themselves when they are armed (KICK-OR-SEE).
        let mut at = NIL;
        while let Some(slot) = source.slots.get(usize::from(source.after(at))) {
            let word = slot.word();
            if word.is_owned() {
                at = source.after(at);
                continue;
            }
            let rest = slot.next();
            if !word.is_armed() {
                if slot.unlink(word) {
                    source.set_after(at, rest);
                }
                continue;
            }
            let Some(deadline) = slot.deadline_of(word) else {
                continue;
            };
            if deadline <= now && deadline != NEVER {
                if let Ok(waker) = slot.fire(word) {
                    source.set_after(at, rest);
                    if let Some(waker) = waker {
                        waker.wake();
                    }
                }
            } else if !word.is_moved() {
                return deadline;
            } else if slot.give_place(word) {
                // It was armed anew for later: to its place.
                let moved = source.after(at);
                slot.set_next(NIL);
                source.set_after(at, source.merge(rest, moved));
            }
        }
        NEVER
    }
}

impl<A: Alarm, const N: usize> Drop for Inside<'_, A, N> {
    /// A waker has panicked. The order is whole. The alarm is said to ring at once, and does.
    fn drop(&mut self) {
        release_fence();
        self.source.next.set(!0);
        self.leave_and_pend();
    }
}
