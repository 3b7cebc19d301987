//! [`State`]: the timers of one context, what it does with them, and the books it keeps.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use timer_future::{Alarm, TimerFuture, NEVER};

use super::Contexts;
use crate::bell::Bell;
use crate::board::Board;
use crate::random::Random;
use crate::Timer;

/// Timers that one context has at a time; four contexts have more than the eight there are.
pub(super) const SEATS: usize = 3;

/// The wakers of a seat's timer. Two, because the newest must win.
pub(super) type Bells = [[Bell; 2]; SEATS];

/// Place for one timer, and what was asked of it.
pub(super) struct Seat<A: Alarm + 'static, const N: usize> {
    timer: Option<Timer<A, N>>,
    /// The bell of the latest poll.
    newest: usize,
    /// The deadline; or when it was chosen, if it was past by then.
    due: u64,
    /// When it was first seen to be late.
    late_since: Option<u64>,
    /// The hardware counter when the deadline was chosen,
    since: u32,
    /// and how far it must at least have moved when the timer is complete.
    least: u32,
}

/// What became of the timers of one context.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Books {
    /// How often the context did something.
    pub acts: u32,
    /// Timers started. Each of them must have
    pub started: u32,
    /// completed, or been
    pub completed: u32,
    /// cancelled.
    pub cancelled: u32,
    /// Timers moved.
    pub resets: u32,
    /// Timers not started, because all were taken.
    pub refused: u32,
    /// Complete before the hardware counter had moved far enough.
    pub early: u32,
    /// Neither complete nor woken when the bound had passed.
    pub lost: u32,
    /// The longest time from a deadline to its wake, in ticks.
    pub worst: u32,
}

pub(super) struct State<A: Alarm + 'static, const N: usize> {
    seats: [Seat<A, N>; SEATS],
    random: Random,
    last: u64,
    pub books: Books,
}

impl<A: Alarm, const N: usize> State<A, N> {
    pub(super) const fn new(seed: u32) -> Self {
        Self {
            seats: [const {
                Seat {
                    timer: None,
                    newest: 0,
                    due: 0,
                    late_since: None,
                    since: 0,
                    least: 0,
                }
            }; SEATS],
            random: Random::new(seed),
            last: NEVER,
            books: Books {
                acts: 0,
                started: 0,
                completed: 0,
                cancelled: 0,
                resets: 0,
                refused: 0,
                early: 0,
                lost: 0,
                worst: 0,
            },
        }
    }

    /// Answers the bells that have rung, and does one thing more. Returns a random number.
    pub(super) fn act<B: Board>(&mut self, all: &Contexts<B, A, N>, bells: &'static Bells) -> u32 {
        self.books.acts += 1;
        for i in 0..SEATS {
            self.answer(all, bells, i);
        }
        let i = self.random.below(SEATS as u32) as usize;
        if self.seats[i].timer.is_none() {
            self.start(all, bells, i);
        } else {
            match self.random.below(8) {
                0 | 1 => self.poll(all, bells, i),
                2 | 3 => self.reset(all, bells, i),
                4 | 5 => self.cancel(i),
                6 => all.timers.on_interrupt(),
                _ => {}
            }
        }
        self.random.draw()
    }

    /// Cancels what will never complete, and answers for the others. `true` when no timer is left.
    pub(super) fn settle<B: Board>(
        &mut self,
        all: &Contexts<B, A, N>,
        bells: &'static Bells,
    ) -> bool {
        for i in 0..SEATS {
            self.answer(all, bells, i);
            if matches!(&self.seats[i].timer, Some(timer) if timer.deadline() == NEVER) {
                self.cancel(i);
            }
        }
        self.seats.iter().all(|seat| seat.timer.is_none())
    }

