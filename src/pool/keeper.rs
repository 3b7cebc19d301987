//! The keeper's side of a pool: new timers into the wheel, due timers out of it and fired.
//!
//! One owner at a time, the driver thread or whoever moves a manual clock. It works in small steps, so
//! that neither a million new timers nor a million due ones keep the other kind waiting.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::vec::Vec;

use super::blocks::{Entries, Entry, MOST};
use super::bucket::{Origin, Place};
use super::group::NONE;
use super::groups::Index;
use super::inbox::Inbox;
use super::slot::{Fired, Look, Slot};
use super::wheel::Wheel;
use super::word::Word;
use super::Pool;
use crate::sync::{Ordering, SLOTS_PER_GROUP};
use crate::ticks::NEVER;

/// Groups of new timers that one step looks at: up to 1,024 slots.
const GROUPS_PER_STEP: usize = 16;
/// Wheel entries that one step looks at because they have come up.
const ENTRIES_PER_STEP: usize = 512;
/// What one step does ahead of time: a block of entries counts for 30, an entry whose slot has to be looked at
/// for 3 more. That is 18 blocks of those that come down by themselves, nearly as many entries as it takes at their
/// time (or those would catch up), or else five: 6 us of delay for what is due.
const AHEAD_PER_STEP: usize = 512;

#[derive(Debug)]
pub(crate) struct Keeper {
    wheel: Wheel,
    /// Groups taken from the inbox and not opened yet.
    unopened: u32,
    due: Vec<u32>,
    pace: Pace,
}

/// How much one step does.
#[derive(Debug)]
struct Pace {
    /// Groups of new timers.
    groups: usize,
    /// Wheel entries that have come up.
    entries: usize,
}

impl Pace {
    /// Neither a million new timers nor a million due ones keep the other kind waiting.
    const FAIR: Self = Self {
        groups: GROUPS_PER_STEP,
        entries: ENTRIES_PER_STEP,
    };
    /// The order of a step is the order of all that is due.
    const ORDERED: Self = Self {
        groups: usize::MAX,
        entries: usize::MAX,
    };
}

impl Keeper {
    /// For a pool that was made with the same `ordered`.
    pub(crate) fn new(ordered: bool) -> Self {
        Self {
            wheel: Wheel::new(),
            unopened: NONE,
            pace: if ordered { Pace::ORDERED } else { Pace::FAIR },
            due: Vec::with_capacity(ENTRIES_PER_STEP + AHEAD_PER_STEP / 4 + 2 * MOST),
        }
    }

    /// One step: looks at some of the new timers, fires some of what is due at `now`. `true` if there
    /// is more to do at once; only a step that returned `false` has seen everything that was in the
    /// inbox when it began.
    pub(crate) fn step(&mut self, pool: &Pool, now: u64) -> bool {
        let more_new = self.admit_some(pool);
        let more_due = self.collect_some(pool, now);
        let more_ahead = self.spread_some(pool, now);
        // The wakers may start others, and nobody kicks a clock that is moved by hand.
        let more_started = pool.started.is_some() && !self.due.is_empty();
        self.fire(pool, now);
        if self.wheel.len() > 4096 + 2 * pool.groups.len() as usize * SLOTS_PER_GROUP {
            self.rebuild(pool);
        }
        more_new || more_due || more_ahead || more_started
    }

    /// When to look next: not after the first deadline.
    pub(crate) fn next(&self) -> Option<u64> {
        self.wheel.next()
    }

    /// When to look next, if timers may be so late.
    pub(crate) fn next_within(&self, slack: u64) -> Option<u64> {
        self.wheel.next_within(slack)
    }

    fn admit_some(&mut self, pool: &Pool) -> bool {
        for _ in 0..self.pace.groups {
            if self.unopened == NONE {
                self.unopened = pool.inbox.take();
            }
            let number = self.unopened;
            let Some(group) = pool.groups.get(number) else {
                return false;
            };
            let (next, mut marks) = Inbox::open(group);
            self.unopened = next;
            while marks != 0 {
                let at = marks.trailing_zeros() as usize;
                marks &= marks - 1;
                self.admit(group.slot(at), Index::new(number, at));
            }
        }
        true
    }

    /// Takes in one new timer, or one whose deadline has become earlier.
    #[inline]
    fn admit(&mut self, slot: &Slot, index: Index) {
        loop {
            match slot.look() {
                // It was marked because its place is too late, or because it has none. Cancelled
                // meanwhile, it has none from now on; the next arm says so again (LINKED).
                Look::Idle(word) | Look::Armed(word, NEVER) => {
                    if slot.unlink(word) {
                        return set_place(slot, Place::NONE);
                    }
                }
                // If a client re-arms it for an earlier time from here on, it marks it again.
                Look::Armed(_, deadline) => {
                    let place = self.wheel.place_of(deadline);
                    if get_place(slot) == place && self.wheel.hurry(place, deadline) {
                        return;
                    }
                    // An entry at its former place, if there is one, is stale from now on. (Or it is a second
                    // one at the same place, or comes down to it: the later of the two is stale then.)
                    set_place(slot, place);
                    return self.wheel.insert(place, index.0, deadline);
                }
            }
        }
    }

