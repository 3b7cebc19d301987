//! What is the same for every peer: clocks, counters, wakers, storage. Knows no peer.

pub mod alloc;
pub mod block_on;
pub mod children;
pub mod cpu;
pub mod params;
pub mod slab;
pub mod stats;
pub mod wakers;

pub use params::Params;

use std::collections::BTreeMap;

/// Named numbers that one run of a case gives.
pub type Metrics = BTreeMap<String, f64>;

/// Cores of the machine.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// xorshift64*: the same sequence in every process.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Uniform enough for a benchmark.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + (self.next() >> 11) % (high - low).max(1)
    }
}
