//! timer-future measured against its peers. See README.md beside Cargo.toml.

mod harness;
mod peers;
mod report;
mod workloads;

use std::process::{Command, ExitCode};

use harness::Params;

struct Options {
    quick: bool,
    case: Option<String>,
    who: Option<String>,
    only: Option<String>,
    seconds: Option<f64>,
    operations: Option<u64>,
    repeats: Option<usize>,
    silent: bool,
    list: bool,
    out: String,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        quick: false,
        case: None,
        who: None,
        only: None,
        seconds: None,
        operations: None,
        repeats: None,
        silent: false,
        list: false,
        out: concat!(env!("CARGO_MANIFEST_DIR"), "/results").into(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        let number = |text: String| {
            text.parse::<f64>()
                .map_err(|error| format!("{text}: {error}"))
        };
        match argument.as_str() {
            "--quick" => options.quick = true,
            "--silent" => options.silent = true,
            "--list" => options.list = true,
            "--case" => options.case = Some(value()?),
            "--who" => options.who = Some(value()?),
            "--only" => options.only = Some(value()?),
            "--out" => options.out = value()?,
            "--secs" => options.seconds = Some(number(value()?)?),
            "--ops" => options.operations = Some(number(value()?)? as u64),
            "--repeats" => options.repeats = Some(number(value()?)? as usize),
            _ => return Err(format!("what is {argument}?")),
        }
    }
    Ok(options)
}

/// One case in this process: for the children, for perf, for strace.
fn one(options: &Options, cases: &[Params], name: &str, who: &str) -> Result<(), String> {
    if peers::program::is_elsewhere(who) {
        let program = peers::program::of(who).ok_or("the second build failed")?;
        let status = Command::new(program)
            .args(std::env::args().skip(1))
            .status();
        return match status.is_ok_and(|status| status.success()) {
            true => Ok(()),
            false => Err(format!("{who} failed")),
        };
    }
    let case = cases.iter().find(|case| case.name == name);
    let mut case = case.ok_or(format!("no case {name}; see --list"))?.clone();
    if !peers::supports(who, &case) {
        return Err(format!("{who} does not do {name}"));
    }
    case.seconds = options.seconds.unwrap_or(case.seconds);
    case.operations = options.operations;
    let metrics =
        workloads::run(&case, who).ok_or(format!("nobody is called {who}; see --list"))?;
    if !options.silent {
        for (name, value) in metrics {
            println!("{name} {value}");
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let result = options().and_then(|options| {
        let cases = workloads::cases(options.quick);
        if options.list {
            cases
                .iter()
                .for_each(|case| println!("--case {}", case.name));
            peers::NAMES.iter().for_each(|who| println!("--who {who}"));
            return Ok(());
        }
        match (&options.case, &options.who) {
            (Some(name), Some(who)) => one(&options, &cases, name, who),
            _ => {
                let run = report::Run {
                    quick: options.quick,
                    repeats: options.repeats.unwrap_or(if options.quick { 1 } else { 5 }),
                    case: options.case.or(options.only),
                    who: options.who,
                    out: options.out.into(),
                };
                run.all(&cases).map_err(|error| error.to_string())
            }
        }
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}\nusage: [--quick] [--list] [--repeats N] [--out DIR] [--only CASE-PART] [--case NAME --who NAME [--secs S] [--ops N]]");
            ExitCode::FAILURE
        }
    }
}
