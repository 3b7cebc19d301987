//! `InterruptSource` against a model, over arbitrary schedules: counters of 16, 24 and 32 bits, interrupts
//! late, doubled, and in the middle of every access to the hardware, where also a context of higher
//! priority may start, reset and drop timers, and time may pass.

mod interrupt_sim;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use interrupt_sim::{poll, Count, Sim};
use proptest::prelude::*;
use timer_future::{InterruptSource, InterruptTimer, TimerSource, NEVER};

#[derive(Clone, Debug)]
enum Op {
    /// Starts a timer in this variable, so many ticks ahead.
    Start(usize, u64),
    /// Ticks relative to now, may be negative.
    Reset(usize, i64),
    Never(usize),
    Drop(usize),
    Poll(usize),
    /// Time passes and the interrupt is not served.
    Pass(u64),
    /// The interrupt is served, if it is requested.
    Serve,
    /// The handler runs although nobody has asked.
    Spurious,
}

const VARIABLES: usize = 7;

fn op(far: u64) -> impl Strategy<Value = Op> {
    let near = 0..40u64;
    let ticks = prop_oneof![4 => near.clone(), 2 => 0..2_000u64, 1 => 0..far];
    let moves = prop_oneof![
        4 => -5..40i64,
        2 => 0..2_000i64,
        1 => 0..far as i64,
    ];
    let variable = 0..VARIABLES;
    prop_oneof![
        5 => (variable.clone(), ticks.clone()).prop_map(|(v, t)| Op::Start(v, t)),
        3 => (variable.clone(), moves).prop_map(|(v, t)| Op::Reset(v, t)),
        1 => variable.clone().prop_map(Op::Never),
        3 => variable.clone().prop_map(Op::Drop),
        3 => variable.prop_map(Op::Poll),
        4 => ticks.prop_map(Op::Pass),
        3 => Just(Op::Serve),
        1 => Just(Op::Spurious),
    ]
}

struct Live<'a, const BITS: u32, const N: usize> {
    timer: InterruptTimer<'a, Sim<BITS>, N>,
    deadline: u64,
    /// The task of the latest poll, and how often it had been woken by then.
    task: Option<(Arc<Count>, u32)>,
}

struct World<const BITS: u32, const N: usize> {
    source: &'static InterruptSource<Sim<BITS>, N>,
    variables: RefCell<BTreeMap<usize, Live<'static, BITS, N>>>,
}

impl<const BITS: u32, const N: usize> World<BITS, N> {
    fn time(&self) -> u64 {
        self.source.alarm().time()
    }

    /// Nothing is borrowed while the source runs: it may call back.
    fn run(&self, op: &Op) {
        let source = self.source;
        match *op {
            Op::Start(v, ticks) => {
                drop(self.take(v));
                let deadline = self.time() + ticks;
                if let Ok(timer) = source.start(deadline) {
                    self.put(
                        v,
                        Live {
                            timer,
                            deadline,
                            task: None,
                        },
                    );
                }
            }
            Op::Reset(v, ticks) => self.reset(v, self.time().saturating_add_signed(ticks)),
            Op::Never(v) => self.reset(v, NEVER),
            Op::Drop(v) => drop(self.take(v)),
            Op::Poll(v) => {
                if let Some(mut live) = self.take(v) {
                    let task = Count::new();
                    let ready = poll(&live.timer, &task.waker());
                    assert!(!ready || live.deadline <= self.time(), "early");
                    live.task = (!ready).then_some((task, 0));
                    self.put(v, live);
                }
            }
            Op::Pass(ticks) => source.alarm().pass(ticks),
            Op::Serve => source.alarm().serve(|| source.on_interrupt()),
            Op::Spurious => source.on_interrupt(),
        }
    }

