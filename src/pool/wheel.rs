//! The keeper's order: a hierarchical wheel of slot numbers. Plain memory of one owner.
//!
//! The lowest level has 1,024 buckets of 2^16 ns, 65 us: a timer of up to 67 ms goes where it stays. Six more have
//! 256 each: of 34 ms, 4.3 s, 9 min, 20 h, 104 d, 37 y. A timer goes into the lowest level that reaches its
//! deadline. The truth (armed? until when?) is in the slot, and whoever takes an entry out looks there. So
//!
//! - a cancelled timer costs the wheel nothing until its place comes up;
//! - an entry may be stale (its slot has another place now) and is dropped when met;
//! - an entry that comes up too early is put where it belongs by then.
//!
//! Invariants:
//!
//! - WINDOW: an occupied bucket of level `l` has a number in `cursor[l] .. cursor[l] + size(l)`.
//! - EARLIEST: `earliest` of a bucket is not after the deadline that any entry had when it came in, and
//!   `latest` is not before it.
//!
//! Buckets with many entries are spread before their time (ahead.rs), some of them without their slots (dense.rs).
//!
//! The arrays of numbers are what makes it fast at a million: entries of a bucket are independent loads
//! that overlap, where a linked list would be a chain of cache misses.

use std::boxed::Box;
use std::vec;

use super::blocks::{Blocks, Entries, Entry};
use super::bucket::{Bucket, Opened, Origin, Place};
use super::levels::{is_parted, locate, shift, size, BUCKETS, LEVELS, SHARE};

/// A bucket with so many entries is spread before its time.
pub(super) const BIG: u32 = 512;

#[derive(Debug)]
pub(crate) struct Wheel {
    buckets: Box<[Bucket]>,
    occupied: [u64; BUCKETS / 64],
    pub(super) cursor: [u64; LEVELS],
    pub(super) blocks: Blocks,
    /// The pass that is not over yet.
    pass: Option<Pass>,
    /// The bucket that has come up last.
    due: Opened,
    /// The bucket of each level that is being spread before its time.
    pub(super) ahead: [Opened; LEVELS],
    /// How many of the entries looked at lately were of no use (cancelled, or stale); see `learn`.
    pub(super) useless: u32,
    /// How many buckets are BIG.
    pub(super) big: u32,
    len: usize,
}

impl Wheel {
    pub(crate) fn new() -> Self {
        Self {
            buckets: vec![Bucket::EMPTY; BUCKETS].into_boxed_slice(),
            occupied: [0; BUCKETS / 64],
            cursor: [0; LEVELS],
            blocks: Blocks::new(),
            pass: None,
            due: Opened::NOTHING,
            ahead: [Opened::NOTHING; LEVELS],
            useless: 0,
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
            if number - cursor < size(level) as u64 {
                return Place::of(locate(level, number));
            }
        }
        // Not reached: the last level has 16 numbers.
        Place::of(locate(LEVELS - 1, 0))
    }

    /// Puts a slot at a place that `place_of` gave for its deadline.
    #[inline]
    pub(crate) fn insert(&mut self, place: Place, slot: u32, deadline: u64) {
        let part = ((deadline >> shift(0)) % SHARE) as u16;
        self.put(place, Entry { slot, part }, deadline, deadline);
    }

    /// Puts an entry into a bucket. It is due between the two times.
    #[inline]
    pub(super) fn put(&mut self, place: Place, entry: Entry, earliest: u64, latest: u64) {
        let at = place.bucket();
        let Some(bucket) = self.buckets.get_mut(at) else {
            return;
        };
        self.blocks.push(&mut bucket.chain, entry, is_parted(at));
        bucket.len += 1;
        if bucket.len == BIG {
            self.big += 1;
        }
        bucket.earliest = bucket.earliest.min(earliest);
        bucket.latest = bucket.latest.max(latest);
        self.occupied[at / 64] |= 1 << (at % 64);
        self.len += 1;
    }

    /// The slot is in this bucket already, and its deadline has become earlier. `false` if it needs another
    /// entry all the same, because nobody may look at the slot before the entry comes down.
    #[inline]
    #[must_use]
    pub(crate) fn hurry(&mut self, place: Place, deadline: u64) -> bool {
        let at = place.bucket();
        if is_parted(at) {
            return false;
        }
        if let Some(bucket) = self.buckets.get_mut(at) {
            bucket.earliest = bucket.earliest.min(deadline);
        }
        true
    }

