//! When the keeper wakes: by itself, without a thread.

use std::vec::Vec;

use super::inbox_tests::Counting;
use super::Keeper;

/// How often the keeper wakes for so many timers over three seconds.
fn wakes(count: u64, cancelled: bool) -> usize {
    let source = Counting::new();
    let pool = &source.pool;
    let mut keeper = Keeper::new(false);
    let deadline = |n: u64| 1_000_000_000 + n * 7_919 % count * (3_000_000_000 / count);
    let started: Vec<_> = (0..count)
        .map(|n| pool.start(&source, deadline(n)).expect("there is room"))
        .collect();
    while keeper.step(pool, 0) {}
    if cancelled {
        started.into_iter().for_each(|index| pool.cancel(index));
    }
    let mut wakes = 0;
    while let Some(now) = keeper.next_within(200_000) {
        wakes += 1;
        while keeper.step(pool, now) {}
    }
    wakes
}

/// It was three thousand times a second where each 34 ms had 2,048 of them or more.
#[test]
fn cancelled_timers_are_not_woken_for_one_by_one() {
    for count in [10_000, 100_000, 300_000] {
        let wakes = wakes(count, true);
        assert!(wakes < 400, "{wakes} wakes for {count} cancelled timers");
    }
}

#[test]
fn live_timers_share_wakes() {
    let all = wakes(300_000, false);
    assert!((10_000..16_000).contains(&all), "{all}");
}
