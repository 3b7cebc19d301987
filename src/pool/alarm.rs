//! Kick-or-see: when a client must wake the keeper, and when the keeper may sleep.
//!
//! One word says until when the keeper will look by itself. It is a time, or one of two marks:
//!
//! ```text
//!   client                                     keeper
//!   arm the slot, mark it in the inbox         publish LOOKING
//!   read the word; if the deadline is          take the inbox, fire what is due
//!     too early: swap in KICKED; if it was     LOOKING -> time of the next alarm; if that fails,
//!     a time, wake the keeper                    somebody kicked: go round again
//!                                              sleep until then
//! ```
//!
//! All four steps that matter are in one total order (SeqCst). If the client's read comes before the keeper
//! publishes LOOKING, it sees the previous time and kicks if that is too late, which makes the keeper's
//! compare-and-swap fail or ends its sleep. If it comes after, the keeper's look at the inbox may have
//! come before the mark; then the client sees LOOKING, which is later than any deadline, and kicks; the
//! compare-and-swap fails. If the client sees the new time, it has kicked if that is too late.
//!
//! LOOKING -> KICKED needs no system call: the keeper is awake. And once somebody has kicked, nobody else
//! needs to: KICKED is earlier than any deadline.
//!
//! A cancelled timer leaves the word as it is. An early alarm is harmless; forgetting it would make the
//! next arm pay a wake.

use crate::sync::{AtomicU64, Ordering};

/// The keeper is awake and will look again before it sleeps, if kicked.
const LOOKING: u64 = u64::MAX;
/// Somebody has kicked.
const KICKED: u64 = 0;
/// No alarm at all: the latest time there is.
const LATEST: u64 = u64::MAX - 1;

/// So late a keeper may be on a busy machine, in ticks: 10 ms.
const LATE: u64 = 10_000_000;

/// A value of the word, as a client read it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alarm(u64);

impl Alarm {
    /// Whether `deadline` may be past: it comes before the keeper looks by itself, or soon after, or the
    /// keeper is looking. A later one is past only if the keeper is very late.
    #[inline]
    pub(crate) fn leaves_open(self, deadline: u64) -> bool {
        deadline < self.0.saturating_add(LATE) || self.0 == KICKED
    }

    /// Whether the keeper would be too late for `deadline`, with so much slack.
    #[inline]
    pub(crate) fn is_too_late_for(self, deadline: u64, slack: u64) -> bool {
        // LOOKING, and no alarm at all, are later than any deadline, whatever the slack.
        self.0 >= LATEST || deadline.saturating_add(slack) < self.0
    }
}

#[derive(Debug)]
pub(crate) struct AlarmWord(AtomicU64);

impl AlarmWord {
    pub(crate) fn new() -> Self {
        // Until there is a keeper: whoever comes first will look at the inbox before it sleeps.
        Self(AtomicU64::new(LOOKING))
    }

    /// When the keeper will look by itself. Asked after the mark in the inbox.
    #[inline]
    pub(crate) fn read(&self) -> Alarm {
        crate::sync::sc_fence();
        // ORDERING: SeqCst, the client's read in the total order of kick-or-see. loom: kick_or_see.
        Alarm(self.0.load(Ordering::SeqCst))
    }

    /// Kicks. `true` if the keeper may be asleep and the caller must wake it.
    pub(crate) fn kick(&self) -> bool {
        // ORDERING: SeqCst, total order as above; a swap, because one of several kickers is to
        // wake the keeper.
        let before = self.0.swap(KICKED, Ordering::SeqCst);
        before != KICKED && before != LOOKING
    }

    /// Whether somebody has kicked since the keeper published its alarm.
    pub(crate) fn is_kicked(&self) -> bool {
        // ORDERING: Relaxed; it only ends a wait early. The look that follows is what counts.
        self.0.load(Ordering::Relaxed) == KICKED
    }

    /// The keeper begins to look. Must come before it takes the inbox.
    pub(crate) fn look(&self) {
        // ORDERING: SeqCst, the keeper's write in the total order of kick-or-see.
        self.0.store(LOOKING, Ordering::SeqCst);
        crate::sync::sc_fence();
    }

    /// The keeper wants to sleep until `time` (`None`: until kicked). `false` if it was kicked since
    /// `look`, and must look again.
    #[must_use]
    pub(crate) fn sleep_until(&self, time: Option<u64>) -> bool {
        let time = time.map_or(LATEST, |time| time.clamp(KICKED + 1, LATEST));
        // ORDERING: SeqCst, total order as above.
        self.0
            .compare_exchange(LOOKING, time, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
    }
}
