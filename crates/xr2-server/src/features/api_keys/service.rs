//! Making, rotating and revoking keys.

use chrono::TimeDelta;
use uuid::Uuid;

use crate::auth::{Access, Identity, Scope};
use crate::clock::Time;
use crate::error::{ApiError, Code, Result};
use crate::events::{Change, EventType, NewEvent, Resource};
use crate::features::api_keys::dto::{ApiKeyWithSecret, CreateKey, RotateKey};
use crate::features::api_keys::input::{self, KeySpec, parse_network};
use crate::features::api_keys::{ApiKey, KeyKind, KeyPrincipal, KeyStatus, new_key, queries};
use crate::http::Page;
use crate::state::App;

const DAY: i64 = 86_400;

/// A page of the workspace's keys, and how many there are.
pub(super) async fn list(app: &App, access: &Access, page: Page) -> Result<(Vec<ApiKey>, i64)> {
    let now = app.clock().now();
    let mut tx = app.db().tenant(access.workspace).read().await?;
    let keys = queries::list(&mut tx, page.limit, page.offset()).await?;
    let total = queries::count(&mut tx).await?;
    tx.commit().await?;
    Ok((keys.into_iter().map(|key| with_status(key, now)).collect(), total))
}

/// One key of a workspace.
pub async fn describe(app: &App, workspace: Uuid, id: Uuid) -> Result<ApiKey> {
    let mut tx = app.db().tenant(workspace).read().await?;
    let key = queries::find(&mut tx, id).await?;
    tx.commit().await?;
    key.map(|key| with_status(key, app.clock().now())).ok_or_else(not_found)
}

/// Makes a key.
pub(super) async fn create(app: &App, access: &Access, input: CreateKey) -> Result<ApiKeyWithSecret> {
    let now = app.clock().now();
    let mut change = Change::begin(app, access).await?;
    let mut labels = queries::label_names(change.tx()).await?;
    labels.push("latest".into());
    let mut spec = input::check(input, &labels, now)?;
    confine(&mut spec, access)?;
    let made = insert(&mut change, &spec, access).await?;
    change.record(
        NewEvent::new(EventType::KeyCreated, Resource::new("api_key", made.api_key.id, &spec.name))
            .after(&made.api_key),
    );
    change.commit().await?;
    Ok(made)
}

/// Makes a key that takes the place of another, which goes on working for a while.
pub(super) async fn rotate(
    app: &App,
    access: &Access,
    id: Uuid,
    input: RotateKey,
) -> Result<ApiKeyWithSecret> {
    let now = app.clock().now();
    let mut change = Change::begin(app, access).await?;
    let old = queries::find(change.tx(), id).await?.map(|key| with_status(key, now)).ok_or_else(not_found)?;
    match old.status {
        KeyStatus::Active => {}
        KeyStatus::Expiring => return Err(conflict("This key has been replaced already.")),
        KeyStatus::Expired => return Err(conflict("This key has expired. Make a new one.")),
        KeyStatus::Revoked => return Err(conflict("This key has been revoked. Make a new one.")),
    }
    let mut spec = renewed(&old, now);
    confine(&mut spec, access)?;
    let made = insert(&mut change, &spec, access).await?;
    let end = now + TimeDelta::seconds(input.overlap_seconds.unwrap_or(DAY));
    let end = old.expires_at.map_or(end, |earlier| earlier.min(end));
    if !queries::replace(change.tx(), id, made.api_key.id, end).await? {
        return Err(conflict("This key was replaced or revoked just now."));
    }
    change.record(
        NewEvent::new(EventType::KeyRotated, Resource::new("api_key", id, &old.name))
            .before(serde_json::json!({ "id": id, "expires_at": old.expires_at }))
            .after(serde_json::json!({ "id": made.api_key.id, "old_key_ends_at": end, "new_key": &made.api_key })),
    );
    change.commit().await?;
    Ok(made)
}

/// Revokes a key. When this returns, this node refuses it; others do within a second. Doing it twice changes nothing.
pub(super) async fn revoke(app: &App, access: &Access, id: Uuid) -> Result<ApiKey> {
    let now = app.clock().now();
    let mut change = Change::begin(app, access).await?;
    let before = queries::find(change.tx(), id).await?.ok_or_else(not_found)?;
    if !queries::revoke(change.tx(), id, now).await? {
        return Ok(with_status(before, now));
    }
    let after = with_status(ApiKey { revoked_at: Some(now), ..before.clone() }, now);
    change.record(
        NewEvent::new(EventType::KeyRevoked, Resource::new("api_key", id, &before.name))
            .before(serde_json::json!({ "status": with_status(before, now).status }))
            .after(serde_json::json!({ "status": after.status })),
    );
    change.commit().await?;
    Ok(after)
}

