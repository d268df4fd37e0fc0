//! `cargo xtask bench`: builds everything in release mode and lets the benchmark program measure.

use crate::paths;
use crate::process::Run;
use crate::services::Engines;
use anyhow::Result;

/// Passes what it was given on to `xr2-bench`, which knows the scenarios.
pub fn run(arguments: &[String]) -> Result<()> {
    // Counting allocations takes the server into the program, which doubles what is to be linked.
    let features: &[&str] = match arguments.iter().any(|argument| argument == "allocations") {
        true => &["--features", "xr2-bench/allocations"],
        false => &[],
    };
    let packages = ["--release", "--package", "xr2", "--package", "xr2-bench"];
    Run::cargo("build").args(packages).args(features).visibly()?;
    let arguments = arguments.iter().filter(|argument| *argument != "--");
    let scratch = paths::scratch();
    std::fs::create_dir_all(&scratch)?;
    // Three nodes need what they share.
    let engines = match arguments.clone().any(|argument| argument == "nodes") {
        true => Some(Engines::start(&scratch)?),
        false => None,
    };
    let addresses = engines.iter().flat_map(Engines::addresses);
    Run::new(paths::release_binary("xr2-bench"))
        .arg("run")
        .arg("--server")
        .arg(paths::release_binary("xr2"))
        .arg("--results")
        .arg(paths::root().join("bench").join("results"))
        .args(addresses)
        .args(arguments)
        .visibly()
}