    /// The first occupied bucket of a level: its number.
    pub(super) fn first(&self, level: usize) -> Option<u64> {
        let cursor = self.cursor[level];
        let base = locate(level, 0) / 64;
        let words = &self.occupied[base..base + size(level) / 64];
        // Circular from `start`: the rest of its word, the other words, the beginning of its word.
        let start = cursor as usize & (size(level) - 1);
        for step in 0..=words.len() {
            let word = (start / 64 + step) % words.len();
            let mut bits = words[word];
            if step == 0 {
                bits &= u64::MAX << (start % 64);
            } else if step == words.len() {
                bits &= !(u64::MAX << (start % 64));
            }
            if bits != 0 {
                let at = word * 64 + bits.trailing_zeros() as usize;
                return Some(cursor + (at.wrapping_sub(start) & (size(level) - 1)) as u64);
            }
        }
        None
    }

    pub(super) fn bucket(&self, level: usize, number: u64) -> &Bucket {
        &self.buckets[locate(level, number)]
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
            let end = (limit >> shift(level))
                .min(self.cursor[level].saturating_add(size(level) as u64 - 1));
            for number in begin..=end {
                last = last.max(self.bucket(level, number).last_until(limit, level == 0));
            }
        }
        Some(last)
    }

    /// Takes the whole of a bucket out.
    pub(super) fn open(&mut self, level: usize, number: u64) -> Opened {
        let at = locate(level, number);
        let bucket = core::mem::replace(&mut self.buckets[at], Bucket::EMPTY);
        self.occupied[at / 64] &= !(1 << (at % 64));
        self.len -= bucket.len as usize;
        if bucket.len >= BIG {
            self.big -= 1;
        }
        let above = match level {
            0 => locate(1, number >> (shift(1) - shift(0))),
            _ => at,
        };
        Opened {
            rest: bucket.chain,
            origin: Origin {
                place: Place::of(at),
                above: Place::of(above),
            },
            dense: self.if_dense(at, bucket.len, number),
        }
    }

    /// The next few entries whose bucket has come up at `now`: how many the keeper has to look at, and where they were.
    /// `None` if there are no more. A pass that was begun earlier goes on first: were each call to begin at the lowest
    /// level, a keeper that can hardly keep up would never get to the others.
    pub(crate) fn take(&mut self, now: u64, into: &mut Entries) -> Option<(Origin, usize)> {
        loop {
            if let Some((origin, taken)) = self.due.take(&mut self.blocks, into) {
                return Some((origin, self.bring_down(self.due.dense, into, taken)));
            }
            let mut pass = self.pass.take().unwrap_or(Pass::begin(now));
            match self.go_on(&mut pass) {
                Some(opened) => {
                    self.due = opened;
                    self.pass = Some(pass);
                }
                None if pass.now < now => {}
                None => return None,
            }
        }
    }

    /// The next bucket of a pass, opened. `None` when the pass is over.
    fn go_on(&mut self, pass: &mut Pass) -> Option<Opened> {
        while pass.level < LEVELS {
            let level = pass.level;
            let now = pass.now >> shift(level);
            match self.first(level) {
                // A bucket of the past, or once the one we are in: some of it is due.
                Some(number) if number < now || pass.enters(number, self.bucket(level, number)) => {
                    pass.current = number == now;
                    self.cursor[level] = number;
                    return Some(self.open(level, number));
                }
                _ => {
                    self.cursor[level] = self.cursor[level].max(now);
                    (pass.level, pass.current) = (level + 1, false);
                }
            }
        }
        None
    }

    /// Forgets every entry.
    pub(crate) fn clear(&mut self) {
        let cursor = self.cursor;
        let mut blocks = core::mem::replace(&mut self.blocks, Blocks::new());
        blocks.clear();
        *self = Self {
            cursor,
            blocks,
            ..Self::new()
        };
    }
}

/// How far the keeper is in emptying the buckets up to a time.
#[derive(Debug)]
struct Pass {
    now: u64,
    level: usize,
    /// The bucket that `now` is in has been opened: what is put back into it stays for the next pass.
    current: bool,
}

impl Pass {
    fn begin(now: u64) -> Self {
        Self {
            now,
            level: 0,
            current: false,
        }
    }

    /// Whether this is the bucket we are in, something of it is due, and it has not been opened yet.
    fn enters(&self, number: u64, bucket: &Bucket) -> bool {
        number == self.now >> shift(self.level) && !self.current && bucket.earliest <= self.now
    }
}
