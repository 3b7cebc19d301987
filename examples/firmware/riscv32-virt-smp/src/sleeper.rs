//! One task per hart: what runs a future on a hart, lets the hart sleep meanwhile, and wakes it from the other
//! one.

use core::future::Future;
use core::pin::pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use firmware_common::executor::Stats;

use crate::clint::{hart, kick};

static WOKEN: [AtomicBool; 2] = [const { AtomicBool::new(false) }; 2];

/// Sleeps until the next interrupt of this hart, unless `ready()`. Whether it slept.
pub(crate) fn sleep_unless(ready: impl Fn() -> bool) -> bool {
    // Masked, so that no interrupt comes between the question and the sleep. WFI ends all the same when one
    // that is enabled in `mie` becomes pending (Privileged Architecture, "Wait for Interrupt"), and it
    // runs as soon as it is let.
    riscv::interrupt::disable();
    let sleep = !ready();
    if sleep {
        riscv::asm::wfi();
    }
    // SAFETY: unmasks what this function masked; it is called from tasks only, never from within a critical
    // section.
    unsafe { riscv::interrupt::enable() };
    sleep
}

/// Whether the task of a hart was woken; forgets it.
pub(crate) fn take_woken(hart: usize) -> bool {
    WOKEN[hart].swap(false, Ordering::AcqRel)
}

/// Sleeps until the task of this hart is woken.
pub(crate) fn sleep_until_woken(stats: &mut Stats) {
    while !take_woken(hart()) {
        stats.sleeps += u32::from(sleep_unless(|| WOKEN[hart()].load(Ordering::Acquire)));
    }
}

/// Runs a future as the task of this hart.
pub(crate) fn block_on(task: impl Future<Output = ()>, stats: &mut Stats) {
    let mut task = pin!(task);
    let waker = waker(hart());
    loop {
        // Cleared before the poll: a wake from here on has it polled again.
        take_woken(hart());
        stats.polls += 1;
        if task.as_mut().poll(&mut Context::from_waker(&waker)) != Poll::Pending {
            return;
        }
        sleep_until_woken(stats);
    }
}

/// The waker of the task of a hart.
pub(crate) fn waker(hart: usize) -> Waker {
    // SAFETY: `data` is a number that is never dereferenced, so clone and drop own nothing, and the functions
    // only store to a static atomic and a register, from any context on any hart.
    unsafe { Waker::new(core::ptr::without_provenance(hart), &VTABLE) }
}

static VTABLE: RawWakerVTable =
    RawWakerVTable::new(|data| RawWaker::new(data, &VTABLE), wake, wake, |_| {});

fn wake(data: *const ()) {
    let to = data.addr();
    WOKEN[to].store(true, Ordering::Release);
    // The other hart may be asleep, or about to be.
    if to != hart() {
        kick(to);
    }
}
