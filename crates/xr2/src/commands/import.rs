//! `xr2 import`: works on the database directly, beside a running server (which notices within a second) or without.

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use xr2_server::auth::Access;
use xr2_server::features::imports::{self, Notation, Report, Settings};
use xr2_server::features::workspaces;

use crate::cli;
use crate::commands::open;

/// Most skipped places listed one by one.
const LISTED: usize = 50;

pub async fn run(args: cli::Import) -> anyhow::Result<()> {
    let notation =
        args.variables.as_deref().map(str::parse::<Notation>).transpose().map_err(anyhow::Error::msg)?;
    let batch = imports::read(&args.path, notation).map_err(anyhow::Error::msg)?;
    let app = open(&args.settings).await?;
    let workspace = workspaces::choose(&app, args.workspace.as_deref()).await?;
    let access = Access::internal(workspace.id, "Import");
    let settings = Settings { dry_run: args.dry_run, publish: !args.no_publish };

    let bar = ProgressBar::new(batch.found.len() as u64);
    bar.set_style(ProgressStyle::with_template("  {bar:40} {pos}/{len}  {msg}").context("progress bar")?);
    let source = batch.source.clone();
    let report = imports::apply(&app, &access, batch, settings, |done| bar.set_position(done as u64)).await;
    bar.finish_and_clear();
    app.finish_stop().await;
    tell(&report?, &source, &workspace.slug, args.dry_run);
    Ok(())
}

fn tell(report: &Report, source: &str, workspace: &str, dry_run: bool) {
    let (made, changed) =
        if dry_run { ("would be made", "would get a new version") } else { ("made", "got a new version") };
    println!(
        "{source} → workspace {workspace}{}",
        if dry_run { " (dry run: nothing was changed)" } else { "" }
    );
    println!("  {:>5} {made}", report.created.len());
    println!("  {:>5} {changed}", report.updated.len());
    println!("  {:>5} were there already", report.unchanged);
    println!("  {:>5} skipped", report.skipped.len());
    for skipped in report.skipped.iter().take(LISTED) {
        println!("        {}: {}", skipped.place, skipped.reason);
    }
    if report.skipped.len() > LISTED {
        println!("        … and {} more", report.skipped.len() - LISTED);
    }
}
