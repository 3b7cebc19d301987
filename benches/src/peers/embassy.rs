//! embassy-time's std driver with its generic queue (128 timers), in ticks of a microsecond.

use std::time::Duration;

use super::Peer;

pub struct Embassy;

impl Peer for Embassy {
    type Timer = embassy_time::Timer;

    fn new(_: usize) -> Self {
        Self
    }
    fn timer(&self, duration: Duration) -> embassy_time::Timer {
        embassy_time::Timer::after_micros(duration.as_nanos().div_ceil(1_000) as u64)
    }
}
