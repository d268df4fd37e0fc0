//! Measures an xr2 server as its clients meet it: a process of its own, over loopback.
//!
//! `cargo xtask bench` builds it and the server in release mode and runs it. Nothing here is a test: figures depend on
//! the machine, so they are written down with the machine they were taken on.
#![expect(clippy::print_stdout, reason = "a command line tool talks on standard output")]

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use std::path::PathBuf;

#[cfg(feature = "allocations")]
mod allocations;
mod authoring;
mod bare;
mod broadcast;
mod delivery;
mod hot_set;
mod http;
mod ingest;
mod large;
mod listeners;
mod load;
mod machine;
mod nodes;
mod pace;
mod peers;
mod report;
mod sdks;
mod server;
mod startup;
mod stream;

/// How long and how often a scenario runs; bounded, so that a run always ends.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How many times everything is measured.
    pub rounds: usize,
    /// Length of one measurement.
    pub seconds: u64,
}

#[derive(Parser)]
#[command(name = "xr2-bench", about = "Measures an xr2 server over loopback")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs scenarios and writes what was measured as Markdown and JSON.
    Run {
        /// startup, delivery, hot-set, stream, authoring, ingest; all of these when none is named. And peers, nodes,
        /// sdks, large, allocations.
        scenarios: Vec<String>,
        /// The release build of xr2.
        #[arg(long)]
        server: PathBuf,
        /// The folder for the results.
        #[arg(long)]
        results: PathBuf,
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=25))]
        rounds: u64,
        /// Length of one measurement.
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
        seconds: u64,
        /// Where `bench/peers/install.sh` put the programs that the scenario `peers` measures.
        #[arg(long, default_value = "target/peers")]
        peers: PathBuf,
        /// An empty PostgreSQL database for the scenarios `nodes` and `large`.
        #[arg(long)]
        postgres: Option<String>,
        /// Prompts in the workspace of the scenario `large`.
        #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
        prompts: u64,
        /// Versions of each of them.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=100))]
        versions: u64,
        /// A Redis for the scenario `nodes`.
        #[arg(long)]
        redis: Option<String>,
        /// A program that the scenario `sdks` measures, as LANGUAGE=["PROGRAM","ARGUMENT",…]; one for each language.
        #[arg(long = "sdk")]
        sdks: Vec<sdks::Sdk>,
    },
    /// An axum server that answers every request with the same bytes: what there is to compare with.
    Bare {
        /// A whole HTTP answer, head and body, to be given as it is.
        #[arg(long)]
        response: PathBuf,
        #[arg(long)]
        port: u16,
    },
    /// An axum server that hands what is posted to everybody who listens: what streams are compared with.
    Broadcast {
        #[arg(long)]
        port: u16,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Bare { response, port } => bare::serve(&response, port),
        Command::Broadcast { port } => broadcast::serve(port),
        Command::Run {
            scenarios,
            server,
            results,
            rounds,
            seconds,
            peers,
            postgres,
            redis,
            sdks,
            prompts,
            versions,
        } => {
            let effort = Effort { rounds: usize::try_from(rounds)?, seconds };
            for name in chosen(&scenarios)? {
                println!("{name}: {rounds} rounds of {seconds} s");
                let report = match name {
                    #[cfg(feature = "allocations")]
                    "allocations" => allocations::measure(effort)?,
                    "delivery" => delivery::measure(&server, effort)?,
                    "hot-set" => hot_set::measure(&server, effort)?,
                    "stream" => stream::measure(&server, effort)?,
                    "startup" => startup::measure(&server, effort)?,
                    "ingest" => ingest::measure(&server, effort)?,
                    "nodes" => {
                        let (Some(postgres), Some(redis)) = (&postgres, &redis) else {
                            bail!("the scenario `nodes` needs --postgres and --redis");
                        };
                        let shared = nodes::Shared { postgres: postgres.clone(), redis: redis.clone() };
                        nodes::measure(&server, &shared, effort)?
                    }
                    "large" => {
                        let plan = large::Plan {
                            prompts: usize::try_from(prompts)?,
                            versions: usize::try_from(versions)?,
                            postgres: postgres.clone(),
                        };
                        large::measure(&server, &plan, effort)?
                    }
                    "sdks" => sdks::measure(&server, &sdks, effort)?,
                    "peers" => peers::measure(&server, &peers, effort)?,
                    _ => authoring::measure(&server, effort)?,
                };
                report.write(&results)?;
                println!("{}", report.markdown());
            }
            Ok(())
        }
    }
}

/// Run only when asked for by name: they need other programs.
const BY_NAME: &[&str] = if cfg!(feature = "allocations") {
    &["peers", "nodes", "sdks", "large", "allocations"]
} else {
    &["peers", "nodes", "sdks", "large"]
};

const SCENARIOS: [&str; 6] = ["startup", "delivery", "hot-set", "stream", "authoring", "ingest"];

fn chosen(names: &[String]) -> Result<Vec<&'static str>> {
    let known = || SCENARIOS.into_iter().chain(BY_NAME.iter().copied());
    if let Some(unknown) = names.iter().find(|name| known().all(|known| known != **name)) {
        let known = known().collect::<Vec<_>>().join(", ");
        bail!("there is no scenario `{unknown}`; there are {known}");
    }
    Ok(match names {
        [] => SCENARIOS.to_vec(),
        _ => known().filter(|known| names.iter().any(|name| name == known)).collect(),
    })
}
