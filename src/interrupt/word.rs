//! The word of a slot: a phase, LINKED, MOVED and a generation.
//!
//! | from            | to              | who    | how   | meaning |
//! | --------------- | --------------- | ------ | ----- | ------- |
//! | Vacant          | Owned           | client | CAS   | claimed |
//! | Owned           | Armed (gen+1)   | client | store | the deadline was written before |
//! | Owned           | Waiting         | client | store | its deadline is "never": nothing for the keeper to do |
//! | Armed, Waiting, Fired | Owned     | client | CAS   | about to move |
//! | Armed, Waiting, Fired | Vacant | client | CAS   | dropped |
//! | Owned           | Fired           | client | store | its deadline had passed when it was armed |
//! | Armed           | Firing          | keeper | CAS   | due; only the keeper touches `completed`; unlinked |
//! | Firing          | Fired           | keeper | store | completed, and its waker taken |
//! | Fired, GIVEN_UP | Owned           | client | CAS   | claimed |
//!
//! Invariants, cited by name elsewhere:
//!
//! - OWNED: in phase Owned the word, the deadline and `completed` belong to one client alone. The keeper
//!   changes nothing of such a slot but its place.
//! - FRESH: the generation makes an old Armed differ from a new one (it wraps after 2^27 arms).
//! - LINKED: the slot is in the inbox or in the keeper's order, or its client is about to push it: its
//!   link is not the client's. Only the keeper clears the bit.
//! - MOVED: since the slot was linked or got its place, a client has owned it and may have written another
//!   deadline. Cleared by the keeper when it gives the slot a new place.
//! - GIVEN_UP: between Armed and Fired the keeper stores, and does not look: no client changes the word. One that
//!   drops the timer then says so in the link, which nobody else needs any more. The slot is free once it
//!   is Fired.

// Vacant is 0, so that a source in a static is all zeros.
pub(super) const VACANT: u32 = 0;
pub(super) const ARMED: u32 = 1;
pub(super) const FIRING: u32 = 2;
pub(super) const FIRED: u32 = 3;
// A bit of its own: see `is_settled`.
pub(super) const OWNED: u32 = 4;
pub(super) const WAITING: u32 = 5;
pub(super) const PHASE: u32 = 0b111;
pub(super) const LINKED: u32 = 0b0_1000;
pub(super) const MOVED: u32 = 0b1_0000;
pub(super) const GENERATION: u32 = 0b10_0000;

/// A value of the word, as somebody read it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Word(pub(super) u32);

impl Word {
    #[inline]
    pub(super) fn phase(self) -> u32 {
        self.0 & PHASE
    }
    #[inline]
    pub(super) fn with_phase(self, phase: u32) -> Self {
        Self(self.0 & !PHASE | phase)
    }
    #[inline]
    pub(super) fn is_vacant(self) -> bool {
        self.phase() == VACANT
    }
    #[inline]
    pub(super) fn is_owned(self) -> bool {
        self.phase() == OWNED
    }
    #[inline]
    pub(super) fn is_armed(self) -> bool {
        self.phase() == ARMED
    }
    /// Armed, and not MOVED.
    #[inline]
    pub(super) fn has_place(self) -> bool {
        self.0 & (PHASE | MOVED) == ARMED
    }
    #[inline]
    pub(super) fn is_linked(self) -> bool {
        self.0 & LINKED != 0
    }
    #[inline]
    pub(super) fn is_moved(self) -> bool {
        self.0 & MOVED != 0
    }
    /// Neither MOVED nor Owned: the deadline is what it was when the slot was linked.
    #[inline]
    pub(super) fn is_settled(self) -> bool {
        self.0 & (MOVED | OWNED) == 0
    }
    /// What the keeper makes of a word that is not Owned: with a place if it is Armed, else unlinked.
    #[inline]
    pub(super) fn admitted(self) -> Self {
        Self(self.0 & if self.is_armed() { !MOVED } else { !LINKED })
    }
    /// Armed by its owner, with the next generation, and LINKED.
    #[inline]
    pub(super) fn armed(self) -> Self {
        let generation = (self.0 & !(GENERATION - 1)).wrapping_add(GENERATION);
        Self(generation | LINKED | ARMED)
    }
    /// Firing, and unlinked, for a word that has a place and is LINKED.
    #[inline]
    pub(super) fn firing(self) -> Self {
        Self(self.0.wrapping_sub(LINKED + ARMED - FIRING))
    }
    /// Fired, for a word that is Firing.
    #[inline]
    pub(super) fn fired(self) -> Self {
        Self(self.0.wrapping_add(FIRED - FIRING))
    }
}

impl core::fmt::Debug for Word {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        const NAMES: [&str; 6] = ["Vacant", "Armed", "Firing", "Fired", "Owned", "Waiting"];
        let name = NAMES.get(self.phase() as usize).copied().unwrap_or("?");
        let linked = if self.is_linked() { "+LINKED" } else { "" };
        let moved = if self.is_moved() { "+MOVED" } else { "" };
        write!(f, "{name}{linked}{moved}#{}", self.0 / GENERATION)
    }
}
