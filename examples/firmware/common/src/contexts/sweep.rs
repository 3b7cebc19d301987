//! A sweep: what a task does with a timer is interrupted at one moment after the other, as finely as the
//! hardware can tell them apart, by a handler that does something with another timer of the same source. Then
//! both are left alone. The alarm must ring for each.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use portable_atomic::{AtomicBool, AtomicU32, Ordering};
use timer_future::{Alarm, TimerFuture};

use super::{count, Contexts, HIGH, NEWS, TASK};
use crate::bell::Bell;
use crate::board::Rivals;
use crate::checks::Checks;
use crate::exclusive::Exclusive;
use crate::executor;
use crate::Timer;

/// What the task does when it is interrupted, and what the handler does then.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    /// Starts a timer; the handler's is earlier.
    Start,
    /// Moves one that is armed already to an earlier time.
    Move,
    /// Drops it.
    Drop,
    /// Calls `on_interrupt`.
    Handle,
    /// The handler starts one that is later than the task's.
    StartLater,
}

const OF_THE_TASK: [Deed; 4] = [Deed::Start, Deed::Move, Deed::Drop, Deed::Handle];
const OF_THE_HANDLER: [Deed; 5] = [
    Deed::Start,
    Deed::StartLater,
    Deed::Move,
    Deed::Drop,
    Deed::Handle,
];

/// What the sweep keeps between the task and the handler.
pub(super) struct Sweep<A: Alarm + 'static, const N: usize> {
    /// The handler's timer, and what to do with it.
    order: Exclusive<(Option<Timer<A, N>>, Option<Deed>)>,
    /// The task is in the middle of it.
    amid: AtomicBool,
    /// The strike has come.
    struck: AtomicBool,
    hits: AtomicU32,
}

impl<A: Alarm, const N: usize> Sweep<A, N> {
    pub(super) const fn new() -> Self {
        Self {
            order: Exclusive::new((None, None)),
            amid: AtomicBool::new(false),
            struck: AtomicBool::new(true),
            hits: AtomicU32::new(0),
        }
    }
}

impl<B: Rivals, A: Alarm, const N: usize> Contexts<B, A, N> {
    /// A timer that is due after so many whiles. One while is longer than any is allowed to be late, so that
    /// the alarm of one does not make up for that of another.
    fn whiles(&self, count: u32) -> Timer<A, N> {
        let deadline = self.timers.now() + u64::from(count) * u64::from(Self::bound()) * 3 / 2;
        TimerFuture::with_deadline(self.timers, deadline)
    }

    fn bound() -> u32 {
        Self::ticks(B::LATE_MICROS)
    }

    /// What the handler of higher priority does.
    pub(super) fn strike(&'static self) {
        let sweep = &self.sweep;
        if !sweep.struck.load(Ordering::Relaxed) {
            sweep.struck.store(true, Ordering::Relaxed);
            count(&sweep.hits, sweep.amid.load(Ordering::Relaxed));
            let bell = &self.actors[HIGH].bells[0][1];
            sweep.order.with(|(timer, deed)| {
                if let Some(deed) = deed.take() {
                    self.commit(deed, timer, bell, 2);
                }
            });
        }
        executor::waker(NEWS).wake();
    }

    /// Does it, to a timer that will be due after so many whiles.
    fn commit(&self, deed: Deed, timer: &mut Option<Timer<A, N>>, bell: &'static Bell, when: u32) {
        match deed {
            Deed::Start | Deed::StartLater => {
                let late = if deed == Deed::StartLater { 5 } else { 0 };
                let _ = poll(timer.insert(self.whiles(when + late)), bell);
            }
            Deed::Move => {
                let deadline = self.whiles(when).deadline();
                if let Some(timer) = timer {
                    timer.reset_at(deadline);
                }
            }
            Deed::Drop => *timer = None,
            Deed::Handle => self.timers.on_interrupt(),
        }
    }

    pub(super) fn sweep(&'static self, checks: &mut Checks<'_, B>) {
        self.board
            .print("interrupted at each moment of a start, a reset, a drop and a handler\n");
        let (mut strikes, mut lost) = (0, 0);
        for mine in OF_THE_TASK {
            for theirs in OF_THE_HANDLER {
                for moment in 1..B::MOMENTS {
                    strikes += 1;
                    lost += u32::from(!self.interrupted(mine, theirs, moment));
                }
            }
        }
        let hits = self.sweep.hits.load(Ordering::Relaxed);
        checks.between("strikes in the middle", hits, strikes / 8, strikes);
        checks.equal("  after which a timer was lost or late", lost, 0);
    }

    /// Whether all timers complete, and in time.
    fn interrupted(&'static self, mine: Deed, theirs: Deed, moment: u32) -> bool {
        let bell = &self.actors[TASK].bells[0][1];
        let their_bell = &self.actors[HIGH].bells[0][1];
        let armed = |deed, bell, when| {
            matches!(deed, Deed::Move | Deed::Drop).then(|| {
                let mut timer = self.whiles(when);
                let _ = poll(&mut timer, bell);
                timer
            })
        };
        self.sweep
            .order
            .with(|it| *it = (armed(theirs, their_bell, 8), Some(theirs)));
        let mut timer = armed(mine, bell, 9);

        self.sweep.struck.store(false, Ordering::Relaxed);
        self.sweep.amid.store(true, Ordering::Relaxed);
        self.board.strike_in(moment);
        self.commit(mine, &mut timer, bell, 3);
        self.sweep.amid.store(false, Ordering::Relaxed);

        loop {
            executor::take_ready(NEWS);
            if self.sweep.struck.load(Ordering::Relaxed) {
                break;
            }
            self.board.sleep_unless(executor::any_ready);
        }
        let mut intime = true;
        loop {
            executor::take_ready(NEWS);
            intime &= self.attend(&mut timer, bell);
            let done = self.sweep.order.with(|(timer, _)| {
                intime &= self.attend(timer, their_bell);
                timer.is_none()
            });
            if done == Some(true) && timer.is_none() {
                return intime;
            }
            // If the alarm does not end the sleep, this will.
            self.board.strike_in(50_000);
            self.board.sleep_unless(executor::any_ready);
        }
    }

    /// Ends the timer if it was woken, or is late. `false` if it is late.
    fn attend(&self, timer: &mut Option<Timer<A, N>>, bell: &'static Bell) -> bool {
        let Some(pending) = timer else { return true };
        let deadline = pending.deadline();
        let now = self.timers.now();
        if let Some(at) = bell.answer() {
            let late = at.wrapping_sub(deadline as u32) as i32;
            let complete = poll(pending, bell).is_ready();
            *timer = None;
            return complete && late >= 0 && late as u32 <= Self::bound();
        }
        if now.saturating_sub(deadline) > u64::from(Self::bound()) {
            *timer = None;
            return false;
        }
        true
    }
}

fn poll<A: Alarm, const N: usize>(timer: &mut Timer<A, N>, bell: &'static Bell) -> Poll<()> {
    Pin::new(timer).poll(&mut Context::from_waker(&bell.waker()))
}
