//! The same thousand prompts fetched again and again, whatever else the server holds.

use crate::delivery::fetches::post;
use crate::http::{self, Connection};
use crate::load::{self, Work};
use crate::report::{Bound, Report, Target, median};
use crate::server::{Server, xr2_demo_command};
use crate::{Effort, machine};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

const CONNECTIONS: usize = 64;

/// How many connections fill a server.
const FILLING: usize = 16;

/// What an idle server takes of a processor within a second, and how many seconds it may take to become idle.
const IDLE: Duration = Duration::from_millis(20);
const PATIENCE: u32 = 300;

/// How many prompts are fetched.
const HOT: usize = 1000;

const CONTENT: &str = "Summarise the ticket of {{ customer }} in three sentences for somebody who has one minute. \
    Say first what {{ customer }} wants, then what was tried, then what is open. Leave out names of colleagues, \
    greetings and signatures. If the ticket says nothing of {{ topic }}, say so in a last sentence of its own.";

/// What a server holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Population {
    /// So many other prompts in the workspace of those that are fetched.
    Prompts(usize),
    /// So many workspaces with a prompt and a key each; each prompt fetched is another workspace's.
    Workspaces(usize),
}

const POPULATIONS: [Population; 4] = [
    Population::Prompts(1),
    Population::Prompts(1000),
    Population::Prompts(100_000),
    Population::Workspaces(1000),
];

impl Population {
    fn name(self) -> String {
        match self {
            Self::Prompts(1) => "1 more prompt".to_owned(),
            Self::Prompts(count) => format!("{count} more prompts"),
            Self::Workspaces(count) => format!("{count} workspaces"),
        }
    }
}

struct HotSet {
    requests: Vec<Rc<[u8]>>,
}

impl Work for HotSet {
    fn request(&self, connection: usize, number: u64) -> Rc<[u8]> {
        // 17 is prime to 1,000: a connection comes to all of them, no two at once to the same.
        let at = (connection * 15 + number as usize * 17) % self.requests.len();
        Rc::clone(&self.requests[at])
    }

    fn status(&self) -> u16 {
        200
    }

    fn is_right(&self, _: usize, _: u64, body: &[u8]) -> bool {
        String::from_utf8_lossy(body).contains("Summarise the ticket of Ana")
    }
}

struct Filled {
    population: Population,
    server: Server,
    work: Rc<HotSet>,
    rows: Vec<Vec<f64>>,
}

/// Fills four servers and measures them in turn.
pub fn measure(xr2: &Path, effort: Effort) -> Result<Report> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure_here(xr2, effort))
}

async fn measure_here(xr2: &Path, effort: Effort) -> Result<Report> {
    let machine = machine::describe(Path::new(env!("CARGO_MANIFEST_DIR")));
    let mut servers = Vec::new();
    for population in POPULATIONS {
        servers.push(Filled::start(xr2, population).await?);
    }
    for filled in &servers {
        filled.settle().await?;
    }
    for round in 0..effort.rounds {
        // Whoever comes later finds a warmer machine, so they take turns.
        for turn in 0..servers.len() {
            let at = (turn + round) % servers.len();
            let row = servers[at].one(effort).await?;
            servers[at].rows.push(row);
        }
    }
    for filled in &servers {
        filled.server.demand_all_counted().await?;
    }
    Ok(report(&servers, effort, machine))
}

impl Filled {
    async fn start(xr2: &Path, population: Population) -> Result<Self> {
        let server = Server::start("/ready", |folder, port| {
            let file = folder.join("xr2.toml");
            // A thousand people register from one address; passwords cost as little as they can.
            std::fs::write(
                &file,
                "[auth]\nattempts_per_network = 100000\nargon2_memory_kib = 8\nargon2_iterations = 1\n[limits]\nrequests_per_network = 0\n",
            )?;
            let mut command = xr2_demo_command(xr2, folder, port);
            command.arg("--config").arg(file);
            Ok(command)
        })
        .await?;
        let requests = match population {
            Population::Prompts(others) => fill_prompts(&server, HOT + others).await?,
            Population::Workspaces(count) => fill_workspaces(&server, count).await?,
        };
        Ok(Self { population, server, work: Rc::new(HotSet { requests }), rows: Vec::new() })
    }

    /// Waits until the server has done with what filling it has left to do.
    async fn settle(&self) -> Result<()> {
        for _ in 0..PATIENCE {
            let before = self.server.processor_time()?;
            tokio::time::sleep(Duration::from_secs(1)).await;
            if self.server.processor_time()?.saturating_sub(before) <= IDLE {
                return Ok(());
            }
        }
        bail!("the server that holds {} is still busy after {PATIENCE} s", self.population.name())
    }

