//! embassy-time with its generic queue, which any executor may use.
#![no_std]
#![no_main]

use bench::{Contender, N};
use embassy_time::{Duration, Instant, Timer};
use embassy_time_queue_utils::queue_generic::ConstGenericQueue;

bench::embassy_driver!(ConstGenericQueue<N>);

struct EmbassyTime;

impl Contender for EmbassyTime {
    type Delay = Timer;
    /// `Timer` has no `Drop`; its driver has no call for it.
    const CANCELS: bool = false;

    fn at(deadline: u64) -> Timer {
        Timer::at(Instant::from_ticks(deadline))
    }
    fn after() -> Timer {
        Timer::after(Duration::from_micros(100))
    }
    fn on_interrupt() {
        DRIVER.on_interrupt();
    }
}

bench::firmware!(EmbassyTime);
