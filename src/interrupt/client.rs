//! How timers are started, moved and dropped, from every context but on nobody's time: the client's side.

use super::head::{Head, AGAIN, BUSY, NO_HEAD};
use super::slot::{Link, Slot, NIL};
use super::{Alarm, InterruptSource};
use crate::state::TimerState;
use crate::sync::{beforehand, full_fence, Ordering};
use crate::ticks::NEVER;

/// An inbox without slots; otherwise the lower half is the link to the newest.
pub(super) const EMPTY: u32 = NIL as u32;
/// In the inbox: a LINKED slot was armed for a time before its place, so the handler must look for it.
pub(super) const DISORDER: u32 = 1 << 16;

/// A waker has panicked while it was stored: the slot is Waiting from now on, and nobody's.
struct Retire<'a>(&'a Slot);

impl Drop for Retire<'_> {
    fn drop(&mut self) {
        self.0.arm_never(self.0.owned());
    }
}

impl<A: Alarm, const N: usize> InterruptSource<A, N> {
    /// Takes a slot, prepares its state, and arms it. `None`: there is none.
    #[inline]
    pub(super) fn take(
        &self,
        deadline: u64,
        prepare: impl FnOnce(&TimerState),
    ) -> Option<(&Slot, u16)> {
        let head = self.look();
        // ORDERING: Relaxed: a hint; the claim is by the slot's word.
        let mut index = usize::from(self.hint.load(Ordering::Relaxed));
        let slot = match self.slots.get(index) {
            // Likely: it was fired and given back, so the keeper does not know it.
            Some(slot) if slot.claim_unlinked() => slot,
            _ => {
                index = self.search(index, deadline)?;
                self.slots.get(index)?
            }
        };
        let link = index + 1;
        self.hint_at(link);
        let unwinding = Retire(slot);
        prepare(slot.state());
        core::mem::forget(unwinding);
        self.arm(head, link, slot, deadline);
        Some((slot, index as u16))
    }

    /// Claims a vacant slot, wherever it is.
    #[inline(never)]
    fn search(&self, mut index: usize, deadline: u64) -> Option<usize> {
        // A slot that would have to come up before its place costs the handler a walk. So the first time
        // round, look for a better one.
        for look in 0..2 * N {
            if index >= N {
                index = 0;
            }
            let slot = self.slots.get(index)?;
            if slot
                .claim_if(|word| !word.is_linked() || look >= N || deadline >= slot.last_deadline())
            {
                return Some(index);
            }
            index += 1;
        }
        // ORDERING: Relaxed: a statistic.
        self.shortages.fetch_add(1, Ordering::Relaxed);
        None
    }

    #[inline]
    pub(super) fn hint_at(&self, index: usize) {
        // ORDERING: Relaxed, see `take`.
        self.hint.store(index as u16, Ordering::Relaxed);
    }

    /// The head, before the slot that is to be armed is taken.
    #[inline]
    pub(super) fn look(&self) -> Head<N> {
        // ORDERING: Acquire: sees `next`, or the slot and the deadline of whoever made itself the head.
        // loom: a_head_that_comes_back_is_another.
        Head(self.head.load(Ordering::Acquire))
    }

    /// Arms a slot that this client owns, for the first time or another. `head` was read before it was taken.
    #[inline]
    pub(super) fn arm(&self, head: Head<N>, link: Link, slot: &Slot, deadline: u64) {
        let owned = slot.owned();
        let (leads, mut seen) = if owned.is_linked() {
            self.arm_linked(head, link, slot, deadline)
        } else {
            slot.arm_new(owned, deadline);
            let alarm = self.alarm_of(head);
            let leads = alarm.is_some_and(|alarm| deadline < alarm);
            if leads {
                slot.set_next(head.first());
            } else if deadline == NEVER {
                return slot.arm_never(owned);
            }
            // What is not known is not what was read.
            (leads, alarm.map_or(NO_HEAD, |_| head.0))
        };
        let published = leads && self.lead(head, link, deadline);
        if !published {
            if leads {
                // Somebody came in between: the handler finds out.
                seen = NO_HEAD;
            }
            if !owned.is_linked() {
                self.push(link, slot);
            } else if leads {
                self.tell_disorder();
            }
            self.kick_unless(seen);
        }
        self.check(slot, published, deadline);
    }

    /// Arms a slot that is LINKED. Returns whether it leads where it is, and if not, the head for which nothing
    /// has to be done.
    ///
    /// If the new deadline is not before the old one, the slot comes up in time where it is, unless a handler has
    /// looked at it meanwhile.
    #[inline(never)]
    fn arm_linked(&self, head: Head<N>, link: Link, slot: &Slot, deadline: u64) -> (bool, u32) {
        let owned = slot.owned();
        if deadline == NEVER {
            slot.arm_never(owned);
            return (false, head.0);
        }
        let earlier = deadline < slot.last_deadline();
        // KNOWN: the alarm rings for this slot; it leads at an earlier time as well.
        let leads = earlier && head.first() == link && !owned.is_moved();
        slot.arm_linked(owned, deadline, leads);
        if earlier && !leads {
            self.tell_disorder();
        }
        let unsure = earlier || head.is_busy();
        (leads, if unsure { NO_HEAD } else { head.0 })
    }

