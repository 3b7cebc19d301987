//! The operations, written once. Each is announced by name on the console and then runs once between two marks,
//! in a scene of its own: so many other timers pending, all of them later than "the earliest" and earlier
//! than "the latest", each of another task.

use core::future::Future;
use core::hint::black_box;
use core::mem::MaybeUninit;
use core::pin::Pin;
use core::task::{Context, Waker};

use semihosting::println;

use crate::board::{
    hardware_interrupt, hardware_pass, hardware_set_counter, mark_begin, mark_end, now,
};
use crate::Contender;

/// How many timers must have room, for there to be others pending.
pub const MANY: usize = 40;

/// Room for one timer that does not move.
struct Place<C: Contender>(MaybeUninit<C::Delay>);

impl<C: Contender> Place<C> {
    const fn new() -> Self {
        Self(MaybeUninit::uninit())
    }
    fn create(&mut self, deadline: u64) {
        self.0.write(C::at(deadline));
    }
    #[inline(never)]
    fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        // SAFETY: created, and not moved until `drop`.
        unsafe { Pin::new_unchecked(self.0.assume_init_mut()) }
            .poll(cx)
            .is_ready()
    }
    #[inline(never)]
    fn drop(&mut self) {
        // SAFETY: created.
        unsafe { self.0.assume_init_drop() }
    }
}

/// The measured task, and another.
struct Scene<'a> {
    now: u64,
    cx: Context<'a>,
    other: Context<'a>,
}

impl Scene<'_> {
    fn earliest(&self) -> u64 {
        black_box(self.now + 10)
    }
    fn latest(&self) -> u64 {
        black_box(self.now + 5_000)
    }
}

#[inline(never)]
fn scene<C: Contender, const PENDING: usize>(name: &str, operation: impl FnOnce(&mut Scene<'_>)) {
    let now = now();
    let wakers: [Waker; PENDING] = core::array::from_fn(|i| C::waker(i + 2));
    let mut pending: [Place<C>; PENDING] = core::array::from_fn(|_| Place::new());
    for (i, (place, waker)) in pending.iter_mut().zip(&wakers).enumerate() {
        place.create(now + 1_000 + i as u64);
        assert!(!place.poll(&mut Context::from_waker(waker)));
    }
    hardware_interrupt(); // all have their places
    println!("{name}|{PENDING}");
    let (task, other) = (C::waker(0), C::waker(1));
    operation(&mut Scene {
        now,
        cx: Context::from_waker(&task),
        other: Context::from_waker(&other),
    });
    for place in &mut pending {
        place.drop();
    }
    // What was dropped and forgotten, too.
    hardware_set_counter(now + 100_000);
    hardware_interrupt();
    C::settle();
    hardware_interrupt();
}

/// Every operation, with that many others pending.
pub fn pending<C: Contender, const PENDING: usize>() {
    scene::<C, PENDING>("the marks", |_| {
        mark_begin();
        mark_end();
    });
    scene::<C, PENDING>("interrupt that fires one", |s| {
        let mut early = Place::<C>::new();
        early.create(s.earliest());
        early.poll(&mut s.cx);
        hardware_set_counter(s.now + 10);
        mark_begin();
        hardware_interrupt();
        mark_end();
        assert!(early.poll(&mut s.cx));
        early.drop();
    });
    if C::CAPACITY > 1 {
        scene::<C, PENDING>("interrupt that fires one and finds a new one", |s| {
            let (mut early, mut late) = (Place::<C>::new(), Place::<C>::new());
            early.create(s.earliest());
            early.poll(&mut s.cx);
            late.create(s.latest());
            late.poll(&mut s.other);
            hardware_set_counter(s.now + 10);
            mark_begin();
            hardware_interrupt();
            mark_end();
            early.drop();
            late.drop();
        });
    }
    scene::<C, PENDING>("interrupt for nothing", |_| {
        mark_begin();
        hardware_interrupt();
        mark_end();
    });
    scene::<C, PENDING>("start and poll, the latest", |s| {
        let mut late = Place::<C>::new();
        mark_begin();
        late.create(s.latest());
        late.poll(&mut s.cx);
        mark_end();
        late.drop();
    });
    scene::<C, PENDING>("start and poll, the earliest", |s| {
        let mut early = Place::<C>::new();
        mark_begin();
        early.create(s.earliest());
        early.poll(&mut s.cx);
        mark_end();
        early.drop();
    });
    scene::<C, PENDING>("poll again", |s| {
        let mut late = Place::<C>::new();
        late.create(s.latest());
        late.poll(&mut s.cx);
        mark_begin();
        late.poll(&mut s.cx);
        mark_end();
        late.drop();
    });
    scene::<C, PENDING>("poll again from another task", |s| {
        let mut late = Place::<C>::new();
        late.create(s.latest());
        late.poll(&mut s.cx);
        mark_begin();
        late.poll(&mut s.other);
        mark_end();
        late.drop();
    });
    scene::<C, PENDING>("poll that is ready", |s| {
        let mut early = Place::<C>::new();
        early.create(s.earliest());
        early.poll(&mut s.cx);
        hardware_set_counter(s.now + 10);
        hardware_interrupt();
        mark_begin();
        let ready = early.poll(&mut s.cx);
        mark_end();
        assert!(ready);
        early.drop();
    });
    if C::CANCELS {
        scene::<C, PENDING>("drop, the latest", |s| {
            let mut late = Place::<C>::new();
            late.create(s.latest());
            late.poll(&mut s.cx);
            mark_begin();
            late.drop();
            mark_end();
        });
        scene::<C, PENDING>("drop, the earliest", |s| {
            let mut early = Place::<C>::new();
            early.create(s.earliest());
            early.poll(&mut s.cx);
            mark_begin();
            early.drop();
            mark_end();
        });
    }
    scene::<C, PENDING>("interrupt that a dropped timer leaves behind", |s| {
        let mut early = Place::<C>::new();
        early.create(s.earliest());
        early.poll(&mut s.cx);
        early.drop();
        mark_begin();
        hardware_pass(s.now + 10);
        mark_end();
    });
    scene::<C, PENDING>("timeout: start, poll, drop", |s| {
        let mut late = Place::<C>::new();
        late.create(s.latest());
        late.poll(&mut s.cx);
        late.drop();
        // The second of many, each a little later than the one before.
        let deadline = black_box(s.now + 5_001);
        mark_begin();
        late.create(deadline);
        late.poll(&mut s.cx);
        late.drop();
        mark_end();
    });
    scene::<C, PENDING>("a whole delay().await", |_| {
        C::prepare_delay();
        mark_begin();
        C::one_delay();
        mark_end();
    });
}

/// The last free place of [`MANY`], and not the one that was freed last.
pub fn last_place<C: Contender>() {
    scene::<C, { MANY - 2 }>("start and poll, the last of 40 places", |s| {
        let (mut one, mut two) = (Place::<C>::new(), Place::<C>::new());
        one.create(s.latest());
        one.poll(&mut s.cx);
        two.create(s.latest());
        two.poll(&mut s.other);
        one.drop();
        two.drop();
        hardware_interrupt();
        one.create(s.latest());
        one.poll(&mut s.cx);
        let deadline = black_box(s.now + 5_001);
        mark_begin();
        two.create(deadline);
        two.poll(&mut s.other);
        mark_end();
        one.drop();
        two.drop();
    });
}
