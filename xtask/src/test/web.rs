//! The dashboard without a server.

use super::session::{Session, npm_packages};
use super::{Area, Outcome, Step};
use crate::process::Run;
use crate::summary::Runner;
use crate::{codegen, dashboard};
use anyhow::Result;

pub const STEPS: &[Step] = &[
    Step { area: Area::Web, name: "dashboard types", run: types },
    Step { area: Area::Web, name: "dashboard unit tests", run: unit_tests },
    Step { area: Area::Web, name: "dashboard is built", run: build },
];

/// What needs the server to be built, but not to run.
pub const CLIENT_STEPS: &[Step] =
    &[Step { area: Area::Web, name: "generated client is fresh", run: generated_client }];

pub fn install_packages() -> Result<()> {
    npm_packages(&dashboard::folder(), "npm-web.log")
}

fn npm(script: &str) -> Run {
    Run::new("npm").args(["run", "--silent", script]).within(dashboard::folder()).deadline_minutes(10)
}

fn types(session: &mut Session) -> Result<Outcome> {
    session.await_packages(|session| &mut session.web_packages)?;
    session.check("dashboard types", &npm("typecheck"))
}

fn unit_tests(session: &mut Session) -> Result<Outcome> {
    session.await_packages(|session| &mut session.web_packages)?;
    let mut run = npm("test");
    if let Some(filter) = &session.options.filter {
        run = run.args(["--", "--passWithNoTests", "--testNamePattern", filter]);
    }
    session.tests("dashboard unit tests", Runner::Vitest, &run)
}

fn build(session: &mut Session) -> Result<Outcome> {
    session.dashboard()?;
    Ok(Outcome::made())
}

/// The API's document and the client's types are what the server's routes say today.
fn generated_client(session: &mut Session) -> Result<Outcome> {
    session.await_packages(|session| &mut session.web_packages)?;
    let binary = session.server_binary()?;
    let stale = codegen::generate(&binary)?.stale()?;
    if stale.is_empty() {
        return Ok(Outcome::success());
    }
    Ok(Outcome::failure(format!(
        "stale: {}; run `cargo xtask codegen` and commit the result",
        stale.join(", ")
    )))
}
