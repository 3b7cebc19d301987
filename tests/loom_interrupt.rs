//! `InterruptSource` and `WideCounter` under loom: all interleavings of two contexts, by the public API alone.
//!
//! ```sh
//! RUSTFLAGS="--cfg timer_future_loom" cargo test --profile loom --no-default-features --test loom_interrupt
//! ```
#![cfg(timer_future_loom)]

use std::sync::atomic::{AtomicUsize as StdUsize, Ordering::SeqCst as Seq};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use loom::thread;
use timer_future::{Alarm, InterruptSource, InterruptTimer, TimerSource, WideCounter, NEVER};

/// Registers that every context sees in one order, as a device's are: read-modify-writes are the only
/// accesses that loom orders like that.
struct Device {
    time: StdUsize,
    compare: AtomicU64,
    pended: AtomicU32,
}

impl Device {
    fn at(time: usize) -> Self {
        Self {
            time: StdUsize::new(time),
            compare: AtomicU64::new(NEVER),
            pended: AtomicU32::new(0),
        }
    }
}

impl Alarm for Device {
    const TICK_HZ: u64 = 1_000;
    fn now(&self) -> u64 {
        self.time.load(Seq) as u64
    }
    fn set_alarm(&self, deadline: Option<u64>) {
        self.compare.swap(deadline.unwrap_or(NEVER), SeqCst);
    }
    fn pend(&self) {
        self.pended.swap(1, SeqCst);
    }
}

type Source<const N: usize> = &'static InterruptSource<Device, N>;

fn source<const N: usize>(time: usize) -> Source<N> {
    Box::leak(Box::new(InterruptSource::new(Device::at(time))))
}

/// The interrupts that were asked for.
fn serve<const N: usize>(source: Source<N>) {
    while source.alarm().pended.swap(0, SeqCst) != 0 {
        source.on_interrupt();
    }
}

fn alarm<const N: usize>(source: Source<N>) -> u64 {
    source.alarm().compare.fetch_add(0, SeqCst)
}

/// Time passes; the interrupt comes if the alarm says so.
fn pass_to<const N: usize>(source: Source<N>, time: usize) {
    source.alarm().time.store(time, Seq);
    if alarm(source) <= time as u64 {
        source.on_interrupt();
    }
    serve(source);
}

struct Count(StdUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Seq);
    }
}

fn task() -> (Arc<Count>, Waker) {
    let count = Arc::new(Count(StdUsize::new(0)));
    (count.clone(), count.into())
}

fn poll<const N: usize>(timer: &InterruptTimer<'static, Device, N>, waker: &Waker) -> bool {
    timer
        .poll_complete(&mut Context::from_waker(waker))
        .is_ready()
}

fn model(run: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(run);
}

/// The handler beside a client. Which of the two is the model's first thread matters: loom begins with it,
/// and does not try everything that the other could have done before.
fn beside_the_handler<const N: usize, T: Send + 'static>(
    source: Source<N>,
    first: bool,
    client: impl FnOnce() -> T + Send + 'static,
) -> T {
    beside(move || source.on_interrupt(), first, client)
}

fn beside<T: Send + 'static>(
    handler: impl FnOnce() + Send + 'static,
    first: bool,
    client: impl FnOnce() -> T + Send + 'static,
) -> T {
    if first {
        let client = thread::spawn(client);
        handler();
        client.join().unwrap()
    } else {
        let handler = thread::spawn(handler);
        let done = client();
        handler.join().unwrap();
        done
    }
}

/// With the handler second, and first.
fn both_ways(run: impl Fn(bool) + Sync + Send + Copy + 'static) {
    model(move || run(false));
    model(move || run(true));
}

#[test]
fn an_arm_is_seen_or_kicks() {
    both_ways(|first| {
        let source = source::<2>(0);
        let timer = beside_the_handler(source, first, move || source.start(5).unwrap());
        serve(source);
        assert_eq!(alarm(source), 5);
        pass_to(source, 5);
        assert!(timer.is_complete());
    });
}

