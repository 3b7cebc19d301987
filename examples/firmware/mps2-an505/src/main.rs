//! Arm MPS2 with the Cortex-M33 image (application note 505), in secure state throughout. This shows
//!
//! 1. a counter of 32 bits that counts down, widened to the 64 bits of [`Alarm::now`]. It is started two
//!    seconds before it wraps, so that each run meets what a product meets every three and a half minutes;
//! 2. an alarm on a second timer, which also must be told how long, and not until when; one register
//!    write sets it;
//! 3. handlers of three priorities that use the same timers: below the alarm's, above it, and its own;
//! 4. everything of `firmware-common` on top of it.
//!
//! Register facts: "Cortex-M System Design Kit" technical reference manual (DDI 0479), APB timer; addresses
//! and interrupts: application note 505 and the IoT Kit's user guide (ECM 0601256).

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::scb::SystemHandler;
use cortex_m::peripheral::{Peripherals, NVIC};
use cortex_m_rt::{entry, exception};
use firmware_common::{Board, Contexts, Reg, Rivals, BUTTON};
use semihosting::io::Write;
use timer_future::{Alarm, InterruptSource, WideCounter};

// SAFETY (all of them): addresses of 32-bit device registers of this chip, secure aliases, from the application note
// and the timer's register table. None of them moves memory.
const TIMER0_CTRL: Reg<u32> = unsafe { Reg::at(0x5000_0000) };
const TIMER0_VALUE: Reg<u32> = unsafe { Reg::at(0x5000_0004) };
const TIMER0_RELOAD: Reg<u32> = unsafe { Reg::at(0x5000_0008) };
const TIMER1_CTRL: Reg<u32> = unsafe { Reg::at(0x5000_1000) };
const TIMER1_VALUE: Reg<u32> = unsafe { Reg::at(0x5000_1004) };
const TIMER1_RELOAD: Reg<u32> = unsafe { Reg::at(0x5000_1008) };
const TIMER1_INTCLEAR: Reg<u32> = unsafe { Reg::at(0x5000_100c) };

// SAFETY (all of them): addresses of 32-bit registers of the core's timer, SysTick (Armv8-M
// Architecture Reference Manual). None of them moves memory.
const SYST_CSR: Reg<u32> = unsafe { Reg::at(0xe000_e010) };
const SYST_RVR: Reg<u32> = unsafe { Reg::at(0xe000_e014) };
const SYST_CVR: Reg<u32> = unsafe { Reg::at(0xe000_e018) };

/// Timer 1 as the alarm, timer 0 as its clock.
struct Timers {
    wide: WideCounter<32>,
}

/// The alarm rings at least this often, because the widening must see each half of the counter's
/// period (107 s): 54 s.
const HEARTBEAT: u32 = 1 << 30;

/// Timer 0 counts down.
fn counter() -> u32 {
    u32::MAX - TIMER0_VALUE.read()
}

impl Alarm for Timers {
    const TICK_HZ: u64 = 20_000_000;

    fn now(&self) -> u64 {
        self.wide.now(counter)
    }

    fn set_alarm(&self, deadline: Option<u64>) {
        // Not for ever: a slow core would never be content, and late is better than not at all.
        for _ in 0..3 {
            let now = self.now();
            // A past deadline rings at once; a far one first as a heartbeat.
            TIMER1_VALUE.write(match deadline {
                Some(deadline) => deadline.saturating_sub(now).clamp(1, HEARTBEAT.into()) as u32,
                None => HEARTBEAT,
            });
            // Whoever interrupted this since `now` has delayed the alarm by as much: then again. 25 us is
            // several times what it takes undisturbed.
            if self.now() - now < 500 {
                break;
            }
        }
    }

    fn pend(&self) {
        NVIC::pend(Irq::Timer1);
    }
}

static TIMERS: InterruptSource<Timers, 8> = InterruptSource::new(Timers {
    wide: WideCounter::new(),
});

static CONTEXTS: Contexts<Mps2, Timers, 8> =
    Contexts::new(&Mps2, &TIMERS, |bell| CONTEXTS.rung(bell));

/// Interrupt numbers: application note 505, "Interrupts". All are secure after reset. (Only software pends the
/// button's here, so any that is not used otherwise would do.)
#[derive(Clone, Copy)]
enum Irq {
    Timer1 = 4,
    Gpio0 = 68,
    /// Lower priority than the alarm; only software pends it.
    Gpio1 = 69,
}

// SAFETY: numbers of this chip's interrupts, which stay the same for ever.
unsafe impl InterruptNumber for Irq {
    fn number(self) -> u16 {
        self as u16
    }
}

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
        TIMER1_INTCLEAR.write(1);
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
    const NAME: &'static str = "mps2-an505";
    const RAW_BITS: u32 = 32;
    const HEARTBEAT: u32 = HEARTBEAT;

    fn raw(&self) -> u32 {
        counter()
    }

    fn sleep_unless(&self, ready: fn() -> bool) -> bool {
        // Masked, so that no interrupt comes between the question and the sleep. WFI ends all the same
        // when one becomes pending (Armv8-M Architecture Reference
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
    const ENABLE: u32 = 1;
    const INTERRUPT: u32 = 1 << 3;

    TIMER0_RELOAD.write(u32::MAX); // sets the counter, too
    TIMER0_VALUE.write(2 * Timers::TICK_HZ as u32); // two seconds to the wrap
    TIMER0_CTRL.write(ENABLE);
    TIMER1_RELOAD.write(0); // one-shot
    TIMER1_CTRL.write(ENABLE | INTERRUPT);
    TIMERS.alarm().set_alarm(None); // the first heartbeat
                                    // SAFETY: their handler is in place, and nothing is inside a critical section.
    let mut core = Peripherals::take().expect("taken once");
    unsafe {
        // The lower the number, the higher the priority. The upper three bits count on this chip.
        core.SCB.set_priority(SystemHandler::SysTick, 0x20);
        core.NVIC.set_priority(Irq::Timer1, 0x40);
        core.NVIC.set_priority(Irq::Gpio1, 0x60);
        core.NVIC.set_priority(Irq::Gpio0, 0x60);
        NVIC::unmask(Irq::Timer1);
        NVIC::unmask(Irq::Gpio0);
        NVIC::unmask(Irq::Gpio1);
    }

    let passed = firmware_common::run_and(&Mps2, &TIMERS, |checks| CONTEXTS.run(checks));
    semihosting::process::exit(if passed { 0 } else { 1 })
}
