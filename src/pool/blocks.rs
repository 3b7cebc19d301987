//! Chains of blocks of entries, out of one arena: buckets that grow and shrink without allocating.

use std::vec::Vec;

use super::groups::Groups;

const NONE: u32 = u32::MAX;
/// Words of a block.
const WORDS: usize = 30;
/// Entries of a block that keeps their parts: those take the rest of its words.
const PARTED: usize = 24;

/// The most entries one `pop` gives.
pub(crate) const MOST: usize = WORDS;

/// What the wheel holds of a timer: its slot, and when it is due, roughly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Less than 2^28.
    pub(crate) slot: u32,
    /// Which part of its bucket it is due in, if the chain keeps that. Less than [`PARTS`].
    pub(super) part: u16,
}

/// What one `pop` fills.
pub(crate) type Entries = [Entry; MOST];

const SLOT_BITS: u32 = 28;
const _: () = assert!(Groups::MOST_SLOTS <= 1 << SLOT_BITS);
/// So many parts of a bucket can be told apart.
pub(super) const PARTS: u64 = 1 << 12;

/// 128 bytes: two cache lines.
#[derive(Clone, Copy, Debug)]
struct Block {
    next: u32,
    len: u32,
    /// Thirty slots. Or 24, each with four bits of its part above it, and then the other eight bits of each.
    words: [u32; WORDS],
}

impl Block {
    #[inline]
    fn put(&mut self, entry: Entry, parted: bool) -> bool {
        let at = self.len as usize;
        if at >= if parted { PARTED } else { WORDS } {
            return false;
        }
        self.words[at] = entry.slot;
        if parted {
            self.words[at] |= u32::from(entry.part) << SLOT_BITS;
            let (word, shift) = (&mut self.words[PARTED + at / 4], at % 4 * 8);
            *word = *word & !(0xff << shift) | u32::from(entry.part >> 4) << shift;
        }
        self.len += 1;
        true
    }

    #[inline]
    fn copy_to(&self, into: &mut Entries, parted: bool) -> usize {
        let len = (self.len as usize).min(WORDS);
        for (at, (entry, &word)) in into.iter_mut().zip(&self.words[..len]).enumerate() {
            entry.slot = word;
            if parted {
                let rest = self.words[(PARTED + at / 4) % WORDS] >> (at % 4 * 8) & 0xff;
                entry.slot &= (1 << SLOT_BITS) - 1;
                entry.part = (word >> SLOT_BITS | rest << 4) as u16;
            }
        }
        len
    }
}

/// The first block of a chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain(u32);

impl Chain {
    pub(crate) const EMPTY: Self = Self(NONE);
}

#[derive(Debug)]
pub(crate) struct Blocks {
    blocks: Vec<Block>,
    free: u32,
}

impl Blocks {
    pub(crate) const fn new() -> Self {
        Self {
            blocks: Vec::new(),
            free: NONE,
        }
    }

    /// Empties all chains at once; the memory is kept.
    pub(crate) fn clear(&mut self) {
        self.blocks.clear();
        self.free = NONE;
    }

    /// Adds an entry to a chain, with or without its part; a chain is of one kind.
    #[inline]
    pub(crate) fn push(&mut self, chain: &mut Chain, entry: Entry, parted: bool) {
        if let Some(block) = self.blocks.get_mut(chain.0 as usize) {
            if block.put(entry, parted) {
                return;
            }
        }
        let fresh = self.fresh();
        let block = &mut self.blocks[fresh as usize];
        block.next = chain.0;
        block.len = 0;
        block.put(entry, parted);
        chain.0 = fresh;
    }

    /// A block from the free list, or one more.
    fn fresh(&mut self) -> u32 {
        if let Some(block) = self.blocks.get(self.free as usize) {
            return core::mem::replace(&mut self.free, block.next);
        }
        if self.blocks.len() == self.blocks.capacity() {
            // By a sixteenth, not by doubling: at a million timers doubling would waste megabytes.
            self.blocks.reserve_exact(64 + self.blocks.len() / 16);
        }
        self.blocks.push(Block {
            next: NONE,
            len: 0,
            words: [0; WORDS],
        });
        (self.blocks.len() - 1) as u32
    }

    /// Takes the first block of a chain: its entries go to the front of `into`. Without parts, those are not said.
    #[inline]
    pub(crate) fn pop(
        &mut self,
        chain: &mut Chain,
        into: &mut Entries,
        parted: bool,
    ) -> Option<usize> {
        let number = chain.0;
        let block = self.blocks.get_mut(number as usize)?;
        let len = block.copy_to(into, parted);
        chain.0 = block.next;
        block.next = self.free;
        self.free = number;
        Some(len)
    }
}
