//! The Rust side: lints, tests on all engines, documentation.

use super::session::Session;
use super::{Area, Outcome, Step};
use crate::process::Run;
use crate::summary::Runner;
use anyhow::Result;

/// One selection for every cargo command, so that all of them share what was compiled.
pub const SELECTION: [&str; 3] = ["--workspace", "--features", "xr2/ui"];

pub const STEPS: &[Step] = &[
    Step { area: Area::Rust, name: "clippy", run: clippy },
    Step { area: Area::Rust, name: "cargo doc", run: documentation },
    Step { area: Area::Rust, name: "server and tests are built", run: build },
];

/// What takes longest.
pub const TEST_STEPS: &[Step] = &[Step { area: Area::Rust, name: "Rust tests", run: tests }];

fn clippy(session: &mut Session) -> Result<Outcome> {
    session.dashboard()?;
    // With what only a benchmark is built with.
    let features = ["--features", "xr2-bench/allocations"];
    let run = Run::cargo("clippy").args(SELECTION).args(features);
    let run = run.args(["--all-targets", "--", "--deny", "warnings"]);
    session.check("clippy", &run)
}

fn documentation(session: &mut Session) -> Result<Outcome> {
    session.dashboard()?;
    let run = Run::cargo("doc").args(SELECTION).arg("--no-deps").env("RUSTDOCFLAGS", "--deny warnings");
    session.check("cargo doc", &run)
}

fn build(session: &mut Session) -> Result<Outcome> {
    session.server_binary()?;
    Ok(Outcome::made())
}

/// Unit, integration and doc tests, on SQLite and PostgreSQL, with memory and Redis, in one run.
fn tests(session: &mut Session) -> Result<Outcome> {
    session.server_binary()?;
    let engines = session.engines()?;
    let mut run = Run::cargo("test").args(SELECTION).arg("--no-fail-fast").envs(&engines);
    // The place of a panic says enough; frames of the runtime would bury it.
    run = run.env("RUST_BACKTRACE", "0");
    if let Some(filter) = &session.options.filter {
        run = run.arg(filter);
    }
    session.tests("cargo test", Runner::Cargo, &run)
}
