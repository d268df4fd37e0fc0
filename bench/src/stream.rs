//! From a publish to ten thousand clients, beside a bare axum server that sends the same bytes through one broadcast
//! channel.

use crate::http::{self, Connection};
use crate::listeners::{Listeners, allow_many_files};
use crate::report::{Bound, Report, Target, median};
use crate::server::{Server, xr2_demo_command};
use crate::{Effort, machine};
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Streams opened, unless the system allows fewer files.
const STREAMS: usize = 10_000;

/// Files that are no streams.
pub const OTHER_FILES: usize = 200;

/// Publishes of one server in one round.
pub const PUBLISHES: usize = 5;

const SLUG: &str = "bench-support-reply";

const CONTENT: &str = "You answer a message of {{ customer }} about {{ topic }}.\n\n\
    Read the message twice before you write. Say in the first sentence what will happen next and by when. \
    If something went wrong on our side, say so plainly and once, without excuses. Use short sentences and the \
    words the customer used. Keep the whole answer about {{ topic }} under 120 words.";

/// What servers did in one round.
pub struct Figures {
    p50: f64,
    p99: f64,
    slowest: f64,
    /// Kilobytes of memory a stream.
    memory: f64,
    /// Microseconds of processor time a stream and publish.
    processor: f64,
}

/// Opens streams to both servers in turn and publishes.
pub fn measure(xr2: &Path, effort: Effort) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, measure_here(xr2, effort))
}

async fn measure_here(xr2: &Path, effort: Effort) -> Result<Report> {
    let machine = machine::describe(Path::new(env!("CARGO_MANIFEST_DIR")));
    let streams = STREAMS.min(allow_many_files()?.saturating_sub(OTHER_FILES));
    let product = start_xr2(xr2).await?;
    let key = product.credential("api_key")?;
    create_versions(&product).await?;
    let news = sample(&product, &key).await?;
    let bare = start_bare().await?;
    let of_bare = Side::bare(&bare, &news)?;
    let of_product = Side::xr2(std::slice::from_ref(&product))?;
    let rounds = in_turn(&of_bare, &of_product, streams, effort).await?;
    Ok(report(&rounds, streams, news.len(), machine))
}

/// Both sides, round after round.
pub async fn in_turn(
    of_bare: &Side<'_>,
    of_product: &Side<'_>,
    streams: usize,
    effort: Effort,
) -> Result<Vec<(Figures, Figures)>> {
    let mut rounds = Vec::new();
    for round in 0..effort.rounds {
        // Whoever comes second finds a warmer machine, so they take turns.
        let pair = if round % 2 == 0 {
            let first = of_bare.round(streams).await?;
            (first, of_product.round(streams).await?)
        } else {
            let first = of_product.round(streams).await?;
            (of_bare.round(streams).await?, first)
        };
        rounds.push(pair);
    }
    Ok(rounds)
}

/// Servers, and how they are listened to and published on: at the first of them.
pub struct Side<'a> {
    servers: &'a [Server],
    listen: Vec<u8>,
    publishes: [Vec<u8>; 2],
    /// Memory before the first stream.
    memory: u64,
}

impl<'a> Side<'a> {
    /// xr2; the first server has the demo workspace's credentials.
    pub fn xr2(servers: &'a [Server]) -> Result<Self> {
        let (key, admin) = (servers[0].credential("api_key")?, servers[0].credential("admin_api_key")?);
        let publish = |version: i64| put_label(&admin, version);
        let listen = http::get("/api/v1/stream?label=production", &key);
        Ok(Self { servers, listen, publishes: [publish(1), publish(2)], memory: memory(servers)? })
    }

    /// A bare axum server.
    pub fn bare(server: &'a Server, news: &str) -> Result<Self> {
        let publish = || http::post("/publish", "none", news);
        let listen = http::get("/stream", "none");
        let servers = std::slice::from_ref(server);
        Ok(Self { servers, listen, publishes: [publish(), publish()], memory: memory(servers)? })
    }

