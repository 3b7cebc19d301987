//! What the suite asks of a source: a fresh one, and a way to let its time pass.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use timer_future::{
    duration_to_ticks, ticks_to_duration, Alarm, InterruptSource, ManualSource, ThreadSource,
    TimerFuture, TimerSource,
};

use crate::custom_source::ThreadPerTimer;
use crate::wakers::{panics, poll, Probe, WATCHDOG};

pub(crate) trait Harness: Send + Sync + 'static {
    type Source: TimerSource<Timer: Send + Sync> + Clone + Send + Sync + 'static;

    /// How many timers it can keep at once, at least.
    const MANY: usize = 200;

    fn new() -> Self;
    fn source(&self) -> Self::Source;

    /// Returns when the clock has reached `deadline` and everything that is due by then has fired.
    fn pass(&self, deadline: u64) {
        let source = self.source();
        loop {
            let left = deadline.saturating_sub(source.now());
            if left == 0 {
                break;
            }
            std::thread::sleep(ticks_to_duration(left, Self::Source::TICK_HZ));
        }
        // Two more timers, one after the other: a time keeper that fires the second one has looked at
        // everything that was due when it fired the first.
        for _ in 0..2 {
            in_time(|delay| {
                let probe = Probe::new();
                let mut fence = TimerFuture::with_source(source.clone(), delay / 10);
                poll(&mut fence, &probe).is_pending().then(|| probe.wait(1))
            });
        }
    }

    /// Pending timers and the next deadline, where the source tells.
    fn books(&self) -> Option<(Option<usize>, Option<u64>)> {
        None
    }

    fn ticks(duration: Duration) -> u64 {
        duration_to_ticks(duration, Self::Source::TICK_HZ)
    }

    fn after(&self, delay: Duration) -> TimerFuture<Self::Source> {
        TimerFuture::with_source(self.source(), delay)
    }
}

/// Runs a test that needs `delay` to be long enough for this machine: `None` says that it was not, and
/// that nothing was learnt.
pub(crate) fn in_time(mut test: impl FnMut(Duration) -> Option<()>) {
    let mut delay = Duration::from_millis(10);
    while test(delay).is_none() {
        delay *= 2;
        assert!(delay < WATCHDOG, "never pending");
    }
}

pub(crate) struct OwnThread(&'static ThreadSource);

impl Harness for OwnThread {
    type Source = &'static ThreadSource;
    fn new() -> Self {
        Self(Box::leak(Box::default()))
    }
    fn source(&self) -> Self::Source {
        self.0
    }
}

pub(crate) struct SharedThread(Arc<ThreadSource>);

impl Harness for SharedThread {
    type Source = Arc<ThreadSource>;
    fn new() -> Self {
        Self(Arc::default())
    }
    fn source(&self) -> Self::Source {
        self.0.clone()
    }
}

pub(crate) struct Manual(&'static ManualSource);

impl Harness for Manual {
    type Source = &'static ManualSource;
    fn new() -> Self {
        Self(Box::leak(Box::default()))
    }
    fn source(&self) -> Self::Source {
        self.0
    }
    fn pass(&self, deadline: u64) {
        self.0.advance_to(deadline);
    }
    fn books(&self) -> Option<(Option<usize>, Option<u64>)> {
        Some((Some(self.0.pending()), self.0.next_deadline()))
    }
}

pub(crate) struct SharedManual(Arc<ManualSource>);

impl Harness for SharedManual {
    type Source = Arc<ManualSource>;
    fn new() -> Self {
        Self(Arc::default())
    }
    fn source(&self) -> Self::Source {
        self.0.clone()
    }
    fn pass(&self, deadline: u64) {
        self.0.advance_to(deadline);
    }
    fn books(&self) -> Option<(Option<usize>, Option<u64>)> {
        Some((Some(self.0.pending()), self.0.next_deadline()))
    }
}

/// A hardware timer whose counter is moved by hand.
#[derive(Debug)]
pub(crate) struct Hand {
    now: AtomicU64,
    compare: AtomicU64,
    pended: AtomicBool,
}

impl Alarm for Hand {
    const TICK_HZ: u64 = 1_000_000;

    fn now(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }
    fn set_alarm(&self, deadline: Option<u64>) {
        self.compare
            .store(deadline.unwrap_or(u64::MAX), Ordering::SeqCst);
    }
    fn pend(&self) {
        self.pended.store(true, Ordering::SeqCst);
    }
}

pub(crate) struct Interrupt(&'static InterruptSource<Hand, 256>);

impl Interrupt {
    /// Without std nobody catches the panic of a waker for the source: it leaves the handler.
    fn interrupt(&self) {
        panics(|| self.0.on_interrupt());
    }
}

impl Harness for Interrupt {
    type Source = &'static InterruptSource<Hand, 256>;

    fn new() -> Self {
        let hand = Hand {
            now: AtomicU64::new(0),
            compare: AtomicU64::new(u64::MAX),
            pended: AtomicBool::new(false),
        };
        Self(Box::leak(Box::new(InterruptSource::new(hand))))
    }
    fn source(&self) -> Self::Source {
        self.0
    }
    /// From interrupt to interrupt.
    fn pass(&self, deadline: u64) {
        let hand = self.0.alarm();
        loop {
            let compare = hand.compare.load(Ordering::SeqCst);
            if hand.pended.swap(false, Ordering::SeqCst) {
                self.interrupt();
            } else if compare <= deadline.max(hand.now()) {
                hand.now.fetch_max(compare, Ordering::SeqCst);
                // The flag is cleared first; the compare register stays, and rings once.
                let order = Ordering::SeqCst;
                _ = hand
                    .compare
                    .compare_exchange(compare, u64::MAX, order, order);
                self.interrupt();
            } else {
                hand.now.fetch_max(deadline, Ordering::SeqCst);
                return;
            }
        }
    }
    fn books(&self) -> Option<(Option<usize>, Option<u64>)> {
        Some((None, self.0.next_deadline()))
    }
}

pub(crate) struct Custom;

impl Harness for Custom {
    type Source = ThreadPerTimer;
    fn new() -> Self {
        Self
    }
    fn source(&self) -> Self::Source {
        ThreadPerTimer
    }
}
