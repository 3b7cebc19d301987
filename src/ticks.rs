//! Tick arithmetic: durations become deadlines, rounded up and saturating, so that nothing is early
//! and nothing overflows.

use core::time::Duration;

const NANOS_PER_SEC: u64 = 1_000_000_000;

/// The deadline that means "never". Durations too long for the tick saturate to it.
pub const NEVER: u64 = u64::MAX;

/// How many ticks of `tick_hz` (per second) cover `duration`: rounded up, saturating to [`NEVER`].
///
/// ```
/// use core::time::Duration;
/// use timer_future::duration_to_ticks;
///
/// assert_eq!(duration_to_ticks(Duration::from_micros(1), 32_768), 1); // 0.03 ticks
/// assert_eq!(duration_to_ticks(Duration::from_secs(2), 32_768), 65_536);
/// assert_eq!(duration_to_ticks(Duration::MAX, 32_768), u64::MAX);
/// ```
#[inline]
pub const fn duration_to_ticks(duration: Duration, tick_hz: u64) -> u64 {
    let (secs, nanos) = (duration.as_secs(), duration.subsec_nanos() as u64);
    let whole = secs.checked_mul(tick_hz);
    let part = if tick_hz == NANOS_PER_SEC {
        nanos
    } else if tick_hz != 0 && NANOS_PER_SEC % tick_hz == 0 {
        // A tick of whole nanoseconds, as most timers have: 32 bits are enough. A 64-bit division takes
        // 2.8 KB of flash and 0.1 ms on an 8-bit chip.
        (nanos as u32).div_ceil((NANOS_PER_SEC / tick_hz) as u32) as u64
    } else if let Some(scaled) = nanos.checked_mul(tick_hz) {
        scaled.div_ceil(NANOS_PER_SEC)
    } else {
        // Only for ticks above 18 GHz; nanos < 10^9, so the quotient fits 64 bits.
        (nanos as u128 * tick_hz as u128).div_ceil(NANOS_PER_SEC as u128) as u64
    };
    match whole {
        Some(whole) => whole.saturating_add(part),
        None => NEVER,
    }
}

/// The deadline `duration` after `now`, never early: [`duration_to_ticks`], and one tick more where a
/// tick is longer than a nanosecond, because `now` may have been read at the very end of its tick and
/// hides up to one (1.2 ms at 1 kHz, started 0.9 ms into a tick, ends after 0.1 + 1 + 1 ms; two
/// ticks alone would be early). A zero duration is `now`, and whatever does not fit is [`NEVER`].
///
/// ```
/// use core::time::Duration;
/// use timer_future::{deadline_after, NEVER};
///
/// assert_eq!(deadline_after(100, Duration::from_micros(1_200), 1_000), 103);
/// assert_eq!(deadline_after(100, Duration::from_nanos(5), 1_000_000_000), 105);
/// assert_eq!(deadline_after(100, Duration::ZERO, 1_000), 100);
/// assert_eq!(deadline_after(100, Duration::MAX, 1_000), NEVER);
/// ```
#[inline]
pub const fn deadline_after(now: u64, duration: Duration, tick_hz: u64) -> u64 {
    if duration.is_zero() {
        return now;
    }
    let hidden = if tick_hz >= NANOS_PER_SEC { 0 } else { 1 };
    now.saturating_add(duration_to_ticks(duration, tick_hz))
        .saturating_add(hidden)
}

/// How long `ticks` of `tick_hz` last: rounded up to nanoseconds, saturating to [`Duration::MAX`].
///
/// ```
/// use core::time::Duration;
/// use timer_future::ticks_to_duration;
///
/// assert_eq!(ticks_to_duration(32_768, 32_768), Duration::from_secs(1));
/// ```
#[inline]
pub const fn ticks_to_duration(ticks: u64, tick_hz: u64) -> Duration {
    if tick_hz == 0 {
        return Duration::MAX;
    }
    let (secs, rest) = (ticks / tick_hz, ticks % tick_hz);
    // rest < tick_hz, so this is at most 10^9, and 10^9 only by rounding.
    let nanos = (rest as u128 * NANOS_PER_SEC as u128).div_ceil(tick_hz as u128) as u64;
    if nanos == NANOS_PER_SEC {
        return match secs.checked_add(1) {
            Some(secs) => Duration::from_secs(secs),
            None => Duration::MAX,
        };
    }
    Duration::new(secs, nanos as u32)
}
