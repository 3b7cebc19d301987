//! [`Contexts`]: one source, used from everywhere at once.
//!
//! A task, handlers of lower and of higher priority than the alarm's, wakers inside the alarm's handler,
//! another core: each of these *contexts* starts, polls, resets and drops timers of the same source, and calls
//! `on_interrupt` now and then, thousands of times with pseudo-random timing.
//!
//! It goes in rounds. While everybody is busy, an alarm that is lost is soon set again by somebody else; so
//! after each round nobody touches the timers, and those that are left must complete by the alarm alone. At
//! the end the books must balance: each timer completed or was cancelled, none was early by the hardware
//! counter, none was lost, no waker is kept and all slots are free.

mod actor;
mod priorities;
mod sweep;

use portable_atomic::{AtomicBool, AtomicU32, Ordering};
use timer_future::{duration_to_ticks, Alarm, InterruptSource, TimerFuture};

use actor::{Bells, State, SEATS};
use sweep::Sweep;

use crate::bell::Bell;
use crate::board::Board;
use crate::checks::Checks;
use crate::exclusive::Exclusive;
use crate::executor::{self, MAX_TASKS};
use crate::random::SEED;
use crate::Timer;

/// How many contexts there are.
pub const ACTORS: usize = 4;
/// The main loop, on the core that has the alarm.
pub const TASK: usize = 0;
/// Wakers that call back, in whichever context they are woken: mostly the alarm's handler.
pub const WAKERS: usize = 1;
/// A handler of lower priority than the alarm's; or the main loop of a second core.
pub const LOW: usize = 2;
/// A handler of higher priority; or a handler of the second core.
pub const HIGH: usize = 3;

/// A flag of the executor that no task has: something has happened, so do not sleep.
const NEWS: usize = MAX_TASKS - 1;

/// All contexts, for a `static`.
pub struct Contexts<B: Board, A: Alarm + 'static, const N: usize> {
    board: &'static B,
    timers: &'static InterruptSource<A, N>,
    actors: [Actor<A, N>; ACTORS],
    running: AtomicBool,
    /// Rounds after which something was left, long after every deadline.
    unsettled: AtomicU32,
    /// How often the handler of higher priority interrupted each of the others in the middle,
    amid: [AtomicU32; ACTORS],
    /// and the alarm's handler.
    amid_handler: AtomicU32,
    high: AtomicU32,
    sweep: Sweep<A, N>,
}

struct Actor<A: Alarm + 'static, const N: usize> {
    bells: Bells,
    state: Exclusive<State<A, N>>,
}

