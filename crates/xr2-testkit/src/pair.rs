//! A PostgreSQL of a test's own with a streaming replica, to be killed and promoted.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use xr2_db::testing;

use crate::queries;

/// For a server that lives as long as a test and listens on loopback only.
const PASSWORD: &str = "a-password-of-the-tests";

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// See the module. Both servers end with it.
pub struct PostgresPair {
    primary: Option<Server>,
    /// Where the primary listens, also while it is gone.
    port: u16,
    replica: Server,
    tools: Tools,
    _folder: TempDir,
}

struct Server {
    child: Child,
    port: u16,
}

impl PostgresPair {
    /// Makes and starts both; none where the environment does not say where PostgreSQL's programs are.
    pub async fn start() -> Option<PostgresPair> {
        let Some(programs) = programs() else {
            let required = std::env::var_os("XR2_TEST_REQUIRE_ALL").is_some_and(|value| value == "1");
            assert!(!required, "XR2_TEST_POSTGRES_PROGRAMS has to name the folder of PostgreSQL's programs");
            return None;
        };
        let folder = TempDir::new().expect("a temporary directory");
        let account = Account::choose();
        account.own(folder.path());
        let tools = Tools { programs, account, folder: folder.path().to_owned() };
        tools.init("primary");
        let primary = tools.serve("primary").await;
        tools.copy(primary.port, "replica");
        let replica = tools.serve("replica").await;
        let port = primary.port;
        Some(PostgresPair { primary: Some(primary), port, replica, tools, _folder: folder })
    }

    /// The address of both, whichever can be written to.
    pub fn url(&self) -> String {
        let ports =
            self.primary.iter().chain([&self.replica]).map(|server| format!("127.0.0.1:{}", server.port));
        format!("postgres://xr2:{PASSWORD}@{}/postgres", ports.collect::<Vec<_>>().join(","))
    }

    /// The address of the primary alone.
    pub fn primary_url(&self) -> String {
        url(self.primary.as_ref().expect("it was not killed").port)
    }

    /// The address of the replica alone.
    pub fn replica_url(&self) -> String {
        url(self.replica.port)
    }

    /// Whether the replica has everything.
    pub async fn is_level(&self) -> bool {
        testing::replicas_are_level(&self.primary_url()).await.expect("the primary answers")
    }

    /// `kill -9` of the primary, and of everything it started.
    pub fn kill_primary(&mut self) {
        self.primary = None;
    }

    /// Starts the primary anew, where it was, after it was killed.
    pub async fn restart_primary(&mut self) {
        self.primary = Some(self.tools.serve_on("primary", self.port).await);
    }

    /// Makes the replica a server that can be written to.
    pub async fn promote(&self) {
        self.on_replica(queries::PROMOTE).await;
    }

    /// Whether the replica takes over what it is sent.
    pub async fn replays(&self, does: bool) {
        self.on_replica(if does { queries::RESUME_REPLAY } else { queries::PAUSE_REPLAY }).await;
    }

    async fn on_replica(&self, sql: &str) {
        testing::run_sql(&self.replica_url(), &[sql.to_owned()]).await.expect("the replica obeys");
    }
}

fn url(port: u16) -> String {
    format!("postgres://xr2:{PASSWORD}@127.0.0.1:{port}/postgres")
}

impl Drop for Server {
    fn drop(&mut self) {
        // What it has started notices that it is gone, and ends.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "tests are told by the environment where PostgreSQL is")]
fn programs() -> Option<PathBuf> {
    std::env::var("XR2_TEST_POSTGRES_PROGRAMS").ok().filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

/// PostgreSQL refuses to be run by root, so root hands it to an ordinary account.
struct Account(Option<(u32, u32)>);

impl Account {
    fn choose() -> Account {
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        if !is_root {
            return Account(None);
        }
        let known = std::fs::read_to_string("/etc/passwd").expect("the list of accounts");
        let ids = |name: &str| {
            let mut fields =
                known.lines().find(|line| line.starts_with(&format!("{name}:")))?.split(':').skip(2);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        };
        Account(Some(ids("postgres").or_else(|| ids("nobody")).expect("an account for PostgreSQL")))
    }

    fn own(&self, folder: &Path) {
        if let Account(Some((user, group))) = self {
            chown(folder, Some(*user), Some(*group)).expect("the folder changes hands");
        }
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
            .expect("the folder is private");
    }
}

struct Tools {
    programs: PathBuf,
    account: Account,
    folder: PathBuf,
}

impl Tools {
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(&self.folder).stdin(Stdio::null());
        if let Account(Some((user, group))) = self.account {
            command.uid(user).gid(group);
        }
        command
    }

    fn run(&self, mut command: Command) {
        let output = command.output().expect("the program starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn init(&self, name: &str) {
        let password = self.folder.join("password");
        std::fs::write(&password, PASSWORD).expect("the password is written");
        if let Account(Some((user, group))) = self.account {
            chown(&password, Some(user), Some(group)).expect("the file changes hands");
        }
        let mut command = self.command("initdb");
        command.arg("--pgdata").arg(self.folder.join(name)).arg("--pwfile").arg(&password);
        command.args(["--username=xr2", "--auth=md5", "--encoding=UTF8", "--locale=C", "--no-sync"]);
        self.run(command);
    }

    /// Copies what runs on `port`, to follow it.
    fn copy(&self, port: u16, name: &str) {
        let mut command = self.command("pg_basebackup");
        command.arg("--dbname").arg(url(port)).arg("--pgdata").arg(self.folder.join(name));
        command.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--wal-method=stream"]);
        self.run(command);
    }

    async fn serve(&self, name: &str) -> Server {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        self.serve_on(name, free.expect("a free port").port()).await
    }

    async fn serve_on(&self, name: &str, port: u16) -> Server {
        let mut server = Server { child: self.spawn(name, port), port };
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err()
            || testing::server_version(&url(port)).await.is_err()
        {
            let log = || std::fs::read_to_string(self.folder.join(format!("{name}.log"))).unwrap_or_default();
            assert!(began.elapsed() < PATIENCE, "PostgreSQL does not start:\n{}", log());
            tokio::time::sleep(Duration::from_millis(50)).await;
            // One that was killed leaves processes behind for a moment, and nobody takes its place meanwhile.
            if server.child.try_wait().is_ok_and(|status| status.is_some()) {
                server.child = self.spawn(name, port);
            }
        }
        server
    }

    fn spawn(&self, name: &str, port: u16) -> Child {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.folder.join(name)).arg("-p").arg(port.to_string());
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "shared_buffers=16MB",
            "timezone=UTC",
            "hot_standby=on",
        ] {
            command.arg("-c").arg(setting);
        }
        let log = std::fs::File::create(self.folder.join(format!("{name}.log"))).expect("a log file");
        command.stdout(Stdio::null()).stderr(log).spawn().expect("PostgreSQL starts")
    }
}
