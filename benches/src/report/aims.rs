//! The aims of the crate, checked against this run.

use std::fmt::Write as _;

use super::table::digits;
use super::Results;

const OURS: &str = "timer-future";

struct Aims<'a> {
    results: &'a Results,
    text: String,
}

impl Aims<'_> {
    fn get(&self, case: &str, metric: &str) -> Option<f64> {
        self.results.get(case, OURS, metric)
    }

    /// A row, if both numbers are there.
    fn at_most(&mut self, name: &str, value: Option<f64>, limit: Option<f64>) {
        self.row(name, "at most", value, limit, |value, limit| value <= limit);
    }

    fn at_least(&mut self, name: &str, value: Option<f64>, limit: Option<f64>) {
        self.row(name, "at least", value, limit, |value, limit| {
            value >= limit
        });
    }

    fn row(
        &mut self,
        name: &str,
        words: &str,
        value: Option<f64>,
        limit: Option<f64>,
        met: fn(f64, f64) -> bool,
    ) {
        let (Some(value), Some(limit)) = (value, limit) else {
            return;
        };
        let met = if met(value, limit) { "yes" } else { "**no**" };
        let (value, limit) = (digits(value), digits(limit));
        let _ = writeln!(self.text, "| {name} | {words} {limit} | {value} | {met} |");
    }
}

pub fn table(results: &Results) -> String {
    let mut aims = Aims {
        results,
        text: String::new(),
    };
    let clock = results.clock();
    let times = |factor: f64| move |value: f64| value * factor;

    for case in [
        "churn/1",
        "churn/2",
        "churn/4",
        "churn/1/100k-pending",
        "churn/2/100k-pending",
        "churn/1/1m-pending",
        "churn/1/many-wakers",
        "churn/2/many-wakers",
        "churn/1/drop-1000-later",
        "churn/2/drop-1000-later",
        "churn/2/drop-elsewhere",
    ] {
        for metric in ["wall_ns", "cpu_ns"] {
            let value = aims.get(case, metric);
            aims.at_most(
                &format!("{case} {metric}, 2 clock reads"),
                value,
                Some(2.0 * clock),
            );
            let half = results.best_peer(case, metric, false).map(times(0.5));
            aims.at_most(
                &format!("{case} {metric}, half of the best peer"),
                value,
                half,
            );
        }
    }
    for case in ["rearm/1/later", "rearm/2/later"] {
        let value = aims.get(case, "wall_ns");
        aims.at_most(
            &format!("{case} wall_ns, 1.6 clock reads"),
            value,
            Some(1.6 * clock),
        );
    }
    let tokio = |case: &str, metric: &str| {
        let flavours = ["tokio-mt", "tokio-ct", "tokio-alt"].into_iter();
        flavours
            .filter_map(|who| results.get(case, who, metric))
            .min_by(f64::total_cmp)
    };
    let value = aims.get("mass/1m", "cpu_ns");
    aims.at_most(
        "mass/1m CPU ns, 0.85 of tokio",
        value,
        tokio("mass/1m", "cpu_ns").map(times(0.85)),
    );
    let value = aims.get("mass/1m", "p99_us");
    aims.at_most(
        "mass/1m p99 us, 1/50 of tokio",
        value,
        tokio("mass/1m", "p99_us").map(times(0.02)),
    );
    for case in [
        "mass/1k",
        "mass/10k",
        "mass/100k",
        "mass/1m",
        "sustained/2",
        "precision/1ms",
    ] {
        let value = aims.get(case, "early");
        aims.at_most(&format!("{case} early fires"), value, Some(0.0));
    }
    let value = aims.get("mass/10k", "cpu_ns");
    let half = results
        .get("mass/10k", "async-io", "cpu_ns")
        .map(times(0.5));
    aims.at_most("mass/10k CPU ns, half of async-io", value, half);
    let value = aims.get("mass/10k", "p50_us");
    aims.at_most("mass/10k p50 us", value, Some(100.0));
    let value = results.get("mass/10k", "timer-future-1ms", "cpu_ns");
    aims.at_most(
        "mass/10k with 1 ms slack, CPU ns, tokio",
        value,
        tokio("mass/10k", "cpu_ns"),
    );

    let value = aims.get("sustained/2", "timers_per_us");
    aims.at_least("sustained/2 M timers/s", value, Some(3.5));
    let shareable = ["tokio-mt", "tokio-alt", "async-io", "futures-timer"].into_iter();
    let shareable = shareable.filter_map(|who| results.get("sustained/2", who, "timers_per_us"));
    let best = shareable.max_by(f64::total_cmp).map(times(1.3));
    aims.at_least(
        "sustained/2 M timers/s, 1.3 of the best shareable peer",
        value,
        best,
    );
    let value = aims.get("sustained/2", "p99_ms");
    let limit = results.get("sustained/2", "tokio-ct", "p99_ms");
    aims.at_most("sustained/2 p99 ms, tokio current-thread", value, limit);

    let kernel = results
        .get("precision/1ms", "kernel-slack-1", "p50_us")
        .map(times(1.2));
    for metric in ["p50_us", "wake_p50_us"] {
        let value = aims.get("precision/1ms", metric);
        aims.at_most(
            &format!("precision/1ms {metric}, 1.2 of the kernel, minimal slack"),
            value,
            kernel,
        );
    }
    for case in ["memory/100k", "memory/1m"] {
        for metric in [
            "pending_bytes",
            "pending_rss",
            "cancelled_bytes",
            "cancelled_rss",
        ] {
            let value = aims.get(case, metric);
            aims.at_most(&format!("{case} {metric}"), value, Some(80.0));
        }
    }
    for (case, metric) in [
        ("churn/1", "allocations"),
        ("churn/1/drop-1000-later", "allocations"),
        ("churn/1", "system_calls"),
    ] {
        // A system call in a thousand is the scheduler's or the harness's.
        let value = aims
            .get(case, metric)
            .map(|value| (value * 1e3).round() / 1e3);
        aims.at_most(&format!("{case} {metric} per timer"), value, Some(0.0));
    }
    let value = aims.get("idle/1m", "wakes_per_s");
    aims.at_most("idle/1m wakes per s", value, Some(0.0));
    format!(
        "\n## The aims\n\n| | aim | this run | met |\n| --- | --- | --- | --- |\n{}",
        aims.text
    )
}
