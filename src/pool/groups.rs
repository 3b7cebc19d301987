//! All groups of a pool. They never move, and are never freed before the pool.
//!
//! A group is allocated when it is needed, by itself: nothing is allocated ahead, and no start pays for more
//! than one group. Two levels of set-once pointers lead to it. The upper one is part of the pool, so finding a
//! slot is two loads, one after the other. (Each operation finds it once: a load more costs 4 % of a
//! cancelled timeout.)

use std::boxed::Box;

use once_cell::race::OnceBox;

use super::group::Group;
use crate::source::CapacityError;
use crate::sync::{size, AtomicU32, Ordering, SLOTS_PER_GROUP};

const PAGE: usize = size(4096, 8);
const PAGES: usize = size(1024, 16);
/// Four million: 268 million timers. Who needs more takes a second source.
const GROUPS: u32 = (PAGE * PAGES) as u32;

/// The number of a slot in its pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Index(pub(crate) u32);

impl Index {
    #[inline]
    pub(crate) fn new(group: u32, at: usize) -> Self {
        Self(group * SLOTS_PER_GROUP as u32 + at as u32)
    }
    #[inline]
    pub(crate) fn group(self) -> u32 {
        self.0 / SLOTS_PER_GROUP as u32
    }
    #[inline]
    pub(crate) fn at(self) -> usize {
        self.0 as usize % SLOTS_PER_GROUP
    }
}

type Page = [OnceBox<Group>; PAGE];

#[derive(Debug)]
pub(crate) struct Groups {
    /// Set once each, without a lock: if two threads set the same at once, one box is dropped.
    pages: [OnceBox<Page>; PAGES],
    /// Groups given out so far.
    len: AtomicU32,
    ordered: bool,
}

impl Groups {
    /// Slots have smaller numbers than this.
    pub(super) const MOST_SLOTS: u64 = GROUPS as u64 * SLOTS_PER_GROUP as u64;

    pub(crate) fn new(ordered: bool) -> Self {
        Self {
            pages: core::array::from_fn(|_| OnceBox::new()),
            len: AtomicU32::new(0),
            ordered,
        }
    }

    /// A group, if it is there.
    #[inline]
    pub(crate) fn get(&self, group: u32) -> Option<&Group> {
        self.pages.get(group as usize / PAGE)?.get()?[group as usize % PAGE].get()
    }

    /// The group of a slot that somebody has.
    #[inline]
    pub(crate) fn of(&self, index: Index) -> &Group {
        match self.get(index.group()) {
            Some(group) => group,
            // An Index comes from `FreeSlots::take`, out of a group that is there.
            None => unreachable!("a slot without a group"),
        }
    }

    /// The number of groups given out.
    pub(crate) fn len(&self) -> u32 {
        // ORDERING: Relaxed; a group that is not there yet reads as "no group".
        self.len.load(Ordering::Relaxed).min(GROUPS)
    }

    /// One more group. Its slots are all free and it is LISTED: the caller has to make it known.
    #[cold]
    pub(crate) fn grow(&self) -> Result<u32, CapacityError> {
        // ORDERING: Relaxed; the number is unique by being a read-modify-write, and the group is
        // published by its OnceBox.
        let group = self.len.fetch_add(1, Ordering::Relaxed);
        if group >= GROUPS {
            // ORDERING: Relaxed, as above. Stays near the limit, so it cannot wrap.
            self.len.fetch_sub(1, Ordering::Relaxed);
            return Err(CapacityError::new());
        }
        let page = self.pages[group as usize / PAGE]
            .get_or_init(|| Box::new(core::array::from_fn(|_| OnceBox::new())));
        page[group as usize % PAGE].get_or_init(|| Box::new(Group::new(self.ordered)));
        Ok(group)
    }
}
