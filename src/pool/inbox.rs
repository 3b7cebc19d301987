//! The inbox: a lock-free stack of groups with slots that the keeper must look at, taken whole.
//!
//! A client marks its slot in the group; the one that made the first mark pushes the group. So ten
//! thousand new timers cost the shared word a hundred and sixty pushes, not ten thousand.

use super::group::{Group, NONE};
use super::groups::{Groups, Index};
use crate::sync::{AtomicU32, Ordering};

/// So many groups (up to 4,096 timers) are worth waking the keeper for, however late their timers: left
/// until the alarm rings, a million new timers would take it 40 ms, and those that are due would wait.
/// A wake each 4,096 timers costs each of them 6 ns.
const CROWD: u32 = 64;

#[derive(Debug)]
pub(crate) struct Inbox {
    top: AtomicU32,
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self {
            top: AtomicU32::new(NONE),
        }
    }

    /// Tells the keeper to look at a slot. `true` if the caller must kick the keeper whatever its own
    /// deadline is: because the inbox is a CROWD again, or because of this race:
    ///
    /// ```text
    ///   A (late deadline)        B (early deadline)            keeper
    ///   mark: first, so A
    ///     will push the group
    ///                            mark: not the first
    ///                            kick
    ///                                                          wakes; inbox empty; sleeps
    ///   push
    ///   late: no kick            (B's slot is never looked at)
    /// ```
    ///
    /// B cannot see that the push is still to come, but A can see that somebody relied on it.
    #[must_use]
    pub(crate) fn tell(&self, groups: &Groups, group: &Group, index: Index) -> bool {
        if group.mark(index.at()) != 0 {
            return false;
        }
        // ORDERING: Relaxed; the compare-and-swap decides.
        let mut top = self.top.load(Ordering::Relaxed);
        let depth = loop {
            // ORDERING: Relaxed; published by the compare-and-swap.
            group.next_dirty.store(top, Ordering::Relaxed);
            // ORDERING: Relaxed; it only says when a wake pays, and may be stale.
            let below = groups.get(top).map(|top| top.depth.load(Ordering::Relaxed));
            let depth = below.unwrap_or(0).wrapping_add(1);
            // ORDERING: Relaxed, as above.
            group.depth.store(depth, Ordering::Relaxed);
            // ORDERING: SeqCst: Release publishes the link to `take`; in the total order of
            // kick-or-see. A whole-taken stack has no ABA problem: nothing is popped from its middle.
            match self.top.compare_exchange_weak(
                top,
                index.group(),
                Ordering::SeqCst,
                Ordering::Relaxed,
            ) {
                Ok(_) => break depth,
                Err(now) => top = now,
            }
        };
        crate::sync::sc_fence();
        group.marks() & !(1 << index.at()) != 0 || depth % CROWD == 0
    }

    /// Takes the stack; the caller follows `next_dirty`. Only for the keeper.
    pub(crate) fn take(&self) -> u32 {
        // ORDERING: SeqCst: Acquire for the links, and the total order of kick-or-see.
        self.top.swap(NONE, Ordering::SeqCst)
    }

    /// The group after this one, and its marks. The link is read before the marks are taken: from
    /// then on a client may push the group again and overwrite it.
    pub(crate) fn open(group: &Group) -> (u32, u64) {
        // ORDERING: Relaxed; ordered by the Acquire in `take`.
        let next = group.next_dirty.load(Ordering::Relaxed);
        (next, group.take_marks())
    }
}
