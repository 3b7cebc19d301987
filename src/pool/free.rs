//! Free slots: a few at hand and a group for each thread, and a list of the groups that nobody takes from.
//!
//! A thread takes the slot that it gave back last, so a timer that is started and dropped and started
//! again has the same slot, warm in the thread's cache; then it takes from the group of its lane. Slots
//! beyond those at hand go back to the group they came from, whoever drops them. A group that is used up
//! is forgotten (not LISTED) until one of its slots comes back; then it goes into the list, from which a
//! lane takes its next group. So a thread that only starts timers and one that only drops them balance,
//! and memory follows the peak of live timers.

use crossbeam_utils::CachePadded;

use super::group::NONE;
use super::groups::{Groups, Index};
use super::lane::{self, Lane, LANES};
use crate::source::CapacityError;
use crate::sync::{AtomicU32, AtomicU64, Ordering};

#[derive(Debug)]
pub(crate) struct FreeSlots {
    lanes: [CachePadded<Lane>; LANES],
    /// Top of the list of other groups with free slots, and a tag that changes with every change, so
    /// that a pop which read a stale link fails (the ABA problem).
    list: CachePadded<AtomicU64>,
}

fn tagged(old: u64, group: u32) -> u64 {
    (old >> 32).wrapping_add(1) << 32 | u64::from(group)
}

impl FreeSlots {
    pub(crate) fn new() -> Self {
        Self {
            lanes: core::array::from_fn(|_| CachePadded::new(Lane::new())),
            list: CachePadded::new(AtomicU64::new(u64::from(NONE))),
        }
    }

    /// A slot for this thread, OWNED.
    #[inline]
    pub(crate) fn take(&self, groups: &Groups) -> Result<Index, CapacityError> {
        let mine = lane::mine();
        let lane = &self.lanes[mine.lane & (LANES - 1)];
        if mine.alone {
            if let Some(index) = lane.take() {
                return Ok(index);
            }
        }
        self.take_from_group(lane, groups)
    }

    fn take_from_group(&self, lane: &Lane, groups: &Groups) -> Result<Index, CapacityError> {
        loop {
            // ORDERING: Relaxed; groups are published by `Groups`, and their slots by `Group::take`.
            let group = lane.group.load(Ordering::Relaxed);
            if let Some(at) = groups.get(group).and_then(|group| group.take()) {
                return Ok(Index::new(group, at));
            }
            self.refill(&lane.group, group, groups)?;
        }
    }

    /// Puts another group in the place of one that is used up.
    #[cold]
    fn refill(
        &self,
        current: &AtomicU32,
        used_up: u32,
        groups: &Groups,
    ) -> Result<(), CapacityError> {
        let next = match self.pop(groups) {
            Some(group) => group,
            None => groups.grow()?,
        };
        // ORDERING: Relaxed, as in `take`. One of the threads of this lane wins.
        let swapped = current.compare_exchange(used_up, next, Ordering::Relaxed, Ordering::Relaxed);
        if swapped.is_err() {
            self.push(next, groups);
        } else if groups.get(used_up).is_some_and(|group| group.unlist()) {
            self.push(used_up, groups);
        }
        Ok(())
    }

    /// Gives a slot back, from any thread.
    #[inline]
    pub(crate) fn give_back(&self, index: Index, groups: &Groups) {
        let mine = lane::mine();
        if !(mine.alone && self.lanes[mine.lane & (LANES - 1)].put(index)) {
            self.give_back_to_group(index, groups);
        }
    }

    fn give_back_to_group(&self, index: Index, groups: &Groups) {
        if groups.of(index).give_back(index.at()) {
            self.push(index.group(), groups);
        }
    }

    #[cold]
    fn push(&self, number: u32, groups: &Groups) {
        let Some(group) = groups.get(number) else {
            return;
        };
        // ORDERING: Relaxed; the compare-and-swap decides.
        let mut top = self.list.load(Ordering::Relaxed);
        loop {
            // ORDERING: Relaxed; published by the compare-and-swap.
            group.next_free.store(top as u32, Ordering::Relaxed);
            // ORDERING: Release publishes the link to the Acquire in `pop`. loom: slots_are_recycled.
            match self.list.compare_exchange_weak(
                top,
                tagged(top, number),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => top = now,
            }
        }
    }

    fn pop(&self, groups: &Groups) -> Option<u32> {
        // ORDERING: Acquire, pairs with the Release in `push`, for the link.
        let mut top = self.list.load(Ordering::Acquire);
        loop {
            let number = top as u32;
            let group = groups.get(number)?;
            // ORDERING: Relaxed; ordered by the Acquire above. If it is stale, the tag has changed.
            let next = group.next_free.load(Ordering::Relaxed);
            // ORDERING: AcqRel: Release because the next `pop` reads a link that an earlier `push`
            // published to us; Acquire on failure as for the load above.
            match self.list.compare_exchange_weak(
                top,
                tagged(top, next),
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return Some(number),
                Err(now) => top = now,
            }
        }
    }
}
