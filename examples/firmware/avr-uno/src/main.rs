//! Arduino Uno (ATmega328P, an 8-bit AVR: 2 KiB of RAM, 32 KiB of flash). This shows
//!
//! 1. a chip without compare-and-swap that needs no feature: an AVR is one core, so portable-atomic knows;
//! 2. a counter of 16 bits with an absolute compare register; its overflow and its alarm are the two
//!    interrupts per period that the widening to 64 bits needs;
//! 3. 16-bit registers on an 8-bit bus, which two contexts must not access at once;
//! 4. everything of `firmware-common` on top of it, and how much RAM that took.
//!
//! Register facts: "ATmega48A/PA/88A/PA/168A/PA/328/P Data Sheet" (DS40002061), chapters 16-bit
//! Timer/Counter1, External Interrupts and Power Management.

#![no_std]
#![no_main]
// What an AVR needs and stable Rust does not have yet: the calling convention of its interrupt handlers,
// and `sei`, `cli` and `sleep`.
#![feature(abi_avr_interrupt, asm_experimental_arch)]

mod ram;

use core::arch::asm;

use firmware_common::{Board, Reg, BUTTON};
// Not core's: LLVM 22 miscompiles a load of `core::sync::atomic::AtomicU16`, see the README.
use portable_atomic::{AtomicU32, Ordering};
use timer_future::{Alarm, InterruptSource, WideCounter};

// SAFETY (all of them): addresses of 8-bit device registers of this chip, from the data sheet's register
// summary. None of them moves memory.
const PIND: Reg<u8> = unsafe { Reg::at(0x29) };
const DDRD: Reg<u8> = unsafe { Reg::at(0x2a) };
const EIMSK: Reg<u8> = unsafe { Reg::at(0x3d) };
const SMCR: Reg<u8> = unsafe { Reg::at(0x53) };
const EICRA: Reg<u8> = unsafe { Reg::at(0x69) };
const TIMSK1: Reg<u8> = unsafe { Reg::at(0x6f) };
const TCCR1B: Reg<u8> = unsafe { Reg::at(0x81) };
const TCNT1: Reg16 = unsafe { Reg16::at(0x84) };
const OCR1A: Reg16 = unsafe { Reg16::at(0x88) };
const UCSR0A: Reg<u8> = unsafe { Reg::at(0xc0) };
const UCSR0B: Reg<u8> = unsafe { Reg::at(0xc1) };
const UBRR0L: Reg<u8> = unsafe { Reg::at(0xc4) };
const UDR0: Reg<u8> = unsafe { Reg::at(0xc6) };

/// The pins of INT0, the button, and INT1, which `pend` uses; both on port D.
const BUTTON_PIN: u8 = 1 << 2;
const PEND_PIN: u8 = 1 << 3;

/// A 16-bit register of the timer, on the 8-bit bus. The half that is accessed first goes through TEMP, one
/// byte that all of them share: an interrupt in between, whose handler accesses one of them, would mix two values.
/// Hence the mask, of four instructions; the data sheet asks for it ("Accessing 16-bit Registers").
struct Reg16 {
    low: Reg<u8>,
    high: Reg<u8>,
}

impl Reg16 {
    /// # Safety
    ///
    /// As `Reg::at`, for `address` and the one after it.
    const unsafe fn at(address: usize) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            Self {
                low: Reg::at(address),
                high: Reg::at(address + 1),
            }
        }
    }

    fn read(&self) -> u16 {
        masked(|| u16::from_le_bytes([self.low.read(), self.high.read()]))
    }

    fn write(&self, value: u16) {
        let [low, high] = value.to_le_bytes();
        masked(|| {
            self.high.write(high);
            self.low.write(low);
        });
    }
}

/// Runs `f`, which must be short, with interrupts masked; in a handler they stay masked.
#[inline(always)]
fn masked<R>(f: impl FnOnce() -> R) -> R {
    let status: u8;
    // SAFETY: saves the status register and masks interrupts; touches no memory. Not `nomem`, so nothing is
    // moved across it.
    unsafe { asm!("in {}, 0x3f", "cli", out(reg) status) };
    let result = f();
    // SAFETY: the interrupt flag is as it was; the other flags do not live across the asm.
    unsafe { asm!("out 0x3f, {}", in(reg) status) };
    result
}

/// TIMER1: OCR1A is the alarm.
struct Timer1 {
    wide: WideCounter<16>,
}

/// Half the counter's period: 131 ms.
const HALF: u16 = 1 << 15;

impl Alarm for Timer1 {
    const TICK_HZ: u64 = 250_000;

    fn now(&self) -> u64 {
        self.wide.now(|| TCNT1.read().into())
    }

    fn set_alarm(&self, deadline: Option<u64>) {
        match deadline {
            Some(deadline) if deadline.saturating_sub(self.now()) < HALF.into() => {
                OCR1A.write(deadline as u16);
            }
            // Nothing to wait for, or out of reach. With the overflow's interrupt this is one in each half of
            // the period, for the widening; either calls `on_interrupt`, which sets the alarm again.
            _ => OCR1A.write(HALF),
        }
    }

