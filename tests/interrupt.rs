//! `InterruptSource` with a simulated alarm: one test per behaviour.

mod interrupt_sim;

use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use interrupt_sim::{poll, waker_fn, Count, Sim};
use timer_future::{Alarm, CapacityError, InterruptSource, TimerFuture, TimerSource, NEVER};

type Source<const N: usize> = InterruptSource<Sim<32>, N>;

/// For wakers that use the source: they must be `'static`.
fn leaked<const N: usize>() -> &'static Source<N> {
    Box::leak(Box::new(Source::new(Sim::new())))
}

fn pass<const N: usize>(source: &Source<N>, ticks: u64) {
    source.alarm().pass(ticks);
    serve(source);
}

fn serve<const N: usize>(source: &Source<N>) {
    source.alarm().serve(|| source.on_interrupt());
}

fn poll_future<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

#[test]
fn a_lone_delay_costs_one_interrupt_and_is_on_time() {
    let source = &Source::<4>::new(Sim::new());
    let task = Count::new();
    let mut delay = TimerFuture::with_source(source, Duration::from_micros(99));
    assert!(poll_future(&mut delay, &task.waker()).is_pending());
    assert_eq!(delay.deadline(), 100, "99 ticks and the hidden one");
    assert_eq!(source.alarm().compare(), Some(100));
    assert_eq!(source.alarm().pends.get(), 0);

    pass(source, 99);
    assert_eq!((task.woken(), source.alarm().interrupts.get()), (0, 0));
    pass(source, 1);
    assert_eq!((task.woken(), source.alarm().interrupts.get()), (1, 1));
    assert!(poll_future(&mut delay, &task.waker()).is_ready());
    assert_eq!(
        source.alarm().compare(),
        None,
        "nothing is pending any more"
    );
    drop(delay);
    pass(source, 1_000);
    assert_eq!(source.alarm().interrupts.get(), 1);
}

fn a_lone_delay_after_a_cancelled_timeout_costs_one_interrupt<const N: usize>() {
    let source = &Source::<N>::new(Sim::new());
    for _ in 0..3 {
        drop(source.start(source.now() + 5_000).unwrap());
        let delay = source.start(source.now() + 100).unwrap();
        let before = source.alarm().interrupts.get();
        pass(source, 100);
        assert!(delay.is_complete());
        assert_eq!(source.alarm().interrupts.get(), before + 1);
    }
    assert_eq!(source.alarm().pends.get(), 0);
}

#[test]
fn a_cancelled_timeout_costs_a_lone_delay_no_interrupt() {
    a_lone_delay_after_a_cancelled_timeout_costs_one_interrupt::<1>();
    a_lone_delay_after_a_cancelled_timeout_costs_one_interrupt::<4>();
}

#[test]
fn the_earliest_timer_becomes_earlier_without_an_interrupt() {
    let source = &Source::<4>::new(Sim::new());
    let mut first = source.start(500).unwrap();
    let later = source.start(900).unwrap();
    for deadline in [400, 300, 200] {
        source.restart(&mut first, deadline).unwrap();
        assert_eq!(source.alarm().compare(), Some(deadline));
        assert_eq!(source.alarm().pends.get(), 0);
    }
    pass(source, 200);
    assert!(first.is_complete() && !later.is_complete());
    assert_eq!(source.alarm().interrupts.get(), 1);
    assert_eq!(source.alarm().compare(), Some(900));
}

#[test]
fn a_moved_first_timer_is_not_taken_for_the_alarm() {
    let source = &Source::<4>::new(Sim::new());
    let mut first = source.start(50).unwrap();
    let middle = source.start(200).unwrap();
    source.restart(&mut first, 500).unwrap(); // the alarm still rings at 50
    let late = source.start(300).unwrap();
    serve(source);
    assert!(source.alarm().compare() <= Some(200));
    pass(source, 200);
    assert!(middle.is_complete() && !late.is_complete());
}

