//! The tasks of an ordinary device, all on one hardware alarm:
//!
//! 1. `blink`: toggles an LED on a fixed grid, so that it does not drift;
//! 2. `debounce`: a press counts once the contact has been quiet for 5 ms: a timer that each bounce resets;
//! 3. `sensor`: a measurement that must answer within 20 ms, and every other time does not;
//! 4. `watchdog`: bites when it has not been fed for 30 ms: a timer that each feeding resets;
//!
//! and what stands in for the world around them: a finger, a converter and a worker that hangs.

use core::cell::Cell;
use core::pin::pin;
use core::time::Duration;

use timer_future::{duration_to_ticks, Alarm, InterruptSource, TimerFuture};

use crate::board::Board;
use crate::checks::Checks;
use crate::executor;
use crate::race::{race, Winner};
use crate::signal::Signal;
use crate::BUTTON;

const TOGGLES: u32 = 16;
const GRID: Duration = Duration::from_millis(50);
const PRESSES: u32 = 3;
const BOUNCES: u32 = 5;
const QUIET: Duration = Duration::from_millis(5);
const READINGS: u32 = 4;
const READ_TIMEOUT: Duration = Duration::from_millis(20);
const FEEDINGS: u32 = 12;
const BITE: Duration = Duration::from_millis(30);

/// Runs the device for the better part of a second and checks what it did.
// Not inlined, so that it and the checks after it take turns on the stack.
#[inline(never)]
pub fn run<B: Board, A: Alarm, const N: usize>(
    board: &'static B,
    timers: &'static InterruptSource<A, N>,
    checks: &mut Checks<'_, B>,
) {
    board.print("scenario\n");
    let ticks = |duration| duration_to_ticks(duration, A::TICK_HZ) as u32;
    let late = B::LATE_MICROS as u64 * A::TICK_HZ / 1_000_000;
    let late = late as u32;

    let led = Led::default();
    let pressed = Cell::new(0);
    let bus = Bus {
        start: Signal::new(),
        done: Signal::new(),
    };
    let readings = Readings::default();
    let food = Signal::new();
    let fed_at = Cell::new(0);
    let hungry_for = Cell::new(0);

    let interrupts = board.interrupts();
    let stats = executor::run(
        board,
        &mut [
            pin!(blink(board, timers, &led)),
            pin!(debounce(timers, &pressed)),
            pin!(finger(board, timers)),
            pin!(sensor(board, timers, &bus, &readings)),
            pin!(converter(timers, &bus)),
            pin!(watchdog(board, timers, &food, &fed_at, &hungry_for)),
            pin!(worker(board, timers, &food, &fed_at)),
        ],
    );
    let interrupts = board.interrupts() - interrupts;
    checks.count(stats);

    checks.equal("blink: toggles", led.toggles.get(), TOGGLES);
    // An early one would show as almost a whole wrap of the counter.
    checks.between(
        "blink: worst distance from the grid, ticks",
        led.worst.get(),
        0,
        late,
    );
    checks.equal("debounce: presses seen in 15 edges", pressed.get(), PRESSES);
    checks.equal("sensor: answered", readings.answered.get(), READINGS / 2);
    checks.equal("sensor: timed out", readings.timed_out.get(), READINGS / 2);
    let (low, high) = (ticks(READ_TIMEOUT), ticks(READ_TIMEOUT) + late);
    checks.between(
        "sensor: longest wait, ticks",
        readings.longest.get(),
        low,
        high,
    );
    let (low, high) = (ticks(BITE), ticks(BITE) + late);
    checks.between(
        "watchdog: bit after the last feeding, ticks",
        hungry_for.get(),
        low,
        high,
    );

    // Nobody polls out of turn: each poll answers a wake, and each wake here comes from a timer, a
    // signal or the start.
    checks.between("polls of all seven tasks", stats.polls, 1, 150);
    checks.between("sleeps of the core (wfi)", stats.sleeps, 50, stats.polls);
    checks.between(
        "interrupts of the alarm",
        interrupts,
        50,
        100 + stats.elapsed / B::HEARTBEAT,
    );
    let share = stats.asleep / (stats.elapsed / 100).max(1);
    checks.between("percent of the time asleep", share, B::ASLEEP_PERCENT, 100);
}

