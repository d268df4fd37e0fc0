//! Snippets: looking up what a template includes, and who includes a prompt.

use std::collections::HashMap;

use serde::Serialize;
use uuid::Uuid;
use xr2_db::Tx;
use xr2_prompt::{
    IncludeError, IncludeTarget, MAX_INCLUDE_DEPTH, MAX_SNIPPETS, Selector, Snippet, list_includes,
};

use crate::error::Result;
use crate::features::prompts::source::Source;
use crate::features::prompts::{desk, labels, queries, versions};

/// A prompt that a version includes directly.
#[derive(Debug, Clone)]
pub struct IncludedPrompt {
    /// Its id.
    pub id: Uuid,
    /// Label or number; empty for production.
    pub selector: String,
}

/// Somebody whose delivered text changes when a snippet does.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Dependent {
    /// The prompt.
    pub id: Uuid,
    /// Its slug.
    pub slug: String,
    /// Which of its labels delivers the snippet.
    pub label: String,
    /// The version that label points at.
    pub version: i64,
}

/// What the includes of a template are resolved to.
#[derive(Debug, Clone, Default)]
pub struct Snippets {
    found: HashMap<IncludeTarget, Found>,
}

/// A snippet with its prompt's id, or why there is none.
type Found = std::result::Result<(Uuid, Snippet), IncludeError>;

impl Snippets {
    /// Gathers everything that `source` includes, level by level, from what is in memory.
    pub fn gather(
        source: &Source,
        mut look_up: impl FnMut(&IncludeTarget) -> std::result::Result<(Uuid, Snippet), IncludeError>,
    ) -> Snippets {
        let mut snippets = Snippets::default();
        let mut wanted = list_includes(&source.content, source.syntax);
        for _ in 0..=MAX_INCLUDE_DEPTH {
            for target in std::mem::take(&mut wanted) {
                if snippets.found.contains_key(&target) || snippets.found.len() > MAX_SNIPPETS {
                    continue;
                }
                let found = look_up(&target);
                if let Ok((_, snippet)) = &found {
                    wanted.extend(list_includes(&snippet.content, snippet.syntax));
                }
                snippets.found.insert(target, found);
            }
        }
        snippets
    }

    /// For the engine.
    pub fn resolve(&self, target: &IncludeTarget) -> std::result::Result<Snippet, IncludeError> {
        match self.found.get(target) {
            Some(Ok((_, snippet))) => Ok(snippet.clone()),
            Some(Err(error)) => Err(error.clone()),
            None => {
                Err(IncludeError("there are too many snippets, or they stand too deep in one another".into()))
            }
        }
    }

    /// The id behind a target.
    pub fn id(&self, target: &IncludeTarget) -> Option<Uuid> {
        match self.found.get(target) {
            Some(Ok((id, _))) => Some(*id),
            _ => None,
        }
    }

    /// Whether no snippet includes another.
    pub fn are_flat(&self) -> bool {
        let mut found = self.found.values().filter_map(|found| found.as_ref().ok());
        found.all(|(_, snippet)| list_includes(&snippet.content, snippet.syntax).is_empty())
    }

    /// Everything that was looked for, and what was found or why it was not.
    pub fn found(&self) -> impl Iterator<Item = (&IncludeTarget, &Found)> {
        self.found.iter()
    }

    /// Everything that was looked for, and what was found.
    pub fn looked_at(&self) -> impl Iterator<Item = (&IncludeTarget, Option<(Uuid, &Snippet)>)> {
        self.found
            .iter()
            .map(|(target, found)| (target, found.as_ref().ok().map(|(id, snippet)| (*id, snippet))))
    }

    /// The ids of everything included, directly or not.
    pub fn ids(&self) -> impl Iterator<Item = Uuid> + '_ {
        self.found.values().filter_map(|found| found.as_ref().ok().map(|(id, _)| *id))
    }
}

/// What targets were found to be in one transaction, so that a snippet many prompts share is read once.
#[derive(Debug, Default)]
pub struct KnownSnippets(HashMap<IncludeTarget, Found>);

/// Reads everything that `source` includes, level by level.
pub async fn resolve_snippets(tx: &mut Tx, source: &Source) -> Result<Snippets> {
    resolve_snippets_among(tx, source, &mut KnownSnippets::default()).await
}

/// Like [`resolve_snippets`], for many sources in one transaction.
pub async fn resolve_snippets_among(
    tx: &mut Tx,
    source: &Source,
    known: &mut KnownSnippets,
) -> Result<Snippets> {
    let mut snippets = Snippets::default();
    let mut wanted = list_includes(&source.content, source.syntax);
    for _ in 0..=MAX_INCLUDE_DEPTH {
        let mut next = Vec::new();
        for target in wanted {
            // The engine refuses what is beyond; so it need not be read.
            if snippets.found.contains_key(&target) || snippets.found.len() > MAX_SNIPPETS {
                continue;
            }
            let found = match known.0.get(&target) {
                Some(found) => found.clone(),
                None => look_up(tx, &target).await?,
            };
            known.0.entry(target.clone()).or_insert_with(|| found.clone());
            if let Ok((_, snippet)) = &found {
                next.extend(list_includes(&snippet.content, snippet.syntax));
            }
            snippets.found.insert(target, found);
        }
        wanted = next;
        if wanted.is_empty() {
            break;
        }
    }
    Ok(snippets)
}

