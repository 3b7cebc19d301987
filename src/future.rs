//! [`TimerFuture`]: idle, then armed, then done. Speaks of deadlines; knows no atomics.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use crate::source::{CapacityError, TimerSource};
use crate::ticks::{deadline_after, NEVER};

/// A future that completes once its deadline has passed on the clock of its source.
///
/// The deadline is fixed at construction; the timer is started at the first poll (or by
/// [`try_start`](Self::try_start)). After completion every further poll is `Ready` again. A duration
/// or deadline too large for the clock, [`Duration::MAX`] among them, means "never".
///
/// # Cancellation
///
/// Dropping it cancels the timer: O(1), no system call, and nobody is woken by it any more, unless the source
/// is just firing it (has taken the waker, and wakes next). The stored waker is dropped at once. As a branch of
/// `select!` it may be polled by reference again and again; its deadline stays.
///
/// # Interrupt safety
///
/// Polling and dropping are as safe in an interrupt handler as the source's `start` is. An
/// [`InterruptSource`](crate::InterruptSource) allows every context.
///
/// # Examples
///
#[cfg_attr(feature = "std", doc = "```")]
#[cfg_attr(not(feature = "std"), doc = "```ignore")]
/// use std::time::Duration;
/// use timer_future::TimerFuture;
///
/// pollster::block_on(async {
///     TimerFuture::new(Duration::from_millis(10)).await;
/// });
/// ```
#[must_use = "a timer does nothing unless it is polled or started"]
pub struct TimerFuture<
    #[cfg(feature = "std")] S: TimerSource = &'static crate::ThreadSource,
    #[cfg(not(feature = "std"))] S: TimerSource,
> {
    source: S,
    deadline: u64,
    stage: Stage<S::Timer>,
}

enum Stage<T> {
    /// Not started, or the source had no room.
    Idle,
    /// Started; the timer tells when it is over.
    Armed(T),
    /// Completed, and the poller has seen it.
    Done,
}

// The timer is a handle (an index and a reference, an Arc): nothing points into the future, and neither
// source nor timer is ever pinned, so it may move between polls.
impl<S: TimerSource> Unpin for TimerFuture<S> {}

impl<S: TimerSource> TimerFuture<S> {
    /// A timer that completes `duration` from now on the source's clock: rounded up to its ticks,
    /// plus the one tick that a truncated `now` can hide (see [`deadline_after`](crate::deadline_after)).
    #[inline]
    pub fn with_source(source: S, duration: Duration) -> Self {
        let deadline = if duration == Duration::MAX {
            NEVER
        } else {
            deadline_after(source.now(), duration, S::TICK_HZ)
        };
        Self::with_deadline(source, deadline)
    }

    /// A timer that completes when the source's clock reaches `deadline`, in ticks.
    #[inline]
    pub const fn with_deadline(source: S, deadline: u64) -> Self {
        Self {
            source,
            deadline,
            stage: Stage::Idle,
        }
    }

    /// The deadline, in ticks of the source.
    #[inline]
    pub const fn deadline(&self) -> u64 {
        self.deadline
    }

    /// Whether the deadline has passed: the timer has completed, or, while it is not started, the
    /// clock says so.
    pub fn is_elapsed(&self) -> bool {
        match &self.stage {
            Stage::Done => true,
            Stage::Armed(timer) => timer.is_complete(),
            Stage::Idle => self.deadline != NEVER && self.deadline <= self.source.now(),
        }
    }

    /// The source.
    pub const fn source(&self) -> &S {
        &self.source
    }

    /// Moves the deadline to `duration` from now, whether the timer is idle, armed or done.
    ///
    /// The task that polled it last is woken at the new deadline without another poll, if the source
    /// restarts timers in place (all of this crate's do) and the timer had not completed; if the source has no room
    /// for it any more, the task is woken at once, to poll again. A future that found
    /// no room in its source has nowhere to keep a waker: it keeps its task scheduled instead, but for a
    /// deadline of "never"; after that it has to be polled again.
    #[inline]
    pub fn reset(&mut self, duration: Duration) {
        let deadline = if duration == Duration::MAX {
            NEVER
        } else {
            deadline_after(self.source.now(), duration, S::TICK_HZ)
        };
        self.reset_at(deadline);
    }

