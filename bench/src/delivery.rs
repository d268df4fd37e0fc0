//! Fetching a prompt with a key and two variables, beside a bare axum server that returns the same bytes.

use crate::http::{self, Connection};
use crate::load::{self, Load, Work};
use crate::report::{Bound, Report, Target, median};
use crate::server::Server;
use crate::{Effort, machine};
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

const CONNECTIONS: usize = 64;
const SLUG: &str = "bench-support-reply";
/// Values change from request to request, so that no answer can be kept; all are equally long, so that all answers are.
const DIFFERENT: usize = 512;

const CONTENT: &str = "You answer a message of {{ customer }} about {{ topic }}.\n\n\
    Read the message twice before you write. Say in the first sentence what will happen next and by when. \
    If something went wrong on our side, say so plainly and once, without excuses. Use short sentences and the \
    words the customer used. Never promise a refund, a date or a discount that is not in the notes below. \
    If you need something from {{ customer }}, ask for exactly one thing and say why.\n\n\
    End with a way to reach a person. Keep the whole answer about {{ topic }} under 120 words.";

struct Fetches {
    requests: Vec<Rc<[u8]>>,
    names: Vec<String>,
    /// A bare server gives everyone the same answer.
    expects_names: bool,
}

impl Fetches {
    fn new(key: &str, expects_names: bool) -> Self {
        let names: Vec<String> = (0..DIFFERENT).map(|number| format!("Customer{number:04}")).collect();
        let request = |name: &String| Rc::from(http::get(&path(name), key));
        Self { requests: names.iter().map(request).collect(), names, expects_names }
    }

    fn index(connection: usize, number: u64) -> usize {
        (connection * 7 + number as usize) % DIFFERENT
    }
}

impl Work for Fetches {
    fn request(&self, connection: usize, number: u64) -> Rc<[u8]> {
        Rc::clone(&self.requests[Self::index(connection, number)])
    }

    fn status(&self) -> u16 {
        200
    }

    fn is_right(&self, connection: usize, number: u64, body: &[u8]) -> bool {
        let name = self.names[Self::index(connection, number)].as_bytes();
        !self.expects_names || body.windows(name.len()).any(|window| window == name)
    }
}

fn path(customer: &str) -> String {
    format!("/api/v1/prompts/{SLUG}?customer={customer}&topic=a%20late%20delivery")
}

/// One measurement of one server.
struct Figures {
    load: Load,
    /// Microseconds of the server's processor time for a request.
    processor: f64,
}

/// Runs both servers side by side and measures them in turn.
pub fn measure(xr2: &Path, effort: Effort) -> Result<Report> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure_here(xr2, effort))
}

async fn measure_here(xr2: &Path, effort: Effort) -> Result<Report> {
    let machine = machine::describe(Path::new(env!("CARGO_MANIFEST_DIR")));
    let product = Server::xr2_demo(xr2).await?;
    let key = product.credential("api_key")?;
    create_prompt(&product).await?;
    let answer = sample(product.port, &key).await?;
    let bare = start_bare(&answer).await?;
    let same = sample(bare.port, &key).await?.len();
    if same != answer.len() {
        bail!("the bare server answers with {same} bytes, xr2 with {}", answer.len());
    }

    let (from_product, from_bare) = (Rc::new(Fetches::new(&key, true)), Rc::new(Fetches::new(&key, false)));
    let mut rounds: Vec<(Figures, Figures)> = Vec::new();
    for round in 0..effort.rounds {
        // Whoever comes second finds a warmer machine, so they take turns.
        let pair = if round % 2 == 0 {
            let first = one(&bare, &from_bare, effort).await?;
            (first, one(&product, &from_product, effort).await?)
        } else {
            let first = one(&product, &from_product, effort).await?;
            (one(&bare, &from_bare, effort).await?, first)
        };
        rounds.push(pair);
    }
    Ok(report(&rounds, answer.len(), effort, machine))
}

