//! [`Interval`]: a timer that fires again and again, without drift.

use core::future::{poll_fn, Future};
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use crate::future::TimerFuture;
use crate::source::TimerSource;
use crate::ticks::{deadline_after, NEVER};

const NANOS_PER_SEC: u128 = 1_000_000_000;

/// Stands for a period of zero: rounds up to one tick.
const SHORTEST: Duration = Duration::from_nanos(1);

/// What an [`Interval`] does when ticks were missed because nobody polled it in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedTickBehavior {
    /// Ticks as fast as it is polled until it has caught up: as many ticks as periods have passed.
    #[default]
    Burst,
    /// Starts anew: the next tick comes a period after the late one was seen.
    Delay,
    /// Leaves the missed ticks out: the next one comes at the next multiple of the period.
    Skip,
}

/// Ticks once in every period.
///
/// The first tick comes one period after it was made ([`starting_at`](Self::starting_at) says
/// otherwise). Tick `n` is due at `start + n * period`, rounded up to a tick of the clock each time by
/// itself, so neither the rounding nor late polls add up.
///
/// A period of zero is taken as one tick of the clock; one too long for the clock never ticks.
///
/// # Cancellation
///
/// Dropping it, or a [`tick`](Self::tick) of it, loses no tick: a tick is consumed only by the poll that
/// returns it.
///
/// # Examples
///
#[cfg_attr(feature = "std", doc = "```")]
#[cfg_attr(not(feature = "std"), doc = "```ignore")]
/// use std::time::Duration;
/// use timer_future::{Interval, ThreadSource};
///
/// pollster::block_on(async {
///     let mut interval = Interval::new(ThreadSource::global(), Duration::from_millis(2));
///     for _ in 0..3 {
///         let deadline = interval.tick().await;
///         println!("due at {deadline} ns");
///     }
/// });
/// ```
#[derive(Debug)]
#[must_use = "an interval does nothing unless it is polled"]
pub struct Interval<S: TimerSource> {
    timer: TimerFuture<S>,
    period: Duration,
    /// The period in ticks, and a billionth of ticks.
    step: (u64, u32),
    /// How much of a tick the exact moment is after `timer.deadline() - 1`, in billionths; 0: none.
    fraction: u32,
    behavior: MissedTickBehavior,
}

impl<S: TimerSource> Interval<S> {
    /// An interval whose first tick is a `period` from now.
    pub fn new(source: S, period: Duration) -> Self {
        let first = deadline_after(source.now(), period.max(SHORTEST), S::TICK_HZ);
        Self::starting_at(source, first, period)
    }

    /// An interval whose first tick is at `first`, in ticks of the source. `source.now()` makes it
    /// tick at once.
    pub fn starting_at(source: S, first: u64, period: Duration) -> Self {
        let exact = period.as_nanos().saturating_mul(u128::from(S::TICK_HZ));
        let ticks = u64::try_from(exact / NANOS_PER_SEC).unwrap_or(NEVER);
        let step = match (ticks, (exact % NANOS_PER_SEC) as u32) {
            (0, 0) => (1, 0),
            step => step,
        };
        Self {
            timer: TimerFuture::with_deadline(source, first),
            period,
            step,
            fraction: 0,
            behavior: MissedTickBehavior::Burst,
        }
    }

    /// Says what to do about missed ticks; the default is [`MissedTickBehavior::Burst`].
    pub fn with_missed_tick_behavior(mut self, behavior: MissedTickBehavior) -> Self {
        self.behavior = behavior;
        self
    }

    /// Says what to do about missed ticks from now on.
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.behavior = behavior;
    }

    /// What is done about missed ticks.
    pub const fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.behavior
    }

    /// The period.
    pub const fn period(&self) -> Duration {
        self.period
    }

    /// When the next tick is due, in ticks of the source.
    pub const fn deadline(&self) -> u64 {
        self.timer.deadline()
    }

    /// Starts anew: the next tick comes a period from now.
    pub fn reset(&mut self) {
        self.fraction = 0;
        self.timer.reset(self.period.max(SHORTEST));
    }

    /// Starts anew with the next tick at `deadline`, in ticks of the source.
    pub fn reset_at(&mut self, deadline: u64) {
        self.fraction = 0;
        self.timer.reset_at(deadline);
    }

    /// The next tick: the deadline it was due at, in ticks of the source.
    ///
    /// # Cancellation
    ///
    /// Safe: dropping it before it is ready loses no tick.
    pub async fn tick(&mut self) -> u64 {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// Polls for the next tick; see [`tick`](Self::tick).
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<u64> {
        if Pin::new(&mut self.timer).poll(cx).is_pending() {
            return Poll::Pending;
        }
        let due = self.timer.deadline();
        let next = self.next(due);
        self.timer.reset_at(next);
        Poll::Ready(due)
    }

    /// The deadline after `due`.
    fn next(&mut self, due: u64) -> u64 {
        match self.behavior {
            MissedTickBehavior::Burst => self.periods_after(due, 1),
            MissedTickBehavior::Delay => {
                self.fraction = 0;
                let now = self.timer.source().now();
                if now > due {
                    // Seen at some time within the tick `now`.
                    return deadline_after(now, self.period.max(SHORTEST), S::TICK_HZ);
                }
                self.periods_after(due, 1)
            }
            MissedTickBehavior::Skip => {
                let now = self.timer.source().now();
                let late = u128::from(now.saturating_sub(due)) * NANOS_PER_SEC;
                let step = u128::from(self.step.0) * NANOS_PER_SEC + u128::from(self.step.1);
                // Late by `missed` whole periods (exactly, or less a fraction of a tick).
                let missed = u64::try_from(late / step).unwrap_or(NEVER);
                self.periods_after(due, missed.saturating_add(1))
            }
        }
    }

    /// `count` periods after `due`, whose exact moment `fraction` tells.
    fn periods_after(&mut self, due: u64, count: u64) -> u64 {
        let floor = due.saturating_sub(u64::from(self.fraction != 0));
        let fractions = u128::from(self.step.1) * u128::from(count) + u128::from(self.fraction);
        let ticks = u128::from(self.step.0) * u128::from(count)
            + fractions / NANOS_PER_SEC
            + u128::from(floor);
        self.fraction = (fractions % NANOS_PER_SEC) as u32;
        u64::try_from(ticks)
            .unwrap_or(NEVER)
            .saturating_add(u64::from(self.fraction != 0))
    }
}

#[cfg(feature = "futures-core")]
impl<S: TimerSource> futures_core::Stream for Interval<S> {
    type Item = u64;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u64>> {
        self.poll_tick(cx).map(Some)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}
