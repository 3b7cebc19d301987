//! One adapter per peer, behind one small trait.

pub mod async_io;
pub mod book;
pub mod embassy;
pub mod floor;
pub mod futures_timer;
pub mod handshake;
pub mod program;
pub mod timer_future;
pub mod tokio;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::harness::block_on::block_on;
use crate::harness::params::{Params, Variant, Work};

/// A timer implementation, used as its own documentation says.
pub trait Peer: Send + Sync + 'static {
    type Timer: Future<Output = ()> + Send + 'static;

    /// For so many measuring threads.
    fn new(threads: usize) -> Self;

    fn timer(&self, duration: Duration) -> Self::Timer;

    /// Moves a pending timer. Peers that cannot are not asked.
    fn reset(&self, _timer: Pin<&mut Self::Timer>, _duration: Duration) {
        unreachable!("this peer has no reset");
    }

    /// Runs a measuring future to its end: on this thread, or where the timers of the peer belong.
    fn block_on<F>(&self, future: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        block_on(future)
    }
}

/// All peers, in the order of the tables. The kernel's own sleep is measured by precision only.
pub const NAMES: &[&str] = &[
    "floor",
    "handshake",
    "timer-future",
    "timer-future-1ms",
    "tokio-mt",
    "tokio-ct",
    "tokio-alt",
    "async-io",
    "futures-timer",
    "embassy",
    "book",
    "kernel",
    "kernel-slack-1",
];

/// Whether users could take it instead in such a case. Not ours, nor the floors; and not embassy where
/// timers are cancelled, because it never takes a timer out: it overwrites the one entry of the task.
pub fn is_peer(who: &str, case: &str) -> bool {
    let ours = who.starts_with("timer-future");
    let other = !ours && !who.starts_with("kernel") && who != "floor" && who != "handshake";
    other && (who != "embassy" || case.starts_with("precision"))
}

/// Whether it makes sense to ask.
pub fn supports(who: &str, case: &Params) -> bool {
    let single = case.threads == 1;
    match who {
        "kernel" | "kernel-slack-1" => matches!(case.work, Work::Precision { .. }),
        // A thread for each timer: small cases only.
        "book" => match case.work {
            Work::Precision { .. } => true,
            Work::MassFire => case.timers <= 1_000,
            _ => false,
        },
        // Its std driver keeps at most 128 timers, and a cancelled one stays.
        "embassy" => match case.work {
            Work::Precision { .. } => true,
            Work::Churn => {
                case.timers == 0 && matches!(case.variant, Variant::Plain | Variant::Unpolled)
            }
            _ => false,
        },
        // One thread owns it.
        "floor" => case.variant != Variant::Cross,
        // It keeps no time.
        "handshake" => {
            matches!(case.work, Work::Churn) && case.timers == 0 && case.variant == Variant::Plain
        }
        "timer-future-1ms" => {
            matches!(case.work, Work::MassFire | Work::Sustained)
                || (single && matches!(case.work, Work::Precision { .. }))
        }
        _ => true,
    }
}
