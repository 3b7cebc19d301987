//! The cases: which work with which numbers, and who runs it.

mod churn;
mod idle;
mod mass_fire;
mod memory;
mod precision;
mod rearm;
mod sustained;

use std::future::Future;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::harness::params::{Params, Variant, Work};
use crate::harness::slab::Slab;
use crate::harness::{cpu, Metrics, Random};
use crate::peers::{self, Peer};

/// The deadline of a timeout that is nearly always cancelled.
const TIMEOUT: Duration = Duration::from_secs(30);

/// All cases. Names of several parts: workload, threads, variant.
pub fn cases(quick: bool) -> Vec<Params> {
    let secs = if quick { 0.05 } else { 0.4 };
    let churn = |name: &str| Params::new(&format!("churn/{name}"), Work::Churn).seconds(secs);
    let rearm = |name: &str, threads, variant| {
        let case = Params::new(&format!("rearm/{name}"), Work::Rearm);
        case.seconds(secs).threads(threads).variant(variant)
    };
    let mass =
        |name: &str, timers| Params::new(&format!("mass/{name}"), Work::MassFire).timers(timers);
    let precision = |name: &str, micros, seconds| {
        let case = Params::new(&format!("precision/{name}"), Work::Precision { micros });
        case.seconds(if quick { seconds / 5.0 } else { seconds })
    };
    let memory = |name: &str, timers| {
        Params::new(&format!("memory/{name}"), Work::Memory)
            .timers(timers)
            // Million that are cancelled.
            .seconds(if quick { 1.0 } else { 10.0 })
    };
    let mut cases = vec![
        churn("1"),
        churn("2").threads(2),
        churn("4").threads(4),
        churn("1/1k-pending").timers(1_000),
        churn("1/100k-pending").timers(100_000),
        churn("2/100k-pending").threads(2).timers(100_000),
        churn("1/1m-pending").timers(1_000_000),
        churn("1/noop-waker").variant(Variant::Noop),
        churn("1/many-wakers").variant(Variant::Wakers),
        churn("2/many-wakers").threads(2).variant(Variant::Wakers),
        churn("1/drop-1000-later").variant(Variant::Window),
        churn("2/drop-1000-later")
            .threads(2)
            .variant(Variant::Window),
        churn("2/drop-elsewhere").threads(2).variant(Variant::Cross),
        churn("1/never-polled").variant(Variant::Unpolled),
        churn("2/never-polled")
            .threads(2)
            .variant(Variant::Unpolled),
        rearm("1/later", 1, Variant::Later),
        rearm("2/later", 2, Variant::Later),
        rearm("1/earlier", 1, Variant::Earlier),
        rearm("2/earlier", 2, Variant::Earlier),
        rearm("1/alternating", 1, Variant::Alternating),
        rearm("2/alternating", 2, Variant::Alternating),
        mass("1k", 1_000),
        mass("10k", 10_000),
        mass("100k", 100_000),
        mass("1m", 1_000_000),
        Params::new("sustained/2", Work::Sustained)
            .threads(2)
            .seconds(if quick { 0.5 } else { 2.0 }),
        precision("100us", 100, 0.5),
        precision("1ms", 1_000, 1.0),
        precision("10ms", 10_000, 2.0),
        memory("100k", 100_000),
        memory("1m", 1_000_000),
        Params::new("idle/1m", Work::Idle)
            .timers(1_000_000)
            .seconds(if quick { 0.5 } else { 3.0 }),
    ];
    if quick {
        let slow = [
            "churn/1/1m-pending",
            "mass/1m",
            "memory/1m",
            "idle/1m",
            "mass/1k",
        ];
        cases.retain(|case| !slow.contains(&case.name.as_str()));
    }
    cases
}

fn run_for<P: Peer>(case: &Params) -> Metrics {
    let mut metrics = match case.work {
        Work::Churn => churn::run::<P>(case),
        Work::Rearm => rearm::run::<P>(case),
        Work::MassFire => mass_fire::run::<P>(case),
        Work::Sustained => sustained::run::<P>(case),
        Work::Precision { .. } => precision::run::<P>(case),
        Work::Memory => memory::run::<P>(case),
        Work::Idle => idle::run::<P>(case),
    };
    metrics.insert("clock_ns".into(), cpu::clock_read_ns());
    metrics.insert("atomic_ns".into(), cpu::atomic_ns());
    metrics
}

/// Runs a case in this process.
pub fn run(case: &Params, who: &str) -> Option<Metrics> {
    Some(match who {
        "handshake" => run_for::<peers::handshake::Handshake>(case),
        "floor" => run_for::<peers::floor::Floor>(case),
        "timer-future" => run_for::<peers::timer_future::Global>(case),
        "timer-future-1ms" => run_for::<peers::timer_future::Slack1ms>(case),
        "tokio-mt" => run_for::<peers::tokio::MultiThread>(case),
        "tokio-ct" => run_for::<peers::tokio::CurrentThread>(case),
        #[cfg(tokio_unstable)]
        "tokio-alt" => run_for::<peers::tokio::AltTimers>(case),
        "async-io" => run_for::<peers::async_io::AsyncIo>(case),
        "futures-timer" => run_for::<peers::futures_timer::FuturesTimer>(case),
        "embassy" => run_for::<peers::embassy::Embassy>(case),
        "book" => run_for::<peers::book::Book>(case),
        "kernel" => precision::kernel(case, false),
        "kernel-slack-1" => precision::kernel(case, true),
        _ => return None,
    })
}

/// Runs one measuring future on each of `threads` threads, and gives their results.
fn on_threads<P, T, F>(peer: &Arc<P>, threads: usize, future: impl Fn(usize) -> F) -> Vec<T>
where
    P: Peer,
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let spawn = |number| {
        let (peer, future) = (peer.clone(), future(number));
        thread::spawn(move || peer.block_on(future))
    };
    let threads: Vec<_> = (0..threads).map(spawn).collect();
    threads
        .into_iter()
        .map(|thread| thread.join().expect("a measuring thread panicked"))
        .collect()
}

/// Timers that stay pending: of 10 s to 10 min, nearer and farther than those that are measured.
fn others<P: Peer>(peer: &P, count: usize) -> Slab<P::Timer> {
    let waker = crate::harness::wakers::nothing();
    let mut cx = std::task::Context::from_waker(&waker);
    let mut random = Random::new(7);
    let mut others = Slab::new(count);
    for at in 0..count {
        let duration = Duration::from_micros(random.between(10_000_000, 600_000_000));
        let pending = others
            .put(at, peer.timer(duration))
            .poll(&mut cx)
            .is_pending();
        assert!(pending, "a timer of 10 s was ready at once");
    }
    others
}
