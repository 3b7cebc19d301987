//! How timers are started, moved and dropped, from every context but on nobody's time: the client's side.

use super::head::Head;
use super::slot::{Link, Slot, NIL};
use super::word::Word;
use super::{Alarm, InterruptSource};
use crate::source::CapacityError;
use crate::sync::{device_fence, sc_fence, Ordering};
use crate::ticks::NEVER;

/// An inbox without slots; otherwise the lower half is the link to the newest.
pub(super) const EMPTY: u32 = NIL as u32;
/// In the inbox: a LINKED slot was armed for a time before its place, so the handler must look for it.
pub(super) const DISORDER: u32 = 1 << 16;

impl<A: Alarm, const N: usize> InterruptSource<A, N> {
    /// Takes a slot that was fired and given back, if the first look finds one: the keeper does not know it.
    #[inline]
    pub(super) fn claim(&self) -> Option<(u16, &Slot, Word)> {
        // ORDERING: Relaxed: a hint; the claim is by the slot's word.
        let index = self.hint.load(Ordering::Relaxed);
        let slot = self.slots.get(usize::from(index))?;
        let before = slot.claim_unlinked()?;
        self.hint_at(index + 1);
        Some((index, slot, before))
    }

    /// Takes a vacant slot for a timer with this deadline, wherever it is.
    pub(super) fn search(&self, deadline: u64) -> Result<(u16, &Slot, Word), CapacityError> {
        // ORDERING: Relaxed: a hint.
        let mut index = self.hint.load(Ordering::Relaxed);
        // A slot that would have to come up before its place costs the handler a walk. So the first time
        // round, look for a better one.
        for look in 0..2 * N {
            if usize::from(index) >= N {
                index = 0;
            }
            let Some(slot) = self.slots.get(usize::from(index)) else {
                break;
            };
            let word = slot.word();
            if word.is_vacant()
                && (!word.is_linked() || look >= N || deadline >= slot.last_deadline())
            {
                if let Some(before) = slot.claim(word) {
                    self.hint_at(index + 1);
                    return Ok((index, slot, before));
                }
            }
            index += 1;
        }
        self.count_shortage();
        Err(CapacityError::new())
    }

    #[cold]
    fn count_shortage(&self) {
        // ORDERING: Relaxed: a statistic.
        self.shortages.fetch_add(1, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn hint_at(&self, index: u16) {
        // ORDERING: Relaxed, see `claim`.
        self.hint.store(index, Ordering::Relaxed);
    }

    /// Arms a slot that `claim` has found.
    #[inline]
    pub(super) fn arm_new(&self, index: u16, slot: &Slot, before: Word, deadline: u64) {
        slot.arm_new(before, deadline);
        self.push(index, slot);
        sc_fence();
        // The head was changed when the slot was unlinked, so it is not of an earlier arm of this slot.
        let published = self.announce(index, None, deadline);
        self.check(slot, published, deadline);
    }

    /// Arms a slot that this client owns and found as `before`. If it is LINKED, and the new deadline is not
    /// before the old one, it comes up in time.
    #[inline(never)]
    pub(super) fn arm(&self, index: u16, slot: &Slot, before: Word, deadline: u64) {
        if deadline == NEVER {
            return slot.arm_never(before);
        }
        let last = slot.last_deadline();
        slot.arm(before, deadline);
        if !before.is_linked() {
            self.push(index, slot);
        } else if deadline < last {
            // ORDERING: SeqCst, as the push: kick-or-see.
            self.inbox.fetch_or(DISORDER, Ordering::SeqCst);
        }
        sc_fence();
        let known = (!before.is_moved()).then_some(last);
        let published = self.announce(index, known, deadline);
        self.check(slot, published, deadline);
    }

    /// The one look at the clock, after the alarm was programmed.
    #[inline]
    fn check(&self, slot: &Slot, published: bool, deadline: u64) {
        if self.alarm.now() >= deadline {
            self.overdue(slot, published);
        }
    }

    #[inline]
    fn push(&self, index: u16, slot: &Slot) {
        // ORDERING: Relaxed: the exchange below says whether it was right.
        let mut seen = self.inbox.load(Ordering::Relaxed);
        loop {
            slot.set_next(seen as Link);
            let pushed = seen & DISORDER | u32::from(index + 1);
            // That the inbox was taken and filled in between does no harm: the link is to what is there now.
            // ORDERING: SeqCst: Release publishes the link to the handler that takes the inbox; the total
            // order is kick-or-see. loom: two_arms_in_the_inbox_are_both_seen.
            match self.inbox.compare_exchange_weak(
                seen,
                pushed,
                Ordering::SeqCst,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
    }

    /// Sees to it that the alarm rings in time for slot `index`. If the head is of the same slot, the alarm
    /// rings at `known`. Returns whether the alarm was programmed.
    #[inline]
    fn announce(&self, index: u16, known: Option<u64>, deadline: u64) -> bool {
        loop {
            // ORDERING: SeqCst: after the slot became visible (kick-or-see). Acquire: sees `next`.
            // loom: an_arm_is_seen_or_kicks.
            let head = Head::<N>(self.head.load(Ordering::SeqCst));
            let alarm = if head.is_keeper() {
                !self.next.get()
            } else if head.is_busy() {
                if self.go_again(head) {
                    return false;
                }
                continue;
            } else {
                let alarm = match head.index() {
                    // KNOWN: the head is of the arm before, if nobody had MOVED the slot by then.
                    at if at == index => known,
                    at => self.slots.get(usize::from(at)).and_then(Slot::unmoved),
                };
                let Some(alarm) = alarm else {
                    self.alarm.pend();
                    return false;
                };
                alarm
            };
            if deadline >= alarm {
                // Also if the head has changed since: see KNOWN.
                return false;
            }
            let mine = head.client(index);
            if self.replace(head, mine) {
                self.program(mine, deadline);
                return true;
            }
        }
    }

    #[inline]
    fn replace(&self, from: Head<N>, to: Head<N>) -> bool {
        // ORDERING: SeqCst, the total order of heads and alarms (HEAD).
        // loom: two_earliest_arms_leave_the_earlier_alarm.
        self.head
            .compare_exchange(from.0, to.0, Ordering::SeqCst, Ordering::Relaxed)
            .is_ok()
    }

    /// HEAD: programs the alarm, and looks again.
    #[inline]
    fn program(&self, mine: Head<N>, deadline: u64) {
        self.alarm.set_alarm(Some(deadline));
        // ORDERING: SeqCst, between the alarm, which is a device, and the head, which is memory: the head
        // must not be read before the alarm is programmed. Loom has no devices; its stand-in for one
        // (tests/loom_interrupt.rs) is ordered already.
        device_fence();
        // ORDERING: Relaxed, ordered by the fence above.
        if self.head.load(Ordering::Relaxed) != mine.0 {
            self.alarm.pend();
        }
    }

    /// The deadline had passed when the slot was armed: completes the timer here and now.
    #[cold]
    fn overdue(&self, slot: &Slot, published: bool) {
        if published {
            // The alarm may have been in the past when it was set, and is not set for anybody else.
            self.alarm.pend();
        }
        // Otherwise it rings already, or is about to.
        if let Some(before) = slot.take_back() {
            if let Some(waker) = slot.fire_own(before) {
                waker.wake();
            }
        }
    }
}
