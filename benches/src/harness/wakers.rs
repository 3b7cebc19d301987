//! Wakers that record. Each is an `Arc` of its own, as the waker of a task is.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};
use std::time::Instant;

use atomic_waker::AtomicWaker;

/// A waker that does nothing, but has a count, as the waker of a task has. `Waker::noop` has none.
pub struct Nothing;

#[expect(clippy::manual_noop_waker, reason = "the count is what is wanted")]
impl Wake for Nothing {
    fn wake(self: Arc<Self>) {}
    fn wake_by_ref(self: &Arc<Self>) {}
}

pub fn nothing() -> Waker {
    Waker::from(Arc::new(Nothing))
}

pub fn nanos_since(epoch: Instant) -> u64 {
    epoch.elapsed().as_nanos() as u64
}

/// Waits until so many have been woken.
pub struct Latch {
    left: AtomicUsize,
    task: AtomicWaker,
    pub epoch: Instant,
}

impl Latch {
    pub fn new(count: usize) -> Arc<Self> {
        let (left, task) = (AtomicUsize::new(count), AtomicWaker::new());
        Arc::new(Self {
            left,
            task,
            epoch: Instant::now(),
        })
    }

    pub fn count(&self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.task.wake();
        }
    }

    pub async fn wait(&self) {
        poll_fn(|cx| {
            self.task.register(cx.waker());
            match self.left.load(Ordering::Acquire) {
                0 => Poll::Ready(()),
                _ => Poll::Pending,
            }
        })
        .await;
    }
}

/// Remembers when it was woken first, in ns since the epoch of its latch.
pub struct Recorder {
    woken: AtomicU64,
    latch: Arc<Latch>,
}

impl Recorder {
    pub fn new(latch: &Arc<Latch>) -> Arc<Self> {
        Arc::new(Self {
            woken: AtomicU64::new(0),
            latch: latch.clone(),
        })
    }

    /// 0: not yet.
    pub fn woken(&self) -> u64 {
        self.woken.load(Ordering::Acquire)
    }
}

impl Wake for Recorder {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        // A second wake of the same timer would be counted for another one.
        if self.woken.load(Ordering::Relaxed) == 0 {
            self.woken
                .store(nanos_since(self.latch.epoch), Ordering::Release);
            self.latch.count();
        }
    }
}

const END: u32 = u32::MAX;

/// What is to be polled again: a lock-free stack of task numbers and the thread that takes it whole.
pub struct Ready {
    head: AtomicU32,
    task: AtomicWaker,
}

/// One task of a [`Ready`] list.
pub struct Task {
    ready: Arc<Ready>,
    next: Arc<[AtomicU32]>,
    number: u32,
    queued: AtomicBool,
}

/// A list and its tasks.
pub struct Tasks {
    ready: Arc<Ready>,
    next: Arc<[AtomicU32]>,
    tasks: Vec<Arc<Task>>,
}

impl Tasks {
    pub fn new(count: usize) -> Self {
        let ready = Arc::new(Ready {
            head: AtomicU32::new(END),
            task: AtomicWaker::new(),
        });
        let next: Arc<[AtomicU32]> = (0..count).map(|_| AtomicU32::new(END)).collect();
        let task = |number| {
            let queued = AtomicBool::new(false);
            Arc::new(Task {
                ready: ready.clone(),
                next: next.clone(),
                number,
                queued,
            })
        };
        let tasks = (0..count as u32).map(task).collect();
        Self { ready, next, tasks }
    }

    pub fn waker(&self, number: usize) -> Waker {
        Waker::from(self.tasks[number].clone())
    }

    /// Moves all that were woken into `into`, in the order of their wakes. If there are none, the
    /// waker of the caller is woken by the next.
    pub fn take(&self, waker: &Waker, into: &mut Vec<u32>) {
        into.clear();
        if self.ready.head.load(Ordering::Acquire) == END {
            self.ready.task.register(waker);
        }
        let mut number = self.ready.head.swap(END, Ordering::AcqRel);
        while number != END {
            into.push(number);
            number = self.next[number as usize].load(Ordering::Relaxed);
        }
        into.reverse();
        for &number in &*into {
            self.tasks[number as usize]
                .queued
                .store(false, Ordering::Release);
        }
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        if self.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut head = self.ready.head.load(Ordering::Relaxed);
        loop {
            self.next[self.number as usize].store(head, Ordering::Relaxed);
            let swap = self.ready.head.compare_exchange_weak(
                head,
                self.number,
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
            match swap {
                Ok(_) => break,
                Err(now) => head = now,
            }
        }
        if head == END {
            self.ready.task.wake();
        }
    }
}
