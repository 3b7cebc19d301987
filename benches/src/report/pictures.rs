//! Which pictures there are.

use std::fs;
use std::io;
use std::path::Path;

use super::svg::{bars, lines, Chart};
use super::Results;
use crate::peers;

/// A column of a picture: its label, the case and the metric.
type Point = (&'static str, &'static str, &'static str);

fn chart<'a>(
    results: &Results,
    title: &'a str,
    y_title: &'a str,
    labels: &'a [&'a str],
    points: &[Point],
) -> Chart<'a> {
    let values = |who: &&'static str| {
        let value = |point: &Point| results.get(point.1, who, point.2);
        (*who, points.iter().map(value).collect::<Vec<_>>())
    };
    let any = |series: &(&str, Vec<Option<f64>>)| series.1.iter().flatten().count() > 0;
    Chart {
        title,
        y_title,
        x: labels,
        series: peers::NAMES.iter().map(values).filter(any).collect(),
    }
}

pub fn write_all(results: &Results, to: &Path) -> io::Result<()> {
    let write =
        |name: &str, title, y_title, points: &[Point], draw: fn(&Chart) -> Option<String>| {
            let labels: Vec<_> = points.iter().map(|point| point.0).collect();
            match draw(&chart(results, title, y_title, &labels, points)) {
                Some(svg) => fs::write(to.join(name), svg),
                None => Ok(()),
            }
        };
    write(
        "churn-by-pending.svg",
        "A cancelled timeout, by number of other timers pending",
        "wall ns per create, poll, drop",
        &[
            ("none", "churn/1", "wall_ns"),
            ("1 k", "churn/1/1k-pending", "wall_ns"),
            ("100 k", "churn/1/100k-pending", "wall_ns"),
            ("1 M", "churn/1/1m-pending", "wall_ns"),
        ],
        lines,
    )?;
    write(
        "churn-by-threads.svg",
        "A cancelled timeout, by number of threads",
        "CPU ns of the process per create, poll, drop",
        &[
            ("1 thread", "churn/1", "cpu_ns"),
            ("2 threads", "churn/2", "cpu_ns"),
            ("4 threads", "churn/4", "cpu_ns"),
            ("2, dropped elsewhere", "churn/2/drop-elsewhere", "cpu_ns"),
        ],
        bars,
    )?;
    write(
        "fire-cost.svg",
        "CPU per timer that fires, by number of timers in a second",
        "CPU ns per timer, all threads",
        &[
            ("1 k", "mass/1k", "cpu_ns"),
            ("10 k", "mass/10k", "cpu_ns"),
            ("100 k", "mass/100k", "cpu_ns"),
            ("1 M", "mass/1m", "cpu_ns"),
        ],
        lines,
    )?;
    for (name, title, case) in [
        (
            "lateness-10k.svg",
            "How late, 10,000 timers in a second",
            "mass/10k",
        ),
        (
            "lateness-1m.svg",
            "How late, 1,000,000 timers in a second",
            "mass/1m",
        ),
    ] {
        let points = [
            ("p10", case, "p10_us"),
            ("p50", case, "p50_us"),
            ("p90", case, "p90_us"),
            ("p99", case, "p99_us"),
            ("p99.9", case, "p99.9_us"),
            ("max", case, "max_us"),
        ];
        write(name, title, "us after the deadline", &points, lines)?;
    }
    write(
        "precision.svg",
        "One timer at a time: overshoot",
        "us, median and p99",
        &[
            ("100 us, p50", "precision/100us", "p50_us"),
            ("p99", "precision/100us", "p99_us"),
            ("1 ms, p50", "precision/1ms", "p50_us"),
            ("p99", "precision/1ms", "p99_us"),
            ("10 ms, p50", "precision/10ms", "p50_us"),
            ("p99", "precision/10ms", "p99_us"),
        ],
        bars,
    )?;
    write(
        "memory.svg",
        "Bytes per pending timer, future included",
        "bytes",
        &[
            ("100 k, allocated", "memory/100k", "pending_bytes"),
            ("100 k, resident", "memory/100k", "pending_rss"),
            ("1 M, allocated", "memory/1m", "pending_bytes"),
            ("1 M, resident", "memory/1m", "pending_rss"),
        ],
        bars,
    )
}
