//! What one case is to do.

/// How churn uses its timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Create, poll once, drop.
    Plain,
    /// The same with a waker that has nothing to count.
    Noop,
    /// Each timer is polled with another of many wakers.
    Wakers,
    /// Dropped only after 1,000 others were created.
    Window,
    /// Created on one thread, dropped on another.
    Cross,
    /// Never polled.
    Unpolled,
    /// Re-arm to later, to earlier, or in turn.
    Later,
    Earlier,
    Alternating,
}

#[derive(Clone, Copy, Debug)]
pub enum Work {
    Churn,
    Rearm,
    MassFire,
    Sustained,
    Precision { micros: u64 },
    Memory,
    Idle,
}

#[derive(Clone, Debug)]
pub struct Params {
    pub name: String,
    pub work: Work,
    pub threads: usize,
    /// Other timers that are pending, or the number that fire.
    pub timers: usize,
    pub variant: Variant,
    /// For how long to measure.
    pub seconds: f64,
    /// Exactly so many operations instead (for strace and callgrind).
    pub operations: Option<u64>,
}

impl Params {
    pub fn new(name: &str, work: Work) -> Self {
        Self {
            name: name.into(),
            work,
            threads: 1,
            timers: 0,
            variant: Variant::Plain,
            seconds: 0.4,
            operations: None,
        }
    }
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }
    pub fn timers(mut self, timers: usize) -> Self {
        self.timers = timers;
        self
    }
    pub fn variant(mut self, variant: Variant) -> Self {
        self.variant = variant;
        self
    }
    pub fn seconds(mut self, seconds: f64) -> Self {
        self.seconds = seconds;
        self
    }
}