async fn insert(change: &mut Change, spec: &KeySpec, access: &Access) -> Result<ApiKeyWithSecret> {
    let (id, now) = (change.app().clock().new_id(), change.app().clock().now());
    let (key, by) = (new_key(spec.kind), change.actor().clone());
    let maker = match &access.caller.identity {
        Identity::Session(user) => Some(user.id),
        Identity::Key(parent) => parent.maker,
        Identity::Internal(actor) => actor.id,
    };
    queries::insert(change.tx(), id, spec, &key, maker, &by, now).await?;
    let api_key =
        queries::find(change.tx(), id).await?.ok_or_else(|| ApiError::internal("a new key is gone"))?;
    Ok(ApiKeyWithSecret { api_key: with_status(api_key, now), key: key.text })
}

/// No key makes a wider one: neither in what it may do, nor where, nor from where, nor for how long.
fn confine(spec: &mut KeySpec, access: &Access) -> Result<()> {
    // A key that is confined to labels hands its labels on, so that its scopes may be handed on as well.
    let most = match &access.caller.identity {
        Identity::Key(parent) => parent.rights,
        Identity::Session(_) | Identity::Internal(_) => access.rights,
    };
    if Scope::union(&spec.scopes).and(most) != Scope::union(&spec.scopes) {
        return Err(ApiError::forbidden("You cannot make a key that may do more than you."));
    }
    match &access.caller.identity {
        Identity::Session(_) | Identity::Internal(_) => Ok(()),
        Identity::Key(parent) => confine_to_parent(spec, parent),
    }
}

/// What the new key leaves open it takes over from the key that makes it.
fn confine_to_parent(spec: &mut KeySpec, parent: &KeyPrincipal) -> Result<()> {
    let wider =
        |what: &str| Err(ApiError::forbidden(format!("This API key cannot make one with wider {what}.")));
    if !parent.labels.is_empty() {
        if spec.labels.is_empty() {
            spec.labels.clone_from(&parent.labels);
        } else if spec.labels.iter().any(|label| !parent.labels.contains(label)) {
            return wider("labels");
        }
    }
    if !parent.allowed_ips.is_empty() {
        if spec.allowed_ips.is_empty() {
            spec.allowed_ips.clone_from(&parent.allowed_ips);
        } else if spec
            .allowed_ips
            .iter()
            .any(|net| !parent.allowed_ips.iter().any(|outer| outer.contains(net)))
        {
            return wider("allowed_ips");
        }
    }
    if let Some(end) = parent.expires_at {
        spec.expires_at = Some(spec.expires_at.map_or(end, |own| own.min(end)));
    }
    if let Some(limit) = parent.rate_limit_per_minute {
        spec.rate_limit_per_minute = Some(spec.rate_limit_per_minute.map_or(limit, |own| own.min(limit)));
    }
    Ok(())
}

/// The same key again; one that was made for a month is good for another month.
fn renewed(old: &ApiKey, now: Time) -> KeySpec {
    KeySpec {
        name: old.name.clone(),
        kind: old.kind,
        scopes: old.scopes.clone(),
        labels: old.labels.clone(),
        allowed_ips: old.allowed_ips.iter().filter_map(|text| parse_network(text)).collect(),
        allowed_origins: old.allowed_origins.clone(),
        expires_at: old.expires_at.map(|end| now + (end - old.created_at)),
        rate_limit_per_minute: old.rate_limit_per_minute,
    }
}

fn with_status(key: ApiKey, now: Time) -> ApiKey {
    let status = KeyStatus::of(key.revoked_at.is_some(), key.expires_at, key.replaced_by.is_some(), now);
    ApiKey { status, ..key }
}

fn not_found() -> ApiError {
    ApiError::not_found("API key")
}

fn conflict(message: &str) -> ApiError {
    ApiError::new(Code::Conflict, message)
}

/// Like [`create_for`]; keys of that name, whose secrets nobody may have seen, are revoked first.
pub async fn replace_for(
    app: &App,
    access: &Access,
    maker: Uuid,
    name: &str,
    scopes: &[Scope],
) -> Result<String> {
    let mut tx = app.db().tenant(access.workspace).read().await?;
    let known = queries::list(&mut tx, i64::MAX, 0).await?;
    tx.commit().await?;
    for key in known.into_iter().filter(|key| key.name == name) {
        revoke(app, access, key.id).await?;
    }
    create_for(app, access.workspace, maker, name, scopes).await
}

/// For the binary: a key made without a request, for the demo.
pub async fn create_for(
    app: &App,
    workspace: Uuid,
    maker: Uuid,
    name: &str,
    scopes: &[Scope],
) -> Result<String> {
    let spec = KeySpec {
        name: name.to_owned(),
        kind: KeyKind::Secret,
        scopes: scopes.to_vec(),
        labels: Vec::new(),
        allowed_ips: Vec::new(),
        allowed_origins: Vec::new(),
        expires_at: None,
        rate_limit_per_minute: None,
    };
    let actor = crate::events::Actor::system("command line");
    let context = crate::http::RequestContext::internal();
    let mut change = Change::begin_as(app, workspace, actor.clone(), context).await?;
    let (id, now, key) = (app.clock().new_id(), app.clock().now(), new_key(spec.kind));
    queries::insert(change.tx(), id, &spec, &key, Some(maker), &actor, now).await?;
    change.record(NewEvent::new(EventType::KeyCreated, Resource::new("api_key", id, name)));
    change.commit().await?;
    Ok(key.text)
}
