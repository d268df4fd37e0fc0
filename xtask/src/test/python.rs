//! The Python SDK: style, types, tests without and with a server, and the package as a stranger gets it.

use super::readme::{self, first_example};
use super::session::Session;
use super::{Area, Outcome, Step};
use crate::paths::{root, scratch};
use crate::process::Run;
use crate::summary::Runner;
use crate::{stamp, tools};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

pub const STEPS: &[Step] = &[
    Step { area: Area::Sdks, name: "Python SDK style", run: style },
    Step { area: Area::Sdks, name: "Python SDK types", run: types },
    Step { area: Area::Sdks, name: "Python SDK tests", run: tests },
];

/// What needs a running server.
pub const LIVE_STEPS: &[Step] = &[
    Step { area: Area::Sdks, name: "Python SDK against a server", run: live_tests },
    Step { area: Area::Sdks, name: "Python package in a clean place", run: package },
];

/// Where the SDK stands.
pub fn folder() -> PathBuf {
    root().join("sdks").join("python")
}

/// Exact versions of everything the tools bring, so that tomorrow's run is today's.
fn constraints() -> PathBuf {
    root().join(".ci").join("python-constraints.txt")
}

fn environment() -> PathBuf {
    scratch().join("python")
}

fn program(environment: &Path, name: &str) -> PathBuf {
    environment.join("bin").join(name)
}

/// A virtual environment with the SDK's tools, and the SDK itself as it stands in the checkout.
pub fn install_packages() -> Result<()> {
    let python = tools::python()?;
    let version = Run::new(&python).arg("--version").stdout()?;
    let inputs = stamp::of(&[folder().join("pyproject.toml"), constraints()], &[])?;
    let wanted = stamp::sha256(format!("{version}{}{inputs}", environment().display()).as_bytes());
    let kept = environment().join("xtask-packages");
    if stamp::matches(&kept, &wanted) {
        return Ok(());
    }
    make_environment(&python, &environment())?;
    let project = format!("{}[dev]", folder().display());
    pip(&environment()).args(["--editable", &project, "hatchling"]).logged_or_fail("pip-python.log")?;
    stamp::keep(&kept, &wanted)
}

/// The Python of that environment.
pub fn interpreter() -> PathBuf {
    program(&environment(), "python")
}

fn make_environment(python: &Path, place: &Path) -> Result<()> {
    Run::new(python).args(["-m", "venv", "--clear"]).arg(place).logged_or_fail("venv.log")
}

fn pip(environment: &Path) -> Run {
    Run::new(program(environment, "python"))
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "--constraint",
        ])
        .arg(constraints())
}

impl Run {
    fn logged_or_fail(&self, log: &str) -> Result<()> {
        let outcome = Outcome::of_check(self.logged(&scratch().join("logs").join(log), false)?);
        if outcome.counts.failed == 0 { Ok(()) } else { bail!("{}", outcome.details) }
    }
}

fn tool(session: &mut Session, name: &str) -> Result<Run> {
    session.await_packages(|session| &mut session.python_packages)?;
    Ok(Run::new(program(&environment(), name)).within(folder()))
}

fn style(session: &mut Session) -> Result<Outcome> {
    let ruff = tool(session, "ruff")?;
    let rules = session.check("ruff check", &ruff.clone().args(["check", "."]))?;
    Ok(rules.and(session.check("ruff format", &ruff.args(["format", "--check", "--diff", "."]))?))
}

fn types(session: &mut Session) -> Result<Outcome> {
    let mypy = tool(session, "mypy")?;
    session.check("mypy", &mypy)
}

fn pytest(session: &mut Session) -> Result<Run> {
    let run = tool(session, "pytest")?.args(["--quiet", "-rfEs", "--color=no"]);
    Ok(match &session.options.filter {
        Some(filter) => run.args(["-k", filter]),
        None => run,
    })
}

fn tests(session: &mut Session) -> Result<Outcome> {
    let run = pytest(session)?.args(["tests", "--ignore=tests/live"]);
    outcome_of_pytest(session, "pytest", &run)
}

fn live_tests(session: &mut Session) -> Result<Outcome> {
    let run = pytest(session)?.arg("tests/live");
    let server = session.server("python")?;
    // Some tests start a server of their own, to kill it.
    let run = run.envs(&server.environment()?).env("XR2_TEST_BINARY", session.server_binary()?);
    let run = run.env("XR2_TEST_REQUIRE_ALL", "1");
    outcome_of_pytest(session, "pytest live", &run)
}

/// With a filter, pytest ends with 5 when nothing was left; that is no failure then.
fn outcome_of_pytest(session: &Session, log: &str, run: &Run) -> Result<Outcome> {
    let mut finished = session.run(log, run)?;
    let nothing_left = finished.problem.as_deref().is_some_and(|problem| problem.contains("exit status: 5"));
    if nothing_left && session.options.filter.is_some() {
        finished.problem = None;
    }
    Ok(Outcome::of_tests(Runner::Pytest, finished, session.options.filter.is_some()))
}

/// Wheel and source archive build; the wheel alone, in a new environment, runs the README's first example.
fn package(session: &mut Session) -> Result<Outcome> {
    let place = session.empty_folder("python-package")?;
    let outcome = build_install_and_try(session, &place);
    std::fs::remove_dir_all(&place)?;
    outcome
}

fn build_install_and_try(session: &mut Session, place: &Path) -> Result<Outcome> {
    let packages = place.join("packages");
    let build =
        tool(session, "python")?.args(["-m", "build", "--no-isolation", "--outdir"]).arg(&packages).arg(".");
    let outcome = session.check("python build", &build)?;
    if outcome.counts.failed > 0 {
        return Ok(outcome);
    }
    let wheel = only_file(&packages, ".whl")?;
    only_file(&packages, ".tar.gz")?;
    let clean = place.join("clean");
    make_environment(&tools::python()?, &clean)?;
    session.make("wheel install", &pip(&clean).arg(&wheel))?;

    let example = place.join("example.py");
    std::fs::write(&example, first_example(&folder().join("README.md"), &["python"])?)?;
    let server = session.server("python-readme")?;
    let run = Run::new(program(&clean, "python"))
        .arg(&example)
        .within(place)
        .envs(&server.environment()?)
        .deadline_minutes(1);
    Ok(outcome.and(readme::run(session, "README example in Python", &run)?))
}

/// The one file with this ending.
pub fn only_file(folder: &Path, ending: &str) -> Result<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("there is no {}", folder.display()))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    match found.as_slice() {
        [only] => Ok(only.clone()),
        _ => bail!("expected one *{ending} in {}, found {}", folder.display(), found.len()),
    }
}