#[derive(Default)]
struct Led {
    toggles: Cell<u32>,
    worst: Cell<u32>,
}

async fn blink<B: Board, A: Alarm, const N: usize>(
    board: &B,
    timers: &'static InterruptSource<A, N>,
    led: &Led,
) {
    let grid = duration_to_ticks(GRID, A::TICK_HZ);
    // The raw counter first: what passes between the two lines must not look early.
    let mut ideal = board.raw();
    let mut next = timers.now();
    for _ in 0..TOGGLES {
        next += grid;
        ideal = ideal.wrapping_add(grid as u32);
        // An absolute deadline: lateness of one toggle is not inherited by the next.
        TimerFuture::with_deadline(timers, next).await;
        let distance = board.ticks_between(ideal, board.raw());
        led.worst.set(led.worst.get().max(distance));
        led.toggles.set(led.toggles.get() + 1);
    }
}

async fn debounce<A: Alarm, const N: usize>(
    timers: &'static InterruptSource<A, N>,
    pressed: &Cell<u32>,
) {
    while pressed.get() < PRESSES {
        BUTTON.wait().await;
        let mut quiet = TimerFuture::with_source(timers, QUIET);
        // Each bounce starts the quiet time anew; the timer is moved, not made again.
        while race(&mut quiet, BUTTON.wait()).await == Winner::Second {
            quiet.reset(QUIET);
        }
        pressed.set(pressed.get() + 1);
    }
}

/// Presses the button, which bounces.
async fn finger<B: Board, A: Alarm, const N: usize>(
    board: &B,
    timers: &'static InterruptSource<A, N>,
) {
    for _ in 0..PRESSES {
        TimerFuture::with_source(timers, Duration::from_millis(70)).await;
        for _ in 0..BOUNCES {
            board.press();
            TimerFuture::with_source(timers, Duration::from_micros(1_300)).await;
        }
    }
}

struct Bus {
    start: Signal,
    done: Signal,
}

#[derive(Default)]
struct Readings {
    answered: Cell<u32>,
    timed_out: Cell<u32>,
    longest: Cell<u32>,
}

async fn sensor<B: Board, A: Alarm, const N: usize>(
    board: &B,
    timers: &'static InterruptSource<A, N>,
    bus: &Bus,
    readings: &Readings,
) {
    for _ in 0..READINGS {
        let asked = board.raw();
        bus.done.clear();
        bus.start.set();
        let timeout = TimerFuture::with_source(timers, READ_TIMEOUT);
        let count = match race(bus.done.wait(), timeout).await {
            // Most timeouts end here: dropped, and never heard of again.
            Winner::First => &readings.answered,
            Winner::Second => &readings.timed_out,
        };
        count.set(count.get() + 1);
        let waited = board.ticks_between(asked, board.raw());
        readings.longest.set(readings.longest.get().max(waited));
        TimerFuture::with_source(timers, Duration::from_millis(30)).await;
    }
}

/// The chip at the other end of the bus: 8 ms for a measurement, and every other time no answer.
async fn converter<A: Alarm, const N: usize>(timers: &'static InterruptSource<A, N>, bus: &Bus) {
    for reading in 0..READINGS {
        bus.start.wait().await;
        TimerFuture::with_source(timers, Duration::from_millis(8)).await;
        if reading % 2 == 0 {
            bus.done.set();
        }
    }
}

async fn watchdog<B: Board, A: Alarm, const N: usize>(
    board: &B,
    timers: &'static InterruptSource<A, N>,
    food: &Signal,
    fed_at: &Cell<u32>,
    hungry_for: &Cell<u32>,
) {
    let mut bite = TimerFuture::with_source(timers, BITE);
    while race(&mut bite, food.wait()).await == Winner::Second {
        bite.reset(BITE);
    }
    // On a product: reset the chip. Here: note how long it took.
    hungry_for.set(board.ticks_between(fed_at.get(), board.raw()));
}

/// Does its work every 10 ms and then hangs.
async fn worker<B: Board, A: Alarm, const N: usize>(
    board: &B,
    timers: &'static InterruptSource<A, N>,
    food: &Signal,
    fed_at: &Cell<u32>,
) {
    for _ in 0..FEEDINGS {
        TimerFuture::with_source(timers, Duration::from_millis(10)).await;
        fed_at.set(board.raw());
        food.set();
    }
}
