//! Running other programs: with a deadline, with their output in a log, and never left behind.

use anyhow::{Context, Result, bail};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(30);

/// A program to run, described before it is started.
#[derive(Clone)]
pub struct Run {
    program: OsString,
    arguments: Vec<OsString>,
    directory: PathBuf,
    environment: Vec<(OsString, OsString)>,
    deadline: Duration,
}

/// What a program said and how it ended.
pub struct Finished {
    pub success: bool,
    pub output: String,
    /// What to tell a reader about a failure besides the output.
    pub problem: Option<String>,
}

impl Run {
    /// A program started in the root of the repository.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            directory: crate::paths::root().to_path_buf(),
            environment: Vec::new(),
            deadline: Duration::from_secs(600),
        }
    }

    /// The cargo that runs this command, with the lock file as it is where CI runs.
    pub fn cargo(subcommand: &str) -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let run = Self::new(cargo).arg(subcommand).deadline_minutes(60);
        if in_ci() && subcommand != "fmt" { run.arg("--locked") } else { run }
    }

    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    pub fn within(mut self, directory: impl AsRef<Path>) -> Self {
        self.directory = directory.as_ref().to_path_buf();
        self
    }

    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    pub fn envs(mut self, pairs: &[(String, String)]) -> Self {
        for (name, value) in pairs {
            self = self.env(name, value);
        }
        self
    }

    pub fn deadline_minutes(mut self, minutes: u64) -> Self {
        self.deadline = Duration::from_secs(minutes * 60);
        self
    }

    /// The command line as one would type it.
    pub fn shown(&self) -> String {
        std::iter::once(&self.program)
            .chain(&self.arguments)
            .map(|word| word.to_string_lossy().into_owned())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The standard library's form, for the few who need more than running it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir(&self.directory).stdin(Stdio::null());
        for (name, _) in std::env::vars_os().filter(|(name, _)| describes_this_package(name)) {
            command.env_remove(name);
        }
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        command
    }

    /// Runs it on this terminal and fails when it does.
    pub fn visibly(&self) -> Result<()> {
        let status = self.command().status().with_context(|| format!("cannot start `{}`", self.shown()))?;
        if status.success() { Ok(()) } else { bail!("`{}` failed ({status})", self.shown()) }
    }

    /// Runs it with its whole output kept in `log`; `follow` shows it here as well.
    pub fn logged(&self, log: &Path, follow: bool) -> Result<Finished> {
        if let Some(folder) = log.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut child = self
            .command()
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start `{}`", self.shown()))?;
        let mut follower = if follow { Some(File::open(log)?) } else { None };
        let status = wait(&mut child, self.deadline, || show_news(follower.as_mut()))?;
        show_news(follower.as_mut());
        let output = String::from_utf8_lossy(&std::fs::read(log)?).into_owned();
        Ok(match status {
            None => Finished {
                success: false,
                output,
                problem: Some(format!(
                    "`{}` did not end within {} s and was stopped",
                    self.shown(),
                    self.deadline.as_secs()
                )),
            },
            Some(status) => Finished {
                success: status.success(),
                output,
                problem: (!status.success()).then(|| format!("`{}` failed ({status})", self.shown())),
            },
        })
    }

    /// Runs it and returns what it wrote to standard output; fails when it does.
    pub fn stdout(&self) -> Result<String> {
        let output = self.command().output().with_context(|| format!("cannot start `{}`", self.shown()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`{}` failed ({}): {}", self.shown(), output.status, said.trim());
        }
        String::from_utf8(output.stdout)
            .with_context(|| format!("`{}` wrote something that is not text", self.shown()))
    }
}

/// Cargo tells a program it runs about the program's own package. Build scripts that look at these variables (ring's
/// does) would run anew whenever cargo is called from here and by hand in turn, and all that depends on them with them.
fn describes_this_package(variable: &OsStr) -> bool {
    let name = variable.to_string_lossy();
    name.starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" || name == "CARGO_MANIFEST_PATH"
}

/// Whether this is a continuous integration machine: nobody to ask, the lock file is law.
pub fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

fn show_news(follower: Option<&mut File>) {
    if let Some(file) = follower {
        let mut news = Vec::new();
        if file.read_to_end(&mut news).is_ok() {
            // Showing output is a courtesy; a closed terminal must not fail the step.
            let _ = std::io::stderr().write_all(&news);
        }
    }
}

/// Waits for the end, or stops the child and all its descendants at the deadline (`None`).
fn wait(child: &mut Child, deadline: Duration, mut meanwhile: impl FnMut()) -> Result<Option<ExitStatus>> {
    let end = Instant::now() + deadline;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            for process in descendants(child.id()) {
                signal(process, "KILL");
            }
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        meanwhile();
        std::thread::sleep(POLL);
    }
}

/// Sends a signal to one process by its id.
pub fn signal(process: u32, name: &str) {
    // It may have ended by itself meanwhile, which is what was wanted.
    let _ = Command::new("kill")
        .args(["-s", name, &process.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// Every process that stems from `ancestor`, as far as the system lists them.
fn descendants(ancestor: u32) -> Vec<u32> {
    let Ok(listing) = std::fs::read_dir("/proc") else { return Vec::new() };
    let parents: Vec<(u32, u32)> = listing
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|process| Some((process, parent_of(process)?)))
        .collect();
    let mut found = vec![ancestor];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(process, _)| *process));
        next += 1;
    }
    found.split_off(1)
}

fn parent_of(process: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name stands in brackets and may hold anything, so read from behind it.
    let (_, behind_name) = stat.rsplit_once(')')?;
    behind_name.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(name: &str) -> PathBuf {
        crate::paths::scratch().join("unit").join(format!("{name}-{}.log", std::process::id()))
    }

    #[test]
    fn keeps_both_streams_and_the_verdict() {
        let path = log("both");
        let run = Run::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]);
        let finished = run.logged(&path, false).unwrap();
        std::fs::remove_file(path).unwrap();
        assert!(!finished.success);
        assert_eq!(finished.output, "out\nerr\n");
        assert!(finished.problem.unwrap().contains("exit status: 3"));
    }

    #[test]
    fn stops_a_program_and_its_children_at_the_deadline() {
        let path = log("deadline");
        let mut run = Run::new("sh").args(["-c", "sleep 600 & echo $!; wait"]);
        run.deadline = Duration::from_millis(300);
        let finished = run.logged(&path, false).unwrap();
        std::fs::remove_file(path).unwrap();
        assert!(!finished.success);
        assert!(finished.problem.unwrap().contains("did not end within"));
        let grandchild = finished.output.trim();
        // Being killed takes the system a moment.
        let until = Instant::now() + Duration::from_secs(10);
        let runs = || {
            let stat = std::fs::read_to_string(format!("/proc/{grandchild}/stat")).unwrap_or_default();
            !stat.is_empty() && !stat.contains(") Z ")
        };
        while runs() {
            assert!(Instant::now() < until, "still running");
            std::thread::sleep(POLL);
        }
    }

    #[test]
    fn names_a_program_that_is_not_there() {
        let error = Run::new("xr2-no-such-program").stdout().unwrap_err();
        assert!(error.to_string().contains("cannot start `xr2-no-such-program`"), "{error}");
    }
}
