//! From a thing of a file to what would be written, before any transaction.

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::clock::{Clock, Time};
use crate::error::FieldProblem;
use crate::events::Actor;
use crate::features::exports::{Draft, Move, Substance, Version};
use crate::features::imports::item::PromptItem;
use crate::features::prompts::{
    Arrival, ArrivedDraft, MAIN, Moved, NewPrompt, PromptRow, Source, SourceInput, VersionRow, check_slug,
};

/// What is the same for all rows of an import.
pub(super) struct Setting {
    pub clock: Clock,
    pub actor: Actor,
    pub now: Time,
    /// Whether who made what, and when, is taken over from the file.
    pub keeps_authors: bool,
    /// What the file is called.
    pub source: String,
    pub content_bytes: usize,
}

/// A prompt that could be written, but for its place and its labels.
pub(super) struct Prepared {
    pub arrival: Arrival,
    /// Its newest version.
    pub source: Source,
    pub item: PromptItem,
}

/// What an import remembers of where a prompt came from.
pub(super) fn import_key(source: &str, key: &str) -> Value {
    serde_json::json!({ "source": source, "key": key })
}

/// Reads and checks a prompt; the error tells all that is wrong.
pub(super) fn prepare(setting: &Setting, item: PromptItem) -> Result<Prepared, String> {
    let prompt = &item.prompt;
    if let Some(problem) = check_slug(&prompt.slug) {
        return Err(format!("slug: {}", problem.message));
    }
    let title =
        prompt.title.as_deref().map(str::trim).filter(|title| !title.is_empty()).unwrap_or(&prompt.slug);
    if title.chars().count() > 255 {
        return Err("title: must have at most 255 characters".to_owned());
    }
    let versions = versions(setting, &item)?;
    let Some(newest) = versions.last() else { return Err("it has no version".to_owned()) };
    let mut metadata = match &prompt.metadata {
        Some(raw) => object(raw).ok_or("metadata: must be an object")?,
        None => Map::new(),
    };
    if let Some(key) = &item.key {
        metadata.insert("import".to_owned(), import_key(&setting.source, key));
    }
    // Held to the same limits as what comes through the API.
    let checked = NewPrompt {
        title: title.to_owned(),
        slug: Some(prompt.slug.clone()),
        source: newest.source.clone(),
        description: prompt.description.clone(),
        category: prompt.category.clone(),
        tags: prompt.tags.clone(),
        metadata: Value::Object(metadata),
        change_summary: None,
        publish: None,
        origin: "import",
        folder_ids: Vec::new(),
    };
    let checked = checked.checked().map_err(|error| error.message)?;
    let (by, at) = author(setting, &prompt.created_by, prompt.created_at);
    let (updated_by, updated_at) = match item.whole {
        true => author(setting, &prompt.updated_by, prompt.updated_at),
        false => (by.clone(), at),
    };
    let deleted_at = prompt.deleted_at.map(|at| if setting.keeps_authors { at } else { setting.now });
    let row = PromptRow {
        id: setting.clock.new_id(),
        slug: prompt.slug.clone(),
        title: checked.title,
        description: checked.description,
        kind: String::new(),
        syntax: String::new(),
        category: checked.category,
        tags: checked.tags,
        metadata: checked.metadata,
        excerpt: String::new(),
        archived: prompt.archived,
        last_number: 0,
        latest_version: 0,
        deleted_at,
        deleted_by: deleted_at.map(|_| author(setting, &prompt.deleted_by, None).0),
        created_by: by,
        created_at: at,
        updated_by,
        updated_at,
    };
    let known = |slug: &String| check_slug(slug).is_none() && *slug != prompt.slug;
    let former = prompt.former_slugs.iter().filter(|former| known(&former.slug));
    let former = former.map(|former| (former.slug.clone(), author(setting, &None, former.created_at).1));
    let mut arrival = Arrival {
        row,
        former_slugs: former.collect(),
        pointers: Vec::new(),
        moves: if setting.keeps_authors { moves(setting, &prompt.label_history) } else { Vec::new() },
        drafts: drafts(setting, &prompt.drafts)?,
        versions,
    };
    arrival.settle();
    let newest = arrival.versions.iter().find(|version| version.number == arrival.row.latest_version);
    let source = newest.map(|version| version.source.clone()).ok_or("it has no version")?;
    Ok(Prepared { arrival, source, item })
}

/// Who did something and when, as the file says or as it is now.
pub(super) fn author(setting: &Setting, by: &Option<Actor>, at: Option<Time>) -> (Actor, Time) {
    if !setting.keeps_authors {
        return (setting.actor.clone(), setting.now);
    }
    let at = at.filter(|at| *at <= setting.now).unwrap_or(setting.now);
    (by.clone().unwrap_or_else(|| setting.actor.clone()), at)
}

