//! `InterruptSource` on threads: two play the interrupt handler on two cores, the others start, await, reset
//! and drop timers. What loom shows for a few steps, for many.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::OnceLock;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use timer_future::{Alarm, InterruptSource, TimerFuture};

struct Device {
    compare: AtomicU64,
    pended: AtomicBool,
}

impl Alarm for Device {
    const TICK_HZ: u64 = 1_000_000;

    fn now(&self) -> u64 {
        static EPOCH: OnceLock<Instant> = OnceLock::new();
        EPOCH.get_or_init(Instant::now).elapsed().as_micros() as u64
    }
    fn set_alarm(&self, deadline: Option<u64>) {
        self.compare.store(deadline.unwrap_or(u64::MAX), SeqCst);
    }
    fn pend(&self) {
        self.pended.store(true, SeqCst);
    }
}

static SOURCE: InterruptSource<Device, 8> = InterruptSource::new(Device {
    compare: AtomicU64::new(u64::MAX),
    pended: AtomicBool::new(false),
});

/// The interrupt controller of one core. The alarm rings once when it is reached.
fn core(stop: &AtomicBool) {
    let device = SOURCE.alarm();
    while !stop.load(SeqCst) {
        let compare = device.compare.load(SeqCst);
        let rings = compare <= device.now()
            && device
                .compare
                .compare_exchange(compare, u64::MAX, SeqCst, SeqCst)
                .is_ok();
        if device.pended.swap(false, SeqCst) || rings {
            SOURCE.on_interrupt();
        }
        std::thread::yield_now();
    }
}

fn task(seed: u64) {
    let mut random = seed;
    let mut next = |below: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 33) % below
    };
    for _ in 0..2_000 {
        let mut delay = TimerFuture::with_source(&SOURCE, Duration::from_micros(next(120)));
        let deadline = match next(4) {
            // A timeout that does not happen.
            0 => {
                let mut timeout = TimerFuture::with_source(&SOURCE, Duration::from_millis(50));
                let _ = Pin::new(&mut timeout).poll(&mut Context::from_waker(Waker::noop()));
                drop(timeout);
                delay.deadline()
            }
            // A reset, at any moment of the handler's work.
            1 => {
                let _ = delay.try_start();
                for _ in 0..next(300) {
                    std::hint::spin_loop();
                }
                delay.reset(Duration::from_micros(next(120)));
                delay.deadline()
            }
            // A cancel, at any moment of the handler's work.
            2 => {
                let _ = Pin::new(&mut delay).poll(&mut Context::from_waker(Waker::noop()));
                for _ in 0..next(300) {
                    std::hint::spin_loop();
                }
                continue;
            }
            _ => delay.deadline(),
        };
        pollster::block_on(delay);
        assert!(SOURCE.now() >= deadline, "early");
    }
}

/// A lost wakeup would hang; the test says so instead.
#[test]
fn many_tasks_and_two_handlers_lose_nothing() {
    let (stop, done) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| core(&stop));
        scope.spawn(|| core(&stop));
        for seed in 1..=4 {
            let done = &done;
            scope.spawn(move || {
                task(seed);
                done.fetch_add(1, SeqCst);
            });
        }
        let began = Instant::now();
        while done.load(SeqCst) < 4 && began.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        if done.load(SeqCst) < 4 {
            eprintln!("a task hangs: {SOURCE:?}");
            std::process::exit(1);
        }
        stop.store(true, SeqCst);
    });
    assert_eq!(SOURCE.next_deadline(), None);
}
