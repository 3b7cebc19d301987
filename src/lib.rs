#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "std")]
extern crate std;

mod deadline;
mod future;
#[cfg(feature = "std")]
mod manual;
#[cfg(feature = "std")]
mod pool;
mod slot;
mod source;
mod state;
mod sync;
#[cfg(feature = "std")]
mod thread;
mod ticks;

pub use future::TimerFuture;
#[cfg(feature = "std")]
pub use manual::ManualSource;
#[cfg(feature = "std")]
pub use pool::PoolTimer;
pub use source::{CapacityError, TimerSource};
pub use state::TimerState;
#[cfg(feature = "std")]
pub use thread::{ThreadSource, ThreadSourceBuilder};
pub use ticks::{deadline_after, duration_to_ticks, ticks_to_duration, NEVER};
