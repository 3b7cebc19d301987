//! The deadline cell of a slot: 64 bits, without a 64-bit atomic where that would not be lock-free.
//!
//! On targets with 64-bit atomics it is one of them. Elsewhere it is two word-sized halves, and a read
//! may be torn; that is harmless, because a slot (of the pool, or of an interrupt source) writes it only
//! while one client owns the slot, and believes a read only between two equal reads of its word. Loom models the
//! halves, and with `timer_future_loom_whole` the other case.

#[cfg(any(
    all(target_has_atomic = "64", not(timer_future_loom)),
    timer_future_loom_whole
))]
mod cell {
    use crate::sync::{const_fn, AtomicU64, Ordering};

    #[derive(Debug)]
    pub(crate) struct Deadline(AtomicU64);

    impl Deadline {
        /// Written and read in one piece.
        #[cfg(feature = "std")]
        pub(crate) const WHOLE: bool = true;

        const_fn! {
            pub(crate) const fn new() -> Self {
                Self(AtomicU64::new(0))
            }
        }
        #[inline]
        pub(crate) fn get(&self) -> u64 {
            // ORDERING: Relaxed; the slot's word orders it, see `Slot::look`.
            self.0.load(Ordering::Relaxed)
        }
        #[inline]
        pub(crate) fn set(&self, deadline: u64) {
            // ORDERING: Relaxed; published by the Release of the slot's word.
            self.0.store(deadline, Ordering::Relaxed);
        }
    }
}

#[cfg(not(any(
    all(target_has_atomic = "64", not(timer_future_loom)),
    timer_future_loom_whole
)))]
mod cell {
    use crate::sync::{const_fn, AtomicU32, Ordering};

    #[derive(Debug)]
    pub(crate) struct Deadline {
        low: AtomicU32,
        high: AtomicU32,
    }

    impl Deadline {
        /// A read may see half of a write.
        #[cfg(feature = "std")]
        pub(crate) const WHOLE: bool = false;

        const_fn! {
            pub(crate) const fn new() -> Self {
                Self { low: AtomicU32::new(0), high: AtomicU32::new(0) }
            }
        }
        #[inline]
        pub(crate) fn get(&self) -> u64 {
            // ORDERING: Relaxed; the slot's word orders both halves, see `Slot::look`.
            let low = self.low.load(Ordering::Relaxed);
            // ORDERING: as above.
            let high = self.high.load(Ordering::Relaxed);
            u64::from(high) << 32 | u64::from(low)
        }
        #[inline]
        pub(crate) fn set(&self, deadline: u64) {
            // ORDERING: Relaxed; published by the Release of the slot's word.
            self.low.store(deadline as u32, Ordering::Relaxed);
            // ORDERING: as above.
            self.high.store((deadline >> 32) as u32, Ordering::Relaxed);
        }
    }
}

pub(crate) use cell::Deadline;
