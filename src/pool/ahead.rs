//! Big buckets of the wheel, spread over the level below before their time, in small pieces between which what
//! is due is taken: no cascade ever stands in its way. (One cascade of 64 k entries is tokio's 13 ms at a
//! million timers.)
//!
//! Each level reaches two buckets of the next one (1024 = 2 * 2^9, 256 = 2 * 2^7), so there is the whole time of
//! the bucket before it for that.

use super::blocks::Entries;
use super::bucket::Origin;
use super::levels::{shift, size, LEVELS};
use super::wheel::{Wheel, BIG};

/// How long before its time, for each entry: several times what moving one costs.
const HEAD_START: u64 = 256;

impl Wheel {
    /// If the first bucket of a level is BIG, or the one after it: when to begin to spread it, and its number.
    /// Not before the lower level reaches all of it, which is when the one before it has come up.
    pub(super) fn early_start(&self, level: usize) -> Option<(u64, u64)> {
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

    /// Takes the next few entries of a big bucket that is to be spread before its time: how many the keeper has to
    /// look at, and where they were. The lowest level first: its buckets come up soonest.
    pub(crate) fn take_ahead(&mut self, now: u64, into: &mut Entries) -> Option<(Origin, usize)> {
        for level in 1..LEVELS {
            if let Some((origin, taken)) = self.take_ahead_of(level, now, into) {
                let left = self.bring_down(self.ahead[level].dense, into, taken);
                return Some((origin, left));
            }
        }
        None
    }

    fn take_ahead_of(
        &mut self,
        level: usize,
        now: u64,
        into: &mut Entries,
    ) -> Option<(Origin, usize)> {
        if let Some(taken) = self.ahead[level].take(&mut self.blocks, into) {
            return Some(taken);
        }
        let (begin, number) = self.early_start(level)?;
        if begin > now || !self.reaches(level, number) {
            return None;
        }
        self.ahead[level] = self.open(level, number);
        self.ahead[level].take(&mut self.blocks, into)
    }

    /// Whether the level below reaches all of this bucket. During a pass it may be behind.
    fn reaches(&self, level: usize, number: u64) -> bool {
        let last = (number << shift(level) | ((1 << shift(level)) - 1)) >> shift(level - 1);
        last < self.cursor[level - 1].saturating_add(size(level - 1) as u64)
    }
}
