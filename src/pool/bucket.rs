//! One bucket of the wheel: what is in it, where it is, and what is left of it while it is emptied.

use super::blocks::{Blocks, Chain, Entries};
use super::levels::is_parted;

/// More entries than this in a bucket of the lowest level are a crowd.
const FEW: u32 = 2;

/// A bucket of a level, as the slot remembers it: counted from 1, so that a new slot is in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(pub(crate) u16);

impl Place {
    /// Not in the wheel.
    pub(crate) const NONE: Self = Self(0);

    pub(super) fn of(bucket: usize) -> Self {
        Self(bucket as u16 + 1)
    }
    pub(super) fn bucket(self) -> usize {
        usize::from(self.0).wrapping_sub(1)
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    pub(super) chain: Chain,
    pub(super) len: u32,
    pub(super) earliest: u64,
    pub(super) latest: u64,
}

impl Bucket {
    pub(super) const EMPTY: Self = Self {
        chain: Chain::EMPTY,
        len: 0,
        earliest: u64::MAX,
        latest: 0,
    };

    /// The last deadline in it that is not after `limit`, roughly; 0 if there is none. Where the limit
    /// divides a crowd it is as good as a deadline.
    pub(super) fn last_until(&self, limit: u64, narrow: bool) -> u64 {
        if self.earliest > limit {
            0
        } else if self.latest <= limit {
            self.latest
        } else if narrow && self.len > FEW {
            limit
        } else {
            self.earliest
        }
    }
}

/// What the slot of an entry must remember, for the entry not to be stale.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    /// The bucket that it came out of.
    pub(super) place: Place,
    /// The bucket above, of which that is a part: from there entries come down without their slots.
    pub(super) above: Place,
}

impl Origin {
    #[inline]
    pub(crate) fn is(self, place: Place) -> bool {
        place == self.place || place == self.above
    }
}

/// What was taken out of a bucket and not handed to the keeper yet.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) rest: Chain,
    pub(super) origin: Origin,
    /// Its number, if its entries are to come down without their slots.
    pub(super) dense: Option<u64>,
}

impl Opened {
    pub(super) const NOTHING: Self = Self {
        rest: Chain::EMPTY,
        origin: Origin {
            place: Place::NONE,
            above: Place::NONE,
        },
        dense: None,
    };

    /// The next few entries: how many, and where they were.
    #[inline]
    pub(super) fn take(
        &mut self,
        blocks: &mut Blocks,
        into: &mut Entries,
    ) -> Option<(Origin, usize)> {
        let parted = is_parted(self.origin.place.bucket());
        Some((self.origin, blocks.pop(&mut self.rest, into, parted)?))
    }
}
