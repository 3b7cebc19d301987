//! The handler's order: a chain of slot indices, sorted by place. Only the handler, while it is inside, walks
//! and changes it; but a client that arms the earliest timer puts it in front, by the head.
//!
//! Invariant SORTED: if a slot that has a place (it is Armed and not MOVED) precedes another, its deadline is
//! not after the deadline the other had when it got there (which is not after the one it has now, but
//! for DISORDER). So the first slot, if it has a place, has the earliest deadline of all. A slot that a client
//! has owned since may precede anything: it is looked at early, and admitted again. What is put in front is
//! earlier than the alarm, and the alarm is not later than any place.

use super::client::DISORDER;
use super::slot::{Link, Slot, NIL};
use super::{Alarm, InterruptSource};
use crate::sync::{AtomicU16, Ordering};

/// Reads a link of the order.
// ORDERING: Relaxed, here and in `set`: links are handed from handler to handler by the head, and from a
// client to the handler by the inbox or the head.
#[inline]
pub(super) fn get(link: &AtomicU16) -> Link {
    usize::from(link.load(Ordering::Relaxed))
}

#[inline]
pub(super) fn set(link: &AtomicU16, to: Link) {
    // ORDERING: see `get`.
    link.store(to as u16, Ordering::Relaxed);
}

impl<A: Alarm, const N: usize> InterruptSource<A, N> {
    /// One more than the binary digits of N: a sorted run of each size, and none of N is left.
    const RUNS: usize = (usize::BITS - N.leading_zeros()) as usize;

    /// The slot that a link leads to; none for NIL.
    #[inline]
    pub(super) fn linked(&self, link: Link) -> Option<&Slot> {
        self.slots.get(link.wrapping_sub(1))
    }

    /// Admits again what is in front of the first slot that has a place, all at once (one by one, it could cost a
    /// walk each). Returns where the order begins then.
    #[inline(never)]
    pub(super) fn mend(&self, mut first: Link) -> Link {
        let mut chain = NIL;
        while let Some(slot) = self.linked(first) {
            if slot.word().has_place() {
                break;
            }
            let rest = slot.next();
            if self.admit(first, slot) {
                slot.set_next(chain);
                chain = first;
            }
            first = rest;
        }
        if chain == NIL {
            return first;
        }
        self.sort_in(first, chain as u32)
    }

    /// Brings a chain of LINKED slots (newest first, and DISORDER) into the order that begins with `first`, and
    /// returns where it begins then.
    #[inline(never)]
    pub(super) fn sort_in(&self, first: Link, taken: u32) -> Link {
        if N == 1 {
            // Nothing to sort.
            let new = usize::from(taken as u16);
            let link = if new == NIL { first } else { new };
            let is_armed = self.linked(link).is_some_and(|slot| self.admit(link, slot));
            return if is_armed { link } else { NIL };
        }
        let new = taken as Link;
        // Likely: one new timer. (With DISORDER there is no such slot.)
        match self.linked(new) {
            Some(slot) if slot.next() == NIL => match self.admit(new, slot) {
                true => self.append(first, new),
                false => first,
            },
            _ => self.sort_in_all(first, taken),
        }
    }

    /// A merge sort, so that an interrupt costs `N log N` at most: run `k` has 2^k slots or none, and is newer
    /// than the lower runs.
    #[inline(never)]
    fn sort_in_all(&self, mut first: Link, taken: u32) -> Link {
        let mut runs = [NIL as u16; u16::BITS as usize];
        let mut chain = usize::from(taken as u16);
        let mut disorder = taken & DISORDER != 0;
        loop {
            let Some(slot) = self.linked(chain) else {
                if !disorder {
                    break;
                }
                // Something in the order may have to come up before its place: all of it is sorted anew.
                disorder = false;
                (chain, first) = (first, NIL);
                continue;
            };
            let mut run = chain;
            chain = slot.next();
            if self.admit(run, slot) {
                slot.set_next(NIL);
                for other in runs.iter_mut().take(Self::RUNS) {
                    if usize::from(*other) == NIL {
                        *other = run as u16;
                        break;
                    }
                    run = self.merge(run, usize::from(core::mem::take(other)));
                }
            }
        }
        let mut new = NIL;
        for run in runs.iter().take(Self::RUNS) {
            new = self.merge(new, usize::from(*run));
        }
        self.append(first, new)
    }

    /// Gives a slot that is in no chain a place, if it is Armed. One that waits for nothing is unlinked. One that
    /// a client just owns goes to the inbox: when it is armed, its client sees to it that the handler looks
    /// there in time (KICK-OR-SEE).
    #[inline(never)]
    fn admit(&self, link: Link, slot: &Slot) -> bool {
        loop {
            let word = slot.word();
            if word.has_place() {
                return true;
            }
            if word.is_owned() {
                // DISORDER, because it may wipe out somebody's.
                // ORDERING: Relaxed: being an exchange, it hands on what the clients before it have published; its
                // own link concerns only the next handler, which the head orders.
                let newest = self.inbox.swap(link as u32 | DISORDER, Ordering::Relaxed);
                slot.set_next(usize::from(newest as u16));
                return false;
            }
            if slot.swap(word, word.admitted()) {
                return word.is_armed();
            }
        }
    }

    /// Merges a sorted chain into the order that begins with `first`: most likely, it goes to the end.
    fn append(&self, first: Link, new: Link) -> Link {
        // NIL: not known.
        let mut last = if first == NIL { NIL } else { get(&self.last) };
        let (end, begin) = (self.linked(last), self.linked(new));
        let all = match (end, begin) {
            (Some(end), Some(begin)) if (1..=begin.place()).contains(&end.place()) => {
                end.set_next(new);
                first
            }
            _ => self.merge(first, new),
        };
        if last == NIL {
            last = all;
        }
        while let Some(next) = self.linked(last).map(Slot::next) {
            if next == NIL {
                break;
            }
            last = next;
        }
        set(&self.last, last);
        all
    }

    /// Merges two sorted chains; of equals, those of `left` come first.
    #[inline(never)]
    fn merge(&self, mut left: Link, mut right: Link) -> Link {
        let merged = AtomicU16::new(NIL as u16);
        let mut end = &merged;
        while let Some(right_slot) = self.linked(right) {
            let (next, slot) = match self.linked(left) {
                None => break,
                Some(left_slot) if left_slot.place() <= right_slot.place() => {
                    (&mut left, left_slot)
                }
                _ => (&mut right, right_slot),
            };
            set(end, *next);
            end = slot.link();
            *next = get(end);
        }
        set(end, if left == NIL { right } else { left });
        get(&merged)
    }
}
