//! When timers complete: never early, on time, in order, also far away and beyond a wrap of the counter.

use core::cell::Cell;
use core::pin::pin;
use core::time::Duration;

use portable_atomic::Ordering;
use timer_future::{duration_to_ticks, Alarm, TimerFuture, NEVER};

use super::{micros, millis, poll, poll_for, Suite, BELLS, HEARD, OLD};
use crate::board::Board;
use crate::executor;

impl<B: Board, A: Alarm, const N: usize> Suite<'_, '_, B, A, N> {
    #[inline(never)]
    pub(super) fn never_early_and_on_time(&mut self) {
        const MICROS: [u32; 10] = [1, 4, 10, 33, 100, 333, 1_000, 3_333, 10_000, 33_333];
        let (mut early, mut worst) = (0, 0);
        for round in 0..4 {
            for delay in MICROS {
                let duration = micros(delay + round);
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

    #[inline(never)]
    pub(super) fn deadline_order(&mut self) {
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

    /// The order in which the handler wakes, and not that in which an executor polls afterwards: by deadline,
    /// and equal ones as they were started.
    #[inline(never)]
    pub(super) fn order_of_the_wakes(&mut self) {
        let start = self.timers.now() + duration_to_ticks(millis(5), A::TICK_HZ);
        let apart = duration_to_ticks(millis(1), A::TICK_HZ);
        // Bell 1 is the last to be due; 2, 3 and 5 are for the same moment.
        let mut timers = [5u64, 1, 1, 3, 1, 0].map(|at| self.at(start + at * apart));
        HEARD.store(0, Ordering::Relaxed);
        for (timer, bell) in timers.iter_mut().zip(&BELLS) {
            let _ = poll_for(timer, bell);
        }
        while timers.iter().any(|timer| !timer.is_elapsed()) {
            self.board.sleep_unless(executor::any_ready);
            executor::take_ready(OLD);
        }
        self.checks
            .equal("order of six wakes", HEARD.load(Ordering::Relaxed), 623_541);
    }

    #[inline(never)]
    pub(super) fn zero_past_and_never(&mut self) {
        let zero = self.after(Duration::ZERO).deadline();
        self.ends_at_once("polls of a zero delay", zero);
        self.ends_at_once("polls of a deadline at 0", 0);
        let past = self.timers.now() - 1;
        self.ends_at_once("polls of a deadline one tick ago", past);
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

    fn ends_at_once(&mut self, name: &str, deadline: u64) {
        let stats = self.run(self.at(deadline));
        self.checks.between(name, stats.polls, 1, 2);
    }

    #[inline(never)]
    pub(super) fn the_deadline_is_fixed_at_construction(&mut self) {
        let start = self.board.raw();
        let timer = self.after(millis(10));
        self.run(self.after(millis(7)));
        self.run(timer);
        let taken = self.board.ticks_between(start, self.board.raw());
        let low = Self::ticks(millis(10));
        self.checks.between(
            "10 ms, of which 7 before the first poll",
            taken,
            low,
            low + Self::late(),
        );
    }

    /// Further away than the alarm can be set at once; where it can be set to 64 bits, beyond a carry from
    /// the lower half to the upper.
    #[inline(never)]
    pub(super) fn beyond_the_reach_of_the_alarm(&mut self) {
        let begin = self.timers.now();
        let deadline = if B::HEARTBEAT == u32::MAX {
            (begin | u64::from(u32::MAX)) + 100
        } else {
            begin + u64::from(B::HEARTBEAT / 2 * 3)
        };
        let stats = self.run(self.at(deadline));
        let late = (self.timers.now() - deadline) as u32;
        self.checks
            .between("late after a far deadline, ticks", late, 0, Self::late());
        // Asleep all the time, but for the heartbeats.
        self.checks.between("  sleeps", stats.sleeps, 1, 3);
        let low = (deadline - begin) as u32;
        self.checks
            .between("  on the counter", stats.elapsed, low, low + Self::late());
    }

    /// The executor's own measure, which adds up the raw counter piece by piece, against the library's
    /// view, which depends on the widening to 64 bits.
    #[inline(never)]
    pub(super) fn across_wraps_of_the_counter(&mut self) {
        if u64::from(Self::ticks(millis(2_500))) >> B::RAW_BITS == 0 {
            return; // a long period; the board starts its counter shortly before a wrap instead
        }
        let timers = self.timers;
        let before = self.timers.now();
        let stats = self.run(async {
            TimerFuture::with_source(timers, millis(2_500)).await;
        });
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
}
