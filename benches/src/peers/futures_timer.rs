//! futures-timer: a helper thread and a heap.

use std::pin::Pin;
use std::time::Duration;

use futures_timer::Delay;

use super::Peer;

pub struct FuturesTimer;

impl Peer for FuturesTimer {
    type Timer = Delay;

    fn new(_: usize) -> Self {
        Self
    }
    fn timer(&self, duration: Duration) -> Delay {
        Delay::new(duration)
    }
    fn reset(&self, timer: Pin<&mut Delay>, duration: Duration) {
        timer.get_mut().reset(duration);
    }
}
