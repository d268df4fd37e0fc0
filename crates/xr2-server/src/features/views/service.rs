//! Making, changing and deleting saved views.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::auth::{Access, Right};
use crate::error::{ApiError, Code, FieldProblem, Result};
use crate::events::{Change, EventType, NewEvent, Resource};
use crate::features::prompts::check_list_query;
use crate::features::views::dto::{CreateView, UpdateView};
use crate::features::views::model::View;
use crate::features::views::queries::{self, ViewRow};
use crate::state::App;

/// Most views of a person, and most that a workspace shares.
const MAX_VIEWS: i64 = 100;
/// Largest query, as JSON.
const MAX_QUERY_BYTES: usize = 4096;

/// The views a caller sees: shared ones and their own, by name.
pub async fn list(app: &App, caller: &Access) -> Result<Vec<View>> {
    let mut tx = app.db().tenant(caller.workspace).read().await?;
    let mut rows = queries::seen_by(&mut tx, person(caller)).await?;
    tx.commit().await?;
    rows.sort_by_cached_key(|row| (row.name.to_lowercase(), row.id));
    Ok(rows.into_iter().map(|row| entity(caller, row)).collect())
}

/// Makes a view. Only people do; to share it one has to be allowed to write.
pub async fn create(app: &App, caller: &Access, input: CreateView) -> Result<View> {
    let owner = caller.caller.user()?.id;
    let shared = input.shared.unwrap_or(false);
    let (name, query) = check(app, caller, Some(&input.name), Some(input.query))?;
    if shared {
        caller.require(Right::Write)?;
    }
    let mut change = Change::begin(app, caller).await?;
    check_room(&mut change, if shared { None } else { Some(owner) }).await?;
    let now = app.clock().now();
    let row = ViewRow {
        id: app.clock().new_id(),
        owner: Some(owner),
        name: name.unwrap_or_default(),
        query: query.unwrap_or_default(),
        shared,
        created_by: change.actor().clone(),
        created_at: now,
        updated_at: now,
    };
    queries::insert(change.tx(), &row).await?;
    record(&mut change, EventType::ViewCreated, None, Some(&row));
    change.commit().await?;
    Ok(entity(caller, row))
}

/// Changes a view.
pub async fn update(app: &App, caller: &Access, id: &str, input: UpdateView) -> Result<View> {
    let (name, query) = check(app, caller, input.name.as_deref(), input.query)?;
    let mut change = Change::begin(app, caller).await?;
    let before = editable(&mut change, caller, id).await?;
    let mut row = before.clone();
    row.name = name.unwrap_or(row.name);
    row.query = query.unwrap_or(row.query);
    row.shared = input.shared.unwrap_or(row.shared);
    if row.shared && !before.shared {
        caller.require(Right::Write)?;
        check_room(&mut change, None).await?;
    }
    if before.shared && !row.shared {
        // It goes back to whoever made it, and to nobody when they are gone.
        let owner = row.owner.ok_or_else(|| {
            ApiError::new(
                Code::Conflict,
                "Whoever made this view is gone: it stays shared. Delete it if nobody needs it.",
            )
        })?;
        check_room(&mut change, Some(owner)).await?;
    }
    if told(&before) != told(&row) {
        row.updated_at = app.clock().now();
        queries::save(change.tx(), &row).await?;
        record(&mut change, EventType::ViewUpdated, Some(&before), Some(&row));
    }
    change.commit().await?;
    Ok(entity(caller, row))
}

/// Deletes a view.
pub async fn delete(app: &App, caller: &Access, id: &str) -> Result<()> {
    let mut change = Change::begin(app, caller).await?;
    let row = editable(&mut change, caller, id).await?;
    queries::delete(change.tx(), row.id).await?;
    record(&mut change, EventType::ViewDeleted, Some(&row), None);
    change.commit().await?;
    Ok(())
}

/// The view, if the caller may change it. Private ones are nobody else's.
async fn editable(change: &mut Change, caller: &Access, id: &str) -> Result<ViewRow> {
    let found = match id.parse::<Uuid>() {
        Ok(id) => queries::find(change.tx(), id).await?,
        Err(_) => None,
    };
    let row =
        found.filter(|row| row.shared || is_mine(caller, row)).ok_or_else(|| ApiError::not_found("view"))?;
    if may_edit(caller, &row) {
        return Ok(row);
    }
    Err(ApiError::forbidden("Only whoever made this shared view, or an admin, may change it."))
}

fn person(caller: &Access) -> Option<Uuid> {
    caller.caller.user().ok().map(|user| user.id)
}

fn is_mine(caller: &Access, row: &ViewRow) -> bool {
    row.owner.is_some() && row.owner == person(caller)
}

fn may_edit(caller: &Access, row: &ViewRow) -> bool {
    is_mine(caller, row) || (row.shared && caller.rights.has(Right::Admin))
}

async fn check_room(change: &mut Change, owner: Option<Uuid>) -> Result<()> {
    if queries::count(change.tx(), owner).await? < MAX_VIEWS {
        return Ok(());
    }
    let whose = if owner.is_some() { "You have" } else { "The workspace shares" };
    let message = format!("{whose} {MAX_VIEWS} views already. Delete one that is not needed.");
    Err(ApiError::new(Code::Conflict, message))
}

fn check(
    app: &App,
    caller: &Access,
    name: Option<&str>,
    query: Option<Value>,
) -> Result<(Option<String>, Option<Value>)> {
    let mut problems = Vec::new();
    let name = name.map(|name| name.trim().to_owned());
    if name.as_ref().is_some_and(String::is_empty) {
        problems.push(FieldProblem::new("name", "required", "must not be empty"));
    }
    if let Some(query) = &query {
        if query.to_string().len() > MAX_QUERY_BYTES {
            problems.push(FieldProblem::new("query", "too_long", "must be at most 4 KiB of JSON"));
        } else {
            problems.extend(check_list_query(app, caller, query));
        }
    }
    if problems.is_empty() { Ok((name, query)) } else { Err(ApiError::validation(problems)) }
}

fn entity(caller: &Access, row: ViewRow) -> View {
    View {
        can_edit: may_edit(caller, &row),
        id: row.id,
        name: row.name,
        query: row.query,
        shared: row.shared,
        created_by: row.created_by,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

fn told(row: &ViewRow) -> Value {
    json!({ "name": row.name, "query": row.query, "shared": row.shared })
}

/// Tells what became of a view that others see or saw; private ones are nobody's business.
fn record(change: &mut Change, kind: EventType, before: Option<&ViewRow>, after: Option<&ViewRow>) {
    let shared = |row: Option<&ViewRow>| row.is_some_and(|row| row.shared);
    let Some(row) = after.or(before).filter(|_| shared(before) || shared(after)) else { return };
    let mut event = NewEvent::new(kind, Resource::new("view", row.id, &row.name));
    event.before = before.map(told);
    event.after = after.map(told);
    change.record(event);
}
