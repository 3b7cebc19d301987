//! [`WideCounter`]: 64 bits of time from a counter of 16, 24 or 32.
//!
//! The counter's own upper bit says in which half of its period it is. A word beside it counts half periods,
//! and its lowest bit must be the same. Where it is not, the counter has crossed since the word was last
//! written, and whoever reads knows both: that the time is one half period further, and what the word must be.
//! So every reader can do the interrupt's work, doing it twice changes nothing, and nobody waits.
//!
//! Invariant LAG: the word is never more than one half period behind. One call of `now` in every half
//! period, from anybody, is enough; two interrupts per period see to it.

use crate::sync::{acquire_fence, const_fn, AtomicU32, Ordering};

/// Widens a free-running counter of `BITS` bits (8 to 32) to 64, without a lock.
///
/// Have two interrupts per period, at the wrap and at half of it, and call [`now`](Self::now) in both;
/// each may be late by up to half a period. A program that calls `now` often enough anyway needs none.
/// For an [`InterruptSource`](crate::InterruptSource) call
/// [`on_interrupt`](crate::InterruptSource::on_interrupt) there: it reads the clock, and sets an alarm that has
/// come within reach of the compare register.
///
/// # Interrupt safety
///
/// Callable from every context, on every core. Monotonic across all of them.
///
/// # Precision
///
/// That of the counter. One of 32 bits counts for 2^63 ticks, all others for longer than 64 bits last.
///
/// # Examples
///
/// ```
/// use timer_future::WideCounter;
///
/// static WIDE: WideCounter<16> = WideCounter::new();
///
/// let register = |value| move || value; // a real one reads the hardware
/// assert_eq!(WIDE.now(register(0x7fff)), 0x7fff);
/// assert_eq!(WIDE.now(register(0x8001)), 0x8001);
/// assert_eq!(WIDE.now(register(0x0002)), 0x1_0002);
/// ```
#[derive(Debug)]
pub struct WideCounter<const BITS: u32> {
    /// Half periods of the counter, and half periods of that.
    halves: [AtomicU32; 2],
}

impl<const BITS: u32> WideCounter<BITS> {
    const_fn! {
        /// For a counter that starts in the first half of its period.
        pub const fn new() -> Self {
            const { assert!(BITS >= 8 && BITS <= 32, "counters of 8 to 32 bits") };
            Self { halves: [AtomicU32::new(0), AtomicU32::new(0)] }
        }
    }

    /// The time: what `read` returns (bits above `BITS` are ignored), widened. `read` is called again
    /// if somebody else has counted a half period meanwhile.
    #[inline]
    pub fn now(&self, read: impl Fn() -> u32) -> u64 {
        let [halves, more] = &self.halves;
        let once = || widen(halves, BITS, || u64::from(read()));
        // 2^32 half periods of 32 bits are 2^63 ticks, longer than anybody waits. Of 24 bits at 480 MHz they are 2.4
        // years, so they are counted as well.
        if BITS == 32 {
            once()
        } else {
            widen(more, BITS - 1 + u32::BITS, once)
        }
    }
}

impl<const BITS: u32> Default for WideCounter<BITS> {
    fn default() -> Self {
        Self::new()
    }
}

/// Widens a counter of `bits` bits by the 32 of `halves`.
#[inline]
fn widen(halves: &AtomicU32, bits: u32, read: impl Fn() -> u64) -> u64 {
    // ORDERING: Acquire: the counter is read after it. loom: two_readers_never_see_time_run_backwards.
    let mut half = halves.load(Ordering::Acquire);
    loop {
        let count = read();
        // ORDERING: the counter is read before the second look. Between two equal looks LAG held, so
        // the parity says which of two half periods it was.
        //
        //   low priority                       high priority, for more than a period
        //   half = 4
        //                                      half = 5, 6
        //   count = 1 (of the half period 6)
        //   without the second look: half 4, a whole period in the past
        acquire_fence();
        // ORDERING: Relaxed, ordered by the fence above.
        let again = halves.load(Ordering::Relaxed);
        if again != half {
            half = again;
            // ORDERING: as the first load.
            acquire_fence();
            continue;
        }
        let upper = (count >> (bits - 1)) as u32 & 1;
        if upper != half & 1 {
            let crossed = half.wrapping_add(1);
            // Whoever else does it writes the same, so a failure is a success.
            // ORDERING: AcqRel: who reads the new half reads the counter after this context did.
            let _ = halves.compare_exchange(half, crossed, Ordering::AcqRel, Ordering::Relaxed);
            half = crossed;
        }
        let low = count & ((1 << (bits - 1)) - 1);
        return u64::from(half) << (bits - 1) | low;
    }
}

#[cfg(all(test, not(timer_future_loom)))]
mod tests {
    use super::*;

    /// 100 days at 16 MHz cannot be simulated step by step: begin shortly before.
    #[test]
    fn half_periods_of_half_periods_are_counted() {
        let wide = WideCounter::<16> {
            halves: [AtomicU32::new(0x7fff_fffe), AtomicU32::new(0)],
        };
        let mut time = 0x7fff_fffe_u64 << 15;
        for _ in 0..10 {
            assert_eq!(wide.now(|| time as u32), time);
            time += 0x7fff;
        }
        let wide = WideCounter::<16> {
            halves: [AtomicU32::new(0xffff_fffe), AtomicU32::new(1)],
        };
        let mut time = 0xffff_fffe_u64 << 15;
        for _ in 0..10 {
            assert_eq!(wide.now(|| time as u32), time);
            time += 0x7fff;
        }
    }

    /// 2.4 years at 480 MHz, and the end of time.
    #[test]
    fn a_counter_of_24_bits_goes_on_after_2_to_the_55() {
        // Half periods of half periods: odd, as the upper bit of those says.
        for more in [1, 11] {
            let wide = WideCounter::<24> {
                halves: [AtomicU32::new(0xffff_fffe), AtomicU32::new(more)],
            };
            let mut time = u64::from(more) << 54 | 0x7fff_fffe << 23;
            for _ in 0..10 {
                assert_eq!(wide.now(|| time as u32), time);
                time += 0x7f_ffff;
            }
        }
    }
}
