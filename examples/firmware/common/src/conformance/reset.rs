//! Timers that are moved: the task that polled last is woken at the new deadline.

use core::time::Duration;

use timer_future::{Alarm, NEVER};

use super::{millis, poll, Suite, OLD};
use crate::board::Board;
use crate::executor::take_ready;

impl<B: Board, A: Alarm, const N: usize> Suite<'_, '_, B, A, N> {
    pub(super) fn reset_to_earlier_and_later(&mut self) {
        self.reset("reset from 60 ms to 10 ms: ticks", millis(60), millis(10));
        self.reset("reset from 5 ms to 20 ms: ticks", millis(5), millis(20));
    }

    fn reset(&mut self, name: &str, first: Duration, then: Duration) {
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

    #[inline(never)]
    pub(super) fn reset_to_the_past_and_never(&mut self) {
        let mut timer = self.after(millis(60));
        let _ = poll(&mut timer, OLD);
        timer.reset_at(self.timers.now() - 1);
        let woken = take_ready(OLD);
        let ready = poll(&mut timer, OLD).is_ready();
        self.checks
            .that("reset to the past: woken at once", woken && ready);

        let mut timer = self.after(millis(5));
        let _ = poll(&mut timer, OLD);
        timer.reset(Duration::MAX);
        let woken = self.sleep_until_woken(&[OLD], millis(15));
        let never = timer.deadline() == NEVER && !timer.is_elapsed();
        timer.reset(millis(3));
        let back = self.sleep_until_woken(&[OLD], millis(15));
        take_ready(OLD);
        self.checks
            .that("reset to never, and back", !woken && never && back);
    }

    #[inline(never)]
    pub(super) fn reset_after_the_end_and_before_the_start(&mut self) {
        let mut timer = self.after(millis(1));
        self.run(&mut timer);
        timer.reset(millis(4));
        let anew = poll(&mut timer, OLD).is_pending() && !timer.is_elapsed();
        let woken = self.sleep_until_woken(&[OLD], millis(15));
        take_ready(OLD);
        self.checks
            .that("reset after the end starts anew", anew && woken);

        let mut timer = self.after(millis(60));
        timer.reset(millis(2));
        let start = self.board.raw();
        self.run(timer);
        let taken = self.board.ticks_between(start, self.board.raw());
        self.checks.between(
            "reset before the first poll: ticks",
            taken,
            0,
            Self::ticks(millis(2)) + Self::late(),
        );
    }

    /// A watchdog: fed for a long time, it bites when it is not.
    #[inline(never)]
    pub(super) fn reset_again_and_again(&mut self) {
        let mut timer = self.after(millis(3));
        let _ = poll(&mut timer, OLD);
        for _ in 0..100 {
            self.run(self.after(millis(1)));
            timer.reset(millis(3));
        }
        let start = self.board.raw();
        let quiet = !take_ready(OLD) && !timer.is_elapsed();
        self.checks.that("reset 100 times, every 1 ms", quiet);
        self.sleep_until_woken(&[OLD], millis(15));
        take_ready(OLD);
        let taken = self.board.ticks_between(start, self.board.raw());
        // The last feeding was a few ticks before `start`.
        let (low, high) = (
            Self::ticks(millis(3)) - Self::late(),
            Self::ticks(millis(3)),
        );
        self.checks.between(
            "  and 3 ms after the last it completes: ticks",
            taken,
            low,
            high + Self::late(),
        );
    }
}
