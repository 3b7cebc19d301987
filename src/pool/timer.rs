//! [`PoolTimer`]: a started timer of a pooled source, as a handle of the source and a slot number.

use core::fmt;
use core::ops::Deref;
use core::task::{Context, Poll};
use std::sync::Arc;

use super::{Index, Pool};
use crate::source::CapacityError;
use crate::state::TimerState;

/// A source with a pool. Sealed: the module that holds it is private.
pub trait Pooled {
    fn pool(&self) -> &Pool;
    fn now(&self) -> u64;
    /// How much later than its deadline a timer may fire, in ticks, to save a wake of the keeper.
    fn slack(&self) -> u64;
    /// Makes the keeper look at its inbox now.
    fn kick(&self);
}

/// A reference or `Arc` of a pooled source. Sealed likewise.
pub trait Handle: Clone + Deref<Target = Self::Source> {
    type Source: Pooled;
}

impl<S: Pooled> Handle for &S {
    type Source = S;
}

impl<S: Pooled> Handle for Arc<S> {
    type Source = S;
}

/// A started timer of a [`ThreadSource`](crate::ThreadSource) or [`ManualSource`](crate::ManualSource).
/// Dropping it cancels it.
pub struct PoolTimer<H: Handle> {
    source: H,
    index: Index,
    // Unused values of this byte tell the stages of a TimerFuture apart, which makes the future as
    // small as 32 bytes.
    _niche: Started,
}

#[derive(Clone, Copy)]
#[repr(u8)]
enum Started {
    Yes = 1,
}

impl<H: Handle> PoolTimer<H> {
    #[inline]
    pub(crate) fn start(source: &H, deadline: u64) -> Result<Self, CapacityError> {
        let index = source.pool().start(&**source, deadline)?;
        Ok(Self::new(source, index))
    }

    #[inline]
    fn new(source: &H, index: Index) -> Self {
        Self {
            source: source.clone(),
            index,
            _niche: Started::Yes,
        }
    }

    #[inline]
    pub(crate) fn start_polled(
        source: &H,
        deadline: u64,
        cx: &Context<'_>,
    ) -> Result<(Self, Poll<()>), CapacityError> {
        let (index, poll) = source.pool().start_polled(&**source, deadline, cx)?;
        Ok((Self::new(source, index), poll))
    }

    #[inline]
    pub(crate) fn restart(&mut self, deadline: u64) -> Result<(), CapacityError> {
        self.source
            .pool()
            .restart(&*self.source, &mut self.index, deadline)
    }
}

impl<H: Handle> Deref for PoolTimer<H> {
    type Target = TimerState;

    #[inline]
    fn deref(&self) -> &TimerState {
        self.source.pool().state(self.index)
    }
}

impl<H: Handle> Drop for PoolTimer<H> {
    #[inline]
    fn drop(&mut self) {
        self.source.pool().cancel(self.index);
    }
}

impl<H: Handle> fmt::Debug for PoolTimer<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolTimer")
            .field("slot", &self.index.0)
            .field("complete", &self.is_complete())
            .finish_non_exhaustive()
    }
}
