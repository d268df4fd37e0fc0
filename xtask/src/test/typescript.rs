//! The TypeScript SDK: types, tests without and with a server, and the package as a stranger gets it.

use super::python::only_file;
use super::readme::{self, first_example};
use super::session::{Session, npm_packages};
use super::{Area, Outcome, Step};
use crate::paths::root;
use crate::process::Run;
use crate::summary::Runner;
use anyhow::Result;
use std::path::{Path, PathBuf};

pub const STEPS: &[Step] = &[
    Step { area: Area::Sdks, name: "TypeScript SDK types", run: types },
    Step { area: Area::Sdks, name: "TypeScript SDK tests", run: tests },
    Step { area: Area::Sdks, name: "TypeScript SDK in a browser", run: browser_tests },
];

/// What needs a running server.
pub const LIVE_STEPS: &[Step] = &[
    Step { area: Area::Sdks, name: "TypeScript SDK against a server", run: live_tests },
    Step { area: Area::Sdks, name: "npm package in a clean place", run: package },
];

/// Where the SDK stands.
pub fn folder() -> PathBuf {
    root().join("sdks").join("typescript")
}

/// What the SDK's tools need.
pub fn install_packages() -> Result<()> {
    npm_packages(&folder(), "npm-typescript.log")
}

/// What users get of it, in `dist`.
pub fn build() -> Result<()> {
    install_packages()?;
    Run::new("npm").args(["run", "--silent", "build"]).within(folder()).visibly()
}

fn npm(session: &mut Session, script: &str) -> Result<Run> {
    session.await_packages(|session| &mut session.typescript_packages)?;
    Ok(Run::new("npm").args(["run", "--silent", script]).within(folder()).deadline_minutes(10))
}

fn types(session: &mut Session) -> Result<Outcome> {
    let run = npm(session, "typecheck")?;
    session.check("typescript types", &run)
}

fn node_tests(session: &Session, log: &str, mut run: Run) -> Result<Outcome> {
    if let Some(filter) = &session.options.filter {
        run = run.env("NODE_OPTIONS", format!("--test-name-pattern={filter}"));
    }
    session.tests(log, Runner::NodeTest, &run)
}

fn tests(session: &mut Session) -> Result<Outcome> {
    let run = npm(session, "test")?;
    node_tests(session, "typescript tests", run)
}

fn live_tests(session: &mut Session) -> Result<Outcome> {
    let run = npm(session, "test:live")?;
    let server = session.server("typescript")?;
    // Some tests start a server of their own, to kill it.
    let run = run.envs(&server.environment()?).env("XR2_TEST_BINARY", session.server_binary()?);
    node_tests(session, "typescript live tests", run.env("XR2_TEST_REQUIRE_ALL", "1"))
}

/// The SDK in the tabs of a real browser, against a server of the tests' own.
fn browser_tests(session: &mut Session) -> Result<Outcome> {
    let run = npm(session, "test:browser")?.env("CHROMIUM", crate::tools::chromium()?);
    node_tests(session, "typescript browser tests", run)
}

/// The package's own checks from a stranger's place; then the tarball, in an empty project, runs the README's example.
fn package(session: &mut Session) -> Result<Outcome> {
    let own = npm(session, "test:pack")?;
    let outcome = session.check("npm package", &own)?;
    let place = session.empty_folder("npm-package")?;
    let example = run_example(session, &place);
    std::fs::remove_dir_all(&place)?;
    Ok(outcome.and(example?))
}

fn run_example(session: &mut Session, place: &Path) -> Result<Outcome> {
    let pack = Run::new("npm").args(["pack", "--pack-destination"]).arg(place).within(folder());
    session.make("npm pack", &pack)?;
    let tarball = only_file(place, ".tgz")?;
    std::fs::write(place.join("package.json"), r#"{ "name": "stranger", "private": true }"#)?;
    let install = Run::new("npm").args(["install", "--no-audit", "--no-fund"]).arg(&tarball).within(place);
    session.make("npm install", &install)?;
    let example = first_example(&folder().join("README.md"), &["ts", "typescript", "js", "javascript"])?;
    std::fs::write(place.join("example.mjs"), example)?;
    let server = session.server("typescript-readme")?;
    let run =
        Run::new("node").arg("example.mjs").within(place).envs(&server.environment()?).deadline_minutes(1);
    readme::run(session, "README example in TypeScript", &run)
}
