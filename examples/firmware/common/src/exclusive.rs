//! [`Exclusive`]: a value for whoever comes first. Who finds it in use goes away instead of waiting: that is
//! all an interrupt handler can do.

use core::cell::UnsafeCell;

use portable_atomic::{AtomicBool, Ordering};

/// A value that one context at a time may use.
pub struct Exclusive<T> {
    taken: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: `with` hands out the value to one context at a time: the swap of `taken` finds false for one
// only, and the Release at the end makes what that one wrote visible to the next.
#[allow(unsafe_code)]
unsafe impl<T: Send> Sync for Exclusive<T> {}

impl<T> Exclusive<T> {
    /// Nobody uses it yet.
    pub const fn new(value: T) -> Self {
        Self {
            taken: AtomicBool::new(false),
            value: UnsafeCell::new(value),
        }
    }

    /// Runs `f` on the value; `None` if it is in use, by a context that this one interrupted, by one on
    /// another core, or by a caller of this one.
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        if self.taken.swap(true, Ordering::Acquire) {
            return None;
        }
        // SAFETY: `taken` was false and is true now, so nobody else is between here and the store below.
        #[allow(unsafe_code)]
        let result = f(unsafe { &mut *self.value.get() });
        self.taken.store(false, Ordering::Release);
        Some(result)
    }

    /// Whether it is in use.
    pub fn is_taken(&self) -> bool {
        self.taken.load(Ordering::Relaxed)
    }
}
