//! The fences of the interrupt source, by what they are for.

#[cfg(timer_future_loom)]
use loom::sync::atomic::fence;
#[cfg(not(timer_future_loom))]
use portable_atomic::fence;

use crate::sync::Ordering;

/// Between programming the alarm and looking at the head again, which are a device and a memory
/// location: the second must not be read before the first is written.
#[inline(always)]
pub(super) fn device_fence() {
    // ORDERING: SeqCst, the total order of "publish the head, program, look at the head" of all contexts.
    // Loom has no devices, and its stand-in for one (tests/loom_interrupt.rs) is ordered already.
    fence(Ordering::SeqCst);
}

/// The second half of a store-buffering handshake of which all four accesses are SeqCst. The language needs
/// no fence there; loom models SeqCst only as fences.
#[inline(always)]
pub(super) fn kick_or_see() {
    #[cfg(timer_future_loom)]
    // ORDERING: see above. loom: an_arm_is_seen_or_kicks.
    fence(Ordering::SeqCst);
}
