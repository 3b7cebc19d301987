//! Arm MPS2 with the Cortex-M4F image (application note 386). This shows
//!
//! 1. a counter of 32 bits that counts down, widened to the 64 bits of `Alarm::now`. It is started two
//!    seconds before it wraps, so that each run meets what a product meets every three minutes;
//! 2. an alarm on a second timer, which also must be told how long, and not until when; one register
//!    write sets it;
//! 3. handlers of three priorities that use the same timers: below the alarm's, above it, and its own;
//! 4. everything of `firmware-common` on top of it.
//!
//! The alarm is in `alarm.rs`, with the sources of its register facts.

#![no_std]
#![no_main]

mod alarm;

use core::sync::atomic::{AtomicU32, Ordering};

use alarm::{counter, Irq, Timers, HEARTBEAT};
use cortex_m::peripheral::scb::SystemHandler;
use cortex_m::peripheral::{Peripherals, NVIC};
use cortex_m_rt::{entry, exception};
use firmware_common::{Board, Contexts, Reg, Rivals, BUTTON};
use semihosting::io::Write;
use timer_future::InterruptSource;

// SAFETY (all of them): addresses of 32-bit registers of the core's timer, SysTick (ARMv7-M
// Architecture Reference Manual). None of them moves memory.
const SYST_CSR: Reg<u32> = unsafe { Reg::at(0xe000_e010) };
const SYST_RVR: Reg<u32> = unsafe { Reg::at(0xe000_e014) };
const SYST_CVR: Reg<u32> = unsafe { Reg::at(0xe000_e018) };

static TIMERS: InterruptSource<Timers, 8> = InterruptSource::new(Timers::new());

static CONTEXTS: Contexts<Mps2, Timers, 8> =
    Contexts::new(&Mps2, &TIMERS, |bell| CONTEXTS.rung(bell));

static INTERRUPTS: AtomicU32 = AtomicU32::new(0);
/// As `INTERRUPTS`, but counted at the end of the handler.
static SERVED: AtomicU32 = AtomicU32::new(0);

// A PAC would give one function per interrupt; without one, all arrive here.
#[exception]
unsafe fn DefaultHandler(irqn: i16) {
    if irqn == Irq::Timer1 as i16 {
        // Only this handler writes it.
        INTERRUPTS.store(INTERRUPTS.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        // The flag first: `on_interrupt` programs the next alarm, whose flag must not be cleared.
        TIMERS.alarm().clear();
        TIMERS.on_interrupt();
        SERVED.store(INTERRUPTS.load(Ordering::Relaxed), Ordering::Relaxed);
    } else if irqn == Irq::Gpio1 as i16 {
        CONTEXTS.low();
    } else if irqn == Irq::Gpio0 as i16 {
        BUTTON.set();
    } else {
        panic!("unexpected interrupt {irqn}");
    }
}

// Comes again and again until it is stopped.
#[exception]
fn SysTick() {
    SYST_CSR.write(0);
    CONTEXTS.high();
}

struct Mps2;

impl Board for Mps2 {
    const NAME: &'static str = "mps2-an386";
    const RAW_BITS: u32 = 32;
    const HEARTBEAT: u32 = HEARTBEAT;

    fn raw(&self) -> u32 {
        counter()
    }

    fn sleep_unless(&self, ready: fn() -> bool) -> bool {
        // Masked, so that no interrupt comes between the question and the sleep. WFI ends all the same
        // when one becomes pending (ARMv7-M Architecture Reference
        // Manual, "Wait For Interrupt"), and it runs as soon as it is let.
        cortex_m::interrupt::disable();
        let sleep = !ready();
        if sleep {
            cortex_m::asm::wfi();
        }
        // SAFETY: unmasks what this function masked; it is called from tasks only, never from within
        // a critical section.
        unsafe { cortex_m::interrupt::enable() };
        sleep
    }

    fn interrupts(&self) -> u32 {
        INTERRUPTS.load(Ordering::Relaxed)
    }

    fn press(&self) {
        NVIC::pend(Irq::Gpio0);
    }

    fn print(&self, text: &str) {
        // Nobody listens? Then nobody misses it.
        let _ = semihosting::io::stdout().and_then(|mut out| out.write_all(text.as_bytes()));
    }
}

impl Rivals for Mps2 {
    fn strike_in(&self, ticks: u32) {
        SYST_RVR.write(ticks);
        SYST_CVR.write(0); // any write; it then loads the reload value
        SYST_CSR.write(0b111); // on, with interrupt, at the core's clock
    }

    fn pend_low(&self) {
        NVIC::pend(Irq::Gpio1);
    }

    fn in_handler(&self) -> bool {
        INTERRUPTS.load(Ordering::Relaxed) != SERVED.load(Ordering::Relaxed)
    }
}

#[entry]
fn main() -> ! {
    let mut core = Peripherals::take().expect("taken once");
    // SAFETY: nothing is inside a critical section that a priority would be part of.
    unsafe {
        // The lower the number, the higher the priority. The upper three bits count on this chip.
        core.SCB.set_priority(SystemHandler::SysTick, 0x20);
        core.NVIC.set_priority(Irq::Timer1, 0x40);
        core.NVIC.set_priority(Irq::Gpio1, 0x60);
        core.NVIC.set_priority(Irq::Gpio0, 0x60);
    }
    TIMERS.alarm().start();
    let passed = firmware_common::run_and(&Mps2, &TIMERS, |checks| CONTEXTS.run(checks));
    semihosting::process::exit(if passed { 0 } else { 1 })
}
