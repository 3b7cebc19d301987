//! Loom models of the handshake and of the slot protocol: the real code, through the public API.
//!
//! ```text
//! RUSTFLAGS="--cfg timer_future_loom" LOOM_MAX_PREEMPTIONS=3 cargo test --release --test loom
//! ```
//!
//! Under loom a group has two slots. `ManualSource` is the keeper; its baton (a crossbeam `AtomicCell`) and
//! the chunk table (`OnceBox`) are not known to loom, so only one thread advances the time, and groups are
//! made before there are other threads. A keeper that sleeps: src/pool/loom_tests.rs.
//!
//! tests/mutants.sh shows what each test catches.
#![cfg(timer_future_loom)]
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "loom/handshake.rs"]
mod handshake;
#[path = "loom/slots.rs"]
mod slots;
