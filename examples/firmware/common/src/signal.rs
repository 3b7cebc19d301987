//! [`Signal`]: tells a task that something happened, from an interrupt handler.

use core::future::poll_fn;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Poll;

use atomic_waker::AtomicWaker;

/// "It happened", remembered until the one task that waits for it has seen it.
pub struct Signal {
    happened: AtomicBool,
    waker: AtomicWaker,
}

impl Signal {
    /// Nothing happened yet.
    pub const fn new() -> Self {
        Self {
            happened: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        }
    }

    /// It happened. From any context.
    pub fn set(&self) {
        // The flag before the wake: a task that is polled because of the wake must find it.
        self.happened.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Forgets what happened so far.
    pub fn clear(&self) {
        self.happened.store(false, Ordering::Release);
    }

    /// Waits until it has happened (since the last wait).
    pub async fn wait(&self) {
        poll_fn(|cx| {
            if self.take() {
                return Poll::Ready(());
            }
            self.waker.register(cx.waker());
            // Again, for what happened before the waker was in its place.
            if self.take() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    fn take(&self) -> bool {
        let happened = self.happened.load(Ordering::Acquire);
        if happened {
            // One consumer, so load and store will do; two events so close are one.
            self.happened.store(false, Ordering::SeqCst);
        }
        happened
    }
}

impl Default for Signal {
    fn default() -> Self {
        Self::new()
    }
}
