//! What two harts do with the same timers: the checks.
//!
//! 1. `delays`: both await delays, each asleep meanwhile; the alarm is always hart 0's;
//! 2. `handover`: a timer is started and polled on one hart, and polled again or dropped on the other;
//! 3. `chase`: hart 1 drops or moves timers at the moment in which hart 0 fires them;
//! 4. `storm`: everything at once, see [`firmware_common::contexts`].

use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicU32, Ordering};
use core::task::Context;

use firmware_common::contexts::{LOW, TASK};
use firmware_common::exclusive::Exclusive;
use firmware_common::executor::Stats;
use firmware_common::random::{Random, SEED};
use firmware_common::{Board, Checks, Timer};
use timer_future::TimerFuture;

use crate::clint::{kick, mtime_low, Clint};
use crate::sleeper::{self, block_on, sleep_unless, sleep_until_woken, take_woken};
use crate::{on_alarm, Virt, BOTH, CONTEXTS, TIMERS};

const DELAYS: u32 = 300;
const HANDOVERS: u32 = 300;
const CHASES: u32 = 2_000;
const ROUNDS: u32 = 400;

// What hart 1 is to do, in this order, and what it has done.
const WAIT: u32 = 0;
const DELAY: u32 = 1;
const TAKE: u32 = 2;
const CHASE: u32 = 3;
const STORM: u32 = 4;
const REST: u32 = 5;
static ORDERED: AtomicU32 = AtomicU32::new(WAIT);
static DONE: AtomicU32 = AtomicU32::new(WAIT);

/// What hart 1 has seen.
static REPORT: Exclusive<Report> = Exclusive::new(Report {
    early: 0,
    polls: 0,
    sleeps: 0,
    pending: 0,
    old_woken: 0,
});

#[derive(Clone, Copy, Default)]
struct Report {
    early: u32,
    polls: u32,
    sleeps: u32,
    /// Timers that were pending when hart 1 took them over,
    pending: u32,
    /// and that woke hart 0 all the same.
    old_woken: u32,
}

/// The timer on its way from hart 0 to hart 1.
static HANDED: Exclusive<Option<Timer<Clint, 8>>> = Exclusive::new(None);
static TAKEN: AtomicU32 = AtomicU32::new(0);

fn order(what: u32) {
    ORDERED.store(what, Ordering::Release);
    kick(1);
}

/// Hart 0 sleeps until hart 1 has done it. If it never has, the watchdog ends the run.
fn await_done(what: u32) {
    while DONE.load(Ordering::Acquire) != what {
        sleep_unless(|| DONE.load(Ordering::Acquire) == what);
    }
}

/// Hart 1, for ever.
pub(crate) fn obey() -> ! {
    loop {
        let what = ORDERED.load(Ordering::Acquire);
        if what == DONE.load(Ordering::Relaxed) {
            sleep_unless(|| ORDERED.load(Ordering::Acquire) != what);
            continue;
        }
        match what {
            DELAY => {
                let report = delays(SEED + 1);
                REPORT.with(|it| *it = report);
            }
            TAKE => {
                let report = take();
                REPORT.with(|it| *it = report);
            }
            CHASE => chase(),
            STORM => storm_1(),
            _ => {}
        }
        DONE.store(what, Ordering::Release);
        kick(0);
    }
}

/// Hart 0: all of it.
pub(crate) fn run(checks: &mut Checks<'_, Virt>) {
    Virt.print("two harts, one alarm\n");
    order(DELAY);
    let mine = delays(SEED);
    await_done(DELAY);
    let other = REPORT.with(|it| *it).unwrap_or_default();
    for (report, name) in [
        (mine, "delays of hart 0: early"),
        (other, "delays of hart 1: early"),
    ] {
        checks.equal(name, report.early, 0);
        // The first poll of a delay of 10 us may already find it complete.
        checks.between("  sleeps", report.sleeps, DELAYS / 4, u32::MAX);
        checks.between("  polls", report.polls, DELAYS, 3 * DELAYS);
        checks.count(Stats {
            polls: report.polls,
            sleeps: report.sleeps,
            ..Stats::default()
        });
    }

    order(TAKE);
    give();
    await_done(TAKE);
    let other = REPORT.with(|it| *it).unwrap_or_default();
    checks.between(
        "timers handed over while pending",
        other.pending,
        HANDOVERS / 4,
        HANDOVERS,
    );
    checks.equal("  that woke the hart of the older poll", other.old_woken, 0);
    checks.equal("  early", other.early, 0);

    // That all of them complete is checked by the watchdog, and that none of their slots is lost by the storm.
    order(CHASE);
    await_done(CHASE);

    storm(checks);
}

