//! Bytes per pending timer, future included, as the allocator and as the kernel sees it; after ten
//! million cancelled; after everything is dropped.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use super::on_threads;
use crate::harness::slab::Slab;
use crate::harness::wakers::nothing;
use crate::harness::{alloc, cpu, Metrics, Params, Random};
use crate::peers::Peer;

const HOUR: u64 = 3_600_000_000;

pub fn run<P: Peer>(case: &Params) -> Metrics {
    let peer = Arc::new(P::new(1));
    let (count, cancelled) = (
        case.timers,
        case.operations.unwrap_or(case.seconds as u64 * 1_000_000),
    );
    on_threads(&peer, 1, |_| measure(peer.clone(), count, cancelled)).remove(0)
}

async fn measure<P: Peer>(peer: Arc<P>, count: usize, cancelled: u64) -> Metrics {
    let mut random = Random::new(3);
    // Whatever is made once: threads, reactors, the first chunk.
    hold(&*peer, &mut Slab::new(1), 1, &mut random);
    alloc::start();
    let resident = cpu::resident();
    let mut metrics = Metrics::new();
    let mut note = |name: &str| {
        let each = |bytes: i64| bytes as f64 / count as f64;
        metrics.insert(format!("{name}_bytes"), each(alloc::bytes()));
        metrics.insert(format!("{name}_rss"), each(cpu::resident() - resident));
    };

    let mut timers = Slab::new(count);
    hold(&*peer, &mut timers, count as u64, &mut random);
    note("pending");
    hold(&*peer, &mut Slab::new(1_000), cancelled, &mut random);
    note("cancelled");
    drop(timers);
    // Time to clean up, for those who do that elsewhere.
    let mut short = pin!(peer.timer(Duration::from_millis(50)));
    std::future::poll_fn(|cx| short.as_mut().poll(cx)).await;
    note("dropped");
    metrics.insert("future_bytes".into(), size_of::<P::Timer>() as f64);
    metrics
}

/// Starts so many timers of an hour or two, and keeps as many as there are places.
fn hold<P: Peer>(peer: &P, places: &mut Slab<P::Timer>, count: u64, random: &mut Random) {
    let waker = nothing();
    let mut cx = Context::from_waker(&waker);
    for number in 0..count as usize {
        let timer = peer.timer(Duration::from_micros(random.between(HOUR, 2 * HOUR)));
        let at = number % places.len();
        assert!(places.put(at, timer).poll(&mut cx).is_pending());
    }
}
