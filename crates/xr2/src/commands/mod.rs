//! One file a command.
#![expect(clippy::print_stdout, reason = "this is where the program talks to people")]

mod admin;
mod healthcheck;
mod import;
mod jobs;
mod serve;
mod unchecked;

use std::io::Write;

use anyhow::Context;
use xr2_server::clock::Clock;
use xr2_server::config::{Config, Override};
use xr2_server::{App, openapi};

use crate::cli::{Cli, Command, Settings};

/// Runs the command.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Serve(args) => serve::run(args).await,
        Command::Import(args) => import::run(args).await,
        Command::Admin(command) => admin::run(command).await,
        Command::Healthcheck(args) => healthcheck::run(args).await,
        Command::Openapi => print_text(&openapi::text()),
        Command::Config => print_text(xr2_server::config::DEFAULT_TOML.trim_end()),
    }
}

/// Prints a long text. Whoever reads only its beginning (`xr2 config | head`) closes the pipe, which is no error.
fn print_text(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        outcome => Ok(outcome?),
    }
}

/// Reads the settings; `more` are flags of the command itself.
fn configure(settings: &Settings, more: Vec<Override>) -> anyhow::Result<Config> {
    let mut overrides = settings.overrides()?;
    overrides.extend(more);
    Config::from_process(settings.config.as_deref(), &overrides).context("the settings are not right")
}

/// Opens the application for a command that runs beside a server or without one.
async fn open(settings: &Settings) -> anyhow::Result<App> {
    let config = configure(settings, Vec::new())?;
    if !config.is_postgres() && !config.data_dir.exists() {
        anyhow::bail!(
            "there is no data directory {}; name it with --data-dir, or start the server first",
            config.data_dir.display()
        );
    }
    Ok(App::open(config, Clock::default()).await?)
}
