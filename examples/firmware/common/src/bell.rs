//! [`Bell`]: what a waker rings. Remembers that it rang and when, and how many wakers point to it.

use core::task::{RawWaker, RawWakerVTable, Waker};

use portable_atomic::{AtomicBool, AtomicU32, Ordering};

/// What a timer's waker rings: the task that polls it, as the library sees it.
pub struct Bell {
    /// Whose it is.
    pub owner: usize,
    /// Whether its waker calls back into the timers, from wherever it is woken.
    pub calls: bool,
    rung: AtomicBool,
    at: AtomicU32,
    rings: AtomicU32,
    wakers: AtomicU32,
    ring: fn(&'static Bell),
}

impl Bell {
    /// A bell that nobody has rung. `ring` is called when a waker is woken, and calls [`ring`](Self::ring).
    pub const fn new(owner: usize, calls: bool, ring: fn(&'static Bell)) -> Self {
        Self {
            owner,
            calls,
            rung: AtomicBool::new(false),
            at: AtomicU32::new(0),
            rings: AtomicU32::new(0),
            wakers: AtomicU32::new(0),
            ring,
        }
    }

    /// Rings it, at `now`. The first time counts.
    pub fn ring(&self, now: u32) {
        self.rings.fetch_add(1, Ordering::Relaxed);
        if !self.rung.load(Ordering::Acquire) {
            self.at.store(now, Ordering::Relaxed);
            self.rung.store(true, Ordering::Release);
        }
    }

    /// When it rang first since it was answered, if it did; silences it.
    pub fn answer(&self) -> Option<u32> {
        self.rung
            .swap(false, Ordering::AcqRel)
            .then(|| self.at.load(Ordering::Relaxed))
    }

    /// How often it rang in its life.
    pub fn rings(&self) -> u32 {
        self.rings.load(Ordering::Relaxed)
    }

    /// How many wakers there are that ring it.
    pub fn wakers(&self) -> u32 {
        self.wakers.load(Ordering::Acquire)
    }

    /// A waker that rings it.
    pub fn waker(&'static self) -> Waker {
        // SAFETY: `data` is a `&'static Bell`, so it stays valid whatever is cloned, dropped or forgotten; a
        // Bell is Sync, and its functions may be called from every context.
        #[allow(unsafe_code)]
        unsafe {
            Waker::from_raw(self.raw())
        }
    }

    fn raw(&'static self) -> RawWaker {
        self.wakers.fetch_add(1, Ordering::AcqRel);
        RawWaker::new(core::ptr::from_ref(self).cast(), &VTABLE)
    }
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(
    |data| bell(data).raw(),
    |data| {
        wake(data);
        drop_one(data);
    },
    wake,
    drop_one,
);

fn bell(data: *const ()) -> &'static Bell {
    // SAFETY: called with the data of a waker only, which `raw` made of a `&'static Bell`.
    #[allow(unsafe_code)]
    unsafe {
        &*data.cast()
    }
}

fn wake(data: *const ()) {
    let bell = bell(data);
    (bell.ring)(bell);
}

fn drop_one(data: *const ()) {
    bell(data).wakers.fetch_sub(1, Ordering::AcqRel);
}
