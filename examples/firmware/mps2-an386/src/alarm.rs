//! The alarm of this board, on its own: the example for `embassy-executor` has the same.
//!
//! Register facts: "Cortex-M System Design Kit" technical reference manual (DDI 0479), APB timer; addresses
//! and interrupts: application note 386.

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use firmware_common::Reg;
use timer_future::{Alarm, WideCounter};

// SAFETY (all of them): addresses of 32-bit device registers of this chip, from the application note and
// the timer's register table. None of them moves memory.
const TIMER0_CTRL: Reg<u32> = unsafe { Reg::at(0x4000_0000) };
const TIMER0_VALUE: Reg<u32> = unsafe { Reg::at(0x4000_0004) };
const TIMER0_RELOAD: Reg<u32> = unsafe { Reg::at(0x4000_0008) };
const TIMER1_CTRL: Reg<u32> = unsafe { Reg::at(0x4000_1000) };
const TIMER1_VALUE: Reg<u32> = unsafe { Reg::at(0x4000_1004) };
const TIMER1_RELOAD: Reg<u32> = unsafe { Reg::at(0x4000_1008) };
const TIMER1_INTCLEAR: Reg<u32> = unsafe { Reg::at(0x4000_100c) };

/// Timer 1 as the alarm, timer 0 as its clock.
pub(crate) struct Timers {
    wide: WideCounter<32>,
}

/// The alarm rings at least this often, because the widening must see each half of the counter's
/// period (86 s): 43 s.
pub(crate) const HEARTBEAT: u32 = 1 << 30;

/// Timer 0 counts down.
pub(crate) fn counter() -> u32 {
    u32::MAX - TIMER0_VALUE.read()
}

impl Timers {
    /// Not running yet.
    pub(crate) const fn new() -> Self {
        Self {
            wide: WideCounter::new(),
        }
    }

    /// Starts both timers.
    pub(crate) fn start(&self) {
        const ENABLE: u32 = 1;
        const INTERRUPT: u32 = 1 << 3;

        TIMER0_RELOAD.write(u32::MAX); // sets the counter, too
        TIMER0_VALUE.write(2 * Self::TICK_HZ as u32); // two seconds to the wrap
        TIMER0_CTRL.write(ENABLE);
        TIMER1_RELOAD.write(0); // one-shot
        TIMER1_CTRL.write(ENABLE | INTERRUPT);
        self.set_alarm(None); // the first heartbeat
                              // SAFETY: their handler is in place, and nothing is inside a critical section yet.
        unsafe {
            NVIC::unmask(Irq::Timer1);
            NVIC::unmask(Irq::Gpio0);
            NVIC::unmask(Irq::Gpio1);
        }
    }

    /// Clears the flag of the interrupt.
    pub(crate) fn clear(&self) {
        TIMER1_INTCLEAR.write(1);
    }
}

impl Alarm for Timers {
    const TICK_HZ: u64 = 25_000_000;

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
            // Whoever interrupted this since `now` has delayed the alarm by as much: then again. 20 us is
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

/// Interrupt numbers: application note 386, "Interrupts".
#[derive(Clone, Copy)]
pub(crate) enum Irq {
    /// The button.
    Gpio0 = 6,
    /// Lower priority than the alarm; only software pends it.
    Gpio1 = 7,
    /// The alarm.
    Timer1 = 9,
}

// SAFETY: numbers of this chip's interrupts, which stay the same for ever.
unsafe impl InterruptNumber for Irq {
    fn number(self) -> u16 {
        self as u16
    }
}
