//! No timer: its tasks yield instead. What the images of the others are weighed against.
#![no_std]
#![no_main]

use bench::none::Yield;
use bench::Contender;

struct None;

impl Contender for None {
    type Delay = Yield;
    const CAPACITY: usize = 0;

    fn at(_: u64) -> Yield {
        Yield::default()
    }
    fn after() -> Yield {
        Yield::default()
    }
    fn on_interrupt() {}
}

bench::firmware!(None);
