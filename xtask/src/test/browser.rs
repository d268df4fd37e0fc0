//! The dashboard in a real browser, against a real server.

use super::session::Session;
use super::{Area, Outcome, Step};
use crate::process::Run;
use crate::summary::Runner;
use crate::{dashboard, tools};
use anyhow::Result;

pub const STEPS: &[Step] = &[Step { area: Area::E2e, name: "browser tests", run: browser_tests }];

fn browser_tests(session: &mut Session) -> Result<Outcome> {
    let chromium = tools::chromium()?;
    session.await_packages(|session| &mut session.web_packages)?;
    let server = session.server("browser")?;
    let mut run =
        Run::new("npm").args(["run", "--silent", "e2e"]).within(dashboard::folder()).deadline_minutes(15);
    run = run.envs(&server.environment()?).env("CHROMIUM", chromium);
    if let Some(filter) = &session.options.filter {
        run = run.env("NODE_OPTIONS", format!("--test-name-pattern={filter}"));
    }
    session.tests("browser tests", Runner::NodeTest, &run)
}
