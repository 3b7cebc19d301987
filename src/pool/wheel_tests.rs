//! When to look, and what stands in whose way: the wheel by itself. tests/model.rs has its whole behaviour.

#![allow(clippy::unwrap_used)]

use super::blocks::{Entries, Entry};
use super::bucket::{Origin, Place};
use super::levels::{locate, shift};
use super::wheel::Wheel;
use std::vec::Vec;

fn wheel(deadlines: &[u64]) -> Wheel {
    let mut wheel = Wheel::new();
    for (slot, &deadline) in deadlines.iter().enumerate() {
        wheel.insert(wheel.place_of(deadline), slot as u32, deadline);
    }
    wheel
}

#[test]
fn a_lone_timer_is_exact() {
    for deadline in [1, 70_000, 1 << 40, u64::MAX - 1] {
        assert_eq!(wheel(&[deadline]).next_within(200_000), Some(deadline));
        assert_eq!(wheel(&[deadline]).next_within(u64::MAX), Some(deadline));
    }
    assert_eq!(wheel(&[]).next_within(200_000), None);
}

#[test]
fn near_neighbours_share_the_last_deadline() {
    let near = [100_000, 190_000, 280_000, 330_000];
    assert_eq!(wheel(&near).next_within(200_000), Some(280_000));
    assert_eq!(wheel(&near).next_within(0), Some(100_000));
    let far = [100_000, 900_000_000];
    assert_eq!(wheel(&far).next_within(200_000), Some(100_000));
}

#[test]
fn nobody_waits_for_more_than_the_slack() {
    let mut x = 88_172_645_463_325_252_u64;
    for round in 0..2_000 {
        let deadlines: Vec<u64> = (0..1 + round % 40)
            .map(|_| {
                x ^= x << 13;
                x ^= x >> 7;
                x ^= x << 17;
                x >> (24 + x % 30)
            })
            .collect();
        let slack = x % 1_000_000;
        let first = *deadlines.iter().min().unwrap();
        let next = wheel(&deadlines).next_within(slack).unwrap();
        assert!(
            (first..=first + slack).contains(&next),
            "{deadlines:?} {slack} {next}"
        );
    }
}

/// The pieces of a big bucket come between what is due, not before it.
#[test]
fn a_bucket_that_is_spread_ahead_is_not_in_the_way() {
    let start = 3 << shift(2);
    let mut deadlines: Vec<u64> = (0..5_000).map(|n| start + n * 1_000).collect();
    deadlines.push(start - 1_000_000);
    let mut wheel = wheel(&deadlines);
    let early = wheel.next().unwrap();
    assert!(early < start - 1_000_000, "spread too late: {early}");
    let mut entries = Entries::default();
    assert!(wheel.take(early - 1, &mut entries).is_none());
    assert!(wheel.take_ahead(early - 1, &mut entries).is_none());
    let (_, mut ahead) = wheel.take_ahead(early, &mut entries).unwrap();
    let now = start - 1_000_000;
    let (_, taken) = wheel.take(now, &mut entries).unwrap();
    assert_eq!((taken, entries[0].slot), (1, 5_000));
    assert!(wheel.take(now, &mut entries).is_none());
    while let Some((_, taken)) = wheel.take_ahead(now, &mut entries) {
        ahead += taken;
    }
    assert_eq!(ahead, 5_000);
}

/// Timers of 50 ms were half a second late where new ones were due sooner than the keeper could fire them.
#[test]
fn a_keeper_that_is_behind_gets_to_all_levels() {
    const OTHER: u32 = 1_000_000;
    let deadline = 1 << shift(1);
    for level in 1..5 {
        let mut wheel = wheel(&[]);
        let deadline = (deadline << (7 * (level - 1))) * 3;
        let place = wheel.place_of(deadline);
        assert!(place != wheel.place_of(0));
        wheel.insert(place, OTHER, deadline);
        let mut entries = Entries::default();
        // Now the lower levels reach it.
        assert!(wheel.take(deadline - 1, &mut entries).is_none());
        let waited = (0..1_000).find(|step| {
            // Forty new ones, of which it manages two dozen.
            let now = deadline + step * 100_000;
            for slot in 0..40 {
                wheel.insert(wheel.place_of(now), slot, now);
            }
            let (_, taken) = wheel.take(now, &mut entries).unwrap();
            entries[..taken].iter().any(|entry| entry.slot == OTHER)
        });
        assert!(waited.is_some_and(|steps| steps < 10), "{level} {waited:?}");
    }
}

/// A dense bucket comes down by what its entries say: each to where it belongs, none too late and none lost.
#[test]
fn a_dense_bucket_comes_down_without_its_slots() {
    const COUNT: u64 = 30_000;
    let start = 7 << shift(1);
    let above = Place::of(locate(1, 7));
    let deadline = |slot: u64| start + slot * 7_919 % COUNT * ((1 << shift(1)) / COUNT);
    let deadlines: Vec<u64> = (0..COUNT).map(deadline).collect();
    let mut wheel = wheel(&deadlines);
    let mut entries = Entries::default();
    let (mut now, mut seen) = (0, std::vec![0; COUNT as usize]);
    let mut looked_at_ahead = 0;
    while let Some(next) = wheel.next_within(200_000) {
        assert!(next > now || now == 0, "it stands still at {now}");
        now = next;
        while let Some((origin, taken)) = wheel.take(now, &mut entries) {
            for entry in &entries[..taken] {
                let deadline = deadline(u64::from(entry.slot));
                assert!(now <= deadline.saturating_add(200_000), "{now} {deadline}");
                assert!(origin.is(above), "stale: {origin:?}");
                match deadline <= now {
                    true => seen[entry.slot as usize] += 1,
                    false => wheel.insert(wheel.place_of(deadline), entry.slot, deadline),
                }
            }
        }
        while let Some((_, taken)) = wheel.take_ahead(now, &mut entries) {
            looked_at_ahead += taken;
        }
    }
    assert_eq!(looked_at_ahead, 0);
    assert!(seen.iter().all(|&times| times == 1));
}

