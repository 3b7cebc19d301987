//! BBC micro:bit (nRF51822, Cortex-M0). This shows
//!
//! 1. a chip without compare-and-swap: two lines in this crate's `Cargo.toml`, none here;
//! 2. a counter of 24 bits with absolute compare registers: one for the alarm, two that ring at each half
//!    of the counter's period, which is all that the widening to 64 bits needs;
//! 3. handlers of three priorities that use the same timers: below the alarm's, above it, and its own;
//! 4. everything of `firmware-common` on top of it.
//!
//! Register facts: "nRF51 Series Reference Manual" v3.0, chapter Timer/Counter (TIMER).

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::{Peripherals, NVIC};
use cortex_m_rt::{entry, exception};
use firmware_common::{Board, Contexts, Reg, Rivals, BUTTON};
use semihosting::io::Write;
use timer_future::{Alarm, InterruptSource, WideCounter};

// SAFETY (all of them): addresses of 32-bit device registers of this chip, from the reference manual's
// register tables. None of them moves memory.
const HFCLKSTART: Reg<u32> = unsafe { Reg::at(0x4000_0000) };
const HFCLKSTARTED: Reg<u32> = unsafe { Reg::at(0x4000_0100) };
const START: Reg<u32> = unsafe { Reg::at(0x4000_8000) };
const CAPTURE1: Reg<u32> = unsafe { Reg::at(0x4000_8044) };
const COMPARE: [Reg<u32>; 4] = unsafe {
    [
        Reg::at(0x4000_8140),
        Reg::at(0x4000_8144),
        Reg::at(0x4000_8148),
        Reg::at(0x4000_814c),
    ]
};
const INTENSET: Reg<u32> = unsafe { Reg::at(0x4000_8304) };
const MODE: Reg<u32> = unsafe { Reg::at(0x4000_8504) };
const BITMODE: Reg<u32> = unsafe { Reg::at(0x4000_8508) };
const PRESCALER: Reg<u32> = unsafe { Reg::at(0x4000_8510) };
const CC: [Reg<u32>; 4] = unsafe {
    [
        Reg::at(0x4000_8540),
        Reg::at(0x4000_8544),
        Reg::at(0x4000_8548),
        Reg::at(0x4000_854c),
    ]
};

// TIMER1, for the interrupt of higher priority.
const STRIKE_START: Reg<u32> = unsafe { Reg::at(0x4000_9000) };
const STRIKE_STOP: Reg<u32> = unsafe { Reg::at(0x4000_9004) };
const STRIKE_CLEAR: Reg<u32> = unsafe { Reg::at(0x4000_900c) };
const STRIKE_COMPARE0: Reg<u32> = unsafe { Reg::at(0x4000_9140) };
const STRIKE_INTENSET: Reg<u32> = unsafe { Reg::at(0x4000_9304) };
const STRIKE_MODE: Reg<u32> = unsafe { Reg::at(0x4000_9504) };
const STRIKE_BITMODE: Reg<u32> = unsafe { Reg::at(0x4000_9508) };
const STRIKE_PRESCALER: Reg<u32> = unsafe { Reg::at(0x4000_9510) };
const STRIKE_CC0: Reg<u32> = unsafe { Reg::at(0x4000_9540) };

/// TIMER0: CC0 is the alarm, CC1 reads the counter, CC2 and CC3 ring at 0 and at the half.
struct Timer0 {
    wide: WideCounter<24>,
}

/// Half the counter's period: 0.52 s.
const HALF: u32 = 1 << 23;

/// The counter can only be captured into a compare register and read there. If an interrupt captures in
/// between, this reads the newer value: just as good.
fn counter() -> u32 {
    CAPTURE1.write(1);
    CC[1].read()
}

impl Alarm for Timer0 {
    const TICK_HZ: u64 = 16_000_000;

    fn now(&self) -> u64 {
        self.wide.now(counter)
    }

    fn set_alarm(&self, deadline: Option<u64>) {
        match deadline {
            Some(deadline) if deadline.saturating_sub(self.now()) < HALF.into() => {
                CC[0].write(deadline as u32 & (2 * HALF - 1));
            }
            // Nothing to wait for, or out of reach: together with CC3, whose interrupt sets it again.
            _ => CC[0].write(HALF),
        }
    }

    fn pend(&self) {
        NVIC::pend(Irq::Timer0);
    }
}

static TIMERS: InterruptSource<Timer0, 8> = InterruptSource::new(Timer0 {
    wide: WideCounter::new(),
});