/// The waker is in the slot before anybody knows the timer; the slot is one that was just given back.
#[test]
fn a_first_poll_is_ready_or_woken() {
    both_ways(|handler_first| {
        let source = source::<1>(0);
        let old = source.start(4).unwrap();
        source.alarm().time.store(4, Seq);
        source.on_interrupt();
        let (count, waker) = task();
        let client = move || {
            drop(old);
            let (timer, poll) = source
                .start_polled(5, &mut Context::from_waker(&waker))
                .unwrap();
            (timer, poll.is_ready())
        };
        let handler = move || {
            source.alarm().time.store(5, Seq);
            source.on_interrupt();
        };
        let (timer, ready) = beside(handler, handler_first, client);
        serve(source);
        pass_to(source, 5);
        assert!(timer.is_complete());
        let woken = count.0.load(Seq);
        assert!(ready || woken == 1, "lost");
        assert!(woken <= 1);
        drop(timer);
        assert_eq!(Arc::strong_count(&count), 1, "the waker is kept");
    });
}

#[test]
fn a_later_arm_is_seen_or_kicks() {
    both_ways(|handler_first| {
        let source = source::<2>(0);
        let first = source.start(5).unwrap();
        source.alarm().time.store(5, Seq);
        // It fires the first, and leaves without an alarm, if it does not see the other.
        let arm = move || source.start(7).unwrap();
        let later = beside_the_handler(source, handler_first, arm);
        serve(source);
        assert!(first.is_complete() && !later.is_complete());
        assert_eq!(alarm(source), 7);
        pass_to(source, 7);
        assert!(later.is_complete());
    });
}

#[test]
fn two_later_arms_are_both_seen() {
    both_ways(|handler_first| {
        let source = source::<3>(0);
        let first = source.start(5).unwrap();
        let arm = move || (source.start(9).unwrap(), source.start(7).unwrap());
        let (last, middle) = beside_the_handler(source, handler_first, arm);
        serve(source);
        for (time, timer) in [(5, first), (7, middle), (9, last)] {
            assert!(alarm(source) <= time as u64);
            pass_to(source, time);
            assert!(timer.is_complete());
        }
    });
}

#[test]
fn two_arms_in_the_inbox_are_both_seen() {
    model(|| {
        let source = source::<2>(0);
        let handler = thread::spawn(move || source.on_interrupt());
        let (later, earlier) = (source.start(7).unwrap(), source.start(5).unwrap());
        handler.join().unwrap();
        serve(source);
        assert_eq!(alarm(source), 5);
        pass_to(source, 5);
        assert!(earlier.is_complete() && !later.is_complete());
        assert_eq!(alarm(source), 7);
        pass_to(source, 7);
        assert!(later.is_complete());
    });
}

#[test]
fn an_arm_in_a_recycled_slot_is_seen_or_kicks() {
    model(|| {
        let source = source::<1>(0);
        drop(source.start(9).unwrap());
        source.on_interrupt();
        let later = source.start(20).unwrap();
        source.on_interrupt(); // in the order, at 20
        drop(later);
        let handler = thread::spawn(move || source.on_interrupt());
        let timer = source.start(5).unwrap();
        handler.join().unwrap();
        serve(source);
        assert!(alarm(source) <= 5);
        pass_to(source, 5);
        assert!(timer.is_complete());
    });
}

#[test]
fn two_earliest_arms_leave_the_earlier_alarm() {
    model(|| {
        let source = source::<3>(0);
        let last = source.start(9).unwrap();
        let other = thread::spawn(move || source.start(5).unwrap());
        let second = source.start(7).unwrap();
        let first = other.join().unwrap();
        serve(source);
        assert_eq!(alarm(source), 5);
        pass_to(source, 5);
        assert!(first.is_complete() && !second.is_complete());
        assert_eq!(alarm(source), 7);
        pass_to(source, 7);
        assert!(second.is_complete() && !last.is_complete());
        pass_to(source, 9);
        assert!(last.is_complete());
    });
}

