//! The handler's order: a chain of slot indices, sorted by place. Only the handler, while it is inside, walks
//! and changes it.
//!
//! Invariant SORTED: if a slot that has a place (it is Armed and not MOVED) precedes another, its deadline is
//! not after the deadline the other had when it got there (which is not after the one it has now, but
//! for DISORDER). So the first slot that has a place has the earliest deadline of all that follow. A slot
//! without may precede anything: it is looked at early, and unlinked, skipped or given a place.

use super::client::DISORDER;
use super::slot::NIL;
use super::{Alarm, InterruptSource};
use crate::sync::Ordering;

impl<A: Alarm, const N: usize> InterruptSource<A, N> {
    /// The slot after slot `at`, or the first after NIL.
    #[inline]
    pub(super) fn after(&self, at: u16) -> u16 {
        match self.slots.get(usize::from(at)) {
            Some(slot) => slot.next(),
            // ORDERING: Relaxed: handed from handler to handler by the head.
            None => self.first.load(Ordering::Relaxed),
        }
    }

    #[inline]
    pub(super) fn set_after(&self, at: u16, next: u16) {
        match self.slots.get(usize::from(at)) {
            Some(slot) => slot.set_next(next),
            // ORDERING: as in `after`.
            None => self.first.store(next, Ordering::Relaxed),
        }
    }

    /// Brings what was taken from the inbox, newest first, into the order.
    #[inline]
    pub(super) fn sort_in(&self, taken: u32) {
        let mut new = taken as u16;
        if taken & DISORDER != 0 {
            new = self.pull_moved(new);
        }
        let several = self
            .slots
            .get(usize::from(new))
            .is_some_and(|slot| slot.next() != NIL);
        if several {
            new = self.sort(new);
        }
        let order = self.merge(self.after(NIL), new);
        self.set_after(NIL, order);
    }

    /// Takes every slot that may have to come up before its place out of the order, and puts it before `new`.
    /// On the way those that wait for nothing any more are unlinked.
    #[cold]
    fn pull_moved(&self, mut new: u16) -> u16 {
        let mut at = NIL;
        loop {
            let index = self.after(at);
            let Some(slot) = self.slots.get(usize::from(index)) else {
                return new;
            };
            let (word, rest) = (slot.word(), slot.next());
            if word.is_owned() {
                // Its client sees to it.
                at = index;
            } else if !word.is_armed() {
                if slot.unlink(word) {
                    self.set_after(at, rest);
                }
            } else if !word.is_moved() {
                at = index;
            } else if slot.give_place(word) {
                self.set_after(at, rest);
                slot.set_next(new);
                new = index;
            }
        }
    }

    /// Sorts a chain, newest first, into one with the earliest first and equals in the order they were
    /// pushed. A merge sort: run `k` of `runs` has 2^k slots, and older runs are later in the chain.
    #[inline(never)]
    fn sort(&self, mut chain: u16) -> u16 {
        let mut runs = [NIL; u16::BITS as usize];
        while let Some(slot) = self.slots.get(usize::from(chain)) {
            let mut run = chain;
            chain = slot.next();
            slot.set_next(NIL);
            for other in &mut runs {
                if *other == NIL {
                    *other = run;
                    break;
                }
                run = self.merge(run, core::mem::replace(other, NIL));
            }
        }
        runs.into_iter()
            .fold(NIL, |older, newer| self.merge(older, newer))
    }

    /// Merges two sorted chains; of equals, those of `left` come first.
    pub(super) fn merge(&self, mut left: u16, mut right: u16) -> u16 {
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
