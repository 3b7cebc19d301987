//! embassy-time with its integrated queue, whose items are in the tasks of embassy-executor.
#![no_std]
#![no_main]

#[path = "../embassy_host.rs"]
mod host;

use core::cell::RefCell;
use core::future::poll_fn;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Poll, Waker};

use bench::contender::three_delays;
use bench::Contender;
use critical_section::Mutex;
use embassy_time::{Duration, Instant, Timer};
use embassy_time_queue_utils::queue_integrated::Queue;

bench::embassy_driver!(Queue);

/// As many tasks as there are timers: each has room for one.
const TASKS: usize = 42;

static WAKERS: Mutex<RefCell<[Option<Waker>; TASKS]>> =
    Mutex::new(RefCell::new([const { None }; TASKS]));

/// Lends its waker, and with it its place in the timer queue.
#[embassy_executor::task(pool_size = TASKS)]
async fn sleeper(i: usize) {
    poll_fn(|cx| {
        critical_section::with(|cs| WAKERS.borrow_ref_mut(cs)[i] = Some(cx.waker().clone()));
        Poll::<()>::Pending
    })
    .await;
}

static GO: AtomicBool = AtomicBool::new(false);

/// The task of the whole delay: there from the start, so that spawning it is not measured.
#[embassy_executor::task]
async fn one_delay() {
    loop {
        poll_fn(|cx| {
            if GO.load(Ordering::Relaxed) {
                GO.store(false, Ordering::Relaxed);
                return Poll::Ready(());
            }
            critical_section::with(|cs| WAKERS.borrow_ref_mut(cs)[0] = Some(cx.waker().clone()));
            Poll::Pending
        })
        .await;
        EmbassyExecutor::after().await;
        host::ended();
    }
}

#[embassy_executor::task(pool_size = 2)]
async fn three() {
    three_delays::<EmbassyExecutor>().await;
    host::ended();
}

struct EmbassyExecutor;

impl Contender for EmbassyExecutor {
    type Delay = Timer;
    /// `Timer` has no `Drop`; its driver has no call for it.
    const CANCELS: bool = false;
    const CAPACITY: usize = 40;
    const BYTES_PER_TASK: usize = size_of::<embassy_executor_timer_queue::TimerQueueItem>();

    fn init() {
        if !bench::image::WEIGHED {
            let spawner = host::init();
            for i in 1..TASKS {
                spawner.spawn(sleeper(i).unwrap());
            }
            spawner.spawn(one_delay().unwrap());
            host::poll();
        }
    }
    fn at(deadline: u64) -> Timer {
        Timer::at(Instant::from_ticks(deadline))
    }
    fn after() -> Timer {
        Timer::after(Duration::from_micros(100))
    }
    fn on_interrupt() {
        DRIVER.on_interrupt();
    }
    fn waker(i: usize) -> Waker {
        critical_section::with(|cs| WAKERS.borrow_ref(cs)[i].clone()).unwrap()
    }
    fn prepare_delay() {
        GO.store(true, Ordering::Relaxed);
        Self::waker(0).wake();
    }
    fn one_delay() {
        host::run_until(host::ENDED.load(Ordering::Relaxed) + 1);
    }
    fn two_tasks() {
        let spawner = host::init();
        spawner.spawn(three().unwrap());
        spawner.spawn(three().unwrap());
        host::run_until(2);
    }
    fn settle() {
        host::poll();
    }
}

bench::firmware!(EmbassyExecutor);
