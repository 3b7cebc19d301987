//! What [`ThreadSource`](crate::ThreadSource) and [`ManualSource`](crate::ManualSource) share: a pool of
//! slots that grows, the client's three operations on it (here), and the keeper's (keeper.rs).
//!
//! ```text
//!   client                                           keeper
//!   start:   FreeSlots::take -> Slot::arm            Inbox::take -> Slot::look -> Wheel::insert
//!            -> Inbox::tell -> AlarmWord: kick?      Wheel::take -> Slot::fire -> wake
//!   cancel:  Slot::take_back -> FreeSlots::give_back
//! ```
//!
//! A timer that is started, cancelled and started again for the same time or later, the commonest use of
//! all, never gets beyond `arm`: its slot is LINKED.

mod ahead;
mod alarm;
mod blocks;
mod bucket;
mod dense;
mod free;
mod group;
mod groups;
mod inbox;
#[cfg(all(test, not(timer_future_loom)))]
mod inbox_tests;
mod keeper;
#[cfg(all(test, not(timer_future_loom)))]
mod keeper_tests;
mod lane;
mod levels;
#[cfg(all(test, timer_future_loom))]
mod loom_tests;
mod slot;
mod timer;
mod wheel;
#[cfg(all(test, not(timer_future_loom)))]
mod wheel_tests;
mod word;

pub(crate) use alarm::AlarmWord;
pub(crate) use groups::Index;
pub(crate) use keeper::Keeper;
pub use timer::PoolTimer;
pub(crate) use timer::Pooled;

use core::task::{Context, Poll, Waker};

use crate::source::CapacityError;
use crate::state::TimerState;
use crate::sync::{AtomicU64, Ordering};
use crate::ticks::NEVER;
use free::FreeSlots;
use groups::Groups;
use inbox::Inbox;
use slot::{Look, Slot, TakenBack};

#[derive(Debug)]
pub struct Pool {
    groups: Groups,
    free: FreeSlots,
    inbox: Inbox,
    pub(crate) alarm: AlarmWord,
    /// How many timers were started; counted only where equal deadlines fire in that order.
    started: Option<AtomicU64>,
}

impl Pool {
    pub(crate) fn new(ordered: bool) -> Self {
        Self {
            groups: Groups::new(ordered),
            free: FreeSlots::new(),
            inbox: Inbox::new(),
            alarm: AlarmWord::new(),
            started: ordered.then(|| AtomicU64::new(0)),
        }
    }

    #[inline]
    fn slot(&self, index: Index) -> &Slot {
        self.groups.of(index).slot(index.at())
    }

    #[inline]
    pub(crate) fn state(&self, index: Index) -> &TimerState {
        self.slot(index).state()
    }

    /// Starts a timer.
    #[inline]
    pub(crate) fn start(
        &self,
        source: &impl Pooled,
        deadline: u64,
    ) -> Result<Index, CapacityError> {
        let index = self.free.take(&self.groups)?;
        // Nobody waits for it yet.
        _ = self.arm(source, index, deadline);
        Ok(index)
    }

    /// Starts a timer with a waker in it. The keeper does not know the slot before it is armed, so neither
    /// of the two looks of `TimerState::poll_complete` is needed before that. If the waker panics, the slot is
    /// retired: nobody gives it back.
    #[inline]
    pub(crate) fn start_polled(
        &self,
        source: &impl Pooled,
        deadline: u64,
        cx: &Context<'_>,
    ) -> Result<(Index, Poll<()>), CapacityError> {
        let index = self.free.take(&self.groups)?;
        let state = self.state(index);
        state.register(cx.waker());
        drop(self.arm(source, index, deadline));
        let poll = match state.is_complete() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        };
        Ok((index, poll))
    }

    /// Moves a timer to another deadline; it may get another slot.
    #[inline]
    pub(crate) fn restart(
        &self,
        source: &impl Pooled,
        index: &mut Index,
        deadline: u64,
    ) -> Result<(), CapacityError> {
        let slot = self.slot(*index);
        // Where starts are counted a reset counts as one, so it goes the longer way.
        if self.started.is_none() && slot.postpone(deadline) {
            return Ok(());
        }
        if slot.take_back_unless_firing() {
            if let Some(waker) = self.arm(source, *index, deadline) {
                waker.wake();
            }
            return Ok(());
        }
        // The keeper is just firing it, and will wake the task for nothing.
        let other = self.start(source, deadline)?;
        self.cancel(core::mem::replace(index, other));
        Ok(())
    }

    /// Arms a slot that the caller owns. If the deadline is past, the timer is complete on return; then the
    /// waker that was in it is given back.
    #[inline]
    #[must_use]
    fn arm(&self, source: &impl Pooled, index: Index, deadline: u64) -> Option<Waker> {
        let group = self.groups.of(index);
        if let (Some(started), Some(order)) = (&self.started, group.order(index.at())) {
            // ORDERING: Relaxed; a number, published with the slot.
            let number = started.fetch_add(1, Ordering::Relaxed);
            // ORDERING: Relaxed, as above.
            order.store(number, Ordering::Relaxed);
        }
        let slot = group.slot(index.at());
        let tell = slot.arm(deadline);
        if deadline == NEVER {
            return None;
        }
        let must_kick = tell && self.inbox.tell(&self.groups, group, index);
        let alarm = self.alarm.read();
        // Only here the clock has to be read: a deadline long after the alarm is past only if the keeper is
        // that late, and then it is about to fire.
        let past = alarm.leaves_open(deadline) && deadline <= source.now();
        if must_kick || tell && !past && alarm.is_too_late_for(deadline, source.slack()) {
            source.kick();
        }
        match past {
            true => slot.fire_own(),
            false => None,
        }
    }

    /// Cancels a timer and takes its slot back.
    #[inline]
    pub(crate) fn cancel(&self, index: Index) {
        let slot = self.slot(index);
        // The waker is dropped last of all: that is user code, and may panic.
        let _waker = match slot.take_back() {
            TakenBack::Armed => slot.state().take_waker(),
            // The keeper has taken it.
            TakenBack::Fired => None,
            TakenBack::LeftToKeeper => return,
        };
        self.recycle(index, slot);
    }

    /// Gives a slot back that the caller owns, and that has no waker in it.
    #[inline]
    fn recycle(&self, index: Index, slot: &Slot) {
        // A stuck slot is retired.
        if !slot.state().is_stuck() {
            self.free.give_back(index, &self.groups);
        }
    }

    /// Calls `f` with every slot that was ever given out.
    fn for_each_slot(&self, mut f: impl FnMut(Index, &Slot)) {
        for number in 0..self.groups.len() {
            let Some(group) = self.groups.get(number) else {
                continue;
            };
            for at in 0..crate::sync::SLOTS_PER_GROUP {
                f(Index::new(number, at), group.slot(at));
            }
        }
    }

    /// The deadlines of all armed timers, "never" not counted.
    pub(crate) fn for_each_deadline(&self, mut f: impl FnMut(u64)) {
        for number in 0..self.groups.len() {
            let Some(group) = self.groups.get(number) else {
                continue;
            };
            if group.looks_unused() {
                continue;
            }
            for at in 0..crate::sync::SLOTS_PER_GROUP {
                if let Look::Armed(_, deadline) = group.slot(at).look() {
                    if deadline != NEVER {
                        f(deadline);
                    }
                }
            }
        }
    }
}
