//! The handler's order: a chain of slot indices, sorted by place. Only the handler, while it is inside, walks
//! and changes it.
//!
//! Invariant SORTED: if a slot that has a place (it is Armed and not MOVED) precedes another, its deadline is
//! not after the deadline the other had when it got there (which is not after the one it has now, but
//! for DISORDER). So the first slot that has a place has the earliest deadline of all that follow. A slot
//! without may precede anything: it is looked at early, and unlinked, skipped or given a place.

use super::client::DISORDER;
use super::slot::{Link, Slot, NIL};
use super::{Alarm, InterruptSource};
use crate::sync::{AtomicU16, Ordering};

/// So many new slots are inserted one by one; more are sorted first, so that an interrupt costs
/// `N log N` at most.
const FEW: u32 = 4;

/// Reads a link of the order, or the place where it begins.
// ORDERING: Relaxed, here and in `set`: links are handed from handler to handler by the head, and from a
// client to the handler by the inbox.
#[inline]
pub(super) fn get(link: &AtomicU16) -> Link {
    link.load(Ordering::Relaxed)
}

#[inline]
pub(super) fn set(link: &AtomicU16, to: Link) {
    // ORDERING: see `get`.
    link.store(to, Ordering::Relaxed);
}

impl<A: Alarm, const N: usize> InterruptSource<A, N> {
    /// The slot that a link leads to; none for NIL.
    #[inline]
    fn linked(&self, link: Link) -> Option<&Slot> {
        self.slots.get(usize::from(link).wrapping_sub(1))
    }

    #[inline]
    pub(super) fn follow(&self, link: &AtomicU16) -> Option<(Link, &Slot)> {
        let to = get(link);
        Some((to, self.linked(to)?))
    }

    /// Takes out the slot that `link` leads to, and that is followed by `rest`.
    #[inline]
    pub(super) fn remove(&self, link: &AtomicU16, rest: Link) {
        set(link, rest);
        if rest == NIL {
            set(&self.last, NIL);
        }
    }

    /// Brings what was taken from the inbox, newest first, into the order. `earliest` is the slot, if any,
    /// that was armed as the earliest of all since the handler left.
    #[inline]
    pub(super) fn sort_in(&self, taken: u32, earliest: Link) {
        let mut new = taken as Link;
        let mut is_earliest = new == earliest;
        if taken & DISORDER != 0 {
            new = self.pull_moved(new);
            // It may have been pulled as well, and be the earliest no more.
            is_earliest = false;
        }
        let Some(slot) = self.linked(new) else {
            return;
        };
        if slot.next() != NIL {
            self.sort_in_all(new);
        } else if is_earliest && self.linked(get(&self.first)).is_none_or(Slot::has_place) {
            // It is before everything that has a place, or has been MOVED since: then it may be anywhere.
            // (Before a slot that a client just owns, it would hide it: SORTED.)
            slot.set_next(get(&self.first));
            set(&self.first, new);
        } else {
            self.insert(new, slot, &self.first);
        }
    }

    /// Brings a chain, newest first, into the order.
    #[inline(never)]
    fn sort_in_all(&self, mut chain: Link) {
        let (mut oldest_first, mut count) = (NIL, 0);
        while let Some(slot) = self.linked(chain) {
            let older = slot.next();
            slot.set_next(oldest_first);
            oldest_first = chain;
            chain = older;
            count += 1;
        }
        if count > FEW {
            let order = self.merge(get(&self.first), self.sort(oldest_first));
            set(&self.first, order);
            let mut last = order;
            while let Some((next, _)) = self.linked(last).and_then(|slot| self.follow(slot.link()))
            {
                last = next;
            }
            set(&self.last, last);
            return;
        }
        while let Some(slot) = self.linked(oldest_first) {
            let next = slot.next();
            self.insert(oldest_first, slot, &self.first);
            oldest_first = next;
        }
    }

