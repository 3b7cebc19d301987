//! [`InterruptSource`]: `N` timers on one hardware alarm, without a lock, an allocator or a mask.
//!
//! One idea per file: [`alarm`] is the hardware, [`slot`] and [`word`] one timer and its protocol, [`head`] the
//! word that says when the alarm rings and where the order begins, [`client`] how timers are armed and dropped,
//! [`keeper`] what the interrupt handler does, [`order`] the sorted chain it does it with, [`timer`] the handle.

mod alarm;
mod client;
#[cfg(all(test, feature = "std", not(timer_future_loom)))]
mod client_tests;
mod head;
mod keeper;
mod order;
mod slot;
mod timer;
mod word;

pub use alarm::Alarm;
pub use timer::InterruptTimer;

use crate::deadline::Deadline;
use crate::sync::{array_of, const_fn, AtomicU16, AtomicU32, Ordering};
use crate::ticks::NEVER;
use head::Head;
use slot::{Slot, NIL};

/// `N` timers on one hardware [`Alarm`], for a `static`.
///
/// Tasks, interrupt handlers of every priority and both cores may start, poll, reset and drop timers at
/// any time; the alarm's interrupt handler calls [`on_interrupt`](Self::on_interrupt). Nothing is masked and
/// nothing waits.
///
/// `&InterruptSource` is the [`TimerSource`](crate::TimerSource). When all `N` timers are taken,
/// [`try_start`](crate::TimerFuture::try_start) fails; a future that is simply awaited still completes on
/// time, by looking at the clock, and [`shortages`](Self::shortages) counts.
///
/// # Interrupt safety
///
/// Every method may be called from every context. The work of one interrupt is bounded by `N log N` (if all timers
/// are new), and usually is that of the timers which are due; what is merely pending costs it nothing. A timer that
/// is the earliest when it is started programs the alarm itself: a lone delay costs one interrupt. One that is reset
/// to an earlier time, without being the earliest before, costs an interrupt of its own, and so do timers that are
/// started while the handler runs, all together.
///
/// # Examples
///
/// ```
/// use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
/// use core::time::Duration;
/// use timer_future::{Alarm, InterruptSource, TimerFuture};
///
/// struct Mock(AtomicU64); // a real one reads and writes registers
///
/// impl Alarm for Mock {
///     const TICK_HZ: u64 = 1_000;
///     fn now(&self) -> u64 {
///         self.0.load(Relaxed)
///     }
///     fn set_alarm(&self, _deadline: Option<u64>) {}
///     fn pend(&self) {}
/// }
///
/// static TIMERS: InterruptSource<Mock, 8> = InterruptSource::new(Mock(AtomicU64::new(0)));
///
/// // The interrupt handler: clear the hardware's flag first, then this.
/// fn timer_interrupt() {
///     TIMERS.on_interrupt();
/// }
///
/// let mut delay = TimerFuture::with_source(&TIMERS, Duration::from_millis(9));
/// delay.try_start()?;
/// assert_eq!(TIMERS.next_deadline(), Some(10));
/// TIMERS.alarm().0.store(10, Relaxed); // time passes, and the alarm rings
/// timer_interrupt();
/// assert!(delay.is_elapsed());
/// # Ok::<(), timer_future::CapacityError>(())
/// ```
// In this order, because the chips this is for reach what comes first with shorter instructions.
#[repr(C)]
pub struct InterruptSource<A, const N: usize> {
    /// When the alarm rings, where the order begins, and whether the handler is inside; see head.rs.
    head: AtomicU32,
    /// Armed slots that the handler does not know yet: the newest of a chain, and DISORDER.
    inbox: AtomicU32,
    /// When it rings, while the head is the keeper's. Written by the handler alone, while the head is Busy.
    next: Deadline,
    /// The last slot of the handler's order, or NIL if that is not known. Touched only by the handler.
    last: AtomicU16,
    /// Where a vacant slot may be.
    hint: AtomicU16,
    shortages: AtomicU32,
    slots: [Slot; N],
    alarm: A,
}

