//! Reading and setting edge mode.

use uuid::Uuid;

use crate::auth::Access;
use crate::error::{ApiError, FieldProblem, Result};
use crate::events::{Change, EventType, NewEvent, Resource};
use crate::features::edge::dto::{DEFAULT_TTL, EdgeSettings, PutEdge, PutPurge};
use crate::features::edge::model::{Edge, Kind, Target};
use crate::features::edge::{jobs, queries};
use crate::frozen::Sealer;
use crate::state::App;

/// Edge mode of the caller's workspace.
pub(super) async fn show(app: &App, access: &Access) -> Result<EdgeSettings> {
    let mut tx = app.db().tenant(access.workspace).read().await?;
    let edge = queries::find(&mut tx).await?;
    tx.commit().await?;
    Ok(edge.into())
}

/// Sets edge mode. Caches are told to forget everything of the workspace, those that are left as well, so
/// that what it was before leaves no trace.
pub(super) async fn put(app: &App, access: &Access, input: PutEdge) -> Result<EdgeSettings> {
    let (given, target) = match input.purge {
        Some(purge) => {
            let (token, target) = checked(app, purge)?;
            (token, Some(target))
        }
        None => (None, None),
    };
    let given = given.map(|token| seal_token(app, access.workspace, &token)).transpose()?;
    let mut change = Change::begin(app, access).await?;
    let before = queries::find(change.tx()).await?;
    let kept = before.as_ref().filter(|before| before.target == target).and_then(|b| b.token.clone());
    let token = given.or(kept);
    let needs_token = target.as_ref().is_some_and(|target| target.kind != Kind::Http);
    if needs_token && token.is_none() {
        return Err(ApiError::invalid_field("purge.token", "required", "is needed to purge there"));
    }
    let (revision, slug) = queries::workspace(change.tx()).await?;
    let edge = Edge {
        enabled: input.enabled,
        ttl_seconds: input.ttl_seconds.unwrap_or(DEFAULT_TTL),
        target,
        token,
        purged_revision: revision,
        attempts: 0,
        last_error: None,
        purged_at: None,
    };
    queries::put(change.tx(), &edge, revision, app.clock().now()).await?;
    if let Some(Edge { target: Some(left), token, .. }) = &before
        && edge.target.as_ref() != Some(left)
    {
        jobs::leave(app, change.tx(), left.clone(), token.clone()).await?;
    }
    change.record(
        NewEvent::new(EventType::WorkspaceUpdated, Resource::new("workspace", access.workspace, &slug))
            .before(told(before.as_ref()))
            .after(told(Some(&edge))),
    );
    change.commit().await?;
    show(app, access).await
}

/// What events tell of it: no addresses, which may hold secrets.
fn told(edge: Option<&Edge>) -> serde_json::Value {
    let purge = edge.and_then(|edge| edge.target.as_ref()).map(|target| target.kind);
    serde_json::json!({ "edge": {
        "enabled": edge.is_some_and(|edge| edge.enabled),
        "ttl_seconds": edge.map(|edge| edge.ttl_seconds),
        "purge": purge,
    } })
}

fn checked(app: &App, input: PutPurge) -> Result<(Option<String>, Target)> {
    let mut problems = Vec::new();
    let mut wrong = |field: &str, code: &str, message: &str| {
        problems.push(FieldProblem::new(format!("purge.{field}"), code, message));
    };
    let PutPurge { kind, service, url, method, header, token } = input;
    let is_http = kind == Kind::Http;
    let is_id = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
    match service.as_deref() {
        None if !is_http => wrong("service", "required", "names the service or zone"),
        Some(id) if !is_http && !is_id(id) => wrong("service", "invalid", "must be letters and digits"),
        Some(_) if is_http => wrong("service", "invalid", "is for Fastly and Cloudflare"),
        _ => {}
    }
    match url.as_deref() {
        None if is_http => wrong("url", "required", "is the address to send purges to"),
        Some(url) => {
            if let Err(error) = app.outbound().check(url) {
                wrong("url", "invalid", &error.to_string());
            }
        }
        None => {}
    }
    if !is_http && (method.is_some() || header.is_some()) {
        wrong("method", "invalid", "method and header are for the kind http");
    }
    if method.as_deref().is_some_and(|method| !matches!(method, "PURGE" | "POST")) {
        wrong("method", "invalid", "must be PURGE or POST");
    }
    if header.as_deref().is_some_and(|header| !is_free_header(header)) {
        wrong("header", "invalid", "is no header that may carry keys");
    }
    if token.as_deref().is_some_and(|token| !token.bytes().all(|b| (b' '..=b'~').contains(&b))) {
        wrong("token", "invalid", "must be printable ASCII");
    }
    if !problems.is_empty() {
        return Err(ApiError::validation(problems));
    }
    Ok((token, Target { kind, service, url, method, header }))
}

fn is_free_header(name: &str) -> bool {
    const TAKEN: [&str; 6] =
        ["host", "authorization", "content-length", "transfer-encoding", "connection", "upgrade"];
    axum::http::HeaderName::try_from(name).is_ok_and(|name| !TAKEN.contains(&name.as_str()))
}

fn seal_token(app: &App, workspace: Uuid, token: &str) -> Result<Vec<u8>> {
    Sealer::new(app.secret()).seal(&name_of(workspace), token.as_bytes()).map_err(ApiError::internal)
}

/// The token as it was given.
pub(super) fn open_token(app: &App, workspace: Uuid, sealed: &[u8]) -> Result<String> {
    let unreadable = |_| ApiError::internal("the token cannot be read; set it again");
    let bytes = Sealer::new(app.secret()).open(&name_of(workspace), sealed.to_vec()).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|_| ApiError::internal("the token is no text"))
}

fn name_of(workspace: Uuid) -> String {
    format!("edge token of {workspace}")
}
