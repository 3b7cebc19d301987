//! Lanes: what a thread has for itself of a pool, its current group and a few free slots at hand.
//!
//! A live thread has a number of its own, as long as there are no more than [`LANES`]; then it alone
//! uses the lane with this number in every pool, and needs no read-modify-write there. (Two of them,
//! for each timer started and dropped, are a seventh of the whole cost.) When the thread ends, the next
//! one takes the number over, and with it what is at hand, so nothing is lost. Threads beyond that
//! share lanes and use only what is safe to share.

use super::group::NONE;
use super::groups::Index;
use crate::sync::{size, AtomicU32, Ordering};

pub(super) const LANES: usize = size(64, 2);
const AT_HAND: usize = size(14, 1);

/// 64 bytes; padded by its owner.
#[derive(Debug)]
pub(super) struct Lane {
    /// The group that this lane takes slots from, or NONE.
    pub(super) group: AtomicU32,
    len: AtomicU32,
    at_hand: [AtomicU32; AT_HAND],
}

impl Lane {
    pub(super) fn new() -> Self {
        Self {
            group: AtomicU32::new(NONE),
            len: AtomicU32::new(0),
            at_hand: core::array::from_fn(|_| AtomicU32::new(0)),
        }
    }

    /// Takes the slot that was put last. Only for the thread that has this lane alone.
    #[inline]
    pub(super) fn take(&self) -> Option<Index> {
        // ORDERING: Relaxed, here and below: one thread at a time; the next one comes after it by
        // the Release and Acquire of the number (`numbers::FREE`).
        let len = self.len.load(Ordering::Relaxed).checked_sub(1)?;
        let place = self.at_hand.get(len as usize)?;
        self.len.store(len, Ordering::Relaxed);
        Some(Index(place.load(Ordering::Relaxed)))
    }

    /// Puts a free slot at hand, if there is room. Only for the thread that has this lane alone.
    #[inline]
    pub(super) fn put(&self, index: Index) -> bool {
        // ORDERING: Relaxed, as in `take`.
        let len = self.len.load(Ordering::Relaxed);
        let Some(place) = self.at_hand.get(len as usize) else {
            return false;
        };
        place.store(index.0, Ordering::Relaxed);
        self.len.store(len + 1, Ordering::Relaxed);
        true
    }
}

/// Which lane the calling thread uses.
#[derive(Clone, Copy)]
pub(super) struct Number {
    pub(super) lane: usize,
    /// No other live thread uses it.
    pub(super) alone: bool,
}

mod numbers {
    use super::{Number, LANES};
    use crate::sync::IS_MODEL;
    use portable_atomic::{AtomicU64, AtomicUsize, Ordering};

    /// A bit for each number that no live thread has.
    static FREE: AtomicU64 = AtomicU64::new(u64::MAX);
    const _: () = assert!(LANES == 64 || IS_MODEL);

    std::thread_local! {
        static MINE: Owned = Owned::acquire();
    }

    /// A number, given back when the thread ends.
    struct Owned(Number);

    impl Owned {
        fn acquire() -> Self {
            // ORDERING: Relaxed; the read-modify-write decides.
            let mut free = FREE.load(Ordering::Relaxed);
            while free != 0 {
                let bit = free & free.wrapping_neg();
                // ORDERING: Acquire, pairs with the Release in `drop`: what the last thread with
                // this number did to its lanes comes before what this one does.
                let before = FREE.fetch_and(!bit, Ordering::Acquire);
                if before & bit != 0 {
                    return Self(Number {
                        lane: bit.trailing_zeros() as usize,
                        alone: true,
                    });
                }
                free = before;
            }
            static NEXT: AtomicUsize = AtomicUsize::new(0);
            // ORDERING: Relaxed; only a number.
            let lane = NEXT.fetch_add(1, Ordering::Relaxed) % LANES;
            Self(Number { lane, alone: false })
        }
    }

    impl Drop for Owned {
        fn drop(&mut self) {
            if self.0.alone {
                // ORDERING: Release, see `acquire`.
                FREE.fetch_or(1 << self.0.lane, Ordering::Release);
            }
        }
    }

    /// In the destructors of a thread its number may be gone; then it shares.
    #[inline]
    pub(in super::super) fn mine() -> Number {
        let shared = Number {
            lane: 0,
            alone: false,
        };
        if IS_MODEL {
            // The model is about what is shared.
            return shared;
        }
        MINE.try_with(|mine| mine.0).unwrap_or(shared)
    }
}

pub(super) use numbers::mine;
