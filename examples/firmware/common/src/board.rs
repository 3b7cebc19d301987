//! [`Board`]: what the tasks and checks need of a board, beyond the alarm that the library uses.

/// A board, apart from its alarm.
pub trait Board: Sync + 'static {
    /// What QEMU calls it.
    const NAME: &'static str;

    /// How many bits of [`raw`](Self::raw) count. A wrap must take 100 ms or more: the checks measure
    /// pieces of time with it.
    const RAW_BITS: u32;

    /// How many ticks at least lie between two interrupts that only keep the widened clock going.
    /// `u32::MAX` if there are none.
    const HEARTBEAT: u32;

    /// How late a task may run after its deadline: what the handler, the executor and the other tasks
    /// need on this core, with room to spare.
    const LATE_MICROS: u32 = 250;

    /// A delay short enough to keep the handler busy, and long enough to leave the tasks some time.
    const SHORT_MICROS: u32 = 100;

    /// How late a waker may be woken while handlers of all priorities use the timers at once. With other
    /// seeds the worst of a run is 0.1 to 0.9 ms; a lost alarm stays lost for as long as anybody waits.
    const CROWDED_MICROS: u32 = 3_000;

    /// Whether lateness says anything about the firmware. Not where the clock is that of a busy host.
    const TIMELY: bool = true;

    /// Whether there is room for the checks that are not needed everywhere.
    const ROOMY: bool = !cfg!(target_arch = "avr");

    /// How much of the scenario the core must at least sleep.
    const ASLEEP_PERCENT: u32 = 95;

    /// Whether the checks print their names. A chip without room for them prints numbers: the order is
    /// the same on every board.
    const NAMES: bool = true;

    /// The hardware counter as it stands in its register, counting up at the alarm's `TICK_HZ` and
    /// wrapping after `RAW_BITS`. The checks measure with this and not with `Alarm::now`, so that
    /// a mistake in the widening to 64 bits cannot hide a timer that is early.
    fn raw(&self) -> u32;

    /// Sleeps until the next interrupt unless `ready()`, without a gap between the two: an
    /// interrupt that makes a task ready after the question must still end the sleep. Returns
    /// whether it slept.
    fn sleep_unless(&self, ready: fn() -> bool) -> bool;

    /// How often the interrupt handler that calls `on_interrupt` has run.
    fn interrupts(&self) -> u32;

    /// Has the interrupt of the button's pin run, as an edge on the pin would: its handler calls
    /// `BUTTON.set()`. QEMU has no finger; the interrupt is nevertheless a real one.
    fn press(&self);

    /// Prints.
    fn print(&self, text: &str);

    /// Prints a number; without `core::fmt`, which is larger than all that is shown here.
    fn print_number(&self, number: u32) {
        let mut digits = [0; 10];
        let mut rest = number;
        let mut first = digits.len();
        while first > 0 {
            first -= 1;
            digits[first] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.print(core::str::from_utf8(&digits[first..]).unwrap_or("?"));
    }

    /// How far [`raw`](Self::raw) moved between two readings less than one wrap apart.
    fn ticks_between(&self, earlier: u32, later: u32) -> u32 {
        later.wrapping_sub(earlier) & (u32::MAX >> (32 - Self::RAW_BITS))
    }
}

/// A board with two more interrupts, one of lower and one of higher priority than the alarm's, whose
/// handlers use the same timers: see [`Contexts`](crate::Contexts).
pub trait Rivals: Board {
    /// How often the handler of higher priority runs.
    const STRIKES: u32 = 4_000;

    /// How many ticks the longest of what a task does with a timer takes, about: it is interrupted at each.
    const MOMENTS: u32 = 400;

    /// Has the interrupt of higher priority come once, in about so many ticks of [`raw`](Board::raw)
    /// (2^16 at most): from a timer of its own, so that it can hit anything in the middle. The handler calls
    /// [`Contexts::high`](crate::Contexts::high).
    fn strike_in(&self, ticks: u32);

    /// Has the interrupt of lower priority come as soon as it may. The handler calls
    /// [`Contexts::low`](crate::Contexts::low).
    fn pend_low(&self);

    /// Whether the alarm's handler is between its beginning and its end. Asked from the handler of higher
    /// priority: whether it has interrupted that one.
    fn in_handler(&self) -> bool;
}
