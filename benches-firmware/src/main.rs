//! One operation between two marks, each with 0, 7 and 31 other timers pending. `run.sh` has QEMU log every
//! instruction, and counts those between the marks.
#![no_std]
#![no_main]

use core::future::Future;
use core::pin::Pin;
use core::ptr::{addr_of, addr_of_mut, read_volatile, write_volatile};
use core::sync::atomic::{compiler_fence, Ordering};
use core::task::{Context, Poll, Waker};

use cortex_m::peripheral::SCB;
use cortex_m_rt::{entry, exception};
use timer_future::{Alarm, InterruptSource, TimerFuture, TimerState};

/// Two counter registers, two compare registers, an enable: memory here, so that the test says when.
static mut REGISTERS: [u32; 5] = [0; 5];

struct Registers;

impl Alarm for Registers {
    const TICK_HZ: u64 = 1_000_000;

    #[inline]
    fn now(&self) -> u64 {
        // As on every chip with a 64-bit counter in two words.
        loop {
            let high = read(1);
            let low = read(0);
            if read(1) == high {
                return u64::from(high) << 32 | u64::from(low);
            }
        }
    }
    #[inline]
    fn set_alarm(&self, deadline: Option<u64>) {
        match deadline {
            Some(deadline) => {
                write(2, deadline as u32);
                write(3, (deadline >> 32) as u32);
                write(4, 1);
            }
            None => write(4, 0),
        }
    }
    #[inline]
    fn pend(&self) {
        SCB::set_pendst();
    }
}

fn read(register: usize) -> u32 {
    unsafe { read_volatile(addr_of!(REGISTERS).cast::<u32>().add(register)) }
}

fn write(register: usize, value: u32) {
    unsafe { write_volatile(addr_of_mut!(REGISTERS).cast::<u32>().add(register), value) }
}

static TIMERS: InterruptSource<Registers, { SLOTS }> = InterruptSource::new(Registers);

const SLOTS: usize = match option_env!("SLOTS") {
    Some(s) if s.len() == 1 => 1,
    _ => 40,
};

#[exception]
fn SysTick() {
    TIMERS.on_interrupt();
}

/// The floor: one AtomicBool and one AtomicWaker, no clock, no alarm, no choice.
static FLOOR: TimerState = TimerState::new();

#[exception]
fn PendSV() {
    FLOOR.complete();
}

#[no_mangle]
#[inline(never)]
extern "C" fn mark_begin() {
    compiler_fence(Ordering::SeqCst);
    cortex_m::asm::nop();
}

#[no_mangle]
#[inline(never)]
extern "C" fn mark_end() {
    compiler_fence(Ordering::SeqCst);
    cortex_m::asm::nop();
    cortex_m::asm::nop();
}

macro_rules! measure {
    ($e:expr) => {{
        mark_begin();
        let result = $e;
        mark_end();
        result
    }};
}

type Delay = TimerFuture<&'static InterruptSource<Registers, SLOTS>>;

#[inline(never)]
fn poll(delay: &mut Delay) -> Poll<()> {
    Pin::new(delay).poll(&mut Context::from_waker(Waker::noop()))
}

fn at(deadline: u64) -> Delay {
    Delay::with_deadline(&TIMERS, deadline)
}

#[inline(never)]
fn interrupt() {
    SCB::set_pendst();
    cortex_m::asm::isb();
}

fn operations<const PENDING: usize>() {
    let now = TIMERS.alarm().now();
    let mut pending: [Delay; PENDING] = core::array::from_fn(|i| at(now + 1_000 + i as u64));
    for delay in &mut pending {
        let _ = poll(delay);
    }
    interrupt(); // all have their places

    // 0: the marks alone
    measure!(());
    // 1: register, the latest
    let mut late = at(now + 5_000);
    let _ = measure!(poll(&mut late));
    // 2: re-poll
    let _ = measure!(poll(&mut late));
    // 3: drop
    measure!(drop(late));
    interrupt();
    // 4: register, the earliest
    let mut early = at(now + 10);
    let _ = measure!(poll(&mut early));
    // 5: the handler that fires one (and the pend)
    write(0, now as u32 + 10);
    measure!(interrupt());
    // 6: the poll that is ready
    let ready = measure!(poll(&mut early));
    assert!(ready.is_ready());
    drop(early);
    // 7: the handler that fires one and finds a later one in its inbox
    let mut early = at(now + 20);
    let _ = poll(&mut early);
    let mut late = at(now + 5_000);
    let _ = poll(&mut late);
    write(0, now as u32 + 20);
    measure!(interrupt());
    assert!(early.is_elapsed());
    drop((early, late));
    // 8: the handler that has nothing to do
    interrupt();
    measure!(interrupt());
    // 9: arm and cancel a timeout, recycled
    drop({
        let mut d = at(now + 20_000);
        let _ = poll(&mut d);
        d
    });
    measure!({
        let mut d = at(now + 20_001);
        let _ = poll(&mut d);
        drop(d);
    });
    interrupt();
    // 10: a delay: created, polled, fired, polled, dropped
    write(0, now as u32 + 100);
    measure!({
        let mut d = at(now + 110);
        let _ = poll(&mut d);
        write(0, now as u32 + 110);
        interrupt();
        let _ = poll(&mut d);
        drop(d);
    });
    drop(pending);
    interrupt();
    write(0, now as u32 + 200);
}

#[inline(never)]
fn poll_floor() -> Poll<()> {
    FLOOR.poll_complete(&mut Context::from_waker(Waker::noop()))
}

#[inline(never)]
fn floor_interrupt() {
    SCB::set_pendsv();
    cortex_m::asm::isb();
}

fn floor() {
    measure!(());
    let _ = measure!(poll_floor());
    let _ = measure!(poll_floor());
    measure!(floor_interrupt());
    let ready = measure!(poll_floor());
    assert!(ready.is_ready());
}

#[entry]
fn main() -> ! {
    operations::<0>();
    if SLOTS > 1 {
        operations::<7>();
        operations::<31>();
    }
    floor();
    semihosting::process::exit(0);
}
