//! One timer, awaited again and again: how much later than asked, at the wake and where it is awaited.

use std::future::{poll_fn, Future};
use std::num::NonZeroU64;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use super::on_threads;
use crate::harness::params::Work;
use crate::harness::stats::Histogram;
use crate::harness::wakers::nanos_since;
use crate::harness::{cpu, Metrics, Params};
use crate::peers::Peer;

/// Records the wake and passes it on.
struct Noting {
    epoch: Instant,
    woken: AtomicU64,
    task: Waker,
}

impl Wake for Noting {
    fn wake(self: Arc<Self>) {
        self.woken.store(nanos_since(self.epoch), Ordering::Release);
        self.task.wake_by_ref();
    }
}

fn duration(case: &Params) -> Duration {
    match case.work {
        Work::Precision { micros } => Duration::from_micros(micros),
        _ => Duration::from_millis(1),
    }
}

fn rounds(case: &Params) -> usize {
    (case.seconds / duration(case).as_secs_f64()).clamp(20.0, 5_000.0) as usize
}

fn metrics(woken: Option<&Histogram>, seen: &Histogram, early: u64, cpu: Duration) -> Metrics {
    let mut metrics = Metrics::from([
        ("p50_us".into(), seen.quantile(0.5) as f64 / 1e3),
        ("p99_us".into(), seen.quantile(0.99) as f64 / 1e3),
        ("early".into(), early as f64),
        (
            "cpu_us".into(),
            cpu.as_nanos() as f64 / 1e3 / seen.total() as f64,
        ),
    ]);
    if let Some(woken) = woken {
        metrics.insert("wake_p50_us".into(), woken.quantile(0.5) as f64 / 1e3);
        metrics.insert("wake_p99_us".into(), woken.quantile(0.99) as f64 / 1e3);
    }
    metrics
}

pub fn run<P: Peer>(case: &Params) -> Metrics {
    let peer = Arc::new(P::new(1));
    let (rounds, duration) = (rounds(case), duration(case));
    on_threads(&peer, 1, |_| measure(peer.clone(), rounds, duration)).remove(0)
}

async fn measure<P: Peer>(peer: Arc<P>, rounds: usize, duration: Duration) -> Metrics {
    let epoch = Instant::now();
    let (mut woken, mut seen, mut early) = (Histogram::new(), Histogram::new(), 0);
    let task = poll_fn(|cx| std::task::Poll::Ready(cx.waker().clone())).await;
    let noting = Arc::new(Noting {
        epoch,
        woken: AtomicU64::new(0),
        task,
    });
    let waker = Waker::from(noting.clone());
    let cpu = cpu::process();
    for round in 0..rounds + 5 {
        let start = nanos_since(epoch);
        let mut timer = pin!(peer.timer(duration));
        poll_fn(|_| timer.as_mut().poll(&mut Context::from_waker(&waker))).await;
        let target = start + duration.as_nanos() as u64;
        let now = nanos_since(epoch);
        if round >= 5 {
            early += u64::from(now < target);
            seen.add(now.saturating_sub(target));
            woken.add(noting.woken.load(Ordering::Acquire).saturating_sub(target));
        }
    }
    metrics(Some(&woken), &seen, early, cpu::process() - cpu)
}

/// The same with the kernel's own sleep, on this thread.
pub fn kernel(case: &Params, minimal_slack: bool) -> Metrics {
    if minimal_slack {
        rustix::thread::set_current_timer_slack(NonZeroU64::new(1)).expect("it may be set");
    }
    let (mut seen, mut early) = (Histogram::new(), 0);
    let duration = duration(case);
    let cpu = cpu::process();
    for _ in 0..rounds(case) {
        let start = Instant::now();
        std::thread::sleep(duration);
        let elapsed = start.elapsed();
        early += u64::from(elapsed < duration);
        seen.add(elapsed.saturating_sub(duration).as_nanos() as u64);
    }
    let mut metrics = metrics(None, &seen, early, cpu::process() - cpu);
    metrics.insert("clock_ns".into(), cpu::clock_read_ns());
    metrics
}