    fn take(&self, v: usize) -> Option<Live<'static, BITS, N>> {
        self.variables.borrow_mut().remove(&v)
    }

    fn put(&self, v: usize, live: Live<'static, BITS, N>) {
        let old = self.variables.borrow_mut().insert(v, live);
        drop(old); // a context of higher priority has started one in between
    }

    fn reset(&self, v: usize, deadline: u64) {
        if let Some(mut live) = self.take(v) {
            if source_restart(self.source, &mut live.timer, deadline) {
                live.deadline = deadline;
                if let Some((task, seen)) = &mut live.task {
                    // Woken or not until now, it is to be woken for the new deadline, if the
                    // old one has not completed.
                    if task.woken() > *seen {
                        live.task = None;
                    }
                }
                self.put(v, live);
            }
        }
    }

    /// With every request served: what is due is complete and woken, nothing else is, and the
    /// alarm rings in time for the rest.
    fn check(&self) {
        let source = self.source;
        source.alarm().serve(|| source.on_interrupt());
        let now = self.time();
        let mut next = None;
        for (v, live) in &*self.variables.borrow() {
            let due = live.deadline <= now;
            assert_eq!(
                live.timer.is_complete(),
                due,
                "{v}: {} at {now}",
                live.deadline
            );
            if let Some((task, seen)) = &live.task {
                assert_eq!(task.woken() > *seen, due, "{v}: woken");
            }
            if !due && live.deadline != NEVER {
                next = [next, Some(live.deadline)].into_iter().flatten().min();
            }
        }
        assert_eq!(source.next_deadline(), next);
        if let Some(next) = next {
            match source.alarm().compare() {
                Some(alarm) => assert!(alarm > now && alarm <= next, "alarm {alarm}, next {next}"),
                // Out of reach of the register, until the next half period, which interrupts.
                None => assert!(
                    next > ((now >> (BITS - 1)) + 1) << (BITS - 1),
                    "no alarm for {next} at {now}"
                ),
            }
        }
    }
}

fn source_restart<const BITS: u32, const N: usize>(
    source: &'static InterruptSource<Sim<BITS>, N>,
    timer: &mut InterruptTimer<'static, Sim<BITS>, N>,
    deadline: u64,
) -> bool {
    source.restart(timer, deadline).is_ok()
}

/// Each op comes with what happens in the middle of it: before the hardware is accessed for the nth time.
fn schedule<const BITS: u32, const N: usize>(start: u64, ops: &[(Op, Vec<(u8, Op)>)]) {
    let source: &'static InterruptSource<Sim<BITS>, N> =
        Box::leak(Box::new(InterruptSource::new(Sim::at(start))));
    let world = Rc::new(World {
        source,
        variables: RefCell::default(),
    });
    for (op, interruptions) in ops {
        let left = Rc::new(RefCell::new(interruptions.clone()));
        let count = Cell::new(0u8);
        let inner = world.clone();
        source.alarm().set_hook(Some(Rc::new(move || {
            count.set(count.get().saturating_add(1));
            let now = {
                let mut left = left.borrow_mut();
                let due = left.iter().position(|(at, _)| *at <= count.get());
                due.map(|at| left.remove(at).1)
            };
            if let Some(op) = now {
                inner.run(&op);
            }
        })));
        world.run(op);
        source.alarm().set_hook(None);
        world.check();
    }
    // Everything that is not "never" comes to an end.
    for _ in 0..100 {
        let Some(next) = source.next_deadline() else {
            break;
        };
        source.alarm().pass(next - world.time());
        world.check();
    }
    assert_eq!(source.next_deadline(), None);
    // And every slot comes back.
    world.variables.borrow_mut().clear();
    let all: Vec<_> = (0..N).map(|_| source.start(NEVER)).collect();
    assert!(all.iter().all(|timer| timer.is_ok()), "a slot was lost");
}

fn ops(far: u64) -> impl Strategy<Value = Vec<(Op, Vec<(u8, Op)>)>> {
    let interruptions = prop::collection::vec((0..12u8, op(far)), 0..4);
    prop::collection::vec((op(far), interruptions), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn any_schedule_on_16_bits(start in 0..200_000u64, ops in ops(150_000)) {
        schedule::<16, 5>(start, &ops);
    }

    #[test]
    fn any_schedule_on_24_bits(start in (1u64 << 24) - 2_000..(1 << 24) + 2_000, ops in ops(1 << 25)) {
        schedule::<24, 4>(start, &ops);
    }

    #[test]
    fn any_schedule_on_32_bits(start in (1u64 << 32) - 2_000..(1 << 32) + 2_000, ops in ops(1 << 33)) {
        schedule::<32, 7>(start, &ops);
    }

    #[test]
    fn any_schedule_with_one_slot(start in 0..100u64, ops in ops(100_000)) {
        schedule::<32, 1>(start, &ops);
    }
}
