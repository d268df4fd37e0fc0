//! Private servers for one run of the tests, on free loopback ports.

use crate::paths;
use crate::process::Run;
use anyhow::{Context, Result, bail};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

mod guard;
mod postgres;
mod redis;
pub mod xr2;

/// The engines beside SQLite and memory that the Rust tests are run on.
pub struct Engines {
    postgres: postgres::Postgres,
    redis: redis::Redis,
}

impl Engines {
    /// Starts a private PostgreSQL and a private Redis; both stop when this is dropped.
    pub fn start(scratch: &Path) -> Result<Self> {
        sweep(scratch);
        Ok(Self { postgres: postgres::Postgres::start(scratch)?, redis: redis::Redis::start(scratch)? })
    }

    /// How the benchmark is told of them.
    pub fn addresses(&self) -> [String; 2] {
        [format!("--postgres={}", self.postgres.url()), format!("--redis={}", self.redis.url())]
    }

    /// How the tests find them; with these, a test that leaves an engine out fails.
    pub fn environment(&self) -> Vec<(String, String)> {
        let mut pairs = vec![
            ("XR2_TEST_POSTGRES".to_owned(), self.postgres.url().to_owned()),
            ("XR2_TEST_REDIS".to_owned(), self.redis.url().to_owned()),
            (
                "XR2_TEST_POSTGRES_PROGRAMS".to_owned(),
                self.postgres.programs().to_string_lossy().into_owned(),
            ),
            ("XR2_TEST_REQUIRE_ALL".to_owned(), "1".to_owned()),
        ];
        if let Some(folder) = paths::collection() {
            pairs.push(("XR2_TEST_COLLECTION".to_owned(), folder.to_string_lossy().into_owned()));
        }
        pairs
    }
}

/// `cargo xtask with-engines COMMAND…`: the command with both engines running, for working on one test.
pub fn with_engines(command: &[String]) -> Result<bool> {
    let Some((program, arguments)) = command.split_first() else {
        bail!(
            "with-engines wants a command, for example: cargo xtask with-engines cargo test --package xr2-db"
        );
    };
    let scratch = paths::scratch();
    std::fs::create_dir_all(&scratch)?;
    let engines = Engines::start(&scratch)?;
    let run = Run::new(program).args(arguments).envs(&engines.environment());
    let status = run.command().status().with_context(|| format!("cannot start `{}`", run.shown()))?;
    Ok(status.success())
}

/// A port that nobody listens on at this moment. Another program may take it before it is used, so whoever
/// starts something on it tries again with another one.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// How many ports are tried before giving up.
const ATTEMPTS: usize = 3;

/// A new folder that only this user can read, removed by whoever made it.
fn private_folder(path: &Path) -> Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .and_then(|()| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)))
        .with_context(|| format!("cannot make {}", path.display()))
}

/// Removes what runs that were killed have left behind: folders named after a process that is no more.
fn sweep(scratch: &Path) {
    let Ok(listing) = std::fs::read_dir(scratch) else { return };
    for entry in listing.flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.rsplit_once('-')?.1.parse::<u32>().ok());
        if owner.is_some_and(|process| !guard::runs(process)) {
            // Another run may be sweeping as well; whoever comes second finds nothing.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
