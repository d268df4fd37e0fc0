//! Real Redis servers of a test's own: one, a primary with a replica and Sentinel, or a cluster.

use std::net::TcpListener as StdListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a server may take to come up, and a group of them to agree.
const PATIENCE: Duration = Duration::from_secs(60);

/// A Redis server that ends with the test.
pub struct RedisServer {
    port: u16,
    directory: TempDir,
    arguments: Vec<String>,
    child: Option<Child>,
}

/// Whether Redis servers can be started here. Fails when the environment demands that everything is run.
#[expect(clippy::disallowed_methods, reason = "tests are told by the environment whether Redis is required")]
pub fn has_redis() -> bool {
    let found =
        Command::new("redis-server").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let has = found.is_ok_and(|status| status.success());
    let required = std::env::var("XR2_TEST_REQUIRE_ALL").is_ok_and(|value| value == "1");
    assert!(has || !required, "redis-server has to be installed");
    has
}

impl RedisServer {
    /// A server of its own.
    pub async fn start() -> RedisServer {
        RedisServer::with(&[]).await
    }

    /// A server with further arguments.
    pub async fn with(arguments: &[&str]) -> RedisServer {
        let mut server = RedisServer {
            port: free_port(),
            directory: TempDir::new().expect("a temporary directory"),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            child: None,
        };
        server.begin().await;
        server
    }

    /// A copy of `primary`, which takes its place when Sentinel says so.
    pub async fn replica_of(primary: &RedisServer) -> RedisServer {
        let port = primary.port.to_string();
        let replica = RedisServer::with(&["--replicaof", "127.0.0.1", &port]).await;
        replica.until("INFO replication", "master_link_status:up").await;
        replica
    }

    /// A sentinel that watches `primary` under the name `primary`, and alone decides that it is gone.
    pub async fn sentinel_of(primary: &RedisServer) -> RedisServer {
        let directory = TempDir::new().expect("a temporary directory");
        let (port, watched) = (free_port(), primary.port);
        let file = directory.path().join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor primary 127.0.0.1 {watched} 1\n\
             sentinel down-after-milliseconds primary 1000\nsentinel failover-timeout primary 5000\n"
        );
        std::fs::write(&file, text).expect("the sentinel's settings");
        let arguments = vec![file.display().to_string(), "--sentinel".to_owned()];
        let mut sentinel = RedisServer { port, directory, arguments, child: None };
        sentinel.begin().await;
        sentinel.until("SENTINEL replicas primary", "slave").await;
        sentinel
    }

    /// Three nodes that are one cluster.
    pub async fn cluster() -> Vec<RedisServer> {
        let mut nodes = Vec::new();
        for slots in ["0 5460", "5461 10922", "10923 16383"] {
            let arguments = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
            let node = RedisServer::with(&arguments).await;
            node.command(&format!("CLUSTER ADDSLOTSRANGE {slots}")).await;
            nodes.push(node);
        }
        for other in &nodes[1..] {
            nodes[0].command(&format!("CLUSTER MEET 127.0.0.1 {}", other.port)).await;
        }
        for node in &nodes {
            node.until("CLUSTER INFO", "cluster_known_nodes:3").await;
            node.until("CLUSTER INFO", "cluster_state:ok").await;
        }
        nodes
    }

    /// `host:port`
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `redis://host:port`
    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    /// Kills it.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it anew after it was killed, with nothing in it.
    pub async fn begin(&mut self) {
        self.kill();
        let mut command = Command::new("redis-server");
        command.current_dir(self.directory.path()).stdout(Stdio::null()).stderr(Stdio::null());
        if self.arguments.iter().any(|argument| argument == "--sentinel") {
            command.args(&self.arguments);
        } else {
            let port = self.port.to_string();
            command.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
            command.args(&self.arguments);
        }
        self.child = Some(command.spawn().expect("redis-server starts"));
        self.until("PING", "PONG").await;
    }

    /// What the server says to a command; empty when it does not answer.
    pub async fn command(&self, text: &str) -> String {
        let asked = tokio::time::timeout(Duration::from_secs(5), self.ask(text)).await;
        asked.map(Result::unwrap_or_default).unwrap_or_default()
    }

    /// Waits until the answer to a command holds `expected`.
    pub async fn until(&self, command: &str, expected: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let answer = self.command(command).await;
            if answer.contains(expected) {
                return;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "{command} says {answer:?} instead of {expected}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn ask(&self, text: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(self.address()).await?;
        // Redis hangs up on who has no more to say, so that an answer of any shape is read to its end.
        stream.write_all(format!("{text}\r\n").as_bytes()).await?;
        stream.shutdown().await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Ports that the system gives to nobody by itself: one stays free for who had it, also while its server is dead.
const PORTS: std::ops::Range<u16> = 10_000..22_000;

/// A port that is free and that no other test of this process gets; a cluster's node needs the one 10,000 above it as well.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let count = u32::from(PORTS.end - PORTS.start);
    // Another process begins elsewhere.
    let begin = std::process::id().wrapping_mul(97);
    let is_free = |port: u16| StdListener::bind(("127.0.0.1", port)).is_ok();
    std::iter::repeat_with(|| begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % count)
        .take(PORTS.len())
        .filter_map(|place| u16::try_from(place).ok())
        .map(|place| PORTS.start + place)
        .find(|port| is_free(*port) && is_free(*port + 10_000))
        .expect("a free port")
}
