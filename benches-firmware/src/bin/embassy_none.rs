//! embassy-executor without a timer: what `embassy_executor` is weighed against.
#![no_std]
#![no_main]

#[path = "../embassy_host.rs"]
mod host;

use bench::contender::three_delays;
use bench::none::Yield;
use bench::Contender;

#[embassy_executor::task(pool_size = 2)]
async fn three() {
    three_delays::<EmbassyNone>().await;
    host::ended();
}

struct EmbassyNone;

impl Contender for EmbassyNone {
    type Delay = Yield;
    const CAPACITY: usize = 0;

    fn at(_: u64) -> Yield {
        Yield::default()
    }
    fn after() -> Yield {
        Yield::default()
    }
    fn on_interrupt() {}
    fn two_tasks() {
        let spawner = host::init();
        spawner.spawn(three().unwrap());
        spawner.spawn(three().unwrap());
        host::run_until(2);
    }
}

bench::firmware!(EmbassyNone);
