//! A PostgreSQL of our own: new data, loopback only, nothing synced to disk, gone afterwards.

use super::guard::Guard;
use crate::process::Run;
use anyhow::{Context, Result, bail};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The private server; it stops and its data goes when this is dropped.
pub struct Postgres {
    guard: Option<Guard>,
    folder: PathBuf,
    programs: PathBuf,
    url: String,
}

impl Postgres {
    /// Makes a cluster and starts it.
    pub fn start(scratch: &Path) -> Result<Self> {
        let programs = crate::tools::postgres()?;
        let account = Account::choose()?;
        let folder = account.folder(scratch)?;
        let password = random_word()?;
        let result = create(&programs, &account, &folder, &password)
            .and_then(|()| start(&programs, &account, &folder));
        match result {
            Ok((guard, port)) => {
                let url = format!("postgres://xr2:{password}@127.0.0.1:{port}/postgres");
                Ok(Self { guard: Some(guard), folder, programs, url })
            }
            Err(error) => {
                let _ = std::fs::remove_dir_all(&folder);
                Err(error)
            }
        }
    }

    /// The folder of its programs.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// Where to connect, as a superuser of this server.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.guard.take());
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// PostgreSQL refuses to be run by root, so root hands it to an ordinary account.
struct Account {
    other: Option<String>,
}

impl Account {
    fn choose() -> Result<Self> {
        if !crate::tools::is_root() {
            return Ok(Self { other: None });
        }
        if crate::tools::find(&["setpriv"], &[]).is_none() {
            bail!(
                "PostgreSQL does not run as root, and `setpriv` (Debian package util-linux), which would start it \
                 as another user, was not found. Install it, or run the tests as an ordinary user."
            );
        }
        let known = |name: &&str| Run::new("id").args(["-u", name]).stdout().is_ok();
        match ["postgres", "nobody"].iter().find(|name| known(name)) {
            Some(name) => Ok(Self { other: Some((*name).to_owned()) }),
            None => bail!("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`."),
        }
    }

    /// A program under this account.
    fn command(&self, program: &Path) -> Command {
        let Some(name) = &self.other else { return Command::new(program) };
        let mut command = Command::new("setpriv");
        command.arg(format!("--reuid={name}")).arg(format!("--regid={}", group_of(name)));
        command.arg("--clear-groups").arg("--").arg(program);
        command
    }

    /// A folder of this account's own: under `scratch`, or beside the system's temporary files when the account
    /// may not walk down to `scratch` (a checkout in a home directory, say).
    fn folder(&self, scratch: &Path) -> Result<PathBuf> {
        let name = format!("postgres-{}", std::process::id());
        let places = [scratch.to_path_buf(), std::env::temp_dir()];
        for place in places {
            let folder = place.join(if place == scratch { name.clone() } else { format!("xr2-{name}") });
            super::private_folder(&folder)?;
            if let Some(user) = &self.other {
                let owner = format!("{user}:{}", group_of(user));
                Run::new("chown").arg(owner).arg(&folder).stdout()?;
            }
            let reachable = self
                .command(Path::new("test"))
                .arg("-w")
                .arg(&folder)
                .status()
                .is_ok_and(|status| status.success());
            if reachable {
                return Ok(folder);
            }
            std::fs::remove_dir_all(&folder)?;
        }
        bail!("found no folder that the user {:?} may use for PostgreSQL's data", self.other)
    }
}

fn group_of(user: &str) -> String {
    Run::new("id").args(["-g", user]).stdout().map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// Letters and digits nobody can guess, for a server that other users of the machine can reach.
fn random_word() -> Result<String> {
    use std::io::Read as _;
    let mut bytes = [0_u8; 16];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("cannot read /dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn create(programs: &Path, account: &Account, folder: &Path, password: &str) -> Result<()> {
    let password_file = folder.join("password");
    std::fs::write(&password_file, password)?;
    if let Some(user) = &account.other {
        Run::new("chown").arg(user).arg(&password_file).stdout()?;
    }
    let output = account
        .command(&programs.join("initdb"))
        .current_dir(folder)
        .arg("--pgdata")
        .arg(folder.join("data"))
        .arg("--pwfile")
        .arg(&password_file)
        // MD5 is enough for a throw-away server on loopback, and spares every connection 4,096 rounds of hashing.
        .args(["--username=xr2", "--auth=md5"])
        .args(["--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"])
        .stdin(Stdio::null())
        .output()
        .context("cannot start initdb")?;
    std::fs::remove_file(&password_file)?;
    if !output.status.success() {
        bail!("initdb failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

fn start(programs: &Path, account: &Account, folder: &Path) -> Result<(Guard, u16)> {
    let mut attempt = 1;
    loop {
        let port = super::free_port()?;
        let mut command = account.command(&programs.join("postgres"));
        command.current_dir(folder).arg("-D").arg(folder.join("data")).arg("-p").arg(port.to_string());
        let settings = [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "full_page_writes=off",
            "synchronous_commit=off",
            "max_connections=300",
            "shared_buffers=128MB",
            "timezone=UTC",
            "max_wal_size=2GB",
        ];
        for setting in settings {
            command.arg("-c").arg(setting);
        }
        // SIGQUIT: there is nothing in this server worth an orderly checkpoint.
        let guard = Guard::start("PostgreSQL", "QUIT", &command, &folder.join("log"))?;
        let answers = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        match guard.wait_until(Duration::from_secs(60), || answers() && accepts(&folder.join("log"))) {
            Ok(()) => return Ok((guard, port)),
            Err(_) if attempt < super::ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

/// The port opens a moment before the server takes connections; the log says when it does.
fn accepts(log: &Path) -> bool {
    std::fs::read_to_string(log).is_ok_and(|text| text.contains("ready to accept connections"))
}
