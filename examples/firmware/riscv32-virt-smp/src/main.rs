//! QEMU's RISC-V machine "virt" with two harts, machine mode. This shows
//!
//! 1. one source for both harts, whose alarm is hart 0's: hart 1 programs it as well as hart 0 does;
//! 2. wakers that cross from hart to hart: a flag, and a software interrupt that ends the other's sleep;
//! 3. `on_interrupt` on both harts at once;
//! 4. a watchdog that does not depend on any of this: hart 1's own alarm.
//!
//! The checks are in `pair.rs`.

#![no_std]
#![no_main]

mod clint;
mod pair;
mod sleeper;

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use clint::{clear, hart, kick, mtime_low, ring_at, Clint};
use firmware_common::contexts::{HIGH, LOW, TASK};
use firmware_common::{Bell, Board, Checks, Contexts};
use riscv::interrupt::Interrupt;
use riscv_rt::{core_interrupt, entry};
use semihosting::io::Write;
use timer_future::{Alarm, InterruptSource};

static TIMERS: InterruptSource<Clint, 8> = InterruptSource::new(Clint::new());

static CONTEXTS: Contexts<Virt, Clint, 8> = Contexts::new(&Virt, &TIMERS, ring);

/// Whoever waits longer for anything has lost an alarm or a wake: several times what the run takes. Counted
/// second by second, so that a minute in which the host has stopped QEMU is one.
const WATCHDOG_SECONDS: u32 = 60;
static SECONDS: AtomicU32 = AtomicU32::new(0);

fn watch() {
    ring_at(1, TIMERS.now() + Clint::TICK_HZ);
}

static INTERRUPTS: AtomicU32 = AtomicU32::new(0);
static INSIDE: [AtomicBool; 2] = [const { AtomicBool::new(false) }; 2];
/// How often a hart entered `on_interrupt` while the other was inside.
static BOTH: AtomicU32 = AtomicU32::new(0);

/// A waker of the storm: notes it, and ends the sleep of the hart it is meant for.
fn ring(bell: &'static Bell) {
    CONTEXTS.rung(bell);
    match bell.owner {
        TASK if hart() != 0 => kick(0),
        LOW | HIGH if hart() != 1 => kick(1),
        _ => {}
    }
}

/// The alarm's handler, on either hart.
fn on_alarm() {
    INTERRUPTS.fetch_add(1, Ordering::Relaxed);
    let hart = hart();
    INSIDE[hart].store(true, Ordering::SeqCst);
    if INSIDE[1 - hart].load(Ordering::SeqCst) {
        BOTH.fetch_add(1, Ordering::Relaxed);
    }
    TIMERS.on_interrupt();
    INSIDE[hart].store(false, Ordering::SeqCst);
}

#[core_interrupt(Interrupt::MachineTimer)]
fn machine_timer() {
    if hart() == 1 {
        if SECONDS.fetch_add(1, Ordering::Relaxed) == WATCHDOG_SECONDS {
            Virt.print("the watchdog: an alarm or a wake was lost\n");
            semihosting::process::exit(1);
        }
        return watch();
    }
    // There is no flag to clear first: the interrupt lasts while mtime >= mtimecmp. So silence the alarm, and
    // do not leave it to `on_interrupt`, which leaves at once when the other hart, or the task that was
    // interrupted here, is inside it: then this would come again and again, and that task never go on.
    ring_at(0, u64::MAX);
    on_alarm();
}

#[core_interrupt(Interrupt::MachineSoft)]
fn machine_soft() {
    // The flag first: who sets it from here on is seen by the next run.
    clear(hart());
    if hart() == 1 {
        CONTEXTS.act(HIGH);
    } else if TIMERS.alarm().take_pended() {
        on_alarm();
    }
}

struct Virt;

impl Board for Virt {
    const NAME: &'static str = "riscv32-virt-smp";
    const RAW_BITS: u32 = 32;
    const HEARTBEAT: u32 = u32::MAX;
    // The harts and the timer are threads of the host, which may have other things to do: on a busy host the
    // bare timer of QEMU was seen to be 60 ms late. Between the rounds nobody else sets the alarm, so one
    // that is lost is lost for longer than any such delay.
    const CROWDED_MICROS: u32 = 5_000_000;
    const TIMELY: bool = false;

    fn raw(&self) -> u32 {
        mtime_low()
    }

    fn sleep_unless(&self, ready: fn() -> bool) -> bool {
        sleeper::sleep_unless(ready)
    }

    fn interrupts(&self) -> u32 {
        INTERRUPTS.load(Ordering::Relaxed)
    }

    fn press(&self) {
        // There is no button in these checks.
    }

    fn print(&self, text: &str) {
        // Nobody listens? Then nobody misses it.
        let _ = semihosting::io::stdout().and_then(|mut out| out.write_all(text.as_bytes()));
    }
}

// Hart 0 initialises memory; hart 1 waits for its software interrupt meanwhile. (riscv-rt wants this in
// assembly: there is no memory yet.)
core::arch::global_asm!(
    r#"
    .section .init.mp_hook, "ax"
    .global _mp_hook
_mp_hook:
    beqz a0, 2f
    csrsi mie, 8        // MSIE: wfi ends, and nothing traps, because mstatus.MIE is 0
1:  wfi
    csrr t0, mip
    andi t0, t0, 8      // MSIP
    beqz t0, 1b
    li a0, 0
    ret
2:  li a0, 1
    ret
    "#
);

#[entry]
fn main(hart: usize) -> ! {
    if hart == 1 {
        clear(1);
    } else {
        TIMERS.alarm().set_alarm(None);
        watch();
        kick(1); // hart 1 may start
    }
    // SAFETY: the handlers are in place, and nothing is inside a critical section.
    unsafe {
        riscv::register::mie::set_mtimer();
        riscv::register::mie::set_msoft();
        riscv::interrupt::enable();
    }
    if hart == 1 {
        pair::obey();
    }

    let mut checks = Checks::new(&Virt);
    pair::run(&mut checks);
    semihosting::process::exit(if checks.summary() { 0 } else { 1 })
}