static CONTEXTS: Contexts<Microbit, Timer0, 8> =
    Contexts::new(&Microbit, &TIMERS, |bell| CONTEXTS.rung(bell));

/// Interrupt numbers are peripheral IDs: reference manual, table "Instances".
#[derive(Clone, Copy)]
enum Irq {
    Gpiote = 6,
    /// The alarm.
    Timer0 = 8,
    /// Higher priority than the alarm.
    Timer1 = 9,
    /// Lower priority than the alarm. Software's own: no device has it.
    Swi0 = 20,
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
    if irqn == Irq::Timer0 as i16 {
        // Only this handler writes it.
        INTERRUPTS.store(INTERRUPTS.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        // The flags first: `on_interrupt` programs the next alarm, whose flag must not be cleared.
        for event in [COMPARE[0], COMPARE[2], COMPARE[3]] {
            event.write(0);
        }
        TIMERS.on_interrupt();
        SERVED.store(INTERRUPTS.load(Ordering::Relaxed), Ordering::Relaxed);
    } else if irqn == Irq::Timer1 as i16 {
        STRIKE_STOP.write(1);
        STRIKE_COMPARE0.write(0);
        CONTEXTS.high();
    } else if irqn == Irq::Swi0 as i16 {
        CONTEXTS.low();
    } else if irqn == Irq::Gpiote as i16 {
        BUTTON.set();
    } else {
        panic!("unexpected interrupt {irqn}");
    }
}

struct Microbit;

impl Board for Microbit {
    const NAME: &'static str = "microbit";
    const RAW_BITS: u32 = 24;
    const HEARTBEAT: u32 = HALF;
    // 16 MHz, and 64-bit arithmetic in software.
    const LATE_MICROS: u32 = 500;
    const SHORT_MICROS: u32 = 400;

    fn raw(&self) -> u32 {
        counter()
    }

    fn sleep_unless(&self, ready: fn() -> bool) -> bool {
        // Masked, so that no interrupt comes between the question and the sleep. WFI ends all the same
        // when one becomes pending (ARMv6-M Architecture Reference
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
        NVIC::pend(Irq::Gpiote);
    }

    fn print(&self, text: &str) {
        // Nobody listens? Then nobody misses it.
        let _ = semihosting::io::stdout().and_then(|mut out| out.write_all(text.as_bytes()));
    }
}

impl Rivals for Microbit {
    const MOMENTS: u32 = 800;

    fn strike_in(&self, ticks: u32) {
        STRIKE_STOP.write(1);
        STRIKE_CLEAR.write(1);
        STRIKE_CC0.write(ticks);
        STRIKE_START.write(1);
    }

    fn pend_low(&self) {
        NVIC::pend(Irq::Swi0);
    }

    fn in_handler(&self) -> bool {
        INTERRUPTS.load(Ordering::Relaxed) != SERVED.load(Ordering::Relaxed)
    }
}

#[entry]
fn main() -> ! {
    // The crystal: the RC oscillator that runs otherwise is several percent off.
    HFCLKSTART.write(1);
    while HFCLKSTARTED.read() == 0 {}

    MODE.write(0); // timer, not counter
    BITMODE.write(2); // 24 bits
    PRESCALER.write(0); // 16 MHz
    CC[0].write(HALF);
    CC[2].write(0);
    CC[3].write(HALF);
    INTENSET.write(0b1101 << 16); // COMPARE 0, 2 and 3
    START.write(1);
    STRIKE_MODE.write(0);
    STRIKE_BITMODE.write(0); // 16 bits
    STRIKE_PRESCALER.write(0);
    STRIKE_INTENSET.write(1 << 16); // COMPARE 0
    let mut core = Peripherals::take().expect("taken once");
    // SAFETY: their handler is in place, and nothing is inside a critical section.
    unsafe {
        // The lower the number, the higher the priority. The upper two bits count on this core.
        core.NVIC.set_priority(Irq::Timer1, 0x00);
        core.NVIC.set_priority(Irq::Timer0, 0x40);
        core.NVIC.set_priority(Irq::Swi0, 0x80);
        core.NVIC.set_priority(Irq::Gpiote, 0x80);
        NVIC::unmask(Irq::Timer0);
        NVIC::unmask(Irq::Timer1);
        NVIC::unmask(Irq::Gpiote);
        NVIC::unmask(Irq::Swi0);
    }

    let passed = firmware_common::run_and(&Microbit, &TIMERS, |checks| CONTEXTS.run(checks));
    semihosting::process::exit(if passed { 0 } else { 1 })
}
