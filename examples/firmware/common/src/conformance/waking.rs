//! Whom a timer wakes: the waker of the latest poll, once, and nobody after a cancel; and that it keeps no
//! waker longer than that.

use timer_future::Alarm;

use super::{millis, poll, poll_for, Suite, BELLS, NEW, OLD};
use crate::board::Board;
use crate::executor::take_ready;

impl<B: Board, A: Alarm, const N: usize> Suite<'_, '_, B, A, N> {
    #[inline(never)]
    pub(super) fn newest_waker_wins(&mut self) {
        let mut timer = self.after(millis(5));
        let _ = poll(&mut timer, OLD);
        let _ = poll(&mut timer, NEW);
        let woken = self.sleep_until_woken(&[OLD, NEW], millis(30));
        let (old, new) = (take_ready(OLD), take_ready(NEW));
        self.checks
            .that("only the newest waker is woken", woken && new && !old);
    }

    #[inline(never)]
    pub(super) fn cancelled_is_never_woken(&mut self) {
        let mut timer = self.after(millis(5));
        let pending = poll(&mut timer, OLD).is_pending();
        drop(timer);
        let woken = self.sleep_until_woken(&[OLD], millis(15));
        self.checks
            .that("a cancelled timer wakes nobody", pending && !woken);
    }

    /// Wakers are counted: who holds one too long keeps a task alive.
    #[inline(never)]
    pub(super) fn wakers_are_released(&mut self) {
        let [first, second, ..] = &BELLS;
        let mut timer = self.after(millis(5));
        let _ = poll_for(&mut timer, first);
        let _ = poll_for(&mut timer, first);
        self.checks
            .equal("wakers kept after two polls", first.wakers(), 1);
        let _ = poll_for(&mut timer, second);
        let kept = (first.wakers(), second.wakers());
        self.checks
            .that("  a newer one replaces it", kept == (0, 1));
        let rings = second.rings();
        self.sleep_until_woken(&[OLD], millis(30));
        take_ready(OLD);
        self.checks
            .equal("  one wake", second.rings().wrapping_sub(rings), 1);
        self.checks.equal("  which releases it", second.wakers(), 0);
        let ready =
            poll_for(&mut timer, second).is_ready() && poll_for(&mut timer, first).is_ready();
        let kept = first.wakers() + second.wakers();
        self.checks
            .that("  ready stays ready, and stores none", ready && kept == 0);

        let mut timer = self.after(millis(5));
        let _ = poll_for(&mut timer, first);
        drop(timer);
        self.checks
            .equal("wakers kept after a cancel", first.wakers(), 0);
    }
}
