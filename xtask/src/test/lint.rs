//! What can be seen without building anything.

use super::session::Session;
use super::{Area, Outcome, Step};
use crate::layout;
use crate::process::Run;
use crate::summary::Counts;
use anyhow::Result;

pub const STEPS: &[Step] = &[
    Step { area: Area::Lint, name: "layout rules", run: layout_rules },
    Step { area: Area::Lint, name: "rustfmt", run: rustfmt },
    Step { area: Area::Lint, name: "shell scripts", run: shell_scripts },
    Step { area: Area::Lint, name: "dependency policy", run: dependency_policy },
];

/// What has to be looked at when everything else is done.
pub const LAST_STEPS: &[Step] =
    &[Step { area: Area::Lint, name: "the checks changed nothing", run: working_tree_is_as_before }];

/// The lock files were up to date, generated files are ignored or committed, and no test wrote into the checkout.
fn working_tree_is_as_before(session: &mut Session) -> Result<Outcome> {
    let now = working_tree()?;
    if now == session.working_tree_at_first {
        return Ok(Outcome::success());
    }
    Ok(Outcome::failure(format!(
        "the working tree is not as it was:\n--- before\n{}--- now\n{now}",
        session.working_tree_at_first
    )))
}

/// What git sees of the checkout: which files differ, and how.
pub fn working_tree() -> Result<String> {
    let git = |arguments: &[&str]| Run::new("git").args(arguments).stdout();
    Ok(format!("{}{}", git(&["status", "--porcelain"])?, git(&["diff", "HEAD", "--stat"])?))
}

/// Every rule is a check of its own.
fn layout_rules(_: &mut Session) -> Result<Outcome> {
    let tree = layout::tree()?;
    let mut outcome = Outcome::default();
    for (name, rule) in layout::RULES {
        let findings = rule(&tree);
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        let counts =
            Counts { passed: u64::from(lines.is_empty()), failed: u64::from(!lines.is_empty()), skipped: 0 };
        outcome = outcome.and(Outcome { counts, details: format!("{name}:\n{}", lines.join("\n")) });
    }
    Ok(outcome)
}

fn rustfmt(session: &mut Session) -> Result<Outcome> {
    session.check("rustfmt", &Run::cargo("fmt").args(["--all", "--check"]))
}

/// Every shell script of the repository can at least be parsed.
fn shell_scripts(session: &mut Session) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for file in layout::tree()?.files {
        if file.path.ends_with(".sh")
            || file.text.starts_with("#!/usr/bin/env bash")
            || file.text.starts_with("#!/bin/sh")
        {
            outcome =
                outcome.and(session.check("shell scripts", &Run::new("bash").arg("-n").arg(&file.path))?);
        }
    }
    Ok(outcome)
}

/// Libraries that would need a C toolchain of their own, or a second TLS beside the one we chose.
const UNWANTED: &[&str] = &["aws-lc-sys", "aws-lc-rs", "openssl-sys", "openssl", "native-tls"];

fn dependency_policy(session: &mut Session) -> Result<Outcome> {
    let run = Run::cargo("tree")
        .args(["--workspace", "--all-features", "--edges", "normal,build,dev", "--prefix", "none"])
        .args(["--format", "{p}", "--target", "all"]);
    let finished = session.run("cargo tree", &run)?;
    if !finished.success {
        return Ok(Outcome::of_check(finished));
    }
    let found = unwanted_in(&finished.output);
    if found.is_empty() {
        return Ok(Outcome::success());
    }
    let advice = "ask `cargo tree --invert NAME --all-features` who brings it, and choose its `ring` or `rustls` feature";
    Ok(Outcome::failure(format!("unwanted dependencies: {}; {advice}", found.join(", "))))
}

fn unwanted_in(listing: &str) -> Vec<&'static str> {
    let present = |name: &&&str| listing.lines().any(|line| line.split(' ').next() == Some(**name));
    UNWANTED.iter().filter(present).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unwanted_libraries_are_found_by_their_whole_name() {
        let listing = "xr2 v0.1.0 (path)\nrustls v0.23.1\nopenssl-probe v0.2.0\naws-lc-sys v0.30.0 (*)\n";
        assert_eq!(unwanted_in(listing), ["aws-lc-sys"]);
    }
}