    async fn one(&self, effort: Effort) -> Result<Vec<f64>> {
        let work = || Rc::clone(&self.work) as Rc<dyn Work>;
        load::run(self.server.port, CONNECTIONS, Duration::from_secs(1), work()).await?;
        let before = self.server.processor_time()?;
        let length = Duration::from_secs(effort.seconds);
        let load = load::run(self.server.port, CONNECTIONS, length, work()).await?;
        let spent = self.server.processor_time()?.saturating_sub(before).as_secs_f64();
        let processor = spent * 1e6 / load.requests.max(1) as f64;
        Ok(vec![load.per_second(), load.percentile(0.5), load.percentile(0.99), processor])
    }

    fn medians(&self) -> Vec<f64> {
        (0..4).map(|column| median(self.rows.iter().map(|row| row[column]))).collect()
    }
}

fn fetch(slug: &str, key: &str) -> Rc<[u8]> {
    Rc::from(http::get(&format!("/api/v1/prompts/{slug}?customer=Ana&topic=delivery"), key))
}

async fn fill_prompts(server: &Server, count: usize) -> Result<Vec<Rc<[u8]>>> {
    let (port, admin) = (server.port, server.credential("admin_api_key")?);
    let key = server.credential("api_key")?;
    in_parts(port, count, async |connection, number| {
        let slug = format!("bench-{number}");
        let body = json!({"title": format!("Ticket {number}"), "slug": slug, "content": CONTENT});
        post(connection, "/api/v1/prompts", &admin, &body).await.map(drop)
    })
    .await?;
    // Every so many, so that they are old and new ones.
    let step = (count / HOT).max(1);
    Ok((0..count).step_by(step).take(HOT).map(|number| fetch(&format!("bench-{number}"), &key)).collect())
}

async fn fill_workspaces(server: &Server, count: usize) -> Result<Vec<Rc<[u8]>>> {
    let port = server.port;
    let keys = std::cell::RefCell::new(Vec::new());
    in_parts(port, count, async |connection, number| {
        let person = json!({"email": format!("p{number}@example.com"), "password": "correct horse battery", "name": "P"});
        let token = text_of(post(connection, "/api/v1/auth/register", "none", &person).await?, "token")?;
        let body = json!({"title": "Ticket", "slug": "bench-0", "content": CONTENT});
        post(connection, "/api/v1/prompts", &token, &body).await?;
        let key = text_of(post(connection, "/api/v1/api-keys", &token, &json!({"name": "Benchmark"})).await?, "key")?;
        keys.borrow_mut().push(key);
        Ok(())
    })
    .await?;
    Ok(keys.borrow().iter().map(|key| fetch("bench-0", key)).collect())
}

fn text_of(answer: Value, field: &str) -> Result<String> {
    let text = answer["data"][field].as_str();
    text.map(str::to_owned).with_context(|| format!("the answer has no `{field}`"))
}

/// Does it for all numbers below `count`, over a few connections at the same time.
async fn in_parts(
    port: u16,
    count: usize,
    one: impl AsyncFn(&mut Connection, usize) -> Result<()>,
) -> Result<()> {
    let worker = async |first: usize| {
        let mut connection = Connection::open(port).await?;
        for number in (first..count).step_by(FILLING) {
            one(&mut connection, number).await?;
        }
        anyhow::Ok(())
    };
    futures::future::try_join_all((0..FILLING).map(worker)).await.map(drop)
}

fn report(servers: &[Filled], effort: Effort, machine: Value) -> Report {
    let mut rows = Vec::new();
    for server in servers {
        let name = server.population.name();
        for (round, row) in server.rows.iter().enumerate() {
            rows.push((format!("{name}, round {}", round + 1), row.clone()));
        }
    }
    rows.extend(
        servers.iter().map(|server| (format!("**median, {}**", server.population.name()), server.medians())),
    );
    let spread = |column: usize| {
        let all: Vec<f64> = servers.iter().map(|server| server.medians()[column]).collect();
        let (least, most) = (all.iter().copied().reduce(f64::min), all.iter().copied().reduce(f64::max));
        most.unwrap_or(0.0) / least.unwrap_or(1.0)
    };
    let target = |what, column| Target { what, measured: spread(column), bound: Bound::AtMost(1.1) };
    Report {
        name: "hot-set",
        method: format!(
            "`GET /api/v1/prompts/{{slug}}` with a key and two variables, the same {HOT} prompts in turn, over \
             {CONNECTIONS} keep-alive connections, {} s a measurement after 1 s of warming up, on servers that hold 1, 1,000 \
             and 100,000 prompts more in their workspace, and on one where each is another workspace's, with its own key. The four \
             servers, SQLite, are measured in turn once all of them are idle. The load generator runs on one thread of the same machine.",
            effort.seconds
        ),
        machine,
        columns: vec!["requests/s", "p50 ms", "p99 ms", "CPU µs/request"],
        rows,
        targets: vec![
            target("CPU per request, largest by smallest of the four", 3),
            target("requests per second, largest by smallest of the four", 0),
        ],
    }
}
