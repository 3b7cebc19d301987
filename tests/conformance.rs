//! One suite that every source must pass. To run it against another: a `Harness`, and a line below.
//!
//! No test fails because the machine is slow. Time is asserted from below only; where a test needs a
//! timer to be still pending it is tried again with a longer one until it is (`in_time`); what must happen
//! is waited for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub
)]

#[path = "conformance/cancel.rs"]
mod cancel;
#[allow(dead_code, missing_docs, missing_debug_implementations)]
#[path = "../examples/custom_source.rs"]
mod custom_source;
#[path = "conformance/harness.rs"]
mod harness;
#[path = "conformance/panics.rs"]
mod panics;
#[path = "conformance/reentrant.rs"]
mod reentrant;
#[path = "conformance/reset.rs"]
mod reset;
#[path = "conformance/time.rs"]
mod time;
#[path = "conformance/wakers.rs"]
mod wakers;
#[path = "conformance/waking.rs"]
mod waking;

macro_rules! suite {
    ($($file:ident: $($test:ident)+;)+) => {
        macro_rules! run_against {
            ($source:ident, $harness:ty) => {
                mod $source {
                    $($(
                        #[test]
                        fn $test() {
                            crate::$file::$test::<$harness>();
                        }
                    )+)+
                }
            };
        }
    };
}

suite! {
    time:
        never_early
        never_early_when_awaited
        zero_completes_in_one_poll
        zero_completes_in_one_poll_while_the_keeper_is_busy
        past_deadlines_complete_in_one_poll
        duration_max_is_never_and_costs_nothing
        ready_stays_ready
        the_deadline_is_fixed_at_construction
        try_start_starts_without_a_poll
        many_timers_all_complete;
    waking:
        newest_waker_wins
        newest_waker_wins_across_threads
        newest_waker_wins_across_executors
        a_poll_with_nothing_new_clones_nothing
        a_ready_poll_stores_nothing
        one_wake_for_one_timer;
    cancel:
        drop_releases_the_waker_at_once
        completion_releases_the_waker
        a_newer_waker_releases_the_older_at_once
        a_dropped_timer_wakes_nobody
        a_timer_may_be_dropped_by_another_thread
        forget_is_harmless
        drop_before_the_first_poll_is_nothing;
    reset:
        reset_to_earlier
        reset_to_later
        reset_to_the_past
        reset_after_completion_starts_anew
        reset_to_never_and_back
        reset_before_the_first_poll
        reset_again_and_again;
    panics:
        panic_in_wake_costs_only_its_own_timer
        panic_in_clone_costs_only_its_own_timer
        panic_in_drop_costs_only_its_own_timer
        panic_in_drop_when_replaced_costs_only_its_own_timer;
    reentrant:
        a_waker_may_start_timers
        a_waker_may_reset_timers
        a_waker_may_drop_timers
        a_waker_may_drop_its_own_timer
        wakers_may_chain;
}

run_against!(thread_source, crate::harness::OwnThread);
run_against!(arc_of_thread_source, crate::harness::SharedThread);
run_against!(manual_source, crate::harness::Manual);
run_against!(arc_of_manual_source, crate::harness::SharedManual);
run_against!(interrupt_source, crate::harness::Interrupt);
run_against!(custom_source_of_ten_lines, crate::harness::Custom);
