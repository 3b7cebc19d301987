//! The inbox: a lock-free stack of groups with slots that the keeper must look at, taken whole.
//!
//! A client marks its slot in the group; the one that made the first mark pushes the group. So ten
//! thousand new timers cost the shared word a hundred and sixty pushes, not ten thousand.

use super::group::{Group, NONE};
use super::groups::Index;
use crate::sync::{AtomicU32, Ordering};

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
    /// deadline is, because of this race:
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
    pub(crate) fn tell(&self, group: &Group, index: Index) -> bool {
        if group.mark(index.at()) != 0 {
            return false;
        }
        // ORDERING: Relaxed; the compare-and-swap decides.
        let mut top = self.top.load(Ordering::Relaxed);
        loop {
            // ORDERING: Relaxed; published by the compare-and-swap.
            group.next_dirty.store(top, Ordering::Relaxed);
            // ORDERING: SeqCst: Release publishes the link to `take`; in the total order of
            // kick-or-see. A whole-taken stack has no ABA problem: nothing is popped from its middle.
            match self.top.compare_exchange_weak(
                top,
                index.group(),
                Ordering::SeqCst,
                Ordering::Relaxed,
            ) {
                Ok(_) => break,
                Err(now) => top = now,
            }
        }
        crate::sync::sc_fence();
        group.marks() & !(1 << index.at()) != 0
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
