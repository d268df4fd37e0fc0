//! Other programs that keep prompts, or content, fetched as their own clients do: each with its own defaults.

mod directus;
mod mlflow;
mod phoenix;

use crate::delivery::fetches::{self, Fetches, Prompt};
use crate::http::{self, Connection};
use crate::load::{self, Work};
use crate::report::{Report, median};
use crate::server::Server;
use crate::{Effort, machine};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

const CONNECTIONS: usize = 64;

const TEMPLATE: &str = "You answer a message of {{ customer }} about {{ topic }}. Say in the first sentence what will \
    happen next and by when. Use short sentences and the words the customer used.";

/// A program with a prompt in it.
struct Peer {
    name: &'static str,
    server: Server,
    work: Rc<dyn Work>,
    rows: Vec<Vec<f64>>,
}

/// The same request again and again.
struct Same {
    request: Rc<[u8]>,
}

impl Same {
    fn get(path: &str, key: &str) -> Rc<dyn Work> {
        Rc::new(Self { request: Rc::from(http::get(path, key)) })
    }
}

impl Work for Same {
    fn request(&self, _: usize, _: u64) -> Rc<[u8]> {
        Rc::clone(&self.request)
    }

    fn status(&self) -> u16 {
        200
    }

    fn is_right(&self, _: usize, _: u64, body: &[u8]) -> bool {
        String::from_utf8_lossy(body).contains("You answer a message of")
    }
}

/// Starts them all and measures them in turn.
pub fn measure(xr2: &Path, installed: &Path, effort: Effort) -> Result<Report> {
    let installed = installed
        .canonicalize()
        .with_context(|| format!("{} is not there; run bench/peers/install.sh first", installed.display()))?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(measure_here(xr2, &installed, effort))
}

async fn measure_here(xr2: &Path, installed: &Path, effort: Effort) -> Result<Report> {
    let machine = machine::describe(Path::new(env!("CARGO_MANIFEST_DIR")));
    let mut peers = vec![
        start_xr2(xr2).await?,
        directus::start(installed).await.context("Directus")?,
        phoenix::start(installed).await.context("Phoenix")?,
        mlflow::start(installed).await.context("MLflow")?,
    ];
    for round in 0..effort.rounds {
        for turn in 0..peers.len() {
            let at = (turn + round) % peers.len();
            let row = one(&peers[at], effort).await?;
            peers[at].rows.push(row);
        }
    }
    Ok(report(&peers, effort, machine))
}

async fn start_xr2(xr2: &Path) -> Result<Peer> {
    let server = Server::xr2_demo(xr2).await?;
    let key = fetches::prepare(server.port, &server.credential("admin_api_key")?).await?;
    let work = Rc::new(Fetches::new(Prompt::WithVariables, &key, true));
    Ok(Peer { name: "xr2, rendered", server, work, rows: Vec::new() })
}

async fn one(peer: &Peer, effort: Effort) -> Result<Vec<f64>> {
    let work = || Rc::clone(&peer.work);
    let port = peer.server.port;
    load::run(port, CONNECTIONS, Duration::from_secs(2), work()).await.context(peer.name)?;
    let before = peer.server.processor_time()?;
    let load =
        load::run(port, CONNECTIONS, Duration::from_secs(effort.seconds), work()).await.context(peer.name)?;
    let spent = peer.server.processor_time()?.saturating_sub(before).as_secs_f64();
    Ok(vec![
        load.per_second(),
        load.percentile(0.5),
        load.percentile(0.99),
        spent * 1e6 / load.requests.max(1) as f64,
        peer.server.memory()? as f64 / 1e6,
        peer.server.first_answer.as_secs_f64(),
    ])
}

/// Sends JSON that must be answered with 200 or 201.
async fn post(port: u16, path: &str, key: &str, body: &Value) -> Result<Value> {
    let mut connection = Connection::open(port).await?;
    let answer = connection.exchange(&http::post(path, key, &body.to_string())).await?;
    if !matches!(answer.status, 200 | 201) {
        bail!("{path} answers with {}: {}", answer.status, String::from_utf8_lossy(answer.body));
    }
    Ok(serde_json::from_slice(answer.body).unwrap_or(Value::Null))
}

fn report(peers: &[Peer], effort: Effort, machine: Value) -> Report {
    let medians = |peer: &Peer| -> Vec<f64> {
        (0..6).map(|column| median(peer.rows.iter().map(|row| row[column]))).collect()
    };
    let ours = medians(&peers[0])[0];
    let rows = peers.iter().map(|peer| {
        let mut row = medians(peer);
        row.push(ours / row[0]);
        (peer.name.to_owned(), row)
    });
    Report {
        name: "peers",
        method: format!(
            "One prompt with two variables, fetched over {CONNECTIONS} keep-alive connections, {} s a measurement after 2 s \
             of warming up, in turn; medians of {} rounds. Each program as `bench/peers/install.sh` installs it, with its \
             own defaults and its own database on the same disk. xr2 checks a key, renders, counts against a limit and \
             records usage; Directus checks a static token and reads the item; Phoenix and MLflow ask for no credentials and \
             return the template, as their clients fetch it. Memory is resident, of all processes of the program, after \
             the load; start is from the process to the first good answer, on a new database (Directus makes its own beforehand, \
             with a command that is not counted). The load generator runs on one thread of the same machine.",
            effort.seconds, effort.rounds
        ),
        machine,
        columns: vec![
            "requests/s",
            "p50 ms",
            "p99 ms",
            "CPU µs/request",
            "memory MB",
            "start s",
            "xr2's requests/s by its",
        ],
        rows: rows.collect(),
        targets: Vec::new(),
    }
}
