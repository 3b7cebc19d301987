//! The core-local interruptor: one clock for all harts, and for each hart an alarm and an interrupt that
//! software sets.
//!
//! Register facts: RISC-V Privileged Architecture, "Machine Timer (mtime and mtimecmp) Registers"; their
//! addresses: "SiFive FE310-G002 Manual", chapter Core-Local Interruptor (CLINT), whose layout QEMU's
//! machine has. The 10 MHz are QEMU's.

use core::sync::atomic::{AtomicBool, Ordering};

use firmware_common::Reg;
use timer_future::Alarm;

// SAFETY (all of them): addresses of 32-bit device registers of this machine. None of them moves memory.
const MSIP: [Reg<u32>; 2] = unsafe { [Reg::at(0x0200_0000), Reg::at(0x0200_0004)] };
const MTIMECMP: [[Reg<u32>; 2]; 2] = unsafe {
    [
        [Reg::at(0x0200_4000), Reg::at(0x0200_4004)],
        [Reg::at(0x0200_4008), Reg::at(0x0200_400c)],
    ]
};
const MTIME_LOW: Reg<u32> = unsafe { Reg::at(0x0200_bff8) };
const MTIME_HIGH: Reg<u32> = unsafe { Reg::at(0x0200_bffc) };

/// The hart this runs on.
pub(crate) fn hart() -> usize {
    riscv::register::mhartid::read()
}

/// Has the software interrupt of a hart come.
pub(crate) fn kick(hart: usize) {
    MSIP[hart].write(1);
}

/// Clears the flag of the software interrupt of a hart.
pub(crate) fn clear(hart: usize) {
    MSIP[hart].write(0);
}

/// The lower half of the clock.
pub(crate) fn mtime_low() -> u32 {
    MTIME_LOW.read()
}

/// Sets the alarm of a hart.
pub(crate) fn ring_at(hart: usize, time: u64) {
    let [low, high] = MTIMECMP[hart];
    // In this order no intermediate value is earlier than both old and new. (Privileged Architecture,
    // "Sample code for setting the 64-bit time comparand in RV32".) Two calls that meet, from two harts or
    // nested, may leave halves of both: the later one looks again and pends, as `Alarm` says.
    high.write(u32::MAX);
    low.write(time as u32);
    high.write((time >> 32) as u32);
}

/// The alarm of hart 0, for the timers of both.
pub(crate) struct Clint {
    pended: AtomicBool,
}

impl Clint {
    pub(crate) const fn new() -> Self {
        Self {
            pended: AtomicBool::new(false),
        }
    }

    /// Whether `pend` was called since; the software interrupt can mean other things as well.
    pub(crate) fn take_pended(&self) -> bool {
        self.pended.swap(false, Ordering::AcqRel)
    }
}

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
        ring_at(0, deadline.unwrap_or(u64::MAX));
    }

    fn pend(&self) {
        self.pended.store(true, Ordering::Release);
        kick(0);
    }
}
