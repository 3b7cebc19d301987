//! The handler's order: a chain of slot indices, sorted by place. Only the handler, while it is inside, walks
//! and changes it.
//!
//! Invariant SORTED: if a slot that has a place (it is Armed and not MOVED) precedes another, its deadline is
//! not after the deadline the other had when it got there (which is not after the one it has now, but
//! for DISORDER). So the first slot that has a place has the earliest deadline of all that follow. A slot
//! without may precede anything: it is looked at early, and unlinked, skipped or given a place.

use super::client::DISORDER;
use super::slot::{Slot, NIL};
use super::{Alarm, InterruptSource};
use crate::sync::{AtomicU16, Ordering};

/// Reads a link of the order, or the place where it begins.
// ORDERING: Relaxed, here and in `set`: links are handed from handler to handler by the head, and from a
// client to the handler by the inbox.
#[inline]
pub(super) fn get(link: &AtomicU16) -> u16 {
    link.load(Ordering::Relaxed)
}

#[inline]
pub(super) fn set(link: &AtomicU16, index: u16) {
    // ORDERING: see `get`.
    link.store(index, Ordering::Relaxed);
}

impl<A: Alarm, const N: usize> InterruptSource<A, N> {
    /// The slot that a link leads to.
    #[inline]
    pub(super) fn follow(&self, link: &AtomicU16) -> Option<(u16, &Slot)> {
        let index = get(link);
        Some((index, self.slots.get(usize::from(index))?))
    }

    /// Takes out the slot that `link` leads to, and that is followed by `rest`.
    #[inline]
    pub(super) fn remove(&self, link: &AtomicU16, rest: u16) {
        set(link, rest);
        if rest == NIL {
            set(&self.last, NIL);
        }
    }

    /// Brings what was taken from the inbox, newest first, into the order. `earliest` is the slot, if any,
    /// that was armed as the earliest of all since the handler left.
    #[inline]
    pub(super) fn sort_in(&self, taken: u32, earliest: u16) {
        let mut new = taken as u16;
        let mut is_earliest = new == earliest;
        if taken & DISORDER != 0 {
            new = self.pull_moved(new);
            // It may have been pulled as well, and be the earliest no more.
            is_earliest = false;
        }
        let Some(slot) = self.slots.get(usize::from(new)) else {
            return;
        };
        if slot.next() != NIL {
            self.merge_in(new);
        } else if is_earliest {
            // It is before everything, or has been MOVED since: then it may be. It is next, or due already.
            slot.set_next(get(&self.first));
            set(&self.first, new);
        } else {
            self.insert(new, slot, &self.first);
        }
    }

    /// Puts a slot where it belongs, behind its equals, and not before `link`.
    #[inline(never)]
    pub(super) fn insert<'a>(&'a self, new: u16, slot: &Slot, mut link: &'a AtomicU16) {
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

    #[cold]
    fn merge_in(&self, new: u16) {
        let new = self.sort(new);
        let order = self.merge(get(&self.first), new);
        set(&self.first, order);
        // Whichever it is.
        set(&self.last, NIL);
    }

    /// Takes every slot that may have to come up before its place out of the order, and puts it before `new`.
    /// On the way those that wait for nothing any more are unlinked.
    #[cold]
    fn pull_moved(&self, mut new: u16) -> u16 {
        let mut link = &self.first;
        while let Some((index, slot)) = self.follow(link) {
            let (word, rest) = (slot.word(), slot.next());
            if word.is_owned() || word.is_armed() && !word.is_moved() {
                // In its place; or its client sees to it.
                link = slot.link();
            } else if !word.is_armed() {
                if slot.unlink(word) {
                    self.remove(link, rest);
                }
            } else if slot.give_place(word) {
                self.remove(link, rest);
                slot.set_next(new);
                new = index;
            }
        }
        new
    }

    /// Sorts a chain, newest first, into one with the earliest first and equals in the order they were
    /// pushed. A merge sort: run `k` has 2^k slots or none, and lower runs are older.
    fn sort(&self, mut chain: u16) -> u16 {
        let mut runs = [NIL; u16::BITS as usize];
        let mut used = 0;
        while let Some(slot) = self.slots.get(usize::from(chain)) {
            let mut run = chain;
            chain = slot.next();
            slot.set_next(NIL);
            for (k, other) in runs.iter_mut().enumerate() {
                if *other == NIL {
                    *other = run;
                    used = used.max(k + 1);
                    break;
                }
                run = self.merge(run, core::mem::replace(other, NIL));
            }
        }
        let runs = runs.into_iter().take(used);
        runs.fold(NIL, |older, newer| self.merge(older, newer))
    }

    /// Merges two sorted chains; of equals, those of `left` come first.
    fn merge(&self, mut left: u16, mut right: u16) -> u16 {
        let place = |index: u16| {
            let slot = self.slots.get(usize::from(index))?;
            // A slot without a place goes before everything.
            Some((slot, slot.place().unwrap_or(0)))
        };
        let Some((mut left_slot, mut left_place)) = place(left) else {
            return right;
        };
        let Some((mut right_slot, mut right_place)) = place(right) else {
            return left;
        };
        let first = if left_place <= right_place { left } else { right };
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
