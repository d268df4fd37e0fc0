//! SQL of API keys.

use ipnet::IpNet;
use uuid::Uuid;
use xr2_db::{DbError, FromRow, Result, Row, Sql, Tx, Value, args};

use crate::auth::{Permissions, Rights, Role, Scope};
use crate::clock::Time;
use crate::events::Actor;
use crate::features::api_keys::input::{KeySpec, parse_network, show_network};
use crate::features::api_keys::{ApiKey, KeyPrincipal, KeyStatus, NewKey};
use crate::last_used::KeyStamp;

impl FromRow for KeyPrincipal {
    fn from_row(row: &Row) -> Result<Self> {
        let scopes: Vec<Scope> = row.json("scopes")?;
        let role: Option<String> = row.opt("role")?;
        let permissions: Option<Permissions> = row.json_opt("permissions")?;
        let maker_rights = match role.as_deref().map(str::parse::<Role>) {
            Some(Ok(role)) => permissions.unwrap_or_default().applied_to(role),
            _ => Rights::default(),
        };
        let id = row.get("id")?;
        Ok(KeyPrincipal {
            id,
            stamp: KeyStamp::new(id),
            workspace: row.get("workspace_id")?,
            workspace_slug: row.get("workspace_slug")?,
            name: row.get("name")?,
            kind: row.parsed("kind")?,
            maker: row.opt("maker_id")?,
            rights: Scope::union(&scopes).and(maker_rights),
            labels: row.json("labels")?,
            allowed_ips: networks(row)?,
            allowed_origins: row.json("allowed_origins")?,
            rate_limit_per_minute: row.opt("rate_limit_per_minute")?,
            expires_at: row.opt("expires_at")?,
        })
    }
}

/// One that cannot be read fails the key: left out, it would let everybody in.
fn networks(row: &Row) -> Result<Vec<IpNet>> {
    let texts: Vec<String> = row.json("allowed_ips")?;
    let parse = |text: &String| {
        parse_network(text).ok_or_else(|| DbError::setup("a key's allowed_ips holds an unreadable network"))
    };
    texts.iter().map(parse).collect()
}

/// The key with this hash unless it is revoked, with what its maker may do at present. Runs in a system transaction.
pub(super) async fn principal(tx: &mut Tx, hash: &[u8]) -> Result<Option<KeyPrincipal>> {
    tx.optional(
        "SELECT k.id, k.workspace_id, w.slug AS workspace_slug, k.name, k.kind, k.scopes, k.labels, k.allowed_ips,
                k.allowed_origins, k.rate_limit_per_minute, k.expires_at, k.maker_id, m.role, m.permissions
         FROM api_keys k
         JOIN workspaces w ON w.id = k.workspace_id
         LEFT JOIN memberships m ON m.workspace_id = k.workspace_id AND m.user_id = k.maker_id
         WHERE k.key_hash = $1 AND k.revoked_at IS NULL",
        args![hash.to_vec()],
    )
    .await
}

/// A key with its hash.
struct Hashed(Vec<u8>, KeyPrincipal);

impl FromRow for Hashed {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Hashed(row.get("key_hash")?, KeyPrincipal::from_row(row)?))
    }
}

/// All keys of a workspace that are not revoked, with their hashes. Runs in a system transaction.
pub(super) async fn principals(tx: &mut Tx, workspace: Uuid) -> Result<Vec<(Vec<u8>, KeyPrincipal)>> {
    let keys: Vec<Hashed> = tx
        .all(
            "SELECT k.key_hash, k.id, k.workspace_id, w.slug AS workspace_slug, k.name, k.kind, k.scopes, k.labels,
                    k.allowed_ips, k.allowed_origins, k.rate_limit_per_minute, k.expires_at, k.maker_id, m.role, m.permissions
             FROM api_keys k
             JOIN workspaces w ON w.id = k.workspace_id
             LEFT JOIN memberships m ON m.workspace_id = k.workspace_id AND m.user_id = k.maker_id
             WHERE k.workspace_id = $1 AND k.revoked_at IS NULL",
            args![workspace],
        )
        .await?;
    Ok(keys.into_iter().map(|Hashed(hash, key)| (hash, key)).collect())
}

/// A hash alone.
struct Hash(Vec<u8>);

impl FromRow for Hash {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Hash(row.get("key_hash")?))
    }
}

/// Hashes of all keys that are not revoked. Runs in a system transaction.
pub(super) async fn all_hashes(tx: &mut Tx) -> Result<Vec<Vec<u8>>> {
    let hashes: Vec<Hash> = tx.all("SELECT key_hash FROM api_keys WHERE revoked_at IS NULL", args![]).await?;
    Ok(hashes.into_iter().map(|Hash(hash)| hash).collect())
}

/// Hashes of these keys. Runs in a system transaction.
pub(super) async fn hashes_of(tx: &mut Tx, keys: &[Uuid]) -> Result<Vec<Vec<u8>>> {
    let mut sql = Sql::new("SELECT key_hash FROM api_keys WHERE id IN ");
    sql.bind_list(keys.iter().copied());
    let hashes: Vec<Hash> = tx.all_built(sql).await?;
    Ok(hashes.into_iter().map(|Hash(hash)| hash).collect())
}

/// Origins of a key and when it ends.
pub(super) struct KeyOrigins {
    pub(super) origins: Vec<String>,
    pub(super) expires_at: Option<Time>,
}

impl FromRow for KeyOrigins {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(KeyOrigins { origins: row.json("allowed_origins")?, expires_at: row.opt("expires_at")? })
    }
}

/// Origins of all publishable keys that are not revoked. Runs in a system transaction.
pub(super) async fn origins(tx: &mut Tx) -> Result<Vec<KeyOrigins>> {
    tx.all(
        "SELECT allowed_origins, expires_at FROM api_keys WHERE kind = 'publishable' AND revoked_at IS NULL",
        args![],
    )
    .await
}

