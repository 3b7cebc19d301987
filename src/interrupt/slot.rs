//! One timer of an [`InterruptSource`](crate::InterruptSource): a word, a deadline, a `TimerState`.
//!
//! The slot protocol of pool/slot.rs, fitted to a handler that must be short: a slot is claimed by its
//! word instead of through a free list, and whoever owns it arms and frees it with plain stores.
//!
//! What its word goes through, and the invariants that are cited here, are told in word.rs.
//!
//! Why the keeper must say when it is done, and a slot that is completed is not yet free:
//!
//! ```text
//!   keeper, of low priority            task, of high priority
//!   Armed -> Firing, completed = true
//!   waker.take() has begun
//!                                      Ready; drops the timer, starts another in the same slot
//!                                      waker.register(): somebody is just waking, so poll again
//!                                      and again, for as long as the keeper does not get to run
//! ```

use core::task::Waker;

use super::order;
use super::word::{Word, FIRED, FIRING, LINKED, MOVED, OWNED, PHASE, VACANT, WAITING};
use crate::deadline::Deadline;
use crate::state::TimerState;
use crate::sync::{acquire_fence, beforehand, const_fn, release_fence, AtomicU16, Ordering};
use crate::ticks::NEVER;

/// A link: the index of a slot, plus one.
pub(super) type Link = usize;

/// The end of a chain. 0, as everything else in a source that has not been used.
pub(super) const NIL: Link = 0;

/// In the link of a slot that is Firing or Fired: its timer was dropped. No link: N is less.
const GIVEN_UP: u16 = u16::MAX;

#[derive(Debug)]
pub(super) struct Slot {
    state: TimerState,
    deadline: Deadline,
}

impl Slot {
    const_fn! {
        pub(super) const fn new() -> Self {
            Self { state: TimerState::new(), deadline: Deadline::new() }
        }
    }

    #[inline]
    pub(super) fn state(&self) -> &TimerState {
        &self.state
    }

    #[inline]
    pub(super) fn word(&self) -> Word {
        // ORDERING: Acquire: whoever sees a phase sees what was written before it, above all the deadline.
        // loom: rearming_for_earlier_is_never_read_torn.
        Word(self.state.word.load(Ordering::Acquire))
    }

