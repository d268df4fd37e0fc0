//! The keys of a workspace as they are kept for times without the database.

use std::collections::HashMap;
use std::sync::Arc;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use uuid::Uuid;
use xr2_db::Purpose;

use crate::auth::Rights;
use crate::clock::{self, Time};
use crate::error::{ApiError, Result};
use crate::features::api_keys::{KeyKind, KeyPrincipal, queries};
use crate::frozen::{Frozen, Part, Subject};
use crate::last_used::KeyStamp;
use crate::state::App;

/// What stands in the file.
#[derive(Serialize, Deserialize)]
struct FrozenKeys {
    /// Every change of keys up to this revision is in it.
    revision: i64,
    workspace_slug: String,
    keys: Vec<FrozenKey>,
}

#[derive(Serialize, Deserialize)]
struct FrozenKey {
    hash: String,
    id: Uuid,
    name: String,
    kind: KeyKind,
    maker: Option<Uuid>,
    rights: Rights,
    labels: Vec<String>,
    allowed_ips: Vec<IpNet>,
    allowed_origins: Vec<String>,
    rate_limit_per_minute: Option<i64>,
    #[serde(with = "clock::micros::option")]
    expires_at: Option<Time>,
}

/// Writes the keys of a workspace, in which every change up to `revision` is to be seen.
pub async fn freeze(app: &App, workspace: Uuid, revision: i64) -> Result<()> {
    let mut tx = app.db().system(Purpose::KeyLookup).read().await?;
    let found = queries::principals(&mut tx, workspace).await?;
    tx.commit().await?;
    let workspace_slug = found.first().map(|(_, key)| key.workspace_slug.clone()).unwrap_or_default();
    let keys = found.into_iter().map(|(hash, key)| frozen(&hash, key)).collect();
    let file = FrozenKeys { revision, workspace_slug, keys };
    let body = serde_json::to_vec(&file).map_err(ApiError::internal)?;
    let frozen = app.frozen().clone();
    tokio::task::spawn_blocking(move || {
        frozen.write(workspace, Part::Keys, &body)?;
        frozen.keys_are_kept(workspace, revision);
        std::io::Result::Ok(())
    })
    .await
    .map_err(ApiError::internal)?
    .map_err(ApiError::internal)
}

/// The revision up to which the keys of a workspace are kept.
pub fn kept_revision(frozen: &Frozen, workspace: Uuid) -> Option<i64> {
    read(frozen, workspace).map(|file| file.revision)
}

fn read(frozen: &Frozen, workspace: Uuid) -> Option<FrozenKeys> {
    let body = frozen.read(workspace, Part::Keys)?;
    serde_json::from_slice(&body)
        .inspect_err(|error| tracing::error!(%error, %workspace, "the kept keys cannot be read"))
        .ok()
}

fn frozen(hash: &[u8], key: KeyPrincipal) -> FrozenKey {
    FrozenKey {
        hash: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
        id: key.id,
        name: key.name,
        kind: key.kind,
        maker: key.maker,
        rights: key.rights,
        labels: key.labels,
        allowed_ips: key.allowed_ips,
        allowed_origins: key.allowed_origins,
        rate_limit_per_minute: key.rate_limit_per_minute,
        expires_at: key.expires_at,
    }
}

/// All kept keys, read when the first one is asked for without the database.
#[derive(Default)]
pub struct Thawed(Mutex<Option<Arc<Index>>>);

/// Keys by their hash, with the revision they are of.
type Index = HashMap<String, (KeyPrincipal, i64)>;

impl Thawed {
    /// The key with this hash; none when it was not kept, so that nobody knows whether it is good.
    pub(super) async fn find(&self, app: &App, hash: &[u8; 32]) -> Option<Result<KeyPrincipal>> {
        let index = self.index(app).await?;
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let (key, revision) = index.get(&hash)?;
        let mut key = key.clone();
        let makers = key.maker.map(Subject::Maker);
        for subject in [Some(Subject::Key(key.id)), makers].into_iter().flatten() {
            if let Some(end) = app.frozen().end_of(key.workspace, subject, *revision) {
                key.expires_at = Some(key.expires_at.map_or(end, |known| known.min(end)));
            }
        }
        if key.expires_at.is_some_and(|end| end <= app.clock().now()) {
            return Some(Err(ApiError::unauthenticated("This API key has been revoked or has expired.")));
        }
        Some(Ok(key))
    }

    /// Whether a page of this origin may ask, as far as is kept.
    pub(super) async fn knows_origin(&self, app: &App, origin: &str) -> Option<bool> {
        let index = self.index(app).await?;
        Some(index.values().any(|(key, _)| key.allowed_origins.iter().any(|one| one == origin)))
    }

    /// Forgets what was read: the database is there again.
    pub fn forget(&self) {
        if let Ok(mut index) = self.0.try_lock() {
            *index = None;
        }
    }

    async fn index(&self, app: &App) -> Option<Arc<Index>> {
        if !app.frozen().is_on() {
            return None;
        }
        let mut slot = self.0.lock().await;
        if slot.is_none() {
            let frozen = app.frozen().clone();
            let read = tokio::task::spawn_blocking(move || read_all(&frozen)).await;
            *slot = Some(Arc::new(read.ok()?));
        }
        slot.clone()
    }
}

fn read_all(frozen: &Frozen) -> Index {
    let mut index = Index::new();
    for workspace in frozen.workspaces() {
        let Some(file) = read(frozen, workspace) else { continue };
        for key in file.keys {
            let principal = KeyPrincipal {
                id: key.id,
                workspace,
                workspace_slug: file.workspace_slug.clone(),
                name: key.name,
                kind: key.kind,
                maker: key.maker,
                rights: key.rights,
                labels: key.labels,
                allowed_ips: key.allowed_ips,
                allowed_origins: key.allowed_origins,
                rate_limit_per_minute: key.rate_limit_per_minute,
                expires_at: key.expires_at,
                stamp: KeyStamp::new(key.id),
            };
            index.insert(key.hash, (principal, file.revision));
        }
    }
    index
}