impl FromRow for ApiKey {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(ApiKey {
            id: row.get("id")?,
            name: row.get("name")?,
            kind: row.parsed("kind")?,
            prefix: row.get("prefix")?,
            last4: row.get("last4")?,
            scopes: row.json("scopes")?,
            labels: row.json("labels")?,
            allowed_ips: networks(row)?.iter().map(show_network).collect(),
            allowed_origins: row.json("allowed_origins")?,
            expires_at: row.opt("expires_at")?,
            rate_limit_per_minute: row.opt("rate_limit_per_minute")?,
            created_by: row.json("created_by")?,
            created_at: row.get("created_at")?,
            last_used_at: row.opt("last_used_at")?,
            revoked_at: row.opt("revoked_at")?,
            // Depends on the time, which the database does not know; see the service.
            status: KeyStatus::Active,
            replaced_by: row.opt("replaced_by")?,
        })
    }
}

/// The workspace's keys, newest first.
pub(super) async fn list(tx: &mut Tx, limit: i64, offset: i64) -> Result<Vec<ApiKey>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT id, name, kind, prefix, last4, scopes, labels, allowed_ips, allowed_origins, expires_at,
                rate_limit_per_minute, created_by, created_at, last_used_at, revoked_at, replaced_by
         FROM api_keys WHERE workspace_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3",
        args![workspace, limit, offset],
    )
    .await
}

/// The workspace's keys that somebody has made and that can be used at this time, the latest first.
pub async fn usable_of(tx: &mut Tx, maker: Uuid, now: Time) -> Result<Vec<ApiKey>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT id, name, kind, prefix, last4, scopes, labels, allowed_ips, allowed_origins, expires_at,
                rate_limit_per_minute, created_by, created_at, last_used_at, revoked_at, replaced_by
         FROM api_keys
         WHERE workspace_id = $1 AND maker_id = $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3)
         ORDER BY created_at DESC, id DESC",
        args![workspace, maker, now],
    )
    .await
}

/// How many keys the workspace has.
pub(super) async fn count(tx: &mut Tx) -> Result<i64> {
    let workspace = tx.workspace();
    tx.one("SELECT count(*) FROM api_keys WHERE workspace_id = $1", args![workspace]).await
}

/// One of the workspace's keys.
pub(super) async fn find(tx: &mut Tx, id: Uuid) -> Result<Option<ApiKey>> {
    let workspace = tx.workspace();
    tx.optional(
        "SELECT id, name, kind, prefix, last4, scopes, labels, allowed_ips, allowed_origins, expires_at,
                rate_limit_per_minute, created_by, created_at, last_used_at, revoked_at, replaced_by
         FROM api_keys WHERE workspace_id = $1 AND id = $2",
        args![workspace, id],
    )
    .await
}

/// Names of the workspace's labels.
pub(super) async fn label_names(tx: &mut Tx) -> Result<Vec<String>> {
    let workspace = tx.workspace();
    tx.all("SELECT name FROM labels WHERE workspace_id = $1", args![workspace]).await
}

/// Adds a key.
pub(super) async fn insert(
    tx: &mut Tx,
    id: Uuid,
    spec: &KeySpec,
    key: &NewKey,
    maker: Option<Uuid>,
    by: &Actor,
    now: Time,
) -> Result<()> {
    let workspace = tx.workspace();
    let networks: Vec<String> = spec.allowed_ips.iter().map(IpNet::to_string).collect();
    tx.execute(
        "INSERT INTO api_keys (id, workspace_id, name, kind, key_hash, prefix, last4, scopes, labels, allowed_ips,
                               allowed_origins, rate_limit_per_minute, expires_at, maker_id, created_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        args![
            id,
            workspace,
            &spec.name,
            spec.kind.as_str(),
            key.hash.to_vec(),
            &key.prefix,
            &key.last4,
            Value::json(&spec.scopes),
            Value::json(&spec.labels),
            Value::json(&networks),
            Value::json(&spec.allowed_origins),
            spec.rate_limit_per_minute,
            spec.expires_at,
            maker,
            Value::json(by),
            now,
        ],
    )
    .await?;
    Ok(())
}

/// Lets a key end at `expires_at`, replaced by another, unless it was replaced or revoked already.
pub(super) async fn replace(tx: &mut Tx, id: Uuid, by: Uuid, expires_at: Time) -> Result<bool> {
    let workspace = tx.workspace();
    let rows = tx
        .execute(
            "UPDATE api_keys SET replaced_by = $3, expires_at = $4
             WHERE workspace_id = $1 AND id = $2 AND replaced_by IS NULL AND revoked_at IS NULL",
            args![workspace, id, by, expires_at],
        )
        .await?;
    Ok(rows == 1)
}

/// Revokes a key; tells whether it was not yet.
pub(super) async fn revoke(tx: &mut Tx, id: Uuid, now: Time) -> Result<bool> {
    let workspace = tx.workspace();
    let rows = tx
        .execute(
            "UPDATE api_keys SET revoked_at = $3 WHERE workspace_id = $1 AND id = $2 AND revoked_at IS NULL",
            args![workspace, id, now],
        )
        .await?;
    Ok(rows == 1)
}

/// Names of keys, revoked ones included.
pub async fn names(tx: &mut Tx, keys: &[Uuid]) -> Result<Vec<(Uuid, String)>> {
    let workspace = tx.workspace();
    let mut sql = Sql::new("SELECT id, name FROM api_keys WHERE workspace_id = ");
    sql.bind(workspace).push(" AND id IN ").bind_list(keys.iter().copied());
    tx.all_built(sql).await
}
