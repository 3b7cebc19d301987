//! `ManualSource` against a naive model, a sorted map, over many rotations of the wheel and up to the end of
//! time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use futures::FutureExt;
use proptest::prelude::*;
use timer_future::{ManualSource, TimerFuture, NEVER};

type Timer = TimerFuture<Arc<ManualSource>>;
type Log = Arc<Mutex<Vec<(usize, u64)>>>;

/// Notes who was woken, and when.
struct Note {
    id: usize,
    clock: Arc<ManualSource>,
    log: Log,
}

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        self.log.lock().unwrap().push((self.id, self.clock.now()));
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// Starts a timer, so far ahead.
    Start(u64),
    /// Drops one of the live timers.
    Cancel(usize),
    /// Moves one of the live timers.
    Reset(usize, u64),
    /// Lets so much time pass.
    Advance(u64),
    /// Lets the time pass to the next deadline, or just before it, or just beyond.
    Next(i64),
}

/// A bucket of each level of the wheel lasts two to the power of this.
const SHIFTS: [u32; 7] = [16, 25, 32, 39, 46, 53, 60];

/// Numbers of all sizes, and those around the boundaries of the wheel's levels (powers of two).
fn span() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => 0..200_000u64,
        2 => (0..63u32, -2..3i64).prop_map(|(bits, by)| (1u64 << bits).saturating_add_signed(by)),
        2 => (0..63u32, any::<u64>()).prop_map(|(bits, any)| any >> bits),
        1 => (1..6u64, 0..7usize).prop_map(|(n, level)| (n << SHIFTS[level]).saturating_mul(255) / 2),
        1 => Just(u64::MAX - 1),
        1 => Just(NEVER),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => span().prop_map(Step::Start),
        2 => any::<usize>().prop_map(Step::Cancel),
        3 => (any::<usize>(), span()).prop_map(|(which, span)| Step::Reset(which, span)),
        2 => span().prop_map(|span| Step::Advance(span >> 3)),
        5 => (-1..2i64).prop_map(Step::Next),
    ]
}

/// The source, and what it should do.
struct Both {
    clock: Arc<ManualSource>,
    log: Log,
    timers: BTreeMap<usize, Timer>,
    /// By deadline, then in the order of starts.
    model: BTreeMap<(u64, usize), usize>,
    keys: BTreeMap<usize, (u64, usize)>,
    now: u64,
    starts: usize,
}

impl Both {
    fn new() -> Self {
        Self {
            clock: Arc::default(),
            log: Log::default(),
            timers: BTreeMap::new(),
            model: BTreeMap::new(),
            keys: BTreeMap::new(),
            now: 0,
            starts: 0,
        }
    }

    fn waker(&self, id: usize) -> Waker {
        Waker::from(Arc::new(Note {
            id,
            clock: self.clock.clone(),
            log: self.log.clone(),
        }))
    }

    fn expect(&mut self, id: usize, deadline: u64) {
        let key = (deadline, self.starts);
        self.starts += 1;
        self.model.insert(key, id);
        self.keys.insert(id, key);
    }

    fn forget(&mut self, id: usize) {
        let key = self.keys.remove(&id).unwrap();
        self.model.remove(&key);
    }

    /// "Never" is not due even at the end of time.
    fn is_due(&self, deadline: u64) -> bool {
        deadline <= self.now && deadline != NEVER
    }

