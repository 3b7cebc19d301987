//! The one file that knows loom from portable-atomic from std.
//!
//! Everything else in the crate is written against these names and reads as plain code.

#[cfg(not(timer_future_loom))]
mod imp {
    pub(crate) use atomic_waker::AtomicWaker;
    pub(crate) use portable_atomic::{AtomicBool, AtomicU16, AtomicU32, Ordering};

    #[cfg(any(feature = "std", target_has_atomic = "64"))]
    pub(crate) use portable_atomic::AtomicU64;

    /// The second half of a store-buffering handshake whose first half was a SeqCst
    /// read-modify-write or store. In the language's memory model the SeqCst accesses alone suffice;
    /// loom models only fences, so there (and only there) this is one.
    #[cfg(feature = "std")]
    #[inline(always)]
    pub(crate) fn sc_fence() {}

    /// `fence(SeqCst)`: also between memory and a device.
    #[inline(always)]
    pub(crate) fn full_fence() {
        // ORDERING: see `interrupt`: where the alarm is programmed, and where the handler enters.
        portable_atomic::fence(Ordering::SeqCst);
    }

    /// `fence(Release)`, for the writer of a sequence lock.
    #[inline(always)]
    pub(crate) fn release_fence() {
        // ORDERING: see `Slot::set_deadline`.
        portable_atomic::fence(Ordering::Release);
    }

    /// `fence(Acquire)`, for the second read of a sequence lock.
    #[inline(always)]
    pub(crate) fn acquire_fence() {
        // ORDERING: see `Slot::look`.
        portable_atomic::fence(Ordering::Acquire);
    }
}

#[cfg(timer_future_loom)]
mod imp {
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU16, AtomicU32, AtomicU64, Ordering};

    /// Loom's own model of `AtomicWaker`, behind the names of the real one.
    #[derive(Debug)]
    pub(crate) struct AtomicWaker(loom::future::AtomicWaker);

    impl AtomicWaker {
        pub(crate) fn new() -> Self {
            Self(loom::future::AtomicWaker::new())
        }
        pub(crate) fn register(&self, waker: &core::task::Waker) {
            self.0.register_by_ref(waker);
        }
        pub(crate) fn wake(&self) {
            self.0.wake();
        }
        pub(crate) fn take(&self) -> Option<core::task::Waker> {
            self.0.take_waker()
        }
    }

    #[cfg(feature = "std")]
    pub(crate) use full_fence as sc_fence;

    pub(crate) fn full_fence() {
        // ORDERING: the names say where they are used; loom's own fences.
        loom::sync::atomic::fence(Ordering::SeqCst);
    }

    pub(crate) fn release_fence() {
        // ORDERING: see the real one.
        loom::sync::atomic::fence(Ordering::Release);
    }

    pub(crate) fn acquire_fence() {
        // ORDERING: see the real one.
        loom::sync::atomic::fence(Ordering::Acquire);
    }
}

pub(crate) use imp::*;

/// Has a value computed here, and not inside the exchange that it is for: that masks interrupts on chips without
/// compare-and-swap, and compilers like to compute late.
#[inline(always)]
pub(crate) fn beforehand(value: u32) -> u32 {
    if cfg!(target_has_atomic = "32") {
        value
    } else {
        core::hint::black_box(value)
    }
}

/// Picks a size: the real one, or a small one under loom, so that the model stays small and things
/// run out.
#[cfg(feature = "std")]
pub(crate) const fn size(real: usize, model: usize) -> usize {
    if IS_MODEL {
        model
    } else {
        real
    }
}

/// Whether this is the model checker's build.
#[cfg(feature = "std")]
pub(crate) const IS_MODEL: bool = cfg!(timer_future_loom);

/// Slots that share a bitmap word.
#[cfg(feature = "std")]
pub(crate) const SLOTS_PER_GROUP: usize = size(64, 2);

/// Defines a function that is `const` in the real crate and an ordinary one under loom, whose atomics
/// register themselves with the model when they are made.
macro_rules! const_fn {
    ($(#[$meta:meta])* $vis:vis const fn $name:ident($($args:tt)*) -> $ret:ty $body:block) => {
        #[cfg(not(timer_future_loom))]
        $(#[$meta])*
        $vis const fn $name($($args)*) -> $ret $body

        #[cfg(timer_future_loom)]
        $(#[$meta])*
        $vis fn $name($($args)*) -> $ret $body
    };
}
pub(crate) use const_fn;

/// An array of things that are `const` in the real crate; see [`const_fn`].
macro_rules! array_of {
    ($new:expr; $len:expr) => {{
        #[cfg(not(timer_future_loom))]
        {
            [const { $new }; $len]
        }
        #[cfg(timer_future_loom)]
        {
            core::array::from_fn(|_| $new)
        }
    }};
}
pub(crate) use array_of;
