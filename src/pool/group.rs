//! Sixty-four slots, and two words that say which of them are free and which the keeper must look at.
//!
//! Bitmaps instead of links through the slots: a slot needs no link of its own, taking and giving back
//! is one read-modify-write on a word that one thread mostly has to itself, and the keeper meets its
//! new slots in memory order instead of chasing a chain of cache misses.

use std::boxed::Box;

use super::slot::Slot;
use crate::sync::{AtomicBool, AtomicU32, AtomicU64, Ordering, SLOTS_PER_GROUP};

/// No group: the end of a list of groups.
pub(crate) const NONE: u32 = u32::MAX;

const ALL_FREE: u64 = u64::MAX >> (64 - SLOTS_PER_GROUP);

#[derive(Debug)]
pub(crate) struct Group {
    /// Slots nobody has. A client that clears a bit owns the slot (OWNED).
    free: AtomicU64,
    /// Slots the keeper has been told of and has not looked at since.
    dirty: AtomicU64,
    /// Link of the inbox. Belongs to whoever made `dirty` non-zero, then to the keeper.
    pub(crate) next_dirty: AtomicU32,
    /// How many groups were in the inbox when this one was pushed, itself included.
    pub(crate) depth: AtomicU32,
    /// Link of the list of groups with free slots.
    pub(crate) next_free: AtomicU32,
    /// LISTED: a lane or the list of free groups knows this group, so its free slots will be found.
    listed: AtomicBool,
    slots: [Slot; SLOTS_PER_GROUP],
    /// The order of starts, kept only by sources that fire equal deadlines in it.
    order: Option<Box<[AtomicU64; SLOTS_PER_GROUP]>>,
}

impl Group {
    pub(crate) fn new(ordered: bool) -> Self {
        Self {
            free: AtomicU64::new(ALL_FREE),
            dirty: AtomicU64::new(0),
            next_dirty: AtomicU32::new(NONE),
            depth: AtomicU32::new(0),
            next_free: AtomicU32::new(NONE),
            listed: AtomicBool::new(true),
            slots: core::array::from_fn(|_| Slot::new()),
            order: ordered.then(|| Box::new(core::array::from_fn(|_| AtomicU64::new(0)))),
        }
    }

    #[inline]
    pub(crate) fn slot(&self, at: usize) -> &Slot {
        &self.slots[at % SLOTS_PER_GROUP]
    }

    /// The place of a slot among all starts; zero where nobody keeps it.
    pub(crate) fn order(&self, at: usize) -> Option<&AtomicU64> {
        self.order.as_ref()?.get(at % SLOTS_PER_GROUP)
    }

    /// Takes a free slot, if there is one.
    #[inline]
    pub(crate) fn take(&self) -> Option<usize> {
        // ORDERING: Relaxed; only a guess, the read-modify-write decides.
        let mut free = self.free.load(Ordering::Relaxed);
        while free != 0 {
            let bit = free & free.wrapping_neg();
            // ORDERING: Acquire, pairs with the Release in `give_back`: what the last owner did
            // to the slot comes before what the next one does. loom: slots_are_recycled.
            let before = self.free.fetch_and(!bit, Ordering::Acquire);
            if before & bit != 0 {
                return Some(bit.trailing_zeros() as usize);
            }
            free = before & !bit;
        }
        None
    }

    /// Gives a slot back. `true` if the caller must put the group into the list of free groups.
    #[inline]
    #[must_use]
    pub(crate) fn give_back(&self, at: usize) -> bool {
        // ORDERING: SeqCst: Release for the next owner (see `take`), and in the total order with
        // `unlist`: the bit is set before LISTED is read here, LISTED is cleared before the bits
        // are read there, so one of the two sees the other. loom: slots_are_recycled.
        self.free.fetch_or(1 << at, Ordering::SeqCst);
        crate::sync::sc_fence();
        self.enlist()
    }

    /// Nobody knows the group any more. `true` if it has free slots again and the caller must put
    /// it into the list of free groups after all.
    #[must_use]
    pub(crate) fn unlist(&self) -> bool {
        // ORDERING: SeqCst, see `give_back`.
        self.listed.store(false, Ordering::SeqCst);
        crate::sync::sc_fence();
        // ORDERING: SeqCst, see `give_back`.
        self.free.load(Ordering::SeqCst) != 0 && self.enlist()
    }

    /// Whether the caller is the one who must put the group into a list.
    #[inline]
    fn enlist(&self) -> bool {
        // ORDERING: SeqCst for the load, see `give_back`. The swap elects one of several; who
        // loses leaves the group to the winner.
        !self.listed.load(Ordering::SeqCst) && !self.listed.swap(true, Ordering::SeqCst)
    }

    /// Marks a slot for the keeper; the marks that were there before.
    #[inline]
    pub(crate) fn mark(&self, at: usize) -> u64 {
        // ORDERING: SeqCst: Release publishes the armed slot to the keeper's `take_marks`; in the
        // total order of kick-or-see (pool/alarm.rs). loom: kick_or_see.
        self.dirty.fetch_or(1 << at, Ordering::SeqCst)
    }

    /// The marks, for a client that asks whether others rely on it.
    pub(crate) fn marks(&self) -> u64 {
        // ORDERING: SeqCst, the second half of `Inbox::tell`'s handshake.
        self.dirty.load(Ordering::SeqCst)
    }

    /// Takes the marks. Only for the keeper.
    pub(crate) fn take_marks(&self) -> u64 {
        // ORDERING: SeqCst: Acquire for the armed slots; total order as in `mark`.
        self.dirty.swap(0, Ordering::SeqCst)
    }

    /// Whether every slot is free, roughly.
    pub(crate) fn looks_unused(&self) -> bool {
        // ORDERING: Relaxed; a statistic.
        self.free.load(Ordering::Relaxed) == ALL_FREE
    }
}

#[cfg(all(test, not(timer_future_loom), target_pointer_width = "64"))]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_forty_bytes() {
        assert_eq!(core::mem::size_of::<Slot>(), 40);
        assert_eq!(core::mem::size_of::<Group>(), 64 * 40 + 40);
    }
}
