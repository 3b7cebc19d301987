//! No timer at all, and no peer: reads the clock, and hands a waker to an `AtomicWaker` and takes it back. That much
//! every timer does whose waker sits in one, so it is what churn can cost at the least.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use atomic_waker::AtomicWaker;

use super::Peer;

pub struct Handshake;

pub struct Timer {
    deadline: Instant,
    waker: AtomicWaker,
}

impl Future for Timer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.waker.register(cx.waker());
        std::hint::black_box(self.deadline);
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        drop(self.waker.take());
    }
}

impl Peer for Handshake {
    type Timer = Timer;

    fn new(_: usize) -> Self {
        Self
    }
    fn timer(&self, duration: Duration) -> Timer {
        Timer {
            deadline: Instant::now() + duration,
            waker: AtomicWaker::new(),
        }
    }
}