fn object(raw: &RawValue) -> Option<Map<String, Value>> {
    match serde_json::from_str(raw.get()).ok()? {
        Value::Object(fields) => Some(fields),
        Value::Null => Some(Map::new()),
        _ => None,
    }
}

fn versions(setting: &Setting, item: &PromptItem) -> Result<Vec<VersionRow>, String> {
    let list = &item.prompt.versions;
    let mut rows: Vec<VersionRow> = Vec::with_capacity(list.len());
    for (index, version) in list.iter().enumerate() {
        let number = version.number.unwrap_or(index as i64 + 1);
        if number < 1 || rows.last().is_some_and(|before| before.number >= number) {
            return Err(format!("version {number}: numbers begin at 1 and rise"));
        }
        let told = |problem: String| match list.len() {
            1 => problem,
            _ => format!("version {number}: {problem}"),
        };
        let source = read_source(&version.source, true).map_err(told)?;
        source.check_size(setting.content_bytes).map_err(|error| told(error.message))?;
        rows.push(version_row(setting, item, version, number, source, &rows));
    }
    Ok(rows)
}

fn version_row(
    setting: &Setting,
    item: &PromptItem,
    version: &Version,
    number: i64,
    source: Source,
    before: &[VersionRow],
) -> VersionRow {
    let (created_by, created_at) = author(setting, &version.created_by, version.created_at);
    let summary = version.change_summary.clone().filter(|summary| summary.chars().count() <= 1000);
    let is_word = |text: &String| !text.is_empty() && text.chars().count() <= 100;
    let branch = version.branch.clone().filter(is_word).unwrap_or_else(|| MAIN.to_owned());
    let origin = version.origin.clone().filter(is_word).filter(|_| item.whole);
    VersionRow {
        id: setting.clock.new_id(),
        number,
        parent: version.parent.filter(|parent| before.iter().any(|one| one.number == *parent)),
        branch,
        origin: origin.unwrap_or_else(|| "import".to_owned()),
        change_summary: summary.unwrap_or_else(|| format!("Imported from {}", setting.source)),
        source,
        created_by,
        created_at,
    }
}

/// Reads a text or messages with what belongs to them; all problems in one sentence.
fn read_source(substance: &Substance, strict: bool) -> Result<Source, String> {
    let mut problems: Vec<FieldProblem> = Vec::new();
    let mut json = |raw: &Option<Box<RawValue>>, field: &str| {
        let value = raw.as_ref().map(|raw| serde_json::from_str::<Value>(raw.get()));
        value.transpose().unwrap_or_else(|error| {
            problems.push(FieldProblem::new(field, "invalid", error.to_string()));
            None
        })
    };
    let messages = json(&substance.messages, "messages");
    let (variables, config) = (json(&substance.variables, "variables"), json(&substance.config, "config"));
    let kind = substance.kind.as_deref().map(str::parse).transpose();
    let kind = kind.map_err(|_| "type: must be text or chat".to_owned())?;
    let syntax = substance.syntax.as_deref().map(str::parse).transpose();
    let syntax = syntax.map_err(|_| "syntax: must be simple, jinja or none".to_owned())?;
    let content = substance.content.clone();
    let input = SourceInput { kind, syntax, content, messages, variables, config };
    let source = input.read(None, strict, &mut problems);
    match problems.is_empty() {
        true => Ok(source),
        false => {
            let told: Vec<String> =
                problems.into_iter().map(|one| format!("{}: {}", one.field, one.message)).collect();
            Err(told.join("; "))
        }
    }
}

fn drafts(setting: &Setting, list: &[Draft]) -> Result<Vec<ArrivedDraft>, String> {
    let one = |draft: &Draft| {
        let source = read_source(&draft.source, false).map_err(|problem| format!("draft: {problem}"))?;
        source.check_size(setting.content_bytes).map_err(|error| error.message)?;
        let (updated_by, updated_at) = author(setting, &draft.updated_by, draft.updated_at);
        let revision = draft.revision.max(1);
        let (branch, base_version) = (draft.branch.clone(), draft.base_version);
        Ok(ArrivedDraft { branch, revision, base_version, source, updated_by, updated_at })
    };
    list.iter().map(one).collect()
}

fn moves(setting: &Setting, list: &[Move]) -> Vec<Moved> {
    let known = ["published", "rolled_back", "moved", "removed", "restored"];
    let one = |entry: &Move| {
        let (by, at) = author(setting, &entry.moved_by, entry.moved_at);
        Moved {
            label: entry.label.clone(),
            action: entry.action.clone(),
            from: entry.from_version,
            to: entry.to_version,
            comment: entry.comment.clone(),
            by,
            at,
        }
    };
    list.iter().filter(|entry| known.contains(&entry.action.as_str())).map(one).collect()
}

/// The id of the first thing in `all` whose name is this one.
pub(super) fn owner_of(all: &[(String, Uuid)], slug: &str) -> Option<Uuid> {
    all.iter().find(|(taken, _)| taken == slug).map(|(_, id)| *id)
}
