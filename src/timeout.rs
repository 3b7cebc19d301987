//! [`Timeout`]: a future with a deadline.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::future::TimerFuture;
use crate::source::TimerSource;

pin_project! {
    /// A future that is given up when its time is over: `Ok` with its output, or [`Elapsed`].
    ///
    /// The inner future is polled first, so one that is ready in time, or is ready at once, wins even
    /// if the deadline has passed as well. The deadline is fixed at construction.
    ///
    /// # Cancellation
    ///
    /// After [`Elapsed`] the inner future is still there until this one is dropped, and polled again if this one
    /// is. Pass `&mut future` to keep it.
    ///
    /// # Examples
    ///
    #[cfg_attr(feature = "std", doc = "```")]
    #[cfg_attr(not(feature = "std"), doc = "```ignore")]
    /// use std::time::Duration;
    /// use timer_future::timeout;
    ///
    /// pollster::block_on(async {
    ///     let slow = std::future::pending::<()>();
    ///     assert!(timeout(Duration::from_millis(5), slow).await.is_err());
    ///     assert_eq!(timeout(Duration::from_secs(5), async { 42 }).await, Ok(42));
    /// });
    /// ```
    #[derive(Debug)]
    #[must_use = "a future does nothing unless it is polled"]
    pub struct Timeout<S: TimerSource, F> {
        #[pin]
        future: F,
        timer: TimerFuture<S>,
    }
}

impl<S: TimerSource, F> Timeout<S, F> {
    /// Gives `future` this much time from now.
    pub fn new(source: S, duration: Duration, future: F) -> Self {
        Self {
            future,
            timer: TimerFuture::with_source(source, duration),
        }
    }

    /// Gives `future` time until `deadline`, in ticks of the source.
    pub const fn with_deadline(source: S, deadline: u64, future: F) -> Self {
        Self {
            future,
            timer: TimerFuture::with_deadline(source, deadline),
        }
    }

    /// The deadline, in ticks of the source.
    pub const fn deadline(&self) -> u64 {
        self.timer.deadline()
    }

    /// Gives the future this much time from now instead.
    pub fn reset(self: Pin<&mut Self>, duration: Duration) {
        self.project().timer.reset(duration);
    }

    /// The inner future.
    pub const fn get_ref(&self) -> &F {
        &self.future
    }

    /// The inner future.
    pub fn get_mut(&mut self) -> &mut F {
        &mut self.future
    }

    /// The inner future, without a deadline.
    pub fn into_inner(self) -> F {
        self.future
    }
}

impl<S: TimerSource, F: Future> Future for Timeout<S, F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        Pin::new(this.timer).poll(cx).map(|()| Err(Elapsed::new()))
    }
}

/// The time of a [`Timeout`] was over before its future was ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed {
    _private: (),
}

impl Elapsed {
    const fn new() -> Self {
        Self { _private: () }
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deadline has elapsed")
    }
}

impl core::error::Error for Elapsed {}

#[cfg(feature = "std")]
impl From<Elapsed> for std::io::Error {
    fn from(elapsed: Elapsed) -> Self {
        Self::new(std::io::ErrorKind::TimedOut, elapsed)
    }
}

/// Gives `future` this much time from now, on the [global](crate::ThreadSource::global) source.
/// See [`Timeout`].
#[cfg(feature = "std")]
pub fn timeout<F: Future>(
    duration: Duration,
    future: F,
) -> Timeout<&'static crate::ThreadSource, F> {
    Timeout::new(crate::ThreadSource::global(), duration, future)
}
