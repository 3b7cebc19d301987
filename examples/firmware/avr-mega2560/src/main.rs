//! Arduino Mega 2560 (ATmega2560, an 8-bit AVR). This shows
//!
//! 1. a counter of 16 bits that wraps four times a second, with absolute compare registers;
//! 2. `pend` on a chip on which software cannot pend an interrupt: the USART interrupts whenever it is
//!    allowed to say that its buffer is empty;
//! 3. everything of `firmware-common` in 8 KiB of RAM, constants included (an AVR keeps them there).
//!
//! Register facts: "ATmega640/V-1280/V-1281/V-2560/V-2561/V" data sheet (Atmel 2549), chapters
//! 16-bit Timer/Counter, USART, and Sleep Modes; numbers of the vectors: its table 14-1.

#![no_std]
#![no_main]
#![feature(abi_avr_interrupt, asm_experimental_arch)]

use core::arch::asm;
use core::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use firmware_common::{Board, Reg, BUTTON};
use timer_future::{Alarm, InterruptSource, WideCounter};

// SAFETY (all of them): addresses of 8-bit device registers of this chip, from the data sheet's register
// summary. None of them moves memory.
const SMCR: Reg<u8> = unsafe { Reg::at(0x53) };
const TIMSK1: Reg<u8> = unsafe { Reg::at(0x6f) };
const TCCR1A: Reg<u8> = unsafe { Reg::at(0x80) };
const TCCR1B: Reg<u8> = unsafe { Reg::at(0x81) };
const TCNT1: Reg16 = Reg16 { low: unsafe { Reg::at(0x84) }, high: unsafe { Reg::at(0x85) } };
const OCR1A: Reg16 = Reg16 { low: unsafe { Reg::at(0x88) }, high: unsafe { Reg::at(0x89) } };
const OCR1B: Reg16 = Reg16 { low: unsafe { Reg::at(0x8a) }, high: unsafe { Reg::at(0x8b) } };
const UCSR0A: Reg<u8> = unsafe { Reg::at(0xc0) };
const UCSR0B: Reg<u8> = unsafe { Reg::at(0xc1) };
const UDR0: Reg<u8> = unsafe { Reg::at(0xc6) };

const TXEN: u8 = 1 << 3;
const UDRIE: u8 = 1 << 5;
const UDRE: u8 = 1 << 5;

/// A 16-bit register of timer 1. Its halves go through a TEMP register that all of them share, so an
/// interrupt that touches another one must not come in between: data sheet, "Accessing 16-bit Registers",
/// which says to mask them.
struct Reg16 {
    low: Reg<u8>,
    high: Reg<u8>,
}

impl Reg16 {
    fn read(&self) -> u16 {
        masked(|| {
            let low = self.low.read();
            u16::from(self.high.read()) << 8 | u16::from(low)
        })
    }

    fn write(&self, value: u16) {
        masked(|| {
            self.high.write((value >> 8) as u8);
            self.low.write(value as u8);
        });
    }
}

fn masked<T>(body: impl FnOnce() -> T) -> T {
    let sreg: u8;
    // SAFETY: reads the status register and masks interrupts. Not `nomem`: what the body reads must not be
    // read before.
    unsafe { asm!("in {}, 0x3f", "cli", out(reg) sreg) };
    let result = body();
    // SAFETY: restores the status register, and with it whether interrupts were masked.
    unsafe { asm!("out 0x3f, {}", in(reg) sreg) };
    result
}

/// Timer 1: OCR1A is the alarm; OCR1B and the overflow ring at each half of the period.
struct Timer1 {
    wide: WideCounter<16>,
}

/// Half the counter's period: 131 ms.
const HALF: u16 = 1 << 15;

impl Alarm for Timer1 {
    // 16 MHz / 64
    const TICK_HZ: u64 = 250_000;

    fn now(&self) -> u64 {
        self.wide.now(|| TCNT1.read().into())
    }

    fn set_alarm(&self, deadline: Option<u64>) {
        let now = self.now();
        OCR1A.write(match deadline {
            // The timer compares for equality, so never for a tick that is over before it is written.
            Some(deadline) if deadline.saturating_sub(now) < HALF.into() => {
                deadline.max(now + 2) as u16
            }
            // Nothing to wait for, or out of reach: together with OCR1B, whose interrupt sets it again.
            _ => HALF,
        });
    }

    fn pend(&self) {
        PENDED.store(true, Ordering::Release);
        UCSR0B.write(TXEN | UDRIE);
    }
}

static TIMERS: InterruptSource<Timer1, 8> =
    InterruptSource::new(Timer1 { wide: WideCounter::new() });