#[test]
fn later_timers_do_not_touch_the_alarm() {
    let source = &Source::<4>::new(Sim::new());
    let _first = source.start(100).unwrap();
    let _later = source.start(200).unwrap();
    let _equal = source.start(100).unwrap();
    assert_eq!(
        (source.alarm().alarms_set.get(), source.alarm().pends.get()),
        (1, 0)
    );
}

#[test]
fn earlier_timers_move_the_alarm_without_an_interrupt() {
    let source = &Source::<8>::new(Sim::new());
    let timers: Vec<_> = (1..=8)
        .rev()
        .map(|at| source.start(at * 100).unwrap())
        .collect();
    assert_eq!(source.alarm().compare(), Some(100));
    assert_eq!(source.alarm().pends.get(), 0);
    for at in 1..=8 {
        pass(source, 100);
        let done = timers.iter().filter(|timer| timer.is_complete()).count();
        assert_eq!(done, at);
    }
    assert_eq!(source.alarm().interrupts.get(), 8);
}

#[test]
fn equal_deadlines_fire_in_start_order() {
    let source = leaked::<64>();
    let order = Rc::new(std::cell::RefCell::new(Vec::new()));
    let timers: Vec<_> = (0..64u64)
        .map(|at| {
            let timer = source.start(100 + at % 4).unwrap();
            let order = order.clone();
            assert!(!poll(
                &timer,
                &waker_fn(move || order.borrow_mut().push((at % 4, at)))
            ));
            timer
        })
        .collect();
    pass(source, 200);
    let mut sorted = order.borrow().clone();
    sorted.sort();
    assert_eq!(*order.borrow(), sorted);
    assert_eq!(sorted.len(), timers.len());
}

#[test]
fn a_past_deadline_is_complete_at_once() {
    let source = &Source::<4>::new(Sim::at(1_000));
    assert!(source.start(1_000).unwrap().is_complete());
    assert!(source.start(0).unwrap().is_complete());
    let mut delay = TimerFuture::with_deadline(source, 999);
    assert!(poll_future(&mut delay, Waker::noop()).is_ready());
    let mut zero = TimerFuture::with_source(source, Duration::ZERO);
    assert!(poll_future(&mut zero, Waker::noop()).is_ready());
    // Also while the interrupt is late.
    let _timer = source.start(1_100).unwrap();
    source.alarm().pass(200);
    assert!(source.start(1_150).unwrap().is_complete());
    serve(source);
    assert_eq!(source.next_deadline(), None);
}

#[test]
fn a_restart_into_the_past_wakes_the_stored_waker() {
    let source = &Source::<4>::new(Sim::at(1_000));
    let task = Count::new();
    let mut timer = source.start(5_000).unwrap();
    assert!(!poll(&timer, &task.waker()));
    source.restart(&mut timer, 10).unwrap();
    assert!(timer.is_complete());
    assert_eq!(task.woken(), 1);
}

#[test]
fn never_arms_nothing() {
    let source = &Source::<4>::new(Sim::new());
    let mut never = TimerFuture::with_source(source, Duration::MAX);
    assert!(poll_future(&mut never, Waker::noop()).is_pending());
    assert_eq!(
        (source.alarm().alarms_set.get(), source.alarm().pends.get()),
        (0, 0)
    );
    assert_eq!(source.next_deadline(), None);
    pass(source, 1 << 33);
    assert!(poll_future(&mut never, Waker::noop()).is_pending());
    // It is a timer all the same.
    never.reset_at((1 << 33) + 10);
    assert_eq!(source.alarm().compare(), Some((1 << 33) + 10));
    pass(source, 10);
    assert!(never.is_elapsed());
}

#[test]
fn a_reset_wakes_the_task_of_the_latest_poll_without_another() {
    let source = &Source::<4>::new(Sim::new());
    let (old, new) = (Count::new(), Count::new());
    let mut delay = TimerFuture::with_deadline(source, 100);
    assert!(poll_future(&mut delay, &old.waker()).is_pending());
    assert!(poll_future(&mut delay, &new.waker()).is_pending());
    assert_eq!(Arc::strong_count(&old), 1, "the old waker is gone");
    delay.reset_at(300);
    pass(source, 200);
    assert_eq!(new.woken(), 0);
    delay.reset_at(250);
    pass(source, 50);
    assert_eq!((old.woken(), new.woken()), (0, 1));
    assert!(poll_future(&mut delay, &new.waker()).is_ready());
}

