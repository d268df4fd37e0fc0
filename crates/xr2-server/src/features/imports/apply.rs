//! Bringing in what was read from a path, for the command line.

use crate::auth::Access;
use crate::error::Result;
use crate::features::imports::model::Status;
use crate::features::imports::options::{OnConflict, Options};
use crate::features::imports::{Batch, Skipped, convert, service};
use crate::state::App;

/// How to import.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// Only tell what would happen.
    pub dry_run: bool,
    /// Whether what is imported goes live at once.
    pub publish: bool,
}

/// What an import came to.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Slugs made.
    pub created: Vec<String>,
    /// Slugs that got a new version.
    pub updated: Vec<String>,
    /// How many were there already.
    pub unchanged: usize,
    /// What was left out, and why.
    pub skipped: Vec<Skipped>,
}

/// Imports `batch`; `progress` is called with the number of prompts done. What people edited since is kept.
pub async fn apply(
    app: &App,
    access: &Access,
    batch: Batch,
    settings: Settings,
    mut progress: impl FnMut(usize) + Send + Sync,
) -> Result<Report> {
    let mut report = Report::default();
    if batch.found.is_empty() {
        report.skipped = batch.skipped;
        return Ok(report);
    }
    let options = Options {
        name: batch.source.clone(),
        dry_run: settings.dry_run,
        publish: Some(settings.publish),
        on_conflict: OnConflict::KeepEdited,
        ..Options::default()
    };
    let places: Vec<String> = batch.found.iter().map(|found| found.place.clone()).collect();
    let skipped = batch.skipped.clone();
    let mut done = 0;
    let mut told = |row: &crate::features::imports::ReportRow| {
        let place = || places.get(row.number as usize - 1).cloned().unwrap_or_default();
        match row.status {
            Status::Created => report.created.push(row.slug.clone()),
            Status::Updated => report.updated.push(row.slug.clone()),
            Status::Unchanged => report.unchanged += 1,
            Status::Skipped | Status::Failed | Status::Pending => report
                .skipped
                .push(Skipped { place: place(), reason: row.message.clone().unwrap_or_default() }),
        }
        done += 1;
        progress(done);
    };
    service::import_entries(app, access, options, convert::entries(batch), &mut told).await?;
    let mut all = skipped;
    all.append(&mut report.skipped);
    report.skipped = all;
    Ok(report)
}