#[test]
fn an_earliest_arm_racing_the_handler_loses_nobody() {
    both_ways(|first| {
        let source = source::<3>(0);
        let later = source.start(20).unwrap();
        source.on_interrupt(); // it has its place
        let earliest = beside_the_handler(source, first, move || source.start(5).unwrap());
        serve(source);
        assert_eq!(alarm(source), 5);
        pass_to(source, 5);
        assert!(earliest.is_complete() && !later.is_complete());
        assert_eq!(alarm(source), 20);
        pass_to(source, 20);
        assert!(later.is_complete());
    });
}

#[test]
fn an_earliest_arm_that_fires_at_once_loses_nobody() {
    model(|| {
        let source = source::<2>(0);
        let later = source.start(20).unwrap();
        source.on_interrupt(); // it has its place
        let handler = thread::spawn(move || {
            source.alarm().time.store(5, Seq);
            source.on_interrupt();
        });
        let earliest = source.start(5).unwrap();
        handler.join().unwrap();
        serve(source);
        assert!(earliest.is_complete() && !later.is_complete());
        assert_eq!(alarm(source), 20);
        pass_to(source, 20);
        assert!(later.is_complete());
    });
}

#[test]
fn a_second_handler_does_not_wipe_out_a_request() {
    model(|| {
        let source = source::<2>(0);
        let handlers = [(); 2].map(|()| thread::spawn(move || source.on_interrupt()));
        let timer = source.start(5).unwrap();
        for handler in handlers {
            handler.join().unwrap();
        }
        serve(source);
        assert_eq!(alarm(source), 5);
        pass_to(source, 5);
        assert!(timer.is_complete());
    });
}

#[test]
fn a_dropped_head_takes_nobody_with_it() {
    both_ways(|first| {
        let source = source::<3>(0);
        let head = source.start(5).unwrap();
        let later = source.start(20).unwrap();
        source.alarm().time.store(5, Seq);
        let middle = beside_the_handler(source, first, move || {
            drop(head);
            source.start(10).unwrap()
        });
        serve(source);
        assert!(alarm(source) <= 10);
        pass_to(source, 10);
        assert!(middle.is_complete() && !later.is_complete());
        pass_to(source, 20);
        assert!(later.is_complete());
    });
}

#[test]
fn a_head_that_becomes_earlier_races_the_handler() {
    both_ways(|first| {
        let source = source::<2>(0);
        let mut head = source.start(20).unwrap();
        let later = source.start(30).unwrap();
        let head = beside_the_handler(source, first, move || {
            source.restart(&mut head, 5).unwrap();
            head
        });
        serve(source);
        assert_eq!(alarm(source), 5);
        pass_to(source, 5);
        assert!(head.is_complete() && !later.is_complete());
        assert_eq!(alarm(source), 30);
    });
}

#[test]
fn a_head_that_becomes_earlier_races_an_earliest_arm() {
    model(|| {
        let source = source::<3>(0);
        let mut head = source.start(20).unwrap();
        let later = source.start(30).unwrap();
        source.on_interrupt(); // both have their places
        let other = thread::spawn(move || source.start(7).unwrap());
        source.restart(&mut head, 5).unwrap();
        let other = other.join().unwrap();
        serve(source);
        assert_eq!(alarm(source), 5);
        pass_to(source, 5);
        assert!(head.is_complete() && !other.is_complete());
        pass_to(source, 7);
        assert!(other.is_complete() && !later.is_complete());
        pass_to(source, 30);
        assert!(later.is_complete());
    });
}

