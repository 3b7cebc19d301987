//! The alarm that all contenders use: a 64-bit counter in two words, a 64-bit compare register and an enable,
//! as many chips have, in memory here, so that the firmware says when time passes.
//!
//! Instructions of the functions named `hardware_*` stand for hardware, and those named `mark_*` for the
//! measuring; `count.py` leaves both out.

use core::ptr::{addr_of, addr_of_mut, read_volatile, write_volatile};
use core::sync::atomic::{compiler_fence, Ordering};

use cortex_m::peripheral::SCB;

const COUNTER: usize = 0;
const COMPARE: usize = 2;
const ENABLED: usize = 4;

static mut REGISTERS: [u32; 5] = [0; 5];

#[inline]
fn read(register: usize) -> u32 {
    // SAFETY: in bounds; volatile, as a register is.
    unsafe { read_volatile(addr_of!(REGISTERS).cast::<u32>().add(register)) }
}

#[inline]
fn write(register: usize, value: u32) {
    // SAFETY: as above.
    unsafe { write_volatile(addr_of_mut!(REGISTERS).cast::<u32>().add(register), value) }
}

/// The counter: two words, read until they fit together.
#[inline]
pub fn now() -> u64 {
    loop {
        let high = read(COUNTER + 1);
        let low = read(COUNTER);
        if read(COUNTER + 1) == high {
            return u64::from(high) << 32 | u64::from(low);
        }
    }
}

/// The compare register: the interrupt comes once the counter has reached it.
#[inline]
pub fn set_alarm(deadline: u64) {
    write(COMPARE, deadline as u32);
    write(COMPARE + 1, (deadline >> 32) as u32);
    write(ENABLED, 1);
}

/// No interrupt is wanted.
#[inline]
pub fn stop_alarm() {
    write(ENABLED, 0);
}

/// Makes the interrupt handler run, whatever the alarm says.
#[inline]
pub fn pend() {
    SCB::set_pendst();
}

/// Time passes; nobody is told.
#[no_mangle]
#[inline(never)]
pub extern "C" fn hardware_set_counter(to: u64) {
    write(COUNTER, to as u32);
    write(COUNTER + 1, (to >> 32) as u32);
}

/// The interrupt comes.
#[no_mangle]
#[inline(never)]
pub extern "C" fn hardware_interrupt() {
    SCB::set_pendst();
    cortex_m::asm::isb();
}

/// Time passes; the interrupt comes if the alarm says so.
#[no_mangle]
#[inline(never)]
pub extern "C" fn hardware_pass(to: u64) {
    hardware_set_counter(to);
    if read(ENABLED) != 0 && now() >= u64::from(read(COMPARE + 1)) << 32 | u64::from(read(COMPARE))
    {
        hardware_interrupt();
    }
}

/// The core sleeps: time passes until the alarm rings. For ever, if there is none: that is a lost wakeup.
#[no_mangle]
#[inline(never)]
pub extern "C" fn hardware_sleep() {
    if read(ENABLED) == 0 {
        semihosting::process::exit(2);
    }
    if now() < u64::from(read(COMPARE + 1)) << 32 | u64::from(read(COMPARE)) {
        write(COUNTER, read(COMPARE));
        write(COUNTER + 1, read(COMPARE + 1));
    }
    SCB::set_pendst();
    cortex_m::asm::isb();
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn mark_begin() {
    compiler_fence(Ordering::SeqCst);
    cortex_m::asm::nop();
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn mark_end() {
    compiler_fence(Ordering::SeqCst);
    cortex_m::asm::nop();
    cortex_m::asm::nop();
}

static mut TOGGLES: u32 = 0;

/// The LED.
pub fn toggle() {
    // SAFETY: tasks only, one after the other.
    unsafe { write_volatile(addr_of_mut!(TOGGLES), read_volatile(addr_of!(TOGGLES)) + 1) }
}

/// How often.
pub fn toggles() -> u32 {
    // SAFETY: as above.
    unsafe { read_volatile(addr_of!(TOGGLES)) }
}
