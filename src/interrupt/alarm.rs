//! [`Alarm`]: what a HAL author writes.

/// A free-running counter with one compare interrupt: what an
/// [`InterruptSource`](crate::InterruptSource) needs from the hardware.
///
/// # What an implementation must do
///
/// - `now` MUST be monotonic in every context, never wrap (64 bits; [`WideCounter`](crate::WideCounter) widens
///   16, 24 and 32-bit counters), and stay below `u64::MAX`.
/// - The interrupt handler MUST clear the interrupt flag *first*, and then call
///   [`on_interrupt`](crate::InterruptSource::on_interrupt). The other way round it clears the flag of an
///   alarm that `on_interrupt` has just programmed, and that alarm is lost. Where the interrupt is a level
///   without a flag (RISC-V's `mtimecmp`), the handler MUST silence the alarm instead, before
///   `on_interrupt`: a second handler, nested in the first or on another core, leaves at once, and as long as
///   the level is up it would be entered for ever.
/// - `set_alarm` MUST replace the alarm that was set before, and MUST NOT wait or lock. It MUST NOT mask
///   interrupts, but for the few instructions of one access to a register that is wider than the bus (the
///   16-bit timers of an AVR share a latch). It MAY be
///   called from any context, also from two at once: from tasks and handlers that arm the earliest
///   timer, and from `on_interrupt`. Hardware that needs several writes MAY end up with either alarm, or
///   ring at once, when two calls meet: the one that came later looks again, and pends. It MUST NOT end up
///   such that no later call of `set_alarm` mends it.
/// - An alarm that is more than a register away MAY be left unset, if the interrupt that widens the counter
///   also calls `on_interrupt`: that sets it again. An interrupt that is too early is harmless.
/// - A deadline that is *past* when it reaches the register need not ring: the source looks at the clock
///   after every `set_alarm`. But once `now()` was read as less than the deadline after `set_alarm` returned,
///   the interrupt MUST come. Hardware that compares for equality only, or with a delay (many need the value
///   to be 2 or 3 ticks ahead), MUST therefore be told to ring at once, or later, but to ring:
///   write `max(deadline, now + minimum)`.
/// - `pend` MUST make the interrupt handler run soon after, once or more, whatever the alarm says (on a
///   Cortex-M: `NVIC::pend`). If the handler is running already it MUST run again.
///
/// # Interrupt safety
///
/// All methods are called from every context the source is used in, the interrupt handler included.
///
/// # Examples
///
/// One timer with a 32-bit counter and a compare register, the registers being atomics here:
///
/// ```
/// use core::sync::atomic::{AtomicU32, AtomicBool, Ordering::Relaxed};
/// use timer_future::{Alarm, WideCounter};
///
/// struct Timer0 {
///     counter: AtomicU32,
///     compare: AtomicU32,
///     compare_enabled: AtomicBool,
///     interrupt_pending: AtomicBool,
///     wide: WideCounter<32>,
/// }
///
/// impl Alarm for Timer0 {
///     const TICK_HZ: u64 = 1_000_000;
///
///     fn now(&self) -> u64 {
///         self.wide.now(|| self.counter.load(Relaxed))
///     }
///     fn set_alarm(&self, deadline: Option<u64>) {
///         match deadline {
///             // Within reach of the register. Further ahead, the half-period interrupt sets it again.
///             Some(deadline) if deadline.saturating_sub(self.now()) < 1 << 31 => {
///                 self.compare.store(deadline as u32, Relaxed);
///                 self.compare_enabled.store(true, Relaxed);
///             }
///             _ => self.compare_enabled.store(false, Relaxed),
///         }
///     }
///     fn pend(&self) {
///         self.interrupt_pending.store(true, Relaxed);
///     }
/// }
/// ```
pub trait Alarm {
    /// Ticks per second of [`now`](Self::now) and of every deadline.
    const TICK_HZ: u64;

    /// The time in ticks.
    fn now(&self) -> u64;

    /// Rings when `now() >= deadline`, in place of any earlier alarm; `None`: no interrupt is needed.
    fn set_alarm(&self, deadline: Option<u64>);

    /// Makes the interrupt handler run soon.
    fn pend(&self);
}

impl<A: Alarm + ?Sized> Alarm for &A {
    const TICK_HZ: u64 = A::TICK_HZ;

    #[inline]
    fn now(&self) -> u64 {
        (**self).now()
    }
    #[inline]
    fn set_alarm(&self, deadline: Option<u64>) {
        (**self).set_alarm(deadline);
    }
    #[inline]
    fn pend(&self) {
        (**self).pend();
    }
}
