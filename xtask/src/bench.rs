//! `cargo xtask bench`: builds everything in release mode and lets the benchmark program measure.

use crate::paths;
use crate::process::Run;
use crate::services::Engines;
use crate::test::{python, typescript};
use anyhow::Result;
use std::path::Path;

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
    let sdks = match arguments.clone().any(|argument| argument == "sdks") {
        true => sdks()?,
        false => Vec::new(),
    };
    let addresses = engines.iter().flat_map(Engines::addresses);
    Run::new(paths::release_binary("xr2-bench"))
        .arg("run")
        .arg("--server")
        .arg(paths::release_binary("xr2"))
        .arg("--results")
        .arg(paths::root().join("bench").join("results"))
        .args(addresses)
        .args(sdks.iter().flat_map(|sdk| ["--sdk", sdk.as_str()]))
        .args(arguments)
        .visibly()
}

/// Prepares what reads with each SDK, and says how it is started.
fn sdks() -> Result<Vec<String>> {
    // By itself, so that what the example needs changes nothing of the server that is measured.
    Run::cargo("build").args(["--release", "--package", "xr2-client", "--example", "measure"]).visibly()?;
    typescript::build()?;
    python::install_packages()?;
    let python_reads = python::folder().join("bench").join("reads.py");
    let typescript_reads = typescript::folder().join("scripts").join("bench.mjs");
    Ok(vec![
        started("Rust", &[&paths::release_example("measure")]),
        started("TypeScript", &[Path::new("node"), &typescript_reads]),
        started("Python", &[&python::interpreter(), &python_reads]),
    ])
}

/// `LANGUAGE=["PROGRAM","ARGUMENT"]`, which no space in a path can spoil.
fn started(language: &str, words: &[&Path]) -> String {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    format!("{language}={}", serde_json::json!(words))
}
