//! Many timers, their deadlines spread over one second in random order: what does firing cost, and
//! how late is it? Each timer has a waker of its own that records when it was woken.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use super::on_threads;
use crate::harness::slab::Slab;
use crate::harness::stats::Histogram;
use crate::harness::wakers::{nanos_since, Latch, Recorder};
use crate::harness::{cpu, Metrics, Params, Random};
use crate::peers::Peer;

/// Time to create them all before the first is due.
const NS_PER_CREATION: u64 = 3_000;

pub fn run<P: Peer>(case: &Params) -> Metrics {
    let peer = Arc::new(P::new(2));
    let count = case.timers;
    let measured = peer.clone();
    on_threads(&peer, 1, |_| measure(measured.clone(), count)).remove(0)
}

async fn measure<P: Peer>(peer: Arc<P>, count: usize) -> Metrics {
    let latch = Latch::new(count);
    let recorders: Vec<_> = (0..count).map(|_| Recorder::new(&latch)).collect();
    let mut random = Random::new(42);
    let mut timers = Slab::new(count);

    // A book thread takes 20 us to spawn.
    let creation =
        Duration::from_nanos(NS_PER_CREATION * count as u64) + Duration::from_millis(200);
    let base = Instant::now() + creation;
    let targets: Vec<Instant> = (0..count)
        .map(|_| base + Duration::from_nanos(random.between(0, 1_000_000_000)))
        .collect();

    let cpu_0 = cpu::process();
    let sleeps_0 = cpu::sleeps();
    for (at, recorder) in recorders.iter().enumerate() {
        let waker = Waker::from(recorder.clone());
        let timer = peer.timer(targets[at].saturating_duration_since(Instant::now()));
        let poll = timers.put(at, timer).poll(&mut Context::from_waker(&waker));
        assert!(poll.is_pending(), "ready before its time");
    }
    let cpu_1 = cpu::process();
    let overrun = Instant::now().saturating_duration_since(base);
    latch.wait().await;
    let cpu_2 = cpu::process();
    let sleeps = cpu::sleeps() - sleeps_0;

    let mut not_ready = 0;
    for (at, recorder) in recorders.iter().enumerate() {
        let waker = Waker::from(recorder.clone());
        let timer = timers.at(at).expect("it was put there");
        not_ready += u64::from(timer.poll(&mut Context::from_waker(&waker)).is_pending());
    }
    timers.clear();
    let cpu_3 = cpu::process();
    let end = nanos_since(latch.epoch);

    let mut late = Histogram::new();
    let (mut early, mut earliest) = (0_u64, 0);
    for (recorder, target) in recorders.iter().zip(&targets) {
        let target = target.duration_since(latch.epoch).as_nanos() as u64;
        let woken = recorder.woken();
        assert!(woken != 0 && woken <= end);
        if woken < target {
            early += 1;
            earliest = earliest.max(target - woken);
        }
        late.add(woken.saturating_sub(target));
    }
    let each = |from: Duration, to: Duration| (to - from).as_nanos() as f64 / count as f64;
    let us = |quantile| late.quantile(quantile) as f64 / 1e3;
    Metrics::from([
        ("cpu_ns".into(), each(cpu_0, cpu_3)),
        ("cpu_create_ns".into(), each(cpu_0, cpu_1)),
        ("cpu_fire_ns".into(), each(cpu_1, cpu_2)),
        ("p10_us".into(), us(0.1)),
        ("p50_us".into(), us(0.5)),
        ("p90_us".into(), us(0.9)),
        ("p99_us".into(), us(0.99)),
        ("p99.9_us".into(), us(0.999)),
        ("max_us".into(), late.max() as f64 / 1e3),
        ("early".into(), early as f64),
        ("earliest_us".into(), earliest as f64 / 1e3),
        ("woken_not_ready".into(), not_ready as f64),
        ("sleeps".into(), sleeps as f64),
        ("overrun_ms".into(), overrun.as_secs_f64() * 1e3),
    ])
}