#[test]
fn a_timer_moved_twice_while_the_order_is_mended_is_on_time() {
    model(|| {
        let source = source::<2>(0);
        let first = source.start(18).unwrap();
        let mut moved = source.start(20).unwrap();
        source.on_interrupt(); // both have their places
        source.restart(&mut moved, 10).unwrap();
        let handler = thread::spawn(move || source.on_interrupt());
        source.restart(&mut moved, 15).unwrap();
        handler.join().unwrap();
        serve(source);
        assert!(alarm(source) <= 15);
        for time in [10, 15] {
            pass_to(source, time);
        }
        assert!(moved.is_complete() && !first.is_complete());
    });
}

#[test]
fn a_slot_given_up_while_it_fires_has_one_next_owner() {
    model(|| {
        let source = source::<1>(0);
        let timer = source.start(5).unwrap();
        source.alarm().time.store(5, Seq);
        let handler = thread::spawn(move || source.on_interrupt());
        drop(timer);
        let next = [source.start(NEVER), source.start(NEVER)];
        handler.join().unwrap();
        assert!(next.iter().filter(|next| next.is_ok()).count() <= 1);
        drop(next);
        serve(source);
        assert!(source.start(NEVER).is_ok(), "the slot is lost");
    });
}

#[test]
fn a_head_that_comes_back_is_another() {
    model(|| {
        let source = source::<2>(0);
        let mut first = source.start(90).unwrap();
        source.on_interrupt(); // it is the head, and the alarm rings at 90
        let other = thread::spawn(move || source.start(50).unwrap());
        // It is the head again, and the alarm rings earlier.
        source.restart(&mut first, 10).unwrap();
        source.on_interrupt();
        let other = other.join().unwrap();
        serve(source);
        assert_eq!(alarm(source), 10);
        pass_to(source, 10);
        assert!(first.is_complete() && !other.is_complete());
        assert_eq!(alarm(source), 50);
        pass_to(source, 50);
        assert!(other.is_complete());
    });
}

#[test]
fn a_moved_head_does_not_hide_what_comes_before_it() {
    model(|| {
        let source = source::<2>(0);
        let mut head = source.start(5).unwrap();
        let other = source.start(20).unwrap();
        source.on_interrupt(); // both have their places
        source.restart(&mut head, 50).unwrap();
        let handler = thread::spawn(move || source.on_interrupt());
        source.restart(&mut head, 30).unwrap();
        handler.join().unwrap();
        serve(source);
        assert!(alarm(source) <= 20);
        for time in [5, 20] {
            pass_to(source, time);
        }
        assert!(other.is_complete() && !head.is_complete());
        pass_to(source, 30);
        assert!(head.is_complete());
    });
}

#[test]
fn a_timer_moved_before_another_is_on_time() {
    model(|| {
        let source = source::<2>(0);
        let first = source.start(18).unwrap();
        let mut moved = source.start(20).unwrap();
        source.on_interrupt(); // both have their places
        let handler = thread::spawn(move || source.on_interrupt());
        source.restart(&mut moved, 10).unwrap();
        handler.join().unwrap();
        serve(source);
        assert_eq!(alarm(source), 10);
        pass_to(source, 10);
        assert!(moved.is_complete() && !first.is_complete());
    });
}

#[test]
fn a_fired_timer_keeps_its_slot() {
    model(|| {
        let source = source::<1>(0);
        let timer = source.start(5).unwrap();
        source.alarm().time.store(5, Seq);
        let handler = thread::spawn(move || source.on_interrupt());
        assert!(source.start(9).is_err(), "the slot is not free");
        handler.join().unwrap();
        assert!(source.start(9).is_err(), "the slot is not free");
        assert!(timer.is_complete());
    });
}

#[test]
fn an_arm_beside_a_cancelled_and_rearmed_head_is_on_time() {
    model(|| {
        let source = source::<3>(0);
        let mut head = source.start(5).unwrap();
        let middle = source.start(20).unwrap();
        // The head moves behind `middle`, and another is armed between the two ends.
        let other = thread::spawn(move || source.start(30).unwrap());
        source.restart(&mut head, 50).unwrap();
        let late = other.join().unwrap();
        serve(source);
        assert!(alarm(source) <= 20);
        for time in [5, 20] {
            pass_to(source, time);
        }
        assert!(middle.is_complete() && !late.is_complete());
    });
}

