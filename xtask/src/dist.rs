//! `cargo xtask dist`: the archive that a release is.

use crate::paths::{self, root, scratch};
use crate::process::Run;
use crate::{dashboard, run, stamp};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// What goes into the archive beside the binary: where it stands here, what it is called there.
const BESIDE: &[(&str, &str)] = &[
    ("LICENSE", "LICENSE"),
    ("README.md", "README.md"),
    ("CHANGELOG.md", "CHANGELOG.md"),
    ("crates/xr2-server/src/config/xr2.default.toml", "xr2.toml"),
    ("deploy/xr2.service", "xr2.service"),
];

/// Builds and packs. One file runs everything; it needs the C library of the system it was built for, no other.
pub fn run() -> Result<()> {
    dashboard::build()?;
    run::build_release()?;
    let name = format!("xr2-{}-{}", env!("CARGO_PKG_VERSION"), target_triple()?);
    let stage = scratch().join("dist").join(&name);
    if stage.exists() {
        std::fs::remove_dir_all(&stage)?;
    }
    std::fs::create_dir_all(&stage)?;
    copy(&paths::release_binary("xr2"), &stage.join("xr2"), 0o755)?;
    for (here, there) in BESIDE {
        copy(&root().join(here), &stage.join(there), 0o644)?;
    }
    let archive = pack(&name, &stage)?;
    std::fs::remove_dir_all(&stage)?;
    let bytes = std::fs::read(&archive)?;
    let file_name = archive.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let sum_file = archive.with_file_name(format!("{file_name}.sha256"));
    std::fs::write(&sum_file, format!("{}  {file_name}\n", stamp::sha256(&bytes)))?;
    println!("dist/{file_name}  {:.1} MB", bytes.len() as f64 / 1e6);
    println!("dist/{file_name}.sha256");
    Ok(())
}

/// The platform this compiler builds for.
fn target_triple() -> Result<String> {
    let said = Run::new("rustc").arg("-vV").stdout()?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say which platform it builds for")
}

fn copy(from: &Path, to: &Path, mode: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::copy(from, to).with_context(|| format!("{} is missing", from.display()))?;
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(mode))?;
    Ok(())
}

/// Packs so that the same files make the same bytes: sorted, without owners, all of the commit's age.
fn pack(name: &str, stage: &Path) -> Result<PathBuf> {
    let folder = root().join("dist");
    std::fs::create_dir_all(&folder)?;
    let tar = folder.join(format!("{name}.tar"));
    let time = Run::new("git").args(["log", "-1", "--format=%ct"]).stdout()?;
    Run::new("tar")
        .args(["--create", "--format=ustar", "--sort=name", "--owner=0", "--group=0", "--numeric-owner"])
        .arg(format!("--mtime=@{}", time.trim()))
        .arg("--file")
        .arg(&tar)
        .arg("--directory")
        .arg(stage.parent().unwrap_or(stage))
        .arg(name)
        .stdout()?;
    Run::new("gzip").args(["--no-name", "--best", "--force"]).arg(&tar).stdout()?;
    Ok(folder.join(format!("{name}.tar.gz")))
}
