//! One process per case: runs a program like this one, and reads what it prints.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::Metrics;

/// A case that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(90);

/// Runs a case in a child. `None` if it failed; what it said is on stderr.
pub fn run(program: &Path, case: &str, who: &str, quick: bool) -> Option<Metrics> {
    let mut command = Command::new(program);
    command.args(["--case", case, "--who", who]);
    if quick {
        command.arg("--quick");
    }
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .ok()?;
    let start = Instant::now();
    // What it prints fits into the pipe.
    while child.try_wait().ok()?.is_none() {
        if start.elapsed() > LIMIT {
            eprintln!(": gave up after {LIMIT:?}");
            child.kill().ok()?;
        }
        thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().ok()?;
    output
        .status
        .success()
        .then(|| parse(&String::from_utf8_lossy(&output.stdout)))
}

fn parse(text: &str) -> Metrics {
    let pair = |line: &str| {
        let (name, value) = line.split_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    text.lines().filter_map(pair).collect()
}

/// System calls per operation of a case: the difference of two runs under strace, so that what is done
/// once does not count. `None` without strace.
pub fn system_calls(program: &Path, case: &str, who: &str) -> Option<f64> {
    let few = count_calls(program, case, who, 20_000)?;
    let many = count_calls(program, case, who, 120_000)?;
    Some((many - few) / 100_000.0)
}

fn count_calls(program: &Path, case: &str, who: &str, operations: u64) -> Option<f64> {
    let output = Command::new("strace")
        .args(["-c", "-f", "-o", "/dev/stdout"])
        .arg(program)
        .args([
            "--case",
            case,
            "--who",
            who,
            "--ops",
            &operations.to_string(),
            "--silent",
        ])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    // "100.00    0.000123           1       119        12 total"
    let total = text
        .lines()
        .find(|line| line.trim_end().ends_with("total"))?;
    total.split_whitespace().nth(3)?.parse().ok()
}