#[test]
fn a_drop_racing_the_handler_frees_the_slot() {
    both_ways(|first| {
        let source = source::<1>(0);
        let timer = source.start(5).unwrap();
        let (count, waker) = task();
        assert!(!poll(&timer, &waker));
        drop(waker);
        source.alarm().time.store(5, Seq);
        beside_the_handler(source, first, move || drop(timer));
        serve(source);
        assert_eq!(Arc::strong_count(&count), 1, "the waker is released");
        let next = source.start(9).unwrap();
        assert!(!next.is_complete());
        pass_to(source, 9);
        assert!(next.is_complete());
    });
}

#[test]
fn a_recycled_slot_is_not_completed_by_a_late_handler() {
    model(|| {
        let source = source::<1>(0);
        let timer = source.start(5).unwrap();
        source.alarm().time.store(5, Seq);
        let handler = thread::spawn(move || source.on_interrupt());
        drop(timer);
        if let Ok(next) = source.start(100) {
            assert!(!next.is_complete());
            handler.join().unwrap();
            serve(source);
            assert!(!next.is_complete());
            assert!(alarm(source) <= 100);
        } else {
            handler.join().unwrap();
        }
    });
}

#[test]
fn a_restart_racing_the_handler_keeps_the_task() {
    model(|| {
        let source = source::<2>(0);
        let mut timer = source.start(5).unwrap();
        let (count, waker) = task();
        assert!(!poll(&timer, &waker));
        source.alarm().time.store(5, Seq);
        let handler = thread::spawn(move || source.on_interrupt());
        source.restart(&mut timer, 50).unwrap();
        handler.join().unwrap();
        serve(source);
        assert!(!timer.is_complete(), "early");
        if count.0.load(Seq) > 0 {
            // Woken for the old deadline: the task polls.
            assert!(!poll(&timer, &waker));
        }
        let before = count.0.load(Seq);
        pass_to(source, 50);
        assert!(timer.is_complete());
        assert_eq!(count.0.load(Seq), before + 1);
    });
}

#[test]
fn rearming_is_never_read_torn() {
    model(|| {
        let source = source::<1>(10);
        // Both halves change. Half of the one with half of the other is 0, or later than both.
        let mut timer = source.start(0xffff_ffff).unwrap();
        let handler = thread::spawn(move || {
            source.on_interrupt();
            let alarm = alarm(source);
            assert!(alarm == NEVER || (0xffff_ffff..=1 << 32).contains(&alarm));
        });
        source.restart(&mut timer, 1 << 32).unwrap();
        handler.join().unwrap();
        serve(source);
        assert!(!timer.is_complete());
        assert!((0xffff_ffff..=1 << 32).contains(&alarm(source)));
    });
}

#[test]
fn rearming_for_earlier_is_never_read_torn() {
    model(|| {
        let source = source::<1>(10);
        // Half of the one with half of the other is 0, which is past.
        let mut timer = source.start(1 << 32).unwrap();
        let handler = thread::spawn(move || source.on_interrupt());
        source.restart(&mut timer, 0xffff_ffff).unwrap();
        handler.join().unwrap();
        serve(source);
        assert!(!timer.is_complete());
        assert_eq!(alarm(source), 0xffff_ffff);
    });
}

#[test]
fn a_moving_first_timer_does_not_hide_the_second() {
    model(|| {
        let source = source::<2>(0);
        let mut first = source.start(5).unwrap();
        let second = source.start(20).unwrap();
        source.on_interrupt(); // both have their places
        let handler = thread::spawn(move || {
            source.on_interrupt();
            // At once, not only after the other context was kind enough to go on.
            assert!(alarm(source) <= 20);
        });
        source.restart(&mut first, 50).unwrap();
        handler.join().unwrap();
        serve(source);
        assert!(alarm(source) <= 20);
        for time in [5, 20] {
            pass_to(source, time);
        }
        assert!(second.is_complete() && !first.is_complete());
    });
}

