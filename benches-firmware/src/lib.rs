//! What every contender runs on: the same board, the same executor, the same operations. A contender is a file
//! in `bin/`; what is measured is in [`operations`]; how it is counted, in `count.py`.
#![no_std]

pub mod board;
pub mod contender;
pub mod embassy;
pub mod executor;
pub mod image;
pub mod none;
pub mod operations;

pub use contender::Contender;

/// How many timers the contender has room for (`N` when building).
pub const N: usize = parse(option_env!("N"), 40);

const fn parse(text: Option<&str>, otherwise: usize) -> usize {
    let Some(text) = text else { return otherwise };
    let (mut value, mut i) = (0, 0);
    while i < text.len() {
        value = value * 10 + (text.as_bytes()[i] - b'0') as usize;
        i += 1;
    }
    value
}

/// The entry point and the interrupt handler of a contender's image.
#[macro_export]
macro_rules! firmware {
    ($contender:ty) => {
        #[cortex_m_rt::exception]
        fn SysTick() {
            <$contender as $crate::Contender>::on_interrupt();
        }

        #[cortex_m_rt::entry]
        fn main() -> ! {
            $crate::image::run::<$contender>()
        }
    };
}

/// Says nothing: formatting would be flash that no timer needs.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    semihosting::process::exit(101)
}
