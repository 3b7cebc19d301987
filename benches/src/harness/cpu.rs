//! CPU time, wakeups and resident memory of this process, all threads.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::time::{clock_gettime, ClockId};

/// CPU time of all threads so far, exact (not in scheduler ticks).
pub fn process() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// How often the living threads of this process have gone to sleep.
pub fn sleeps() -> u64 {
    let Ok(tasks) = fs::read_dir("/proc/self/task") else {
        return 0;
    };
    tasks
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("status")).ok())
        .filter_map(|status| {
            let line = status
                .lines()
                .find(|line| line.starts_with("voluntary_ctxt_switches"))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        })
        .sum()
}

/// Resident memory in bytes.
pub fn resident() -> i64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0) * 4096
}

/// What one `Instant::now()` costs now, in ns: the unit in which this machine is measured.
pub fn clock_read_ns() -> f64 {
    least_ns(|| {
        std::hint::black_box(Instant::now());
    })
}

/// What one uncontended read-modify-write costs.
pub fn atomic_ns() -> f64 {
    let word = AtomicU32::new(0);
    least_ns(|| {
        std::hint::black_box(&word).fetch_add(1, Ordering::SeqCst);
    })
}

fn least_ns(operation: impl Fn()) -> f64 {
    const TIMES: u32 = 100_000;
    let pass = || {
        let start = Instant::now();
        (0..TIMES).for_each(|_| operation());
        start.elapsed().as_nanos() as f64 / f64::from(TIMES)
    };
    (0..5).map(|_| pass()).fold(f64::MAX, f64::min)
}