async fn one(server: &Server, work: &Rc<Fetches>, effort: Effort) -> Result<Figures> {
    let work: Rc<dyn Work> = Rc::clone(work) as Rc<dyn Work>;
    load::run(server.port, CONNECTIONS, Duration::from_secs(1), Rc::clone(&work)).await?;
    let before = server.processor_time()?;
    let load = load::run(server.port, CONNECTIONS, Duration::from_secs(effort.seconds), work).await?;
    let spent = server.processor_time()?.saturating_sub(before);
    let processor = spent.as_secs_f64() * 1e6 / load.requests.max(1) as f64;
    Ok(Figures { load, processor })
}

async fn create_prompt(server: &Server) -> Result<()> {
    let body = json!({"title": "Reply to a customer", "slug": SLUG, "content": CONTENT}).to_string();
    let mut connection = Connection::open(server.port).await?;
    let request = http::post("/api/v1/prompts", &server.credential("admin_api_key")?, &body);
    let answer = connection.exchange(&request).await?;
    if answer.status != 201 {
        bail!("cannot create the prompt: {} {}", answer.status, String::from_utf8_lossy(answer.body));
    }
    Ok(())
}

/// A whole answer, head and body.
async fn sample(port: u16, key: &str) -> Result<Vec<u8>> {
    let mut connection = Connection::open(port).await?;
    let answer = connection.exchange(&http::get(&path("Customer0000"), key)).await?;
    if answer.status != 200 {
        bail!("cannot fetch the prompt: {} {}", answer.status, String::from_utf8_lossy(answer.body));
    }
    Ok([answer.head, answer.body].concat())
}

async fn start_bare(answer: &[u8]) -> Result<Server> {
    let program = std::env::current_exe().context("this program does not know where it is")?;
    Server::start(&program, &path("Customer0000"), |folder, port| {
        let file = folder.join("answer");
        // An unwritten file is reported by the server, which then cannot read it.
        let _ = std::fs::write(&file, answer);
        let file = file.to_string_lossy().into_owned();
        vec!["bare".into(), "--response".into(), file, "--port".into(), port.to_string()]
    })
    .await
}

fn report(rounds: &[(Figures, Figures)], bytes: usize, effort: Effort, machine: serde_json::Value) -> Report {
    let mut rows = Vec::new();
    for (number, (bare, xr2)) in rounds.iter().enumerate() {
        rows.push((format!("round {}, bare axum", number + 1), figures(bare, None)));
        rows.push((format!("round {}, xr2", number + 1), figures(xr2, Some(bare))));
    }
    let middle = |pick: fn(&(Figures, Figures)) -> &Figures, ratio: bool| {
        let all: Vec<Vec<f64>> =
            rounds.iter().map(|pair| figures(pick(pair), ratio.then_some(&pair.0))).collect();
        (0..6).map(|column| median(all.iter().map(|row| row[column]))).collect::<Vec<f64>>()
    };
    rows.push(("**median, bare axum**".into(), middle(|pair| &pair.0, false)));
    let product = middle(|pair| &pair.1, true);
    let (processor_ratio, throughput_ratio) = (product[4], product[5]);
    rows.push(("**median, xr2**".into(), product));
    Report {
        name: "delivery",
        method: format!(
            "`GET /api/v1/prompts/{{slug}}` with a key and two variables whose values change with every request, over \
             {CONNECTIONS} keep-alive connections, {} s a measurement after 1 s of warming up; in turn with an axum server \
             that returns the same {bytes} bytes. The load generator runs on one thread of the same machine. Processor \
             time is the server process's own, user and system.",
            effort.seconds
        ),
        machine,
        columns: vec!["requests/s", "p50 ms", "p99 ms", "CPU µs/request", "CPU ÷ bare", "requests/s ÷ bare"],
        rows,
        targets: vec![
            Target {
                what: "server CPU per request, times bare axum",
                measured: processor_ratio,
                bound: Bound::AtMost(2.5),
            },
            Target {
                what: "requests per second, times bare axum",
                measured: throughput_ratio,
                bound: Bound::AtLeast(0.5),
            },
        ],
    }
}

fn figures(of: &Figures, bare: Option<&Figures>) -> Vec<f64> {
    let bare = bare.unwrap_or(of);
    vec![
        of.load.per_second(),
        of.load.percentile(0.5),
        of.load.percentile(0.99),
        of.processor,
        of.processor / bare.processor,
        of.load.per_second() / bare.load.per_second(),
    ]
}
