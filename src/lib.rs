#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
// Reachable panics are bugs here (P6); in tests they are the point.
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "std")]
extern crate std;

mod deadline;
mod ext;
mod future;
mod interrupt;
mod interval;
mod source;
mod state;
mod sync;
mod ticks;
mod timeout;
mod widen;

#[cfg(feature = "std")]
mod manual;
#[cfg(feature = "std")]
mod pool;
#[cfg(feature = "std")]
mod thread;

pub use ext::SourceExt;
pub use future::TimerFuture;
pub use interrupt::{Alarm, InterruptSource, InterruptTimer};
pub use interval::{Interval, MissedTickBehavior};
pub use source::{CapacityError, TimerSource};
pub use state::TimerState;
pub use ticks::{deadline_after, duration_to_ticks, ticks_to_duration, NEVER};
pub use timeout::{Elapsed, Timeout};
pub use widen::WideCounter;

#[cfg(feature = "std")]
pub use manual::ManualSource;
#[cfg(feature = "std")]
pub use pool::PoolTimer;
#[cfg(feature = "std")]
pub use thread::{ThreadSource, ThreadSourceBuilder};
#[cfg(feature = "std")]
pub use timeout::timeout;
