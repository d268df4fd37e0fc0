//! The dashboard in a real browser, against a real server.

use super::session::Session;
use super::{Area, Outcome, Step};
use crate::process::Run;
use crate::summary::Runner;
use crate::{dashboard, tools};
use anyhow::Result;

pub const STEPS: &[Step] = &[
    Step { area: Area::E2e, name: "browser tests", run: browser_tests },
    Step { area: Area::E2e, name: "browser tests of what takes long", run: hasty_tests },
];

fn browser_tests(session: &mut Session) -> Result<Outcome> {
    run(session, "e2e", &[])
}

/// Against a server that does not take as long.
fn hasty_tests(session: &mut Session) -> Result<Outcome> {
    run(session, "e2e:hasty", &[("XR2_CLIENTS_SILENT_AFTER", "3s")])
}

fn run(session: &mut Session, script: &str, settings: &[(&str, &str)]) -> Result<Outcome> {
    let chromium = tools::chromium()?;
    session.await_packages(|session| &mut session.web_packages)?;
    let server = session.server_with("browser", settings)?;
    let mut run =
        Run::new("npm").args(["run", "--silent", script]).within(dashboard::folder()).deadline_minutes(60);
    run = run.envs(&server.environment()?).env("CHROMIUM", chromium);
    if let Some(filter) = &session.options.filter {
        run = run.env("NODE_OPTIONS", format!("--test-name-pattern={filter}"));
    }
    session.tests(&format!("browser tests {script}").replace(':', "-"), Runner::NodeTest, &run)
}
