//! One timer of an [`InterruptSource`](crate::InterruptSource): a word, a deadline, a `TimerState`.
//!
//! The slot protocol of pool/slot.rs, fitted to a handler that must be short: a slot is claimed by its
//! word instead of through a free list, and whoever owns it arms and frees it with plain stores.
//!
//! | from            | to              | who    | how   | meaning |
//! | --------------- | --------------- | ------ | ----- | ------- |
//! | Vacant          | Owned           | client | CAS   | claimed |
//! | Owned           | Armed (gen+1)   | client | store | the deadline was written before |
//! | Owned           | Waiting         | client | store | its deadline is "never": nothing for the keeper to do |
//! | Armed, Waiting, Fired | Owned     | client | CAS   | cancelled, or about to move |
//! | Owned           | Vacant, Retired | client | store | given back; Retired for ever if its waker is stuck |
//! | Owned           | Fired           | client | store | its deadline had passed when it was armed |
//! | Armed           | Firing          | keeper | CAS   | due; only the keeper touches `completed`; unlinked |
//! | Firing          | Fired           | keeper | swap  | completed, and its waker taken |
//! | Firing          | Abandoned       | client | CAS   | dropped meanwhile |
//! | Abandoned       | Vacant, Retired | keeper | store | |
//!
//! Invariants, cited by name elsewhere:
//!
//! - OWNED: in phase Owned the word, the deadline and `completed` belong to one client alone. The keeper
//!   changes nothing of such a slot, and leaves it where it is in its order.
//! - FRESH: the generation makes an old Armed differ from a new one (it wraps after 2^27 arms).
//! - LINKED: the slot is in the inbox or in the keeper's order, or its client is about to push it: its
//!   `place` (the link) is not the client's. Only the keeper clears the bit.
//! - MOVED: since the slot was linked or got its place, a client has owned it and may have written another
//!   deadline. Cleared by the keeper when it gives the slot a new place, and by a client that gives it back
//!   unchanged.

use core::task::Waker;

use super::order;
use super::word::{
    Word, ABANDONED, ARMED, FIRED, FIRING, GENERATION, LINKED, MOVED, OWNED, PHASE, RETIRED,
    VACANT, WAITING,
};
use crate::deadline::Deadline;
use crate::state::TimerState;
use crate::sync::{acquire_fence, const_fn, release_fence, AtomicU16, Ordering};
use crate::ticks::NEVER;

/// A link: the index of a slot, plus one.
pub(super) type Link = u16;

