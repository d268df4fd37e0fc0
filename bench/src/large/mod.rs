//! Working in a workspace with very many prompts: lists, filters, searches of all kinds, opening, saving, publishing.

mod fixture;
mod queries;

use crate::http::{self, Connection};
use crate::report::{Bound, Report, Target};
use crate::server::{Server, xr2_demo_command};
use crate::{Effort, machine};
use anyhow::{Result, bail};
use fixture::{Dice, Size, word};
use serde_json::json;
use std::path::Path;
use std::time::Instant;

/// Requests of each kind in one round.
const REQUESTS: usize = 100;
/// The prompt like which all others are.
const PATTERN: &str = "the-pattern";

/// How much there is, and where.
pub struct Plan {
    pub prompts: usize,
    pub versions: usize,
    /// An empty PostgreSQL database; without one only SQLite is measured.
    pub postgres: Option<String>,
}

/// A request: what it is called and how it is made of a number.
type Operation = (&'static str, fn(&mut Dice, &Plan, &str) -> Vec<u8>);

const OPERATIONS: &[Operation] = &[
    ("list", |_, _, key| http::get("/api/v1/prompts", key)),
    ("list by title", |_, _, key| http::get("/api/v1/prompts?sort=title", key)),
    ("page 1,000", |_, plan, key| {
        let page = (plan.prompts / 20).clamp(1, 1000);
        http::get(&format!("/api/v1/prompts?page={page}"), key)
    }),
    ("filter: common tag", |dice, _, key| {
        http::get(&format!("/api/v1/prompts?tag=team-{}", dice.below(20)), key)
    }),
    ("filter: rare tag", |dice, _, key| {
        http::get(&format!("/api/v1/prompts?tag=rare-{}", dice.below(2000)), key)
    }),
    ("filter: category", |dice, _, key| {
        http::get(&format!("/api/v1/prompts?category=category%20{}", dice.below(12)), key)
    }),
    ("search: common word", |dice, _, key| search(&word(dice.below(30)), key)),
    ("search: rare word", |dice, _, key| search(&word(20_000 + dice.below(20_000)), key)),
    ("search: two words", |dice, _, key| search(&format!("{}%20{}", dice.word(), dice.word()), key)),
    ("search: as typed", |dice, _, key| {
        let word = dice.word();
        let typed = 1 + dice.below(word.len() as u64 - 1) as usize;
        search(&word[..typed], key)
    }),
    ("search: mistyped", |dice, _, key| {
        let mut word = dice.word();
        let at = dice.below(word.len() as u64) as usize;
        word.replace_range(at..=at, "x");
        search(&word, key)
    }),
    ("search: within a tag", |dice, _, key| {
        search(&format!("{}&tag=team-{}", word(dice.below(30)), dice.below(20)), key)
    }),
    ("search: within a rare tag", |dice, _, key| {
        search(&format!("{}&tag=rare-{}", word(dice.below(30)), dice.below(2000)), key)
    }),
    ("open", |dice, plan, key| {
        http::get(&format!("/api/v1/prompts/large-{}/details", dice.below(plan.prompts as u64)), key)
    }),
    ("save", |dice, plan, key| {
        let path = format!("/api/v1/prompts/large-{}", dice.below(plan.prompts as u64));
        let content = format!("{} {} for {{{{ product }}}}", dice.word(), dice.below(u64::MAX));
        http::put(&path, key, &json!({ "content": content, "publish": false }).to_string())
    }),
    ("publish", |dice, plan, key| {
        let path = format!("/api/v1/prompts/large-{}/publish", dice.below(plan.prompts as u64));
        http::post(&path, key, &json!({ "from": 1 + dice.below(plan.versions as u64) }).to_string())
    }),
];

fn search(words: &str, key: &str) -> Vec<u8> {
    http::get(&format!("/api/v1/prompts?search={words}"), key)
}

/// One request after the other on one connection, on each engine.
pub fn measure(xr2: &Path, plan: &Plan, effort: Effort) -> Result<Report> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(measure_here(xr2, plan, effort))
}

async fn measure_here(xr2: &Path, plan: &Plan, effort: Effort) -> Result<Report> {
    let machine = machine::describe(Path::new(env!("CARGO_MANIFEST_DIR")));
    let mut rows = Vec::new();
    for postgres in
        [None, plan.postgres.as_deref()].into_iter().take(1 + usize::from(plan.postgres.is_some()))
    {
        rows.extend(measure_engine(xr2, plan, effort, postgres).await?);
    }
    let slowest = rows.iter().map(|(_, figures): &(String, Vec<f64>)| figures[1]).fold(0.0, f64::max);
    Ok(Report {
        name: "large",
        method: format!(
            "A workspace with {} prompts of {} versions each, written past the server; then {} requests of each kind, one \
             after the other on one connection.",
            plan.prompts,
            plan.versions,
            REQUESTS * effort.rounds
        ),
        machine,
        columns: vec!["p50 ms", "p95 ms", "p99 ms"],
        rows,
        targets: vec![Target {
            what: "p95 of the slowest, ms",
            measured: slowest,
            bound: Bound::AtMost(50.0),
        }],
    })
}

async fn measure_engine(
    xr2: &Path,
    plan: &Plan,
    effort: Effort,
    postgres: Option<&str>,
) -> Result<Vec<(String, Vec<f64>)>> {
    let engine = if postgres.is_some() { "PostgreSQL" } else { "SQLite" };
    let mut file = None;
    let server = Server::start("/ready", |folder, port| {
        let mut command = xr2_demo_command(xr2, folder, port);
        match postgres {
            Some(url) => {
                command.args(["--database", url]).env("XR2_SECRET_KEY", "be".repeat(32));
            }
            None => file = Some(format!("sqlite:{}", folder.join("data").join("xr2.sqlite3").display())),
        }
        Ok(command)
    })
    .await?;
    let key = server.credential("admin_api_key")?;
    let mut connection = Connection::open(server.port).await?;
    let pattern =
        json!({ "title": "The pattern", "slug": PATTERN, "content": "For {{ product }}." }).to_string();
    expect(&mut connection, &http::post("/api/v1/prompts", &key, &pattern), 201).await?;
    let database = postgres.map(str::to_owned).or(file).unwrap_or_default();
    fixture::fill(&database, Size { prompts: plan.prompts, versions: plan.versions }, PATTERN).await?;
    // The server has closed the connection that nothing came over meanwhile.
    let mut connection = Connection::open(server.port).await?;
    let mut rows = Vec::new();
    for (name, request) in OPERATIONS {
        let mut dice = Dice::new(11);
        let mut took = Vec::new();
        expect(&mut connection, &request(&mut dice, plan, &key), 200).await?;
        for _ in 0..REQUESTS * effort.rounds {
            let request = request(&mut dice, plan, &key);
            let began = Instant::now();
            expect(&mut connection, &request, 200).await?;
            took.push(began.elapsed().as_secs_f64() * 1000.0);
        }
        took.sort_by(f64::total_cmp);
        let at = |share: f64| took[((took.len() - 1) as f64 * share).round() as usize];
        rows.push((format!("{engine}, {name}"), vec![at(0.5), at(0.95), at(0.99)]));
    }
    Ok(rows)
}

async fn expect(connection: &mut Connection, request: &[u8], status: u16) -> Result<()> {
    let answer = connection.exchange(request).await?;
    if answer.status != status {
        bail!("{} instead of {status}: {}", answer.status, String::from_utf8_lossy(answer.body));
    }
    Ok(())
}
