//! From a publish at one of three nodes to the clients of all, beside a bare axum server that sends the same bytes to as many.

use crate::listeners::allow_many_files;
use crate::report::{Bound, Report, Target};
use crate::server::{Server, xr2_command, xr2_demo_command};
use crate::stream::{self, COLUMNS, OTHER_FILES, PUBLISHES, Side};
use crate::{Effort, machine};
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

const NODES: usize = 3;

/// Streams on each of them, unless the system allows fewer files.
const STREAMS: usize = 2_000;

/// What all nodes share.
pub struct Shared {
    /// An empty PostgreSQL database.
    pub postgres: String,
    pub redis: String,
}

/// Opens streams to all nodes, and to the bare server in turn, and publishes at the first node.
pub fn measure(xr2: &Path, shared: &Shared, effort: Effort) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, measure_here(xr2, shared, effort))
}

async fn measure_here(xr2: &Path, shared: &Shared, effort: Effort) -> Result<Report> {
    let machine = machine::describe(Path::new(env!("CARGO_MANIFEST_DIR")));
    let streams = (STREAMS * NODES).min(allow_many_files()?.saturating_sub(OTHER_FILES));
    let mut nodes = Vec::new();
    for number in 0..NODES {
        nodes.push(start_node(xr2, shared, number == 0).await?);
    }
    let key = nodes[0].credential("api_key").context("the database was not empty")?;
    stream::create_versions(&nodes[0]).await?;
    let news = stream::sample(&nodes[0], &key).await?;
    let bare = stream::start_bare().await?;
    let rounds = stream::in_turn(&Side::bare(&bare, &news)?, &Side::xr2(&nodes)?, streams, effort).await?;
    let (rows, _, ratio) = stream::rows(&rounds);
    Ok(Report {
        name: "nodes",
        method: format!(
            "{streams} event streams on {NODES} nodes, as many on each, with one PostgreSQL (which does not wait for the disk) \
             and one Redis between them; a label is moved {PUBLISHES} times at the first node, and the time from sending \
             that request to the last byte of what every client of every node is told of it is taken, {} bytes. In turn with \
             one axum server that hands the same bytes, posted to it, to as many clients through one broadcast channel. All \
             servers, both databases and the clients run on the same machine.",
            news.len()
        ),
        machine,
        columns: COLUMNS.to_vec(),
        rows,
        targets: vec![Target {
            what: "publish at one node to clients of three, p99, times bare axum",
            measured: ratio,
            bound: Bound::AtMost(1.5),
        }],
    })
}

async fn start_node(program: &Path, shared: &Shared, is_first: bool) -> Result<Server> {
    Server::start("/ready", |folder, port| {
        let config = folder.join("xr2.toml");
        std::fs::write(&config, "[limits]\nstreams = 100000\nstreams_per_caller = 100000\n")?;
        let mut command: Command = match is_first {
            true => xr2_demo_command(program, folder, port),
            false => xr2_command(program, folder, port),
        };
        command.arg("--config").arg(config);
        command.args(["--database", &shared.postgres, "--redis", &shared.redis]);
        command.env("XR2_SECRET_KEY", "be".repeat(32));
        Ok(command)
    })
    .await
}
