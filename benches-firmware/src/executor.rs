//! The executor: a list of pinned tasks, one ready flag each. It does not allocate, masks nothing, and knows
//! nothing of timers.

use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, RawWaker, RawWakerVTable, Waker};

use crate::board;

/// How many flags: one for each timer that is pending, and two for the measured ones.
const TASKS: usize = 42;

static READY: [AtomicBool; TASKS] = [const { AtomicBool::new(false) }; TASKS];

/// Runs the tasks until all have ended; sleeps when none is ready.
#[inline(never)]
pub fn run(tasks: &mut [Pin<&mut dyn Future<Output = ()>>]) {
    let mut alive: u32 = 0;
    for (i, ready) in READY.iter().enumerate().take(tasks.len()) {
        alive |= 1 << i;
        ready.store(true, Ordering::Relaxed);
    }
    while alive != 0 {
        let mut idle = true;
        for (i, (task, ready)) in tasks.iter_mut().zip(&READY).enumerate() {
            if alive & 1 << i == 0 || !ready.load(Ordering::Acquire) {
                continue;
            }
            // Before the poll: a wake from here on has the task polled again.
            ready.store(false, Ordering::SeqCst);
            idle = false;
            let waker = waker(i);
            if task
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_ready()
            {
                alive &= !(1 << i);
            }
        }
        if idle {
            board::hardware_sleep();
        }
    }
}

/// The waker of flag `i`: nothing but its number.
pub fn waker(i: usize) -> Waker {
    // SAFETY: `data` is a number that is never dereferenced, clone and drop own nothing, and the functions only
    // store to a static atomic.
    unsafe { Waker::new(core::ptr::without_provenance(i), &VTABLE) }
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake, drop_nothing);

fn clone(i: *const ()) -> RawWaker {
    RawWaker::new(i, &VTABLE)
}

fn wake(i: *const ()) {
    if let Some(ready) = READY.get(i.addr()) {
        ready.store(true, Ordering::Release);
    }
}

fn drop_nothing(_: *const ()) {}
