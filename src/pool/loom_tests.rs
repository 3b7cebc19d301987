//! Loom models of what the public API cannot reach: a keeper that sleeps, the real `Pool`, `Keeper` and
//! `AlarmWord`, with loom's park as the sleep.
//!
//! No time passes here: the keeper stays until it has published an alarm that is early enough for the
//! earliest timer. If it goes to sleep later than that and nobody kicks, loom reports a deadlock.
//!
//! tests/mutants.sh shows what each test catches.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::vec::Vec;

use loom::thread;

use crate::ticks::NEVER;

use super::{Keeper, Pool, Pooled};

const EARLY: u64 = 10;
const MIDDLE: u64 = 1 << 20;
const LATE: u64 = 1 << 40;

struct Sleeper {
    pool: Pool,
    keeper: thread::Thread,
}

impl Pooled for Sleeper {
    fn pool(&self) -> &Pool {
        &self.pool
    }
    fn now(&self) -> u64 {
        0
    }
    fn slack(&self) -> u64 {
        0
    }
    fn kick(&self) {
        if self.pool.alarm.kick() {
            self.keeper.unpark();
        }
    }
}

impl Sleeper {
    /// The calling thread is to be the keeper.
    fn new() -> Arc<Self> {
        Arc::new(Self {
            pool: Pool::new(false),
            keeper: thread::current(),
        })
    }

    /// The loop of `ThreadSource`'s driver, until the alarm is set for `earliest` or before.
    fn keep_until_set_for(&self, keeper: &mut Keeper, earliest: u64) {
        loop {
            self.pool.alarm.look();
            if keeper.step(&self.pool, 0) {
                continue;
            }
            let alarm = keeper.next();
            if !self.pool.alarm.sleep_until(alarm) {
                continue;
            }
            if alarm.is_some_and(|alarm| alarm <= earliest) {
                return;
            }
            thread::park();
        }
    }

    /// What the keeper does while nobody else is there; then it is asleep.
    fn see_everything(&self, keeper: &mut Keeper) {
        self.pool.alarm.look();
        while keeper.step(&self.pool, 0) {}
        assert!(self.pool.alarm.sleep_until(keeper.next()));
    }

    /// Makes the groups that the test will need. One that is made by a thread of the model would look
    /// unpublished to loom, which does not know `OnceBox`.
    fn grow(&self, slots: usize) {
        let made: Vec<_> = (0..slots)
            .flat_map(|_| self.pool.start(self, LATE * 2))
            .collect();
        for index in made {
            self.pool.cancel(index);
        }
    }
}

/// Another thread that starts a timer. Nobody joins it: loom's unpark would end a join as well as a park.
/// The model waits for all its threads.
fn spawn_start(source: &Arc<Sleeper>, deadline: u64) {
    let source = source.clone();
    thread::spawn(move || _ = source.pool.start(&*source, deadline));
}

/// A timer is armed while the keeper looks, publishes, or goes to sleep: the keeper sees it or is kicked.
#[test]
fn kick_or_see() {
    loom::model(|| {
        let source = Sleeper::new();
        spawn_start(&source, EARLY);
        source.keep_until_set_for(&mut Keeper::new(false), EARLY);
    });
}

/// The same, against a keeper that knows of a later timer, and so sleeps until a time.
#[test]
fn kick_or_see_when_the_alarm_is_later() {
    loom::model(|| {
        let source = Sleeper::new();
        let mut keeper = Keeper::new(false);
        _ = source.pool.start(&*source, LATE);
        spawn_start(&source, EARLY);
        source.keep_until_set_for(&mut keeper, EARLY);
    });
}

/// The race in pool/inbox.rs: one client has marked first and still has to push the group, when another
/// relies on that push.
#[test]
fn kick_or_see_when_another_pushes_the_group() {
    loom::model(|| {
        let source = Sleeper::new();
        source.grow(6);
        let mut keeper = Keeper::new(false);
        // The keeper sleeps until a time between the two, and the next two slots are of one group.
        _ = source.pool.start(&*source, MIDDLE);
        _ = source.pool.start(&*source, NEVER);
        source.see_everything(&mut keeper);
        spawn_start(&source, LATE);
        spawn_start(&source, EARLY);
        source.keep_until_set_for(&mut keeper, EARLY);
    });
}

/// A timer that is armed again for an earlier time, in its slot that the keeper knows already.
#[test]
fn kick_or_see_when_moved_to_earlier() {
    loom::model(|| {
        let source = Sleeper::new();
        let mut keeper = Keeper::new(false);
        let index = source.pool.start(&*source, LATE).unwrap();
        source.keep_until_set_for(&mut keeper, LATE);
        thread::spawn({
            let (source, mut index) = (source.clone(), index);
            move || source.pool.restart(&*source, &mut index, EARLY).unwrap()
        });
        source.keep_until_set_for(&mut keeper, EARLY);
    });
}

/// A timer is moved to a later time while its old one comes up: it is not complete after that, and complete
/// when the new one has come.
#[test]
fn postponed_while_it_comes_up() {
    loom::model(|| {
        let source = Sleeper::new();
        source.grow(4);
        let mut keeper = Keeper::new(false);
        let index = source.pool.start(&*source, EARLY).unwrap();
        source.see_everything(&mut keeper);
        let client = thread::spawn({
            let (source, mut index) = (source.clone(), index);
            move || {
                source.pool.restart(&*source, &mut index, LATE).unwrap();
                index
            }
        });
        while keeper.step(&source.pool, EARLY) {}
        let index = client.join().unwrap();
        while keeper.step(&source.pool, LATE - 1) {}
        assert!(!source.pool.state(index).is_complete(), "early");
        while keeper.step(&source.pool, LATE) {}
        assert!(source.pool.state(index).is_complete(), "lost");
    });
}
