//! The async book's timer, a thread for each, as a `TimerSource`.
//!
//! This demonstrates
//! 1. that a source of your own is a clock, and something that calls `complete` at a deadline;
//! 2. that the rest (the future, `reset`, the handshake with the executor) comes with the crate.
//!
//! The conformance suite (tests/conformance.rs) runs against this very source.
//!
//! ```text
//! cargo run --example custom_source
//! ```

use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use timer_future::{CapacityError, TimerFuture, TimerSource, TimerState};

/// A thread for each timer.
#[derive(Clone, Copy, Debug)]
pub struct ThreadPerTimer;

impl TimerSource for ThreadPerTimer {
    type Timer = Arc<TimerState>;
    const TICK_HZ: u64 = 1_000_000;

    fn now(&self) -> u64 {
        static EPOCH: OnceLock<Instant> = OnceLock::new();
        EPOCH.get_or_init(Instant::now).elapsed().as_micros() as u64
    }

    fn start(&self, deadline: u64) -> Result<Self::Timer, CapacityError> {
        let timer = Arc::new(TimerState::new());
        let (seen, wait) = (timer.clone(), deadline.saturating_sub(self.now()));
        thread::Builder::new()
            .spawn(move || {
                thread::sleep(Duration::from_micros(wait));
                seen.complete();
            })
            .map_err(|_| CapacityError::new())?;
        Ok(timer)
    }
}

fn main() {
    pollster::block_on(async {
        let start = Instant::now();
        let mut short = TimerFuture::with_source(ThreadPerTimer, Duration::from_millis(20));
        let mut long = TimerFuture::with_source(ThreadPerTimer, Duration::from_millis(50));
        assert_eq!(long.try_start(), Ok(()), "no thread");
        (&mut short).await;
        println!("20 ms: completed after {:?}", start.elapsed());
        long.await;
        println!("50 ms: completed after {:?}", start.elapsed());

        short.reset(Duration::from_millis(10));
        let start = Instant::now();
        short.await;
        println!("10 ms, by reset: completed after {:?}", start.elapsed());
    });
}
