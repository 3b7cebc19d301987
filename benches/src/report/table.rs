//! The results as markdown tables: a row per case and metric, a column per peer.

use std::fmt::Write as _;

use super::Results;
use crate::peers;

/// Label, case, metric.
type Row = (&'static str, &'static str, &'static str);

/// How ours is compared.
#[derive(Clone, Copy, PartialEq)]
enum Compare {
    /// In clock reads, and to the best peer: time per operation.
    Clock,
    /// To the lowest or the highest peer.
    Lowest,
    Highest,
    Not,
}

const CHURN: &[Row] = &[
    ("1 thread", "churn/1", "wall_ns"),
    ("2 threads", "churn/2", "wall_ns"),
    ("4 threads", "churn/4", "wall_ns"),
    ("1, with 1 k pending", "churn/1/1k-pending", "wall_ns"),
    ("1, with 100 k pending", "churn/1/100k-pending", "wall_ns"),
    ("2, with 100 k pending", "churn/2/100k-pending", "wall_ns"),
    ("1, with 1 M pending", "churn/1/1m-pending", "wall_ns"),
    (
        "1, a waker without a count",
        "churn/1/noop-waker",
        "wall_ns",
    ),
    ("1, many wakers", "churn/1/many-wakers", "wall_ns"),
    ("2, many wakers", "churn/2/many-wakers", "wall_ns"),
    (
        "1, dropped 1,000 later",
        "churn/1/drop-1000-later",
        "wall_ns",
    ),
    (
        "2, dropped 1,000 later",
        "churn/2/drop-1000-later",
        "wall_ns",
    ),
    (
        "created here, dropped there",
        "churn/2/drop-elsewhere",
        "wall_ns",
    ),
    ("1, never polled", "churn/1/never-polled", "wall_ns"),
    ("2, never polled", "churn/2/never-polled", "wall_ns"),
];
const REARM: &[Row] = &[
    ("later, 1 thread", "rearm/1/later", "wall_ns"),
    ("later, 2 threads", "rearm/2/later", "wall_ns"),
    ("earlier, 1", "rearm/1/earlier", "wall_ns"),
    ("earlier, 2", "rearm/2/earlier", "wall_ns"),
    ("in turn, 1", "rearm/1/alternating", "wall_ns"),
    ("in turn, 2", "rearm/2/alternating", "wall_ns"),
];
const STEADY: &[Row] = &[
    ("allocations per cancelled timer", "churn/1", "allocations"),
    (
        "the same, dropped 1,000 later",
        "churn/1/drop-1000-later",
        "allocations",
    ),
    ("allocations per re-arm", "rearm/1/later", "allocations"),
    (
        "system calls per cancelled timer",
        "churn/1",
        "system_calls",
    ),
];
const MASS: &[Row] = &[
    ("1 k: CPU ns per timer", "mass/1k", "cpu_ns"),
    ("10 k: CPU ns per timer", "mass/10k", "cpu_ns"),
    ("100 k: CPU ns per timer", "mass/100k", "cpu_ns"),
    ("1 M: CPU ns per timer", "mass/1m", "cpu_ns"),
    ("1 M: of it creation", "mass/1m", "cpu_create_ns"),
    ("1 M: of it firing", "mass/1m", "cpu_fire_ns"),
    ("10 k: sleeps of all threads", "mass/10k", "sleeps"),
    ("1 k: lateness p50 us", "mass/1k", "p50_us"),
    ("1 k: p99 us", "mass/1k", "p99_us"),
    ("10 k: lateness p50 us", "mass/10k", "p50_us"),
    ("10 k: p99 us", "mass/10k", "p99_us"),
    ("100 k: lateness p50 us", "mass/100k", "p50_us"),
    ("100 k: p99 us", "mass/100k", "p99_us"),
    ("1 M: lateness p50 us", "mass/1m", "p50_us"),
    ("1 M: p99 us", "mass/1m", "p99_us"),
    ("1 M: p99.9 us", "mass/1m", "p99.9_us"),
    ("1 M: max us", "mass/1m", "max_us"),
    ("10 k: fired early", "mass/10k", "early"),
    ("1 M: fired early", "mass/1m", "early"),
    ("1 M: woken and not ready", "mass/1m", "woken_not_ready"),
];
const SUSTAINED: &[Row] = &[("M timers per s", "sustained/2", "timers_per_us")];
const SUSTAINED_COST: &[Row] = &[
    ("CPU ns per timer", "sustained/2", "cpu_ns"),
    ("lateness p50 ms", "sustained/2", "p50_ms"),
    ("p99 ms", "sustained/2", "p99_ms"),
    ("p99.9 ms", "sustained/2", "p99.9_ms"),
    ("fired early", "sustained/2", "early"),
];
const PRECISION: &[Row] = &[
    ("100 us: p50", "precision/100us", "p50_us"),
    ("100 us: p99", "precision/100us", "p99_us"),
    ("1 ms: p50", "precision/1ms", "p50_us"),
    ("1 ms: p99", "precision/1ms", "p99_us"),
    ("1 ms: p50 at the wake", "precision/1ms", "wake_p50_us"),
    ("10 ms: p50", "precision/10ms", "p50_us"),
    ("10 ms: p99", "precision/10ms", "p99_us"),
    ("10 ms: p50 at the wake", "precision/10ms", "wake_p50_us"),
    ("1 ms: CPU us per timer", "precision/1ms", "cpu_us"),
    ("1 ms: early", "precision/1ms", "early"),
];
const MEMORY: &[Row] = &[
    ("the future itself", "memory/100k", "future_bytes"),
    ("100 k pending: allocated", "memory/100k", "pending_bytes"),
    ("100 k pending: resident", "memory/100k", "pending_rss"),
    ("1 M pending: allocated", "memory/1m", "pending_bytes"),
    ("1 M pending: resident", "memory/1m", "pending_rss"),
    (
        "100 k, after 10 M cancelled: allocated",
        "memory/100k",
        "cancelled_bytes",
    ),
    (
        "100 k, after 10 M cancelled: resident",
        "memory/100k",
        "cancelled_rss",
    ),
    (
        "1 M, after everything is dropped: allocated",
        "memory/1m",
        "dropped_bytes",
    ),
    (
        "1 M, after everything is dropped: resident",
        "memory/1m",
        "dropped_rss",
    ),
];
const IDLE: &[Row] = &[
    ("CPU us per s", "idle/1m", "cpu_us_per_s"),
    ("wakes per s", "idle/1m", "wakes_per_s"),
];

pub fn all(results: &Results) -> String {
    let cpu = |rows: &[Row]| {
        rows.iter()
            .map(|row| (row.0, row.1, "cpu_ns"))
            .collect::<Vec<_>>()
    };
    [
        table(
            results,
            "Churn: create a 30 s timer, poll it, drop it. Wall ns per operation and core",
            CHURN,
            Compare::Clock,
        ),
        table(
            results,
            "Churn: CPU ns of the process per operation",
            &cpu(CHURN),
            Compare::Clock,
        ),
        table(
            results,
            "Re-arm a pending timer: wall ns per operation and core",
            REARM,
            Compare::Clock,
        ),
        table(
            results,
            "Re-arm: CPU ns of the process per operation",
            &cpu(REARM),
            Compare::Clock,
        ),
        table(results, "In the steady state", STEADY, Compare::Not),
        table(
            results,
            "Mass fire: deadlines spread over a second",
            MASS,
            Compare::Lowest,
        ),
        table(
            results,
            "Sustained: 2 threads with 65,536 timers of 5 to 50 ms each, restarted as they fire",
            SUSTAINED,
            Compare::Highest,
        ),
        table(
            results,
            "Sustained: cost and lateness",
            SUSTAINED_COST,
            Compare::Lowest,
        ),
        table(
            results,
            "Precision: overshoot in us, where it is awaited",
            PRECISION,
            Compare::Lowest,
        ),
        table(
            results,
            "Memory: bytes per pending timer, future included",
            MEMORY,
            Compare::Lowest,
        ),
        table(results, "Idle: 1 M timers an hour away", IDLE, Compare::Not),
    ]
    .concat()
}

/// Three significant digits.
pub fn digits(value: f64) -> String {
    let size = value.abs();
    match () {
        () if size >= 1e6 => format!("{:.1} M", value / 1e6),
        () if size >= 1e4 => format!("{:.0} k", value / 1e3),
        () if size < 0.0005 => "0".into(),
        () if size < 0.1 => format!("{value:.3}"),
        () if size >= 100.0 => format!("{value:.0}"),
        () if size >= 10.0 => format!("{value:.1}"),
        () => format!("{value:.2}"),
    }
}

fn table(results: &Results, title: &str, rows: &[Row], compare: Compare) -> String {
    let has = |who: &str| {
        rows.iter()
            .any(|row| results.get(row.1, who, row.2).is_some())
    };
    let whos: Vec<&str> = peers::NAMES
        .iter()
        .copied()
        .filter(|who| has(who))
        .collect();
    if whos.is_empty() {
        return String::new();
    }
    let mut text = format!("\n## {title}\n\n| | {} |", whos.join(" | "));
    if compare == Compare::Clock {
        text += " ours in clock reads |";
    }
    if compare != Compare::Not {
        text += " ours / best peer |";
    }
    let columns = text
        .lines()
        .last()
        .map_or(0, |line| line.matches('|').count() - 1);
    text += &format!("\n|{}\n", " --- |".repeat(columns));
    for (label, case, metric) in rows {
        let values = whos.iter().map(|who| results.get(case, who, metric));
        let cells: Vec<_> = values
            .map(|value| value.map_or("-".into(), digits))
            .collect();
        if cells.iter().all(|cell| cell == "-") {
            continue;
        }
        let _ = write!(text, "| {label} | {} |", cells.join(" | "));
        let ours = results.get(case, "timer-future", metric);
        if compare == Compare::Clock {
            let ratio = ours.map(|ours| ours / results.clock());
            let _ = write!(
                text,
                " {} |",
                ratio.map_or("-".into(), |ratio| format!("{ratio:.2}"))
            );
        }
        if compare != Compare::Not {
            let best = results.best_peer(case, metric, compare == Compare::Highest);
            let ratio = ours
                .zip(best)
                .filter(|(_, best)| *best > 0.0)
                .map(|(ours, best)| ours / best);
            let _ = write!(
                text,
                " {} |",
                ratio.map_or("-".into(), |ratio| format!("{ratio:.2}"))
            );
        }
        text += "\n";
    }
    text
}
