//! All `N` timers taken, and one more.

use timer_future::Alarm;

use super::{millis, Suite};
use crate::board::Board;
use crate::Timer;

impl<B: Board, A: Alarm, const N: usize> Suite<'_, '_, B, A, N> {
    #[inline(never)]
    pub(super) fn exhaustion(&mut self) {
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
        let seen = self.timers.shortages().wrapping_sub(shortages);
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
}