    /// One transition that others may contend for. May fail for no reason: every caller looks again.
    #[inline]
    pub(super) fn swap(&self, from: Word, to: Word) -> bool {
        // ORDERING: AcqRel: publishes what the old phase allowed to write, and sees the same of others.
        // loom: a_recycled_slot_is_not_completed_by_a_late_handler.
        let to = beforehand(to.0);
        self.state
            .word
            .compare_exchange_weak(from.0, to, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// The deadline that the slot had when it was linked, if it is unchanged: also that of a timer that
    /// was cancelled since.
    #[inline]
    pub(super) fn unmoved(&self) -> Option<u64> {
        let word = self.word();
        if !word.is_settled() {
            return None;
        }
        self.deadline_of(word)
    }

    /// The deadline to sort the slot by; 0 for one that a client has owned since it was sorted: it precedes
    /// everything.
    #[inline(never)]
    pub(super) fn place(&self) -> u64 {
        let word = self.word();
        if !word.has_place() {
            return 0;
        }
        self.deadline_of(word).unwrap_or(0)
    }

    /// The deadline as it was together with this word; `None` if the word has changed.
    #[inline]
    pub(super) fn deadline_of(&self, word: Word) -> Option<u64> {
        let deadline = self.last_deadline();
        self.is_still(word).then_some(deadline)
    }

    /// Whether the deadline that was just read was that of this word.
    #[inline]
    pub(super) fn is_still(&self, word: Word) -> bool {
        // ORDERING: the halves of the deadline are read before the second read of the word. An owner
        // writes them after `release_fence`, so whoever has read one of its halves reads its word here,
        // or a later one. loom: a_moving_first_timer_does_not_hide_the_second.
        acquire_fence();
        // ORDERING: Relaxed, ordered by the fence above.
        self.state.word.load(Ordering::Relaxed) == word.0
    }

    /// The deadline of the last arm: exact for whoever owns the slot, and for the keeper if a `fire`
    /// after it succeeds (whoever writes it has changed the word before); a hint for anybody else.
    #[inline]
    pub(super) fn last_deadline(&self) -> u64 {
        self.deadline.get()
    }

    // ---- the client's side -------------------------------------------------------------------

    /// Vacant -> Owned, for a slot that is not LINKED. May fail for no reason.
    #[inline]
    pub(super) fn claim_unlinked(&self) -> bool {
        // ORDERING: Relaxed: the exchange says whether it was right, and is what acquires.
        let word = Word(self.state.word.load(Ordering::Relaxed));
        word.0 & (PHASE | LINKED) == VACANT && self.swap(word, word.with_phase(OWNED))
    }

    /// Vacant, or given up -> Owned, if it is free and `suits`.
    #[inline]
    pub(super) fn claim_if(&self, suits: impl Fn(Word) -> bool) -> bool {
        loop {
            let word = self.word();
            if !(word.is_vacant() || self.is_given_up(word)) || !suits(word) {
                return false;
            }
            // A keeper that unlinks the slot meanwhile leaves it vacant: it must not be taken for a shortage.
            if self.swap(word, word.with_phase(OWNED)) {
                return true;
            }
        }
    }

    #[inline]
    fn is_given_up(&self, word: Word) -> bool {
        // ORDERING: Acquire: what the last client did comes before what the next one does. A mark of an
        // earlier generation is not seen any more: the link was written since, before the word was Armed.
        word.0 & (PHASE | LINKED) == FIRED && self.link().load(Ordering::Acquire) == GIVEN_UP
    }

    /// Armed, Waiting, Fired -> Owned. False if the keeper is just firing it.
    #[inline]
    pub(super) fn take_back(&self) -> bool {
        loop {
            let word = self.word();
            if word.phase() == FIRING {
                return false;
            }
            // The keeper can change the word at most three times before the client succeeds.
            if self.swap(word, word.with_phase(OWNED)) {
                return true;
            }
        }
    }

    /// Armed, Waiting, Fired -> Vacant. If the keeper is just firing it, it is free afterwards.
    #[inline]
    pub(super) fn give_back(&self) {
        if self.state.is_stuck() {
            // It can wake nobody any more. It fires, and is never free again.
            return;
        }
        loop {
            // ORDERING: Relaxed: the exchange says whether it was right.
            let word = Word(self.state.word.load(Ordering::Relaxed));
            if word.phase() == FIRING {
                // ORDERING: Release, pairs with `is_given_up`. (Loom cannot tell: its loads do not come late.)
                self.link().store(GIVEN_UP, Ordering::Release);
                return;
            }
            // ORDERING: Release: what the next owner writes comes after what this one did.
            // (Loom cannot tell: it orders the stores to one location as it executes them.)
            let vacant = word.with_phase(VACANT);
            if self
                .state
                .word
                .compare_exchange_weak(word.0, vacant.0, Ordering::Release, Ordering::Relaxed)
                .is_ok()
            {
                return;
            }
        }
    }

    /// The word of a slot that this client owns.
    #[inline]
    pub(super) fn owned(&self) -> Word {
        // ORDERING: Relaxed: nobody else writes it (OWNED).
        Word(self.state.word.load(Ordering::Relaxed))
    }

    /// Owned -> Armed, for a slot that is not LINKED. It must be linked then.
    #[inline]
    pub(super) fn arm_new(&self, owned: Word, deadline: u64) {
        self.state.clear();
        // No fence as in `write`: the keeper does not know the slot. Whoever reads the deadline of a slot
        // that is not linked finds the head changed (KNOWN), or wants a hint only.
        self.deadline.set(deadline);
        // ORDERING: Relaxed: published, with the deadline and `completed`, by the head or the inbox.
        self.state.word.store(owned.armed().0, Ordering::Relaxed);
    }

    /// Owned -> Armed, for a slot that is LINKED. MOVED, unless it `keeps_place`.
    #[inline]
    pub(super) fn arm_linked(&self, owned: Word, deadline: u64, keeps_place: bool) {
        self.write(deadline);
        let moved = if keeps_place { 0 } else { MOVED };
        // ORDERING: Release: publishes deadline and `completed`. loom: rearming_is_never_read_torn.
        self.state
            .word
            .store(owned.armed().0 | moved, Ordering::Release);
    }

    /// Owned -> Waiting, for ever: the keeper need not know.
    #[cold]
    #[inline(never)]
    pub(super) fn arm_never(&self, owned: Word) {
        self.write(NEVER);
        // ORDERING: Release: publishes `completed`.
        self.state
            .word
            .store(owned.with_phase(WAITING).0 | MOVED, Ordering::Release);
    }

    #[inline]
    fn write(&self, deadline: u64) {
        self.state.clear();
        // ORDERING: the word said Owned before the deadline changes: whoever reads a half of the new one and
        // then looks at the word again sees Owned, or later (`deadline_of`). The CAS alone does not order its
        // own store before later ones. loom: a_moving_first_timer_does_not_hide_the_second.
        release_fence();
        self.deadline.set(deadline);
    }

    /// Owned -> Fired: the deadline has passed. The waker, if there is one, stays.
    #[inline]
    pub(super) fn fire_own(&self) {
        self.state.set_complete();
        // ORDERING: Release: publishes `completed` to whoever gets the timer next.
        self.state
            .word
            .store(self.owned().with_phase(FIRED).0, Ordering::Release);
    }

    // ---- the keeper's side -------------------------------------------------------------------

    /// The link to the next slot in the chain this one is in. Only for whoever may change it (LINKED).
    #[inline]
    pub(super) fn link(&self) -> &AtomicU16 {
        &self.state.place
    }

    #[inline]
    pub(super) fn next(&self) -> Link {
        order::get(self.link())
    }

    #[inline]
    pub(super) fn set_next(&self, next: Link) {
        order::set(self.link(), next);
    }

    /// Armed -> Firing, and unlinked, for the slot that was looked at and had a place. False if it was
    /// cancelled or armed anew since (FRESH, MOVED), or for no reason. Then `finish`.
    #[inline]
    pub(super) fn fire(&self, seen: Word) -> bool {
        // ORDERING: Release: the deadline was read before: whoever writes another has seen this word. (Loom cannot
        // tell: its loads do not come late.) No Acquire: the look at the word was.
        // loom: a_recycled_slot_is_not_completed_by_a_late_handler (if it is no exchange).
        self.state
            .word
            .compare_exchange_weak(
                seen.0,
                seen.firing().0,
                Ordering::Release,
                Ordering::Relaxed,
            )
            .is_ok()
    }

    /// Firing -> Fired, after `fire`.
    ///
    /// The waker is returned, not woken: by then nothing of the slot is half-done, so it may panic, or
    /// start, reset and drop timers, and concerns nobody else.
    #[inline]
    pub(super) fn finish(&self, seen: Word) -> Option<Waker> {
        self.state.set_complete();
        let waker = self.state.take_waker();
        // ORDERING: Release: the keeper is done with the slot; pairs with the Acquire of whoever takes it
        // next. loom: a_recycled_slot_is_not_completed_by_a_late_handler.
        self.state
            .word
            .store(seen.firing().fired().0, Ordering::Release);
        waker
    }
}