    /// Does what an executor does: polls the timer if its newest waker was woken. Whoever has not been woken
    /// long after the deadline never will be. (Long after it was first seen to be late, because an emulator may
    /// have been stopped meanwhile.)
    fn answer<B: Board>(&mut self, all: &Contexts<B, A, N>, bells: &'static Bells, i: usize) {
        // The clock before the bell: one that rings in between is no loss.
        let now = all.timers.now();
        let seat = &mut self.seats[i];
        if seat.timer.is_none() {
            return;
        }
        let bell = &bells[i][seat.newest];
        if let Some(at) = bell.answer() {
            // A wake that was under way when the timer was moved comes before the new deadline.
            let late = at.wrapping_sub(seat.due as u32) as i32;
            if seat.due != NEVER && late > 0 {
                self.books.worst = self.books.worst.max(late as u32);
            }
            self.poll_with(all, bell, i);
        } else if seat.due < now {
            let since = *seat.late_since.get_or_insert(now);
            if now - since > u64::from(all.late()) {
                self.books.lost += 1;
                seat.timer = None;
            }
        }
    }

    fn start<B: Board>(&mut self, all: &Contexts<B, A, N>, bells: &'static Bells, i: usize) {
        let deadline = self.choose(all, i);
        let mut timer = TimerFuture::with_deadline(all.timers, deadline);
        // Half of them are armed before anybody polls; the others by the poll.
        if self.random.below(2) == 0 && timer.try_start().is_err() {
            self.books.refused += 1;
            return;
        }
        self.books.started += 1;
        self.seats[i].timer = Some(timer);
        self.poll(all, bells, i);
    }

    /// Polls with either of the two wakers.
    fn poll<B: Board>(&mut self, all: &Contexts<B, A, N>, bells: &'static Bells, i: usize) {
        let side = self.random.below(2) as usize;
        self.seats[i].newest = side;
        let bell = &bells[i][side];
        bell.answer();
        self.poll_with(all, bell, i);
    }

    fn poll_with<B: Board>(&mut self, all: &Contexts<B, A, N>, bell: &'static Bell, i: usize) {
        let seat = &mut self.seats[i];
        let Some(timer) = &mut seat.timer else { return };
        let waker = bell.waker();
        if Pin::new(timer).poll(&mut Context::from_waker(&waker)) == Poll::Pending {
            return;
        }
        // The counter after the poll.
        let moved = all.board.ticks_between(seat.since, all.board.raw());
        self.books.early += u32::from(moved < seat.least);
        self.books.completed += 1;
        seat.timer = None;
    }

    fn reset<B: Board>(&mut self, all: &Contexts<B, A, N>, bells: &'static Bells, i: usize) {
        let never = self.seats[i].due == NEVER;
        let deadline = self.choose(all, i);
        let Some(timer) = &mut self.seats[i].timer else {
            return;
        };
        timer.reset_at(deadline);
        self.books.resets += 1;
        // Half of them are polled; the others have their waker already, which must be woken at the new
        // deadline. (A timer that waited for ever may have had no slot, and so nowhere to keep a waker.)
        if never || self.random.below(2) == 0 {
            self.poll(all, bells, i);
        }
    }

    fn cancel(&mut self, i: usize) {
        // Dropped here, armed, firing or complete as it may be.
        self.seats[i].timer = None;
        self.books.cancelled += 1;
    }

    /// A deadline for seat `i`: mostly near, so that the handler is never idle for long.
    fn choose<B: Board>(&mut self, all: &Contexts<B, A, N>, i: usize) -> u64 {
        let near = 2 * all.short();
        let since = all.board.raw();
        let now = all.timers.now();
        let deadline = match self.random.below(16) {
            0 => NEVER,
            1 => now.saturating_sub(1),
            2 => now + u64::from(10 * near),
            // The same as another's, often past already.
            3 => self.last,
            _ => now + u64::from(self.random.below(near)),
        };
        self.last = deadline;
        let seat = &mut self.seats[i];
        seat.due = deadline.max(now);
        seat.late_since = None;
        seat.since = since;
        seat.least = deadline.saturating_sub(now).min(u32::MAX.into()) as u32;
        deadline
    }
}
