//! What the firmware examples share. A board brings its [`Alarm`](timer_future::Alarm) and a
//! [`Board`]; this crate brings
//!
//! 1. [`executor`]: runs tasks, and lets the core sleep when none is ready; 100 lines, no allocator;
//! 2. [`scenario`]: the tasks of an ordinary device, all on one hardware alarm;
//! 3. [`conformance`]: what the library promises, checked on the chip against its hardware counter;
//! 4. [`contexts`]: the same timers used from handlers of several priorities, or from two cores, at once.
//!
//! [`run`] does 2 and 3, [`run_and`] also what else a board has, and both tell whether every check passed.

#![no_std]
#![deny(unsafe_code)]

pub mod bell;
pub mod board;
pub mod checks;
pub mod conformance;
pub mod contexts;
pub mod exclusive;
pub mod executor;
pub mod race;
pub mod random;
pub mod reg;
pub mod scenario;
pub mod signal;

pub use bell::Bell;
pub use board::{Board, Rivals};
pub use checks::Checks;
pub use contexts::Contexts;
pub use reg::Reg;
pub use signal::Signal;

use timer_future::{Alarm, InterruptSource, TimerFuture};

/// A timer of a board's source.
pub type Timer<A, const N: usize> = TimerFuture<&'static InterruptSource<A, N>>;

/// Set from the interrupt that stands for an edge on the button's pin; see [`Board::press`].
pub static BUTTON: Signal = Signal::new();

/// The scenario, then the conformance run, then the summary. `true` when every check passed.
pub fn run<B: Board, A: Alarm, const N: usize>(
    board: &'static B,
    timers: &'static InterruptSource<A, N>,
) -> bool {
    run_and(board, timers, |_| {})
}

/// As [`run`], with `more` before the summary.
pub fn run_and<B: Board, A: Alarm, const N: usize>(
    board: &'static B,
    timers: &'static InterruptSource<A, N>,
    more: impl FnOnce(&mut Checks<'_, B>),
) -> bool {
    // A 16-bit counter at 2 MHz wraps within what the checks measure, and looks early by 65,536 ticks.
    const {
        assert!(
            (A::TICK_HZ / 10) >> B::RAW_BITS == 0,
            "the raw counter must not wrap within 100 ms"
        );
    };
    board.print(B::NAME);
    board.print(": ");
    board.print_number(N as u32);
    board.print(" timers on one alarm of ");
    board.print_number(A::TICK_HZ as u32);
    board.print(" Hz\n");
    let mut checks = Checks::new(board);
    scenario::run(board, timers, &mut checks);
    conformance::run(board, timers, &mut checks);
    more(&mut checks);
    checks.summary()
}
