//! What the figures were taken on.

use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// Hardware, system, compiler, commit and time.
pub fn describe(repository: &Path) -> Value {
    json!({
        "cpu": cpu_model(),
        "cores": std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        "memory_gb": memory_gigabytes(),
        "kernel": said(Command::new("uname").args(["-s", "-r", "-m"])),
        "rustc": said(Command::new("rustc").arg("--version")),
        "commit": said(Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=12"]).current_dir(repository)),
        "date": said(Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"])),
        "load_before": std::fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').next().unwrap_or_default(),
    })
}

fn cpu_model() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split_once(": ")).map_or("unknown", |(_, name)| name).to_owned()
}

fn memory_gigabytes() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kilobytes.unwrap_or(0).div_ceil(1024 * 1024)
}

/// What a program prints, or "unknown" where it is not installed.
fn said(command: &mut Command) -> String {
    match command.output() {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        _ => "unknown".to_owned(),
    }
}
