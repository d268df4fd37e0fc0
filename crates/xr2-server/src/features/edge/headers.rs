//! What answers say to shared caches.
//!
//! | asked for | kept at the edge |
//! |---|---|
//! | a prompt by label or version, without values | for the workspace's time, at most until the key ends |
//! | with values or for a user | never: values are personal, and hardly asked for twice |
//! | `latest`, drafts, previews | never |
//! | by a secret key, a session, or a key confined to addresses | never |
//! | an error, or what may be stale | never |

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use uuid::Uuid;

use crate::auth::{Access, Identity};
use crate::features::api_keys::{KeyKind, KeyPrincipal};
use crate::features::edge::tags;
use crate::state::App;

static CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");
static SURROGATE_CONTROL: HeaderName = HeaderName::from_static("surrogate-control");
static SURROGATE_KEY: HeaderName = HeaderName::from_static("surrogate-key");
static CACHE_TAG: HeaderName = HeaderName::from_static("cache-tag");
static X_XR2_STALE: HeaderName = HeaderName::from_static("x-xr2-stale");
/// Whoever has to see a revision asks past the caches.
const VARY: HeaderValue = HeaderValue::from_static("X-XR2-Min-Revision");

/// What was fetched.
pub struct Fetched<'a> {
    /// The prompt.
    pub prompt: Uuid,
    /// The label it was asked by, if it was.
    pub label: Option<&'a str>,
    /// Whether everybody gets the same: no values, no user.
    pub is_same_for_all: bool,
}

/// Puts on an answer what shared caches may do with it; nothing unless the workspace has turned edge mode on.
pub async fn dress(app: &App, access: &Access, fetched: Fetched<'_>, headers: &mut HeaderMap) {
    let Identity::Key(key) = &access.caller.identity else { return };
    if !may_be_kept(key, &fetched) || headers.contains_key(&X_XR2_STALE) {
        return;
    }
    let Some(ttl) = app.edges().ttl(app, access.workspace).await else { return };
    let left = key.expires_at.map_or(ttl, |end| ttl.min((end - app.clock().now()).num_seconds()));
    if left > 0 {
        put_on(headers, access.workspace, key.id, &fetched, left);
    }
}

fn may_be_kept(key: &KeyPrincipal, fetched: &Fetched<'_>) -> bool {
    key.kind == KeyKind::Publishable
        && key.allowed_ips.is_empty()
        && fetched.is_same_for_all
        && fetched.label != Some("latest")
}

fn put_on(headers: &mut HeaderMap, workspace: Uuid, key: Uuid, fetched: &Fetched<'_>, ttl: i64) {
    let mut names = vec![tags::of_workspace(workspace), tags::of_prompt(fetched.prompt), tags::of_key(key)];
    names.extend(fetched.label.map(|label| tags::of_label(workspace, label)));
    // Browsers ask every time: nobody can purge them.
    for (name, value) in [
        (header::CACHE_CONTROL, format!("public, max-age=0, s-maxage={ttl}, must-revalidate")),
        (CDN_CACHE_CONTROL.clone(), format!("public, max-age={ttl}")),
        (SURROGATE_CONTROL.clone(), format!("max-age={ttl}")),
        (SURROGATE_KEY.clone(), names.join(" ")),
        (CACHE_TAG.clone(), names.join(",")),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    headers.append(header::VARY, VARY);
}
