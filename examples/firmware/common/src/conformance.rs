//! What the library promises, checked on the chip: the hardware counter is the witness.
//!
//! The host runs the same promises against simulated alarms, in every interleaving; this run is for what
//! only a chip has: its interrupt, its compare register, its atomics, its sleep.

use core::cell::Cell;
use core::future::{poll_fn, Future};
use core::pin::{pin, Pin};
use core::task::{Context, Poll};
use core::time::Duration;

use timer_future::{duration_to_ticks, Alarm, InterruptSource, TimerFuture, NEVER};

use crate::board::Board;
use crate::checks::Checks;
use crate::executor::{self, take_ready, MAX_TASKS};
use crate::Timer;

// Flags of the executor that no task of these checks uses.
const OLD: usize = MAX_TASKS - 1;
const NEW: usize = MAX_TASKS - 2;
const GUARD: usize = MAX_TASKS - 3;

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// All checks, one after the other.
pub fn run<B: Board, A: Alarm, const N: usize>(
    board: &'static B,
    timers: &'static InterruptSource<A, N>,
    checks: &mut Checks<'_, B>,
) {
    board.print("conformance\n");
    let mut suite = Suite {
        board,
        timers,
        checks,
    };
    suite.never_early_and_on_time();
    suite.one_interrupt_per_lone_delay();
    suite.deadline_order();
    suite.zero_past_and_never();
    suite.cancelled_is_never_woken();
    suite.reset_to_earlier_and_later();
    suite.newest_waker_wins();
    suite.across_wraps_of_the_counter();
    suite.arming_and_cancelling_under_interrupts();
    suite.exhaustion();
    suite.nothing_left_behind();
}

struct Suite<'a, 'b, B: Board, A: Alarm + 'static, const N: usize> {
    board: &'static B,
    timers: &'static InterruptSource<A, N>,
    checks: &'a mut Checks<'b, B>,
}

impl<B: Board, A: Alarm, const N: usize> Suite<'_, '_, B, A, N> {
    fn ticks(duration: Duration) -> u32 {
        duration_to_ticks(duration, A::TICK_HZ) as u32
    }

    /// How late is too late.
    fn late() -> u32 {
        Self::ticks(Duration::from_micros(B::LATE_MICROS.into()))
    }

    fn after(&self, duration: Duration) -> Timer<A, N> {
        TimerFuture::with_source(self.timers, duration)
    }

    fn run(&mut self, task: impl Future<Output = ()>) -> executor::Stats {
        self.checks.count(executor::block_on(self.board, task))
    }

    /// Sleeps until one of the flags is set, or for `duration`. Whether a flag was.
    fn sleep_until_woken(&mut self, flags: &[usize], duration: Duration) -> bool {
        let mut guard = pin!(self.after(duration));
        let waker = executor::waker(GUARD);
        let mut cx = Context::from_waker(&waker);
        loop {
            if flags.iter().any(|flag| executor::is_ready(*flag)) {
                return true;
            }
            if guard.as_mut().poll(&mut cx).is_ready() {
                return false;
            }
            while !executor::any_ready() {
                self.board.sleep_unless(executor::any_ready);
            }
            take_ready(GUARD);
        }
    }

    fn never_early_and_on_time(&mut self) {
        const MICROS: [u64; 10] = [1, 4, 10, 33, 100, 333, 1_000, 3_333, 10_000, 33_333];
        let (mut early, mut worst) = (0, 0);
        for round in 0..4 {
            for micros in MICROS {
                let duration = Duration::from_micros(micros + round);
                let (board, taken) = (self.board, Cell::new(0));
                let timers = self.timers;
                self.run(async {
                    let start = board.raw();
                    TimerFuture::with_source(timers, duration).await;
                    taken.set(board.ticks_between(start, board.raw()));
                });
                match taken.get().checked_sub(Self::ticks(duration)) {
                    Some(late) => worst = late.max(worst),
                    None => early += 1,
                }
            }
        }
        self.checks
            .equal("early, of 40 delays from 1 us to 33 ms", early, 0);
        self.checks
            .between("latest of them, ticks", worst, 0, Self::late());
    }

    fn one_interrupt_per_lone_delay(&mut self) {
        let before = self.board.interrupts();
        let timers = self.timers;
        let stats = self.run(async {
            for _ in 0..20 {
                TimerFuture::with_source(timers, millis(3)).await;
            }
        });
        let interrupts = self.board.interrupts() - before;
        let heartbeats = stats.elapsed / B::HEARTBEAT + 1;
        self.checks
            .between("interrupts of 20 delays", interrupts, 20, 20 + heartbeats);
        self.checks.equal("polls of 20 delays", stats.polls, 21);
        self.checks
            .between("sleeps of 20 delays", stats.sleeps, 20, 20 + heartbeats);
    }

