//! The same board under `embassy-executor`. This shows
//!
//! 1. timers in ordinary embassy tasks, without embassy's time driver: a `TimerFuture` needs nothing from the
//!    executor but the waker it is polled with;
//! 2. `select` and embassy's own signals beside it: a button with debouncing, a sensor with a timeout, a
//!    watchdog, and an LED, on one hardware alarm;
//! 3. the alarm of `mps2-an386`, unchanged.

#![no_std]
#![no_main]

#[path = "../../mps2-an386/src/alarm.rs"]
mod alarm;

use core::future::{poll_fn, Future};
use core::pin::pin;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use alarm::{counter, Irq, Timers};
use cortex_m::peripheral::NVIC;
use cortex_m_rt::exception;
use embassy_executor::Spawner;
use embassy_futures::select::{select, Either};
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal;
use semihosting::println;
use timer_future::{duration_to_ticks, Alarm, InterruptSource, TimerFuture};

static TIMERS: InterruptSource<Timers, 8> = InterruptSource::new(Timers::new());

type Event<T = ()> = Signal<CriticalSectionRawMutex, T>;

static EDGE: Event = Event::new();
static MEASURE: Event = Event::new();
static MEASURED: Event = Event::new();
static FED: Event = Event::new();

// What the tasks report when they have ended.
static LED: Event<(u32, u32)> = Event::new();
static PRESSES: Event<u32> = Event::new();
static READINGS: Event<(u32, u32)> = Event::new();
static BITTEN: Event<u32> = Event::new();

static INTERRUPTS: AtomicU32 = AtomicU32::new(0);
static POLLS: AtomicU32 = AtomicU32::new(0);
static FED_AT: AtomicU32 = AtomicU32::new(0);

const TOGGLES: u32 = 16;
const LATE: u32 = ticks(Duration::from_micros(250));

const fn ticks(duration: Duration) -> u32 {
    duration_to_ticks(duration, Timers::TICK_HZ) as u32
}

fn after(duration: Duration) -> TimerFuture<&'static InterruptSource<Timers, 8>> {
    TimerFuture::with_source(&TIMERS, duration)
}

