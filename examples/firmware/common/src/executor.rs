//! A small executor: a fixed set of tasks, one ready flag each, and a core that sleeps when no flag is
//! set. No allocator, and nothing in it knows of timers: any executor would do.
//!
//! The flags are a static, so a waker is nothing but the number of a flag. That is why it can be made
//! without an allocator, and why a waker that outlives its task is harmless: it sets a flag that
//! nobody reads, or has another task polled once for nothing.

use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, RawWaker, RawWakerVTable, Waker};

use crate::board::Board;

/// How many flags, and so how many tasks [`run`] can take.
pub const MAX_TASKS: usize = 12;

// Loads and stores only: chips without compare-and-swap have those.
static READY: [AtomicBool; MAX_TASKS] = [const { AtomicBool::new(false) }; MAX_TASKS];

/// What a run cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stats {
    /// Polls of all tasks.
    pub polls: u32,
    /// How often the core went to sleep.
    pub sleeps: u32,
    /// Ticks of the raw counter asleep, and
    pub asleep: u32,
    /// from start to end. Added up at each sleep, so each must be shorter than a wrap of the counter.
    pub elapsed: u32,
}

/// Runs the tasks until all have ended. One at a time: a nested or second run would share the flags.
pub fn run<B: Board>(board: &B, tasks: &mut [Pin<&mut dyn Future<Output = ()>>]) -> Stats {
    let mut stats = Stats::default();
    let mut mark = board.raw();
    let mut alive: u32 = 0;
    for i in 0..tasks.len().min(MAX_TASKS) {
        alive |= 1 << i;
        READY[i].store(true, Ordering::Release);
    }
    while alive != 0 {
        for (i, task) in tasks.iter_mut().enumerate() {
            // The flag is cleared before the poll: a wake from here on has the task polled again.
            if !take_ready(i) || alive & 1 << i == 0 {
                continue;
            }
            stats.polls += 1;
            let waker = waker(i);
            if task
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_ready()
            {
                alive &= !(1 << i);
            }
        }
        let awake = board.raw();
        stats.elapsed += board.ticks_between(mark, awake);
        mark = awake;
        if alive != 0 && board.sleep_unless(any_ready) {
            stats.sleeps += 1;
            mark = board.raw();
            let asleep = board.ticks_between(awake, mark);
            stats.asleep += asleep;
            stats.elapsed += asleep;
        }
    }
    stats
}

/// Runs one task.
pub fn block_on<B: Board>(board: &B, task: impl Future<Output = ()>) -> Stats {
    run(board, &mut [core::pin::pin!(task)])
}

/// Whether flag `i` is set; clears it.
pub fn take_ready(i: usize) -> bool {
    // Not a swap, which not every chip has. A wake between load and store is lost as a flag and not as
    // an event: whoever takes the flag looks at the event after this.
    let ready = READY[i].load(Ordering::Acquire);
    if ready {
        READY[i].store(false, Ordering::SeqCst);
    }
    ready
}

/// Whether flag `i` is set.
pub fn is_ready(i: usize) -> bool {
    READY[i].load(Ordering::Acquire)
}

/// Whether any flag is set.
pub fn any_ready() -> bool {
    READY.iter().any(|ready| ready.load(Ordering::Acquire))
}

/// The waker of flag `i`: the executor's own for its tasks, and spare ones for the checks, from the end.
pub fn waker(i: usize) -> Waker {
    // SAFETY: the contract of a RawWaker is about who owns what `data` points to, and about threads.
    // `data` is a number that is never dereferenced, so clone and drop own nothing, and the functions
    // only store to a static atomic, from any context.
    #[allow(unsafe_code)]
    unsafe {
        Waker::new(core::ptr::without_provenance(i), &VTABLE)
    }
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
