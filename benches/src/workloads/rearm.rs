//! A pending timer is moved: the idle timeout of a connection, at each packet.

use std::future::{poll_fn, Future};
use std::pin::pin;
use std::sync::{Arc, Barrier};
use std::task::Poll;
use std::time::Duration;

use super::churn::{per_operation, timed};
use super::{on_threads, TIMEOUT};
use crate::harness::params::{Params, Variant};
use crate::harness::{alloc, cpu, Metrics};
use crate::peers::Peer;

pub fn run<P: Peer>(case: &Params) -> Metrics {
    let peer = Arc::new(P::new(case.threads));
    let barrier = Arc::new(Barrier::new(case.threads));
    let results = on_threads(&peer, case.threads, |_| {
        let (peer, barrier, case) = (peer.clone(), barrier.clone(), case.clone());
        async move {
            let mut timer = pin!(peer.timer(TIMEOUT));
            poll_fn(|cx| {
                assert!(timer.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            let mut step = 0;
            let mut chunk = || {
                for _ in 0..1_000 {
                    step += 1;
                    // Earlier by 1 us each time, more than the clock moves on meanwhile.
                    let duration = match case.variant {
                        Variant::Later => TIMEOUT,
                        Variant::Alternating if step % 2 == 0 => TIMEOUT,
                        Variant::Alternating => TIMEOUT - Duration::from_secs(1),
                        _ => TIMEOUT * 20 - Duration::from_micros(step % 500_000_000),
                    };
                    peer.reset(timer.as_mut(), duration);
                }
            };
            if case.operations.is_none() {
                (0..20).for_each(|_| chunk());
            }
            barrier.wait();
            let cpu = cpu::process();
            let done = timed(&case, &mut chunk);
            barrier.wait();
            let cpu = cpu::process() - cpu;
            alloc::start();
            (0..10).for_each(|_| chunk());
            alloc::stop();
            (done, cpu, alloc::calls() as f64 / 10_000.0)
        }
    });
    let done: Vec<_> = results.iter().map(|result| result.0).collect();
    let mut metrics = per_operation(&done, results[0].1);
    if case.threads == 1 {
        metrics.insert("allocations".into(), results[0].2);
    }
    metrics
}