// What the software interrupt stands for.
static PENDED: AtomicBool = AtomicBool::new(false);
static PRESSED: AtomicBool = AtomicBool::new(false);

/// All interrupts so far, and those of them that were not the alarm's.
static INTERRUPTS: AtomicU16 = AtomicU16::new(0);
static PRESSES: AtomicU16 = AtomicU16::new(0);

// Only handlers write these, and they do not nest.
fn count(counter: &AtomicU16) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

// The hardware clears the flags of the three when it enters their handlers.

/// TIMER1_COMPA: the alarm.
#[no_mangle]
extern "avr-interrupt" fn __vector_17() {
    on_alarm();
}

/// TIMER1_COMPB: half of the counter's period.
#[no_mangle]
extern "avr-interrupt" fn __vector_18() {
    on_alarm();
}

/// TIMER1_OVF: the counter's period.
#[no_mangle]
extern "avr-interrupt" fn __vector_20() {
    on_alarm();
}

/// USART0_UDRE: what software asked for. (Vectors from 32 on do not arrive in QEMU 7.2.)
#[no_mangle]
extern "avr-interrupt" fn __vector_26() {
    // The flag first, so that who asks from here on is seen by the next run.
    UCSR0B.write(TXEN);
    if PENDED.load(Ordering::Acquire) {
        PENDED.store(false, Ordering::Release);
        on_alarm();
    }
    if PRESSED.load(Ordering::Acquire) {
        PRESSED.store(false, Ordering::Release);
        count(&INTERRUPTS);
        count(&PRESSES);
        BUTTON.set();
    }
}

fn on_alarm() {
    count(&INTERRUPTS);
    TIMERS.on_interrupt();
}

struct Mega;

impl Board for Mega {
    const NAME: &'static str = "avr-mega2560";
    const RAW_BITS: u32 = 16;
    const HEARTBEAT: u32 = HALF as u32 - 1;
    // 16 MHz, and 64-bit arithmetic eight bits at a time.
    const LATE_MICROS: u32 = 3_000;
    const SHORT_MICROS: u32 = 3_000;
    const ASLEEP_PERCENT: u32 = 80;

    fn raw(&self) -> u32 {
        TCNT1.read().into()
    }

    fn sleep_unless(&self, ready: fn() -> bool) -> bool {
        // SAFETY: masks, so that no interrupt comes between the question and the sleep.
        unsafe { asm!("cli") };
        let sleep = !ready();
        if sleep && cfg!(feature = "sleep") {
            // SAFETY: unmasks what this function masked; it is called from tasks only. The instruction
            // after SEI is executed before any interrupt (data sheet, "Reset and Interrupt Handling"), so
            // that nothing comes between SEI and SLEEP either.
            unsafe { asm!("sei", "sleep") };
            return true;
        }
        let before = INTERRUPTS.load(Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { asm!("sei") };
        // In QEMU 7.2 SLEEP never ends: it is started anew after each interrupt. So this waits for the
        // interrupt that would have ended it.
        while sleep && INTERRUPTS.load(Ordering::Relaxed) == before {}
        sleep
    }

    fn interrupts(&self) -> u32 {
        (INTERRUPTS.load(Ordering::Relaxed) - PRESSES.load(Ordering::Relaxed)).into()
    }

    fn press(&self) {
        PRESSED.store(true, Ordering::Release);
        UCSR0B.write(TXEN | UDRIE);
    }

    fn print(&self, text: &str) {
        for byte in text.bytes() {
            while UCSR0A.read() & UDRE == 0 {}
            UDR0.write(byte);
        }
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: masks interrupts, for ever.
    unsafe { asm!("cli") };
    // Where, but not what: that would take `core::fmt`.
    Mega.print("PANIC in line ");
    Mega.print_number(info.location().map_or(0, |place| place.line()));
    Mega.print("\n");
    loop {}
}

#[no_mangle]
extern "C" fn main() -> ! {
    UCSR0B.write(TXEN);
    SMCR.write(1); // SE: SLEEP sleeps, in mode "idle", in which timer 1 runs
    TIMSK1.write(0b111); // compare B, compare A, overflow
    OCR1A.write(HALF);
    OCR1B.write(HALF);
    TCCR1A.write(0); // counts up and wraps
    TCCR1B.write(0b011); // 16 MHz / 64
    // SAFETY: the handlers are in place.
    unsafe { asm!("sei") };

    firmware_common::run(&Mega, &TIMERS);
    loop {
        // SAFETY: sleeps; interrupts go on.
        unsafe { asm!("sleep") };
    }
}
