//! As fast as they fire: each of two threads keeps 65,536 timers of 5 to 50 ms going, and starts a new
//! one for each that is over. Lateness is what the task sees: from the deadline to its poll.

use std::future::{poll_fn, Future};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::on_threads;
use crate::harness::slab::Slab;
use crate::harness::stats::Histogram;
use crate::harness::wakers::Tasks;
use crate::harness::{cpu, Metrics, Params, Random};
use crate::peers::Peer;

const TASKS: usize = 65_536;

pub fn run<P: Peer>(case: &Params) -> Metrics {
    let peer = Arc::new(P::new(case.threads));
    let results = on_threads(&peer, case.threads, |number| {
        measure(peer.clone(), number as u64, case.seconds)
    });
    let mut late = Histogram::new();
    let (mut early, mut cpu, mut seconds) = (0, Duration::ZERO, 0.0_f64);
    for (histogram, early_here, cpu_here, seconds_here) in &results {
        late.merge(histogram);
        early += early_here;
        cpu = cpu.max(*cpu_here);
        seconds = seconds.max(*seconds_here);
    }
    let ms = |quantile| late.quantile(quantile) as f64 / 1e6;
    Metrics::from([
        ("timers_per_us".into(), late.total() as f64 / seconds / 1e6),
        ("cpu_ns".into(), cpu.as_nanos() as f64 / late.total() as f64),
        ("p50_ms".into(), ms(0.5)),
        ("p99_ms".into(), ms(0.99)),
        ("p99.9_ms".into(), ms(0.999)),
        ("max_ms".into(), late.max() as f64 / 1e6),
        ("early".into(), early as f64),
    ])
}

async fn measure<P: Peer>(
    peer: Arc<P>,
    seed: u64,
    seconds: f64,
) -> (Histogram, u64, Duration, f64) {
    let tasks = Tasks::new(TASKS);
    let mut timers = Slab::new(TASKS);
    let mut deadlines = vec![Instant::now(); TASKS];
    let mut random = Random::new(seed + 1);
    let mut late = Histogram::new();
    let mut early = 0;
    let mut start = |task: usize, now: Instant, timers: &mut Slab<_>, deadlines: &mut [Instant]| {
        let duration = Duration::from_nanos(random.between(5_000_000, 50_000_000));
        deadlines[task] = now + duration;
        let waker = tasks.waker(task);
        if timers
            .put(task, peer.timer(duration))
            .poll(&mut Context::from_waker(&waker))
            .is_ready()
        {
            waker.wake();
        }
    };
    for task in 0..TASKS {
        start(task, Instant::now(), &mut timers, &mut deadlines);
    }
    let begin = Instant::now();
    // The first round comes in a crowd.
    let warm = begin + Duration::from_millis(200);
    let end = warm + Duration::from_secs_f64(seconds);
    let mut cpu_start = None;
    let mut batch = Vec::with_capacity(TASKS);
    poll_fn(|cx| {
        tasks.take(cx.waker(), &mut batch);
        for &task in &batch {
            let task = task as usize;
            let waker = tasks.waker(task);
            let timer = timers.at(task).expect("it was put there");
            if timer.poll(&mut Context::from_waker(&waker)).is_pending() {
                continue;
            }
            let now = Instant::now();
            if now > warm {
                cpu_start.get_or_insert_with(cpu::process);
                late.add(now.saturating_duration_since(deadlines[task]).as_nanos() as u64);
                early += u64::from(now < deadlines[task]);
            }
            start(task, now, &mut timers, &mut deadlines);
        }
        if Instant::now() >= end {
            return Poll::Ready(());
        }
        if !batch.is_empty() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await;
    let cpu = cpu::process() - cpu_start.unwrap_or_default();
    (late, early, cpu, warm.elapsed().as_secs_f64())
}
