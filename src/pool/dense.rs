//! Dense buckets of the wheel, which come down by what their entries say.
//!
//! In the level of 34 ms an entry has a part of the deadline: which of the 512 buckets below it belongs to. So a
//! dense bucket is spread without a look at the slots, whose cache misses would be a tenth of all that
//! a timer costs; the slot's place stays as it was (see [`Origin`](super::bucket::Origin)).
//!
//! What comes down like that may have been cancelled, and then the keeper wakes for nothing. So it is done only
//! while most of the entries that the keeper does look at are of use.

use super::blocks::Entries;
use super::bucket::Place;
use super::levels::{is_parted, locate, shift};
use super::wheel::Wheel;

/// So many entries of a bucket come down by what they say. With fewer, the keeper looks at the slots, for the exact
/// deadline: there is one timer or less in each bucket below.
const DENSE: u32 = 2048;
/// A share of one half, as [`Wheel::learn`] counts.
const HALF: u32 = 128;

impl Wheel {
    /// The number of a bucket, if its entries are to come down without their slots.
    pub(super) fn if_dense(&self, bucket: usize, len: u32, number: u64) -> Option<u64> {
        (is_parted(bucket) && len >= DENSE && self.useless < HALF).then_some(number)
    }

    /// Tells how many of the entries that were looked at were of no use: a moving average, in 1/256.
    #[inline]
    pub(crate) fn learn(&mut self, useless: usize, looked_at: usize) {
        if let Some(share) = (useless as u32 * 256).checked_div(looked_at as u32) {
            self.useless = (self.useless * 15 + share) / 16;
        }
    }

    /// If they are of a dense bucket, moves entries to the lowest level by what they say themselves: a cache miss
    /// saved for each. Those that are left for the keeper to look at, because their time has come, go to the front;
    /// how many.
    pub(super) fn bring_down(
        &mut self,
        dense: Option<u64>,
        entries: &mut Entries,
        len: usize,
    ) -> usize {
        let Some(number) = dense else {
            return len;
        };
        let first = number << (shift(1) - shift(0));
        let mut left = 0;
        for at in 0..len {
            let entry = entries[at];
            let number = first | u64::from(entry.part);
            if number <= self.cursor[0] {
                entries[left] = entry;
                left += 1;
                continue;
            }
            let start = number << shift(0);
            let end = start | ((1 << shift(0)) - 1);
            self.put(Place::of(locate(0, number)), entry, start, end);
        }
        left
    }
}
