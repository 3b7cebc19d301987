//! Runs everything, each case in a process of its own, and writes what came out.

mod aims;
mod machine;
mod pictures;
mod svg;
mod table;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::PathBuf;

use crate::harness::params::Work;
use crate::harness::{children, stats, Params};
use crate::peers;

/// What the command line asked for.
pub struct Run {
    pub quick: bool,
    pub repeats: usize,
    /// Only cases whose name contains this.
    pub case: Option<String>,
    /// Only this one.
    pub who: Option<String>,
    /// Where the files go.
    pub out: PathBuf,
}

/// Medians by case, who and metric.
#[derive(Default)]
pub struct Results(BTreeMap<(String, String, String), f64>);

impl Results {
    pub fn get(&self, case: &str, who: &str, metric: &str) -> Option<f64> {
        self.0
            .get(&(case.into(), who.into(), metric.into()))
            .copied()
    }

    /// The lowest (or highest) of those that a user could take instead.
    pub fn best_peer(&self, case: &str, metric: &str, highest: bool) -> Option<f64> {
        let values = peers::NAMES.iter().filter(|who| peers::is_peer(who, case));
        let values = values.filter_map(|who| self.get(case, who, metric));
        if highest {
            values.max_by(f64::total_cmp)
        } else {
            values.min_by(f64::total_cmp)
        }
    }

    /// The unit: what a clock read cost while this ran.
    pub fn clock(&self) -> f64 {
        self.over_all("clock_ns")
    }

    /// The median of a metric over all cases and peers.
    pub fn over_all(&self, wanted: &str) -> f64 {
        let all = self.0.iter().filter(|((_, _, metric), _)| metric == wanted);
        stats::median(&mut all.map(|(_, value)| *value).collect::<Vec<_>>())
    }
}

impl Run {
    pub fn all(&self, cases: &[Params]) -> io::Result<()> {
        fs::create_dir_all(&self.out)?;
        let mut raw = String::from("case,who,repeat,metric,value\n");
        let mut samples: BTreeMap<_, Vec<f64>> = BTreeMap::new();
        // All peers of a case after one another, all cases, and again: drift hits everybody.
        for repeat in 0..self.repeats {
            for (case, who) in self.wanted(cases, repeat) {
                eprint!(
                    "\r\x1b[K{}/{} {} {who}",
                    repeat + 1,
                    self.repeats,
                    case.name
                );
                let metrics = peers::program::of(who)
                    .and_then(|program| children::run(&program, &case.name, who, self.quick));
                let Some(metrics) = metrics else {
                    eprintln!(": failed");
                    continue;
                };
                for (metric, value) in metrics {
                    let _ = writeln!(raw, "{},{who},{repeat},{metric},{value}", case.name);
                    let key = (case.name.clone(), who.to_owned(), metric);
                    samples.entry(key).or_default().push(value);
                }
            }
        }
        for (case, who) in self
            .wanted(cases, 0)
            .filter(|(case, _)| case.name == "churn/1")
        {
            let calls = peers::program::of(who)
                .and_then(|program| children::system_calls(&program, &case.name, who));
            if let Some(calls) = calls {
                let _ = writeln!(raw, "{},{who},0,system_calls,{calls}", case.name);
                samples.insert(
                    (case.name.clone(), who.to_owned(), "system_calls".into()),
                    vec![calls],
                );
            }
        }
        eprintln!();
        let median = |(key, mut values): (_, Vec<f64>)| (key, stats::median(&mut values));
        let results = Results(samples.into_iter().map(median).collect());

        let mut report = machine::describe(&results, self.repeats);
        report += &table::all(&results);
        report += &aims::table(&results);
        println!("{report}");
        fs::write(self.out.join("raw.csv"), raw)?;
        fs::write(self.out.join("report.md"), report)?;
        pictures::write_all(&results, &self.out)?;
        println!("written to {}", self.out.display());
        Ok(())
    }

    fn wanted<'a>(
        &'a self,
        cases: &'a [Params],
        repeat: usize,
    ) -> impl Iterator<Item = (&'a Params, &'a str)> {
        let case_wanted = move |case: &&Params| {
            let name = self
                .case
                .as_ref()
                .is_none_or(|part| case.name.contains(part.as_str()));
            // These take minutes and hardly vary.
            name && (repeat < 2 || !matches!(case.work, Work::Memory | Work::Idle))
        };
        let who_wanted = move |who: &&&str| self.who.as_ref().is_none_or(|wanted| wanted == **who);
        cases.iter().filter(case_wanted).flat_map(move |case| {
            let able = peers::NAMES
                .iter()
                .filter(who_wanted)
                .filter(|who| peers::supports(who, case));
            able.map(move |who| (case, *who))
        })
    }
}
