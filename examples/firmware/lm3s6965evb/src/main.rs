//! LM3S6965 evaluation board (Cortex-M3). This shows
//!
//! 1. a counter of 24 bits, SysTick, widened to the 64 bits of [`Alarm::now`];
//! 2. an alarm that counts *down*, General-Purpose Timer 0: it must be told how long, not until when;
//! 3. handlers of three priorities that use the same timers: below the alarm's, above it, and its own;
//! 4. everything of `firmware-common` on top of it.
//!
//! Register facts: "LM3S6965 Microcontroller" data sheet, chapters System Control and General-Purpose
//! Timers; SysTick: ARMv7-M Architecture Reference Manual, "The system timer, SysTick".

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::{Peripherals, NVIC};
use cortex_m_rt::{entry, exception};
use firmware_common::{Board, Contexts, Reg, Rivals, BUTTON};
use semihosting::io::Write;
use timer_future::{Alarm, InterruptSource, WideCounter};

// SAFETY (all of them): addresses of 32-bit device registers of this chip, from the data sheet's register
// maps. None of them moves memory.
const RIS: Reg<u32> = unsafe { Reg::at(0x400f_e050) };
const RCC: Reg<u32> = unsafe { Reg::at(0x400f_e060) };
const RCGC1: Reg<u32> = unsafe { Reg::at(0x400f_e104) };
const TIMER0_CFG: Reg<u32> = unsafe { Reg::at(0x4003_0000) };
const TIMER0_TAMR: Reg<u32> = unsafe { Reg::at(0x4003_0004) };
const TIMER0_CTL: Reg<u32> = unsafe { Reg::at(0x4003_000c) };
const TIMER0_IMR: Reg<u32> = unsafe { Reg::at(0x4003_0018) };
const TIMER0_ICR: Reg<u32> = unsafe { Reg::at(0x4003_0024) };
const TIMER0_TAILR: Reg<u32> = unsafe { Reg::at(0x4003_0028) };
const TIMER1_CFG: Reg<u32> = unsafe { Reg::at(0x4003_1000) };
const TIMER1_TAMR: Reg<u32> = unsafe { Reg::at(0x4003_1004) };
const TIMER1_CTL: Reg<u32> = unsafe { Reg::at(0x4003_100c) };
const TIMER1_IMR: Reg<u32> = unsafe { Reg::at(0x4003_1018) };
const TIMER1_ICR: Reg<u32> = unsafe { Reg::at(0x4003_1024) };
const TIMER1_TAILR: Reg<u32> = unsafe { Reg::at(0x4003_1028) };
const SYST_CVR: Reg<u32> = unsafe { Reg::at(0xe000_e018) };

/// Timer 0 as the alarm, SysTick as its clock. (QEMU cannot read the counters of the timers; a board can.)
struct Timer0 {
    wide: WideCounter<24>,
}

/// The alarm rings at least this often, because the widening must see each half of the counter's
/// period (168 ms): 84 ms.
const HEARTBEAT: u32 = 1 << 22;

/// SysTick counts down.
fn systick() -> u32 {
    0xff_ffff - SYST_CVR.read()
}

impl Alarm for Timer0 {
    const TICK_HZ: u64 = 50_000_000;

    fn now(&self) -> u64 {
        self.wide.now(systick)
    }

    fn set_alarm(&self, deadline: Option<u64>) {
        // Not for ever: a slow core would never be content, and late is better than not at all.
        for _ in 0..3 {
            let now = self.now();
            let wait = match deadline {
                // A past deadline rings at once; a far one first as a heartbeat.
                Some(deadline) => deadline.saturating_sub(now).clamp(1, HEARTBEAT.into()) as u32,
                None => HEARTBEAT,
            };
            TIMER0_CTL.write(0);
            TIMER0_TAILR.write(wait);
            TIMER0_CTL.write(1); // TAEN: loads TAILR and counts down
                                 // Whoever interrupted this since `now` has delayed the alarm by as much: then again. 10 us is
                                 // several times what it takes undisturbed.
            if self.now() - now < 500 {
                break;
            }
        }
    }

    fn pend(&self) {
        NVIC::pend(Irq::Timer0A);
    }
}

static TIMERS: InterruptSource<Timer0, 8> = InterruptSource::new(Timer0 {
    wide: WideCounter::new(),
});

static CONTEXTS: Contexts<Evb, Timer0, 8> =
    Contexts::new(&Evb, &TIMERS, |bell| CONTEXTS.rung(bell));

