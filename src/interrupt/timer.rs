//! [`InterruptTimer`], the handle to one started timer, and the `TimerSource` that hands it out.

use core::ops::Deref;
use core::task::{Context, Poll};

use super::slot::Slot;
use super::{Alarm, InterruptSource};
use crate::source::{CapacityError, TimerSource};
use crate::state::TimerState;

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

impl<'a, A: Alarm, const N: usize> InterruptTimer<'a, A, N> {
    /// Starts a timer, once its state is prepared. One whose deadline has passed is complete when this returns.
    #[inline]
    fn start(
        source: &'a InterruptSource<A, N>,
        deadline: u64,
        prepare: impl FnOnce(&TimerState),
    ) -> Result<Self, CapacityError> {
        match source.take(deadline, prepare) {
            Some((slot, index)) => Ok(Self {
                source,
                slot,
                index,
            }),
            None => Err(CapacityError::new()),
        }
    }
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
        // First: the handler that fires it from here on finds none.
        let waker = self.slot.state().take_waker();
        self.slot.give_back();
        self.source.hint_at(usize::from(self.index));
        // Last: it is user code, and may start a timer.
        drop(waker);
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
    #[inline]
    fn start(&self, deadline: u64) -> Result<Self::Timer, CapacityError> {
        InterruptTimer::start(self, deadline, |_| {})
    }

    /// The waker is stored before the slot is armed: nobody can complete it meanwhile, so one look is enough. (Its
    /// `clone` is user code; a handler that meets the slot before it is armed puts it into the inbox, and goes on.)
    #[inline]
    fn start_polled(
        &self,
        deadline: u64,
        cx: &mut Context<'_>,
    ) -> Result<(Self::Timer, Poll<()>), CapacityError> {
        let store = |state: &TimerState| state.register(cx.waker());
        let timer = InterruptTimer::start(self, deadline, store)?;
        let poll = match timer.is_complete() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        };
        Ok((timer, poll))
    }

    /// Moves a timer in place; its waker stays, and is woken at the new deadline.
    fn restart(&self, timer: &mut Self::Timer, deadline: u64) -> Result<(), CapacityError> {
        let head = timer.source.look();
        if !timer.slot.take_back() {
            return restart_elsewhere(self, timer, deadline);
        }
        let link = usize::from(timer.index) + 1;
        timer.source.arm(head, link, timer.slot, deadline);
        if timer.is_complete() {
            // It was past. If the handler has fired it meanwhile, it has also taken the waker.
            if let Some(waker) = timer.take_waker() {
                waker.wake();
            }
        }
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
