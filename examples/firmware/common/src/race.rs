//! [`race`]: waits for the first of two futures. (`embassy_futures::select` or `futures::select!` in
//! an application; here, so that the examples have no further dependency.)

use core::future::{poll_fn, Future};
use core::pin::pin;
use core::task::Poll;

/// Which of the two ended first. `First` when both are ready in the same poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Winner {
    /// The first future.
    First,
    /// The second future.
    Second,
}

/// Waits for the first of two futures, and drops the other. Pass `&mut timer` to keep a timer.
pub async fn race(first: impl Future<Output = ()>, second: impl Future<Output = ()>) -> Winner {
    let mut first = pin!(first);
    let mut second = pin!(second);
    poll_fn(|cx| {
        if first.as_mut().poll(cx).is_ready() {
            Poll::Ready(Winner::First)
        } else if second.as_mut().poll(cx).is_ready() {
            Poll::Ready(Winner::Second)
        } else {
            Poll::Pending
        }
    })
    .await
}
