//! What the library promises, checked on the chip: the hardware counter is the witness.
//!
//! The host runs the same promises against simulated alarms, in every interleaving; this run is for what
//! only a chip has: its interrupt, its compare register, its atomics, its sleep. What the host has and this has
//! not: wakers that panic (a panic ends the program here), timers that are forgotten (their slots
//! would be missing from then on), and wakers that call back, which are in [`contexts`](crate::contexts).

mod cost;
mod exhaustion;
mod reset;
mod time;
mod waking;

use core::future::Future;
use core::pin::{pin, Pin};
use core::task::{Context, Poll};
use core::time::Duration;

use portable_atomic::{AtomicU32, Ordering};
use timer_future::{duration_to_ticks, Alarm, InterruptSource, TimerFuture};

use crate::bell::Bell;
use crate::board::Board;
use crate::checks::Checks;
use crate::executor::{self, take_ready, MAX_TASKS};
use crate::Timer;

// Flags of the executor that no task of these checks uses.
const OLD: usize = MAX_TASKS - 1;
const NEW: usize = MAX_TASKS - 2;
const GUARD: usize = MAX_TASKS - 3;

/// Wakers that are counted, and whose order is noted.
static BELLS: [Bell; 6] = [
    Bell::new(1, false, note),
    Bell::new(2, false, note),
    Bell::new(3, false, note),
    Bell::new(4, false, note),
    Bell::new(5, false, note),
    Bell::new(6, false, note),
];

/// The numbers of the bells that rang, as the digits of a number.
static HEARD: AtomicU32 = AtomicU32::new(0);

fn note(bell: &'static Bell) {
    bell.ring(0);
    let heard = HEARD.load(Ordering::Relaxed);
    HEARD.store(
        heard.wrapping_mul(10).wrapping_add(bell.owner as u32),
        Ordering::Relaxed,
    );
    executor::waker(OLD).wake();
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Less than a second. `Duration::from_micros` divides 64 bits by a million: 2.8 KB on an 8-bit chip.
const fn micros(micros: u32) -> Duration {
    Duration::new(0, micros * 1_000)
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
    if B::ROOMY {
        suite.order_of_the_wakes();
        suite.the_deadline_is_fixed_at_construction();
        suite.beyond_the_reach_of_the_alarm();
        suite.wakers_are_released();
        suite.reset_to_the_past_and_never();
        suite.reset_after_the_end_and_before_the_start();
        suite.reset_again_and_again();
        suite.one_interrupt_per_deadline();
        suite.cancelled_timeouts_cost_nothing();
        suite.a_handler_called_for_nothing();
    }
    suite.nothing_left_behind();
}

struct Suite<'a, 'b, B: Board, A: Alarm + 'static, const N: usize> {
    board: &'static B,
    timers: &'static InterruptSource<A, N>,
    checks: &'a mut Checks<'b, B>,
}

// The checks are not inlined, so that they take turns on the stack: 300 bytes on an AVR, which has 2,048.
impl<B: Board, A: Alarm, const N: usize> Suite<'_, '_, B, A, N> {
    fn ticks(duration: Duration) -> u32 {
        duration_to_ticks(duration, A::TICK_HZ) as u32
    }

    /// How late is too late.
    fn late() -> u32 {
        Self::ticks(micros(B::LATE_MICROS))
    }

    fn after(&self, duration: Duration) -> Timer<A, N> {
        TimerFuture::with_source(self.timers, duration)
    }

    fn at(&self, deadline: u64) -> Timer<A, N> {
        TimerFuture::with_deadline(self.timers, deadline)
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
}

/// Polls once, with the waker of flag `flag`.
fn poll<A: Alarm, const N: usize>(timer: &mut Timer<A, N>, flag: usize) -> Poll<()> {
    Pin::new(timer).poll(&mut Context::from_waker(&executor::waker(flag)))
}

/// Polls once, with a waker of this bell.
fn poll_for<A: Alarm, const N: usize>(timer: &mut Timer<A, N>, bell: &'static Bell) -> Poll<()> {
    Pin::new(timer).poll(&mut Context::from_waker(&bell.waker()))
}
