//! Random starts, polls, resets and drops, on several threads and across them, and books that must
//! balance: every timer either fires (not early) or is cancelled, and no waker is kept.
//!
//! `SOAK_OPS=100000000 cargo test --release --test soak` is the long run; the default is short.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{mpsc, Arc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use timer_future::{ThreadSource, TimerFuture, TimerSource};

#[derive(Default)]
struct Books {
    wakes: AtomicU64,
    started: AtomicU64,
    fired: AtomicU64,
    cancelled: AtomicU64,
    early: AtomicU64,
}

struct Count(Arc<Books>);
impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.wakes.fetch_add(1, Relaxed);
    }
}

struct Random(u64);
impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
    /// Mostly far, sometimes near, now and then at once: every level of the wheel.
    fn duration(&mut self) -> Duration {
        let bits = self.below(46);
        Duration::from_nanos(self.below(1 << bits.max(1)))
    }
}

type Timer = TimerFuture<Arc<ThreadSource>>;

fn poll(timer: &mut Timer, waker: &Waker, books: &Books) -> bool {
    let ready = Pin::new(&mut *timer)
        .poll(&mut Context::from_waker(waker))
        .is_ready();
    if ready && timer.source().now() < timer.deadline() {
        books.early.fetch_add(1, Relaxed);
    }
    ready
}

fn worker(
    seed: u64,
    ops: u64,
    source: &Arc<ThreadSource>,
    books: &Arc<Books>,
    inbox: &mpsc::Receiver<Timer>,
    other: &mpsc::Sender<Timer>,
) {
    let mut random = Random(seed);
    let wakers: Vec<Waker> = (0..4)
        .map(|_| Arc::new(Count(books.clone())).into())
        .collect();
    let mut timers: Vec<Timer> = Vec::new();
    for _ in 0..ops {
        let waker = &wakers[random.below(4) as usize];
        let at = random.below(timers.len().max(1) as u64) as usize;
        match random.below(16) {
            _ if timers.is_empty() => {
                timers.push(TimerFuture::with_source(source.clone(), random.duration()));
                books.started.fetch_add(1, Relaxed);
            }
            0..=4 if timers.len() < 1_000 => {
                timers.push(TimerFuture::with_source(source.clone(), random.duration()));
                books.started.fetch_add(1, Relaxed);
            }
            5..=8 => {
                if poll(&mut timers[at], waker, books) {
                    drop(timers.swap_remove(at));
                    books.fired.fetch_add(1, Relaxed);
                }
            }
            9..=11 => timers[at].reset(random.duration()),
            12 => other.send(timers.swap_remove(at)).unwrap(),
            13 => timers.extend(inbox.try_recv()),
            _ => {
                drop(timers.swap_remove(at));
                books.cancelled.fetch_add(1, Relaxed);
            }
        }
    }
    // What is left is made to fire soon, and waited for.
    timers.extend(inbox.try_iter());
    for timer in &mut timers {
        timer.reset(Duration::from_micros(random.below(2_000)));
    }
    let stop = Instant::now() + Duration::from_secs(60);
    let parked = Waker::from(Arc::new(Unpark(std::thread::current())));
    for mut timer in timers {
        while Pin::new(&mut timer).poll(&mut Context::from_waker(&parked)) == Poll::Pending {
            assert!(
                Instant::now() < stop,
                "a timer was lost: {timer:?} {source:?}"
            );
            std::thread::park_timeout(Duration::from_secs(60));
        }
        books.fired.fetch_add(1, Relaxed);
    }
}

struct Unpark(std::thread::Thread);
impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[test]
fn the_books_of_a_long_random_run_balance() {
    let ops: u64 = std::env::var("SOAK_OPS").map_or(400_000, |ops| ops.parse().unwrap());
    let source = Arc::new(ThreadSource::new());
    let books = Arc::new(Books::default());
    let threads = 4;
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..threads).map(|_| mpsc::channel()).unzip();
    std::thread::scope(|scope| {
        for (number, inbox) in receivers.into_iter().enumerate() {
            let other = senders[(number + 1) % threads].clone();
            let (source, books) = (&source, &books);
            scope.spawn(move || {
                worker(
                    number as u64 + 1,
                    ops / threads as u64,
                    source,
                    books,
                    &inbox,
                    &other,
                );
                // Timers that arrive later are dropped with the channel: cancelled.
                drop(other);
                for timer in inbox.iter() {
                    drop(timer);
                    books.cancelled.fetch_add(1, Relaxed);
                }
            });
        }
        drop(senders);
    });
    let (started, fired) = (books.started.load(Relaxed), books.fired.load(Relaxed));
    let cancelled = books.cancelled.load(Relaxed);
    println!(
        "started {started}, fired {fired}, cancelled {cancelled}, wakes {:?}",
        books.wakes
    );
    assert_eq!(books.early.load(Relaxed), 0, "early");
    assert_eq!(started, fired + cancelled);
    // Ends the thread, and with it whatever it was doing with a waker.
    drop(Arc::into_inner(source).expect("a timer was left"));
    assert_eq!(Arc::strong_count(&books), 1, "a waker was kept");
}