    /// Moves the deadline to `deadline`, in ticks of the source; otherwise like [`reset`](Self::reset).
    #[inline]
    pub fn reset_at(&mut self, deadline: u64) {
        self.deadline = deadline;
        match &mut self.stage {
            Stage::Armed(timer) => {
                if self.source.restart(timer, deadline).is_err() {
                    // Woken last: user code. The next poll starts it, or keeps the task scheduled.
                    let waker = timer.take_waker();
                    self.leave(Stage::Idle);
                    if let Some(waker) = waker {
                        waker.wake();
                    }
                }
            }
            stage => *stage = Stage::Idle,
        }
    }

    /// Starts the timer now instead of at the first poll; nothing to do if it is started or done.
    ///
    /// # Errors
    ///
    /// [`CapacityError`] when the source can keep no further timer. The future stays as it was, and
    /// may be awaited all the same: see there.
    #[inline]
    pub fn try_start(&mut self) -> Result<(), CapacityError> {
        if let Stage::Idle = self.stage {
            let timer = self.source.start(self.deadline)?;
            self.enter(timer);
        }
        Ok(())
    }

    #[inline]
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if matches!(&self.stage, Stage::Armed(timer) if timer.is_stuck()) {
            // A waker panicked while it was stored, and the caller polls again: a new timer.
            self.leave(Stage::Idle);
        }
        let poll = match &self.stage {
            Stage::Idle => return self.poll_first(cx),
            Stage::Armed(timer) => timer.poll_complete(cx),
            Stage::Done => Poll::Ready(()),
        };
        if poll.is_ready() {
            // Gives the timer back to the source before anybody drops the future.
            self.leave(Stage::Done);
        }
        poll
    }

    /// Starts the timer, unless its deadline is past.
    #[inline]
    fn poll_first(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.deadline != NEVER && self.source.is_past(self.deadline) {
            self.stage = Stage::Done;
            return Poll::Ready(());
        }
        let Ok((timer, poll)) = self.source.start_polled(self.deadline, cx) else {
            return self.poll_without_timer(cx);
        };
        if poll.is_ready() {
            self.source.cancel(timer);
            self.stage = Stage::Done;
        } else {
            self.enter(timer);
        }
        poll
    }

    /// Keeps a started timer. For a future that is Idle.
    #[inline]
    fn enter(&mut self, timer: S::Timer) {
        // What is replaced is Idle; forgetting it spares an interrupt-driven chip the drop glue.
        core::mem::forget(core::mem::replace(&mut self.stage, Stage::Armed(timer)));
    }

    /// Gives the timer back, if there is one.
    #[inline]
    fn leave(&mut self, next: Stage<S::Timer>) {
        if let Stage::Armed(timer) = core::mem::replace(&mut self.stage, next) {
            self.source.cancel(timer);
        }
    }

    /// The source has no room. Nobody will wake the task, so it stays scheduled and looks at the
    /// clock itself; each poll tries to start the timer again.
    #[cold]
    fn poll_without_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.source.on_shortage();
        if self.deadline != NEVER {
            if self.deadline <= self.source.now() {
                self.stage = Stage::Done;
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl<S: TimerSource> Drop for TimerFuture<S> {
    #[inline]
    fn drop(&mut self) {
        self.leave(Stage::Done);
    }
}

impl<S: TimerSource> Future for TimerFuture<S> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_timer(cx)
    }
}

#[cfg(feature = "futures-core")]
impl<S: TimerSource> futures_core::FusedFuture for TimerFuture<S> {
    fn is_terminated(&self) -> bool {
        matches!(self.stage, Stage::Done)
    }
}

impl<S: TimerSource> fmt::Debug for TimerFuture<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            Stage::Idle => "idle",
            Stage::Armed(timer) if timer.is_complete() => "complete",
            Stage::Armed(_) => "armed",
            Stage::Done => "done",
        };
        f.debug_struct("TimerFuture")
            .field("deadline", &self.deadline)
            .field("stage", &stage)
            .finish_non_exhaustive()
    }
}
