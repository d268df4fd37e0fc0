//! A prompt that an import meets again.

use serde_json::Value;

use crate::auth::Access;
use crate::error::Result;
use crate::events::Change;
use crate::features::prompts::labels::{self, LabelMove, PRODUCTION};
use crate::features::prompts::publish::{NewVersion, add_version, may_publish};
use crate::features::prompts::update::{Facts, save_facts};
use crate::features::prompts::{PromptRow, Source, arrivals, drafts, versions};

/// What a file says of a prompt that is there.
pub struct Again {
    /// Its text.
    pub source: Source,
    /// Title, description, category, tags, metadata.
    pub facts: PromptRow,
    /// Whether what the file does not say is empty, rather than as it was.
    pub is_whole: bool,
    /// What is noted of a new version.
    pub summary: String,
    /// Whether a new version goes live.
    pub publish: Option<bool>,
    /// What the file may change.
    pub over: Over,
}

/// What a file may change of a prompt that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Whatever differs.
    Everything,
    /// The text, where nobody has edited it since it was imported.
    WhatNobodyEdited,
    /// Nothing.
    Nothing,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Met {
    /// It is the same.
    Same,
    /// It is as the file says now.
    Updated,
    /// It is another and stays so; why.
    Kept(String),
}

/// Compares a prompt with what a file says of it, and changes it where the file may.
pub async fn import_again(change: &mut Change, access: &Access, row: PromptRow, again: Again) -> Result<Met> {
    let Some(newest) = versions::queries::newest(change.tx(), row.id, drafts::MAIN).await? else {
        return Ok(Met::Kept("it has no version on main".to_owned()));
    };
    let has_text = newest.source == again.source || is_older(change, &row, &again.source).await?;
    let facts = differing(&row, &again);
    let same_facts = facts.is_none();
    let kept = |reason: &str| Ok(Met::Kept(reason.to_owned()));
    match again.over {
        _ if has_text && (same_facts || again.over == Over::WhatNobodyEdited) => return Ok(Met::Same),
        Over::Nothing => return kept("it is there already, with another content; it was left as it is"),
        Over::WhatNobodyEdited if newest.origin != "import" || row.archived => {
            return kept("it was edited in xr2 since it was imported; yours was kept");
        }
        Over::Everything if row.archived => {
            return kept("it is archived; take it out of the archive first");
        }
        Over::Everything | Over::WhatNobodyEdited => {}
    }
    let mut row = row;
    if !has_text {
        let publishing = may_publish(change, access, PRODUCTION, again.publish, Some("import")).await?;
        let branch = drafts::MAIN.to_owned();
        let parent = Some(newest.number);
        let new = NewVersion { branch, origin: "import", summary: again.summary, parent };
        let (saved, version) = add_version(change, row, again.source, new).await?;
        row = saved;
        if publishing.is_go() {
            let to = LabelMove {
                prompt: row.id,
                slug: &row.slug,
                label: PRODUCTION,
                version: version.number,
                comment: None,
                restored: false,
                is_new: false,
            };
            labels::move_label(change, to).await?;
        }
    }
    if let Some(facts) = facts.filter(|_| again.over == Over::Everything) {
        save_facts(change, row, facts).await?;
    }
    Ok(Met::Updated)
}

/// Whether an older version says what the file says: then somebody has gone on from there.
async fn is_older(change: &mut Change, row: &PromptRow, source: &Source) -> Result<bool> {
    let (syntax, stored) = (source.syntax.as_str(), source.stored_content());
    let found = arrivals::queries::versions_with_text(change.tx(), row.id, syntax, &stored).await?;
    Ok(found.iter().any(|version| version.source == *source))
}

/// What the file says differently of the prompt itself; none: nothing.
fn differing(row: &PromptRow, again: &Again) -> Option<Facts> {
    let (new, whole) = (&again.facts, again.is_whole);
    let mut metadata = if whole { Value::Object(Default::default()) } else { row.metadata.clone() };
    if let (Some(all), Some(said)) = (metadata.as_object_mut(), new.metadata.as_object()) {
        all.extend(said.clone());
    }
    let text = |said: &Option<String>, there: &Option<String>| {
        ((whole || said.is_some()) && said != there).then(|| said.clone())
    };
    let facts = Facts {
        title: (new.title != row.title).then(|| new.title.clone()),
        description: text(&new.description, &row.description),
        category: text(&new.category, &row.category),
        tags: ((whole || !new.tags.is_empty()) && new.tags != row.tags).then(|| new.tags.clone()),
        metadata: (metadata != row.metadata).then_some(metadata),
        ..Facts::default()
    };
    let differs = facts.title.is_some()
        || facts.description.is_some()
        || facts.category.is_some()
        || facts.tags.is_some()
        || facts.metadata.is_some();
    differs.then_some(facts)
}
