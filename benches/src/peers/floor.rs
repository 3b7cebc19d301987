//! The floor: a wheel of 1 ms ticks that one thread owns, without any synchronisation. No user could
//! share it; it shows what the work itself costs.

use std::cell::RefCell;
use std::future::Future;
use std::pin::{pin, Pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::Peer;

const NONE: u32 = u32::MAX;
const LEVELS: usize = 6;

struct Entry {
    tick: u64,
    waker: Option<Waker>,
    next: u32,
    prev: u32,
    slot: u16,
    fired: bool,
}

struct Wheel {
    epoch: Instant,
    entries: Vec<Entry>,
    free: u32,
    heads: [u32; LEVELS * 64],
    occupied: [u64; LEVELS],
    /// All ticks before this one have been fired.
    tick: u64,
}

thread_local! {
    static WHEEL: RefCell<Wheel> = RefCell::new(Wheel {
        epoch: Instant::now(),
        entries: Vec::new(),
        free: NONE,
        heads: [NONE; LEVELS * 64],
        occupied: [0; LEVELS],
        tick: 0,
    });
}

impl Wheel {
    fn tick_after(&self, instant: Instant) -> u64 {
        (instant.saturating_duration_since(self.epoch).as_nanos() as u64).div_ceil(1_000_000)
    }

    fn link(&mut self, index: u32) {
        let tick = self.entries[index as usize].tick.max(self.tick);
        let level = (63 - ((tick ^ self.tick) | 63).leading_zeros()) as usize / 6;
        let level = level.min(LEVELS - 1);
        let at = (tick >> (6 * level)) as usize % 64;
        let slot = level * 64 + at;
        let head = std::mem::replace(&mut self.heads[slot], index);
        self.occupied[level] |= 1 << at;
        if head != NONE {
            self.entries[head as usize].prev = index;
        }
        let entry = &mut self.entries[index as usize];
        (entry.next, entry.prev, entry.slot) = (head, NONE, slot as u16);
    }

    fn unlink(&mut self, index: u32) {
        let Entry {
            next, prev, slot, ..
        } = self.entries[index as usize];
        if next != NONE {
            self.entries[next as usize].prev = prev;
        }
        if prev != NONE {
            self.entries[prev as usize].next = next;
        } else {
            self.heads[slot as usize] = next;
            if next == NONE {
                self.occupied[slot as usize / 64] &= !(1 << (slot % 64));
            }
        }
    }

    fn start(&mut self, deadline: Instant, waker: Waker) -> u32 {
        let tick = self.tick_after(deadline);
        let entry = Entry {
            tick,
            waker: Some(waker),
            next: 0,
            prev: 0,
            slot: 0,
            fired: false,
        };
        let index = self.free;
        let index = if index == NONE {
            self.entries.push(entry);
            self.entries.len() as u32 - 1
        } else {
            self.free = self.entries[index as usize].next;
            self.entries[index as usize] = entry;
            index
        };
        self.link(index);
        index
    }

    fn cancel(&mut self, index: u32) -> Option<Waker> {
        if !self.entries[index as usize].fired {
            self.unlink(index);
        }
        let entry = &mut self.entries[index as usize];
        (entry.next, entry.fired) = (self.free, true);
        self.free = index;
        entry.waker.take()
    }

    /// The level and number of the next slot that comes up, and its tick.
    fn next(&self) -> Option<(usize, u64)> {
        let level = self.occupied.iter().position(|bits| *bits != 0)?;
        let now = self.tick >> (6 * level);
        let bits = self.occupied[level].rotate_right((now % 64) as u32);
        Some((
            level,
            (now + u64::from(bits.trailing_zeros())) << (6 * level),
        ))
    }

    /// Moves on by one slot that has come up. Its wakers go into `due`.
    fn step(&mut self, now: u64, due: &mut Vec<Waker>) -> bool {
        let Some((level, tick)) = self.next().filter(|(_, tick)| *tick <= now) else {
            return false;
        };
        self.tick = self.tick.max(tick);
        let slot = level * 64 + (tick >> (6 * level)) as usize % 64;
        let mut index = std::mem::replace(&mut self.heads[slot], NONE);
        self.occupied[level] &= !(1 << (slot % 64));
        while index != NONE {
            let entry = &mut self.entries[index as usize];
            let next = entry.next;
            if entry.tick <= now {
                entry.fired = true;
                due.extend(entry.waker.take());
            } else {
                self.link(index);
            }
            index = next;
        }
        true
    }
}

pub struct Timer {
    deadline: Instant,
    index: u32,
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        WHEEL.with_borrow_mut(|wheel| {
            if self.index == NONE {
                self.index = wheel.start(self.deadline, cx.waker().clone());
                return Poll::Pending;
            }
            let entry = &mut wheel.entries[self.index as usize];
            if entry.fired {
                return Poll::Ready(());
            }
            if !entry
                .waker
                .as_ref()
                .is_some_and(|waker| waker.will_wake(cx.waker()))
            {
                entry.waker = Some(cx.waker().clone());
            }
            Poll::Pending
        })
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if self.index != NONE {
            drop(WHEEL.with_borrow_mut(|wheel| wheel.cancel(self.index)));
        }
    }
}

struct Flag(AtomicBool, Thread);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
        self.1.unpark();
    }
}

pub struct Floor;

impl Peer for Floor {
    type Timer = Timer;

    fn new(_: usize) -> Self {
        Self
    }
    fn timer(&self, duration: Duration) -> Timer {
        Timer {
            deadline: Instant::now() + duration,
            index: NONE,
        }
    }
    fn reset(&self, mut timer: Pin<&mut Timer>, duration: Duration) {
        timer.deadline = Instant::now() + duration;
        let (index, deadline) = (timer.index, timer.deadline);
        if index != NONE {
            WHEEL.with_borrow_mut(|wheel| {
                wheel.unlink(index);
                wheel.entries[index as usize].tick = wheel.tick_after(deadline);
                wheel.link(index);
            });
        }
    }
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        let flag = Arc::new(Flag(AtomicBool::new(true), thread::current()));
        let waker = Waker::from(flag.clone());
        let mut cx = Context::from_waker(&waker);
        let mut future = pin!(future);
        let mut due = Vec::new();
        loop {
            if flag.0.swap(false, Ordering::AcqRel) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                    return output;
                }
            }
            let (now, next) = WHEEL.with_borrow_mut(|wheel| {
                let now = wheel.epoch.elapsed().as_nanos() as u64;
                while wheel.step(now / 1_000_000, &mut due) {}
                wheel.tick = wheel.tick.max(now / 1_000_000);
                (now, wheel.next().map(|(_, tick)| tick * 1_000_000))
            });
            for waker in due.drain(..) {
                waker.wake();
            }
            if !flag.0.load(Ordering::Acquire) {
                match next {
                    Some(next) => {
                        thread::park_timeout(Duration::from_nanos(next.saturating_sub(now)))
                    }
                    None => thread::park(),
                }
            }
        }
    }
}
