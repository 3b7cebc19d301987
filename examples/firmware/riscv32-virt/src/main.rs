//! QEMU's RISC-V machine "virt", 32 bits, machine mode, with atomics (imac) and without (imc). This shows
//!
//! 1. a counter that is 64 bits wide already, read in two halves: nothing to widen, no heartbeat;
//! 2. an alarm with an absolute 64-bit compare register, written in two halves, and `pend` by the
//!    software interrupt;
//! 3. handlers of three priorities that use the same timers: below the alarm's, above it, and its own. A hart has
//!    no priorities, so each handler lets the higher ones in (`nest`);
//! 4. everything of `firmware-common` on top of it.
//!
//! Register facts: RISC-V Privileged Architecture, "Machine Timer (mtime and mtimecmp) Registers"; their
//! addresses: "SiFive FE310-G002 Manual", chapter Core-Local Interruptor (CLINT), whose layout QEMU's
//! machine has. The 10 MHz are QEMU's.

#![no_std]
#![no_main]

mod strike;

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use firmware_common::{Board, Contexts, Reg, Rivals, BUTTON};
use riscv::interrupt::Interrupt;
use riscv::register::mie::{self, Mie};
use riscv::register::mip;
use riscv_rt::{core_interrupt, entry};
use semihosting::io::Write;
use timer_future::{Alarm, InterruptSource};

// SAFETY (all of them): addresses of 32-bit device registers of this machine. None of them moves memory.
const MSIP: Reg<u32> = unsafe { Reg::at(0x0200_0000) };
const MTIMECMP_LOW: Reg<u32> = unsafe { Reg::at(0x0200_4000) };
const MTIMECMP_HIGH: Reg<u32> = unsafe { Reg::at(0x0200_4004) };
const MTIME_LOW: Reg<u32> = unsafe { Reg::at(0x0200_bff8) };
const MTIME_HIGH: Reg<u32> = unsafe { Reg::at(0x0200_bffc) };

/// The core-local interruptor of hart 0.
struct Clint;

impl Alarm for Clint {
    const TICK_HZ: u64 = 10_000_000;

    fn now(&self) -> u64 {
        loop {
            let high = MTIME_HIGH.read();
            let low = MTIME_LOW.read();
            // The halves belong together unless the low one wrapped between them.
            if high == MTIME_HIGH.read() {
                return u64::from(high) << 32 | u64::from(low);
            }
        }
    }

    fn set_alarm(&self, deadline: Option<u64>) {
        let deadline = deadline.unwrap_or(u64::MAX);
        // In this order no intermediate value is earlier than both old and new. (Privileged Architecture,
        // "Sample code for setting the 64-bit time comparand in RV32".) Two calls that meet may leave halves
        // of both: the later one looks again and pends, as `Alarm` says.
        MTIMECMP_HIGH.write(u32::MAX);
        MTIMECMP_LOW.write(deadline as u32);
        MTIMECMP_HIGH.write((deadline >> 32) as u32);
    }

    fn pend(&self) {
        PENDED.store(true, Ordering::Release);
        MSIP.write(1);
    }
}

static TIMERS: InterruptSource<Clint, 8> = InterruptSource::new(Clint);

static CONTEXTS: Contexts<Virt, Clint, 8> =
    Contexts::new(&Virt, &TIMERS, |bell| CONTEXTS.rung(bell));

// What the software interrupt stands for.
static PENDED: AtomicBool = AtomicBool::new(false);
static PRESSED: AtomicBool = AtomicBool::new(false);

static INTERRUPTS: AtomicU32 = AtomicU32::new(0);
/// As `INTERRUPTS`, but counted at the end of the handler.
static SERVED: AtomicU32 = AtomicU32::new(0);

// The interrupts, by priority, as bits of `mie`.
const HIGHER: usize = 1 << 11; // external
const ALARM: usize = 1 << 7 | 1 << 3; // timer and software
const LOWER: usize = 1 << 1; // supervisor software: nothing of the supervisor is used otherwise

/// Runs the rest of a handler with only the interrupts in `higher` let in.
fn nest(higher: usize, handler: fn()) {
    let before = mie::read();
    // SAFETY: called in handlers only, after the flag was cleared or with the interrupt kept out; masked
    // again when `nested` returns.
    unsafe {
        mie::write(Mie::from_bits(higher));
        riscv::interrupt::nested(handler);
        mie::write(before);
    }
}

