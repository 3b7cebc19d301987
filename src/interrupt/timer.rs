//! [`InterruptTimer`], the handle to one started timer, and the `TimerSource` that hands it out.

use core::ops::Deref;
use core::task::Context;

use super::slot::Slot;
use super::{Alarm, InterruptSource};
use crate::source::{CapacityError, TimerSource};
use crate::state::TimerState;
use crate::ticks::NEVER;

/// One started timer of an [`InterruptSource`]. Dropping it cancels the timer and releases its waker.
///
/// # Interrupt safety
///
/// May be polled, dropped and reset in every context, also while the handler is firing it.
pub struct InterruptTimer<'a, A: Alarm, const N: usize> {
    source: &'a InterruptSource<A, N>,
    slot: &'a Slot,
    index: u16,
}

impl<A: Alarm, const N: usize> Deref for InterruptTimer<'_, A, N> {
    type Target = TimerState;

    #[inline]
    fn deref(&self) -> &TimerState {
        self.slot.state()
    }
}

impl<A: Alarm, const N: usize> Drop for InterruptTimer<'_, A, N> {
    #[inline]
    fn drop(&mut self) {
        loop {
            if let Some(before) = self.slot.take_back() {
                let waker = self.slot.state().take_waker();
                self.slot.vacate(before);
                self.source.hint_at(self.index);
                // Last: it is user code, and may start a timer.
                drop(waker);
                return;
            }
            // The handler is in the middle of firing it, on another core or below us. Whoever takes the waker
            // has it; the slot is the handler's to free.
            let waker = self.slot.state().take_waker();
            if self.slot.abandon() {
                drop(waker);
                return;
            }
        }
    }
}

impl<A: Alarm, const N: usize> core::fmt::Debug for InterruptTimer<'_, A, N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("InterruptTimer")
            .field("index", &self.index)
            .field("complete", &self.is_complete())
            .finish()
    }
}

impl<'a, A: Alarm, const N: usize> TimerSource for &'a InterruptSource<A, N> {
    type Timer = InterruptTimer<'a, A, N>;
    const TICK_HZ: u64 = A::TICK_HZ;

    #[inline]
    fn now(&self) -> u64 {
        self.alarm.now()
    }

    /// Starts a timer. One whose deadline has passed is complete when this returns.
    fn start(&self, deadline: u64) -> Result<Self::Timer, CapacityError> {
        if deadline != NEVER {
            if let Some((index, slot, before)) = self.claim() {
                self.arm_new(index, slot, before, deadline);
                return Ok(InterruptTimer {
                    source: self,
                    slot,
                    index,
                });
            }
        }
        start_elsewhere(self, deadline)
    }

    /// Moves a timer in place; its waker stays, and is woken at the new deadline.
    fn restart(&self, timer: &mut Self::Timer, deadline: u64) -> Result<(), CapacityError> {
        let Some(before) = timer.slot.take_back() else {
            return restart_elsewhere(self, timer, deadline);
        };
        timer.source.arm(timer.index, timer.slot, before, deadline);
        Ok(())
    }

    #[inline]
    fn cancel(&self, timer: Self::Timer) {
        drop(timer);
    }

    /// Leaves it to `start`, which looks at the clock once in any case.
    #[inline]
    fn is_past(&self, _deadline: u64) -> bool {
        false
    }
}

#[inline(never)]
fn start_elsewhere<A: Alarm, const N: usize>(
    source: &InterruptSource<A, N>,
    deadline: u64,
) -> Result<InterruptTimer<'_, A, N>, CapacityError> {
    let (index, slot, before) = source.search(deadline)?;
    source.arm(index, slot, before, deadline);
    Ok(InterruptTimer {
        source,
        slot,
        index,
    })
}

/// The handler is just firing the timer. Its waker moves to a new one, if the handler has not taken it; if
/// it has, the task is about to be woken, and will poll.
#[cold]
fn restart_elsewhere<'a, A: Alarm, const N: usize>(
    source: &&'a InterruptSource<A, N>,
    timer: &mut InterruptTimer<'a, A, N>,
    deadline: u64,
) -> Result<(), CapacityError> {
    let waker = timer.slot.state().take_waker();
    let new = source.start(deadline);
    let Some(waker) = waker else {
        *timer = new?;
        return Ok(());
    };
    match new {
        Ok(new) => {
            let poll = new.poll_complete(&mut Context::from_waker(&waker));
            *timer = new;
            if poll.is_ready() {
                waker.wake();
            }
            Ok(())
        }
        Err(error) => {
            waker.wake();
            Err(error)
        }
    }
}
