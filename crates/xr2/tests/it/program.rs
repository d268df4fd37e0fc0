//! Starting `xr2` and talking to it.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use xr2_db::testing;
use xr2_testkit::Engine;

const SECRET_KEY: &str = "5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed";

/// A data directory and a database for a server.
pub struct Place {
    directory: TempDir,
    /// The database's address.
    pub database: String,
    postgres: Option<(String, String)>,
}

impl Place {
    /// A fresh one; none where there is no PostgreSQL, unless everything is to be run.
    pub async fn fresh(engine: Engine, name: &str) -> Option<Place> {
        let directory = TempDir::new().expect("a temporary directory");
        if engine == Engine::Sqlite {
            let database = format!("sqlite:{}", directory.path().join("xr2.sqlite3").display());
            return Some(Place { directory, database, postgres: None });
        }
        let Some(admin) = xr2_testkit::postgres_url() else {
            let required = std::env::var_os("XR2_TEST_REQUIRE_ALL").is_some_and(|value| value == "1");
            assert!(!required, "XR2_TEST_POSTGRES is not set");
            return None;
        };
        let name = format!("xr2_program_{name}_{}", std::process::id());
        testing::drop_postgres(&admin, &name).await.expect("dropping an old database");
        testing::create_postgres(&admin, &name, None).await.expect("a database");
        let database = testing::sibling_url(&admin, &name);
        Some(Place { directory, database, postgres: Some((admin, name)) })
    }

    /// A path in the place's directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What the demo wrote on its first start.
    pub fn credentials(&self) -> Value {
        let text = std::fs::read_to_string(self.path("credentials.json")).expect("the credentials");
        serde_json::from_str(&text).expect("credentials are JSON")
    }

    /// `xr2` with arguments, in this place.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_of("data", arguments)
    }

    /// `xr2` with arguments and a data directory of its own, in this place.
    pub fn command_of(&self, data: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xr2"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("XR2_")) {
            command.env_remove(name);
        }
        command.env_remove("DATABASE_URL").env_remove("REDIS_URL").env("XR2_SECRET_KEY", SECRET_KEY);
        command.args(arguments).arg("--data-dir").arg(self.path(data)).args(["--database", &self.database]);
        command.current_dir(self.directory.path()).stdin(Stdio::null());
        command
    }

    /// Removes what the directory's end does not.
    pub async fn clean_up(self) {
        if let Some((admin, name)) = &self.postgres {
            testing::drop_postgres(admin, name).await.expect("dropping the database");
        }
    }
}

/// A running `xr2 serve --demo`. Killed when dropped.
pub struct Program {
    child: Child,
    /// Where it listens.
    pub url: String,
}

impl Program {
    /// Starts it and waits until it says where it listens.
    pub fn start(place: &Place) -> Program {
        let credentials = place.path("credentials.json");
        let mut command = place.command(&["serve", "--demo", "--listen", "127.0.0.1:0"]);
        command.arg("--credentials-file").arg(credentials);
        Program::run(command, &place.path("server.log"))
    }

    /// Starts a server and waits until it says where it listens.
    pub fn run(mut command: Command, log_file: &Path) -> Program {
        command.stdout(Stdio::piped()).stderr(log(log_file));
        let mut child = command.spawn().expect("xr2 starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let Some(url) = address(&mut lines) else {
            let log = std::fs::read_to_string(log_file).unwrap_or_default();
            panic!("xr2 ended before it listened: {:?}\n{log}", child.wait());
        };
        // Whatever else it says is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Program { child, url }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the process can be asked")
    }

    /// `kill -9`
    pub fn kill(mut self) {
        self.child.kill().expect("the process can be killed");
        self.child.wait().expect("the process ends");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).expect("a log file")
}

fn address(lines: &mut Lines<BufReader<ChildStdout>>) -> Option<String> {
    lines.map_while(Result::ok).find_map(|line| {
        let (_, rest) = line.split_once("http://localhost:")?;
        let port: u16 = rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
        Some(format!("http://127.0.0.1:{port}"))
    })
}
