//! What is particular to `ThreadSource`: its thread, who starts it, who stops it, and who depends on it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{mpsc, Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures::FutureExt;
use timer_future::{CapacityError, ThreadSource, TimerFuture, TimerSource};

const WATCHDOG: Duration = Duration::from_secs(60);
type Shared = TimerFuture<Arc<ThreadSource>>;

/// Runs a closure when it is woken.
struct Callback<F>(F);

impl<F: Fn() + Send + Sync + 'static> Wake for Callback<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

fn callback(call: impl Fn() + Send + Sync + 'static) -> Waker {
    Waker::from(Arc::new(Callback(call)))
}

fn poll<S: TimerSource>(timer: &mut TimerFuture<S>, waker: &Waker) -> Poll<()> {
    timer.poll_unpin(&mut Context::from_waker(waker))
}

/// Runs a closure on the source's thread, and returns what it returned.
fn on_the_thread<T: Send + 'static>(
    source: &ThreadSource,
    call: impl Fn() -> T + Send + Sync + 'static,
) -> T {
    let (send, receive) = mpsc::channel();
    let here = thread::current().id();
    let send = Mutex::new(send);
    let waker = callback(move || {
        // A poll that ran into the completion wakes on this thread; that one is not meant.
        let result = (thread::current().id() != here).then(&call);
        _ = send.lock().unwrap().send(result);
    });
    let mut delay = Duration::from_millis(5);
    loop {
        let mut timer = TimerFuture::with_source(source, delay);
        if poll(&mut timer, &waker).is_pending() {
            if let Some(result) = receive.recv_timeout(WATCHDOG).expect("lost") {
                return result;
            }
        }
        delay *= 2;
    }
}

#[test]
fn a_failed_spawn_is_visible_and_timers_complete_all_the_same() {
    let source = ThreadSource::builder().stack_size(1 << 60).build();
    assert!(source.try_spawn().is_err());
    let mut timer = TimerFuture::with_source(&source, Duration::from_millis(3));
    assert_eq!(timer.try_start(), Err(CapacityError::new()));
    assert_eq!(
        timer.try_start(),
        Err(CapacityError::new()),
        "each start tries again"
    );

    let start = Instant::now();
    pollster::block_on(TimerFuture::with_source(&source, Duration::from_millis(3)));
    assert!(start.elapsed() >= Duration::from_millis(3), "early");
    // "Never" must not keep anybody busy.
    let woken = Arc::new(AtomicBool::new(false));
    let flag = woken.clone();
    let mut never = TimerFuture::with_source(&source, Duration::MAX);
    assert!(poll(
        &mut never,
        &callback(move || flag.store(true, Ordering::SeqCst))
    )
    .is_pending());
    assert!(!woken.load(Ordering::SeqCst));
}

#[test]
fn the_thread_is_created_at_the_first_start_and_has_its_name() {
    let source = ThreadSource::builder().name("somebody's timers").build();
    assert!(format!("{source:?}").contains("running: false"));
    drop(TimerFuture::with_source(&source, Duration::from_secs(1)));
    assert!(
        format!("{source:?}").contains("running: false"),
        "nothing was started"
    );
    let name = on_the_thread(&source, || thread::current().name().map(String::from));
    assert_eq!(name.as_deref(), Some("somebody's timers"));
    assert!(format!("{source:?}").contains("running: true"));
}

#[test]
fn one_thread_for_all_timers() {
    let source = ThreadSource::new();
    let first = on_the_thread(&source, || thread::current().id());
    for _ in 0..10 {
        assert_eq!(on_the_thread(&source, || thread::current().id()), first);
    }
}

/// Threads that start the first timer at the same time elect one driver.
#[test]
fn a_race_to_start_it_elects_one_thread() {
    for _ in 0..50 {
        let source = ThreadSource::new();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    pollster::block_on(TimerFuture::with_source(&source, Duration::from_micros(1)));
                });
            }
        });
    }
}

