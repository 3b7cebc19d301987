//! One reusable timer slot: a state word, a deadline and a [`TimerState`].
//!
//! A source owns its slots for its whole life and reuses them. Every transition is one
//! compare-and-swap on the word, which holds a phase, the LINKED bit and a generation:
//!
//! | from   | to             | who    | meaning |
//! | ------ | -------------- | ------ | ------- |
//! | Free   | Armed (gen+1)  | client | the deadline was written while the client owned the slot |
//! | Armed  | Free           | client | cancelled, or about to move to another deadline |
//! | Armed  | Firing         | keeper | due; now only the keeper may touch `completed` |
//! | Firing | Fired          | keeper | completed, and its waker taken |
//! | Firing | Abandoned      | client | dropped meanwhile; the keeper frees it |
//! | Abandoned | Free        | keeper | |
//! | Fired  | Free           | client | reused |
//!
//! Invariants, cited by name elsewhere:
//!
//! - OWNED: a slot in phase Free belongs to the one client that took it back or took it from the free
//!   list. Deadline and `completed` are written only then. (The keeper may clear LINKED.)
//! - FRESH: the generation makes an old Armed differ from a new one, so a keeper that looked, was
//!   preempted and comes back cannot fire a timer that was re-armed meanwhile. It wraps after 2^28
//!   re-arms of one slot; a keeper would have to be preempted for that many.
//! - LINKED: the keeper has this slot in its order at a place that is not after the deadline of the
//!   last arm, or will look at its mark in the inbox and put it there; or its client is about to mark
//!   it. So arming again for the same time or later needs no word to the keeper. Clients set the bit,
//!   keepers clear it: a keeper that takes a new timer in writes nothing that a client reads. Two cases
//!   break it unless they are seen to: a keeper that finds a marked slot cancelled clears LINKED,
//!   because its place may be later than the deadline it was cancelled with; and a client that fires
//!   its own slot forgets the deadline, because it did not kick.

use core::task::Waker;

use super::word::{Word, ABANDONED, ARMED, FIRED, FIRING, FREE, GENERATION, LINKED};
use crate::deadline::Deadline;
use crate::state::TimerState;
use crate::sync::{acquire_fence, const_fn, release_fence, Ordering};
use crate::ticks::NEVER;

/// What the client has after asking for its slot back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TakenBack {
    /// The slot is the client's again (OWNED); its waker may still be stored.
    Armed,
    /// It is the client's, and fired: no waker is stored. (One that was stored too late for the keeper was
    /// taken out by the second look of `TimerState::poll_complete`.)
    Fired,
    /// The keeper is in the middle of firing it, and frees it when done.
    LeftToKeeper,
}

/// What the keeper sees of a slot.
#[derive(Debug)]
pub(crate) enum Look {
    /// Armed for this deadline at the moment the word was read.
    Armed(Word, u64),
    /// Nothing to wait for.
    Idle(Word),
}

/// What became of a slot that was fired.
#[derive(Debug)]
pub(crate) struct Fired {
    /// To be woken now, when nothing of the slot is half-done any more.
    pub(crate) waker: Option<Waker>,
    /// The client has gone meanwhile: the keeper must give the slot back.
    pub(crate) abandoned: bool,
}

#[derive(Debug)]
pub(crate) struct Slot {
    state: TimerState,
    deadline: Deadline,
}

impl Slot {
    const_fn! {
        pub(crate) const fn new() -> Self {
            Self { state: TimerState::new(), deadline: Deadline::new() }
        }
    }

    #[inline]
    pub(crate) fn state(&self) -> &TimerState {
        &self.state
    }

    /// The deadline of the last arm. Exact for the client that holds the timer; for anybody else a hint.
    #[inline]
    pub(crate) fn deadline(&self) -> u64 {
        self.deadline.get()
    }

    #[inline]
    fn word(&self) -> Word {
        // ORDERING: Acquire, pairs with the AcqRel of every transition: whoever sees a phase sees
        // what was written before it. loom: slot_deadline_is_published.
        Word(self.state.word.load(Ordering::Acquire))
    }

    /// One transition.
    #[inline]
    fn swap(&self, from: Word, to: Word) -> Result<(), Word> {
        // ORDERING: SeqCst (which includes AcqRel). Acquire and Release publish deadline and
        // `completed` with the phase; the total order is that of "arm, then read the published
        // alarm" against "publish the alarm, then look at the slots" (kick-or-see).
        // loom: kick_or_see.
        self.state
            .word
            .compare_exchange(from.0, to.0, Ordering::SeqCst, Ordering::Acquire)
            .map(|_| ())
            .map_err(Word)
    }

    /// Writes the deadline while the keeper may look at it. Only for whoever has just taken the slot out of
    /// phase Armed.
    ///
    /// ```text
    ///   client                          keeper
    ///   word: Armed -> Free             word? Armed
    ///   fence (Release)                 low?  the old one    high? the new one
    ///   low, high                       fence (Acquire)
    ///   word: Free -> Armed (gen+1)     word? must not be the first Armed again
    /// ```
    ///
    /// The read-modify-write alone orders what comes before it, not the deadline that comes after it.
    #[inline]
    fn set_deadline(&self, deadline: u64) {
        // A deadline in one piece cannot be torn, and the word decides whether it counts.
        if !Deadline::WHOLE {
            // ORDERING: Release, pairs with the fence in `look`: who has read a half of the new deadline
            // sees that the slot was taken back. loom: slot_deadline_is_published.
            release_fence();
        }
        self.deadline.set(deadline);
    }

    // ---- the client's side -------------------------------------------------------------------

