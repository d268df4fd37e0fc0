//! Building the dashboard into `web/dist`, from where the server's binary embeds it.

use crate::paths::root;
use crate::process::Run;
use crate::stamp;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

/// Where the dashboard's sources are.
pub fn folder() -> PathBuf {
    root().join("web")
}

/// Folders that are made from others.
const MADE: &[&str] = &["node_modules", "dist", "e2e", ".vite"];

/// Whether `npm ci` would change nothing; the answer is kept inside `node_modules`.
pub fn packages_are_current(folder: &Path) -> Result<bool> {
    Ok(stamp::matches(&packages_stamp(folder), &packages_hash(folder)?))
}

/// Says that `npm ci` went well for the lock file as it is.
pub fn keep_packages_stamp(folder: &Path) -> Result<()> {
    stamp::keep(&packages_stamp(folder), &packages_hash(folder)?)
}

/// The command that installs exactly what a folder's lock file names.
pub fn install(folder: &Path) -> Run {
    Run::new("npm").args(["ci", "--no-audit", "--no-fund"]).within(folder).deadline_minutes(10)
}

fn packages_stamp(folder: &Path) -> PathBuf {
    folder.join("node_modules").join(".xtask-packages")
}

fn packages_hash(folder: &Path) -> Result<String> {
    stamp::of(&[folder.join("package.json"), folder.join("package-lock.json")], &[])
}

/// Whether `web/dist` was built from the sources as they are.
pub fn is_current() -> Result<bool> {
    Ok(folder().join("dist").join("index.html").is_file() && stamp::matches(&build_stamp(), &sources_hash()?))
}

/// Says that `web/dist` was built from the sources as they are.
pub fn keep_build_stamp() -> Result<()> {
    stamp::keep(&build_stamp(), &sources_hash()?)
}

/// The command that builds it.
pub fn build_command() -> Run {
    Run::new("npm").args(["run", "build"]).within(folder()).deadline_minutes(10)
}

fn build_stamp() -> PathBuf {
    folder().join("node_modules").join(".xtask-build")
}

fn sources_hash() -> Result<String> {
    stamp::of(&[folder()], MADE)
}

/// Installs and builds what is not up to date, on this terminal.
pub fn build() -> Result<()> {
    let folder = folder();
    if !folder.join("package-lock.json").is_file() {
        bail!("there is no {}; is this a whole checkout?", folder.join("package-lock.json").display());
    }
    crate::tools::require_node()?;
    if !packages_are_current(&folder)? {
        install(&folder).visibly()?;
        keep_packages_stamp(&folder)?;
    }
    if is_current()? {
        return Ok(());
    }
    build_command().visibly()?;
    keep_build_stamp()
}
