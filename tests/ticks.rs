//! The arithmetic of ticks: rounded up, saturating, never early.

use std::time::Duration;

use proptest::prelude::*;
use timer_future::{deadline_after, duration_to_ticks, ticks_to_duration, NEVER};

/// Any, and the usual: ticks of whole nanoseconds are converted in another way.
fn frequency() -> impl Strategy<Value = u64> {
    let powers = (0..=9_u32).prop_map(|exponent| 10_u64.pow(exponent));
    prop_oneof![1..2_000_000_u64, powers, Just(250_000), Just(32_768)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn durations_round_up_to_ticks(nanos: u64, hz in frequency()) {
        let duration = Duration::from_nanos(nanos);
        let ticks = duration_to_ticks(duration, hz);
        let exact = u128::from(nanos) * u128::from(hz);
        prop_assert!(u128::from(ticks) * 1_000_000_000 >= exact, "rounded down");
        prop_assert!((u128::from(ticks)) * 1_000_000_000 < exact + 1_000_000_000, "a tick too many");
        prop_assert!(ticks_to_duration(ticks, hz) >= duration);
    }

    #[test]
    fn durations_saturate(secs: u64, nanos in 0..1_000_000_000u32, hz: u64, now: u64) {
        let duration = Duration::new(secs, nanos);
        let exact = (u128::from(secs) * u128::from(hz))
            .saturating_add((u128::from(nanos) * u128::from(hz)).div_ceil(1_000_000_000));
        let ticks = u64::try_from(exact).unwrap_or(NEVER);
        prop_assert_eq!(duration_to_ticks(duration, hz), ticks);
        let deadline = deadline_after(now, duration, hz);
        prop_assert!(deadline >= now.saturating_add(ticks));
        prop_assert!(deadline <= now.saturating_add(ticks).saturating_add(1));
        _ = ticks_to_duration(ticks, hz);
    }

    /// Whenever within its tick the clock is read, the time that passes until the deadline's tick begins
    /// is not less than the duration.
    #[test]
    fn a_truncated_now_is_not_early(start: u32, nanos in 1..10_000_000_000u64, hz in 1..1_000_000_000u64) {
        let tick = u128::from(start) * u128::from(hz) / 1_000_000_000; // now, truncated
        let deadline = deadline_after(tick as u64, Duration::from_nanos(nanos), hz);
        // The first nanosecond at which the clock shows the deadline.
        let shown = (u128::from(deadline) * 1_000_000_000).div_ceil(u128::from(hz));
        prop_assert!(shown >= u128::from(start) + u128::from(nanos), "early");
    }
}
