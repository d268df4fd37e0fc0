//! How often memory is allocated for one fetch: a figure that no noise of the machine touches. Server and client share
//! one thread here, and the client allocates nothing while it asks.

use crate::bare;
use crate::delivery::fetches::{self, Fetches, Prompt, sample};
use crate::http::Connection;
use crate::load::Work;
use crate::report::Report;
use crate::{Effort, machine};
use anyhow::{Context, Result, bail};
use std::net::Ipv4Addr;
use std::path::Path;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use xr2_server::clock::Clock;
use xr2_server::config::{Config, Override};
use xr2_server::features::demo;
use xr2_server::{App, serve};

/// Fetches before anything is counted, and fetches that are counted.
const WARM: u64 = 200;
const COUNTED: u64 = 2000;

/// Counts for xr2 and for bare axum.
pub fn measure(_: Effort) -> Result<Report> {
    let machine = machine::describe(Path::new(env!("CARGO_MANIFEST_DIR")));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let folder = std::env::temp_dir().join(format!("xr2-bench-{}", std::process::id()));
    let counted = count_all(&runtime, &folder);
    // What is left of it hurts nobody.
    let _ = std::fs::remove_dir_all(&folder);
    Ok(Report {
        name: "allocations",
        method: format!(
            "Allocations of the whole server for one `GET /api/v1/prompts/{{slug}}` over one keep-alive connection, from \
             the bytes of the request to those of the answer; means of {COUNTED}, counted by the thread that both server \
             and client run on. What the server does beside (usage, rollups) is in it."
        ),
        machine,
        columns: vec!["allocations/request", "bytes/request"],
        rows: counted?,
        targets: Vec::new(),
    })
}

fn count_all(runtime: &Runtime, folder: &Path) -> Result<Vec<(String, Vec<f64>)>> {
    let (port, key) = runtime.block_on(start_xr2(folder))?;
    let mut rows = Vec::new();
    for (name, prompt) in [("two variables", Prompt::WithVariables), ("no variables", Prompt::Plain)] {
        let answer = runtime.block_on(sample(port, prompt, &key))?;
        let bare = runtime.block_on(start_bare(&answer))?;
        rows.push((format!("bare axum, {name}"), count(runtime, bare, &Fetches::new(prompt, &key, false))?));
        rows.push((format!("xr2, {name}"), count(runtime, port, &Fetches::new(prompt, &key, true))?));
    }
    Ok(rows)
}

async fn start_xr2(folder: &Path) -> Result<(u16, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    let flags =
        [("listen", format!("127.0.0.1:{port}")), ("data_dir", folder.to_string_lossy().into_owned())];
    let flags: Vec<Override> =
        flags.into_iter().map(|(key, value)| Override { key: key.to_owned(), value }).collect();
    let config = Config::load(None, &|_| None, &flags)?;
    let app = App::start(config, Clock::default()).await?;
    let credentials = demo::seed(&app).await?.context("the server is not new")?;
    tokio::spawn(serve::serve(app, listener, std::future::pending()));
    let key = fetches::prepare(port, &credentials.admin_api_key).await?;
    Ok((port, key))
}

async fn start_bare(answer: &[u8]) -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    let router = bare::router(answer)?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(port)
}

fn count(runtime: &Runtime, port: u16, work: &Fetches) -> Result<Vec<f64>> {
    let mut connection = runtime.block_on(Connection::open(port))?;
    runtime.block_on(fetch(&mut connection, work, WARM))?;
    let mut outcome = Ok(());
    let counted =
        allocation_counter::measure(|| outcome = runtime.block_on(fetch(&mut connection, work, COUNTED)));
    outcome?;
    let each = |sum: u64| sum as f64 / COUNTED as f64;
    Ok(vec![each(counted.count_total), each(counted.bytes_total)])
}

async fn fetch(connection: &mut Connection, work: &Fetches, times: u64) -> Result<()> {
    for number in 0..times {
        let answer = connection.exchange(&work.request(0, number)).await?;
        if answer.status != work.status() || !work.is_right(0, number, answer.body) {
            bail!("an answer was wrong: {}", String::from_utf8_lossy(answer.body));
        }
    }
    Ok(())
}
