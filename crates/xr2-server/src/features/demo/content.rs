//! The demo's prompts, from the TOML files beside this one.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::auth::Access;
use crate::error::{ApiError, Result};
use crate::events::Change;
use crate::features::demo::broken;
use crate::features::prompts::{self, CreatePrompt, NewPrompt, SyntaxInput};
use crate::state::App;

const FILES: &[&str] = &[
    include_str!("thinking.toml"),
    include_str!("engineering.toml"),
    include_str!("writing.toml"),
    include_str!("customers.toml"),
];

#[derive(Deserialize)]
struct File {
    prompt: Vec<Demo>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Demo {
    slug: String,
    title: String,
    description: String,
    category: String,
    tags: Vec<String>,
    syntax: Option<SyntaxInput>,
    #[serde(default)]
    variables: Option<Value>,
    #[serde(default)]
    config: Option<Value>,
    labels: BTreeMap<String, i64>,
    version: Vec<Version>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Version {
    summary: String,
    content: Option<String>,
    messages: Option<Value>,
}

/// Makes all prompts with their versions and labels, in one change: all of them or none. Those that are there already
/// were made by a start that was interrupted later.
pub(super) async fn fill(app: &App, access: &Access) -> Result<()> {
    let mut change = Change::begin(app, access).await?;
    for file in FILES {
        let file: File = toml::from_str(file).map_err(broken)?;
        for demo in file.prompt {
            let slug = demo.slug.clone();
            if prompts::find(change.tx(), &slug).await?.is_some() {
                continue;
            }
            one(&mut change, access, demo).await.map_err(|error| describe(&slug, &error))?;
        }
    }
    change.commit().await?;
    Ok(())
}

async fn one(change: &mut Change, access: &Access, demo: Demo) -> Result<()> {
    let mut sources = Vec::new();
    for version in demo.version {
        let input = CreatePrompt {
            title: Some(demo.title.clone()),
            slug: Some(demo.slug.clone()),
            syntax: demo.syntax,
            // The files end every text with a line break, which nobody would type.
            content: version.content.map(|text| text.trim_end().to_owned()),
            messages: version.messages,
            variables: demo.variables.clone(),
            config: demo.config.clone(),
            description: Some(demo.description.clone()),
            category: Some(demo.category.clone()),
            tags: Some(demo.tags.clone()),
            change_summary: Some(version.summary),
            publish: Some(false),
            ..CreatePrompt::default()
        };
        sources.push(NewPrompt::read(input)?);
    }
    let mut versions = sources.into_iter();
    let first = versions.next().ok_or_else(|| broken("a prompt needs a version"))?;
    let rest: Vec<_> = versions.map(|new| (new.source, new.change_summary.unwrap_or_default())).collect();
    prompts::create_with_history(change, access, first, rest, &demo.labels).await
}

fn describe(slug: &str, error: &ApiError) -> ApiError {
    broken(format!("{slug}: {error} {:?}", error.details))
}
