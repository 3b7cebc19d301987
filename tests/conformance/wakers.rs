//! Wakers that can be counted, waited for, and made to misbehave. No unsafe code: what must hook into
//! `clone` is a boxed type of `cooked_waker`.

use std::any::type_name;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::panic::panic_any;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use cooked_waker::IntoWaker;
use futures::FutureExt;
use timer_future::{TimerFuture, TimerSource};

/// No test waits longer than this for what must happen.
pub(crate) const WATCHDOG: Duration = Duration::from_secs(60);

/// Counts its wakes, and can be waited for.
#[derive(Default)]
pub(crate) struct Probe {
    wakes: Mutex<usize>,
    changed: Condvar,
}

impl Probe {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn wakes(&self) -> usize {
        *self.wakes.lock().unwrap()
    }

    /// Returns when it has been woken `wakes` times in all.
    pub(crate) fn wait(&self, wakes: usize) {
        let guard = self.wakes.lock().unwrap();
        let (_guard, timeout) = self
            .changed
            .wait_timeout_while(guard, WATCHDOG, |seen| *seen < wakes)
            .unwrap();
        assert!(!timeout.timed_out(), "lost: not woken {wakes} times");
    }
}

impl Wake for Probe {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        *self.wakes.lock().unwrap() += 1;
        self.changed.notify_all();
    }
}

/// One poll with the waker of a probe.
pub(crate) fn poll<S: TimerSource>(timer: &mut TimerFuture<S>, probe: &Arc<Probe>) -> Poll<()> {
    poll_with(timer, &Waker::from(probe.clone()))
}

pub(crate) fn poll_with<S: TimerSource>(timer: &mut TimerFuture<S>, waker: &Waker) -> Poll<()> {
    timer.poll_unpin(&mut Context::from_waker(waker))
}

/// Runs a closure when it is woken.
pub(crate) struct Callback<F>(F);

impl<F: Fn() + Send + Sync + 'static> Wake for Callback<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

pub(crate) fn callback(call: impl Fn() + Send + Sync + 'static) -> Waker {
    Waker::from(Arc::new(Callback(call)))
}

/// What misbehaving wakers panic with; see `quiet`.
pub(crate) struct Deliberate;

/// Silences the reports of deliberate panics.
pub(crate) fn quiet() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !info.payload().is::<Deliberate>() {
                report(info);
            }
        }));
    });
}

/// Whether the closure panics, deliberately.
pub(crate) fn panics(call: impl FnOnce()) -> bool {
    quiet();
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)) {
        Ok(()) => false,
        Err(payload) if payload.is::<Deliberate>() => true,
        Err(payload) => std::panic::resume_unwind(payload),
    }
}

pub(crate) fn panics_in_wake() -> Waker {
    quiet();
    callback(|| panic_any(Deliberate))
}

pub(crate) fn panics_in_drop() -> Waker {
    struct Bomb;
    // Not `Waker::noop()`: it is the drop that counts.
    impl Wake for Bomb {
        fn wake(self: Arc<Self>) {
            drop(self);
        }
    }
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic_any(Deliberate);
            }
        }
    }
    quiet();
    Waker::from(Arc::new(Bomb))
}

pub(crate) fn panics_in_clone() -> Waker {
    struct Bomb;
    impl Clone for Bomb {
        fn clone(&self) -> Self {
            panic_any(Deliberate)
        }
    }
    impl cooked_waker::WakeRef for Bomb {
        fn wake_by_ref(&self) {}
    }
    impl cooked_waker::Wake for Bomb {}
    quiet();
    Box::new(Bomb).into_waker()
}

/// Counts the clones of itself, for the harness `H`. It has no size, so that all its boxes are at one
/// address, and a clone `will_wake` what it was cloned from.
struct CountsClones<H>(PhantomData<H>);

static CLONES: Mutex<BTreeMap<&str, usize>> = Mutex::new(BTreeMap::new());

pub(crate) fn counts_clones<H: Send + Sync + 'static>() -> Waker {
    // A clone: only clones have the same vtable for certain.
    let waker = Box::new(CountsClones::<H>(PhantomData))
        .into_waker()
        .clone();
    assert!(waker.will_wake(&waker.clone()));
    waker
}

pub(crate) fn clones<H>() -> usize {
    CLONES
        .lock()
        .unwrap()
        .get(type_name::<H>())
        .copied()
        .unwrap_or(0)
}

impl<H> Clone for CountsClones<H> {
    fn clone(&self) -> Self {
        *CLONES.lock().unwrap().entry(type_name::<H>()).or_default() += 1;
        Self(PhantomData)
    }
}

impl<H> cooked_waker::WakeRef for CountsClones<H> {
    fn wake_by_ref(&self) {}
}

impl<H> cooked_waker::Wake for CountsClones<H> {}
