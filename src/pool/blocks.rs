//! Chains of blocks of entries, out of one arena: buckets that grow and shrink without allocating.

use std::vec::Vec;

use super::groups::Groups;

const NONE: u32 = u32::MAX;
const PER_BLOCK: usize = 24;

/// The most entries one `pop` gives.
pub(crate) const MOST: usize = PER_BLOCK;

/// What the wheel holds of a timer: its slot, and when it is due, roughly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Less than 2^28.
    pub(crate) slot: u32,
    /// The lowest bits of the number of its bucket in the lowest level ([`PART`]).
    pub(super) part: u16,
}

/// 128 bytes, two cache lines; five for each entry.
#[derive(Clone, Copy, Debug)]
struct Block {
    next: u32,
    len: u32,
    /// The slot, and the lower four bits of the part.
    slots: [u32; PER_BLOCK],
    /// The upper eight.
    parts: [u8; PER_BLOCK],
}

impl Block {
    #[inline]
    fn put(&mut self, entry: Entry) -> bool {
        let at = self.len as usize;
        let (Some(slot), Some(part)) = (self.slots.get_mut(at), self.parts.get_mut(at)) else {
            return false;
        };
        *slot = entry.slot | u32::from(entry.part) << SLOT_BITS;
        *part = (entry.part >> 4) as u8;
        self.len += 1;
        true
    }

    #[inline]
    fn copy_to(&self, into: &mut Entries) -> usize {
        for ((entry, slot), part) in into.iter_mut().zip(&self.slots).zip(&self.parts) {
            *entry = Entry {
                slot: slot & ((1 << SLOT_BITS) - 1),
                part: (slot >> SLOT_BITS) as u16 | u16::from(*part) << 4,
            };
        }
        (self.len as usize).min(PER_BLOCK)
    }
}

/// What one `pop` fills.
pub(crate) type Entries = [Entry; MOST];

const SLOT_BITS: u32 = 28;
/// All bits of a part.
pub(super) const PART: u16 = 0xfff;
const _: () = assert!(Groups::MOST_SLOTS <= 1 << SLOT_BITS);

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

    #[inline]
    pub(crate) fn push(&mut self, chain: &mut Chain, entry: Entry) {
        if let Some(block) = self.blocks.get_mut(chain.0 as usize) {
            if block.put(entry) {
                return;
            }
        }
        let fresh = self.fresh();
        let block = &mut self.blocks[fresh as usize];
        block.next = chain.0;
        block.len = 0;
        block.put(entry);
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
            slots: [0; PER_BLOCK],
            parts: [0; PER_BLOCK],
        });
        (self.blocks.len() - 1) as u32
    }

    /// Takes the first block of a chain: its entries go to the front of `into`.
    #[inline]
    pub(crate) fn pop(&mut self, chain: &mut Chain, into: &mut Entries) -> Option<usize> {
        let number = chain.0;
        let block = self.blocks.get_mut(number as usize)?;
        let len = block.copy_to(into);
        chain.0 = block.next;
        block.next = self.free;
        self.free = number;
        Some(len)
    }
}
