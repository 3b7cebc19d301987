//! What timers cost in interrupts, polls and sleeps, and that interrupts in the middle do no harm.

use core::cell::Cell;
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;

use timer_future::{Alarm, TimerFuture};

use super::{micros, millis, poll, Suite, OLD};
use crate::board::Board;
use crate::executor::{self, take_ready};

impl<B: Board, A: Alarm, const N: usize> Suite<'_, '_, B, A, N> {
    /// How many interrupts at most only keep the clock going, in so many ticks.
    fn heartbeats(elapsed: u32) -> u32 {
        if B::HEARTBEAT == u32::MAX {
            0
        } else {
            elapsed / B::HEARTBEAT + 1
        }
    }

    #[inline(never)]
    pub(super) fn one_interrupt_per_lone_delay(&mut self) {
        let before = self.board.interrupts();
        let timers = self.timers;
        let stats = self.run(async {
            for _ in 0..20 {
                TimerFuture::with_source(timers, millis(3)).await;
            }
        });
        let interrupts = self.board.interrupts() - before;
        let heartbeats = Self::heartbeats(stats.elapsed);
        self.checks
            .between("interrupts of 20 delays", interrupts, 20, 20 + heartbeats);
        self.checks.equal("polls of 20 delays", stats.polls, 21);
        self.checks
            .between("sleeps of 20 delays", stats.sleeps, 20, 20 + heartbeats);
    }

    /// Each is started as the earliest, and moves the alarm without an interrupt; each then costs one.
    #[inline(never)]
    pub(super) fn one_interrupt_per_deadline(&mut self) {
        let before = self.board.interrupts();
        let start = self.board.raw();
        let timers = self.timers;
        let after = |ms| TimerFuture::with_source(timers, millis(ms));
        let stats = executor::run(
            self.board,
            &mut [pin!(after(12)), pin!(after(8)), pin!(after(4))],
        );
        self.checks.count(stats);
        let heartbeats = Self::heartbeats(self.board.ticks_between(start, self.board.raw()));
        self.checks.between(
            "interrupts of 12, 8 and 4 ms",
            self.board.interrupts() - before,
            3,
            3 + heartbeats,
        );
    }

    /// Most timeouts end so. All of them together cost two interrupts: one in which the handler finds out that
    /// the timer that had set the alarm has moved, and one when that alarm rings for nothing.
    #[inline(never)]
    pub(super) fn cancelled_timeouts_cost_nothing(&mut self) {
        // Until nothing is left of what was cancelled before.
        self.run(self.after(millis(100)));
        let before = self.board.interrupts();
        let start = self.board.raw();
        for _ in 0..100 {
            let mut timeout = self.after(millis(40));
            let _ = poll(&mut timeout, OLD);
        }
        let none = self.board.interrupts() - before;
        self.run(self.after(millis(60)));
        let heartbeats = Self::heartbeats(self.board.ticks_between(start, self.board.raw()));
        self.checks.between(
            "interrupts while 100 timeouts are cancelled",
            none,
            0,
            1 + heartbeats,
        );
        self.checks.between(
            "  and with the 60 ms after it",
            self.board.interrupts() - before,
            1,
            3 + heartbeats,
        );
    }

    /// "Calling it too often or too early is harmless."
    #[inline(never)]
    pub(super) fn a_handler_called_for_nothing(&mut self) {
        let mut timer = self.after(millis(5));
        let _ = poll(&mut timer, OLD);
        let start = self.board.raw();
        for _ in 0..3 {
            self.timers.on_interrupt();
        }
        let next = self.timers.next_deadline() == Some(timer.deadline());
        let early = take_ready(OLD);
        self.sleep_until_woken(&[OLD], millis(30));
        take_ready(OLD);
        let taken = self.board.ticks_between(start, self.board.raw());
        self.checks
            .that("on_interrupt for nothing changes nothing", next && !early);
        let high = Self::ticks(millis(5)) + Self::late();
        self.checks
            .between("  and the timer is on time: ticks", taken, 0, high);
    }

    /// Interrupts hit arming and cancelling in the middle; nothing may be lost or late by it.
    #[inline(never)]
    pub(super) fn arming_and_cancelling_under_interrupts(&mut self) {
        const TIMES: u32 = 200;
        let (board, timers) = (self.board, self.timers);
        let (worst, early, churned, done) = (
            Cell::new(0),
            Cell::new(0),
            Cell::new(0u32),
            Cell::new(false),
        );
        let short = B::SHORT_MICROS;
        let steady = async {
            for i in 0..TIMES {
                let short = micros(short + i % 7);
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
            let mut timer = TimerFuture::with_source(timers, micros(short * far * far / 2));
            if timer.try_start().is_ok() {
                churned.set(churned.get() + 1);
            }
            if far == 2 {
                timer.reset(micros(short / 3));
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

    #[inline(never)]
    pub(super) fn nothing_left_behind(&mut self) {
        // A cancelled timer's place may still be known to the keeper; after it, nothing is.
        self.run(self.after(millis(100)));
        let next = self.timers.next_deadline().is_none();
        self.checks.that("no deadline is left", next);
        let before = self.board.interrupts();
        let start = self.board.raw();
        while self.board.ticks_between(start, self.board.raw()) < Self::ticks(millis(50)) {}
        let interrupts = self.board.interrupts() - before;
        let heartbeats = Self::heartbeats(Self::ticks(millis(50)));
        self.checks.between(
            "interrupts without a timer, in 50 ms",
            interrupts,
            0,
            heartbeats,
        );
    }
}
