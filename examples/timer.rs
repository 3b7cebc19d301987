//! Timers of several lengths, awaited concurrently on tokio. No runtime feature is used: the timers
//! bring their own time keeper.
//!
//! This demonstrates
//! 1. `TimerFuture::new`, on the source that the whole program shares;
//! 2. how late each timer is, and that none is early;
//! 3. which thread completes them: one, for all of them.
//!
//! ```text
//! cargo run --example timer
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use timer_future::TimerFuture;

/// Notes which thread wakes a task, which is the one that completed its timer, and passes the wake on.
struct Witness {
    task: Waker,
    woken_by: Arc<Mutex<String>>,
}

impl Wake for Witness {
    fn wake(self: Arc<Self>) {
        let thread = thread::current();
        *self.woken_by.lock().unwrap() = thread.name().unwrap_or("unnamed").into();
        self.task.wake_by_ref();
    }
}

/// A timer, and who completed it.
struct Witnessed {
    timer: TimerFuture,
    woken_by: Arc<Mutex<String>>,
}

impl Future for Witnessed {
    type Output = String;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<String> {
        let witness = Witness {
            task: cx.waker().clone(),
            woken_by: self.woken_by.clone(),
        };
        let waker = Waker::from(Arc::new(witness));
        match Pin::new(&mut self.timer).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(()) => Poll::Ready(self.woken_by.lock().unwrap().clone()),
            Poll::Pending => Poll::Pending,
        }
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let lengths = [250_000, 100_000, 1, 10_000, 50_000, 1_000, 100, 0].map(Duration::from_micros);

    let tasks = lengths.map(|length| {
        tokio::spawn(async move {
            let start = Instant::now();
            let timer = TimerFuture::new(length);
            let woken_by = Arc::new(Mutex::new("its own poll".into()));
            let thread = Witnessed { timer, woken_by }.await;
            (length, start.elapsed(), thread)
        })
    });

    println!("{:>12} {:>12}  completed by", "deadline", "lateness");
    for task in tasks {
        let (length, elapsed, thread) = task.await.expect("the task panicked");
        let late = elapsed.checked_sub(length).expect("early");
        println!(
            "{:>12} {:>12}  {thread}",
            format!("{length:?}"),
            format!("{late:.1?}")
        );
    }
}
