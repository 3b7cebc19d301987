//! [`SourceExt`]: the crate's futures as methods of a source.

use core::future::Future;
use core::time::Duration;

use crate::future::TimerFuture;
use crate::interval::Interval;
use crate::source::TimerSource;
use crate::timeout::Timeout;

/// `source.after(d)`, `source.every(d)`, `source.timeout(d, future)` for every [`TimerSource`]. A source
/// that is shared is a reference or handle, which these take: `clock.after(d)` borrows `clock`, and an
/// `Arc` is cloned first.
///
/// # Examples
///
#[cfg_attr(feature = "std", doc = "```")]
#[cfg_attr(not(feature = "std"), doc = "```ignore")]
/// use std::time::Duration;
/// use timer_future::{ManualSource, SourceExt};
///
/// let clock = ManualSource::new();
/// let timer = clock.after(Duration::from_millis(3));
/// let interval = clock.every(Duration::from_millis(1));
/// assert_eq!((timer.deadline(), interval.deadline()), (3_000_000, 1_000_000));
/// ```
pub trait SourceExt: TimerSource + Sized {
    /// A timer that completes `duration` from now: [`TimerFuture::with_source`].
    fn after(self, duration: Duration) -> TimerFuture<Self> {
        TimerFuture::with_source(self, duration)
    }

    /// A timer that completes at `deadline`, in ticks: [`TimerFuture::with_deadline`].
    fn until(self, deadline: u64) -> TimerFuture<Self> {
        TimerFuture::with_deadline(self, deadline)
    }

    /// Ticks once in every period, first a period from now: [`Interval::new`].
    fn every(self, period: Duration) -> Interval<Self> {
        Interval::new(self, period)
    }

    /// Gives `future` this much time from now: [`Timeout::new`].
    fn timeout<F: Future>(self, duration: Duration, future: F) -> Timeout<Self, F> {
        Timeout::new(self, duration, future)
    }
}

impl<S: TimerSource> SourceExt for S {}
