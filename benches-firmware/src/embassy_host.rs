//! embassy-executor without a platform: what it needs from one, over the board of this package. Included by the
//! images that use it, not by the library.

use core::mem::MaybeUninit;
use core::ptr::addr_of_mut;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use bench::board;
use embassy_executor::raw::Executor;
use embassy_executor::Spawner;

static mut EXECUTOR: MaybeUninit<Executor> = MaybeUninit::uninit();

static PENDED: AtomicBool = AtomicBool::new(false);

/// How many tasks have ended.
pub static ENDED: AtomicU32 = AtomicU32::new(0);

/// A task has ended.
pub fn ended() {
    ENDED.store(ENDED.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

#[export_name = "__pender"]
fn pender(_: *mut ()) {
    PENDED.store(true, Ordering::Release);
}

/// Once, first.
pub fn init() -> Spawner {
    // SAFETY: nothing else uses it yet.
    unsafe { (*addr_of_mut!(EXECUTOR)).write(Executor::new(core::ptr::null_mut())) };
    executor().spawner()
}

fn executor() -> &'static Executor {
    // SAFETY: initialised; used by main only.
    unsafe { (*addr_of_mut!(EXECUTOR)).assume_init_ref() }
}

/// Runs until so many tasks have ended; sleeps when none is ready.
#[inline(never)]
pub fn run_until(tasks: u32) {
    loop {
        poll();
        if ENDED.load(Ordering::Relaxed) >= tasks {
            return;
        }
        if !PENDED.load(Ordering::Acquire) {
            board::hardware_sleep();
        }
    }
}

/// Runs what is ready.
pub fn poll() {
    PENDED.store(false, Ordering::SeqCst);
    // SAFETY: not from a task and not from a handler.
    unsafe { executor().poll() };
}
