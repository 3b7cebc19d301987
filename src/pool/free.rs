//! Free slots: a group for each thread, roughly, and a list of the groups that nobody takes from.
//!
//! A thread takes slots from the group of its shard, lowest first, so a timer that is started and dropped
//! and started again has the same slot, warm in the thread's cache. Any thread gives a slot back
//! to the group it came from. A group that is used up is forgotten (not LISTED) until one of its slots
//! comes back; then it goes into the list, from which a shard takes its next group. So a thread that only
//! starts timers and one that only drops them balance, and memory follows the peak of live timers.

use core::cell::Cell;

use crossbeam_utils::CachePadded;

use super::chunks::{Chunks, Index};
use super::group::NONE;
use crate::source::CapacityError;
use crate::sync::{AtomicU32, AtomicU64, Ordering};

const SHARDS: usize = 16;

/// The shard of this thread. Threads share one only if there are more than [`SHARDS`] of them, and
/// then only lose speed.
#[inline]
fn shard() -> usize {
    #[cfg(timer_future_loom)]
    return 0;
    #[cfg(not(timer_future_loom))]
    {
        std::thread_local! {
            static SHARD: Cell<usize> = const { Cell::new(usize::MAX) };
        }
        static NEXT: AtomicU32 = AtomicU32::new(0);
        SHARD.with(|shard| {
            if shard.get() == usize::MAX {
                // ORDERING: Relaxed; only a number.
                shard.set(NEXT.fetch_add(1, Ordering::Relaxed) as usize % SHARDS);
            }
            shard.get()
        })
    }
}

#[derive(Debug)]
pub(crate) struct FreeSlots {
    /// The group each shard takes from, or NONE.
    current: [CachePadded<AtomicU32>; SHARDS],
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
            current: core::array::from_fn(|_| CachePadded::new(AtomicU32::new(NONE))),
            list: CachePadded::new(AtomicU64::new(u64::from(NONE))),
        }
    }

    /// A slot for this thread, OWNED.
    #[inline]
    pub(crate) fn take(&self, chunks: &Chunks) -> Result<Index, CapacityError> {
        let current = &self.current[shard()];
        loop {
            // ORDERING: Relaxed; groups are published by `Chunks`, and their slots by `Group::take`.
            let group = current.load(Ordering::Relaxed);
            if let Some(at) = chunks.get(group).and_then(|group| group.take()) {
                return Ok(Index::new(group, at));
            }
            self.refill(current, group, chunks)?;
        }
    }

    /// Puts another group in the place of one that is used up.
    #[cold]
    fn refill(
        &self,
        current: &AtomicU32,
        used_up: u32,
        chunks: &Chunks,
    ) -> Result<(), CapacityError> {
        let next = match self.pop(chunks) {
            Some(group) => group,
            None => chunks.grow()?,
        };
        // ORDERING: Relaxed, as in `take`. One of the threads of this shard wins.
        let swapped = current.compare_exchange(used_up, next, Ordering::Relaxed, Ordering::Relaxed);
        if swapped.is_err() {
            self.push(next, chunks);
        } else if chunks.get(used_up).is_some_and(|group| group.unlist()) {
            self.push(used_up, chunks);
        }
        Ok(())
    }

    /// Gives a slot back, from any thread.
    #[inline]
    pub(crate) fn give_back(&self, index: Index, chunks: &Chunks) {
        if chunks.group_of(index).give_back(index.at()) {
            self.push(index.group(), chunks);
        }
    }

    #[cold]
    fn push(&self, number: u32, chunks: &Chunks) {
        let Some(group) = chunks.get(number) else { return };
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

    fn pop(&self, chunks: &Chunks) -> Option<u32> {
        // ORDERING: Acquire, pairs with the Release in `push`, for the link.
        let mut top = self.list.load(Ordering::Acquire);
        loop {
            let number = top as u32;
            let group = chunks.get(number)?;
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
