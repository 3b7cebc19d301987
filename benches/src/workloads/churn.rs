//! Timeouts that do not happen: create a timer of 30 s, poll it once, drop it.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use super::{on_threads, others, TIMEOUT};
use crate::harness::params::{Params, Variant};
use crate::harness::slab::Slab;
use crate::harness::wakers::nothing;
use crate::harness::{alloc, cores, cpu, Metrics};
use crate::peers::Peer;

/// Operations between two looks at the clock.
const CHUNK: u64 = 1_000;

/// What one thread has done.
#[derive(Clone, Copy)]
pub struct Done {
    operations: u64,
    wall: Duration,
    /// The median chunk.
    chunk: Duration,
}

/// Runs chunks until the time is over.
pub fn timed(case: &Params, mut chunk: impl FnMut()) -> Done {
    let start = Instant::now();
    let (mut chunks, mut last) = (Vec::with_capacity(100_000), start);
    loop {
        chunk();
        let now = Instant::now();
        chunks.push(now - std::mem::replace(&mut last, now));
        let (operations, wall) = (chunks.len() as u64 * CHUNK, now - start);
        let over = match case.operations {
            Some(limit) => operations >= limit,
            None => wall.as_secs_f64() >= case.seconds,
        };
        if over {
            chunks.sort();
            return Done {
                operations,
                wall,
                chunk: chunks[chunks.len() / 2],
            };
        }
    }
}

/// Time per operation and core. Wall time twice: of the median chunk of 1,000 operations, which other
/// programs on the machine disturb little, and the mean. CPU is of the whole process.
pub fn per_operation(done: &[Done], cpu: Duration) -> Metrics {
    let operations: u64 = done.iter().map(|done| done.operations).sum();
    let sum =
        |time: fn(&Done) -> Duration| done.iter().map(time).sum::<Duration>().as_nanos() as f64;
    let threads = done.len() as f64;
    // More threads than cores take turns.
    let share = threads.min(cores() as f64) / threads;
    Metrics::from([
        (
            "wall_ns".into(),
            sum(|done| done.chunk) / threads / CHUNK as f64,
        ),
        (
            "wall_mean_ns".into(),
            sum(|done| done.wall) * share / operations as f64,
        ),
        ("cpu_ns".into(), cpu.as_nanos() as f64 / operations as f64),
    ])
}

type Sender<P> = SyncSender<Slab<<P as Peer>::Timer>>;
type From<P> = Receiver<Slab<<P as Peer>::Timer>>;

/// One measuring thread of churn.
struct Churn<P: Peer> {
    peer: Arc<P>,
    variant: Variant,
    wakers: Vec<Waker>,
    window: Slab<P::Timer>,
    at: usize,
    /// To the thread that drops, and the emptied slabs back from it.
    other_thread: Option<(Sender<P>, From<P>)>,
}

impl<P: Peer> Churn<P> {
    fn new(peer: Arc<P>, variant: Variant) -> Self {
        let wakers = if variant == Variant::Wakers { 4_096 } else { 1 };
        let window = match variant {
            Variant::Window | Variant::Cross => CHUNK as usize,
            _ => 0,
        };
        let waker = |_| {
            if variant == Variant::Noop {
                Waker::noop().clone()
            } else {
                nothing()
            }
        };
        let wakers = (0..wakers).map(waker).collect();
        let window = Slab::new(window);
        Self {
            peer,
            variant,
            wakers,
            window,
            at: 0,
            other_thread: None,
        }
    }

    /// `CHUNK` operations.
    fn chunk(&mut self) {
        let mut cx = Context::from_waker(&self.wakers[0]);
        match self.variant {
            Variant::Unpolled => {
                for _ in 0..CHUNK {
                    let _timer = black_box(pin!(self.peer.timer(TIMEOUT)));
                }
            }
            Variant::Wakers => {
                for _ in 0..CHUNK {
                    self.at = (self.at + 1) % self.wakers.len();
                    let mut cx = Context::from_waker(&self.wakers[self.at]);
                    assert!(pin!(self.peer.timer(TIMEOUT)).poll(&mut cx).is_pending());
                }
            }
            Variant::Window => {
                for at in 0..self.window.len() {
                    assert!(self
                        .window
                        .put(at, self.peer.timer(TIMEOUT))
                        .poll(&mut cx)
                        .is_pending());
                }
            }
            Variant::Cross => {
                let Some((to, from)) = &self.other_thread else {
                    return;
                };
                for at in 0..self.window.len() {
                    assert!(self
                        .window
                        .put(at, self.peer.timer(TIMEOUT))
                        .poll(&mut cx)
                        .is_pending());
                }
                let empty = from.recv().expect("the dropping thread is there");
                to.send(std::mem::replace(&mut self.window, empty))
                    .expect("it is there");
            }
            _ => {
                for _ in 0..CHUNK {
                    assert!(pin!(self.peer.timer(TIMEOUT)).poll(&mut cx).is_pending());
                }
            }
        }
    }
}

/// The measuring thread that only drops.
fn drop_all<P: Peer>(from: Receiver<Slab<P::Timer>>, back: SyncSender<Slab<P::Timer>>) {
    while let Ok(mut timers) = from.recv() {
        timers.clear();
        if back.send(timers).is_err() {
            return;
        }
    }
}

pub fn run<P: Peer>(case: &Params) -> Metrics {
    let peer = Arc::new(P::new(case.threads));
    let cross = case.variant == Variant::Cross;
    // The thread that only drops goes on until the other one ends.
    let barrier = Arc::new(Barrier::new(if cross { 1 } else { case.threads }));
    let (to_dropper, from_creator) = sync_channel(4);
    let (to_creator, from_dropper) = sync_channel(8);
    for _ in 0..4 {
        to_creator
            .send(Slab::new(CHUNK as usize))
            .expect("there is room");
    }
    let creator = Mutex::new(Some((to_dropper, from_dropper)));
    let dropper = Mutex::new(Some((from_creator, to_creator)));
    let results = on_threads(&peer, case.threads, |number| {
        let (peer, barrier, case) = (peer.clone(), barrier.clone(), case.clone());
        let mut churn = Churn::new(peer.clone(), case.variant);
        let mut dropping = None;
        if cross && number == 0 {
            churn.other_thread = creator.lock().expect("not poisoned").take();
        } else if cross {
            dropping = dropper.lock().expect("not poisoned").take();
        }
        async move {
            let _others = others(&*peer, case.timers / case.threads);
            if let Some((from, back)) = dropping {
                drop_all::<P>(from, back);
                return (None, Duration::ZERO, None);
            }
            if case.operations.is_none() {
                (0..20).for_each(|_| churn.chunk());
            }
            barrier.wait();
            let cpu = cpu::process();
            let done = timed(&case, || churn.chunk());
            barrier.wait();
            let cpu = cpu::process() - cpu;
            let allocations = (case.threads == 1 && case.operations.is_none()).then(|| {
                alloc::start();
                (0..10).for_each(|_| churn.chunk());
                alloc::stop();
                alloc::calls() as f64 / (10 * CHUNK) as f64
            });
            (Some(done), cpu, allocations)
        }
    });
    let done: Vec<_> = results.iter().filter_map(|result| result.0).collect();
    let mut metrics = per_operation(&done, results[0].1);
    if let Some(allocations) = results[0].2 {
        metrics.insert("allocations".into(), allocations);
    }
    metrics
}
