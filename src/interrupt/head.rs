//! The head: one word that says when the alarm rings, and whether the handler is inside.
//!
//! | kind   | when does the alarm ring? | who writes it |
//! | ------ | ------------------------- | ------------- |
//! | Keeper | at `InterruptSource::next` | the handler, when it leaves |
//! | Client | at the deadline of the slot in `index`, while that is not MOVED | whoever armed the earliest timer |
//! | Busy   | unknown: the handler is inside and will set it | the handler, when it enters |
//! | Again  | as Busy, and the handler will go round once more | whoever armed or interrupted meanwhile |
//!
//! Every change but Busy -> Again and back takes the next tag, so an equal head is the same head.

use super::slot::{Link, NIL};

const KIND: u32 = 0b11;
const KEEPER: u32 = 0;
const CLIENT: u32 = 1;
const BUSY: u32 = 2;
const AGAIN: u32 = 3;
const KIND_BITS: u32 = 2;

/// A value of the head of a source with `N` slots.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Head<const N: usize>(pub(super) u32);

impl<const N: usize> Head<N> {
    const INDEX_BITS: u32 = {
        assert!(
            N < u16::MAX as usize,
            "an InterruptSource keeps at most 65,534 timers"
        );
        usize::BITS - N.leading_zeros()
    };
    /// The tag has all the bits that the index leaves: 26 with 8 slots.
    const TAG: u32 = 1 << (KIND_BITS + Self::INDEX_BITS);

    /// Nothing is armed; `next` is "never".
    pub(super) const START: u32 = KEEPER;

    #[inline]
    pub(super) fn is_keeper(self) -> bool {
        self.0 & KIND == KEEPER
    }

    /// The slot of a head of kind Client.
    #[inline]
    pub(super) fn index(self) -> u16 {
        ((self.0 % Self::TAG) >> KIND_BITS) as u16
    }

    /// The link to that slot; NIL if the head is of another kind.
    #[inline]
    pub(super) fn earliest(self) -> Link {
        match self.0 & KIND {
            CLIENT => self.index() + 1,
            _ => NIL,
        }
    }

    /// Busy or Again.
    #[inline]
    pub(super) fn is_busy(self) -> bool {
        self.0 & BUSY != 0
    }

    #[inline]
    fn next_tag(self) -> u32 {
        (self.0 & !(Self::TAG - 1)).wrapping_add(Self::TAG)
    }

    /// The timer in slot `index` becomes the earliest.
    #[inline]
    pub(super) fn client(self, index: u16) -> Self {
        Self(self.next_tag() | u32::from(index) << KIND_BITS | CLIENT)
    }

    /// The handler enters.
    #[inline]
    pub(super) fn busy(self) -> Self {
        Self(self.next_tag() | BUSY)
    }

    /// The handler, inside, is asked to go round again.
    #[inline]
    pub(super) fn again(self) -> Self {
        Self(self.0 | AGAIN)
    }

    /// The handler leaves.
    #[inline]
    pub(super) fn keeper(self) -> Self {
        Self(self.0 & !KIND | KEEPER)
    }
}
