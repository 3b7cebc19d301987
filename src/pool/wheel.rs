//! The keeper's order: a hierarchical wheel of slot numbers. Plain memory of one owner.
//!
//! Level `l` has 256 buckets of 2^(16 + 7 l) ns: 65 us, 8.4 ms, 1.07 s, 137 s, 4.9 h, 26 d, 9 y. A timer
//! goes into the lowest level whose 256 buckets reach its deadline. Entries are just slot numbers: the
//! truth (armed? until when?) is in the slot, and whoever takes an entry out looks there. So
//!
//! - a cancelled timer costs the wheel nothing until its place comes up;
//! - an entry may be stale (its slot has another place now) and is dropped when met;
//! - an entry that comes up too early is put where it belongs by then.
//!
//! Invariants:
//!
//! - WINDOW: an occupied bucket of level `l` has a number in `cursor[l] .. cursor[l] + 256`.
//! - EARLIEST: `earliest` of a bucket is not after the deadline that any entry had when it came in, and
//!   `latest` is not before it.
//!
//! Each level reaches two buckets of the next one (256 = 2 * 2^7), so a bucket can be spread over the
//! lower level during the whole time of the bucket before it. Big buckets are spread early and in
//! small pieces, between which what is due is taken: no cascade ever stands in its way. (One cascade
//! of 64 k entries is tokio's 13 ms at a million timers.)
//!
//! The arrays of numbers are what makes it fast at a million: entries of a bucket are independent loads
//! that overlap, where a linked list would be a chain of cache misses.

use std::boxed::Box;
use std::vec;

use super::blocks::Blocks;
use super::bucket::{Bucket, Opened, Place};

const LEVELS: usize = 7;
const FIRST_SHIFT: u32 = 16;
const STEP: u32 = 7;
const BUCKETS: usize = 256;

/// A bucket with so many entries is spread before its time.
const BIG: u32 = 512;
/// How long before its time, for each entry: several times what moving one costs.
const HEAD_START: u64 = 256;

#[derive(Debug)]
pub(crate) struct Wheel {
    buckets: Box<[Bucket]>,
    occupied: [[u64; BUCKETS / 64]; LEVELS],
    cursor: [u64; LEVELS],
    blocks: Blocks,
    /// The bucket that has come up last.
    due: Opened,
    /// The bucket that is being spread before its time.
    ahead: Opened,
    /// How many buckets are BIG.
    big: u32,
    len: usize,
}

#[inline]
pub(super) fn shift(level: usize) -> u32 {
    FIRST_SHIFT + STEP * level as u32
}

impl Wheel {
    pub(crate) fn new() -> Self {
        Self {
            buckets: vec![Bucket::EMPTY; LEVELS * BUCKETS].into_boxed_slice(),
            occupied: [[0; BUCKETS / 64]; LEVELS],
            cursor: [0; LEVELS],
            blocks: Blocks::new(),
            due: Opened::NOTHING,
            ahead: Opened::NOTHING,
            big: 0,
            len: 0,
        }
    }

    /// Entries, stale ones included.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Where a deadline belongs now.
    #[inline]
    pub(crate) fn place_of(&self, deadline: u64) -> Place {
        for level in 0..LEVELS {
            let cursor = self.cursor[level];
            let number = (deadline >> shift(level)).max(cursor);
            if number - cursor < BUCKETS as u64 {
                return Place::of(level * BUCKETS + (number % BUCKETS as u64) as usize);
            }
        }
        // Not reached: the last level has 64 numbers.
        Place::of((LEVELS - 1) * BUCKETS)
    }

    /// Puts a slot at a place that `place_of` gave for its deadline.
    #[inline]
    pub(crate) fn insert(&mut self, place: Place, slot: u32, deadline: u64) {
        let at = place.bucket();
        let Some(bucket) = self.buckets.get_mut(at) else {
            return;
        };
        self.blocks.push(&mut bucket.chain, slot);
        bucket.len += 1;
        if bucket.len == BIG {
            self.big += 1;
        }
        bucket.earliest = bucket.earliest.min(deadline);
        bucket.latest = bucket.latest.max(deadline);
        self.occupied[at / BUCKETS][at % BUCKETS / 64] |= 1 << (at % 64);
        self.len += 1;
    }

    /// The slot is in this bucket already, and its deadline has become earlier.
    #[inline]
    pub(crate) fn hurry(&mut self, place: Place, deadline: u64) {
        if let Some(bucket) = self.buckets.get_mut(place.bucket()) {
            bucket.earliest = bucket.earliest.min(deadline);
        }
    }

    /// The first occupied bucket of a level: its number.
    fn first(&self, level: usize) -> Option<u64> {
        let cursor = self.cursor[level];
        let start = (cursor % BUCKETS as u64) as usize;
        let words = &self.occupied[level];
        if *words == [0; BUCKETS / 64] {
            return None;
        }
        // Circular from `start`: the rest of its word, the other words, the beginning of its word.
        for step in 0..=words.len() {
            let word = (start / 64 + step) % words.len();
            let mut bits = words[word];
            if step == 0 {
                bits &= u64::MAX << (start % 64);
            } else if step == words.len() {
                bits &= !(u64::MAX << (start % 64));
            }
            if bits != 0 {
                let at = (word * 64) as u64 + u64::from(bits.trailing_zeros());
                return Some(cursor + (at.wrapping_sub(start as u64) % BUCKETS as u64));
            }
        }
        None
    }

