//! tokio: its multi-thread and current-thread runtimes, and the per-worker timers.
//!
//! `enable_all`, as `#[tokio::main]` does. `unconstrained`, because otherwise every 129th poll in a row
//! returns `Pending` without having touched the timer.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::unconstrained;
use tokio::time::{sleep, Instant, Sleep};

use super::Peer;

fn reset(timer: Pin<&mut Sleep>, duration: Duration) {
    timer.reset(Instant::now() + duration);
}

/// The measuring futures are tasks on workers.
fn on_worker<F>(runtime: &Runtime, future: F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    runtime
        .block_on(runtime.spawn(unconstrained(future)))
        .expect("the measuring task panicked")
}

pub struct MultiThread(Runtime);

impl Peer for MultiThread {
    type Timer = Sleep;

    fn new(threads: usize) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.max(2))
            .enable_all()
            .build();
        Self(runtime.expect("a runtime"))
    }
    fn timer(&self, duration: Duration) -> Sleep {
        sleep(duration)
    }
    fn reset(&self, timer: Pin<&mut Sleep>, duration: Duration) {
        reset(timer, duration);
    }
    fn block_on<F>(&self, future: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        on_worker(&self.0, future)
    }
}

/// Each measuring thread has its own runtime.
pub struct CurrentThread;

impl Peer for CurrentThread {
    type Timer = Sleep;

    fn new(_: usize) -> Self {
        Self
    }
    fn timer(&self, duration: Duration) -> Sleep {
        sleep(duration)
    }
    fn reset(&self, timer: Pin<&mut Sleep>, duration: Duration) {
        reset(timer, duration);
    }
    fn block_on<F>(&self, future: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(unconstrained(future))
    }
}

#[cfg(tokio_unstable)]
pub struct AltTimers(Runtime);

#[cfg(tokio_unstable)]
impl Peer for AltTimers {
    type Timer = Sleep;

    fn new(threads: usize) -> Self {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder
            .worker_threads(threads.max(2))
            .enable_all()
            .enable_alt_timer()
            .build();
        Self(runtime.expect("a runtime"))
    }
    fn timer(&self, duration: Duration) -> Sleep {
        sleep(duration)
    }
    fn reset(&self, timer: Pin<&mut Sleep>, duration: Duration) {
        reset(timer, duration);
    }
    fn block_on<F>(&self, future: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        on_worker(&self.0, future)
    }
}
