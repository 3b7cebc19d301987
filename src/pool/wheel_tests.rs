//! When to look, and what stands in whose way: the wheel by itself. tests/model.rs has its whole behaviour.

#![allow(clippy::unwrap_used)]

use super::wheel::{shift, Wheel};
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
    let mut entries = [0; 30];
    assert!(wheel.take_ahead(early - 1, &mut entries).is_none());
    let (_, mut ahead) = wheel.take_ahead(early, &mut entries).unwrap();
    let now = start - 1_000_000;
    let mut pass = wheel.pass(now);
    let (_, taken) = wheel.take(&mut pass, &mut entries).unwrap();
    assert_eq!(entries[..taken], [5_000]);
    assert!(wheel.take(&mut pass, &mut entries).is_none());
    while let Some((_, taken)) = wheel.take_ahead(now, &mut entries) {
        ahead += taken;
    }
    assert_eq!(ahead, 5_000);
}