#[core_interrupt(Interrupt::MachineTimer)]
fn machine_timer() {
    // There is no flag to clear first: the interrupt lasts while mtime >= mtimecmp. So silence the alarm, and
    // do not leave it to `on_interrupt`, which leaves at once when what was interrupted here is inside it:
    // then this would come again and again, and that never go on.
    TIMERS.alarm().set_alarm(None);
    nest(HIGHER, on_alarm);
}

#[core_interrupt(Interrupt::MachineSoft)]
fn machine_soft() {
    // The flag first: who pends from here on is seen by the next run.
    MSIP.write(0);
    if PRESSED.load(Ordering::Acquire) {
        PRESSED.store(false, Ordering::Release);
        BUTTON.set();
    }
    if PENDED.load(Ordering::Acquire) {
        PENDED.store(false, Ordering::Release);
        nest(HIGHER, on_alarm);
    }
}

fn on_alarm() {
    // Only handlers write it, and they do not nest.
    INTERRUPTS.store(INTERRUPTS.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    TIMERS.on_interrupt();
    SERVED.store(INTERRUPTS.load(Ordering::Relaxed), Ordering::Relaxed);
}

#[core_interrupt(Interrupt::MachineExternal)]
fn machine_external() {
    strike::clear();
    CONTEXTS.high();
}

#[core_interrupt(Interrupt::SupervisorSoft)]
fn supervisor_soft() {
    // SAFETY: clears the flag of this interrupt, which has no other meaning here.
    unsafe { mip::clear_ssoft() };
    nest(HIGHER | ALARM, || CONTEXTS.low());
}

struct Virt;

impl Board for Virt {
    const NAME: &'static str = if cfg!(target_has_atomic = "32") {
        "riscv32-virt, imac"
    } else {
        "riscv32-virt, imc"
    };
    const RAW_BITS: u32 = 32;
    const HEARTBEAT: u32 = u32::MAX;

    fn raw(&self) -> u32 {
        MTIME_LOW.read()
    }

    fn sleep_unless(&self, ready: fn() -> bool) -> bool {
        // Masked, so that no interrupt comes between the question and the sleep. WFI ends all the same
        // when one that is enabled in `mie` becomes pending (Privileged Architecture, "Wait for
        // Interrupt"), and it runs as soon as it is let.
        riscv::interrupt::disable();
        let sleep = !ready();
        if sleep {
            riscv::asm::wfi();
        }
        // SAFETY: unmasks what this function masked; it is called from tasks only, never from within
        // a critical section.
        unsafe { riscv::interrupt::enable() };
        sleep
    }

    fn interrupts(&self) -> u32 {
        INTERRUPTS.load(Ordering::Relaxed)
    }

    fn press(&self) {
        PRESSED.store(true, Ordering::Release);
        MSIP.write(1);
    }

    fn print(&self, text: &str) {
        // Nobody listens? Then nobody misses it.
        let _ = semihosting::io::stdout().and_then(|mut out| out.write_all(text.as_bytes()));
    }
}

impl Rivals for Virt {
    // 80 are enough for the longest, at 32 ns for an instruction.
    const MOMENTS: u32 = 150;

    fn strike_in(&self, ticks: u32) {
        strike::strike_in(ticks * 100);
    }

    fn pend_low(&self) {
        // SAFETY: its handler is in place.
        unsafe { mip::set_ssoft() };
    }

    fn in_handler(&self) -> bool {
        INTERRUPTS.load(Ordering::Relaxed) != SERVED.load(Ordering::Relaxed)
    }
}

#[entry]
fn main() -> ! {
    TIMERS.alarm().set_alarm(None);
    strike::start();
    // SAFETY: the handlers are in place, and nothing is inside a critical section.
    unsafe {
        mie::write(Mie::from_bits(HIGHER | ALARM | LOWER));
        riscv::interrupt::enable();
    }

    let passed = firmware_common::run_and(&Virt, &TIMERS, |checks| CONTEXTS.run(checks));
    semihosting::process::exit(if passed { 0 } else { 1 })
}
