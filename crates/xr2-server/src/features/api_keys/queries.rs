//! SQL of API keys.

use ipnet::IpNet;
use xr2_db::{FromRow, Result, Row, Tx, args};

use crate::auth::{Rights, Role, Scope};
use crate::features::api_keys::KeyPrincipal;
use crate::last_used::KeyStamp;

impl FromRow for KeyPrincipal {
    fn from_row(row: &Row) -> Result<Self> {
        let scopes: Vec<Scope> = row.json("scopes")?;
        let role: Option<String> = row.opt("role")?;
        let role_rights = match role.as_deref().map(str::parse::<Role>) {
            Some(Ok(role)) => role.rights(),
            _ => Rights::default(),
        };
        let networks: Vec<String> = row.json("allowed_ips")?;
        let id = row.get("id")?;
        Ok(KeyPrincipal {
            id,
            stamp: KeyStamp::new(id),
            workspace: row.get("workspace_id")?,
            workspace_slug: row.get("workspace_slug")?,
            name: row.get("name")?,
            kind: row.parsed("kind")?,
            rights: Scope::union(&scopes).and(role_rights),
            labels: row.json("labels")?,
            allowed_ips: networks.iter().filter_map(|text| text.parse::<IpNet>().ok()).collect(),
            allowed_origins: row.json("allowed_origins")?,
            rate_limit_per_minute: row.opt("rate_limit_per_minute")?,
            expires_at: row.opt("expires_at")?,
        })
    }
}

/// The key with this hash unless it is revoked, with its maker's present role. Runs in a system transaction.
pub(super) async fn principal(tx: &mut Tx, hash: &[u8]) -> Result<Option<KeyPrincipal>> {
    tx.optional(
        "SELECT k.id, k.workspace_id, w.slug AS workspace_slug, k.name, k.kind, k.scopes, k.labels, k.allowed_ips,
                k.allowed_origins, k.rate_limit_per_minute, k.expires_at, m.role
         FROM api_keys k
         JOIN workspaces w ON w.id = k.workspace_id
         LEFT JOIN memberships m ON m.workspace_id = k.workspace_id AND m.user_id = k.maker_id
         WHERE k.key_hash = $1 AND k.revoked_at IS NULL",
        args![hash.to_vec()],
    )
    .await
}
