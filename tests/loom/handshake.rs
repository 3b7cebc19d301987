//! `TimerState`: completed, waker, and the three looks.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use loom::cell::UnsafeCell;
use loom::thread;
use timer_future::TimerState;

/// What it counts is looked at after everything has been joined, so it need not be part of the model.
#[derive(Default)]
pub(crate) struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    pub(crate) fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        (count.clone(), count.into())
    }
    pub(crate) fn wakes(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A task that waits is woken, whenever the completion comes. Lost: loom reports a deadlock.
#[test]
fn completion_is_never_lost() {
    loom::model(|| {
        let state = Arc::new(TimerState::new());
        let keeper = thread::spawn({
            let state = state.clone();
            move || state.complete()
        });
        loom::future::block_on(poll_fn(|cx| state.poll_complete(cx)));
        keeper.join().unwrap();
        assert!(state.is_complete());
    });
}

/// What the keeper did before `complete` is visible after `Ready`, and after `is_complete`.
#[test]
fn completion_publishes() {
    struct Shared {
        state: TimerState,
        data: UnsafeCell<u32>,
    }
    loom::model(|| {
        // Loom's cell is not Sync by design: the model itself checks who touches it.
        #[allow(clippy::arc_with_non_send_sync)]
        let shared = Arc::new(Shared {
            state: TimerState::new(),
            data: UnsafeCell::new(0),
        });
        let keeper = thread::spawn({
            let shared = shared.clone();
            move || {
                shared.data.with_mut(|_| ());
                shared.state.complete();
            }
        });
        let (_, waker) = Count::new();
        if shared
            .state
            .poll_complete(&mut Context::from_waker(&waker))
            .is_ready()
            || shared.state.is_complete()
        {
            // Loom panics if this races with the write.
            shared.data.with(|_| ());
        }
        keeper.join().unwrap();
    });
}

/// Two tasks poll in turn while the completion comes. Whoever polled last and is told to wait is woken.
#[test]
fn newest_waker_wins() {
    loom::model(|| {
        let state = Arc::new(TimerState::new());
        let keeper = thread::spawn({
            let state = state.clone();
            move || state.complete()
        });
        let (_, older) = Count::new();
        let (newest, waker) = Count::new();
        _ = state.poll_complete(&mut Context::from_waker(&older));
        let polled = state.poll_complete(&mut Context::from_waker(&waker));
        keeper.join().unwrap();
        if polled == Poll::Pending {
            assert_eq!(newest.wakes(), 1, "the newest waker was not woken");
        }
        assert!(state.is_complete());
    });
}

/// Whoever was told `Ready` has left no waker behind, also if the keeper came between its two looks.
#[test]
fn ready_keeps_no_waker() {
    loom::model(|| {
        let state = Arc::new(TimerState::new());
        let keeper = thread::spawn({
            let state = state.clone();
            move || state.complete()
        });
        let (count, waker) = Count::new();
        let polled = state.poll_complete(&mut Context::from_waker(&waker));
        drop(waker);
        keeper.join().unwrap();
        // Pending: the keeper has taken it.
        assert_eq!(Arc::strong_count(&count), 1, "{polled:?}");
    });
}
