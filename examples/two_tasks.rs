//! One timer, polled by two tasks in turn: the newest waker wins.
//!
//! This demonstrates
//! 1. that a pending `TimerFuture` may be polled by one task and then by another, on another thread;
//! 2. that the wakeup goes to the task of the *latest* poll, and to nobody else;
//! 3. that no runtime has to know of the timer.
//!
//! ```text
//! cargo run --example two_tasks
//! ```

#![allow(clippy::expect_used)]

use std::future::{poll_fn, Future};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use timer_future::TimerFuture;

/// The first task: it only counts how often it is woken.
#[derive(Default)]
struct First {
    wakes: AtomicUsize,
}

impl Wake for First {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
    }
}

fn main() {
    let start = Instant::now();
    let mut timer = TimerFuture::new(Duration::from_millis(100));

    let first = Arc::new(First::default());
    let waker = Waker::from(first.clone());
    let polled = Pin::new(&mut timer).poll(&mut Context::from_waker(&waker));
    println!(
        "first task, {}: {polled:?}",
        thread::current().name().unwrap_or("?")
    );

    // While it is pending the future moves to another thread, into an executor there.
    let second = thread::Builder::new().name("second".into()).spawn(move || {
        let mut polls = 0;
        pollster::block_on(poll_fn(|cx| {
            polls += 1;
            let polled = Pin::new(&mut timer).poll(cx);
            println!(
                "second task, poll {polls}: {polled:?} after {:?}",
                start.elapsed()
            );
            polled
        }));
    });
    let second = second.expect("no thread");
    second.join().expect("the second task panicked");

    println!(
        "first task was woken {} times",
        first.wakes.load(Ordering::Relaxed)
    );
    assert_eq!(
        first.wakes.load(Ordering::Relaxed),
        0,
        "the newest waker wins"
    );
}
