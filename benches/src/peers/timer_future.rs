//! timer-future: the global source, and one with a slack of a millisecond.

use std::pin::Pin;
use std::time::Duration;

use timer_future::{ThreadSource, TimerFuture};

use super::Peer;

type Timer = TimerFuture<&'static ThreadSource>;

pub struct Global;

impl Peer for Global {
    type Timer = Timer;

    fn new(_: usize) -> Self {
        Self
    }
    fn timer(&self, duration: Duration) -> Timer {
        TimerFuture::new(duration)
    }
    fn reset(&self, mut timer: Pin<&mut Timer>, duration: Duration) {
        timer.reset(duration);
    }
}

pub struct Slack1ms(&'static ThreadSource);

impl Peer for Slack1ms {
    type Timer = Timer;

    fn new(_: usize) -> Self {
        let source = ThreadSource::builder()
            .slack(Duration::from_millis(1))
            .build();
        Self(Box::leak(Box::new(source)))
    }
    fn timer(&self, duration: Duration) -> Timer {
        TimerFuture::with_source(self.0, duration)
    }
    fn reset(&self, mut timer: Pin<&mut Timer>, duration: Duration) {
        timer.reset(duration);
    }
}
