//! async-io, with its own `block_on`, which drives the reactor on the calling thread when it can.

use std::future::Future;
use std::pin::Pin;
use std::task::{ready, Context, Poll};
use std::time::Duration;

use super::Peer;

pub struct AsyncIo;

/// The same without the `Instant` in its output.
pub struct Timer(async_io::Timer);

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(())
    }
}

impl Peer for AsyncIo {
    type Timer = Timer;

    fn new(_: usize) -> Self {
        Self
    }
    fn timer(&self, duration: Duration) -> Timer {
        Timer(async_io::Timer::after(duration))
    }
    fn reset(&self, mut timer: Pin<&mut Timer>, duration: Duration) {
        timer.0.set_after(duration);
    }
    fn block_on<F>(&self, future: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        async_io::block_on(future)
    }
}