    fn tell_disorder(&self) {
        // ORDERING: Relaxed, ordered by the fence in `kick_unless`.
        // loom: an_arm_in_a_recycled_slot_is_seen_or_kicks.
        self.inbox.fetch_or(DISORDER, Ordering::Relaxed);
    }

    /// KICK-OR-SEE: after the slot became visible.
    #[inline]
    fn kick_unless(&self, seen: u32) {
        // ORDERING: SeqCst: the slot became visible before the head is looked at. Pairs with the one in
        // `enter`. loom: a_later_arm_is_seen_or_kicks.
        full_fence();
        // ORDERING: Relaxed, ordered by the fence above.
        if self.head.load(Ordering::Relaxed) != seen {
            self.kick();
        }
    }

    /// When the alarm rings; `None` if that is not known (KNOWN).
    #[inline]
    fn alarm_of(&self, head: Head<N>) -> Option<u64> {
        if head.is_busy() {
            None
        } else if head.is_client() {
            self.linked(head.first()).and_then(Slot::unmoved)
        } else if head.first() == NIL {
            Some(NEVER)
        } else {
            Some(self.next.get())
        }
    }

    /// The one look at the clock, after the alarm was programmed.
    #[inline]
    fn check(&self, slot: &Slot, published: bool, deadline: u64) {
        if self.alarm.now() >= deadline {
            self.overdue(slot, published);
        }
    }

    #[inline]
    pub(super) fn push(&self, link: Link, slot: &Slot) {
        loop {
            // ORDERING: Relaxed: the exchange below says whether it was right.
            let seen = self.inbox.load(Ordering::Relaxed);
            slot.set_next(seen as u16 as Link);
            let pushed = beforehand(seen & DISORDER | link as u32);
            // That the inbox was taken and filled in between does no harm: the link is to what is there now.
            // ORDERING: Release: publishes the link to the handler that takes the inbox.
            // loom: two_later_arms_are_both_seen.
            if self
                .inbox
                .compare_exchange_weak(seen, pushed, Ordering::Release, Ordering::Relaxed)
                .is_ok()
            {
                return;
            }
        }
    }

    /// HEAD: makes the slot the first of the order, if the head has not changed (or fails for no reason),
    /// programs the alarm, and looks again.
    #[inline]
    fn lead(&self, head: Head<N>, link: Link, deadline: u64) -> bool {
        let mine = beforehand(head.client(link).0);
        // ORDERING: AcqRel: Release publishes the link and the deadline; Acquire: the alarm, a device, is programmed
        // after it (HEAD; loom has no devices). loom: an_earliest_arm_racing_the_handler_loses_nobody.
        let led = self
            .head
            .compare_exchange_weak(head.0, mine, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok();
        if led {
            self.alarm.set_alarm(Some(deadline));
            // ORDERING: SeqCst, between the alarm, which is a device, and the head, which is memory: the head
            // must not be read before the alarm is programmed. Loom has no devices; its stand-in for one
            // (tests/loom_interrupt.rs) is ordered already.
            full_fence();
            // ORDERING: Relaxed, ordered by the fence above.
            if self.head.load(Ordering::Relaxed) != mine {
                self.alarm.pend();
            }
        }
        led
    }

    /// Has the handler run, or run again if it is inside.
    #[cold]
    #[inline(never)]
    fn kick(&self) {
        if !self.go_again() {
            self.alarm.pend();
        }
    }

    /// Asks the handler that is inside for another interrupt. False if none is, or it has been asked.
    #[cold]
    #[inline(never)]
    pub(super) fn go_again(&self) -> bool {
        // ORDERING: Release: what this context did before is seen by the handler that runs then: it sees the
        // head that the one inside leaves, which is one exchange further. (Loom cannot tell: its stand-in for
        // the interrupt controller is ordered already.) loom: an_arm_is_seen_or_kicks (if nobody is asked).
        self.head
            .compare_exchange_weak(BUSY, AGAIN, Ordering::Release, Ordering::Relaxed)
            .is_ok()
    }

    /// The deadline had passed when the slot was armed: completes the timer here and now.
    #[cold]
    #[inline(never)]
    fn overdue(&self, slot: &Slot, published: bool) {
        if published {
            // The alarm may have been in the past when it was set, and is not set for anybody else.
            self.alarm.pend();
        }
        // Otherwise it rings already, or is about to.
        if slot.take_back() {
            slot.fire_own();
        }
    }
}