/// Interrupt numbers: data sheet, table "Interrupts".
#[derive(Clone, Copy)]
enum Irq {
    GpioA = 0,
    /// Lower priority than the alarm; only software pends it.
    GpioB = 1,
    /// The alarm.
    Timer0A = 19,
    /// Higher priority than the alarm.
    Timer1A = 21,
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
    if irqn == Irq::Timer0A as i16 {
        // Only this handler writes it.
        INTERRUPTS.store(INTERRUPTS.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        // The flag first: `on_interrupt` programs the next alarm, whose flag must not be cleared.
        TIMER0_ICR.write(1);
        TIMERS.on_interrupt();
        SERVED.store(INTERRUPTS.load(Ordering::Relaxed), Ordering::Relaxed);
    } else if irqn == Irq::Timer1A as i16 {
        TIMER1_ICR.write(1);
        CONTEXTS.high();
    } else if irqn == Irq::GpioB as i16 {
        CONTEXTS.low();
    } else if irqn == Irq::GpioA as i16 {
        BUTTON.set();
    } else {
        panic!("unexpected interrupt {irqn}");
    }
}

struct Evb;

impl Board for Evb {
    const NAME: &'static str = "lm3s6965evb";
    const RAW_BITS: u32 = 24;
    const HEARTBEAT: u32 = HEARTBEAT;

    fn raw(&self) -> u32 {
        systick()
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
        NVIC::pend(Irq::GpioA);
    }

    fn print(&self, text: &str) {
        // Nobody listens? Then nobody misses it.
        let _ = semihosting::io::stdout().and_then(|mut out| out.write_all(text.as_bytes()));
    }
}

impl Rivals for Evb {
    fn strike_in(&self, ticks: u32) {
        TIMER1_CTL.write(0);
        TIMER1_TAILR.write(ticks);
        TIMER1_CTL.write(1);
    }

    fn pend_low(&self) {
        NVIC::pend(Irq::GpioB);
    }

    fn in_handler(&self) -> bool {
        INTERRUPTS.load(Ordering::Relaxed) != SERVED.load(Ordering::Relaxed)
    }
}

/// 50 MHz: the PLL's 200 MHz divided by 4. Data sheet, "Initialization and Configuration".
fn start_clock() {
    const BYPASS: u32 = 1 << 11;
    const PWRDN: u32 = 1 << 13;
    const OSCSRC: u32 = 0b11 << 4; // 0: the main oscillator
    const XTAL: u32 = 0b1111 << 6; // 0xe: 8 MHz, the crystal on this board
    const USESYSDIV: u32 = 1 << 22;
    const SYSDIV: u32 = 0b1111 << 23; // 3: divide by 4
    const MOSCDIS: u32 = 1;

    // Off the PLL, onto the oscillators; then start the PLL and wait until it has locked; then onto it.
    let rcc = (RCC.read() | BYPASS) & !(USESYSDIV | MOSCDIS);
    RCC.write(rcc);
    let rcc = rcc & !(PWRDN | OSCSRC | XTAL | SYSDIV) | 0xe << 6 | 3 << 23 | USESYSDIV;
    RCC.write(rcc);
    while RIS.read() & 1 << 6 == 0 {}
    RCC.write(rcc & !BYPASS);
}

#[entry]
fn main() -> ! {
    start_clock();
    RCGC1.write(RCGC1.read() | 0b11 << 16); // a clock for Timers 0 and 1
    let _ = RCGC1.read(); // the timers may be touched three clocks later
    let mut core = Peripherals::take().expect("taken once");
    core.SYST
        .set_clock_source(cortex_m::peripheral::syst::SystClkSource::Core);
    core.SYST.set_reload(0xff_ffff);
    core.SYST.clear_current();
    core.SYST.enable_counter();

    TIMER0_CFG.write(0); // 32 bits
    TIMER0_TAMR.write(1); // one-shot
    TIMER0_IMR.write(1); // interrupt at the end of the count
    TIMER1_CFG.write(0);
    TIMER1_TAMR.write(1);
    TIMER1_IMR.write(1);
    TIMERS.alarm().set_alarm(None); // the first heartbeat
                                    // SAFETY: their handler is in place, and nothing is inside a critical section.
    unsafe {
        // The lower the number, the higher the priority. The upper three bits count on this chip.
        core.NVIC.set_priority(Irq::Timer1A, 0x20);
        core.NVIC.set_priority(Irq::Timer0A, 0x40);
        core.NVIC.set_priority(Irq::GpioB, 0x60);
        core.NVIC.set_priority(Irq::GpioA, 0x60);
        NVIC::unmask(Irq::Timer0A);
        NVIC::unmask(Irq::Timer1A);
        NVIC::unmask(Irq::GpioA);
        NVIC::unmask(Irq::GpioB);
    }

    let passed = firmware_common::run_and(&Evb, &TIMERS, |checks| CONTEXTS.run(checks));
    semihosting::process::exit(if passed { 0 } else { 1 })
}
