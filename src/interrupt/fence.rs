//! The fences of the interrupt source, by what they are for.

#[cfg(timer_future_loom)]
use loom::sync::atomic::fence;
#[cfg(not(timer_future_loom))]
use portable_atomic::fence;

use crate::sync::Ordering;

/// Between "I own it" and the first change of what it protects: whoever reads the change and then looks
/// again (after an acquire fence) sees that it was owned. The writer's half of a sequence lock; an
/// AcqRel read-modify-write alone does not order its own store before later stores.
#[inline(always)]
pub(super) fn release_fence() {
    // ORDERING: see above. loom: a_moving_first_timer_does_not_hide_the_second.
    fence(Ordering::Release);
}

/// Between programming the alarm and looking at the head again, which are a device and a memory
/// location: the second must not be read before the first is written.
#[inline(always)]
pub(super) fn device_fence() {
    // ORDERING: SeqCst, the total order of "publish the head, program, look at the head" of all contexts.
    // loom: two_earliest_arms_leave_the_earlier_alarm.
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
