//! Many threads at once on one `ThreadSource`: start, poll, reset, drop, and drop by others. Afterwards the
//! books balance: everything that was awaited completed, no waker is kept, nobody was early.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Arc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures::FutureExt;
use timer_future::{ThreadSource, TimerFuture, TimerSource};

const THREADS: u64 = 4;
const ROUNDS: u64 = 3_000;
const WATCHDOG: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A small generator, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn length(&mut self) -> Duration {
        match self.below(4) {
            0 => Duration::from_micros(self.below(50)),
            1 => Duration::from_micros(self.below(3_000)),
            2 => Duration::from_millis(self.below(100)),
            _ => Duration::from_secs(1 + self.below(100_000)),
        }
    }
}

fn poll(timer: &mut TimerFuture<&ThreadSource>, waker: &Waker) -> Poll<()> {
    let polled = timer.poll_unpin(&mut Context::from_waker(waker));
    if polled.is_ready() {
        assert!(timer.source().now() >= timer.deadline(), "early");
    }
    polled
}

/// The books: nobody keeps a waker of a timer that is gone. The keeper may be inside the last wake.
fn assert_released(count: &Arc<Count>) {
    let start = Instant::now();
    while Arc::strong_count(count) > 1 {
        assert!(
            start.elapsed() < WATCHDOG,
            "{} wakers are kept",
            Arc::strong_count(count) - 1
        );
        thread::yield_now();
    }
}

#[test]
fn start_reset_drop_storm_balances() {
    let source = ThreadSource::new();
    let count = Arc::new(Count::default());
    thread::scope(|scope| {
        for seed in 1..=THREADS {
            let (source, waker) = (&source, Waker::from(count.clone()));
            scope.spawn(move || {
                let mut random = Random(seed << 32 | 0x9E37_79B9);
                let mut live = Vec::new();
                for _ in 0..ROUNDS {
                    match random.below(6) {
                        0..=2 => {
                            let mut timer = TimerFuture::with_source(source, random.length());
                            _ = poll(&mut timer, &waker);
                            live.push(timer);
                        }
                        3 if !live.is_empty() => {
                            let at = random.below(live.len() as u64) as usize;
                            drop(live.swap_remove(at));
                        }
                        4 if !live.is_empty() => {
                            let at = random.below(live.len() as u64) as usize;
                            live[at].reset(random.length());
                        }
                        _ if !live.is_empty() => {
                            let at = random.below(live.len() as u64) as usize;
                            _ = poll(&mut live[at], &waker);
                        }
                        _ => (),
                    }
                }
                // What is left is moved near, and awaited: none may be lost.
                for timer in &mut live {
                    timer.reset(random.length().min(Duration::from_millis(5)));
                }
                for mut timer in live {
                    pollster::block_on(&mut timer);
                    assert!(poll(&mut timer, &waker).is_ready());
                }
            });
        }
    });
    assert_released(&count);
}

/// One thread only starts, another only drops; the slots come back to the first.
#[test]
fn dropped_by_another_thread_balances() {
    let source = ThreadSource::new();
    let count = Arc::new(Count::default());
    let (send, receive) = mpsc::sync_channel(500);
    thread::scope(|scope| {
        let (source, waker) = (&source, Waker::from(count.clone()));
        scope.spawn(move || {
            let mut random = Random(7);
            for _ in 0..20_000 {
                let mut timer = TimerFuture::with_source(source, random.length());
                _ = poll(&mut timer, &waker);
                send.send(timer).unwrap();
            }
        });
        scope.spawn(move || receive.into_iter().for_each(drop));
    });
    assert_released(&count);
}

/// Tight races of firing against reset and drop: deadlines that come up just then.
#[test]
fn reset_and_drop_against_fire() {
    let source = ThreadSource::builder().slack(Duration::ZERO).build();
    let count = Arc::new(Count::default());
    thread::scope(|scope| {
        for seed in 1..=THREADS {
            let (source, waker) = (&source, Waker::from(count.clone()));
            scope.spawn(move || {
                let mut random = Random(seed);
                for _ in 0..ROUNDS {
                    let near = Duration::from_micros(random.below(80));
                    let mut timer = TimerFuture::with_source(source, near);
                    _ = poll(&mut timer, &waker);
                    for _ in 0..random.below(200) {
                        std::hint::spin_loop();
                    }
                    match random.below(3) {
                        0 => timer.reset(Duration::from_secs(1_000)),
                        1 => {
                            timer.reset(near);
                            pollster::block_on(&mut timer);
                        }
                        _ => (),
                    }
                    _ = poll(&mut timer, &waker);
                }
            });
        }
    });
    assert_released(&count);
}

/// Many live timers on few deadlines; every one is awaited.
#[test]
fn a_crowd_is_served() {
    let source = ThreadSource::new();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let timers = (0..2_000u64).map(|n| {
                    TimerFuture::with_source(&source, Duration::from_micros(2_000 + 100 * (n % 40)))
                });
                pollster::block_on(futures::future::join_all(timers));
            });
        }
    });
}
