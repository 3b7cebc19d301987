//! [`Contender`]: what a timer has to offer to be measured.

use core::future::Future;
use core::pin::pin;
use core::task::Waker;

use crate::{board, executor};

/// One implementation of timers, over the alarm of [`board`].
pub trait Contender {
    /// A future that completes at its deadline.
    type Delay: Future<Output = ()> + 'static;

    /// How many timers may be pending.
    const CAPACITY: usize = crate::N;

    /// Whether a dropped timer is cancelled at all.
    const CANCELS: bool = true;

    /// Bytes that each task of the executor has for the timer it may be waiting for, beside the future.
    const BYTES_PER_TASK: usize = 0;

    /// Called once, first.
    fn init() {}

    /// At this count.
    fn at(deadline: u64) -> Self::Delay;

    /// 100 us from now, as its users write it.
    fn after() -> Self::Delay;

    /// What the interrupt handler calls.
    fn on_interrupt();

    /// The waker of task `i`. Task 0 is the one that is measured.
    fn waker(i: usize) -> Waker {
        executor::waker(i)
    }

    /// What has to be done before [`one_delay`](Self::one_delay).
    fn prepare_delay() {}

    /// Runs a task that does nothing but await [`after`](Self::after), to its end.
    fn one_delay() {
        let task = pin!(async { Self::after().await });
        executor::run(&mut [task]);
    }

    /// Runs two tasks that await it three times each, to their ends.
    fn two_tasks() {
        executor::run(&mut [pin!(three_delays::<Self>()), pin!(three_delays::<Self>())]);
    }

    /// Lets everything that was woken meanwhile run.
    fn settle() {}
}

/// What the tasks of the size images do.
pub async fn three_delays<C: Contender + ?Sized>() {
    for _ in 0..3 {
        C::after().await;
        board::toggle();
    }
}
