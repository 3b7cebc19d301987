//! [`TimerState`]: completed + waker, and the handshake between the two.

use core::fmt;
use core::task::{Context, Poll, Waker};

use crate::sync::{const_fn, AtomicBool, AtomicU16, AtomicU32, AtomicWaker, Ordering};

/// The meeting point of one timer and whoever keeps time for it: a completion flag and the waker of
/// the task that waits for it.
///
/// A source hands this out (as [`TimerSource::Timer`](crate::TimerSource::Timer)) and later calls
/// [`complete`](Self::complete), from a thread or from an interrupt handler. The future calls
/// [`poll_complete`](Self::poll_complete).
///
/// # Memory ordering
///
/// What happened before `complete` is visible after a [`Poll::Ready`] and after
/// [`is_complete`](Self::is_complete) returned `true`.
///
/// # Examples
///
/// ```
/// use timer_future::TimerState;
///
/// static TIMER: TimerState = TimerState::new();
/// assert!(!TIMER.is_complete());
/// TIMER.complete(); // an interrupt handler would do this
/// assert!(TIMER.is_complete());
/// ```
pub struct TimerState {
    waker: AtomicWaker,
    completed: AtomicBool,
    /// A waker panicked inside `register`, which leaves atomic-waker 1.1.2 registering for ever: this
    /// state can still be completed, but can wake nobody, and must not be used for another timer.
    stuck: AtomicBool,
    // Alignment would waste seven bytes here. The pooled sources keep their slot's bookkeeping in
    // them, which makes a slot 40 bytes instead of 56; see slot.rs for what they mean.
    pub(crate) place: AtomicU16,
    pub(crate) word: AtomicU32,
}

// Why no wakeup is lost
// =====================
//
//   future                                   time keeper
//   1  completed? (Acquire) yes -> Ready     4  completed = true (Release)
//   2  waker.register(cx.waker())            5  waker.wake()
//   3  completed? (Acquire) yes -> Ready
//      else Pending
//
// `register` and `wake` both begin and end with read-modify-writes of the same word inside
// `AtomicWaker`, so in every execution one of them comes first.
//
// - `register` (2) first: `wake` (5) finds the waker and wakes it; the task is polled again and sees
//   the flag at 1, because 4 happens before 5 and 5 before the wakeup.
// - `wake` (5) first: it synchronises with `register`, and 4 happens before 5; so 3 sees the flag.
//   This is the interleaving that step 3 exists for:
//
//       future                              time keeper
//       1  completed? no
//                                           4  completed = true
//                                           5  wake: nobody there
//       2  register
//       3  completed? yes -> Ready          (without 3: Pending, for ever)
//
// - both at once: `AtomicWaker` makes whoever is second do the other's work; a `register` that runs
//   into a `wake` wakes its own waker instead of storing it.
//
// The flag must be set before the wake. The other way round, the task can be woken, polled and put to
// sleep again before the flag is there:
//
//       future                              time keeper
//                                           5' wake
//       polled: 1 no, 2 register, 3 no
//                                           4' completed = true    (nobody will be woken)
//
// The newest waker wins because `register` replaces the stored one unless `will_wake` says that it
// is the same task; then nothing is cloned.
//
// tests/loom.rs: `completion_is_never_lost`, `completion_publishes`.

impl TimerState {
    const_fn! {
        /// A state that is not complete and has no waker.
        pub const fn new() -> Self {
            Self {
                waker: AtomicWaker::new(),
                completed: AtomicBool::new(false),
                stuck: AtomicBool::new(false),
                place: AtomicU16::new(0),
                word: AtomicU32::new(0),
            }
        }
    }

    /// Signals completion and wakes the task of the latest poll. Calling it again does nothing new.
    ///
    /// # Interrupt safety
    ///
    /// Callable from any context. It runs the waker's `wake` (user code) in that context; on chips
    /// without compare-and-swap each read-modify-write inside masks interrupts for itself.
    #[inline]
    pub fn complete(&self) {
        self.set_complete();
        self.waker.wake();
    }

    /// Whether the timer has completed.
    #[inline]
    pub fn is_complete(&self) -> bool {
        // ORDERING: Acquire, pairs with the Release in `set_complete`: what the keeper did before is
        // visible to whoever sees `true`. loom: completion_publishes.
        self.completed.load(Ordering::Acquire)
    }

    /// Ready once complete; otherwise remembers the context's waker, in place of any earlier one.
    ///
    /// Nothing is cloned when the stored waker already wakes the same task, and nothing at all is
    /// done with the waker once the timer is complete.
    #[inline]
    pub fn poll_complete(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_complete() {
            return Poll::Ready(());
        }
        self.register(cx.waker());
        // The second look; the proof above says why.
        if self.is_complete() {
            // The keeper may have come before the waker, and leave it here.
            drop(self.waker.take());
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Step 2 alone: for whoever owns the state, and has not told the keeper of it yet.
    #[inline]
    pub(crate) fn register(&self, waker: &Waker) {
        /// Marks the state when `clone` or `drop` of a waker unwinds out of `register`.
        struct Stuck<'a>(&'a TimerState);
        impl Drop for Stuck<'_> {
            fn drop(&mut self) {
                // ORDERING: Relaxed. Read only by the one client that owns the timer, in the same
                // thread or after the timer was sent to another.
                self.0.stuck.store(true, Ordering::Relaxed);
            }
        }
        let guard = Stuck(self);
        self.waker.register(waker);
        core::mem::forget(guard);
    }

    /// Step 4 without step 5.
    #[inline]
    pub(crate) fn set_complete(&self) {
        // ORDERING: Release, pairs with the Acquire in `is_complete`. loom: completion_publishes.
        self.completed.store(true, Ordering::Release);
    }

    /// Takes the stored waker out, so that it can be woken or dropped where nothing is half-done.
    #[inline]
    pub(crate) fn take_waker(&self) -> Option<Waker> {
        self.waker.take()
    }

    /// Stores a waker that waited for another timer, or wakes it if this one is complete already.
    pub(crate) fn adopt(&self, waker: Waker) {
        if self
            .poll_complete(&mut Context::from_waker(&waker))
            .is_ready()
        {
            waker.wake();
        }
    }

    /// Makes the state ready for another timer. Only for whoever owns it alone.
    #[inline]
    pub(crate) fn clear(&self) {
        // ORDERING: Relaxed. The owner publishes the slot afterwards with a Release of its word.
        self.completed.store(false, Ordering::Relaxed);
    }

    /// Whether a panicking waker has made this state unable to wake anybody.
    #[inline]
    pub(crate) fn is_stuck(&self) -> bool {
        // ORDERING: Relaxed, see `register`.
        self.stuck.load(Ordering::Relaxed)
    }
}

impl Default for TimerState {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for TimerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimerState")
            .field("complete", &self.is_complete())
            .finish_non_exhaustive()
    }
}
