//! What a read from memory costs a program, in each language that has an SDK.

use crate::delivery::fetches::post;
use crate::http::Connection;
use crate::report::{Bound, Report, Target, median};
use crate::server::Server;
use crate::{Effort, machine};
use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::str::FromStr;

const SLUG: &str = "bench-welcome";
const CONTENT: &str = "Hello {{ name }}, welcome to {{ product }}! What can we do for you today?";

/// What is measured, by the names that the programs print.
const ROWS: [&str; 3] = ["get", "render", "get and render"];
/// The same in the report.
const COLUMNS: [&str; 3] = ["get µs", "render µs", "get and render µs"];
/// The one that something is promised of.
const BOTH: usize = 2;

/// The languages, and how many microseconds `get` and `render` may take together.
const PROMISED: [(&str, &str, f64); 3] = [
    ("Rust", "Rust: get and render, µs", 2.0),
    ("TypeScript", "TypeScript: get and render, µs", 3.0),
    ("Python", "Python: get and render, µs", 15.0),
];

/// A program that reads a prompt with one of the SDKs again and again, and how it is started.
///
/// It is told the server by `XR2_URL` and `XR2_API_KEY`, the slug and `--json` as arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Sdk {
    language: &'static str,
    what: &'static str,
    most: f64,
    command: Vec<String>,
}

impl FromStr for Sdk {
    type Err = anyhow::Error;

    /// `Python=["/usr/bin/python3","bench/reads.py"]`
    fn from_str(text: &str) -> Result<Self> {
        let (language, command) =
            text.split_once('=').context("expected LANGUAGE=[\"PROGRAM\",\"ARGUMENT\",…]")?;
        let known = PROMISED.into_iter().find(|(known, ..)| *known == language);
        let (language, what, most) = known.ok_or_else(|| anyhow!("nothing is promised of `{language}`"))?;
        let command: Vec<String> =
            serde_json::from_str(command).context("the command is no JSON list of words")?;
        if command.is_empty() {
            bail!("the command of {language} is empty");
        }
        Ok(Self { language, what, most, command })
    }
}

/// What such a program prints.
struct Printed {
    runtime: String,
    /// A figure for each of [`ROWS`].
    row: Vec<f64>,
}

impl FromStr for Printed {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let printed: Value = serde_json::from_str(text)?;
        let runtime = printed["runtime"].as_str().context("it does not say what it ran on")?;
        let figure = |name: &&str| {
            printed["rows"][*name].as_f64().with_context(|| format!("it did not measure `{name}`"))
        };
        Ok(Self { runtime: runtime.to_owned(), row: ROWS.iter().map(figure).collect::<Result<_>>()? })
    }
}

/// What was measured of one SDK: a row of [`COLUMNS`] a round.
struct Measured<'a> {
    sdk: &'a Sdk,
    runtime: String,
    rounds: Vec<Vec<f64>>,
}

impl Measured<'_> {
    fn medians(&self) -> Vec<f64> {
        (0..COLUMNS.len()).map(|column| median(self.rounds.iter().map(|round| round[column]))).collect()
    }
}

/// Starts a server and lets the SDKs read from it in turn.
pub fn measure(xr2: &Path, sdks: &[Sdk], effort: Effort) -> Result<Report> {
    if sdks.is_empty() {
        bail!("the scenario `sdks` needs at least one --sdk");
    }
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(measure_here(xr2, sdks, effort))
}

async fn measure_here(xr2: &Path, sdks: &[Sdk], effort: Effort) -> Result<Report> {
    let machine = machine::describe(Path::new(env!("CARGO_MANIFEST_DIR")));
    let server = Server::xr2_demo(xr2).await?;
    publish(&server).await?;
    let key = server.credential("api_key")?;
    let mut all: Vec<Measured> =
        sdks.iter().map(|sdk| Measured { sdk, runtime: String::new(), rounds: Vec::new() }).collect();
    for round in 0..effort.rounds {
        // Whoever comes later finds a warmer machine, so they take turns.
        for turn in 0..all.len() {
            let measured = &mut all[(turn + round) % sdks.len()];
            let printed = run(measured.sdk, server.port, &key)?;
            measured.rounds.push(printed.row);
            measured.runtime = printed.runtime;
        }
    }
    Ok(report(&all, machine))
}

