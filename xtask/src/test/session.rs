//! What the steps of one run share: services, the server's binary, and installations under way.

use super::{Area, Options, Outcome};
use crate::process::{Finished, Run};
use crate::services::Engines;
use crate::services::xr2::Server;
use crate::summary::Runner;
use crate::{dashboard, paths, tools};
use anyhow::{Result, anyhow, bail};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

/// Something that happens on the side and that steps wait for when they need it.
pub struct Background {
    thread: Option<JoinHandle<Result<()>>>,
    result: Option<Result<(), String>>,
}

impl Background {
    fn start(work: impl FnOnce() -> Result<()> + Send + 'static) -> Self {
        Self { thread: Some(std::thread::spawn(work)), result: None }
    }

    /// Waits for the end; everybody who asks is told the same.
    fn wait(&mut self) -> Result<()> {
        if let Some(thread) = self.thread.take() {
            let result = thread.join().unwrap_or_else(|_| Err(anyhow!("it panicked")));
            self.result = Some(result.map_err(|error| format!("{error:#}")));
        }
        match &self.result {
            Some(Err(error)) => bail!("{error}"),
            _ => Ok(()),
        }
    }
}

/// One run of the checks.
pub struct Session {
    pub options: Options,
    pub working_tree_at_first: String,
    scratch: PathBuf,
    /// Packages of the dashboard, of the TypeScript SDK and of the Python SDK.
    pub web_packages: Background,
    pub typescript_packages: Background,
    pub python_packages: Background,
    dashboard_is_built: Option<bool>,
    everything_is_built: Option<bool>,
    engines: Option<Engines>,
}

impl Session {
    /// Starts what takes long and needs nobody.
    pub fn begin(options: Options, areas: &[Area]) -> Result<Self> {
        let scratch = paths::scratch();
        std::fs::create_dir_all(&scratch)?;
        let wants = |wanted: &[Area]| areas.iter().any(|area| wanted.contains(area));
        let background = |needed: bool, work: fn() -> Result<()>| {
            if needed { Background::start(work) } else { Background { thread: None, result: None } }
        };
        // The server's binary carries the dashboard, so nearly everything needs these packages.
        let everything_built = wants(&[Area::Web, Area::Rust, Area::Sdks, Area::E2e]);
        let working_tree_at_first = super::lint::working_tree()?;
        Ok(Self {
            working_tree_at_first,
            web_packages: background(everything_built, super::web::install_packages),
            typescript_packages: background(wants(&[Area::Sdks]), super::typescript::install_packages),
            python_packages: background(wants(&[Area::Sdks]), super::python::install_packages),
            options,
            scratch,
            dashboard_is_built: None,
            everything_is_built: None,
            engines: None,
        })
    }

    /// Runs a program with its output in a log of this name.
    pub fn run(&self, log: &str, run: &Run) -> Result<Finished> {
        let path = self.scratch.join("logs").join(format!("{}.log", log.replace(' ', "-")));
        run.logged(&path, self.options.verbose)
    }

    /// Runs a program whose exit status is the verdict.
    pub fn check(&self, log: &str, run: &Run) -> Result<Outcome> {
        Ok(Outcome::of_check(self.run(log, run)?))
    }

    /// Runs a test runner and reads its figures.
    pub fn tests(&self, log: &str, runner: Runner, run: &Run) -> Result<Outcome> {
        // A filter may well leave nothing in some of the suites.
        Ok(Outcome::of_tests(runner, self.run(log, run)?, self.options.filter.is_some()))
    }

    /// Runs a program that makes what later steps need.
    pub fn make(&self, log: &str, run: &Run) -> Result<()> {
        let outcome = self.check(log, run)?;
        if outcome.counts.failed == 0 { Ok(()) } else { bail!("{}", outcome.details) }
    }

    /// The dashboard in `web/dist`, built once.
    pub fn dashboard(&mut self) -> Result<()> {
        if let Some(built) = self.dashboard_is_built {
            return again(built, "the dashboard was not built, see above");
        }
        let result = self.build_dashboard();
        self.dashboard_is_built = Some(result.is_ok());
        result
    }

    fn build_dashboard(&mut self) -> Result<()> {
        self.web_packages.wait()?;
        if !dashboard::is_current()? {
            self.make("dashboard build", &dashboard::build_command())?;
            dashboard::keep_build_stamp()?;
        }
        Ok(())
    }

    /// The server with the dashboard inside, built once in the dev profile together with all tests.
    pub fn server_binary(&mut self) -> Result<PathBuf> {
        match self.everything_is_built {
            Some(built) => again(built, "the server was not built, see above")?,
            None => {
                let result = self.build_everything();
                self.everything_is_built = Some(result.is_ok());
                result?;
            }
        }
        Ok(paths::dev_binary("xr2"))
    }

    fn build_everything(&mut self) -> Result<()> {
        self.dashboard()?;
        self.make("cargo build", &Run::cargo("build").args(super::rust::SELECTION).arg("--all-targets"))
    }

    /// A server on a fresh data directory.
    pub fn server(&mut self, name: &str) -> Result<Server> {
        self.server_with(name, &[])
    }

    /// The same with some settings, by the names of their environment variables.
    pub fn server_with(&mut self, name: &str, settings: &[(&str, &str)]) -> Result<Server> {
        let binary = self.server_binary()?;
        Server::start(&binary, &self.scratch, name, settings)
    }

    /// What the Rust tests need to find the other engines, which are started once.
    pub fn engines(&mut self) -> Result<Vec<(String, String)>> {
        if self.engines.is_none() {
            self.engines = Some(Engines::start(&self.scratch)?);
        }
        Ok(self.engines.as_ref().map(Engines::environment).unwrap_or_default())
    }

    /// A folder of this run's own, empty.
    pub fn empty_folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.scratch.join(format!("{name}-{}", std::process::id()));
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Waits for packages that are being installed on the side.
    pub fn await_packages(&mut self, which: fn(&mut Self) -> &mut Background) -> Result<()> {
        which(self).wait()
    }
}

/// What somebody hears who asks for something after it was tried: the reason has been shown once.
fn again(built: bool, words: &str) -> Result<()> {
    if built { Ok(()) } else { bail!("{words}") }
}

/// Installs what a folder's lock file names, unless it is there already.
pub fn npm_packages(folder: &Path, log: &str) -> Result<()> {
    tools::require_node()?;
    if dashboard::packages_are_current(folder)? {
        return Ok(());
    }
    let path = paths::scratch().join("logs").join(log);
    let outcome = Outcome::of_check(dashboard::install(folder).logged(&path, false)?);
    if outcome.counts.failed > 0 {
        bail!("{}", outcome.details);
    }
    dashboard::keep_packages_stamp(folder)
}