impl<A: Alarm, const N: usize> Actor<A, N> {
    const fn new(owner: usize, ring: fn(&'static Bell)) -> Self {
        // The first bell of each seat calls back.
        const fn pair(owner: usize, ring: fn(&'static Bell)) -> [Bell; 2] {
            [Bell::new(owner, true, ring), Bell::new(owner, false, ring)]
        }
        const { assert!(SEATS == 3) };
        Self {
            bells: [pair(owner, ring), pair(owner, ring), pair(owner, ring)],
            state: Exclusive::new(State::new(SEED.wrapping_add(owner as u32 * 0x1000_0001))),
        }
    }
}

impl<B: Board, A: Alarm, const N: usize> Contexts<B, A, N> {
    /// Nothing started yet. `ring` is what a waker does: call [`rung`](Self::rung) of this same static, and
    /// whatever wakes the core that the owner of the bell is on.
    pub const fn new(
        board: &'static B,
        timers: &'static InterruptSource<A, N>,
        ring: fn(&'static Bell),
    ) -> Self {
        Self {
            board,
            timers,
            actors: [
                Actor::new(TASK, ring),
                Actor::new(WAKERS, ring),
                Actor::new(LOW, ring),
                Actor::new(HIGH, ring),
            ],
            running: AtomicBool::new(false),
            unsettled: AtomicU32::new(0),
            amid: [const { AtomicU32::new(0) }; ACTORS],
            amid_handler: AtomicU32::new(0),
            high: AtomicU32::new(0),
            sweep: Sweep::new(),
        }
    }

    fn ticks(micros: u32) -> u32 {
        duration_to_ticks(core::time::Duration::from_micros(micros.into()), A::TICK_HZ) as u32
    }

    /// A short while.
    fn short(&self) -> u32 {
        Self::ticks(B::SHORT_MICROS)
    }

    /// A timer that has not woken anybody so long after its deadline is lost.
    fn late(&self) -> u32 {
        Self::ticks(B::CROWDED_MICROS)
    }

    /// Whether a round is on, so that the contexts may act.
    pub fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    /// Begins a round.
    pub fn begin(&self) {
        self.running.store(true, Ordering::Release);
    }

    /// Ends a round, and waits for the timers that are left. Whoever completes now owes it to the alarm.
    /// `false` when some do not, or a context does not leave: then it is of no use to go on.
    pub fn settle(&'static self) -> bool {
        self.running.store(false, Ordering::Release);
        // Until then the far ones have completed, as late as can be.
        let mut end = self.timers.now() + u64::from(20 * self.short()) + 3 * u64::from(self.late());
        let mut last = self.timers.now();
        loop {
            let now = self.timers.now();
            // An emulator that was stopped: that time does not count.
            if now - last > u64::from(self.late()) {
                end += now - last;
            }
            last = now;
            let past = now > end;
            let settle = |actor: &&'static Actor<A, N>| {
                actor.state.with(|state| state.settle(self, &actor.bells)) == Some(true)
            };
            // All of them, also those behind one that is not settled.
            let settled = self.actors.iter().filter(settle).count() == ACTORS;
            if settled && self.timers.next_deadline().is_none() {
                return true;
            }
            if past {
                count(&self.unsettled, true);
                return false;
            }
            // Off the bus for a while: the emulator's devices have one lock, and get it late from a core that
            // reads the clock all the time.
            for _ in 0..1_000 {
                core::hint::spin_loop();
            }
        }
    }

    /// Has context `who` do something with its timers. Returns a random number.
    pub fn act(&'static self, who: usize) -> u32 {
        if !self.is_running() {
            return 0;
        }
        let actor = &self.actors[who];
        // In use: a waker that was woken by what this actor itself does.
        let number = actor.state.with(|state| state.act(self, &actor.bells));
        number.unwrap_or(0)
    }

    /// What a waker does: notes that it was woken, and perhaps calls back into the timers.
    pub fn rung(&'static self, bell: &'static Bell) {
        bell.ring(self.timers.now() as u32);
        executor::waker(NEWS).wake();
        if bell.calls {
            self.act(WAKERS);
        }
    }

    /// Checks the books, after the last round.
    pub fn report(&'static self, checks: &mut Checks<'_, B>, shortages: u32) {
        let unsettled = self.unsettled.load(Ordering::Relaxed);
        checks.equal("rounds that left timers behind", unsettled, 0);
        let sum_of = |who: usize, of: fn(&actor::Books) -> u32| {
            let state = &self.actors[who].state;
            state.with(|state| of(&state.books)).unwrap_or(0)
        };
        let sum = |of: fn(&actor::Books) -> u32| (0..ACTORS).map(|who| sum_of(who, of)).sum();
        let started: u32 = sum(|books| books.started);
        checks.between("timers started", started, 1_000, u32::MAX);
        let (completed, cancelled) = (sum(|books| books.completed), sum(|books| books.cancelled));
        checks.between("  and moved", sum(|books| books.resets), 500, u32::MAX);
        checks.between("  completed", completed, started / 10, started);
        checks.equal("  completed or cancelled", completed + cancelled, started);
        checks.equal("  early", sum(|books| books.early), 0);
        checks.equal("  lost", sum(|books| books.lost), 0);
        let worst = self
            .actors
            .iter()
            .filter_map(|actor| actor.state.with(|s| s.books.worst));
        let worst = worst.max().unwrap_or(0);
        let bound = if B::TIMELY { self.late() } else { u32::MAX };
        checks.between("  latest wake, ticks", worst, 0, bound);
        // Those of the other contexts, out of which WAKERS start, reset and drop theirs.
        let called = sum_of(WAKERS, |books| books.acts);
        checks.between("wakers that called back", called, 100, u32::MAX);
        let refused = sum(|books| books.refused);
        let seen = self.timers.shortages().wrapping_sub(shortages);
        checks.between(
            "shortages, with those refused",
            seen,
            refused.max(1),
            u32::MAX,
        );
        let bells = self
            .actors
            .iter()
            .flat_map(|actor| actor.bells.iter().flatten());
        checks.equal("wakers kept", bells.map(Bell::wakers).sum(), 0);
        let mut all: [Timer<A, N>; N] =
            core::array::from_fn(|_| TimerFuture::with_deadline(self.timers, u64::MAX - 1));
        let free = all.iter_mut().filter_map(|timer| timer.try_start().ok());
        checks.equal("slots free", free.count() as u32, N as u32);
    }
}

/// Only one context writes each of these, so that load and store will do.
fn count(counter: &AtomicU32, yes: bool) {
    counter.store(
        counter.load(Ordering::Relaxed) + u32::from(yes),
        Ordering::Relaxed,
    );
}
