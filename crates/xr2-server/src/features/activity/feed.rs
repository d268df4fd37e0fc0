//! Reading events for people, as far as the caller may see them.

use serde_json::Value;
use uuid::Uuid;
use xr2_db::Tx;

use crate::auth::{Access, Right};
use crate::error::{ApiError, FieldProblem, Result};
use crate::events::EventType;
use crate::features::activity::dto::ActivityItem;
use crate::features::activity::queries;
use crate::features::prompts;
use crate::http::Params;
use crate::state::App;

/// Items of a page, unless said, and at most.
const USUAL: usize = 30;
const MOST: usize = 100;
/// Events read at once, and for one page at most: who looks for what is rare goes on with the cursor.
const AT_ONCE: i64 = 200;
const MOST_READ: usize = 2000;

/// What only admins see: who has which key, who may do what, who was refused, who signed in.
const FOR_ADMINS: &[&str] = &["api_key.", "access.", "auth.", "user.", "invitation."];

/// Characters of a text and items of a list that are told.
const MOST_TEXT: usize = 200;
const MOST_ITEMS: usize = 20;

/// Fields of events that are for caches and not for people.
const NOT_FOR_PEOPLE: &[&str] = &["dependents", "labels"];

/// What a page is narrowed by.
pub(super) struct Filter {
    /// The types wanted.
    pub kinds: Vec<&'static str>,
    pub resource: Option<Uuid>,
    pub actor: Option<Uuid>,
}

/// A page, and where the next one begins.
pub(super) async fn page(
    app: &App,
    access: &Access,
    params: &Params,
) -> Result<(Vec<ActivityItem>, Option<String>)> {
    let mut problems = Vec::new();
    let mut filter = Filter {
        kinds: kinds(params.first_of(&["type"]), access, &mut problems),
        resource: None,
        actor: actor(params.first_of(&["actor"]), access, &mut problems),
    };
    let limit = limit(params.first_of(&["limit"]), &mut problems);
    if !problems.is_empty() {
        return Err(ApiError::validation(problems));
    }
    let place = match params.first_of(&["cursor"]) {
        None => i64::MAX,
        Some(text) => text.parse().map_err(|_| {
            ApiError::bad_request("This cursor is none of ours; take meta.next_cursor of the page before.")
        })?,
    };
    let mut tx = app.db().tenant(access.workspace).read().await?;
    if let Some(name) = params.first_of(&["prompt"]) {
        filter.resource = Some(prompt_of(&mut tx, name).await?);
    }
    let page = read(&mut tx, &filter, place, limit).await?;
    tx.commit().await?;
    Ok(page)
}

/// What of `filter` happened before `place`, the latest first.
pub(super) async fn read(
    tx: &mut Tx,
    filter: &Filter,
    mut place: i64,
    limit: usize,
) -> Result<(Vec<ActivityItem>, Option<String>)> {
    let (mut items, mut seen) = (Vec::new(), 0);
    while seen < MOST_READ {
        let rows = queries::before(tx, place, filter.resource, AT_ONCE).await?;
        let is_last = (rows.len() as i64) < AT_ONCE;
        seen += rows.len();
        for row in rows {
            if items.len() == limit {
                return Ok((items, Some(place.to_string())));
            }
            place = row.sequence;
            let item = row.item;
            let is_actors = filter.actor.is_none_or(|actor| item.actor.id == Some(actor));
            if is_actors && filter.kinds.contains(&item.kind.as_str()) {
                items.push(short(item));
            }
        }
        if is_last {
            return Ok((items, None));
        }
    }
    Ok((items, Some(place.to_string())))
}

/// Types that the caller may see.
pub(super) fn visible(access: &Access) -> impl Iterator<Item = &'static str> {
    let is_admin = access.rights.has(Right::Admin);
    let all = EventType::ALL.iter().map(|kind| kind.as_str());
    all.filter(move |kind| is_admin || !FOR_ADMINS.iter().any(|group| kind.starts_with(group)))
}

/// Those that `asked` names: types, or groups such as `prompt`, with commas between.
fn kinds(asked: Option<&str>, access: &Access, problems: &mut Vec<FieldProblem>) -> Vec<&'static str> {
    let Some(asked) = asked else { return visible(access).collect() };
    let names: Vec<&str> = asked.split(',').map(str::trim).collect();
    let is_named = |kind: &str, name: &str| {
        kind == name || kind.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
    };
    for name in &names {
        if !EventType::ALL.iter().any(|kind| is_named(kind.as_str(), name)) {
            let message = "must be types of events such as prompt.published, or groups such as prompt";
            problems.push(FieldProblem::new("type", "invalid", message));
            break;
        }
    }
    visible(access).filter(|kind| names.iter().any(|name| is_named(kind, name))).collect()
}

fn actor(asked: Option<&str>, access: &Access, problems: &mut Vec<FieldProblem>) -> Option<Uuid> {
    let actor = match asked? {
        "me" => access.actor().id,
        id => id.parse().ok(),
    };
    if actor.is_none() {
        let message = "must be me, or the id of a person or key";
        problems.push(FieldProblem::new("actor", "invalid", message));
    }
    actor
}

fn limit(asked: Option<&str>, problems: &mut Vec<FieldProblem>) -> usize {
    let Some(asked) = asked else { return USUAL };
    match asked.parse() {
        Ok(limit) if (1..=MOST).contains(&limit) => limit,
        _ => {
            let message = format!("must be a whole number from 1 to {MOST}");
            problems.push(FieldProblem::new("limit", "invalid", message));
            USUAL
        }
    }
}

/// The id of a prompt; what happened to one that is gone for good can still be asked for by its id.
async fn prompt_of(tx: &mut Tx, name: &str) -> Result<Uuid> {
    match (prompts::find(tx, name).await?, name.parse()) {
        (Some(row), _) => Ok(row.id),
        (None, Ok(id)) => Ok(id),
        (None, Err(_)) => Err(ApiError::not_found("prompt")),
    }
}

fn short(item: ActivityItem) -> ActivityItem {
    let cut = |value: Option<Value>| value.map(|value| shortened(value, 0));
    ActivityItem { before: cut(item.before), after: cut(item.after), ..item }
}

fn shortened(value: Value, depth: usize) -> Value {
    match value {
        Value::String(text) if text.chars().count() > MOST_TEXT => {
            text.chars().take(MOST_TEXT - 1).chain(['…']).collect::<String>().into()
        }
        // Of what stands deeper, metadata for instance, only that it is there.
        Value::Array(_) | Value::Object(_) if depth > 2 => Value::Null,
        Value::Array(items) => {
            items.into_iter().take(MOST_ITEMS).map(|item| shortened(item, depth + 1)).collect()
        }
        Value::Object(fields) => {
            let told = fields.into_iter().filter(|(name, _)| !NOT_FOR_PEOPLE.contains(&name.as_str()));
            told.take(MOST_ITEMS).map(|(name, value)| (name, shortened(value, depth + 1))).collect()
        }
        other => other,
    }
}
