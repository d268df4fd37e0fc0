//! Fetching a prompt with a key, beside a bare axum server that returns the same bytes.

pub mod fetches;

use crate::load::{self, Load, Work};
use crate::report::{Bound, Report, Target, median};
use crate::server::Server;
use crate::{Effort, machine, pace};
use anyhow::{Context, Result, bail};
use fetches::{Fetches, Prompt, sample};
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

/// What is promised is promised for so many connections.
const CONNECTIONS: usize = 64;

/// The cases of a closed loop; the first is the one that is promised.
const CASES: [(usize, Prompt); 6] = [
    (CONNECTIONS, Prompt::WithVariables),
    (1, Prompt::WithVariables),
    (16, Prompt::WithVariables),
    (256, Prompt::WithVariables),
    (1000, Prompt::WithVariables),
    (CONNECTIONS, Prompt::Plain),
];

const COLUMNS: [&str; 7] =
    ["requests/s", "p50 ms", "p99 ms", "CPU µs/request", "CPU ÷ bare", "requests/s ÷ bare", "p99 ÷ bare"];
const PROCESSOR_RATIO: usize = 4;
const THROUGHPUT_RATIO: usize = 5;
const P99_RATIO: usize = 6;

/// One measurement of one server.
struct Figures {
    load: Load,
    /// Microseconds of the server's processor time for a request.
    processor: f64,
}

impl Figures {
    fn row(&self, bare: &Self) -> Vec<f64> {
        vec![
            self.load.per_second(),
            self.load.percentile(0.5),
            self.load.percentile(0.99),
            self.processor,
            self.processor / bare.processor,
            self.load.per_second() / bare.load.per_second(),
            self.load.percentile(0.99) / bare.load.percentile(0.99),
        ]
    }
}

/// A server and what it is asked.
struct Side {
    server: Server,
    work: Rc<dyn Work>,
}

/// xr2 and a bare server that gives the same answer.
struct Pair {
    bare: Side,
    xr2: Side,
    /// How long the answer is, with its head.
    bytes: usize,
}

/// What was measured of both in one round.
struct Round {
    bare: Figures,
    xr2: Figures,
}

/// Runs both servers side by side and measures them in turn.
pub fn measure(xr2: &Path, effort: Effort) -> Result<Report> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure_here(xr2, effort))
}

async fn measure_here(xr2: &Path, effort: Effort) -> Result<Report> {
    let machine = machine::describe(Path::new(env!("CARGO_MANIFEST_DIR")));
    let with_variables = Pair::start(xr2, Prompt::WithVariables).await?;
    let plain = Pair::start(xr2, Prompt::Plain).await?;
    let length = Duration::from_secs(effort.seconds);
    let mut cases: Vec<Vec<Round>> = CASES.iter().map(|_| Vec::new()).collect();
    let mut paced = Vec::new();
    for number in 0..effort.rounds {
        for ((connections, prompt), rounds) in CASES.into_iter().zip(&mut cases) {
            let pair = if prompt == Prompt::Plain { &plain } else { &with_variables };
            rounds.push(
                pair.round(number, async |side| side.as_fast_as_it_goes(connections, length).await).await?,
            );
        }
        // Half of what the bare server reached in this very round.
        let half = cases[0].last().map_or(1.0, |round| round.bare.load.per_second()) / 2.0;
        paced.push(with_variables.round(number, async |side| side.paced(half, length).await).await?);
    }
    for pair in [&with_variables, &plain] {
        pair.xr2.server.demand_all_counted().await?;
    }
    Ok(report(&cases, &paced, with_variables.bytes, effort, machine))
}

impl Pair {
    async fn start(xr2: &Path, prompt: Prompt) -> Result<Self> {
        let product = Server::xr2_demo(xr2).await?;
        let key = fetches::prepare(product.port, &product.credential("admin_api_key")?).await?;
        let answer = sample(product.port, prompt, &key).await?;
        let bare = start_bare(prompt, &answer).await?;
        let same = sample(bare.port, prompt, &key).await?.len();
        if same != answer.len() {
            bail!("the bare server answers with {same} bytes, xr2 with {}", answer.len());
        }
        let (asked, unasked) = (Fetches::new(prompt, &key, true), Fetches::new(prompt, &key, false));
        Ok(Self {
            bare: Side { server: bare, work: Rc::new(unasked) },
            xr2: Side { server: product, work: Rc::new(asked) },
            bytes: answer.len(),
        })
    }

