//! A million timers an hour away: what does it cost to wait?

use std::future::Future;
use std::sync::Arc;
use std::task::Context;
use std::thread;
use std::time::{Duration, Instant};

use super::on_threads;
use crate::harness::slab::Slab;
use crate::harness::wakers::{nothing, Latch};
use crate::harness::{cpu, Metrics, Params, Random};
use crate::peers::Peer;

pub fn run<P: Peer>(case: &Params) -> Metrics {
    let peer = Arc::new(P::new(2));
    let case = case.clone();
    on_threads(&peer, 1, |_| measure(peer.clone(), case.clone())).remove(0)
}

async fn measure<P: Peer>(peer: Arc<P>, case: Params) -> Metrics {
    let waker = nothing();
    let mut random = Random::new(5);
    let mut timers = Slab::new(case.timers);
    for at in 0..case.timers {
        let duration = Duration::from_micros(random.between(3_600_000_000, 7_200_000_000));
        let timer = timers.put(at, peer.timer(duration));
        assert!(timer.poll(&mut Context::from_waker(&waker)).is_pending());
    }
    // Another thread looks at the clock, so that this one can be where the timers are driven.
    let latch = Latch::new(1);
    let watcher = thread::spawn({
        let latch = latch.clone();
        move || {
            thread::sleep(Duration::from_millis(300));
            let (start, cpu, sleeps) = (Instant::now(), cpu::process(), cpu::sleeps());
            thread::sleep(Duration::from_secs_f64(case.seconds));
            let (cpu, sleeps) = (cpu::process() - cpu, cpu::sleeps() - sleeps);
            let seconds = start.elapsed().as_secs_f64();
            latch.count();
            Metrics::from([
                ("cpu_us_per_s".into(), cpu.as_nanos() as f64 / 1e3 / seconds),
                // Less the watcher's own.
                (
                    "wakes_per_s".into(),
                    sleeps.saturating_sub(1) as f64 / seconds,
                ),
            ])
        }
    });
    latch.wait().await;
    watcher.join().expect("the watcher panicked")
}