    fn deadline_order(&mut self) {
        let order = Cell::new(0);
        let start = self.timers.now();
        let timers = self.timers;
        // Started in another order than they end in; two for the same moment.
        let task = |digit: u32, at: u64| {
            let deadline = start + duration_to_ticks(millis(at), A::TICK_HZ);
            let order = &order;
            async move {
                TimerFuture::with_deadline(timers, deadline).await;
                order.set(order.get() * 10 + digit);
            }
        };
        let stats = executor::run(
            self.board,
            &mut [
                pin!(task(4, 20)),
                pin!(task(1, 6)),
                pin!(task(5, 26)),
                pin!(task(2, 12)),
                pin!(task(3, 12)),
            ],
        );
        self.checks.count(stats);
        self.checks
            .equal("order of five timers", order.get(), 12345);
    }

    fn zero_past_and_never(&mut self) {
        for (name, deadline) in [
            (
                "polls of a zero delay",
                self.after(Duration::ZERO).deadline(),
            ),
            ("polls of a deadline at 0", 0),
            ("polls of a deadline one tick ago", self.timers.now() - 1),
        ] {
            let timer = TimerFuture::with_deadline(self.timers, deadline);
            let stats = self.run(timer);
            self.checks.between(name, stats.polls, 1, 2);
        }
        // Started without a look at the clock: the source itself must see that it is past.
        let mut past = TimerFuture::with_deadline(self.timers, self.timers.now() - 1);
        let started = past.try_start().is_ok();
        let stats = self.run(past);
        self.checks
            .that("started when already past", started && stats.polls <= 2);
        let mut never = self.after(Duration::MAX);
        let pending = poll(&mut never, OLD).is_pending();
        let woken = self.sleep_until_woken(&[OLD], millis(10));
        self.checks.that(
            "Duration::MAX is never",
            pending && !woken && never.deadline() == NEVER,
        );
    }

    fn cancelled_is_never_woken(&mut self) {
        let mut timer = self.after(millis(5));
        let pending = poll(&mut timer, OLD).is_pending();
        drop(timer);
        let woken = self.sleep_until_woken(&[OLD], millis(15));
        self.checks
            .that("a cancelled timer wakes nobody", pending && !woken);
    }

    fn reset_to_earlier_and_later(&mut self) {
        for (name, first, then) in [
            ("reset from 60 ms to 10 ms: ticks", millis(60), millis(10)),
            ("reset from 5 ms to 20 ms: ticks", millis(5), millis(20)),
        ] {
            let mut timer = self.after(first);
            let _ = poll(&mut timer, OLD);
            let start = self.board.raw();
            // Not polled again: the waker of before is woken at the new deadline.
            timer.reset(then);
            self.sleep_until_woken(&[OLD], millis(90));
            let taken = self.board.ticks_between(start, self.board.raw());
            take_ready(OLD);
            let low = Self::ticks(then);
            self.checks.between(name, taken, low, low + Self::late());
            let stats = self.run(timer);
            self.checks
                .equal("  and complete at the next poll", stats.polls, 1);
        }
    }

    fn newest_waker_wins(&mut self) {
        let mut timer = self.after(millis(5));
        let _ = poll(&mut timer, OLD);
        let _ = poll(&mut timer, NEW);
        let woken = self.sleep_until_woken(&[OLD, NEW], millis(30));
        let (old, new) = (take_ready(OLD), take_ready(NEW));
        self.checks
            .that("only the newest waker is woken", woken && new && !old);
    }

    /// The executor's own measure, which adds up the raw counter piece by piece, against the library's
    /// view, which depends on the widening to 64 bits.
    fn across_wraps_of_the_counter(&mut self) {
        if u64::from(Self::ticks(millis(2_500))) >> B::RAW_BITS == 0 {
            return; // a long period; the board starts its counter shortly before a wrap instead
        }
        let timers = self.timers;
        let before = self.timers.now();
        let stats = self.run(TimerFuture::with_source(timers, millis(2_500)));
        let passed = (self.timers.now() - before) as u32;
        let low = Self::ticks(millis(2_500));
        self.checks
            .between("2.5 s, on the clock", passed, low, low + Self::late());
        self.checks.between(
            "2.5 s, on the counter",
            stats.elapsed,
            low,
            low + Self::late(),
        );
    }

