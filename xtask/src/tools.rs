//! Programs from outside: finding them, installing what may be installed, saying what is missing.

use crate::process::Run;
use anyhow::{Result, anyhow, bail};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// The least version of Node that the dashboard's tools accept.
const NODE: Version = Version(20, 19);
const NPM: Version = Version(10, 0);
const PYTHON: Version = Version(3, 10);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32);

impl std::fmt::Display for Version {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}", self.0, self.1)
    }
}

/// Reads `v20.20.2`, `11.19.1`, `Python 3.11.7`.
fn version_in(text: &str) -> Option<Version> {
    let start = text.find(|character: char| character.is_ascii_digit())?;
    let mut parts = text[start..].split(|character: char| !character.is_ascii_digit());
    Some(Version(parts.next()?.parse().ok()?, parts.next().and_then(|part| part.parse().ok()).unwrap_or(0)))
}

/// The first of these programs that is in the search path or in one of the folders.
pub fn find(names: &[&str], folders: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all: Vec<PathBuf> = folders.iter().cloned().chain(std::env::split_paths(&path)).collect();
    names.iter().find_map(|name| all.iter().map(|folder| folder.join(name)).find(|file| file.is_file()))
}

/// Node and npm, new enough to build the dashboard; or words that say what to do.
pub fn require_node() -> Result<()> {
    let advice = format!(
        "The dashboard is built with Node {NODE} or newer (20 LTS or 22 LTS) and its npm {NPM} or newer. \
         Install them from your system's packages or a version manager, then run this again."
    );
    for (program, least) in [("node", NODE), ("npm", NPM)] {
        match Run::new(program).arg("--version").stdout() {
            Err(_) => bail!("`{program}` was not found. {advice}"),
            Ok(text) => match version_in(&text) {
                Some(found) if found >= least => {}
                _ => bail!("`{program}` is version {}, which is too old. {advice}", text.trim()),
            },
        }
    }
    Ok(())
}

/// A Python that can make virtual environments.
pub fn python() -> Result<PathBuf> {
    let usable = |program: &PathBuf| {
        let text = Run::new(program).arg("--version").stdout().unwrap_or_default();
        version_in(&text).is_some_and(|found| found >= PYTHON)
            && Run::new(program).args(["-c", "import ensurepip, venv"]).stdout().is_ok()
    };
    let locate = || find(&["python3"], &[]).filter(usable);
    provide("Python", &["python3", "python3-venv"], locate).map_err(|error| {
        anyhow!("{error} The Python SDK is tested with Python {PYTHON} or newer with its `venv` module.")
    })
}

/// The folder that holds `initdb` and `postgres`.
pub fn postgres() -> Result<PathBuf> {
    let locate = || {
        let mut folders = versions_under("/usr/lib/postgresql", "bin");
        folders.extend(versions_under("/opt/homebrew/opt", "bin"));
        // A link in the search path is followed: the programs look for their files beside themselves.
        find(&["initdb"], &folders)?.canonicalize().ok()?.parent().map(PathBuf::from)
    };
    provide("PostgreSQL", &["postgresql"], locate)
}

/// The Redis server.
pub fn redis() -> Result<PathBuf> {
    provide("Redis", &["redis-server"], || find(&["redis-server"], &[]))
}

/// Chromium or Chrome.
pub fn chromium() -> Result<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let application = PathBuf::from("/Applications/Google Chrome.app/Contents/MacOS");
    let packages = ["chromium", "fonts-liberation"];
    provide("Chromium", &packages, || {
        find(&names, &[]).or_else(|| find(&["Google Chrome"], std::slice::from_ref(&application)))
    })
}

/// `<folder>/<version>/<tail>` for all versions there are, newest first.
fn versions_under(folder: &str, tail: &str) -> Vec<PathBuf> {
    let Ok(listing) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<(Version, PathBuf)> = listing
        .flatten()
        .filter_map(|entry| {
            let version = version_in(&entry.file_name().to_string_lossy())?;
            Some((version, entry.path().join(tail)))
        })
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, path)| path).collect()
}

/// Finds something, after installing it where this user may.
fn provide(name: &str, packages: &[&str], locate: impl Fn() -> Option<PathBuf>) -> Result<PathBuf> {
    if let Some(found) = locate() {
        return Ok(found);
    }
    let wanted = packages.join(" ");
    if !may_install() {
        bail!("{name} was not found. Install it first; on Debian or Ubuntu: sudo apt-get install {wanted}.");
    }
    install(packages)
        .map_err(|error| anyhow!("{name} was not found, and installing {wanted} failed: {error}"))?;
    locate().ok_or_else(|| anyhow!("{name} was not found, not even after installing {wanted}."))
}

fn may_install() -> bool {
    is_root() && find(&["apt-get"], &[]).is_some()
}

/// Whether this process is the superuser (which PostgreSQL refuses to be run by).
pub fn is_root() -> bool {
    Run::new("id").arg("-u").stdout().is_ok_and(|text| text.trim() == "0")
}

fn install(packages: &[&str]) -> Result<()> {
    // One at a time, and the lists are fetched once.
    static LISTS_ARE_FRESH: Mutex<bool> = Mutex::new(false);
    let mut fresh = LISTS_ARE_FRESH.lock().unwrap_or_else(PoisonError::into_inner);
    let apt = Run::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").deadline_minutes(10);
    let log = crate::paths::scratch().join("logs").join("apt.log");
    eprintln!("installing {} ...", packages.join(" "));
    if !*fresh {
        succeed(&apt.clone().arg("update"), &log)?;
        *fresh = true;
    }
    succeed(&apt.args(["install", "--yes", "--no-install-recommends"]).args(packages), &log)
}

fn succeed(run: &Run, log: &std::path::Path) -> Result<()> {
    let finished = run.logged(log, false)?;
    match finished.problem {
        None => Ok(()),
        Some(problem) => bail!("{problem}\n{}", crate::summary::excerpt(&finished.output, 20)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions_as_programs_print_them() {
        assert_eq!(version_in("v20.20.2\n"), Some(Version(20, 20)));
        assert_eq!(version_in("Python 3.11.7"), Some(Version(3, 11)));
        assert_eq!(version_in("15"), Some(Version(15, 0)));
        assert_eq!(version_in("unknown"), None);
        assert!(Version(20, 9) < NODE && Version(22, 0) > NODE);
    }

    #[test]
    fn finds_a_program_by_any_of_its_names() {
        assert!(find(&["no-such-program", "sh"], &[]).is_some());
        assert_eq!(find(&["no-such-program"], &[]), None);
    }
}
