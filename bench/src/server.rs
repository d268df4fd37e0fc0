//! A server under measurement: a child process, its processor time and its memory.

use crate::http::{self, Connection};
use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const START_DEADLINE: Duration = Duration::from_secs(180);

/// A running server. Dropping it stops it and removes its data.
pub struct Server {
    child: Child,
    pub port: u16,
    folder: PathBuf,
    /// From the start of the process to the first good answer.
    pub first_answer: Duration,
}

impl Server {
    /// Starts a program in a new folder; `command` is told the folder and a free port. It is up when a GET of `path` is
    /// answered with 200.
    pub async fn start(path: &str, command: impl FnOnce(&Path, u16) -> Result<Command>) -> Result<Self> {
        let folder = new_folder()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let log = std::fs::File::create(folder.join("log"))?;
        let mut command = command(&folder, port)?;
        command.current_dir(&folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let began = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
        let mut server = Self { child, port, folder, first_answer: Duration::ZERO };
        server.wait_for_answer(path, began).await?;
        Ok(server)
    }

    /// xr2 with its demo workspace on a new data directory.
    pub async fn xr2_demo(program: &Path) -> Result<Self> {
        Self::start("/ready", |folder, port| Ok(xr2_demo_command(program, folder, port))).await
    }

    /// xr2 on an empty data directory.
    pub async fn xr2_empty(program: &Path) -> Result<Self> {
        Self::start("/ready", |folder, port| Ok(xr2_command(program, folder, port))).await
    }

    async fn wait_for_answer(&mut self, path: &str, began: Instant) -> Result<()> {
        let request = http::get(path, "none");
        loop {
            if let Ok(mut connection) = Connection::open(self.port).await
                && let Ok(answer) = connection.exchange(&request).await
                && answer.status == 200
            {
                self.first_answer = began.elapsed();
                return Ok(());
            }
            if self.child.try_wait()?.is_some() || began.elapsed() > START_DEADLINE {
                let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                bail!("the server did not start:\n{log}");
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// One field of the credentials file that a first start with `--credentials-file` writes.
    pub fn credential(&self, name: &str) -> Result<String> {
        let file = self.folder.join("credentials.json");
        let text = std::fs::read_to_string(&file).context("the server wrote no credentials file")?;
        let all: Value = serde_json::from_str(&text)?;
        let value = all.get(name).and_then(Value::as_str);
        value.map(str::to_owned).ok_or_else(|| anyhow!("the credentials file has no `{name}`"))
    }

    /// Fails if the server has given up counting some of its deliveries: it would have been measured without a part of
    /// its work.
    pub async fn demand_all_counted(&self) -> Result<()> {
        let mut connection = Connection::open(self.port).await?;
        let answer = connection.exchange(&http::get("/metrics", "none")).await?;
        let text = String::from_utf8_lossy(answer.body);
        match dropped_events(&text) {
            0.0 => Ok(()),
            count => {
                bail!("the server dropped {count} events of usage: lengthen the pauses or shorten the rounds")
            }
        }
    }

    /// User and system time so far of all its threads, and of the processes it started.
    pub fn processor_time(&self) -> Result<Duration> {
        let mut sum = 0;
        for process in self.processes() {
            let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
            sum += ticks(&stat).context("cannot read the server's processor time")?;
        }
        Ok(Duration::from_secs_f64(sum as f64 / ticks_per_second()?))
    }

    /// Resident memory in bytes, with that of the processes it started. What they share counts once for each.
    pub fn memory(&self) -> Result<u64> {
        let mut sum = 0;
        for process in self.processes() {
            let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
            sum += kilobytes.context("cannot read the server's memory")? * 1024;
        }
        Ok(sum)
    }

    /// The server and all that it started.
    fn processes(&self) -> Vec<u32> {
        let mut all = vec![self.child.id()];
        let mut at = 0;
        while let Some(process) = all.get(at) {
            let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
            let children =
                tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
            let children: Vec<u32> = children
                .flat_map(|text| text.split_whitespace().flat_map(str::parse).collect::<Vec<u32>>())
                .collect();
            all.extend(children);
            at += 1;
        }
        all
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // In good order first, so that it can close its database; then by force.
        let _ = Command::new("kill").args(["-s", "TERM", &self.child.id().to_string()]).status();
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// xr2 on a new data directory.
pub fn xr2_command(program: &Path, folder: &Path, port: u16) -> Command {
    let mut command = Command::new(program);
    command.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"]).arg(folder.join("data"));
    command
}

/// The same with the demo workspace, whose credentials are written to a file.
pub fn xr2_demo_command(program: &Path, folder: &Path, port: u16) -> Command {
    let mut command = xr2_command(program, folder, port);
    command.args(["--demo", "--credentials-file"]).arg(folder.join("credentials.json"));
    command
}

/// Beside the benchmark program, so that data is written to the disk the checkout is on and not to a memory disk.
fn new_folder() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let parent = program.parent().context("the program stands nowhere")?.join("xr2-bench-data");
    let nanos = std::time::UNIX_EPOCH.elapsed()?.as_nanos();
    let folder = parent.join(format!("{}-{nanos}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The sum of `xr2_usage_events_dropped_total` in the Prometheus text format; a counter that was never counted up is not there.
fn dropped_events(metrics: &str) -> f64 {
    let lines = metrics.lines().filter(|line| line.starts_with("xr2_usage_events_dropped_total"));
    lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

/// Fields 14 and 15 of `/proc/PID/stat`; the name before them may hold anything but ends with the last bracket.
fn ticks(stat: &str) -> Option<u64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

fn ticks_per_second() -> Result<f64> {
    let output = Command::new("getconf").arg("CLK_TCK").output().context("cannot start getconf")?;
    String::from_utf8_lossy(&output.stdout).trim().parse().context("getconf does not know CLK_TCK")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_processor_time_behind_any_name() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 4 0 12345 1000 200";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(ticks("nonsense"), None);
    }

    #[test]
    fn finds_how_many_events_were_dropped() {
        let metrics = "# TYPE xr2_usage_events_dropped_total counter\nxr2_usage_events_dropped_total 3\nxr2_other_total 5\n\
                       xr2_usage_events_dropped_total{reason=\"full\"} 4\n";
        assert_eq!(dropped_events(metrics), 7.0);
        assert_eq!(dropped_events("xr2_other_total 5\n"), 0.0);
    }
}
