//! Keeping a server running for exactly as long as this process lives.
//!
//! A small shell stands between us and the server. It reads from a pipe that we hold open; when the pipe closes,
//! be it because the guard is dropped, because of a panic, Ctrl-C or `kill -9`, the shell stops the server by its
//! process id. No signal handler of ours has to run for that.

use anyhow::{Context, Result, bail};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Prints the server's process id, waits for our end, asks the server to stop, and insists after ten seconds.
const KEEPER: &str = r#"
signal=$1; shift
"$@" >&2 </dev/null &
server=$!
trap '' INT HUP TERM
echo "$server"
exec >&2
cat >/dev/null
kill -s "$signal" "$server" 2>/dev/null
(
  tries=0
  while [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
  kill -s KILL "$server"
) &
insisting=$!
wait "$server"
kill -s KILL "$insisting"
"#;

/// A server and its keeper. Dropping it stops both.
pub struct Guard {
    keeper: Child,
    process: u32,
    log: PathBuf,
    name: &'static str,
}

impl Guard {
    /// Starts a server; `signal` is the one that makes it stop in good order.
    pub fn start(name: &'static str, signal: &str, command: &Command, log: &Path) -> Result<Self> {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(KEEPER).arg("keeper").arg(signal);
        shell.arg(command.get_program()).args(command.get_args());
        for (variable, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(variable, value),
                None => shell.env_remove(variable),
            };
        }
        if let Some(directory) = command.get_current_dir() {
            shell.current_dir(directory);
        }
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut keeper = shell
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let process = first_line(&mut keeper)
            .and_then(|line| line.trim().parse().ok())
            .with_context(|| format!("{name} did not start"))?;
        Ok(Self { keeper, process, log: log.to_path_buf(), name })
    }

    /// Waits until the server answers `ready`; fails at once when it ends before, with the end of its log.
    pub fn wait_until(&self, deadline: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
        let end = Instant::now() + deadline;
        loop {
            if ready() {
                return Ok(());
            }
            if !runs(self.process) {
                bail!("{} ended while starting:\n{}", self.name, self.last_words());
            }
            if Instant::now() > end {
                bail!("{} was not ready after {} s:\n{}", self.name, deadline.as_secs(), self.last_words());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn last_words(&self) -> String {
        crate::summary::excerpt(&std::fs::read_to_string(&self.log).unwrap_or_default(), 30)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Closing the pipe is the order to stop.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

fn first_line(keeper: &mut Child) -> Option<String> {
    use std::io::{BufRead as _, BufReader};
    let mut line = String::new();
    BufReader::new(keeper.stdout.take()?).read_line(&mut line).ok()?;
    Some(line)
}

/// Whether a process exists and is not merely waiting to be collected.
pub fn runs(process: u32) -> bool {
    match std::fs::read_to_string(format!("/proc/{process}/stat")) {
        Ok(stat) => !stat.rsplit_once(')').is_some_and(|(_, behind)| behind.trim_start().starts_with('Z')),
        // Without /proc, ask for the process itself.
        Err(_) if !Path::new("/proc/self").exists() => Command::new("kill")
            .args(["-0", &process.to_string()])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success()),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(script: &str, name: &str) -> Result<(Guard, PathBuf)> {
        let folder = crate::paths::scratch().join("unit");
        std::fs::create_dir_all(&folder).unwrap();
        let log = folder.join(format!("{name}-{}.log", std::process::id()));
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Ok((Guard::start("the example", "TERM", &command, &log)?, log))
    }

    #[test]
    fn a_dropped_guard_stops_its_server_by_signal() {
        let script = "trap 'echo in good order; exit 0' TERM; echo ready; while :; do sleep 0.05; done";
        let (guard, log) = start(script, "drop").unwrap();
        let process = guard.process;
        let said = || std::fs::read_to_string(&log).unwrap();
        guard.wait_until(Duration::from_secs(5), || said().contains("ready")).unwrap();
        drop(guard);
        assert!(!runs(process));
        assert!(said().contains("in good order"), "{}", said());
        std::fs::remove_file(&log).unwrap();
    }

    #[test]
    fn a_server_that_ends_by_itself_is_reported_with_its_log() {
        let (guard, log) = start("echo the port is taken; exit 1", "early").unwrap();
        let error = guard.wait_until(Duration::from_secs(5), || false).unwrap_err();
        std::fs::remove_file(log).unwrap();
        assert!(error.to_string().contains("the port is taken"), "{error}");
    }
}
