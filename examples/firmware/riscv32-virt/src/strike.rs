//! An interrupt of its own for the handler of higher priority: the real-time clock, through the interrupt
//! controller. The only device of this machine, besides the hart's own alarm, that rings at a given time.
//!
//! Register facts: QEMU, hw/rtc/goldfish_rtc.c and hw/riscv/virt.c; "RISC-V Platform-Level Interrupt Controller
//! Specification" 1.0.

use firmware_common::Reg;

// SAFETY (all of them): addresses of 32-bit device registers of this machine. None of them moves memory.
const TIME_LOW: Reg<u32> = unsafe { Reg::at(0x10_1000) };
const TIME_HIGH: Reg<u32> = unsafe { Reg::at(0x10_1004) };
const ALARM_LOW: Reg<u32> = unsafe { Reg::at(0x10_1008) };
const ALARM_HIGH: Reg<u32> = unsafe { Reg::at(0x10_100c) };
const IRQ_ENABLED: Reg<u32> = unsafe { Reg::at(0x10_1010) };
const CLEAR_INTERRUPT: Reg<u32> = unsafe { Reg::at(0x10_101c) };
const RTC: u32 = 11;
const PRIORITY: Reg<u32> = unsafe { Reg::at(0x0c00_0000 + 4 * RTC as usize) };
const ENABLE: Reg<u32> = unsafe { Reg::at(0x0c00_2000) };
const THRESHOLD: Reg<u32> = unsafe { Reg::at(0x0c20_0000) };
const CLAIM: Reg<u32> = unsafe { Reg::at(0x0c20_0004) };

pub(crate) fn start() {
    PRIORITY.write(1);
    THRESHOLD.write(0);
    ENABLE.write(1 << RTC);
    IRQ_ENABLED.write(1);
}

/// Rings in so many nanoseconds.
pub(crate) fn strike_in(nanos: u32) {
    let low = TIME_LOW.read(); // keeps the upper half that belongs to it
    let at = (u64::from(TIME_HIGH.read()) << 32 | u64::from(low)) + u64::from(nanos);
    ALARM_HIGH.write((at >> 32) as u32);
    ALARM_LOW.write(at as u32); // sets it
}

/// Clears the flag.
pub(crate) fn clear() {
    let interrupt = CLAIM.read();
    CLEAR_INTERRUPT.write(1);
    CLAIM.write(interrupt);
}