    fn bucket(&self, level: usize, number: u64) -> &Bucket {
        &self.buckets[level * BUCKETS + (number % BUCKETS as u64) as usize]
    }

    /// If the first bucket of a level is BIG, or the one after it: when to begin to spread it, and its number.
    /// Not before the lower level reaches all of it, which is when the one before it has come up.
    fn early_start(&self, level: usize) -> Option<(u64, u64)> {
        if self.big == 0 || level == 0 {
            return None;
        }
        let first = self.first(level)?;
        let is_big = |&number: &u64| self.bucket(level, number).len >= BIG;
        let number = [first, first + 1].into_iter().find(is_big)?;
        let start = |number: u64| number << shift(level);
        let head_start = u64::from(self.bucket(level, number).len) * HEAD_START;
        let begin = start(number).saturating_sub(head_start);
        Some((begin.max(start(number.saturating_sub(1))), number))
    }

    /// When the keeper should look next: never after the first deadline.
    pub(crate) fn next(&self) -> Option<u64> {
        let mut next = None;
        for level in 0..LEVELS {
            let first = self
                .first(level)
                .map(|number| self.bucket(level, number).earliest);
            let early = self.early_start(level).map(|(begin, _)| begin);
            for time in [first, early].into_iter().flatten() {
                next = Some(next.map_or(time, |next: u64| next.min(time)));
            }
        }
        next
    }

    /// When to look next, if a timer may be `slack` late: at the last deadline that is not later than that
    /// after the first. So no timer is later than `slack`, looks are on average more than `slack` apart, no
    /// choice of times makes fewer of them, and who has no near neighbour is not late at all.
    pub(crate) fn next_within(&self, slack: u64) -> Option<u64> {
        let first = self.next()?;
        let limit = first.saturating_add(slack);
        let mut last = first;
        for level in 0..LEVELS {
            let Some(begin) = self.first(level) else {
                continue;
            };
            let end =
                (limit >> shift(level)).min(self.cursor[level].saturating_add(BUCKETS as u64 - 1));
            for number in begin..=end {
                last = last.max(self.bucket(level, number).last_until(limit, level == 0));
            }
        }
        Some(last)
    }

    /// Takes the whole of a bucket out.
    fn open(&mut self, level: usize, number: u64) -> Opened {
        let at = level * BUCKETS + (number % BUCKETS as u64) as usize;
        let bucket = core::mem::replace(&mut self.buckets[at], Bucket::EMPTY);
        self.occupied[level][at % BUCKETS / 64] &= !(1 << (at % 64));
        self.len -= bucket.len as usize;
        if bucket.len >= BIG {
            self.big -= 1;
        }
        Opened {
            rest: bucket.chain,
            place: Place::of(at),
        }
    }

    /// Begins a pass: the buckets up to `now` are to be emptied. See [`take`](Self::take).
    pub(crate) fn pass(&mut self, now: u64) -> Pass {
        Pass {
            now,
            level: 0,
            current: false,
        }
    }

    /// The next few entries whose bucket has come up, and the place where they were. `None` when the pass
    /// is over.
    pub(crate) fn take(&mut self, pass: &mut Pass, into: &mut [u32]) -> Option<(Place, usize)> {
        loop {
            if let Some(taken) = self.due.take(&mut self.blocks, into) {
                return Some(taken);
            }
            let level = pass.level;
            if level == LEVELS {
                return None;
            }
            let now = pass.now >> shift(level);
            match self.first(level) {
                // A bucket of the past, or once the one we are in: some of it is due.
                Some(number) if number < now || pass.enters(number, self.bucket(level, number)) => {
                    pass.current = number == now;
                    self.cursor[level] = number;
                    self.due = self.open(level, number);
                }
                _ => {
                    self.cursor[level] = self.cursor[level].max(now);
                    (pass.level, pass.current) = (level + 1, false);
                }
            }
        }
    }

    /// The next few entries of a big bucket that is to be spread before its time, and the place where they
    /// were. To be asked after the pass at `now`.
    pub(crate) fn take_ahead(&mut self, now: u64, into: &mut [u32]) -> Option<(Place, usize)> {
        loop {
            if let Some(taken) = self.ahead.take(&mut self.blocks, into) {
                return Some(taken);
            }
            let (level, number) = (1..LEVELS).find_map(|level| {
                let (begin, number) = self.early_start(level)?;
                (begin <= now).then_some((level, number))
            })?;
            self.ahead = self.open(level, number);
        }
    }

    /// Forgets every entry.
    pub(crate) fn clear(&mut self) {
        let cursor = self.cursor;
        *self = Self::new();
        self.cursor = cursor;
    }
}

/// How far the keeper is in emptying the buckets up to a time.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) now: u64,
    level: usize,
    /// The bucket that `now` is in has been opened: what is put back into it stays for the next pass.
    current: bool,
}

impl Pass {
    /// Whether this is the bucket we are in, something of it is due, and it has not been opened yet.
    fn enters(&self, number: u64, bucket: &Bucket) -> bool {
        number == self.now >> shift(self.level) && !self.current && bucket.earliest <= self.now
    }
}
