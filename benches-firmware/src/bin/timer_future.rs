//! This crate.
#![no_std]
#![no_main]

use core::time::Duration;

use bench::{board, Contender, N};
use timer_future::{Alarm, InterruptSource, TimerFuture};

struct Registers;

impl Alarm for Registers {
    const TICK_HZ: u64 = 1_000_000;

    #[inline]
    fn now(&self) -> u64 {
        board::now()
    }
    #[inline]
    fn set_alarm(&self, deadline: Option<u64>) {
        match deadline {
            Some(deadline) => board::set_alarm(deadline),
            None => board::stop_alarm(),
        }
    }
    #[inline]
    fn pend(&self) {
        board::pend();
    }
}

static TIMERS: InterruptSource<Registers, N> = InterruptSource::new(Registers);

struct TimerFutures;

impl Contender for TimerFutures {
    type Delay = TimerFuture<&'static InterruptSource<Registers, N>>;

    fn at(deadline: u64) -> Self::Delay {
        TimerFuture::with_deadline(&TIMERS, deadline)
    }
    fn after() -> Self::Delay {
        TimerFuture::with_source(&TIMERS, Duration::from_micros(100))
    }
    fn on_interrupt() {
        TIMERS.on_interrupt();
    }
}

bench::firmware!(TimerFutures);
