//! Bringing in prompts from files: documents and tables of ours, other tools' exports, folders of texts. A file is read whole
//! and staged, then taken into the workspace a few rows at a time. A second run changes nothing.

mod apply;
mod bring;
mod convert;
mod item;
mod jobs;
mod markdown;
mod model;
mod options;
mod prepare;
mod queries;
mod readers;
mod routes;
mod run;
mod service;
mod stage;
mod table;
mod variables;
mod workspace;

pub use apply::{Report, Settings, apply};
pub use jobs::{RunImport, TidyImports};
pub use model::{Counts, Import, ImportReport, ReportRow, State, Status};
pub use options::{Format, OnConflict, Options};
pub use routes::*;
pub use service::{import_path, report, rows};
pub use variables::Notation;

use std::path::Path;

use serde_json::Value;
use xr2_prompt::VariableSpec;

use crate::features::exports::Substance;

/// A prompt found in a file, before anything is decided about it.
#[derive(Debug, Clone)]
pub struct Found {
    /// Where it stands, for the report: `prompts.csv line 7`.
    pub place: String,
    /// What tells it from others of the same source on the next run.
    pub key: String,
    /// Its title.
    pub title: String,
    /// The slug to begin with; from the title when absent.
    pub slug: Option<String>,
    /// Its text as written in the file.
    pub text: String,
    /// What it is for.
    pub description: Option<String>,
    /// One word to sort by.
    pub category: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Further facts, kept as metadata.
    pub facts: Vec<(String, Value)>,
    /// How variables are written in it.
    pub notation: Notation,
    /// Its substance, where it is given as ours.
    pub substance: Option<Substance>,
    /// Whether it is to go live; none: if one may.
    pub publish: Option<bool>,
    /// Whether it is archived.
    pub archived: bool,
}

/// A place in a file that could not be read, and why.
#[derive(Debug, Clone)]
pub struct Skipped {
    /// `prompts.csv line 7`
    pub place: String,
    /// In plain words.
    pub reason: String,
}

/// Everything a file or folder holds.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Name of the source, remembered with each prompt.
    pub source: String,
    /// What can be imported.
    pub found: Vec<Found>,
    /// What cannot.
    pub skipped: Vec<Skipped>,
    /// What to know of the whole.
    pub warnings: Vec<String>,
}

/// Reads a CSV file, a Markdown file, or a folder of Markdown patterns. `notation`: how variables are written; found
/// out when none is given. The error is for the operator.
pub fn read(path: &Path, notation: Option<Notation>) -> Result<Batch, String> {
    let shown = path.display();
    let facts = std::fs::metadata(path).map_err(|error| format!("cannot read {shown}: {error}"))?;
    if facts.is_dir() {
        return markdown::read_folder(path, notation);
    }
    match path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("csv") => table::read(path, notation),
        Some("md" | "markdown" | "txt") => markdown::read_one(path, notation),
        _ => Err(format!("{shown}: expected a .csv file, a .md file, or a folder of Markdown patterns")),
    }
}

/// A text with its variables in xr2's own form.
#[derive(Debug, Clone)]
pub struct Converted {
    /// The template.
    pub text: String,
    /// How it is read.
    pub syntax: xr2_prompt::Syntax,
    /// The variables found, with their defaults.
    pub variables: Vec<VariableSpec>,
}
