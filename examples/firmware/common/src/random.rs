//! [`Random`]: numbers that look random and are the same in every run with the same seed.

/// Marsaglia's xorshift with 32 bits ("Xorshift RNGs", Journal of Statistical Software 8, 2003).
#[derive(Clone, Copy, Debug)]
pub struct Random(u32);

impl Random {
    /// A sequence of its own for each seed.
    pub const fn new(seed: u32) -> Self {
        // 0 would stay 0.
        Self(seed.wrapping_mul(0x9e37_79b9) | 1)
    }

    /// The next number.
    pub fn draw(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// One of the numbers from 0 to `bound - 1`.
    pub fn below(&mut self, bound: u32) -> u32 {
        (self.draw() >> 8) % bound.max(1)
    }
}

/// What the seeds of a run begin with: `FIRMWARE_SEED` in the environment of the build, or 1.
pub const SEED: u32 = match option_env!("FIRMWARE_SEED") {
    Some(text) => {
        let (mut seed, mut i) = (0u32, 0);
        while i < text.len() {
            seed = seed
                .wrapping_mul(10)
                .wrapping_add(text.as_bytes()[i] as u32);
            i += 1;
        }
        seed
    }
    None => 1,
};
