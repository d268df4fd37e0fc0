//! How a file is to be brought in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{ApiError, FieldProblem, Result};
use crate::features::imports::Notation;
use crate::http::Params;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Found out.
    Auto,
    /// A document as `GET /export` writes it.
    Xr2,
    /// A table.
    Csv,
    /// Prompts as Langfuse lists them, JSON or JSON lines.
    Langfuse,
    /// A configuration of promptfoo.
    Promptfoo,
    /// Markdown, with front matter or without.
    Markdown,
    /// Plain text.
    Text,
    /// A folder, packed.
    Zip,
}

/// What becomes of a prompt whose slug is there already with another content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// The file wins: a new version, and the file's title, tags and so on.
    Update,
    /// What is there stays.
    Skip,
    /// The row fails.
    Fail,
    /// The file wins where nobody has edited the prompt since it was imported.
    KeepEdited,
}

/// How a file is to be brought in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Options {
    /// What it is.
    pub format: Format,
    /// What it is called: part of what tells prompts without a slug of their own from others.
    pub name: String,
    /// Only tell what would happen.
    pub dry_run: bool,
    /// One wrong row, and nothing is brought in.
    pub all_or_nothing: bool,
    /// What becomes of what is there.
    pub on_conflict: OnConflict,
    /// Whether what comes goes live; none: as the file says, or if one may.
    pub publish: Option<bool>,
    /// How variables are written; none: found out.
    pub notation: Option<Notation>,
    /// Which column is what, by ours.
    pub mapping: BTreeMap<String, String>,
}

/// Fields that a column can be mapped to.
const FIELDS: &[&str] =
    &["title", "slug", "content", "description", "category", "tags", "type", "syntax", "variables", "config"];

impl Default for Options {
    fn default() -> Options {
        Options {
            format: Format::Auto,
            name: String::new(),
            dry_run: false,
            all_or_nothing: false,
            on_conflict: OnConflict::Update,
            publish: None,
            notation: None,
            mapping: BTreeMap::new(),
        }
    }
}

impl Options {
    /// Reads the query; all problems at once.
    pub fn read(params: &Params) -> Result<Options> {
        let mut problems = Vec::new();
        let mut flag = |name: &str| match params.flag(name) {
            Ok(flag) => flag,
            Err(_) => {
                problems.push(FieldProblem::new(name, "invalid", "must be true or false"));
                None
            }
        };
        let (dry_run, all_or_nothing, publish) = (flag("dry_run"), flag("all_or_nothing"), flag("publish"));
        let format = word(params, "format", Format::Auto, FORMATS, &mut problems);
        let on_conflict = word(params, "on_conflict", OnConflict::Update, CONFLICTS, &mut problems);
        let notation = params.first_of(&["variables"]).and_then(|text| {
            let notation = text.parse();
            if notation.is_err() {
                problems.push(FieldProblem::new("variables", "invalid", "must be dollar, braces or none"));
            }
            notation.ok()
        });
        let name = params.first_of(&["name"]).unwrap_or_default().trim().to_owned();
        if name.chars().count() > 200 {
            problems.push(FieldProblem::new("name", "too_long", "must have at most 200 characters"));
        }
        let mapping = mapping(params, &mut problems);
        if !problems.is_empty() {
            return Err(ApiError::validation(problems));
        }
        Ok(Options {
            format,
            name,
            dry_run: dry_run.unwrap_or(false),
            all_or_nothing: all_or_nothing.unwrap_or(false),
            on_conflict,
            publish,
            notation,
            mapping,
        })
    }
}

const FORMATS: &str = "must be auto, xr2, csv, langfuse, promptfoo, markdown, text or zip";
const CONFLICTS: &str = "must be update, skip, fail or keep_edited";

fn word<T: serde::de::DeserializeOwned>(
    params: &Params,
    name: &str,
    default: T,
    says: &str,
    problems: &mut Vec<FieldProblem>,
) -> T {
    let Some(text) = params.first_of(&[name]) else { return default };
    serde_json::from_value(serde_json::Value::String(text.to_owned())).unwrap_or_else(|_| {
        problems.push(FieldProblem::new(name, "invalid", says));
        default
    })
}

/// `mapping={"title":"Prompt name","content":"Body"}`
fn mapping(params: &Params, problems: &mut Vec<FieldProblem>) -> BTreeMap<String, String> {
    let Some(text) = params.first_of(&["mapping"]) else { return BTreeMap::new() };
    let Ok(mapping) = serde_json::from_str::<BTreeMap<String, String>>(text) else {
        let message = "must be a JSON object of our field to the file's column, such as {\"title\":\"Name\"}";
        problems.push(FieldProblem::new("mapping", "invalid", message));
        return BTreeMap::new();
    };
    for field in mapping.keys().filter(|field| !FIELDS.contains(&field.as_str())) {
        let message = format!("there is no such field; there are {}", FIELDS.join(", "));
        problems.push(FieldProblem::new(format!("mapping.{field}"), "unknown_field", message));
    }
    mapping
}