// A PAC would give one function per interrupt; without one, all arrive here.
#[exception]
unsafe fn DefaultHandler(irqn: i16) {
    if irqn == Irq::Timer1 as i16 {
        // Only this handler writes it.
        INTERRUPTS.store(INTERRUPTS.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        // The flag first: `on_interrupt` programs the next alarm, whose flag must not be cleared.
        TIMERS.alarm().clear();
        TIMERS.on_interrupt();
    } else if irqn == Irq::Gpio0 as i16 {
        EDGE.signal(());
    } else {
        panic!("unexpected interrupt {irqn}");
    }
}

/// Toggles every 50 ms, on a fixed grid.
#[embassy_executor::task]
async fn blink() {
    let grid = ticks(Duration::from_millis(50));
    let (mut ideal, mut next, mut worst) = (counter(), TIMERS.alarm().now(), 0);
    for _ in 0..TOGGLES {
        next += u64::from(grid);
        ideal = ideal.wrapping_add(grid);
        counted(TimerFuture::with_deadline(&TIMERS, next)).await;
        worst = worst.max(counter().wrapping_sub(ideal));
    }
    LED.signal((TOGGLES, worst));
}

/// A press counts once the contact has been quiet for 5 ms.
#[embassy_executor::task]
async fn debounce() {
    const QUIET: Duration = Duration::from_millis(5);
    for _ in 0..3 {
        EDGE.wait().await;
        let mut quiet = after(QUIET);
        while let Either::Second(()) = select(&mut quiet, EDGE.wait()).await {
            quiet.reset(QUIET);
        }
    }
    PRESSES.signal(3);
}

/// Four measurements, with a timeout of 20 ms each.
#[embassy_executor::task]
async fn sensor() {
    let (mut answered, mut timed_out) = (0, 0);
    for _ in 0..4 {
        MEASURED.reset();
        MEASURE.signal(());
        match select(MEASURED.wait(), after(Duration::from_millis(20))).await {
            Either::First(()) => answered += 1,
            Either::Second(()) => timed_out += 1,
        }
        after(Duration::from_millis(30)).await;
    }
    READINGS.signal((answered, timed_out));
}

/// Stands in for the sensor's chip: answers after 8 ms, every other time not at all.
#[embassy_executor::task]
async fn converter() {
    for reading in 0..4 {
        MEASURE.wait().await;
        after(Duration::from_millis(8)).await;
        if reading % 2 == 0 {
            MEASURED.signal(());
        }
    }
}

/// Bites when it has not been fed for 30 ms.
#[embassy_executor::task]
async fn watchdog() {
    const BITE: Duration = Duration::from_millis(30);
    let mut bite = after(BITE);
    while let Either::Second(()) = select(&mut bite, FED.wait()).await {
        bite.reset(BITE);
    }
    BITTEN.signal(counter().wrapping_sub(FED_AT.load(Ordering::Relaxed)));
}

/// Feeds the watchdog every 10 ms, and then hangs.
#[embassy_executor::task]
async fn worker() {
    for _ in 0..12 {
        after(Duration::from_millis(10)).await;
        FED_AT.store(counter(), Ordering::Relaxed);
        FED.signal(());
    }
}

/// Counts the polls of a future.
async fn counted(future: impl Future<Output = ()>) {
    let mut future = pin!(future);
    poll_fn(|cx| {
        POLLS.store(POLLS.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        future.as_mut().poll(cx)
    })
    .await;
}

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    TIMERS.alarm().start();
    // Each of them is spawned once, so none can fail.
    spawner.spawn(blink().expect("spawned once"));
    spawner.spawn(debounce().expect("spawned once"));
    spawner.spawn(sensor().expect("spawned once"));
    spawner.spawn(converter().expect("spawned once"));
    spawner.spawn(watchdog().expect("spawned once"));
    spawner.spawn(worker().expect("spawned once"));

    // The finger: three presses that bounce five times each.
    for _ in 0..3 {
        after(Duration::from_millis(70)).await;
        for _ in 0..5 {
            NVIC::pend(Irq::Gpio0);
            after(Duration::from_micros(1_300)).await;
        }
    }
    let presses = PRESSES.wait().await;
    let (answered, timed_out) = READINGS.wait().await;
    let bitten = BITTEN.wait().await;
    let (toggles, worst) = LED.wait().await;
    let (polls, interrupts) = (
        POLLS.load(Ordering::Relaxed),
        INTERRUPTS.load(Ordering::Relaxed),
    );

    println!(
        "embassy-mps2-an386: 8 timers on one alarm of {} Hz",
        Timers::TICK_HZ
    );
    let bite = ticks(Duration::from_millis(30));
    let checks = [
        ("blink: toggles", toggles, TOGGLES..=TOGGLES),
        (
            "blink: worst distance from the grid, ticks",
            worst,
            0..=LATE,
        ),
        // Between the two the executor polled something else, or slept: nobody polls out of turn.
        ("blink: polls", polls, 2 * TOGGLES..=2 * TOGGLES),
        ("debounce: presses seen in 15 edges", presses, 3..=3),
        ("sensor: answered", answered, 2..=2),
        ("sensor: timed out", timed_out, 2..=2),
        (
            "watchdog: bit after the last feeding, ticks",
            bitten,
            bite..=bite + LATE,
        ),
        ("interrupts of the alarm", interrupts, 50..=100),
        #[cfg(feature = "planted-failure")]
        ("a check that cannot pass", 0, 1..=1),
    ];
    let mut failed = 0;
    for (name, seen, wanted) in &checks {
        let ok = wanted.contains(seen);
        failed += u32::from(!ok);
        let (low, high) = (wanted.start(), wanted.end());
        println!(
            "  {} {name}: {seen} ({low} to {high})",
            if ok { "ok  " } else { "FAIL" }
        );
    }
    let word = if failed == 0 { "pass" } else { "FAIL" };
    println!(
        "RESULT {word} checks={} failed={failed} polls=- sleeps=- interrupts={interrupts}",
        checks.len()
    );
    semihosting::process::exit(i32::from(failed != 0))
}