#[test]
fn a_timer_that_is_just_being_moved_is_not_buried() {
    model(|| {
        let source = source::<3>(0);
        let mut moved = source.start(3).unwrap();
        let _last = source.start(10).unwrap();
        source.on_interrupt(); // both have their places
        let other = thread::spawn(move || {
            source.restart(&mut moved, 5).unwrap();
            moved
        });
        source.on_interrupt();
        let _earliest = source.start(7).unwrap();
        source.on_interrupt();
        let moved = other.join().unwrap();
        serve(source);
        assert!(alarm(source) <= 5);
        for time in [3, 5] {
            pass_to(source, time);
        }
        assert!(moved.is_complete());
    });
}

#[test]
fn the_published_alarm_is_never_read_torn() {
    model(|| {
        let source = source::<3>(0);
        let before = source.start(0xffff_ffff).unwrap();
        let _after = source.start(1 << 32).unwrap();
        source.on_interrupt(); // publishes the one
        drop(before);
        // ... and now the other. Half of the one with half of the other is 0, before everything.
        let handler = thread::spawn(move || source.on_interrupt());
        let timer = source.start(5).unwrap();
        handler.join().unwrap();
        serve(source);
        assert!(alarm(source) <= 5);
        pass_to(source, 5);
        assert!(timer.is_complete());
    });
}

#[test]
fn two_handlers_lose_nothing() {
    model(|| {
        let source = source::<2>(0);
        let timer = source.start(5).unwrap();
        let later = source.start(7).unwrap();
        let (count, waker) = task();
        assert!(!poll(&timer, &waker));
        source.alarm().time.store(5, Seq);
        let handler = thread::spawn(move || source.on_interrupt());
        source.on_interrupt();
        handler.join().unwrap();
        assert!(timer.is_complete() && !later.is_complete());
        assert_eq!(count.0.load(Seq), 1);
        serve(source);
        assert_eq!(alarm(source), 7);
    });
}

#[test]
fn a_poll_racing_the_handler_is_ready_or_woken() {
    model(|| {
        let source = source::<1>(0);
        let timer = source.start(5).unwrap();
        let (old, old_waker) = task();
        assert!(!poll(&timer, &old_waker));
        source.alarm().time.store(5, Seq);
        let handler = thread::spawn(move || source.on_interrupt());
        let (count, waker) = task();
        let ready = poll(&timer, &waker);
        handler.join().unwrap();
        assert!(timer.is_complete());
        assert!(ready || count.0.load(Seq) == 1);
        drop((old, old_waker));
    });
}

#[test]
fn two_claims_take_two_slots() {
    model(|| {
        let source = source::<2>(0);
        let other = thread::spawn(move || source.start(7).unwrap());
        let mine = source.start(NEVER).unwrap();
        let other = other.join().unwrap();
        assert!(source.start(9).is_err());
        pass_to(source, 7);
        assert!(other.is_complete() && !mine.is_complete());
    });
}

#[test]
fn two_readers_never_see_time_run_backwards() {
    model(|| {
        let shared = Arc::new((WideCounter::<8>::new(), AtomicU32::new(0x7e)));
        let read = |shared: &(WideCounter<8>, AtomicU32)| {
            shared.0.now(|| shared.1.fetch_add(0, SeqCst) & 0xff)
        };
        let inner = shared.clone();
        let other = thread::spawn(move || {
            // Across the half, served; then across the wrap, not yet.
            inner.1.fetch_add(4, SeqCst);
            assert_eq!(read(&inner), 0x82);
            inner.1.fetch_add(0x80, SeqCst);
        });
        let (first, second) = (read(&shared), read(&shared));
        assert!(first <= second, "{first:x} {second:x}");
        assert!([0x7e, 0x82, 0x102].contains(&first));
        other.join().unwrap();
        assert_eq!(read(&shared), 0x102);
    });
}
