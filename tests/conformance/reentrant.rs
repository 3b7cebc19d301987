//! Wakers are user code: they may call the source again (P8).

use std::sync::{Arc, Mutex};
use std::task::{Poll, Wake};
use std::time::Duration;

use timer_future::{TimerFuture, TimerSource};

use crate::harness::{in_time, Harness};
use crate::wakers::{callback, poll, poll_with, Probe};

/// Fires a timer whose waker runs `inside`, once.
fn from_inside_wake<H: Harness>(
    harness: &H,
    delay: Duration,
    inside: impl Fn() + Send + Sync + 'static,
) -> Option<()> {
    let done = Probe::new();
    let mut timer = harness.after(delay);
    let waker = callback({
        let done = done.clone();
        move || {
            inside();
            done.wake_by_ref();
        }
    });
    if poll_with(&mut timer, &waker).is_ready() {
        return None;
    }
    harness.pass(timer.deadline());
    done.wait(1);
    assert_eq!(poll_with(&mut timer, &waker), Poll::Ready(()));
    Some(())
}

pub(crate) fn a_waker_may_start_timers<H: Harness>() {
    in_time(|delay| {
        let harness = H::new();
        let source = harness.source();
        let (probe, started) = (Probe::new(), Arc::new(Mutex::new(Vec::new())));
        from_inside_wake(&harness, delay, {
            let (probe, started) = (probe.clone(), started.clone());
            move || {
                for length in [0, 1, 1_000, 5_000] {
                    let length = Duration::from_micros(length);
                    let mut timer = TimerFuture::with_source(source.clone(), length);
                    let _ = poll(&mut timer, &probe);
                    started.lock().unwrap().push(timer);
                }
            }
        })?;
        let mut started = started.lock().unwrap();
        for timer in started.iter_mut() {
            harness.pass(timer.deadline());
            let own = Probe::new();
            if poll(timer, &own).is_pending() {
                own.wait(1);
            }
            assert_eq!(poll(timer, &own), Poll::Ready(()));
        }
        Some(())
    });
}

pub(crate) fn a_waker_may_reset_timers<H: Harness>() {
    in_time(|delay| {
        let harness = H::new();
        let probe = Probe::new();
        let mut far = harness.after(Duration::from_secs(3600));
        assert!(poll(&mut far, &probe).is_pending());
        let far = Arc::new(Mutex::new(far));
        from_inside_wake(&harness, delay, {
            let (far, probe) = (far.clone(), probe.clone());
            move || {
                let mut far = far.lock().unwrap();
                far.reset(Duration::from_millis(2));
                let _ = poll(&mut far, &probe);
            }
        })?;
        let deadline = far.lock().unwrap().deadline();
        harness.pass(deadline);
        let mut far = far.lock().unwrap();
        let own = Probe::new();
        if poll(&mut far, &own).is_pending() {
            own.wait(1);
        }
        assert_eq!(poll(&mut far, &own), Poll::Ready(()));
        Some(())
    });
}

pub(crate) fn a_waker_may_drop_timers<H: Harness>() {
    in_time(|delay| {
        let harness = H::new();
        let probe = Probe::new();
        let mut timers: Vec<_> = (0..4)
            .map(|_| harness.after(Duration::from_secs(3600)))
            .collect();
        for timer in &mut timers {
            assert!(poll(timer, &probe).is_pending());
        }
        let timers = Mutex::new(timers);
        from_inside_wake(&harness, delay, move || timers.lock().unwrap().clear())?;
        assert_eq!(Arc::strong_count(&probe), 1);
        assert_eq!(probe.wakes(), 0);
        Some(())
    });
}

pub(crate) fn a_waker_may_drop_its_own_timer<H: Harness>() {
    in_time(|delay| {
        let harness = H::new();
        let (own, done) = (Arc::new(Mutex::new(None)), Probe::new());
        let waker = callback({
            let (own, done) = (own.clone(), done.clone());
            move || {
                let timer: Option<TimerFuture<H::Source>> = own.lock().unwrap().take();
                drop(timer);
                done.wake_by_ref();
            }
        });
        let mut timer = harness.after(delay);
        let deadline = timer.deadline();
        if poll_with(&mut timer, &waker).is_ready() {
            return None;
        }
        own.lock().unwrap().replace(timer);
        harness.pass(deadline);
        done.wait(1);
        from_inside_wake(&harness, delay, || ())
    });
}

/// The latest timer of a chain, and how many were left then.
type Latest<S> = Option<(u32, TimerFuture<S>)>;

/// Each wake starts the timer of the next: time goes on inside one another's wakers.
pub(crate) fn wakers_may_chain<H: Harness>() {
    let harness = H::new();
    let source = harness.source();
    let (left, timer) = (Arc::new(Mutex::new(50)), Arc::new(Mutex::new(None)));
    let (done, start) = (Probe::new(), source.now());
    struct Link<S: TimerSource> {
        source: S,
        left: Arc<Mutex<u32>>,
        timer: Arc<Mutex<Latest<S>>>,
        done: Arc<Probe>,
    }
    impl<S> Wake for Link<S>
    where
        S: TimerSource<Timer: Send + Sync> + Clone + Send + Sync + 'static,
    {
        fn wake(self: Arc<Self>) {
            loop {
                let left = {
                    let mut left = self.left.lock().unwrap();
                    if *left == 0 {
                        return self.done.wake_by_ref();
                    }
                    *left -= 1;
                    *left
                };
                let mut next =
                    TimerFuture::with_source(self.source.clone(), Duration::from_micros(20));
                let polled = poll_with(&mut next, &self.clone().into());
                let mut timer = self.timer.lock().unwrap();
                // Another thread may have woken, and gone on, before this one gets here.
                let before = match &mut *timer {
                    Some((latest, _)) if *latest < left => Some((left, next)),
                    timer => timer.replace((left, next)),
                };
                drop(timer);
                drop(before);
                if polled.is_pending() {
                    return;
                }
            }
        }
    }
    let link = Link {
        source: source.clone(),
        left: left.clone(),
        timer: timer.clone(),
        done: done.clone(),
    };
    Arc::new(link).wake();
    let mut waited = 0;
    while done.wakes() == 0 && waited < 10_000 {
        harness.pass(source.now() + H::ticks(Duration::from_millis(1)));
        waited += 1;
    }
    done.wait(1);
    assert!(source.now() >= start + 50 * H::ticks(Duration::from_micros(20)));
    drop(timer.lock().unwrap().take());
}
