//! The head: one word that says when the alarm rings, where the handler's order begins, and whether the
//! handler is inside.
//!
//! | kind   | when does the alarm ring? | who writes it |
//! | ------ | ------------------------- | ------------- |
//! | Keeper | at `InterruptSource::next`; not at all if the link is NIL | the handler, when it leaves |
//! | Client | at the deadline of the first slot, while that is not MOVED | whoever armed the earliest timer |
//! | Busy   | unknown: the handler is inside and will set it | the handler, when it enters |
//! | Again  | as Busy, and the handler will pend itself when it leaves | whoever armed or interrupted meanwhile |
//!
//! Keeper and Client carry the link to the first slot of the order, and a tag. Each takes the next tag, so an
//! equal head is the same head. Busy and Again are two constants: nothing hangs on telling two of them apart.

use super::slot::{Link, NIL};

const CLIENT: u32 = 1;
const KIND_BITS: u32 = 2;

/// The handler is inside.
pub(super) const BUSY: u32 = 2;
/// It is asked for another interrupt.
pub(super) const AGAIN: u32 = 3;

/// Equal to no head.
pub(super) const NO_HEAD: u32 = u32::MAX;

/// A value of the head of a source with `N` slots.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Head<const N: usize>(pub(super) u32);

impl<const N: usize> Head<N> {
    const LINK_BITS: u32 = {
        assert!(
            N < u16::MAX as usize,
            "an InterruptSource keeps at most 65,534 timers"
        );
        usize::BITS - N.leading_zeros()
    };
    /// The tag has all the bits that the link leaves: 26 with 8 slots.
    const TAG: u32 = 1 << (KIND_BITS + Self::LINK_BITS);

    /// Nothing is armed.
    pub(super) const START: u32 = (NIL as u32) << KIND_BITS;

    /// The first slot of the order. Not for Busy and Again.
    #[inline]
    pub(super) fn first(self) -> Link {
        ((self.0 % Self::TAG) >> KIND_BITS) as Link
    }

    #[inline]
    pub(super) fn is_client(self) -> bool {
        self.0 & CLIENT != 0
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

    /// The timer at the end of this link becomes the earliest.
    #[inline]
    pub(super) fn client(self, first: Link) -> Self {
        Self(self.next_tag() | (first as u32) << KIND_BITS | CLIENT)
    }

    /// The handler that found this head leaves.
    #[inline]
    pub(super) fn keeper(self, first: Link) -> Self {
        Self(self.next_tag() | (first as u32) << KIND_BITS)
    }
}