    async fn round(&self, streams: usize) -> Result<Figures> {
        let ports: Vec<u16> = self.servers.iter().map(|server| server.port).collect();
        let listeners = Listeners::open(&ports, &self.listen, streams).await?;
        let memory = memory(self.servers)?.saturating_sub(self.memory);
        let mut publisher = Connection::open(ports[0]).await?;
        // The first one finds cold sockets on both sides. The label is left at the second version.
        listeners.hear(publish(&mut publisher, &self.publishes[0])).await?;
        let before = processor_time(self.servers)?;
        let mut heard = Vec::with_capacity(streams * PUBLISHES);
        for number in 0..PUBLISHES {
            heard.extend(listeners.hear(publish(&mut publisher, &self.publishes[(number + 1) % 2])).await?);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let spent = processor_time(self.servers)?.saturating_sub(before);
        listeners.close().await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        heard.sort_unstable();
        let at = |share: f64| heard[((heard.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        Ok(Figures {
            p50: at(0.5),
            p99: at(0.99),
            slowest: at(1.0),
            memory: memory as f64 / 1024.0 / streams as f64,
            processor: spent.as_secs_f64() * 1e6 / (streams * PUBLISHES) as f64,
        })
    }
}

fn memory(servers: &[Server]) -> Result<u64> {
    servers.iter().map(Server::memory).sum()
}

fn processor_time(servers: &[Server]) -> Result<Duration> {
    servers.iter().map(Server::processor_time).sum()
}

async fn publish(connection: &mut Connection, request: &[u8]) -> Result<()> {
    let answer = connection.exchange(request).await?;
    if answer.status != 200 {
        bail!("cannot publish: {} {}", answer.status, String::from_utf8_lossy(answer.body));
    }
    Ok(())
}

fn put_label(key: &str, version: i64) -> Vec<u8> {
    let body = json!({"version": version}).to_string();
    let path = format!("/api/v1/prompts/{SLUG}/labels/production");
    let post = String::from_utf8_lossy(&http::post(&path, key, &body)).into_owned();
    post.replacen("POST", "PUT", 1).into_bytes()
}

/// Makes the prompt whose label is moved.
pub async fn create_versions(server: &Server) -> Result<()> {
    let key = server.credential("admin_api_key")?;
    let mut connection = Connection::open(server.port).await?;
    let prompt = json!({"title": "Reply to a customer", "slug": SLUG, "content": CONTENT}).to_string();
    let version = json!({"content": format!("{CONTENT} Sign as {{{{ team }}}}.")}).to_string();
    for (path, body) in
        [("/api/v1/prompts".to_owned(), prompt), (format!("/api/v1/prompts/{SLUG}/versions"), version)]
    {
        let answer = connection.exchange(&http::post(&path, &key, &body)).await?;
        if answer.status != 201 {
            bail!("cannot prepare: {} {}", answer.status, String::from_utf8_lossy(answer.body));
        }
    }
    Ok(())
}

/// What one client gets of one publish, from the greeting on.
pub async fn sample(server: &Server, key: &str) -> Result<String> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", server.port)).await?;
    stream.write_all(&http::get("/api/v1/stream?label=production", key)).await?;
    let mut text = Vec::new();
    let mut publisher = Connection::open(server.port).await?;
    let mut published = false;
    loop {
        stream.read_buf(&mut text).await?;
        let so_far = String::from_utf8_lossy(&text);
        if !published && so_far.contains("event: hello") {
            publish(&mut publisher, &put_label(&server.credential("admin_api_key")?, 2)).await?;
            published = true;
        }
        if let Some((_, last)) = so_far.split_once("event: mark")
            && last.contains("\n\n")
        {
            let begin = so_far.find("event: changed").context("the stream says nothing of the change")?;
            let end = so_far.rfind("\n\n").context("the stream breaks off")? + 2;
            return Ok(so_far[begin..end].to_owned());
        }
    }
}

async fn start_xr2(program: &Path) -> Result<Server> {
    Server::start("/ready", |folder, port| {
        let config = folder.join("xr2.toml");
        std::fs::write(&config, "[limits]\nstreams = 100000\nstreams_per_caller = 100000\n")?;
        let mut command = xr2_demo_command(program, folder, port);
        command.arg("--config").arg(config);
        Ok(command)
    })
    .await
}

/// The bare axum server.
pub async fn start_bare() -> Result<Server> {
    let program = std::env::current_exe().context("this program does not know where it is")?;
    Server::start("/ready", |_, port| {
        let mut command = Command::new(program);
        command.args(["broadcast", "--port", &port.to_string()]);
        Ok(command)
    })
    .await
}

/// All rounds and their medians, and of xr2's: kilobytes a stream, and p99 beside bare axum's.
pub fn rows(rounds: &[(Figures, Figures)]) -> (Vec<(String, Vec<f64>)>, f64, f64) {
    let row = |of: &Figures, bare: &Figures| {
        vec![of.p50, of.p99, of.slowest, of.memory, of.processor, of.p50 / bare.p50, of.p99 / bare.p99]
    };
    let mut rows = Vec::new();
    for (number, (bare, xr2)) in rounds.iter().enumerate() {
        rows.push((format!("round {}, bare axum", number + 1), row(bare, bare)));
        rows.push((format!("round {}, xr2", number + 1), row(xr2, bare)));
    }
    let middle = |ours: bool| {
        let all: Vec<Vec<f64>> =
            rounds.iter().map(|(bare, xr2)| row(if ours { xr2 } else { bare }, bare)).collect();
        (0..7).map(|column| median(all.iter().map(|row| row[column]))).collect::<Vec<f64>>()
    };
    rows.push(("**median, bare axum**".into(), middle(false)));
    let product = middle(true);
    let (memory, ratio) = (product[3], product[6]);
    rows.push(("**median, xr2**".into(), product));
    (rows, memory, ratio)
}

pub const COLUMNS: [&str; 7] =
    ["p50 ms", "p99 ms", "slowest ms", "KB/stream", "CPU µs/stream and publish", "p50 ÷ bare", "p99 ÷ bare"];

fn report(rounds: &[(Figures, Figures)], streams: usize, bytes: usize, machine: serde_json::Value) -> Report {
    let (rows, memory, ratio) = rows(rounds);
    Report {
        name: "stream",
        method: format!(
            "{streams} event streams on one server, all with the same key; a label is moved {PUBLISHES} times and the \
             time from sending that request to the last byte of what every client is told of it is taken: `changed`, \
             `put` with the prompt, `mark`, {bytes} bytes together. In turn with an axum server that hands the same \
             bytes, posted to it, to everybody through one broadcast channel. The clients run on one thread of the \
             same machine. Memory is what the process has more than before the first stream was opened."
        ),
        machine,
        columns: COLUMNS.to_vec(),
        rows,
        targets: vec![
            Target {
                what: "publish to client, p99, times bare axum",
                measured: ratio,
                bound: Bound::AtMost(1.3),
            },
            Target { what: "memory a stream, KB", measured: memory, bound: Bound::AtMost(40.0) },
        ],
    }
}