    /// Takes some of the entries that have come up: the due ones to `due`, the others to their place.
    fn collect_some(&mut self, pool: &Pool, now: u64) -> bool {
        let mut entries = Entries::default();
        let mut looked_at = 0;
        while looked_at < self.pace.entries {
            let Some((origin, taken)) = self.wheel.take(now, &mut entries) else {
                return false;
            };
            // A block counts for ten at least, if only for being opened: all of it may have come down by itself.
            looked_at += taken.max(MOST / 3);
            self.sort_out_all(pool, &entries[..taken], origin, now);
        }
        true
    }

    /// Moves some of the entries of big buckets that are about to come up.
    fn spread_some(&mut self, pool: &Pool, now: u64) -> bool {
        let mut entries = Entries::default();
        let mut effort = 0;
        while effort < AHEAD_PER_STEP {
            let Some((origin, taken)) = self.wheel.take_ahead(now, &mut entries) else {
                return false;
            };
            effort += MOST + 3 * taken;
            self.sort_out_all(pool, &entries[..taken], origin, now);
        }
        true
    }

    #[inline]
    fn sort_out_all(&mut self, pool: &Pool, entries: &[Entry], origin: Origin, now: u64) {
        let mut useless = 0;
        for entry in entries {
            let slot = pool.slot(Index(entry.slot));
            if !origin.is(get_place(slot)) {
                useless += 1;
            } else if self.sort_out(slot, entry.slot, now).is_some() {
                self.due.push(entry.slot);
            } else if get_place(slot) == Place::NONE {
                useless += 1;
            }
        }
        self.wheel.learn(useless, entries.len());
    }

    /// Looks at a slot whose entry came up: its word if it is due; otherwise it is put where it belongs.
    #[inline]
    fn sort_out(&mut self, slot: &Slot, entry: u32, now: u64) -> Option<Word> {
        loop {
            match slot.look() {
                Look::Armed(word, deadline) if deadline <= now => return Some(word),
                Look::Armed(_, deadline) if deadline != NEVER => {
                    // Still LINKED. If a client re-arms it for an earlier time meanwhile, it
                    // compares with this deadline or a later one, and marks it in the inbox.
                    let place = self.wheel.place_of(deadline);
                    set_place(slot, place);
                    self.wheel.insert(place, entry, deadline);
                    return None;
                }
                Look::Armed(word, _) | Look::Idle(word) => {
                    if slot.unlink(word) {
                        set_place(slot, Place::NONE);
                        return None;
                    }
                }
            }
        }
    }

    /// Fires what is due.
    fn fire(&mut self, pool: &Pool, now: u64) {
        let mut due = core::mem::take(&mut self.due);
        if pool.started.is_some() {
            // Cached: a client may move a timer meanwhile, and a sort may panic if the order changes.
            due.sort_by_cached_key(|&entry| order_of(pool, Index(entry)));
        }
        for &entry in &due {
            let slot = pool.slot(Index(entry));
            // Looked at again: the wakers before it may have taken their time.
            while let Some(word) = self.sort_out(slot, entry, now) {
                // Its place is given up before a client can have it again.
                set_place(slot, Place::NONE);
                if let Some(fired) = slot.fire(word) {
                    settle(pool, Index(entry), slot, fired);
                    break;
                }
            }
        }
        due.clear();
        self.due = due;
    }

    /// Throws stale entries away by starting anew. They are bounded by how often timers were moved
    /// to an earlier time, so this is rare.
    #[cold]
    fn rebuild(&mut self, pool: &Pool) {
        self.wheel.clear();
        pool.for_each_slot(|index, slot| {
            if get_place(slot) != Place::NONE && self.sort_out(slot, index.0, 0).is_some() {
                let place = self.wheel.place_of(0);
                set_place(slot, place);
                self.wheel.insert(place, index.0, 0);
            }
        });
    }
}

/// What is left to do for a fired timer: user code, kept away from everybody else.
fn settle(pool: &Pool, index: Index, slot: &Slot, fired: Fired) {
    if let Some(waker) = fired.waker {
        contain(|| waker.wake());
    }
    if fired.abandoned {
        contain(|| pool.recycle(index, slot));
    }
}

/// Runs user code; a panic in it is its own (P6).
fn contain(code: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(code)) {
        // Dropping the payload is user code as well. A payload whose drop panics is leaked.
        if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            core::mem::forget(second);
        }
    }
}

/// The order in which timers of one pass fire: by deadline, then in the order of their starts.
fn order_of(pool: &Pool, index: Index) -> (u64, u64) {
    let group = pool.groups.of(index);
    // ORDERING: Relaxed; published with the slot.
    let started = group
        .order(index.at())
        .map_or(0, |order| order.load(Ordering::Relaxed));
    (group.slot(index.at()).deadline(), started)
}

#[inline]
fn get_place(slot: &Slot) -> Place {
    // ORDERING: Relaxed; only keepers use it, and they hand over to each other.
    Place(slot.state().place.load(Ordering::Relaxed))
}

#[inline]
fn set_place(slot: &Slot, place: Place) {
    // ORDERING: Relaxed, as above.
    slot.state().place.store(place.0, Ordering::Relaxed);
}