// No lost alarm
// =============
//
// Where an armed timer can be: in front of the order, because it was the earliest of all (its client put it
// there, by the head); in the inbox, because it was not, or because nobody knew; or where it was, if its slot was
// LINKED already. The handler runs at or before the time of each.
//
// KICK-OR-SEE. A client first makes its timer visible (in the inbox, or the word Armed), and then reads the
// head. The handler first makes the head Busy, and then takes the inbox and looks at the words. Between the two
// steps both have a full fence, so either the handler sees the timer, or the client sees that the head is not the one
// that it knew:
//
//   client                                    handler
//   head = known, not later than mine         head = Busy
//   inbox = slot, or word = Armed             fence
//   fence                                     inbox, words -> minimum
//   head? as it was -> done                   set_alarm(minimum), clock
//         any other -> Busy -> Again, or      head: Busy -> Keeper; it was Again -> pend
//                      pend
//
// HEAD. A client that arms the earliest timer makes the head its own (CAS), programs the alarm, and looks
// again. Two can overtake each other between the two steps, and a handler can come in between:
//
//   task, deadline 7                          handler of higher priority, deadline 5
//   head = Client(7)
//                                             head = Client(5), followed by 7
//                                             set_alarm(5), head is mine: done
//   set_alarm(7)        5 is overwritten
//   head is not mine -> pend                  (the timer's handler programs the minimum, 5)
//
// So every alarm that overwrites another wrongly is followed by a look at the head that is not its own any
// more, and by an interrupt that mends it: the other changed the head (to Client, or to Busy) before it programmed
// its alarm. The clock is looked at after the alarm was programmed, by clients and handler alike: an alarm that was
// in the past when it was set, and may never ring, is seen.
//
// KNOWN. "When does the alarm ring" must be answered exactly: an answer that is too late would let a client
// program an alarm after a pending deadline. A head of kind Keeper has the answer in `next`. A head of kind
// Client has it in the first slot, as long as that is not MOVED: a client that owned the slot meanwhile may
// have written another deadline. Then nobody knows, and the handler finds out. A client that owns the first slot and
// finds it not MOVED knows as well: its old deadline.
//
// The answer may belong to another head than the one that was read, or be half of one and half of
// another, if somebody has come in between. That does no harm: "earlier" is followed by a CAS that fails, because
// the head has changed, and "not earlier" by a look at the head that finds it changed. The tag makes an equal head
// the same head.
//
// An order that begins with a slot is handed from the handler that leaves (Release), by way of clients that put
// others in front (Acquire and Release), to the handler that enters (Acquire).

impl<A: Alarm, const N: usize> InterruptSource<A, N> {
    const_fn! {
        /// A source with `N` idle timers. The alarm must be off, or ring harmlessly.
        pub const fn new(alarm: A) -> Self {
            Self {
                alarm,
                head: AtomicU32::new(Head::<N>::START),
                next: Deadline::new(),
                inbox: AtomicU32::new(client::EMPTY),
                last: AtomicU16::new(NIL as u16),
                hint: AtomicU16::new(0),
                shortages: AtomicU32::new(0),
                slots: array_of!(Slot::new(); N),
            }
        }
    }

    /// The alarm.
    #[inline]
    pub const fn alarm(&self) -> &A {
        &self.alarm
    }

    /// The time in ticks: the alarm's clock.
    #[inline]
    pub fn now(&self) -> u64 {
        self.alarm.now()
    }

    /// The deadline of the earliest pending timer, in ticks; `None` if nothing is pending but timers that
    /// never complete. Tells how deep a core may sleep. Looks at all `N` timers.
    ///
    /// # Interrupt safety
    ///
    /// Callable from every context; a timer that another context is just starting or dropping may be missed.
    pub fn next_deadline(&self) -> Option<u64> {
        let pending = self.slots.iter().filter_map(|slot| loop {
            let word = slot.word();
            if !word.is_armed() {
                return None;
            }
            if let Some(deadline) = slot.deadline_of(word) {
                return (deadline != NEVER).then_some(deadline);
            }
        });
        pending.min()
    }

    /// How often a timer was refused because all `N` were taken (it wraps). A future that is awaited all
    /// the same tries again at every poll, and each counts.
    #[inline]
    pub fn shortages(&self) -> u32 {
        // ORDERING: Relaxed: a statistic, it publishes nothing.
        self.shortages.load(Ordering::Relaxed)
    }
}

impl<A: Alarm, const N: usize> core::fmt::Debug for InterruptSource<A, N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("InterruptSource")
            .field("timers", &N)
            .field("next_deadline", &self.next_deadline())
            .field("shortages", &self.shortages())
            .finish_non_exhaustive()
    }
}
