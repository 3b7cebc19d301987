//! [`TimerSource`]: what keeps time, and what a future asks of it.

use core::fmt;
use core::ops::Deref;
use core::task::{Context, Poll};

use crate::state::TimerState;

/// Somebody who keeps time: starts timers, and calls [`TimerState::complete`] when they are due.
///
/// Implemented for references and handles (`&ThreadSource`, `Arc<ThreadSource>`,
/// `&InterruptSource<..>`, and `&S` for every source `S`), so that a source is shared.
///
/// # What an implementation must do
///
/// - `now` MUST be monotonic across all threads and handlers, and never wrap: 64 bits.
/// - A started timer MUST complete, once `now() >= deadline`, without anybody polling it; and MUST NOT
///   complete before. A deadline that has passed already MUST complete at once, or as good as.
/// - A deadline of [`NEVER`](crate::NEVER) never completes.
/// - Dropping the timer MUST cancel it, and SHOULD release the stored waker at once. A timer that is
///   never dropped (`mem::forget`) may cost memory, nothing else.
/// - `start` that cannot start a timer MUST say so with [`CapacityError`], not panic and not return a
///   timer that will not complete. The future then keeps itself scheduled and looks at the clock.
/// - Wakers are user code. They MUST NOT run while something of the source is locked, masked or
///   half-done: they may start, reset and drop timers of this source, and they may panic.
///
/// # Examples
///
/// The async book's timer, a thread for each:
///
/// ```
/// use std::sync::{Arc, OnceLock};
/// use std::time::{Duration, Instant};
/// use timer_future::{CapacityError, TimerFuture, TimerSource, TimerState};
///
/// struct ThreadPerTimer;
///
/// impl TimerSource for ThreadPerTimer {
///     type Timer = Arc<TimerState>;
///     const TICK_HZ: u64 = 1_000_000;
///
///     fn now(&self) -> u64 {
///         static EPOCH: OnceLock<Instant> = OnceLock::new();
///         EPOCH.get_or_init(Instant::now).elapsed().as_micros() as u64
///     }
///     fn start(&self, deadline: u64) -> Result<Self::Timer, CapacityError> {
///         let timer = Arc::new(TimerState::new());
///         let (seen, wait) = (timer.clone(), deadline.saturating_sub(self.now()));
///         std::thread::Builder::new()
///             .spawn(move || {
///                 std::thread::sleep(Duration::from_micros(wait));
///                 seen.complete();
///             })
///             .map_err(|_| CapacityError::new())?;
///         Ok(timer)
///     }
/// }
///
/// pollster::block_on(TimerFuture::with_source(ThreadPerTimer, Duration::from_millis(5)));
/// ```
pub trait TimerSource {
    /// One started timer. Dropping it cancels it.
    type Timer: Deref<Target = TimerState>;

    /// Ticks per second of [`now`](Self::now) and of every deadline.
    const TICK_HZ: u64;

    /// The time in ticks. Monotonic; never wraps.
    fn now(&self) -> u64;

    /// Starts a timer that completes when `now() >= deadline` (in ticks).
    ///
    /// # Errors
    ///
    /// [`CapacityError`] when the source can keep no further timer.
    fn start(&self, deadline: u64) -> Result<Self::Timer, CapacityError>;

    /// Starts a timer and polls it: the first poll of a future. This provided one does just that. A source
    /// that has a timer to itself until it is started may override it to store the waker before that,
    /// which spares looking twice.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start); then nothing is done with the waker.
    #[inline]
    fn start_polled(
        &self,
        deadline: u64,
        cx: &mut Context<'_>,
    ) -> Result<(Self::Timer, Poll<()>), CapacityError> {
        let timer = self.start(deadline)?;
        let poll = timer.poll_complete(cx);
        Ok((timer, poll))
    }

    /// Moves a timer to another deadline, which may be earlier, later or past; a completed timer
    /// starts anew. The waker that is stored in the timer goes with it. Sources that can do it in place
    /// override this provided one, which starts a new timer and cancels the old.
    ///
    /// # Errors
    ///
    /// [`CapacityError`] when the source can keep no further timer. The old timer is as it was, or
    /// cancelled: the caller drops it.
    fn restart(&self, timer: &mut Self::Timer, deadline: u64) -> Result<(), CapacityError> {
        let old = core::mem::replace(timer, self.start(deadline)?);
        let waker = old.take_waker();
        drop(old);
        if let Some(waker) = waker {
            timer.adopt(waker);
        }
        Ok(())
    }

    /// Cancels a timer that its future does not need any more. Dropping the timer has to be enough;
    /// this provided one takes the waker out first, so that a future wakes nobody after it was
    /// dropped even if its timer is merely a shared state (an `Arc<TimerState>`) whose other owner
    /// completes it later. Sources that release the waker by themselves override it with a plain drop.
    fn cancel(&self, timer: Self::Timer) {
        // Dropped last: user code.
        let _waker = timer.take_waker();
        drop(timer);
    }

    /// Whether a timer for `deadline` need not be started because it is past already. Asked once, at
    /// the first poll of a future. A source whose `start` completes past deadlines by itself may
    /// answer `false` without looking at the clock.
    #[inline]
    fn is_past(&self, deadline: u64) -> bool {
        deadline <= self.now()
    }

    /// Told each time a future found no free timer and keeps itself scheduled instead, so that the
    /// shortage can be seen.
    #[inline]
    fn on_shortage(&self) {}
}

impl<S: TimerSource + ?Sized> TimerSource for &S {
    type Timer = S::Timer;
    const TICK_HZ: u64 = S::TICK_HZ;

    #[inline]
    fn now(&self) -> u64 {
        (**self).now()
    }
    #[inline]
    fn start(&self, deadline: u64) -> Result<Self::Timer, CapacityError> {
        (**self).start(deadline)
    }
    #[inline]
    fn start_polled(
        &self,
        deadline: u64,
        cx: &mut Context<'_>,
    ) -> Result<(Self::Timer, Poll<()>), CapacityError> {
        (**self).start_polled(deadline, cx)
    }
    #[inline]
    fn restart(&self, timer: &mut Self::Timer, deadline: u64) -> Result<(), CapacityError> {
        (**self).restart(timer, deadline)
    }
    #[inline]
    fn cancel(&self, timer: Self::Timer) {
        (**self).cancel(timer);
    }
    #[inline]
    fn is_past(&self, deadline: u64) -> bool {
        (**self).is_past(deadline)
    }
    #[inline]
    fn on_shortage(&self) {
        (**self).on_shortage();
    }
}

/// The source can keep no further timer: its slots are all taken, or (on std) its thread could not be
/// spawned.
///
/// A [`TimerFuture`](crate::TimerFuture) that is simply awaited still completes on time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapacityError {
    _private: (),
}

impl CapacityError {
    /// The error, for implementors of [`TimerSource`].
    pub const fn new() -> Self {
        Self { _private: () }
    }
}

impl Default for CapacityError {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for CapacityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the timer source can keep no further timer")
    }
}

impl core::error::Error for CapacityError {}
