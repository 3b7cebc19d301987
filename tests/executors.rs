//! The same timer on every executor, and moved between them. No executor has to know of it, and `new`
//! needs no runtime around it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::future::{poll_fn, Future};
use std::pin::pin;
use std::sync::mpsc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use futures::executor::{LocalPool, ThreadPool};
use futures::future::{join_all, select, Either};
use futures::stream::{FuturesUnordered, StreamExt};
use futures::task::{LocalSpawnExt, SpawnExt};
use futures::FutureExt;
use timer_future::TimerFuture;

const WATCHDOG: Duration = Duration::from_secs(60);

/// Runs a test body, and fails where it would hang.
fn watched(body: impl FnOnce() + Send + 'static) {
    let (done, finished) = mpsc::channel();
    let test = thread::spawn(move || {
        body();
        _ = done.send(());
    });
    let lost = finished.recv_timeout(WATCHDOG) == Err(mpsc::RecvTimeoutError::Timeout);
    assert!(!lost, "a wakeup was lost");
    test.join().unwrap();
}

/// What every executor gets: timers of several lengths at once, none of them early.
async fn workload() {
    let start = Instant::now();
    let lengths = [5, 1, 0, 3, 2, 5, 1].map(Duration::from_millis);
    join_all(lengths.map(|length| async move {
        TimerFuture::new(length).await;
        assert!(start.elapsed() >= length, "early");
    }))
    .await;
    // One after the other.
    for _ in 0..5 {
        TimerFuture::new(Duration::from_micros(300)).await;
    }
    assert!(start.elapsed() >= Duration::from_micros(6_500), "early");
}

/// A timer that is far enough to be still pending when it moves: the test is repeated with twice the time
/// until it is.
fn moved_while_pending(
    first: impl Fn(&mut TimerFuture) -> Poll<()>,
    second: impl Fn(TimerFuture) + Copy + Send + 'static,
) {
    let mut length = Duration::from_millis(10);
    loop {
        let start = Instant::now();
        let mut timer = TimerFuture::new(length);
        if first(&mut timer).is_pending() {
            second(timer);
            assert!(start.elapsed() >= length, "early");
            return;
        }
        length *= 2;
        assert!(length < WATCHDOG);
    }
}

/// One poll inside an executor's task.
fn poll_once(timer: &mut TimerFuture) -> impl Future<Output = Poll<()>> + '_ {
    poll_fn(|cx| Poll::Ready(timer.poll_unpin(cx)))
}

fn tokio_current() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
}

fn tokio_multi() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap()
}

/// A thread that parks: all there is to an executor.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn needs_no_runtime_to_be_made_started_or_dropped() {
    let mut timer = TimerFuture::new(Duration::from_secs(3600));
    timer.try_start().unwrap();
    assert!(!timer.is_elapsed());
    drop(timer);
    drop(TimerFuture::new(Duration::MAX));
}

#[test]
fn hand_written_block_on() {
    watched(|| block_on(workload()));
}

#[test]
fn pollster() {
    watched(|| pollster::block_on(workload()));
}

#[test]
fn tokio_current_thread() {
    watched(|| tokio_current().block_on(workload()));
}

#[test]
fn tokio_multi_thread() {
    watched(|| {
        tokio_multi().block_on(async {
            let tasks: Vec<_> = (0..8).map(|_| tokio::spawn(workload())).collect();
            for task in tasks {
                task.await.unwrap();
            }
        })
    });
}

#[tokio::test]
async fn tokio_select_keeps_the_deadline() {
    // By reference in a loop: each turn polls the same timer again, and drops another one.
    let mut timer = TimerFuture::new(Duration::from_millis(5));
    let deadline = timer.deadline();
    let mut turns = 0;
    loop {
        tokio::select! {
            () = &mut timer => break,
            () = TimerFuture::new(Duration::from_micros(500)) => turns += 1,
        }
        assert_eq!(timer.deadline(), deadline);
        assert!(turns < 1_000_000);
    }
    assert!(timer.is_elapsed());
}

#[test]
fn smol() {
    watched(|| {
        smol::block_on(async {
            let tasks: Vec<_> = (0..4).map(|_| smol::spawn(workload())).collect();
            for task in tasks {
                task.await;
            }
        })
    });
}

#[test]
fn futures_local_pool() {
    watched(|| {
        let mut pool = LocalPool::new();
        for _ in 0..4 {
            pool.spawner().spawn_local(workload()).unwrap();
        }
        pool.run();
    });
}

#[test]
fn futures_thread_pool() {
    watched(|| {
        let pool = ThreadPool::builder().pool_size(2).create().unwrap();
        let tasks: Vec<_> = (0..4)
            .map(|_| pool.spawn_with_handle(workload()).unwrap())
            .collect();
        pollster::block_on(join_all(tasks));
    });
}

#[test]
fn futures_select_and_fused() {
    watched(|| {
        pollster::block_on(async {
            let mut never = TimerFuture::new(Duration::MAX);
            let mut short = TimerFuture::new(Duration::from_millis(1));
            let mut fired = 0;
            for _ in 0..2 {
                // `select!` skips a timer that has completed, and `complete` runs when all others have.
                futures::select! {
                    () = short => fired += 1,
                    () = never => panic!("never"),
                    default => (),
                    complete => break,
                }
                (&mut short).await;
            }
            assert!(fired <= 1);
            match select(never, TimerFuture::new(Duration::from_millis(1))).await {
                Either::Left(_) => panic!("never"),
                Either::Right(((), never)) => assert!(!never.is_elapsed()),
            }
        })
    });
}

#[test]
fn futures_unordered_completes_them_all() {
    watched(|| {
        pollster::block_on(async {
            let lengths = (0..200).map(|i| Duration::from_micros(37 * (i % 50)));
            let timers: FuturesUnordered<_> = lengths
                .map(|length| {
                    let start = Instant::now();
                    TimerFuture::new(length).map(move |()| assert!(start.elapsed() >= length))
                })
                .collect();
            assert_eq!(timers.count().await, 200);
        })
    });
}

#[test]
fn from_tokio_to_smol_while_pending() {
    watched(|| {
        let tokio = tokio_current();
        moved_while_pending(|timer| tokio.block_on(poll_once(timer)), smol::block_on);
    });
}

#[test]
fn from_a_pool_to_a_tokio_worker_while_pending() {
    watched(|| {
        moved_while_pending(
            |timer| LocalPool::new().run_until(poll_once(timer)),
            |timer| {
                let tokio = tokio_multi();
                tokio.block_on(async { tokio::spawn(timer).await.unwrap() });
            },
        );
    });
}

#[test]
fn from_tokio_to_a_hand_written_one_after_the_runtime_is_gone() {
    watched(|| {
        moved_while_pending(
            |timer| tokio_multi().block_on(poll_once(timer)), // dropped here
            block_on,
        );
    });
}

#[test]
fn through_all_of_them_while_pending() {
    watched(|| {
        moved_while_pending(
            |timer| {
                let polls = [
                    tokio_current().block_on(poll_once(timer)),
                    smol::block_on(poll_once(timer)),
                    pollster::block_on(poll_once(timer)),
                    LocalPool::new().run_until(poll_once(timer)),
                    block_on(poll_once(timer)),
                ];
                polls[4]
            },
            |timer| thread::spawn(|| pollster::block_on(timer)).join().unwrap(),
        );
    });
}
