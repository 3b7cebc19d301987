//! All groups of a pool: chunks that never move and never shrink.
//!
//! Chunks grow with the pool, by a sixteenth of it at a time, so what is allocated but never used stays
//! below seven percent: the first sixteen hold one group each, the next sixteen two, then four, and so on.
//! The chunk of a group is the top of its number read as a floating point number with a 4-bit mantissa.

use std::boxed::Box;

use once_cell::race::OnceBox;

use super::group::Group;
use crate::source::CapacityError;
use crate::sync::{AtomicU32, Ordering, SLOTS_PER_GROUP};

const MANTISSA: u32 = 4;
const PER_OCTAVE: u32 = 1 << MANTISSA;
/// Slot numbers are 32 bits and one value is kept for "none", so groups have at most 26.
const GROUPS: u32 = (u32::MAX / 64) - PER_OCTAVE;
const OCTAVES: u32 = 26 - MANTISSA + 1;
const CHUNKS: usize = (OCTAVES * PER_OCTAVE) as usize;

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

#[derive(Debug)]
pub(crate) struct Chunks {
    /// Set once each, without a lock: if two threads grow at once, one of the two boxes is dropped.
    chunks: Box<[OnceBox<Box<[Group]>>]>,
    /// Groups given out so far.
    len: AtomicU32,
    ordered: bool,
}

/// Chunk and offset of a group.
#[inline]
fn locate(group: u32) -> (usize, usize) {
    let number = group + PER_OCTAVE;
    let octave = number.ilog2() - MANTISSA;
    let mantissa = (number >> octave) - PER_OCTAVE;
    let offset = number & ((1 << octave) - 1);
    ((octave * PER_OCTAVE + mantissa) as usize, offset as usize)
}

impl Chunks {
    pub(crate) fn new(ordered: bool) -> Self {
        Self {
            chunks: (0..CHUNKS).map(|_| OnceBox::new()).collect(),
            len: AtomicU32::new(0),
            ordered,
        }
    }

    /// The group of a slot that somebody has.
    #[inline]
    pub(crate) fn group_of(&self, index: Index) -> &Group {
        let (chunk, offset) = locate(index.group());
        // In bounds: an Index comes from `FreeSlots::take`, out of a group that is there.
        let groups: &[Group] = self.chunks[chunk].get().map_or(&[], |groups| groups);
        &groups[offset]
    }

    /// A group, if it is there.
    #[inline]
    pub(crate) fn get(&self, group: u32) -> Option<&Group> {
        if group >= GROUPS {
            return None;
        }
        let (chunk, offset) = locate(group);
        self.chunks.get(chunk)?.get()?.get(offset)
    }

    /// The number of groups given out.
    pub(crate) fn len(&self) -> u32 {
        // ORDERING: Relaxed; a chunk that is not there yet reads as "no group".
        self.len.load(Ordering::Relaxed).min(GROUPS)
    }

    /// One more group. Its slots are all free and it is LISTED: the caller has to make it known.
    #[cold]
    pub(crate) fn grow(&self) -> Result<u32, CapacityError> {
        // ORDERING: Relaxed; the number is unique by being a read-modify-write, and the chunk is
        // published by the OnceBox.
        let group = self.len.fetch_add(1, Ordering::Relaxed);
        if group >= GROUPS {
            // ORDERING: Relaxed, as above. Stays near the limit, so it cannot wrap.
            self.len.fetch_sub(1, Ordering::Relaxed);
            return Err(CapacityError::new());
        }
        let (chunk, _) = locate(group);
        let size = 1usize << (chunk as u32 / PER_OCTAVE);
        self.chunks[chunk].get_or_init(|| {
            Box::new((0..size).map(|_| Group::new(self.ordered)).collect())
        });
        Ok(group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_fill_their_chunks_without_gaps() {
        let (mut chunk, mut offset) = (0, 0);
        for group in 0..100_000 {
            assert_eq!(locate(group), (chunk, offset), "group {group}");
            offset += 1;
            if offset == 1 << (chunk as u32 / PER_OCTAVE) {
                (chunk, offset) = (chunk + 1, 0);
            }
        }
    }

    #[test]
    fn the_last_group_has_a_chunk() {
        assert!(locate(GROUPS - 1).0 < CHUNKS);
    }
}