    fn pend(&self) {
        // One store: a 1 written to PIN toggles the pin, and every change of an output pin interrupts too
        // ("External Interrupts": a way of generating a software interrupt).
        PIND.write(PEND_PIN);
    }
}

static TIMERS: InterruptSource<Timer1, 8> = InterruptSource::new(Timer1 {
    wide: WideCounter::new(),
});

static INTERRUPTS: AtomicU32 = AtomicU32::new(0);

fn on_alarm() {
    // Only handlers write it, and they do not nest.
    INTERRUPTS.store(INTERRUPTS.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    // The flag is cleared by the hardware, when it enters the handler.
    TIMERS.on_interrupt();
}

// The names are those of avr-libc's vector table; the numbers are in the data sheet's "Interrupts".
/// INT0.
#[no_mangle]
extern "avr-interrupt" fn __vector_1() {
    BUTTON.set();
}

/// INT1.
#[no_mangle]
extern "avr-interrupt" fn __vector_2() {
    on_alarm();
}

/// TIMER1 COMPA.
#[no_mangle]
extern "avr-interrupt" fn __vector_11() {
    on_alarm();
}

/// TIMER1 OVF.
#[no_mangle]
extern "avr-interrupt" fn __vector_13() {
    on_alarm();
}

struct Uno;

impl Board for Uno {
    const NAME: &'static str = "avr-uno";
    const RAW_BITS: u32 = 16;
    const HEARTBEAT: u32 = HALF as u32;
    // 16 MHz, 8 bits at a time: making and starting a timer is a quarter of a millisecond, and a check
    // does it with all 8 in a row.
    const LATE_MICROS: u32 = 3_000;
    const SHORT_MICROS: u32 = 2_000;
    const ASLEEP_PERCENT: u32 = 90;
    // An AVR's constants are in RAM.
    const NAMES: bool = false;

    fn raw(&self) -> u32 {
        TCNT1.read().into()
    }

    fn sleep_unless(&self, ready: fn() -> bool) -> bool {
        // SAFETY (all three): masked, so that no interrupt comes between the question and the sleep. The
        // instruction after `sei` is executed before any interrupt (data sheet, "Reset and Interrupt
        // Handling"). It is called from tasks only, so interrupts were not masked before.
        unsafe { asm!("cli") };
        let sleep = !ready();
        if sleep {
            unsafe { asm!("sei", "sleep") };
        } else {
            unsafe { asm!("sei") };
        }
        sleep
    }

    fn interrupts(&self) -> u32 {
        INTERRUPTS.load(Ordering::Relaxed)
    }

    fn press(&self) {
        PIND.write(BUTTON_PIN);
    }

    fn print(&self, text: &str) {
        text.bytes().for_each(send);
    }

    // The provided one checks UTF-8, with a table of 256 bytes of RAM.
    fn print_number(&self, number: u32) {
        let (mut digits, mut rest, mut count) = ([0; 10], number, 0);
        for digit in &mut digits {
            (*digit, rest) = (b'0' + (rest % 10) as u8, rest / 10);
            count += 1;
            if rest == 0 {
                break;
            }
        }
        digits.iter().take(count).rev().copied().for_each(send);
    }
}

/// Sends a byte once the transmitter can take one (UDRE0).
#[inline(never)]
fn send(byte: u8) {
    while UCSR0A.read() & 1 << 5 == 0 {}
    UDR0.write(byte);
}

// libgcc's division and avr-libc's memcpy are written for this chip. Named here, they come before those of
// Rust's compiler_builtins on the linker's command line: 2 KB less flash.
#[link(name = "gcc")]
#[link(name = "c")]
extern "C" {}

/// Asleep with interrupts masked: for ever on a board, and the end for simavr.
fn stop() -> ! {
    loop {
        // SAFETY: nothing is to run any more.
        unsafe { asm!("cli", "sleep") };
    }
}

#[no_mangle]
extern "C" fn main() -> ! {
    let unused = ram::Unused::fill();
    UCSR0A.write(1 << 1); // U2X0: double speed
    UBRR0L.write(16); // 115,200 baud
    UCSR0B.write(1 << 3); // TXEN0

    EICRA.write(0b0101); // INT0 and INT1: any change
    DDRD.write(BUTTON_PIN | PEND_PIN);
    EIMSK.write(0b11);
    OCR1A.write(HALF);
    TIMSK1.write(0b011); // OCIE1A, TOIE1
    TCCR1B.write(0b011); // a tick is 64 cycles: 4 us
    SMCR.write(0b1); // `sleep` is enabled and means idle: TIMER1 goes on

    // SAFETY: the handlers are in place, and nothing is inside a critical section.
    unsafe { asm!("sei") };

    firmware_common::run(&Uno, &TIMERS);

    let used = unused.used();
    Uno.print("RAM: ");
    Uno.print_number(used.data as u32);
    Uno.print(" data, ");
    Uno.print_number(used.stack as u32);
    Uno.print(" stack, ");
    Uno.print_number(used.left as u32);
    Uno.print(" never used\n");
    if used.left == 0 {
        Uno.print("RESULT FAIL: the stack has reached the data\n");
    }
    stop()
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    Uno.print("RESULT FAIL: panic\n");
    stop()
}
