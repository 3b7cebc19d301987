//! The floor: one `AtomicBool`, one `AtomicWaker`, one alarm, one timer. Less cannot be had that does not lose
//! wakeups: it starts over at the first poll, and looks at the clock once after setting the alarm.
#![no_std]
#![no_main]

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use atomic_waker::AtomicWaker;
use bench::{board, Contender};
use portable_atomic::{AtomicBool, Ordering};

static COMPLETED: AtomicBool = AtomicBool::new(false);
static WAKER: AtomicWaker = AtomicWaker::new();

struct Delay {
    deadline: u64,
    started: bool,
}

impl Future for Delay {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if !self.started {
            self.started = true;
            COMPLETED.store(false, Ordering::Relaxed);
            board::set_alarm(self.deadline);
            if board::now() >= self.deadline {
                board::pend();
            }
        }
        if COMPLETED.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        WAKER.register(cx.waker());
        if COMPLETED.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl Drop for Delay {
    #[inline]
    fn drop(&mut self) {
        board::stop_alarm();
        WAKER.take();
    }
}

struct Floor;

impl Contender for Floor {
    type Delay = Delay;
    const CAPACITY: usize = 1;

    fn at(deadline: u64) -> Delay {
        Delay {
            deadline,
            started: false,
        }
    }
    fn after() -> Delay {
        Self::at(board::now() + 101)
    }
    fn on_interrupt() {
        COMPLETED.store(true, Ordering::Release);
        WAKER.wake();
    }
}

bench::firmware!(Floor);
