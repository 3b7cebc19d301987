//! On what, with what, and how it was measured.

use std::fs;
use std::process::Command;

use super::Results;
use crate::harness::cores;

fn first_line(command: &str, arguments: &[&str]) -> String {
    let output = Command::new(command).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.unwrap_or_default()
        .lines()
        .next()
        .unwrap_or("?")
        .to_owned()
}

fn versions() -> String {
    let lock = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock"));
    let lock = lock.unwrap_or_default();
    let version = |name: &str| {
        let package = lock
            .split("[[package]]")
            .find(|text| text.contains(&format!("name = \"{name}\"\n")))?;
        let version = package
            .lines()
            .find_map(|line| line.strip_prefix("version = "))?;
        Some(format!("{name} {}", version.trim_matches('"')))
    };
    let names = [
        "timer-future",
        "tokio",
        "async-io",
        "futures-timer",
        "embassy-time",
    ];
    names
        .iter()
        .filter_map(|name| version(name))
        .collect::<Vec<_>>()
        .join(", ")
}

pub fn describe(results: &Results, repeats: usize) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split(": ").nth(1));
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let commit = first_line(
        "git",
        &[
            "-C",
            env!("CARGO_MANIFEST_DIR"),
            "rev-parse",
            "--short",
            "HEAD",
        ],
    );
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    format!(
        "# timer-future and its peers, measured\n\n\
         - machine: {} cores of {}, Linux {}, {}\n\
         - {}; commit {commit}; tokio-alt (per-worker timers) is built with `--cfg tokio_unstable`, the others are not\n\
         - {}; load average at the end {}\n\
         - `cargo run --release --manifest-path benches/Cargo.toml -- {}`: medians of {repeats} runs, each case of each \
           run in a process of its own\n\
         - one `Instant::now()`: {:.1} ns; one uncontended read-modify-write: {:.1} ns\n",
        cores(),
        cpu.unwrap_or("?"),
        first_line("uname", &["-r"]),
        first_line("rustc", &["--version"]),
        versions(),
        first_line("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
        load.split_whitespace().next().unwrap_or("?"),
        arguments.join(" "),
        results.clock(),
        results.over_all("atomic_ns"),
    )
}