    /// Interrupts hit arming and cancelling in the middle; nothing may be lost or late by it.
    fn arming_and_cancelling_under_interrupts(&mut self) {
        const TIMES: u32 = 200;
        let (board, timers) = (self.board, self.timers);
        let (worst, early, churned, done) = (
            Cell::new(0),
            Cell::new(0),
            Cell::new(0u32),
            Cell::new(false),
        );
        let short = Duration::from_micros(B::SHORT_MICROS.into());
        let steady = async {
            for i in 0..TIMES {
                let short = short + Duration::from_micros(u64::from(i % 7));
                let start = board.raw();
                TimerFuture::with_source(timers, short).await;
                let taken = board.ticks_between(start, board.raw());
                match taken.checked_sub(Self::ticks(short)) {
                    Some(late) => worst.set(late.max(worst.get())),
                    None => early.set(early.get() + 1),
                }
            }
            done.set(true);
        };
        let churn = poll_fn(|cx| {
            // Far ones, which the handler need not know, and ones that are the next to fire.
            let far = 1 + churned.get() % 3;
            let mut timer = TimerFuture::with_source(timers, short * far * far / 2);
            if timer.try_start().is_ok() {
                churned.set(churned.get() + 1);
            }
            if far == 2 {
                timer.reset(short / 3);
            }
            if done.get() {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        });
        let stats = executor::run(self.board, &mut [pin!(steady), pin!(churn)]);
        self.checks.count(stats);
        self.checks.equal(
            "early, of 200 short delays beside a busy task",
            early.get(),
            0,
        );
        self.checks
            .between("latest of them, ticks", worst.get(), 0, Self::late());
        self.checks.between(
            "timers armed and cancelled meanwhile",
            churned.get(),
            200,
            u32::MAX,
        );
    }

    fn exhaustion(&mut self) {
        let start = self.board.raw();
        let mut held: [Timer<A, N>; N] = core::array::from_fn(|_| self.after(millis(40)));
        let started = held
            .iter_mut()
            .filter_map(|timer| timer.try_start().ok())
            .count();
        self.checks.equal("all N start", started as u32, N as u32);

        let shortages = self.timers.shortages();
        let mut extra = self.after(millis(10));
        let refused = extra.try_start().is_err();
        self.checks.that("one more: CapacityError", refused);

        let begin = self.board.raw();
        let stats = self.run(extra);
        let taken = self.board.ticks_between(begin, self.board.raw());
        // `extra` counts from its construction, a few ticks before `begin`.
        let low = Self::ticks(millis(10)) - Self::late();
        let high = Self::ticks(millis(10)) + Self::late();
        self.checks
            .between("awaited all the same: ticks", taken, low, high);
        self.checks
            .between("  by looking at the clock: polls", stats.polls, 2, u32::MAX);
        let seen = self.timers.shortages().wrapping_sub(shortages) as u32;
        self.checks
            .between("  and the shortage shows", seen, 1, u32::MAX);

        let evicted = held.iter().filter(|timer| timer.is_elapsed()).count();
        self.checks.equal("nobody evicted", evicted as u32, 0);
        let stats = self.run(async {
            for timer in &mut held {
                timer.await;
            }
        });
        let taken = self.board.ticks_between(start, self.board.raw());
        let low = Self::ticks(millis(40));
        self.checks
            .between("the N end on time: ticks", taken, low, low + Self::late());
        self.checks.between(
            "  without being polled for it",
            stats.polls,
            1,
            N as u32 + 1,
        );
        drop(held);
        let again = self.after(millis(1)).try_start().is_ok();
        self.checks.that("there is room again", again);
    }

    fn nothing_left_behind(&mut self) {
        // A cancelled timer's place may still be known to the keeper; after it, nothing is.
        self.run(self.after(millis(100)));
        let next = self.timers.next_deadline().is_none();
        self.checks.that("no deadline is left", next);
        let before = self.board.interrupts();
        let start = self.board.raw();
        while self.board.ticks_between(start, self.board.raw()) < Self::ticks(millis(50)) {}
        let interrupts = self.board.interrupts() - before;
        let heartbeats = Self::ticks(millis(50)) / B::HEARTBEAT + 1;
        self.checks.between(
            "interrupts without a timer, in 50 ms",
            interrupts,
            0,
            heartbeats,
        );
    }
}

/// Polls once, with the waker of flag `flag`.
fn poll<A: Alarm, const N: usize>(timer: &mut Timer<A, N>, flag: usize) -> Poll<()> {
    Pin::new(timer).poll(&mut Context::from_waker(&executor::waker(flag)))
}