/// The end of a chain. 0, as everything else in a source that has not been used.
pub(super) const NIL: Link = 0;

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
        // ORDERING: SeqCst, which includes Acquire (whoever sees a phase sees what was written before
        // it). The total order is kick-or-see: the keeper takes the head and then reads words, a client
        // writes a word and then reads the head. loom: an_arm_is_seen_or_kicks.
        Word(self.state.word.load(Ordering::SeqCst))
    }

    /// One transition that others may contend for. May fail for no reason: every caller looks again.
    #[inline]
    fn swap(&self, from: Word, to: Word) -> Result<(), Word> {
        // ORDERING: AcqRel: publishes what the old phase allowed to write, and sees the same of others.
        // loom: a_drop_racing_the_handler_frees_the_slot.
        self.state
            .word
            .compare_exchange_weak(from.0, to.0, Ordering::AcqRel, Ordering::Acquire)
            .map(|_| ())
            .map_err(Word)
    }

    /// One transition out of Owned, or out of Abandoned by the keeper: nobody contends.
    #[inline]
    fn store(&self, word: Word) {
        // ORDERING: SeqCst, see `word`; includes Release: publishes deadline and `completed`.
        // loom: an_arm_is_seen_or_kicks.
        self.state.word.store(word.0, Ordering::SeqCst);
    }

    /// The deadline that the slot had when it was linked, if it is unchanged: also that of a timer that
    /// was cancelled since.
    #[inline]
    pub(super) fn unmoved(&self) -> Option<u64> {
        let word = self.word();
        if word.is_moved() {
            return None;
        }
        self.deadline_of(word)
    }

    #[inline]
    pub(super) fn has_place(&self) -> bool {
        self.word().has_place()
    }

    /// The deadline to sort the slot by. None for a cancelled one: while it was owned, it may have been
    /// sorted before everything.
    #[inline]
    pub(super) fn place(&self) -> Option<u64> {
        let word = self.word();
        if !word.has_place() {
            return None;
        }
        self.deadline_of(word)
    }

    /// The deadline as it was together with this word; `None` if the word has changed.
    #[inline]
    pub(super) fn deadline_of(&self, word: Word) -> Option<u64> {
        let deadline = self.deadline.get();
        // ORDERING: the halves of the deadline are read before the second read of the word. An owner
        // writes them after `release_fence`, so whoever has read one of its halves reads its word here,
        // or a later one. loom: a_moving_first_timer_does_not_hide_the_second.
        acquire_fence();
        // ORDERING: Relaxed, ordered by the fence above.
        (self.state.word.load(Ordering::Relaxed) == word.0).then_some(deadline)
    }

    // ---- the client's side -------------------------------------------------------------------

    /// The deadline of the last arm: exact for whoever owns the slot, a hint for anybody else.
    #[inline]
    pub(super) fn last_deadline(&self) -> u64 {
        self.deadline.get()
    }

    /// Vacant -> Owned, for a slot that is not LINKED.
    #[inline]
    pub(super) fn claim_unlinked(&self) -> Option<Word> {
        let word = self.word();
        let claimed = Word(word.with_phase(OWNED).0 | MOVED);
        (word.0 & (PHASE | LINKED) == VACANT && self.swap(word, claimed).is_ok()).then_some(word)
    }

    /// Vacant -> Owned. Returns what the word was before, or `None` if somebody else has claimed the slot.
    #[inline]
    pub(super) fn claim(&self, mut seen: Word) -> Option<Word> {
        // At most one more round, for a keeper that unlinks the slot: it stays vacant, and must not be
        // taken for a shortage.
        while seen.is_vacant() {
            match self.swap(seen, Word(seen.with_phase(OWNED).0 | MOVED)) {
                Ok(()) => return Some(seen),
                Err(now) => seen = now,
            }
        }
        None
    }

    /// Armed, Fired -> Owned. Returns what the word was before, or `None` if the keeper is just firing it.
    #[inline]
    pub(super) fn take_back(&self) -> Option<Word> {
        let mut word = self.word();
        // The keeper can change the word at most three times before the client succeeds.
        while word.phase() != FIRING {
            match self.swap(word, Word(word.with_phase(OWNED).0 | MOVED)) {
                Ok(()) => return Some(word),
                Err(now) => word = now,
            }
        }
        None
    }

    /// Firing -> Abandoned. Returns false if the keeper has finished meanwhile.
    #[cold]
    pub(super) fn abandon(&self) -> bool {
        let word = self.word();
        word.phase() == FIRING && self.swap(word, word.with_phase(ABANDONED)).is_ok()
    }

    /// Owned -> Armed, for an owner that found the slot as `before`, and not LINKED.
    #[inline]
    pub(super) fn arm_new(&self, before: Word, deadline: u64) {
        self.write(deadline);
        let generation = (before.0 & !(GENERATION - 1)).wrapping_add(GENERATION);
        self.store(Word(generation | LINKED | ARMED));
    }

    /// Owned -> Armed, for an owner that found the slot as `before`. A slot that was not LINKED is now, and
    /// must be pushed.
    #[inline]
    pub(super) fn arm(&self, before: Word, deadline: u64) {
        self.write(deadline);
        let moved = (before.0 & LINKED) << 1;
        const { assert!(LINKED << 1 == MOVED) };
        let generation = (before.0 & !(GENERATION - 1)).wrapping_add(GENERATION);
        self.store(Word(generation | moved | LINKED | ARMED));
    }

    /// Owned -> Waiting, for ever: the keeper need not know.
    #[cold]
    pub(super) fn arm_never(&self, before: Word) {
        self.write(NEVER);
        self.store(Word(before.with_phase(WAITING).0 | MOVED));
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

    /// Owned -> Fired, by an owner that found the slot as `before`, and whose deadline has passed.
    /// Returns the waker to wake.
    pub(super) fn fire_own(&self, before: Word) -> Option<Waker> {
        self.state.set_complete();
        let waker = self.state.take_waker();
        self.store(before.with_phase(FIRED));
        waker
    }

    /// Owned -> Vacant or Retired, unchanged by an owner that found the slot as `before`.
    #[inline]
    pub(super) fn vacate(&self, before: Word) {
        // ORDERING: Release: what the next owner writes comes after what this one wrote. Nobody waits for a
        // vacancy, so no total order is needed. (Loom cannot tell: it orders the stores to one location
        // as it executes them.)
        self.state
            .word
            .store(self.free(before).0, Ordering::Release);
    }

    #[inline]
    fn free(&self, word: Word) -> Word {
        let stuck = self.state.is_stuck();
        word.with_phase(if stuck { RETIRED } else { VACANT })
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

    /// Clears MOVED on the armed slot that was looked at: its place will be that of its deadline.
    #[inline]
    pub(super) fn give_place(&self, seen: Word) -> bool {
        self.swap(seen, Word(seen.0 & !MOVED)).is_ok()
    }

    /// Clears LINKED on the slot that was looked at (not Armed, not Owned).
    #[inline]
    pub(super) fn unlink(&self, seen: Word) -> bool {
        self.swap(seen, Word(seen.0 & !LINKED)).is_ok()
    }

    /// Armed -> Firing -> Fired, for the armed slot that was looked at, and unlinks it. `Err` if it was
    /// cancelled or armed anew since (FRESH).
    ///
    /// The waker is returned, not woken: by then nothing of the slot is half-done, so it may panic, or
    /// start, reset and drop timers, and concerns nobody else.
    #[inline]
    pub(super) fn fire(&self, seen: Word) -> Result<Option<Waker>, Word> {
        let firing = Word(seen.with_phase(FIRING).0 & !(LINKED | MOVED));
        self.swap(seen, firing)?;
        self.state.set_complete();
        let waker = self.state.take_waker();
        // ORDERING: AcqRel: publishes that the keeper is done with the slot, to whoever takes it back; sees
        // what a client did that has abandoned it. loom: a_drop_racing_the_handler_frees_the_slot.
        let was = self
            .state
            .word
            .swap(firing.with_phase(FIRED).0, Ordering::AcqRel);
        if was != firing.0 {
            // Abandoned: no client holds it any more, and nobody claims a Fired slot.
            self.store(self.free(firing));
        }
        Ok(waker)
    }
}
