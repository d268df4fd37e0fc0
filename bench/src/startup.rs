//! From nothing to the first answer, and what an idle server holds.

use crate::report::{Bound, Report, Target, median};
use crate::server::Server;
use crate::{Effort, machine};
use anyhow::Result;
use std::path::Path;
use std::time::Duration;

const IDLE: Duration = Duration::from_secs(5);

/// Starts servers on new data directories, one after the other.
pub fn measure(xr2: &Path, effort: Effort) -> Result<Report> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure_here(xr2, effort))
}

async fn measure_here(xr2: &Path, effort: Effort) -> Result<Report> {
    let machine = machine::describe(Path::new(env!("CARGO_MANIFEST_DIR")));
    let mut rows = Vec::new();
    for round in 1..=effort.rounds {
        rows.push((format!("round {round}, empty"), figures(Server::xr2_empty(xr2).await?).await?));
        rows.push((format!("round {round}, with the demo"), figures(Server::xr2_demo(xr2).await?).await?));
    }
    let middle = |which: usize| {
        let of = |column: usize| median(rows.iter().skip(which).step_by(2).map(|row| row.1[column]));
        vec![of(0), of(1)]
    };
    let (empty, demo) = (middle(0), middle(1));
    let targets = vec![
        Target {
            what: "first start to first answer, s",
            measured: empty[0] / 1000.0,
            bound: Bound::AtMost(1.0),
        },
        Target { what: "idle memory, MB", measured: empty[1], bound: Bound::AtMost(80.0) },
        Target {
            what: "with the demo: first start to first answer, s",
            measured: demo[0] / 1000.0,
            bound: Bound::AtMost(1.0),
        },
        Target { what: "with the demo: idle memory, MB", measured: demo[1], bound: Bound::AtMost(80.0) },
    ];
    rows.push(("**median, empty**".into(), empty));
    rows.push(("**median, with the demo**".into(), demo));
    Ok(Report {
        name: "startup",
        method: format!(
            "`xr2 serve` on a data directory that does not exist yet, SQLite. Time from the start of the process to the \
             first 200 of `GET /ready`; resident memory after {} s without requests.",
            IDLE.as_secs()
        ),
        machine,
        columns: vec!["first answer ms", "idle memory MB"],
        rows,
        targets,
    })
}

async fn figures(server: Server) -> Result<Vec<f64>> {
    tokio::time::sleep(IDLE).await;
    Ok(vec![server.first_answer.as_secs_f64() * 1000.0, server.memory()? as f64 / 1e6])
}