#[test]
fn drop_stops_and_joins_the_thread() {
    /// Dropped with the thread's locals, that is, when the thread has ended as far as `join` goes.
    struct Ended(Arc<AtomicBool>);
    impl Drop for Ended {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    thread_local!(static LOCAL: RefCell<Option<Ended>> = const { RefCell::new(None) });

    for pending in [
        None,
        Some(Duration::from_secs(3600)),
        Some(Duration::from_micros(100)),
    ] {
        let source = ThreadSource::new();
        let ended = Arc::new(AtomicBool::new(false));
        on_the_thread(&source, {
            let ended = ended.clone();
            move || LOCAL.set(Some(Ended(ended.clone())))
        });
        if let Some(pending) = pending {
            let mut timer = TimerFuture::with_source(&source, pending);
            _ = poll(&mut timer, Waker::noop());
            std::mem::forget(timer);
        }
        assert!(!ended.load(Ordering::SeqCst));
        drop(source);
        assert!(ended.load(Ordering::SeqCst), "the thread is still there");
    }
}

#[test]
fn drop_of_a_source_that_never_started_returns() {
    drop(ThreadSource::new());
    drop(ThreadSource::builder().stack_size(1 << 60).build());
}

#[test]
fn the_last_handle_may_be_dropped_by_a_waker() {
    let (done, finished) = mpsc::channel();
    let done = Mutex::new(done);
    let source = Arc::new(ThreadSource::new());
    let own: Arc<Mutex<Option<Shared>>> = Arc::default();
    let waker = callback({
        let own = own.clone();
        move || {
            let timer = own.lock().unwrap().take();
            drop(timer); // and with it the source, on its own thread
            _ = done.lock().unwrap().send(());
        }
    });
    // The lock is held until the handle here is gone: the waker has the last one.
    let mut slot = own.lock().unwrap();
    let mut timer = Shared::with_source(source.clone(), Duration::from_millis(5));
    timer.try_start().unwrap();
    if timer.is_elapsed() {
        return; // this machine is too slow to learn anything
    }
    if poll(&mut timer, &waker).is_pending() {
        *slot = Some(timer);
        drop(source);
        drop(slot);
        finished.recv_timeout(WATCHDOG).expect("it hangs");
    }
}

/// One that is stuck in somebody's waker does not keep another.
#[test]
fn instances_are_independent() {
    let (stuck, other) = (ThreadSource::new(), ThreadSource::new());
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let waker = callback({
        let gate = gate.clone();
        move || {
            let (open, changed) = &*gate;
            let open = open.lock().unwrap();
            drop(changed.wait_while(open, |open| !*open).unwrap());
        }
    });
    let mut delay = Duration::from_millis(1);
    let mut timer = TimerFuture::with_source(&stuck, delay);
    while poll(&mut timer, &waker).is_ready() {
        delay *= 2;
        timer = TimerFuture::with_source(&stuck, delay);
    }
    for _ in 0..20 {
        pollster::block_on(TimerFuture::with_source(&other, Duration::from_micros(200)));
    }
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    pollster::block_on(&mut timer);
}

#[test]
fn at_is_a_moment_of_the_systems_clock() {
    let moment = Instant::now() + Duration::from_millis(5);
    pollster::block_on(TimerFuture::at(moment));
    assert!(Instant::now() >= moment, "early");

    let mut past = TimerFuture::at(Instant::now());
    assert_eq!((&mut past).now_or_never(), Some(()));
    if let Some(long_ago) = Instant::now().checked_sub(Duration::from_secs(10)) {
        assert_eq!(TimerFuture::at(long_ago).now_or_never(), Some(()));
    }
    assert_eq!(
        TimerFuture::at(moment + Duration::from_secs(3600)).now_or_never(),
        None
    );
}

#[test]
fn slack_delays_but_does_not_hasten() {
    let source = ThreadSource::builder()
        .slack(Duration::from_millis(20))
        .build();
    thread::scope(|scope| {
        for micros in (0..10).map(|n| 500 * n) {
            let source = &source;
            scope.spawn(move || {
                let (start, length) = (Instant::now(), Duration::from_micros(micros));
                pollster::block_on(TimerFuture::with_source(source, length));
                assert!(start.elapsed() >= length, "early");
            });
        }
    });
    // As much slack as there is: the first one wakes the thread all the same.
    let source = ThreadSource::builder().slack(Duration::MAX).build();
    pollster::block_on(TimerFuture::with_source(&source, Duration::from_millis(1)));
}

#[test]
fn timers_and_sources_are_send_and_sync_and_small() {
    fn shared<T: Send + Sync + Unpin + 'static>() {}
    shared::<ThreadSource>();
    shared::<TimerFuture>();
    shared::<Shared>();
    shared::<<&ThreadSource as TimerSource>::Timer>();
    assert_eq!(size_of::<TimerFuture>(), 32);
    assert_eq!(size_of::<Shared>(), 32);
}