    fn pick(&self, which: usize) -> Option<usize> {
        let at = which.checked_rem(self.timers.len())?;
        self.timers.keys().nth(at).copied()
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Start(span) => {
                let (id, deadline) = (self.starts, self.now.saturating_add(span));
                let mut timer = Timer::with_deadline(self.clock.clone(), deadline);
                let waker = self.waker(id);
                let polled = timer.poll_unpin(&mut Context::from_waker(&waker));
                assert_eq!(polled.is_ready(), self.is_due(deadline));
                if polled.is_pending() {
                    self.timers.insert(id, timer);
                    self.expect(id, deadline);
                } else {
                    self.starts += 1;
                }
            }
            Step::Cancel(which) => {
                let Some(id) = self.pick(which) else { return };
                self.timers.remove(&id);
                self.forget(id);
            }
            Step::Reset(which, span) => {
                let Some(id) = self.pick(which) else { return };
                let deadline = self.now.saturating_add(span);
                self.forget(id);
                let timer = self.timers.get_mut(&id).unwrap();
                timer.reset_at(deadline);
                assert_eq!(timer.deadline(), deadline);
                if deadline <= self.now && deadline != NEVER {
                    assert!(timer.is_elapsed());
                    self.timers.remove(&id);
                    assert_eq!(self.log.lock().unwrap().pop(), Some((id, self.now)));
                } else {
                    assert!(!timer.is_elapsed());
                    self.expect(id, deadline);
                }
            }
            Step::Advance(span) => self.advance_to(self.now.saturating_add(span)),
            Step::Next(by) => {
                if let Some(next) = self.next_deadline() {
                    self.advance_to(next.saturating_add_signed(by).max(self.now));
                }
            }
        }
    }

    /// "Never" is no deadline.
    fn next_deadline(&self) -> Option<u64> {
        self.model
            .keys()
            .next()
            .map(|key| key.0)
            .filter(|&deadline| deadline != NEVER)
    }

    fn advance_to(&mut self, time: u64) {
        self.clock.advance_to(time);
        self.now = time;
        let mut expected = Vec::new();
        while let Some((&(deadline, start), &id)) = self.model.first_key_value() {
            if deadline > time || deadline == NEVER {
                break;
            }
            self.model.remove(&(deadline, start));
            self.keys.remove(&id);
            expected.push((id, deadline));
        }
        let woken = core::mem::take(&mut *self.log.lock().unwrap());
        assert_eq!(woken, expected, "who was woken, and when");
        for (id, _) in expected {
            let mut timer = self.timers.remove(&id).unwrap();
            assert!(timer.is_elapsed());
            let waker = self.waker(id);
            assert!(timer
                .poll_unpin(&mut Context::from_waker(&waker))
                .is_ready());
        }
    }

    fn check(&self) {
        assert_eq!(self.clock.now(), self.now);
        assert_eq!(self.clock.next_deadline(), self.next_deadline());
        let pending = self.model.keys().filter(|key| key.0 != NEVER).count();
        assert_eq!(self.clock.pending(), pending);
        assert!(
            self.log.lock().unwrap().is_empty(),
            "woken without being due"
        );
        assert!(self.timers.values().all(|timer| !timer.is_elapsed()));
    }
}

fn run(steps: impl IntoIterator<Item = Step>) {
    let mut both = Both::new();
    for step in steps {
        both.step(step);
        both.check();
    }
    // What is left comes up as well, in order, up to the last moment before "never".
    while let Some(next) = both.next_deadline() {
        both.advance_to(next);
        both.check();
    }
    drop(std::mem::take(&mut both.timers));
    assert_eq!(
        (both.clock.pending(), both.clock.next_deadline()),
        (0, None)
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn manual_source_is_a_sorted_map(steps in prop::collection::vec(step(), 1..120)) {
        run(steps);
    }
}

#[test]
fn equal_deadlines_fire_in_the_order_of_starts() {
    for deadline in [1, 65_536, 1 << 30, 1 << 50] {
        let mut steps: Vec<_> = (0..200).map(|_| Step::Start(deadline)).collect();
        steps.extend((0..50).map(|n| Step::Cancel(n * 7)));
        steps.extend((0..50).map(|n| Step::Reset(n * 3, deadline)));
        steps.extend([Step::Next(-1), Step::Next(0)]);
        run(steps);
    }
}

/// tokio#8334: one far timer stops the near ones after days of uptime.
#[test]
fn a_far_timer_does_not_hold_up_the_near_ones() {
    let mut steps = vec![Step::Start(1 << 62), Step::Start(u64::MAX - 1)];
    for _ in 0..2_000 {
        steps.extend([Step::Start(7_777_777_777), Step::Next(0)]);
    }
    run(steps);
}

#[test]
fn one_rotation_ahead_and_on_every_boundary() {
    let mut steps = Vec::new();
    for shift in SHIFTS {
        let bucket = 1u64 << shift;
        let ends = [
            1, 2, 127, 128, 129, 254, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025,
        ];
        for buckets in ends {
            let Some(span) = bucket.checked_mul(buckets) else {
                continue;
            };
            for by in [-1i64, 0, 1] {
                steps.push(Step::Start(span.saturating_add_signed(by)));
            }
        }
        steps.push(Step::Next(0));
    }
    run(steps);
}
