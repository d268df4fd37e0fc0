//! Making prompts: a transaction with a prompt, a version, a label and an event each.

use crate::load::{self, Work};
use crate::report::{Bound, Report, Target, median};
use crate::server::Server;
use crate::{Effort, http, machine};
use anyhow::Result;
use serde_json::json;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

const CONNECTIONS: usize = 16;

const CONTENT: &str = "Write release notes for {{ product }}.\n\nGroup the changes under Added, Changed and Fixed. \
    One line each, the user's benefit first, no internal names. Leave out what nobody outside the team notices. \
    If a change asks something of the reader, say what and by when in a separate first section. Keep the tone of \
    {{ tone }}. Finish with the version number and the date as the notes give them.";

struct Creations {
    key: String,
}

impl Work for Creations {
    fn request(&self, connection: usize, number: u64) -> Rc<[u8]> {
        let slug = format!("bench-{connection}-{number}");
        let body = json!({"title": format!("Release notes {connection} {number}"), "slug": slug, "content": CONTENT});
        Rc::from(http::post("/api/v1/prompts", &self.key, &body.to_string()))
    }

    fn status(&self) -> u16 {
        201
    }

    fn is_right(&self, connection: usize, number: u64, body: &[u8]) -> bool {
        String::from_utf8_lossy(body).contains(&format!("bench-{connection}-{number}"))
    }
}

/// A new database for every round, so that all rounds are alike.
pub fn measure(xr2: &Path, effort: Effort) -> Result<Report> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure_here(xr2, effort))
}

async fn measure_here(xr2: &Path, effort: Effort) -> Result<Report> {
    let machine = machine::describe(Path::new(env!("CARGO_MANIFEST_DIR")));
    let mut rows: Vec<(String, Vec<f64>)> = Vec::new();
    for round in 1..=effort.rounds {
        let server = Server::xr2_demo(xr2).await?;
        let work = Rc::new(Creations { key: server.credential("admin_api_key")? });
        let before = server.processor_time()?;
        let load = load::run(server.port, CONNECTIONS, Duration::from_secs(effort.seconds), work).await?;
        let spent = server.processor_time()?.saturating_sub(before).as_secs_f64();
        rows.push((
            format!("round {round}"),
            vec![
                load.per_second(),
                load.percentile(0.5),
                load.percentile(0.99),
                spent * 1e6 / load.requests.max(1) as f64,
            ],
        ));
    }
    let middle: Vec<f64> = (0..4).map(|column| median(rows.iter().map(|row| row.1[column]))).collect();
    let per_second = middle[0];
    rows.push(("**median**".into(), middle));
    Ok(Report {
        name: "authoring",
        method: format!(
            "`POST /api/v1/prompts`, published, over {CONNECTIONS} keep-alive connections for {} s on a new SQLite \
             database (WAL, `synchronous=NORMAL`). The load generator runs on one thread of the same machine.",
            effort.seconds
        ),
        machine,
        columns: vec!["prompts/s", "p50 ms", "p99 ms", "CPU µs/prompt"],
        rows,
        targets: vec![Target {
            what: "prompts made per second",
            measured: per_second,
            bound: Bound::AtLeast(1000.0),
        }],
    })
}
