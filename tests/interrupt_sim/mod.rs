//! A simulated counter with one compare interrupt, as unhelpful as hardware can be: it compares for
//! equality (an alarm in the past never rings), its counter is narrow, and a test can run anything in the
//! middle of every access to it.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    missing_debug_implementations
)]

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use timer_future::{Alarm, WideCounter};

pub struct Sim<const BITS: u32> {
    time: Cell<u64>,
    wide: WideCounter<BITS>,
    compare: Cell<Option<u64>>,
    /// The interrupt is requested.
    pub pending: Cell<bool>,
    pub pends: Cell<u32>,
    pub alarms_set: Cell<u32>,
    pub interrupts: Cell<u32>,
    hook: RefCell<Option<Rc<dyn Fn()>>>,
}

impl<const BITS: u32> Sim<BITS> {
    pub fn new() -> Self {
        Self::at(0)
    }

    /// A counter that has run (and was read) since 0.
    pub fn at(time: u64) -> Self {
        let sim = Self {
            time: Cell::new(0),
            wide: WideCounter::new(),
            compare: Cell::new(None),
            pending: Cell::new(false),
            pends: Cell::new(0),
            alarms_set: Cell::new(0),
            interrupts: Cell::new(0),
            hook: RefCell::new(None),
        };
        sim.pass(time);
        sim.pending.set(false);
        sim
    }

    pub fn time(&self) -> u64 {
        self.time.get()
    }

    /// What the compare register holds.
    pub fn compare(&self) -> Option<u64> {
        self.compare.get()
    }

    /// Runs at the beginning and at the end of every access.
    pub fn set_hook(&self, hook: Option<Rc<dyn Fn()>>) {
        *self.hook.borrow_mut() = hook;
    }

    fn hook(&self) {
        let hook = self.hook.borrow().clone();
        if let Some(hook) = hook {
            hook();
        }
    }

    /// Time passes; nobody serves the interrupt, but for the widening, which every half period counts.
    pub fn pass(&self, ticks: u64) {
        let target = self.time.get() + ticks;
        let half = 1u64 << (BITS - 1);
        loop {
            let boundary = (self.time.get() / half + 1) * half;
            let step = boundary.min(target);
            if let Some(compare) = self.compare.get() {
                // Equality with the narrow register, at some moment in (time, step].
                let ahead = compare.wrapping_sub(self.time.get()) & (2 * half - 1);
                if ahead != 0 && ahead <= step - self.time.get() {
                    self.pending.set(true);
                }
            }
            self.time.set(step);
            if step == boundary {
                // Another handler counts the half period; the alarm may have come within reach.
                let _ = self.read();
                self.pending.set(true);
            }
            if step == target {
                return;
            }
        }
    }

    fn read(&self) -> u64 {
        self.wide.now(|| self.time.get() as u32)
    }

    /// Serves the interrupt while it is requested.
    pub fn serve(&self, handler: impl Fn()) {
        while self.pending.replace(false) {
            self.interrupts.set(self.interrupts.get() + 1);
            handler();
        }
    }
}

impl<const BITS: u32> Alarm for Sim<BITS> {
    const TICK_HZ: u64 = 1_000_000;

    fn now(&self) -> u64 {
        self.hook();
        let now = self.read();
        assert_eq!(now, self.time.get(), "the widened counter is wrong");
        self.hook();
        now
    }

    fn set_alarm(&self, deadline: Option<u64>) {
        self.hook();
        self.alarms_set.set(self.alarms_set.get() + 1);
        let reach = 1u64 << (BITS - 1);
        self.compare
            .set(deadline.filter(|deadline| deadline.saturating_sub(self.time.get()) <= reach));
        self.hook();
    }

    fn pend(&self) {
        self.hook();
        self.pends.set(self.pends.get() + 1);
        self.pending.set(true);
    }
}

/// Counts how often it is woken, and how many of it are alive.
pub struct Count(AtomicU32);

impl Count {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU32::new(0)))
    }
    pub fn woken(&self) -> u32 {
        self.0.load(SeqCst)
    }
    pub fn waker(self: &Arc<Self>) -> Waker {
        self.clone().into()
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Runs a closure when it is woken. For one thread.
pub fn waker_fn(run: impl Fn() + 'static) -> Waker {
    struct Run(Box<dyn Fn()>);
    // The tests wake in the thread that made it; `Waker` wants more.
    struct Local(send_wrapper::Local<Run>);
    impl Wake for Local {
        fn wake(self: Arc<Self>) {
            (self.0.get().0)();
        }
    }
    Arc::new(Local(send_wrapper::Local::new(Run(Box::new(run))))).into()
}

mod send_wrapper {
    use std::cell::RefCell;
    use std::collections::HashMap;
    use std::marker::PhantomData;
    use std::rc::Rc;

    thread_local! {
        static VALUES: RefCell<HashMap<u64, Rc<dyn std::any::Any>>> = RefCell::default();
    }

    /// A key to a value that stays with its thread: `Send` without `unsafe`.
    pub struct Local<T> {
        key: u64,
        _marker: PhantomData<fn() -> T>,
    }

    impl<T: 'static> Local<T> {
        pub fn new(value: T) -> Self {
            VALUES.with(|values| {
                let mut values = values.borrow_mut();
                let key = values.len() as u64;
                values.insert(key, Rc::new(value));
                Self {
                    key,
                    _marker: PhantomData,
                }
            })
        }
        pub fn get(&self) -> Rc<T> {
            VALUES.with(|values| values.borrow()[&self.key].clone().downcast().unwrap())
        }
    }
}

pub fn poll<T: std::ops::Deref<Target = timer_future::TimerState>>(
    timer: &T,
    waker: &Waker,
) -> bool {
    timer
        .poll_complete(&mut Context::from_waker(waker))
        .is_ready()
}
