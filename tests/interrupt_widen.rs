//! `WideCounter`: right at every phase of the wrap, with the interrupt late, and read in the middle of a read.

use std::cell::Cell;

use proptest::prelude::*;
use timer_future::WideCounter;

#[test]
fn every_tick_of_three_periods_is_right() {
    let (wide, narrow) = (WideCounter::<16>::new(), WideCounter::<8>::new());
    for time in 0..3 << 16 {
        assert_eq!(wide.now(|| time as u32), time);
        assert_eq!(narrow.now(|| time as u32), time);
    }
}

#[test]
fn an_interrupt_that_is_late_by_almost_half_a_period_is_in_time() {
    for phase in 0..1 << 8 {
        let wide = WideCounter::<8>::new();
        let mut time = 0;
        while time < phase {
            time += 1;
            wide.now(|| time as u32);
        }
        // The boundary after the next is the last moment.
        let late = (phase / 128 + 2) * 128 - 1;
        assert_eq!(wide.now(|| late as u32), late, "after {phase}");
    }
}

#[test]
fn upper_bits_of_the_register_are_ignored() {
    let wide = WideCounter::<24>::new();
    assert_eq!(wide.now(|| 0xab00_0012), 0x12);
    assert_eq!(wide.now(|| 0x5580_0012), 0x80_0012);
}

fn steps_are_exact<const BITS: u32>(steps: &[u64]) {
    let wide = WideCounter::<BITS>::new();
    let mut time = 0;
    for step in steps {
        time += step % (1 << (BITS - 1));
        assert_eq!(wide.now(|| time as u32), time);
        assert_eq!(wide.now(|| time as u32), time, "twice");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn any_steps_of_less_than_half_a_period(steps in prop::collection::vec(any::<u64>(), 1..100)) {
        steps_are_exact::<8>(&steps);
        steps_are_exact::<16>(&steps);
        steps_are_exact::<24>(&steps);
        steps_are_exact::<32>(&steps);
    }

    /// A context that is held up in the middle of its read, before or after the register, while others keep the
    /// time: it may be late, but never wrong, and never sees time run backwards.
    #[test]
    fn a_read_that_is_held_up_is_never_wrong(
        held in prop::collection::vec((0..127u64, 0..2_000u64, 0..2_000u64), 1..50)
    ) {
        let wide = WideCounter::<8>::new();
        let time = Cell::new(0u64);
        let others_keep_time = |ticks: u64| {
            for _ in 0..ticks {
                time.set(time.get() + 1);
                assert_eq!(wide.now(|| time.get() as u32), time.get());
            }
        };
        let mut last = 0;
        for (step, before, after) in held {
            time.set(time.get() + step);
            let began = time.get();
            let once = Cell::new(true);
            let now = wide.now(|| {
                let first = once.replace(false);
                if first {
                    others_keep_time(before);
                }
                let register = time.get() as u32;
                if first {
                    others_keep_time(after);
                }
                register
            });
            assert!(now >= began && now >= last && now <= time.get());
            last = now;
        }
    }
}