fn delays(seed: u32) -> Report {
    let mut random = Random::new(seed);
    let (mut report, mut stats) = (Report::default(), Stats::default());
    for _ in 0..DELAYS {
        let ticks = 100 + random.below(5_000);
        let start = mtime_low();
        block_on(
            TimerFuture::with_deadline(&TIMERS, TIMERS.now() + u64::from(ticks)),
            &mut stats,
        );
        report.early += u32::from(mtime_low().wrapping_sub(start) < ticks);
    }
    (report.polls, report.sleeps) = (stats.polls, stats.sleeps);
    report
}

/// Hart 0 starts timers, polls them, and lets go of them.
fn give() {
    let mut random = Random::new(SEED);
    for i in 0..HANDOVERS {
        let ticks = 2_000 + random.below(20_000);
        let mut timer = TimerFuture::with_deadline(&TIMERS, TIMERS.now() + u64::from(ticks));
        take_woken(0);
        let waker = sleeper::waker(0);
        let _ = Pin::new(&mut timer).poll(&mut Context::from_waker(&waker));
        // Hart 1 may be looking: then again.
        let mut timer = Some(timer);
        while timer.is_some() {
            HANDED.with(|handed| *handed = timer.take());
        }
        kick(1);
        while TAKEN.load(Ordering::Acquire) == i {
            sleep_unless(|| TAKEN.load(Ordering::Acquire) != i);
        }
    }
}

/// Hart 1 takes them over: drops every fourth, and awaits the others.
fn take() -> Report {
    let mut report = Report::default();
    for i in 0..HANDOVERS {
        let mut timer = loop {
            if let Some(timer) = HANDED.with(Option::take).flatten() {
                break timer;
            }
            core::hint::spin_loop();
        };
        let waker = sleeper::waker(1);
        take_woken(1);
        let mut stats = Stats::default();
        if i % 4 == 3 {
            drop(timer);
        } else if Pin::new(&mut timer)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
        {
            // From here on it is this hart's waker, and no other.
            report.pending += 1;
            sleep_until_woken(&mut stats);
            report.early += u32::from(TIMERS.now() < timer.deadline() || !timer.is_elapsed());
            report.old_woken += u32::from(take_woken(0));
        }
        TAKEN.store(i + 1, Ordering::Release);
        kick(0);
    }
    report
}

/// Hart 1 in the storm, until it is over.
fn storm_1() {
    let mut random = Random::new(SEED + 2);
    while ORDERED.load(Ordering::Acquire) == STORM {
        if !CONTEXTS.is_running() {
            sleep_unless(|| CONTEXTS.is_running() || ORDERED.load(Ordering::Acquire) != STORM);
            continue;
        }
        CONTEXTS.act(LOW);
        match random.below(8) {
            // The alarm's handler, on this hart.
            0 | 1 => on_alarm(),
            // Until a timer, or hart 0, wakes it.
            2 => {
                sleep_unless(|| !CONTEXTS.is_running());
            }
            _ => {}
        }
    }
}

/// Hart 1 drops or moves timers as soon as they are complete, when hart 0 has just fired them or is about to end.
fn chase() {
    let mut random = Random::new(SEED + 4);
    let waker = sleeper::waker(1);
    for _ in 0..CHASES {
        let ticks = 50 + random.below(200);
        let mut timer = TimerFuture::with_deadline(&TIMERS, TIMERS.now() + u64::from(ticks));
        let _ = Pin::new(&mut timer).poll(&mut Context::from_waker(&waker));
        // All is decided before: the moment is short.
        let (moved, later) = (random.below(2) == 0, TIMERS.now() + 500);
        while !timer.is_elapsed() {}
        if moved {
            timer.reset_at(later);
            while !timer.is_elapsed() {}
        }
    }
}

/// Hart 0 in the storm, and the books.
fn storm(checks: &mut Checks<'_, Virt>) {
    Virt.print("both harts at once\n");
    let shortages = TIMERS.shortages();
    let mut random = Random::new(SEED + 3);
    order(STORM);
    for _ in 0..ROUNDS {
        let (start, length) = (mtime_low(), 2_000 + random.below(20_000));
        CONTEXTS.begin();
        kick(1);
        while mtime_low().wrapping_sub(start) < length {
            CONTEXTS.act(TASK);
            if random.below(8) == 0 {
                kick(1);
            }
        }
        if !CONTEXTS.settle() {
            break;
        }
    }
    // Hart 1 may be in the middle of something.
    order(REST);
    await_done(REST);
    CONTEXTS.report(checks, shortages);
    let both = BOTH.load(Ordering::Relaxed);
    checks.between("both harts inside on_interrupt", both, 10, u32::MAX);
}