/// A dense bucket: where it starts, and a timer each microsecond.
fn twenty_milliseconds() -> (u64, Vec<u64>, Wheel) {
    let start = 7 << shift(1);
    let deadlines: Vec<u64> = (0..20_000).map(|n| start + n * 1_000).collect();
    let wheel = wheel(&deadlines);
    (start, deadlines, wheel)
}

/// The keeper came late: what is due already cannot come down, it is to be fired.
#[test]
fn what_is_left_of_a_dense_bucket_is_looked_at() {
    let (start, deadlines, mut wheel) = twenty_milliseconds();
    let mut entries = Entries::default();
    let early = wheel.next().unwrap();
    assert!(wheel.take(early, &mut entries).is_none());
    assert!(wheel.take_ahead(early, &mut entries).is_some());
    let now = start + 10_000_000;
    let (mut due, mut others) = (0, 0);
    let mut count = |entries: &[Entry]| {
        for entry in entries {
            match deadlines[entry.slot as usize] <= now {
                true => due += 1,
                false => others += 1,
            }
        }
    };
    while let Some((_, taken)) = wheel.take(now, &mut entries) {
        count(&entries[..taken]);
    }
    while let Some((_, taken)) = wheel.take_ahead(now, &mut entries) {
        count(&entries[..taken]);
    }
    assert_eq!(due, 10_001);
    assert!(others < 100, "{others} could have come down by themselves");
}

/// The keeper came so late that nothing of it was spread before its time.
#[test]
fn a_dense_bucket_that_has_come_up_comes_down_as_well() {
    let (start, deadlines, mut wheel) = twenty_milliseconds();
    let mut entries = Entries::default();
    let mut seen = std::vec![0; deadlines.len()];
    for (now, most) in [(start + 10_000_000, 10_100), (start + 20_000_000, 9_999)] {
        let mut looked_at = 0;
        while let Some((_, taken)) = wheel.take(now, &mut entries) {
            looked_at += taken;
            for entry in &entries[..taken] {
                let deadline = deadlines[entry.slot as usize];
                match deadline <= now {
                    true => seen[entry.slot as usize] += 1,
                    false => wheel.insert(wheel.place_of(deadline), entry.slot, deadline),
                }
            }
        }
        assert!(looked_at <= most, "{looked_at} looks at {now}");
    }
    assert!(seen.iter().all(|&times| times == 1));
}

/// In the middle of a pass the lower level is behind: what came down then would be taken for another time's.
#[test]
fn nothing_comes_down_to_where_the_level_below_does_not_reach() {
    let start = 9 << shift(1);
    let mut deadlines: Vec<u64> = (0..3_000).map(|n| start + n * 10_000).collect();
    deadlines.extend((1..60).map(|n| n * 1_000_000));
    let mut wheel = wheel(&deadlines);
    let mut entries = Entries::default();
    let mut seen = std::vec![false; deadlines.len()];
    let mut see = |origin: Origin, entries: &[Entry]| {
        for entry in entries {
            let deadline = deadlines[entry.slot as usize];
            let above = Place::of(locate(1, deadline >> shift(1)));
            assert!(deadline < start || origin.is(above), "it looks stale");
            seen[entry.slot as usize] = true;
        }
    };
    // Far behind: it has taken one timer of sixty.
    let now = start - 500_000;
    let (origin, taken) = wheel.take(now, &mut entries).unwrap();
    see(origin, &entries[..taken]);
    assert!(wheel.take_ahead(now, &mut entries).is_none());
    while let Some((origin, taken)) = wheel.take(now, &mut entries) {
        see(origin, &entries[..taken]);
    }
    while let Some((_, taken)) = wheel.take_ahead(now, &mut entries) {
        assert_eq!(taken, 0);
    }
    while let Some((origin, taken)) = wheel.take(2 * start, &mut entries) {
        see(origin, &entries[..taken]);
    }
    assert!(seen.iter().all(|&seen| seen));
}

/// A bucket of four seconds with a million timers must not keep those of 34 ms from coming down in time.
#[test]
fn the_lower_level_comes_down_first() {
    let start = 3 << shift(2);
    let number = (start >> shift(1)) - 1;
    let far: Vec<u64> = (0..200_000).map(|n| start + n * 20_000).collect();
    let mut wheel = wheel(&far);
    let mut entries = Entries::default();
    let near = number << shift(1);
    let now = near - 1_000_000;
    while wheel.take(now, &mut entries).is_some() {}
    assert!(wheel.take_ahead(now, &mut entries).is_some());
    // The far bucket is being spread. Meanwhile a near one gets dense.
    for slot in 0..3_000 {
        let deadline = near + u64::from(slot);
        wheel.insert(Place::of(locate(1, number)), 1_000_000 + slot, deadline);
    }
    let now = near - 1_000;
    while wheel.take(now, &mut entries).is_some() {}
    for _ in 0..3_000 / 24 {
        let (_, left) = wheel.take_ahead(now, &mut entries).unwrap();
        assert_eq!(left, 0, "the far one is in the way");
    }
    let (_, left) = wheel.take_ahead(now, &mut entries).unwrap();
    assert!(left > 0, "the far one is forgotten");
}
