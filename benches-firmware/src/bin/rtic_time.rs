//! rtic-time, with 64-bit ticks.
#![no_std]
#![no_main]

use bench::{board, Contender};
use rtic_time::timer_queue::{Delay, TimerQueue, TimerQueueBackend};

struct Registers;

static QUEUE: TimerQueue<Registers> = TimerQueue::new();

impl TimerQueueBackend for Registers {
    type Ticks = u64;

    #[inline]
    fn now() -> u64 {
        board::now()
    }
    #[inline]
    fn set_compare(instant: u64) {
        board::set_alarm(instant);
    }
    #[inline]
    fn clear_compare_flag() {}
    #[inline]
    fn pend_interrupt() {
        board::pend();
    }
    #[inline]
    fn disable_timer() {
        board::stop_alarm();
    }
    #[inline]
    fn timer_queue() -> &'static TimerQueue<Self> {
        &QUEUE
    }
}

struct RticTime;

impl Contender for RticTime {
    type Delay = Delay<'static, Registers>;
    /// The queue is linked through the futures.
    const CAPACITY: usize = 40;

    fn init() {
        QUEUE.initialize(Registers);
    }
    fn at(deadline: u64) -> Self::Delay {
        QUEUE.delay_until(deadline)
    }
    fn after() -> Self::Delay {
        QUEUE.delay(100)
    }
    fn on_interrupt() {
        // SAFETY: this is the timer's interrupt.
        unsafe { QUEUE.on_monotonic_interrupt() }
    }
}

bench::firmware!(RticTime);