#[test]
fn a_drop_releases_the_waker_at_once_and_tells_nobody() {
    let source = &Source::<4>::new(Sim::new());
    let task = Count::new();
    let mut delay = TimerFuture::with_deadline(source, 100);
    assert!(poll_future(&mut delay, &task.waker()).is_pending());
    let (alarms, pends) = (source.alarm().alarms_set.get(), source.alarm().pends.get());
    drop(delay);
    assert_eq!(Arc::strong_count(&task), 1);
    assert_eq!(
        (alarms, pends),
        (source.alarm().alarms_set.get(), source.alarm().pends.get())
    );
    assert_eq!(source.next_deadline(), None);
    pass(source, 1_000);
    assert_eq!(task.woken(), 0);
}

#[test]
fn cancelled_timeouts_neither_wake_nor_pend() {
    let source = &Source::<8>::new(Sim::new());
    for _ in 0..1_000 {
        let timeout = source.start(source.now() + 30_000).unwrap();
        let delay = source.start(source.now() + 10).unwrap();
        pass(source, 10);
        assert!(delay.is_complete());
        drop(timeout);
    }
    let sim = source.alarm();
    assert_eq!(sim.pends.get(), 0);
    assert_eq!(sim.interrupts.get(), 1_000, "one for each delay");
}

#[test]
fn a_cancelled_crowd_costs_one_interrupt() {
    let source = &Source::<32>::new(Sim::new());
    drop((1..=32).map(|at| source.start(at * 10)).collect::<Vec<_>>());
    pass(source, 1_000);
    assert!(source.alarm().interrupts.get() <= 1);
    let crowd: Vec<_> = (1..=32)
        .map(|at| source.start(2_000 + at * 10).unwrap())
        .collect();
    pass(source, 1_005); // all are in order
    let served = source.alarm().interrupts.get();
    drop(crowd);
    pass(source, 10_000);
    assert!(source.alarm().interrupts.get() <= served + 1);
}

#[test]
fn exhaustion_is_an_error_and_a_count_and_evicts_nobody() {
    let source = &Source::<2>::new(Sim::new());
    let held = [source.start(100).unwrap(), source.start(NEVER).unwrap()];
    assert_eq!(source.shortages(), 0);
    let mut extra = TimerFuture::with_deadline(source, 50);
    assert_eq!(extra.try_start(), Err(CapacityError::new()));
    assert_eq!(source.shortages(), 1);
    // Awaited all the same, it keeps itself scheduled and completes on time.
    let task = Count::new();
    assert!(poll_future(&mut extra, &task.waker()).is_pending());
    assert_eq!(task.woken(), 1);
    pass(source, 50);
    assert!(poll_future(&mut extra, &task.waker()).is_ready());
    assert!(!held[0].is_complete());
    pass(source, 50);
    assert!(held[0].is_complete());
    drop(held);
    assert!(source.start(1_000).is_ok());
}

#[test]
fn no_slots_at_all_still_keeps_time() {
    let source = &Source::<0>::new(Sim::new());
    assert!(source.start(10).is_err());
    let mut delay = TimerFuture::with_deadline(source, 50);
    assert!(poll_future(&mut delay, Waker::noop()).is_pending());
    source.on_interrupt();
    source.alarm().pass(50);
    assert!(poll_future(&mut delay, Waker::noop()).is_ready());
    assert_eq!(source.next_deadline(), None);
}

#[test]
fn one_slot_serves_one_timer_after_another() {
    let source = &Source::<1>::new(Sim::new());
    for at in 1..100 {
        let timer = source.start(at * 10).unwrap();
        assert!(source.start(5).is_err());
        pass(source, 9);
        assert!(!timer.is_complete());
        pass(source, 1);
        assert!(timer.is_complete());
    }
    assert_eq!(source.alarm().interrupts.get(), 99);
}

