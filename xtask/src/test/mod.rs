//! `cargo xtask test`: every check there is, cheap ones first, one verdict at the end.

use crate::summary;
use anyhow::{Result, bail};
use session::Session;
use std::time::{Duration, Instant};

mod browser;
mod lint;
mod outcome;
pub mod python;
mod readme;
mod rust;
mod session;
pub mod typescript;
mod web;

pub use outcome::Outcome;

/// What a caller can ask for alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    Lint,
    Web,
    Rust,
    Sdks,
    E2e,
}

impl Area {
    const ALL: [(&'static str, Self); 5] = [
        ("lint", Self::Lint),
        ("web", Self::Web),
        ("rust", Self::Rust),
        ("sdks", Self::Sdks),
        ("e2e", Self::E2e),
    ];

    fn parse(name: &str) -> Result<Self> {
        match Self::ALL.iter().find(|(known, _)| *known == name) {
            Some((_, area)) => Ok(*area),
            None => bail!("there is no area `{name}`; there are rust, web, sdks, e2e and lint"),
        }
    }
}

/// One line of the report.
pub struct Step {
    pub area: Area,
    pub name: &'static str,
    pub run: fn(&mut Session) -> Result<Outcome>,
}

/// Every step in the order in which it runs.
fn steps() -> Vec<Step> {
    [
        lint::STEPS,
        web::STEPS,
        python::STEPS,
        typescript::STEPS,
        rust::STEPS,
        web::CLIENT_STEPS,
        rust::TEST_STEPS,
        python::LIVE_STEPS,
        typescript::LIVE_STEPS,
        browser::STEPS,
        lint::LAST_STEPS,
    ]
    .into_iter()
    .flatten()
    .map(|step| Step { ..*step })
    .collect()
}

/// What the caller asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    only: Vec<Area>,
    pub filter: Option<String>,
    pub verbose: bool,
    list: bool,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--verbose" => options.verbose = true,
                "--list" => options.list = true,
                "--only" => {
                    let Some(areas) = rest.next() else {
                        bail!("--only wants an area: rust, web, sdks, e2e or lint")
                    };
                    for area in areas.split(',') {
                        options.only.push(Area::parse(area)?);
                    }
                }
                flag if flag.starts_with('-') => {
                    bail!("`{flag}` is not understood; `cargo xtask help` lists what is")
                }
                filter if options.filter.is_none() => options.filter = Some(filter.to_owned()),
                more => bail!("one filter is enough; what is `{more}`?"),
            }
        }
        Ok(options)
    }

    fn wants(&self, area: Area) -> bool {
        self.only.is_empty() || self.only.contains(&area)
    }
}

/// A step that has run.
struct Ran {
    name: &'static str,
    took: Duration,
    outcome: Outcome,
}

/// Runs the steps; `false` when any of them failed.
pub fn run(arguments: &[String]) -> Result<bool> {
    let options = Options::parse(arguments)?;
    let steps: Vec<Step> = steps().into_iter().filter(|step| options.wants(step.area)).collect();
    if options.list {
        for step in &steps {
            println!("{}", step.name);
        }
        return Ok(true);
    }
    let started = Instant::now();
    let areas: Vec<Area> = steps.iter().map(|step| step.area).collect();
    let mut session = Session::begin(options, &areas)?;
    let mut report = Vec::new();
    for step in &steps {
        let ran = run_step(step, &mut session);
        print_step(&ran);
        print_details(&ran);
        report.push(ran);
    }
    // The services stop before the verdict, so that nothing of ours outlives the last line.
    drop(session);
    Ok(print_report(&report, started.elapsed()))
}

fn run_step(step: &Step, session: &mut Session) -> Ran {
    let began = Instant::now();
    let outcome = (step.run)(session).unwrap_or_else(|error| Outcome::failure(format!("{error:#}")));
    Ran { name: step.name, took: began.elapsed(), outcome }
}

fn print_step(ran: &Ran) {
    let counts = ran.outcome.counts;
    let verdict = if counts.failed == 0 { "ok    " } else { "FAILED" };
    let mut figures = Vec::new();
    for (number, word) in [(counts.passed, "passed"), (counts.failed, "failed"), (counts.skipped, "skipped")]
    {
        if number > 0 {
            figures.push(format!("{number} {word}"));
        }
    }
    println!("{verdict} {:>7.1} s  {:<34} {}", ran.took.as_secs_f64(), ran.name, figures.join(", "));
}

fn print_details(ran: &Ran) {
    if ran.outcome.counts.failed > 0 {
        println!("------ {}", ran.name);
        println!("{}", ran.outcome.details.trim_end());
        println!("------");
    }
}

/// How much of each failed step is repeated at the very end.
const REPEATED_LINES: usize = 40;

/// The failures once more, shorter: whoever reads only the end of a long log must find the reason there.
fn repeat_failures(report: &[Ran]) {
    for ran in report.iter().filter(|ran| ran.outcome.counts.failed > 0) {
        println!();
        println!("------ {} failed:", ran.name);
        let lines: Vec<&str> = ran.outcome.details.trim_end().lines().collect();
        println!("{}", summary::shorten(&lines, REPEATED_LINES));
    }
}

/// The table once more in one piece, for whoever reads only the end of a long log.
fn print_report(report: &[Ran], took: Duration) -> bool {
    println!();
    let (mut passed, mut failed) = (0, 0);
    for ran in report {
        print_step(ran);
        passed += ran.outcome.counts.passed;
        failed += ran.outcome.counts.failed;
    }
    println!("       {:>7.1} s  in all", took.as_secs_f64());
    repeat_failures(report);
    println!("{passed} passed, {failed} failed");
    failed == 0 && passed > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options> {
        Options::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn understands_areas_and_one_filter() {
        let options = parse(&["--only", "rust,web", "--only", "lint", "publish"]).unwrap();
        assert!(options.wants(Area::Rust) && options.wants(Area::Web) && options.wants(Area::Lint));
        assert!(!options.wants(Area::E2e));
        assert_eq!(options.filter.as_deref(), Some("publish"));
        assert!(parse(&[]).unwrap().wants(Area::E2e));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for words in [&["--only"][..], &["--only", "ruby"], &["--fast"], &["a", "b"]] {
            assert!(parse(words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn every_step_has_a_name_of_its_own() {
        let mut names: Vec<&str> = steps().iter().map(|step| step.name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
