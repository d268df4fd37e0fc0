//! `xr2 serve`

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use tokio::net::TcpListener;
use xr2_server::clock::Clock;
use xr2_server::features::{accounts, demo};
use xr2_server::{App, serve, telemetry};

use crate::cli;
use crate::commands::configure;

pub async fn run(args: cli::Serve) -> anyhow::Result<()> {
    let mut config = configure(&args.settings, args.overrides())?;
    telemetry::init_logs(&config.log)?;
    telemetry::init_metrics();
    serve::tls::check(&config)?;
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!(
            "cannot listen on {} (is another xr2 running? --listen chooses another address)",
            config.listen
        )
    })?;
    // Port 0 asks the system for a free one: from here on the address is the real one.
    config.listen = listener.local_addr()?;
    let app = App::start(config, Clock::default()).await?;
    greet(&app, args.demo, args.credentials_file.as_deref()).await?;
    tracing::info!(address = %app.config().listen, engine = app.db().engine().name(), "listening");
    serve::serve(app, listener, first_signal()).await?;
    Ok(())
}

/// Tells a newcomer where to go. Secrets are printed once, on the first start.
async fn greet(app: &App, wants_demo: bool, credentials_file: Option<&Path>) -> anyhow::Result<()> {
    let url = app.config().base_url();
    if !app.db().has_started() {
        println!("xr2 {} delivers prompts without its database: {url}", env!("CARGO_PKG_VERSION"));
        return Ok(());
    }
    if !app.config().is_api() {
        println!("xr2 {} works in the background; it can be probed at {url}", env!("CARGO_PKG_VERSION"));
        return Ok(());
    }
    // Opened before anything is made: a wrong path must not cost the only password.
    let file = credentials_file.map(open_private).transpose()?;
    if wants_demo && let Some(credentials) = demo::seed(app).await? {
        if let Some(mut file) = file {
            file.set_len(0)?;
            writeln!(file, "{}", serde_json::to_string_pretty(&credentials)?)?;
        }
        println!("\n  xr2 {} is ready, with a demo workspace.\n", env!("CARGO_PKG_VERSION"));
        println!("  Dashboard   {url}");
        println!("  E-mail      {}", credentials.email);
        println!("  Password    {}", credentials.password);
        println!("  API key     {}\n", credentials.api_key);
        println!("  Fetch a prompt:\n");
        println!("    curl -H 'Authorization: Bearer {}' \\", credentials.api_key);
        println!("      '{url}/api/v1/prompts/{}'\n", demo::EXAMPLE);
        println!("  Password and key are shown this once. Ctrl-C stops the server.\n");
        demo::complete(app).await?;
        return Ok(());
    }
    if let Some(link) = accounts::setup_link(app).await? {
        println!("\n  xr2 {} is ready and empty.\n", env!("CARGO_PKG_VERSION"));
        println!("  Make the first account (it becomes the operator of this server):\n\n    {link}\n");
        println!("  The link works once. `xr2 admin setup-link` prints it again.\n");
    } else {
        println!("xr2 {} is ready: {url}", env!("CARGO_PKG_VERSION"));
    }
    Ok(())
}

fn open_private(path: &Path) -> anyhow::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).with_context(|| format!("cannot write {}", path.display()))
}

/// Waits for the signal to stop. From then on another one ends the program at once, whatever is in flight.
async fn first_signal() {
    stop_signal().await;
    tokio::spawn(async {
        stop_signal().await;
        tracing::warn!("told to stop once more: ending at once, with requests in flight");
        std::process::exit(130);
    });
}

/// Ctrl-C, or SIGTERM from a supervisor.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