    /// Measures both. Whoever comes second finds a warmer machine, so they take turns.
    async fn round(&self, number: usize, one: impl AsyncFn(&Side) -> Result<Figures>) -> Result<Round> {
        if number.is_multiple_of(2) {
            let bare = one(&self.bare).await?;
            return Ok(Round { bare, xr2: one(&self.xr2).await? });
        }
        let xr2 = one(&self.xr2).await?;
        Ok(Round { bare: one(&self.bare).await?, xr2 })
    }
}

impl Side {
    /// Every connection asks again as soon as it is answered.
    async fn as_fast_as_it_goes(&self, connections: usize, length: Duration) -> Result<Figures> {
        let warm = Duration::from_secs(1);
        load::run(self.server.port, connections, warm, Rc::clone(&self.work)).await?;
        let before = self.server.processor_time()?;
        let load = load::run(self.server.port, connections, length, Rc::clone(&self.work)).await?;
        self.figures(before, load)
    }

    /// Requests come at an even pace.
    async fn paced(&self, per_second: f64, length: Duration) -> Result<Figures> {
        let before = self.server.processor_time()?;
        let load =
            pace::run(self.server.port, CONNECTIONS, per_second, length, Rc::clone(&self.work)).await?;
        self.figures(before, load)
    }

    fn figures(&self, before: Duration, load: Load) -> Result<Figures> {
        let spent = self.server.processor_time()?.saturating_sub(before);
        let processor = spent.as_secs_f64() * 1e6 / load.requests.max(1) as f64;
        Ok(Figures { load, processor })
    }
}

async fn start_bare(prompt: Prompt, answer: &[u8]) -> Result<Server> {
    let program = std::env::current_exe().context("this program does not know where it is")?;
    Server::start(&prompt.any_path(), |folder, port| {
        let file = folder.join("answer");
        std::fs::write(&file, answer)?;
        let mut command = Command::new(program);
        command.args(["bare", "--port", &port.to_string(), "--response"]).arg(file);
        Ok(command)
    })
    .await
}

fn report(
    cases: &[Vec<Round>],
    paced: &[Round],
    bytes: usize,
    effort: Effort,
    machine: serde_json::Value,
) -> Report {
    let mut rows = Vec::new();
    for (number, round) in cases[0].iter().enumerate() {
        rows.push((format!("round {}, bare axum", number + 1), round.bare.row(&round.bare)));
        rows.push((format!("round {}, xr2", number + 1), round.xr2.row(&round.bare)));
    }
    for ((connections, prompt), rounds) in CASES.into_iter().zip(cases) {
        let without = if prompt == Prompt::Plain { ", no variables" } else { "" };
        add_medians(&mut rows, &format!("{connections} connections{without}"), rounds);
    }
    add_medians(&mut rows, "half of bare axum's peak", paced);
    let promised = middle(&cases[0], |round| round.xr2.row(&round.bare));
    let at_half = middle(paced, |round| round.xr2.row(&round.bare));
    Report {
        name: "delivery",
        method: format!(
            "`GET /api/v1/prompts/{{slug}}` with a key whose requests are counted against a limit, usage recorded, and two \
             variables whose values change with every request; {} s a measurement after 1 s of warming up; in turn with an \
             axum server that returns the same {bytes} bytes. Rounds are of {CONNECTIONS} keep-alive connections; all other \
             rows are medians of as many rounds, ratios taken inside a round. In the last two rows requests come at an even \
             pace, half of what bare axum reached in that round, and latency counts from when a request was due. The load \
             generator runs on one thread of the same machine. Processor time is the server process's own, user and system.",
            effort.seconds
        ),
        machine,
        columns: COLUMNS.to_vec(),
        rows,
        targets: vec![
            target("server CPU per request, times bare axum", promised[PROCESSOR_RATIO], Bound::AtMost(1.6)),
            target("requests per second, times bare axum", promised[THROUGHPUT_RATIO], Bound::AtLeast(0.75)),
            target(
                "p99 at half of bare axum's peak, times bare axum",
                at_half[P99_RATIO],
                Bound::AtMost(2.0),
            ),
        ],
    }
}

fn target(what: &'static str, measured: f64, bound: Bound) -> Target {
    Target { what, measured, bound }
}

fn add_medians(rows: &mut Vec<(String, Vec<f64>)>, name: &str, rounds: &[Round]) {
    rows.push((format!("**{name}, bare axum**"), middle(rounds, |round| round.bare.row(&round.bare))));
    rows.push((format!("**{name}, xr2**"), middle(rounds, |round| round.xr2.row(&round.bare))));
}

fn middle(rounds: &[Round], row: impl Fn(&Round) -> Vec<f64>) -> Vec<f64> {
    let all: Vec<Vec<f64>> = rounds.iter().map(row).collect();
    (0..COLUMNS.len()).map(|column| median(all.iter().map(|row| row[column]))).collect()
}