#[test]
fn three_hundred_slots_all_fire_on_time() {
    let source = &Source::<300>::new(Sim::new());
    // A permutation: 8 and 301 have no common factor.
    let timers: Vec<_> = (1..=300u64)
        .map(|i| source.start(i * 8 % 301 * 5).unwrap())
        .collect();
    assert!(source.start(1).is_err());
    for now in 0..=1_500 {
        for (i, timer) in (1..).zip(&timers) {
            assert_eq!(timer.is_complete(), i * 8 % 301 * 5 <= now);
        }
        pass(source, 1);
    }
    assert_eq!(source.alarm().interrupts.get(), 300);
}

#[test]
fn a_forgotten_timer_costs_its_slot_and_nothing_else() {
    let source = &Source::<2>::new(Sim::new());
    std::mem::forget(source.start(100).unwrap());
    let timer = source.start(200).unwrap();
    pass(source, 200);
    assert!(timer.is_complete());
    drop(timer);
    assert!(source.start(300).is_ok());
}

#[test]
fn a_waker_may_start_reset_and_drop_timers() {
    let source = leaked::<4>();
    let chain = Rc::new(std::cell::RefCell::new((
        Vec::new(),
        source.start(NEVER).unwrap(),
    )));
    let other = Rc::new(std::cell::RefCell::new(Some(source.start(150).unwrap())));
    let first = source.start(100).unwrap();
    let (inner, dropped) = (chain.clone(), other.clone());
    let waker = waker_fn(move || {
        let mut chain = inner.borrow_mut();
        dropped.borrow_mut().take();
        chain.0.push(source.start(120).unwrap());
        chain.0.push(source.start(50).unwrap());
        source.restart(&mut chain.1, 110).unwrap();
        source.on_interrupt(); // nested
    });
    assert!(!poll(&first, &waker));
    pass(source, 100);
    assert!(first.is_complete());
    assert!(chain.borrow().0[1].is_complete(), "it was past");
    assert_eq!(source.next_deadline(), Some(110));
    assert_eq!(source.alarm().compare(), Some(110));
    pass(source, 10);
    assert!(chain.borrow().1.is_complete());
    pass(source, 10);
    assert!(chain.borrow().0[0].is_complete());
    assert!(other.borrow().is_none());
    assert_eq!(source.next_deadline(), None);
}

#[test]
fn a_waker_may_start_anew_in_the_slot_of_its_own_timer() {
    let source = leaked::<1>();
    let slot = Rc::new(std::cell::RefCell::new(None));
    let again = slot.clone();
    let waker = waker_fn(move || {
        drop(again.take());
        *again.borrow_mut() = Some(source.start(source.now() + 10).unwrap());
    });
    let timer = source.start(10).unwrap();
    assert!(!poll(&timer, &waker));
    *slot.borrow_mut() = Some(timer);
    pass(source, 10);
    assert!(!slot.borrow().as_ref().unwrap().is_complete());
    assert_eq!(
        source.alarm().interrupts.get(),
        2,
        "one more, for what was started inside"
    );
    assert_eq!(source.alarm().compare(), Some(20));
    pass(source, 10);
    assert!(slot.borrow().as_ref().unwrap().is_complete());
    assert_eq!(source.shortages(), 0);
}

#[test]
fn a_waker_that_restarts_its_own_timer_for_now_does_not_hold_the_handler() {
    let source = leaked::<2>();
    let slot = Rc::new(std::cell::RefCell::new(None));
    let again = slot.clone();
    let waker = waker_fn(move || {
        let mut timer = again.borrow_mut();
        let timer = timer.as_mut().unwrap();
        source.restart(timer, source.now()).unwrap();
    });
    let timer = source.start(10).unwrap();
    assert!(!poll(&timer, &waker));
    *slot.borrow_mut() = Some(timer);
    source.alarm().pass(10);
    source.alarm().pending.set(false);
    source.on_interrupt(); // returns
    assert!(slot.borrow().as_ref().unwrap().is_complete());
}