async fn look_up(tx: &mut Tx, target: &IncludeTarget) -> Result<Found> {
    let Some(row) = queries::find(tx, &target.slug, false).await?.filter(|row| row.deleted_at.is_none())
    else {
        return Ok(Err(IncludeError("there is no such prompt in this workspace".into())));
    };
    let number = match &target.selector {
        Selector::Version(number) => Some(*number),
        Selector::Label(label) if label == "latest" => Some(row.latest_version),
        Selector::Label(label) => labels::queries::version_of(tx, row.id, label).await?,
        Selector::Production => labels::queries::version_of(tx, row.id, labels::PRODUCTION).await?,
    };
    let Some(number) = number else {
        let label = target.label().unwrap_or(labels::PRODUCTION);
        return Ok(Err(IncludeError(format!("its label `{label}` points at no version"))));
    };
    Ok(match versions::queries::by_number(tx, row.id, number).await? {
        None => Err(IncludeError(format!("it has no version {number}"))),
        Some(version) => Ok((
            row.id,
            Snippet {
                slug: row.slug,
                version: version.number,
                content: version.source.content,
                syntax: version.source.syntax,
                contract: version.source.contract,
            },
        )),
    })
}

/// Compiles a source that includes nothing, which is how it is checked; 422 TEMPLATE_ERROR with every problem.
pub fn compile_with(slug: Option<&str>, source: &Source, snippets: &Snippets) -> Result<()> {
    desk::compiled(slug, source, snippets).map(drop)
}

/// Checks `source` in a transaction that is to make it live or keep it, and tells what it includes directly. What is
/// found holds until the commit: nobody else moves a label of this workspace meanwhile.
pub async fn check(tx: &mut Tx, slug: Option<&str>, source: &Source) -> Result<Vec<IncludedPrompt>> {
    if has_includes(source) {
        queries::lock_labels(tx).await?;
    }
    let snippets = resolve_snippets(tx, source).await?;
    desk::compiled(slug, source, &snippets)?;
    let direct = list_includes(&source.content, source.syntax);
    Ok(direct
        .iter()
        .filter_map(|target| {
            snippets.id(target).map(|id| IncludedPrompt { id, selector: stored_selector(target) })
        })
        .collect())
}

/// Whether the source includes anything, so that checking it needs the database.
pub fn has_includes(source: &Source) -> bool {
    !list_includes(&source.content, source.syntax).is_empty()
}

/// How a selector is kept: empty for production.
pub fn stored_selector(target: &IncludeTarget) -> String {
    match &target.selector {
        Selector::Production => String::new(),
        Selector::Label(label) if label == labels::PRODUCTION => String::new(),
        Selector::Label(label) => label.clone(),
        Selector::Version(number) => number.to_string(),
    }
}

/// Everyone whose delivered text changes when `label` of `prompt` moves, through any number of includes.
pub async fn dependents(tx: &mut Tx, prompt: Uuid, label: &str) -> Result<Vec<Dependent>> {
    let mut all: Vec<Dependent> = Vec::new();
    let mut level = vec![(prompt, label.to_owned())];
    for _ in 0..MAX_INCLUDE_DEPTH {
        let mut next = Vec::new();
        for (id, label) in level {
            let selector = if label == labels::PRODUCTION { String::new() } else { label };
            for dependent in labels::queries::dependents_of(tx, id, Some(&selector)).await? {
                if !all.contains(&dependent) {
                    next.push((dependent.id, dependent.label.clone()));
                    all.push(dependent);
                }
            }
        }
        if next.is_empty() {
            break;
        }
        level = next;
    }
    Ok(all)
}

/// Like `dependents`, and also those who deliver it as their `latest`, which nobody has published.
pub async fn delivering(tx: &mut Tx, prompt: Uuid, label: &str) -> Result<Vec<Dependent>> {
    let mut all: Vec<Dependent> = Vec::new();
    let mut level = vec![(prompt, label.to_owned())];
    for _ in 0..MAX_INCLUDE_DEPTH {
        let mut next = Vec::new();
        for (id, label) in level {
            let selector = if label == labels::PRODUCTION { String::new() } else { label };
            let mut direct = labels::queries::dependents_of(tx, id, Some(&selector)).await?;
            direct.extend(labels::queries::latest_dependents_of(tx, id, &selector).await?);
            for dependent in direct {
                if !all.contains(&dependent) {
                    next.push((dependent.id, dependent.label.clone()));
                    all.push(dependent);
                }
            }
        }
        if next.is_empty() {
            break;
        }
        level = next;
    }
    Ok(all)
}

/// Everyone who delivers anything of `prompt`; for when it goes to the bin or comes back.
pub async fn all_dependents(tx: &mut Tx, prompt: Uuid) -> Result<Vec<Dependent>> {
    let mut all = labels::queries::dependents_of(tx, prompt, None).await?;
    for direct in all.clone() {
        for further in dependents(tx, direct.id, &direct.label).await? {
            if !all.contains(&further) {
                all.push(further);
            }
        }
    }
    Ok(all)
}
