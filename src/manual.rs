//! [`ManualSource`]: time that moves only when told.

use core::fmt;
use core::task::{Context, Poll};
use core::time::Duration;
use std::boxed::Box;
use std::sync::Arc;

use crossbeam_utils::atomic::AtomicCell;

use crate::pool::{Keeper, Pool, PoolTimer, Pooled};
use crate::source::{CapacityError, TimerSource};
use crate::sync::{AtomicU64, Ordering};
use crate::ticks::duration_to_ticks;

/// A source whose time moves only by [`advance`](Self::advance) and [`advance_to`](Self::advance_to):
/// for tests, for simulations, and for event loops that keep their own time.
///
/// Ticks are nanoseconds, starting at 0, for each instance its own. It is the same pool and wheel as
/// [`ThreadSource`](crate::ThreadSource), without the thread: wakers run inside `advance`, in the order of
/// deadlines, equal deadlines in the order of their starts, and [`now`](Self::now) stands at the deadline
/// that is being fired. A timer that is started for a time that has come completes at once. A waker that panics
/// costs only its own timer: the panic is caught in `advance`, so a test should not assert in one.
///
/// Share it as `&ManualSource` or `Arc<ManualSource>`; both are [`TimerSource`]s.
///
/// # Examples
///
/// ```
/// use futures::FutureExt;
/// use std::time::Duration;
/// use timer_future::{ManualSource, TimerFuture};
///
/// let clock = ManualSource::new();
/// let mut timer = TimerFuture::with_source(&clock, Duration::from_secs(3600));
/// assert_eq!((&mut timer).now_or_never(), None);
/// clock.advance(Duration::from_secs(3599));
/// assert_eq!((&mut timer).now_or_never(), None);
/// clock.advance(Duration::from_secs(1));
/// assert_eq!((&mut timer).now_or_never(), Some(()));
/// ```
///
/// As the timers of an event loop:
///
/// ```
/// use std::time::{Duration, Instant};
/// use timer_future::{ManualSource, TimerFuture};
///
/// let (clock, start) = (ManualSource::new(), Instant::now());
/// let mut timer = TimerFuture::with_source(&clock, Duration::from_millis(5));
/// timer.try_start().unwrap();
/// while let Some(deadline) = clock.next_deadline() {
///     let elapsed = start.elapsed().as_nanos() as u64;
///     std::thread::sleep(Duration::from_nanos(deadline.saturating_sub(elapsed))); // or poll(2)
///     clock.advance_to(start.elapsed().as_nanos() as u64);
/// }
/// assert!(timer.is_elapsed());
/// ```
pub struct ManualSource {
    pool: Pool,
    now: AtomicU64,
    /// Where the time is to go: ahead of `now` only while somebody moves it.
    target: AtomicU64,
    /// Whoever takes the keeper out moves the time; there is one, so nobody waits for it.
    keeper: AtomicCell<Option<Box<Keeper>>>,
}

impl ManualSource {
    /// A clock that stands at 0.
    pub fn new() -> Self {
        Self {
            pool: Pool::new(true),
            now: AtomicU64::new(0),
            target: AtomicU64::new(0),
            keeper: AtomicCell::new(Some(Box::new(Keeper::new(true)))),
        }
    }

    /// The time, in nanoseconds since the source was made.
    #[inline]
    pub fn now(&self) -> u64 {
        // ORDERING: SeqCst: read after the arm in `Pool::arm`, written before the look in `advance_to`;
        // one of the two sees the other. Acquire: what an earlier advance did comes before.
        self.now.load(Ordering::SeqCst)
    }

    /// Moves the time forward by `duration` and fires what has become due. Saturates at the end of time.
    pub fn advance(&self, duration: Duration) {
        // ORDERING: Acquire; a concurrent advance counts from where the other is going.
        let target = self.target.load(Ordering::Acquire);
        self.advance_to(target.saturating_add(duration_to_ticks(duration, 1_000_000_000)));
    }

    /// Moves the time forward to `time` and fires what has become due, in the order of deadlines. A
    /// time that has passed already changes nothing.
    ///
    /// Called by a waker that runs inside an advance, or by another thread at the same time, it leaves
    /// the work to the advance that is under way and returns at once.
    pub fn advance_to(&self, time: u64) {
        // ORDERING: SeqCst. Against the load below of somebody who is just giving the keeper back:
        // either that one sees this target, or the keeper is there for the `take`.
        self.target.fetch_max(time, Ordering::SeqCst);
        while let Some(mut keeper) = self.keeper.take() {
            self.move_time(&mut keeper);
            self.keeper.store(Some(keeper));
            // ORDERING: SeqCst, as above.
            if self.target.load(Ordering::SeqCst) <= self.now() {
                return;
            }
        }
    }

    /// From deadline to deadline, until the target.
    fn move_time(&self, keeper: &mut Keeper) {
        loop {
            // The inbox first: what was started before the time moves may be the next.
            while keeper.step(&self.pool, self.now()) {}
            // ORDERING: SeqCst, as in `advance_to`.
            let target = self.target.load(Ordering::SeqCst);
            let now = self.now();
            if now >= target {
                return;
            }
            let next = keeper
                .next()
                .map_or(target, |next| next.clamp(now + 1, target));
            // ORDERING: SeqCst, see `now`.
            self.now.store(next, Ordering::SeqCst);
        }
    }

    /// The earliest deadline of all pending timers; `None` if there is none ("never" is none). Looks at
    /// every slot.
    pub fn next_deadline(&self) -> Option<u64> {
        let mut next = None;
        self.pool.for_each_deadline(|deadline| {
            next = Some(next.map_or(deadline, |next: u64| next.min(deadline)));
        });
        next
    }

    /// How many timers are started and have not completed, those that never will not counted. Looks at
    /// every slot.
    pub fn pending(&self) -> usize {
        let mut pending = 0;
        self.pool.for_each_deadline(|_| pending += 1);
        pending
    }
}

impl Default for ManualSource {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ManualSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualSource")
            .field("now", &self.now())
            .field("pending", &self.pending())
            .field("next_deadline", &self.next_deadline())
            .finish()
    }
}

impl Pooled for ManualSource {
    fn pool(&self) -> &Pool {
        &self.pool
    }
    fn now(&self) -> u64 {
        self.now()
    }
    fn slack(&self) -> u64 {
        0
    }
    /// Whoever moves the time looks at the inbox.
    fn kick(&self) {}
}

macro_rules! source_for_handle {
    ($($handle:ty),*) => {$(
        impl TimerSource for $handle {
            type Timer = PoolTimer<Self>;
            const TICK_HZ: u64 = 1_000_000_000;

            fn now(&self) -> u64 {
                ManualSource::now(self)
            }
            fn start(&self, deadline: u64) -> Result<Self::Timer, CapacityError> {
                PoolTimer::start(self, deadline)
            }
            fn start_polled(
                &self,
                deadline: u64,
                cx: &mut Context<'_>,
            ) -> Result<(Self::Timer, Poll<()>), CapacityError> {
                PoolTimer::start_polled(self, deadline, cx)
            }
            fn restart(&self, timer: &mut Self::Timer, deadline: u64) -> Result<(), CapacityError> {
                timer.restart(deadline)
            }
            #[inline]
            fn cancel(&self, timer: Self::Timer) {
                drop(timer);
            }
        }
    )*};
}
source_for_handle!(&ManualSource, Arc<ManualSource>);