#[test]
fn a_panicking_waker_costs_only_its_own_timer() {
    let source = leaked::<4>();
    let task = Count::new();
    let bad = source.start(100).unwrap();
    let good = source.start(100).unwrap();
    let later = source.start(200).unwrap();
    assert!(!poll(
        &bad,
        &waker_fn(|| panic!("a waker panics, on purpose"))
    ));
    assert!(!poll(&good, &task.waker()));
    source.alarm().pass(100);
    source.alarm().pending.set(false);
    assert!(catch_unwind(AssertUnwindSafe(|| source.on_interrupt())).is_err());
    assert!(bad.is_complete());
    serve(source); // it has pended itself
    assert_eq!(task.woken(), 1);
    assert!(good.is_complete());
    assert_eq!(source.alarm().compare(), Some(200));
    pass(source, 100);
    assert!(later.is_complete());
}

#[test]
fn a_slot_with_a_stuck_waker_is_retired() {
    struct DropBomb;
    // Not `Waker::noop()`: the drop is what counts.
    impl std::task::Wake for DropBomb {
        fn wake(self: Arc<Self>) {
            drop(self);
        }
    }
    impl Drop for DropBomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("a waker panics when dropped, on purpose");
            }
        }
    }
    let source = &Source::<2>::new(Sim::new());
    let timer = source.start(100).unwrap();
    let bomb: Waker = Arc::new(DropBomb).into();
    assert!(!poll(&timer, &bomb));
    drop(bomb); // the stored one is the last
                // Replacing it panics in the middle of `register`.
    assert!(catch_unwind(AssertUnwindSafe(|| poll(&timer, Waker::noop()))).is_err());
    drop(timer);
    let task = Count::new();
    let next = source.start(100).unwrap();
    assert!(!poll(&next, &task.waker()));
    assert!(source.start(100).is_err(), "the other slot can wake nobody");
    pass(source, 100);
    assert_eq!(task.woken(), 1);
}

#[test]
fn a_handler_called_for_nothing_changes_nothing() {
    let source = &Source::<4>::new(Sim::new());
    source.on_interrupt();
    let timers = [source.start(100).unwrap(), source.start(50).unwrap()];
    for _ in 0..10 {
        source.on_interrupt();
        source.on_interrupt();
        assert_eq!(source.alarm().compare(), Some(50));
    }
    assert!(!timers[0].is_complete() && !timers[1].is_complete());
}

#[test]
fn a_handle_is_small_and_the_source_lives_in_a_static() {
    fn sync<T: Sync>() {}
    sync::<InterruptSource<Plain, 4>>();
    struct Plain;
    impl Alarm for Plain {
        const TICK_HZ: u64 = 32_768;
        fn now(&self) -> u64 {
            0
        }
        fn set_alarm(&self, _: Option<u64>) {}
        fn pend(&self) {}
    }
    static SOURCE: InterruptSource<Plain, 4> = InterruptSource::new(Plain);
    assert_eq!(SOURCE.next_deadline(), None);
    assert!(format!("{SOURCE:?}").contains("InterruptSource"));
    let word = size_of::<usize>();
    assert!(size_of_val(&(&SOURCE).start(5).unwrap()) <= 3 * word);
}

#[test]
fn timeouts_that_were_all_moved_keep_their_order() {
    let source = leaked::<32>();
    let order = Rc::new(std::cell::RefCell::new(Vec::new()));
    let mut timers: Vec<_> = (0..32).map(|i| source.start(100 + i).unwrap()).collect();
    source.on_interrupt(); // all have their places
    for (i, timer) in (0u64..).zip(&mut timers) {
        source.restart(timer, 1_000 + i * 7 % 32 / 2).unwrap();
        let order = order.clone();
        let waker = waker_fn(move || order.borrow_mut().push(i * 7 % 32 / 2));
        assert!(!poll(timer, &waker));
    }
    pass(source, 100);
    assert_eq!(source.alarm().compare(), Some(1_000));
    assert_eq!(source.alarm().interrupts.get(), 1);
    pass(source, 1_000);
    assert!(order.borrow().is_sorted());
    assert_eq!(order.borrow().len(), 32);
}