    /// Puts a slot where it belongs, behind its equals, and not before `link`.
    #[inline(never)]
    pub(super) fn insert<'a>(&'a self, new: Link, slot: &Slot, mut link: &'a AtomicU16) {
        let place = slot.place().unwrap_or(0);
        // A slot without a place precedes anything, but says nothing of what precedes *it*.
        let precedes = |other: &Slot| other.place().unwrap_or(0) <= place;
        let follows_all = |last: &Slot| last.place().is_some_and(|last| last <= place);
        // Most timers are the earliest or the latest.
        if let Some((_, first)) = self.follow(link) {
            if precedes(first) {
                link = first.link();
                if let Some((_, last)) = self.follow(&self.last) {
                    if follows_all(last) {
                        link = last.link();
                    }
                }
                while let Some((_, other)) = self.follow(link) {
                    if !precedes(other) {
                        break;
                    }
                    link = other.link();
                }
            }
        }
        let rest = get(link);
        slot.set_next(rest);
        set(link, new);
        if rest == NIL {
            set(&self.last, new);
        }
    }

    /// Takes every slot that may have to come up before its place out of the order, and puts it before `new`.
    /// On the way those that wait for nothing any more are unlinked.
    #[cold]
    fn pull_moved(&self, mut new: Link) -> Link {
        let (mut link, mut last) = (&self.first, NIL);
        while let Some((index, slot)) = self.follow(link) {
            let (word, rest) = (slot.word(), slot.next());
            if word.is_owned() || word.is_armed() && !word.is_moved() {
                // In its place; or its client sees to it.
                (link, last) = (slot.link(), index);
            } else if !word.is_armed() {
                if slot.unlink(word) {
                    set(link, rest);
                }
            } else if slot.give_place(word) {
                set(link, rest);
                slot.set_next(new);
                new = index;
            }
        }
        set(&self.last, last);
        new
    }

    /// Sorts a chain, without changing the order of equals. A merge sort: run `k` has 2^k slots or none, and
    /// precedes the lower runs in the chain.
    #[cold]
    fn sort(&self, mut chain: Link) -> Link {
        let mut runs = [NIL; u16::BITS as usize];
        let mut used = 0;
        while let Some(slot) = self.linked(chain) {
            let mut run = chain;
            chain = slot.next();
            slot.set_next(NIL);
            for (k, other) in runs.iter_mut().enumerate() {
                if *other == NIL {
                    *other = run;
                    used = used.max(k + 1);
                    break;
                }
                run = self.merge(core::mem::replace(other, NIL), run);
            }
        }
        let runs = runs.into_iter().take(used);
        runs.fold(NIL, |after, before| self.merge(before, after))
    }

    /// Merges two sorted chains; of equals, those of `left` come first.
    fn merge(&self, mut left: Link, mut right: Link) -> Link {
        let place = |link: Link| {
            let slot = self.linked(link)?;
            // A slot without a place goes before everything.
            Some((slot, slot.place().unwrap_or(0)))
        };
        let Some((mut left_slot, mut left_place)) = place(left) else {
            return right;
        };
        let Some((mut right_slot, mut right_place)) = place(right) else {
            return left;
        };
        let first = if left_place <= right_place {
            left
        } else {
            right
        };
        loop {
            // Follow one chain as long as it goes before the other, then change over.
            if left_place <= right_place {
                while left_place <= right_place {
                    left = left_slot.next();
                    let Some(next) = place(left) else {
                        left_slot.set_next(right);
                        return first;
                    };
                    if next.1 > right_place {
                        left_slot.set_next(right);
                    }
                    (left_slot, left_place) = next;
                }
            } else {
                while right_place < left_place {
                    right = right_slot.next();
                    let Some(next) = place(right) else {
                        right_slot.set_next(left);
                        return first;
                    };
                    if next.1 >= left_place {
                        right_slot.set_next(left);
                    }
                    (right_slot, right_place) = next;
                }
            }
        }
    }
}