async fn publish(server: &Server) -> Result<()> {
    let string = |name| json!({"name": name, "type": "string", "required": true});
    let body = json!({
        "title": "Welcome", "slug": SLUG, "type": "text", "syntax": "simple", "content": CONTENT,
        "variables": [string("name"), string("product")], "publish": true,
    });
    let mut connection = Connection::open(server.port).await?;
    post(&mut connection, "/api/v1/prompts", &server.credential("admin_api_key")?, &body).await.map(drop)
}

fn run(sdk: &Sdk, port: u16, key: &str) -> Result<Printed> {
    let output = Command::new(&sdk.command[0])
        .args(&sdk.command[1..])
        .args([SLUG, "--json"])
        .env("XR2_URL", format!("http://127.0.0.1:{port}"))
        .env("XR2_API_KEY", key)
        // From memory that this process has filled, not from what an earlier one left.
        .env_remove("XR2_SNAPSHOT")
        .output()
        .with_context(|| format!("cannot start {}", sdk.command[0]))?;
    if !output.status.success() {
        bail!("{} failed ({}):\n{}", sdk.language, output.status, String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.parse().with_context(|| format!("{} printed: {text}", sdk.language))
}

fn report(all: &[Measured], machine: Value) -> Report {
    let mut rows = Vec::new();
    for Measured { sdk, rounds, .. } in all {
        for (round, row) in rounds.iter().enumerate() {
            rows.push((format!("{}, round {}", sdk.language, round + 1), row.clone()));
        }
    }
    for measured in all {
        let (language, runtime) = (measured.sdk.language, &measured.runtime);
        let name = if runtime == language { language.to_owned() } else { format!("{language}, {runtime}") };
        rows.push((format!("**median, {name}**"), measured.medians()));
    }
    let target = |measured: &Measured| Target {
        what: measured.sdk.what,
        measured: measured.medians()[BOTH],
        bound: Bound::AtMost(measured.sdk.most),
    };
    Report {
        name: "sdks",
        method: "One text prompt in the syntax `simple` with two string variables, read by each SDK from memory while its \
            stream from a real server with the demo workspace is open, telemetry on: time on the clock of one thread, in \
            µs. A round starts a program for each language, in turn; its figure is the median of the program's own rounds \
            of tens of thousands of reads. Before and after them the program makes sure that the prompt comes from the \
            stream."
            .to_owned(),
        machine,
        columns: COLUMNS.to_vec(),
        rows,
        targets: all.iter().map(target).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rust() -> Sdk {
        r#"Rust=["measure","with words"]"#.parse().unwrap()
    }

    #[test]
    fn a_command_is_a_language_and_words() {
        assert_eq!((rust().language, rust().most), ("Rust", 2.0));
        assert_eq!(rust().command, ["measure", "with words"]);
        for wrong in ["Rust", "Rust=measure", "Rust=[]", r#"Cobol=["measure"]"#] {
            assert!(wrong.parse::<Sdk>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_program_that_leaves_something_out_is_no_success() {
        let whole =
            r#"{"runtime": "Rust", "rows": {"get": 0.1, "get and render": 0.9, "render": 0.8, "more": 7}}"#;
        let printed: Printed = whole.parse().unwrap();
        assert_eq!((printed.runtime.as_str(), printed.row.as_slice()), ("Rust", &[0.1, 0.8, 0.9][..]));
        for wrong in [r#"{"runtime": "Rust", "rows": {"get": 0.1}}"#, r#"{"rows": {}}"#, "Killed"] {
            assert!(wrong.parse::<Printed>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_median_of_all_rounds_is_held_against_the_promise() {
        let sdk = rust();
        let rounds = [1.0, 1.9, 9.0].map(|both| vec![0.1, 0.2, both]).to_vec();
        let measured = [Measured { sdk: &sdk, runtime: "Rust".to_owned(), rounds }];
        let text = report(&measured, json!({})).markdown();
        assert!(text.contains("| **median, Rust** | 0.100 | 0.200 | 1.90 |"), "{text}");
        assert!(text.contains("| Rust: get and render, µs | at most 2.00 | 1.90 | met |"), "{text}");
    }
}
