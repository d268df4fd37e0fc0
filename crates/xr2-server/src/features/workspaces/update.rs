//! Renaming a workspace and changing its rules.

use serde_json::{Value, json};

use crate::auth::Access;
use crate::error::{ApiError, Result};
use crate::events::{Change, EventType, NewEvent, Resource};
use crate::features::workspaces::create::{check_slug, slug_taken};
use crate::features::workspaces::dto::UpdateWorkspace;
use crate::features::workspaces::{Workspace, queries};
use crate::http::one_line;
use crate::state::App;

/// `PUT /workspaces/{ws}`: what is the same as before is no change.
pub(super) async fn update(app: &App, access: &Access, input: UpdateWorkspace) -> Result<Workspace> {
    let mut problems = Vec::new();
    let name = input.name.as_deref().map(|name| one_line("name", name)).transpose();
    let name = name.unwrap_or_else(|problem| {
        problems.push(problem);
        None
    });
    problems.extend(input.slug.as_deref().and_then(|slug| check_slug(slug).err()));
    if !problems.is_empty() {
        return Err(ApiError::validation(problems));
    }
    let mut change = Change::begin(app, access).await?;
    let mut stored = queries::stored_settings(change.tx(), app.clock().now()).await?;
    let before = queries::workspace(change.tx()).await?.ok_or_else(|| ApiError::not_found("workspace"))?;
    let mut after = before.clone();
    after.name = name.unwrap_or(after.name);
    after.slug = input.slug.unwrap_or(after.slug);
    let comment = input.settings.and_then(|settings| settings.require_change_comment);
    if let Some(required) = comment {
        after.settings.require_change_comment = required;
        stored["require_change_comment"] = required.into();
    }
    if facts(&before) == facts(&after) {
        return Ok(before.seen_with(access.role, access.rights));
    }
    let written = queries::update(change.tx(), &after.slug, &after.name, &stored).await;
    written.map_err(|error| if error.is_unique("slug") { slug_taken() } else { error.into() })?;
    let resource = Resource::new("workspace", after.id, &after.slug);
    change.record(
        NewEvent::new(EventType::WorkspaceUpdated, resource).before(facts(&before)).after(facts(&after)),
    );
    change.commit().await?;
    Ok(after.seen_with(access.role, access.rights))
}

fn facts(workspace: &Workspace) -> Value {
    json!({ "name": workspace.name, "slug": workspace.slug, "settings": workspace.settings })
}
