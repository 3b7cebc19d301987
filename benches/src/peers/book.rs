//! The timer of the async book: a mutex and a thread per timer.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use super::Peer;

pub struct Book;

pub struct TimerFuture(Arc<Mutex<SharedState>>);

struct SharedState {
    completed: bool,
    waker: Option<Waker>,
}

impl Future for TimerFuture {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock().expect("not poisoned");
        if state.completed {
            return Poll::Ready(());
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Peer for Book {
    type Timer = TimerFuture;

    fn new(_: usize) -> Self {
        Self
    }
    fn timer(&self, duration: Duration) -> TimerFuture {
        let state = Arc::new(Mutex::new(SharedState {
            completed: false,
            waker: None,
        }));
        let shared = state.clone();
        thread::spawn(move || {
            thread::sleep(duration);
            let mut state = shared.lock().expect("not poisoned");
            state.completed = true;
            if let Some(waker) = state.waker.take() {
                waker.wake();
            }
        });
        TimerFuture(state)
    }
}
