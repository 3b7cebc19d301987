//! Chains of blocks of slot numbers, out of one arena: buckets that grow and shrink without allocating.

use std::vec::Vec;

const NONE: u32 = u32::MAX;
const PER_BLOCK: usize = 30;

/// The most entries one `pop` gives.
pub(crate) const MOST: usize = PER_BLOCK;

/// 128 bytes: two cache lines.
#[derive(Clone, Copy, Debug)]
struct Block {
    next: u32,
    len: u32,
    items: [u32; PER_BLOCK],
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

    #[inline]
    pub(crate) fn push(&mut self, chain: &mut Chain, item: u32) {
        if let Some(block) = self.blocks.get_mut(chain.0 as usize) {
            if let Some(place) = block.items.get_mut(block.len as usize) {
                *place = item;
                block.len += 1;
                return;
            }
        }
        let fresh = self.fresh();
        let block = &mut self.blocks[fresh as usize];
        block.next = chain.0;
        block.len = 1;
        block.items[0] = item;
        chain.0 = fresh;
    }

    /// A block from the free list, or one more.
    fn fresh(&mut self) -> u32 {
        if let Some(block) = self.blocks.get(self.free as usize) {
            return core::mem::replace(&mut self.free, block.next);
        }
        if self.blocks.len() == self.blocks.capacity() {
            // By an eighth, not by doubling: at a million timers doubling would waste megabytes.
            self.blocks.reserve_exact(64 + self.blocks.len() / 8);
        }
        self.blocks.push(Block {
            next: NONE,
            len: 0,
            items: [0; PER_BLOCK],
        });
        (self.blocks.len() - 1) as u32
    }

    /// Takes the first block of a chain: its entries go to the front of `into`, which holds [`MOST`].
    #[inline]
    pub(crate) fn pop(&mut self, chain: &mut Chain, into: &mut [u32]) -> Option<usize> {
        let number = chain.0;
        let block = self.blocks.get_mut(number as usize)?;
        let len = (block.len as usize).min(into.len());
        into[..len].copy_from_slice(&block.items[..len]);
        chain.0 = block.next;
        block.next = self.free;
        self.free = number;
        Some(len)
    }
}
