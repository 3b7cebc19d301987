//! One core: a task, wakers in the alarm's handler, and handlers of lower and of higher priority.

use portable_atomic::{AtomicU32, Ordering};
use timer_future::Alarm;

use super::{count, Contexts, HIGH, LOW, TASK, WAKERS};
use crate::board::Rivals;
use crate::checks::Checks;
use crate::random::{Random, SEED};

impl<B: Rivals, A: Alarm, const N: usize> Contexts<B, A, N> {
    /// What the handler of lower priority does.
    pub fn low(&'static self) {
        self.act(LOW);
    }

    /// What the handler of higher priority does, whatever it has interrupted.
    pub fn high(&'static self) {
        if !self.is_running() {
            return self.strike();
        }
        for (actor, amid) in self.actors.iter().zip(&self.amid) {
            count(amid, actor.state.is_taken());
        }
        count(&self.amid_handler, self.board.in_handler());
        count(&self.high, true);
        let number = self.act(HIGH);
        if number & 3 == 0 {
            self.board.pend_low();
        }
        self.board.strike_in(2 + (number >> 8) % (2 * self.short()));
    }

    /// Lets all contexts loose on the timers, until the handler of higher priority has run often enough.
    pub fn run(&'static self, checks: &mut Checks<'_, B>) {
        self.sweep(checks);
        self.board
            .print("tasks, wakers and handlers of other priorities\n");
        let shortages = self.timers.shortages();
        let mut random = Random::new(SEED);
        let strikes = || self.high.load(Ordering::Relaxed);
        while strikes() < B::STRIKES {
            let end = strikes() + 5 + random.below(40);
            self.begin();
            self.board.strike_in(self.short());
            while strikes() < end {
                self.act(TASK);
                match random.below(8) {
                    0 => self.board.pend_low(),
                    1 => {
                        self.board.sleep_unless(|| false);
                    }
                    2 => {
                        let (start, wait) = (self.board.raw(), random.below(self.short()));
                        while self.board.ticks_between(start, self.board.raw()) < wait {}
                    }
                    _ => {}
                }
            }
            if !self.settle() {
                break;
            }
        }
        self.report(checks, shortages);
        let seen = |count: &AtomicU32| count.load(Ordering::Relaxed);
        for (who, name) in [
            (TASK, "interrupted: the task, in the middle"),
            (WAKERS, "interrupted: a waker"),
            (LOW, "interrupted: the handler of lower priority"),
        ] {
            checks.between(name, seen(&self.amid[who]), 20, u32::MAX);
        }
        let handler = seen(&self.amid_handler);
        checks.between("interrupted: the alarm's handler", handler, 20, u32::MAX);
    }
}