    /// Free -> Armed. Only for the client that owns the slot (OWNED). Returns whether it must tell the
    /// keeper to look at the slot: the keeper does not know it yet, or would come too late.
    #[inline]
    pub(crate) fn arm(&self, deadline: u64) -> bool {
        let earlier = deadline < self.deadline.get();
        // The keeper is not told of a timer that never completes.
        let (comes_up, linked) = match deadline {
            NEVER => (false, 0),
            _ => (true, LINKED),
        };
        self.state.clear();
        self.set_deadline(deadline);
        let mut word = self.word();
        // At most one round for a keeper that clears LINKED meanwhile.
        loop {
            let armed = word.with_phase(ARMED).0 | linked;
            match self.swap(word, Word(armed.wrapping_add(GENERATION))) {
                Ok(()) => return comes_up && (earlier || !word.is_linked()),
                Err(now) => word = now,
            }
        }
    }

    /// Armed -> Armed (gen+1) in one step, for a later deadline that needs no word to the keeper. Only
    /// for the client that holds the timer. `false`, if it cannot be done that way.
    ///
    /// The deadline is written while the keeper may look. A keeper that reads the new one leaves the
    /// slot alone until then; one that has read the old one and finds it due either fires before
    /// the word changes (then this fails, and the reset came too late) or fails to fire (FRESH).
    /// That needs a deadline that is written in one piece, because a torn one could be early.
    #[inline]
    pub(crate) fn postpone(&self, deadline: u64) -> bool {
        let word = self.word();
        let in_place = Deadline::WHOLE
            && word.is_armed()
            && word.is_linked()
            && deadline >= self.deadline.get();
        if !in_place {
            return false;
        }
        self.deadline.set(deadline);
        self.swap(word, Word(word.0.wrapping_add(GENERATION)))
            .is_ok()
    }

    /// Armed, Fired -> Free, or Firing -> Abandoned. Only for the client that holds the timer.
    #[inline]
    pub(crate) fn take_back(&self) -> TakenBack {
        let mut word = self.word();
        // The keeper can move the word at most three times before the client succeeds.
        loop {
            let (to, outcome) = match word.phase() {
                FIRING => (ABANDONED, TakenBack::LeftToKeeper),
                FIRED => (FREE, TakenBack::Fired),
                _ => (FREE, TakenBack::Armed),
            };
            match self.swap(word, word.with_phase(to)) {
                Ok(()) => return outcome,
                Err(now) => word = now,
            }
        }
    }

    /// Armed, Fired -> Free; `false`, and nothing done, while the keeper is firing it.
    #[inline]
    pub(crate) fn take_back_unless_firing(&self) -> bool {
        let mut word = self.word();
        // As in `take_back`.
        while word.phase() != FIRING {
            match self.swap(word, word.with_phase(FREE)) {
                Ok(()) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    // ---- the keeper's side -------------------------------------------------------------------

    /// Reads phase and deadline as they were together at one moment.
    #[inline]
    pub(crate) fn look(&self) -> Look {
        let mut word = self.word();
        loop {
            if !word.is_armed() {
                return Look::Idle(word);
            }
            let deadline = self.deadline.get();
            // ORDERING: the reads of the deadline come before the second read of the word; an equal
            // word (FRESH) then says that no client owned the slot in between.
            // loom: slot_deadline_is_published.
            acquire_fence();
            // ORDERING: Relaxed, ordered by the fence above.
            let again = Word(self.state.word.load(Ordering::Relaxed));
            if again == word {
                return Look::Armed(word, deadline);
            }
            word = self.word();
        }
    }

    /// Clears LINKED on the slot that was looked at. Fails if it has changed since.
    #[inline]
    pub(crate) fn unlink(&self, seen: Word) -> bool {
        !seen.is_linked() || self.swap(seen, Word(seen.0 & !LINKED)).is_ok()
    }

    /// Armed -> Firing -> Fired, for the armed slot that was looked at; also clears LINKED.
    /// `None` if it was cancelled or re-armed since (FRESH).
    ///
    /// The waker is returned, not woken: by then nothing of the slot is half-done, so it may panic,
    /// start, reset or drop timers, or be dropped, and concerns nobody else.
    #[inline]
    pub(crate) fn fire(&self, seen: Word) -> Option<Fired> {
        let firing = Word(seen.with_phase(FIRING).0 & !LINKED);
        self.swap(seen, firing).ok()?;
        self.state.set_complete();
        let waker = self.state.take_waker();
        let abandoned = self.swap(firing, firing.with_phase(FIRED)).is_err();
        if abandoned {
            // Nobody but the keeper touches an abandoned slot, so this cannot fail.
            let freed = self.swap(firing.with_phase(ABANDONED), firing.with_phase(FREE));
            debug_assert!(
                freed.is_ok(),
                "an abandoned slot was touched: {:?}",
                self.word()
            );
        }
        Some(Fired { waker, abandoned })
    }

    /// Armed -> Firing -> Fired by the client that has just armed it, because its deadline has passed
    /// already. The waker to wake, if there is one.
    #[inline]
    pub(crate) fn fire_own(&self) -> Option<Waker> {
        match self.look() {
            // Not abandoned: the client is here. LINKED may stay: the place is still there.
            Look::Armed(word, _) => {
                let firing = word.with_phase(FIRING);
                self.swap(word, firing).ok()?;
                self.state.set_complete();
                let waker = self.state.take_waker();
                // The keeper was not kicked for this deadline, so the next arm must not rely on it
                // (LINKED). Fired belongs to the client, which is here.
                self.set_deadline(NEVER);
                let mut now = firing;
                // One more round for a keeper that clears LINKED meanwhile.
                while let Err(other) = self.swap(now, now.with_phase(FIRED)) {
                    now = other;
                }
                waker
            }
            Look::Idle(_) => None,
        }
    }
}
