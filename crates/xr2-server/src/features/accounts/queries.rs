//! SQL of people and sessions. All of it runs in system transactions: a person is in several workspaces.

use xr2_db::{FromRow, Result, Row, Tx, args};

use crate::clock::Time;
use crate::features::accounts::SessionUser;

struct Found(SessionUser, Time);

impl FromRow for Found {
    fn from_row(row: &Row) -> Result<Self> {
        let user = SessionUser {
            session: row.get("session_id")?,
            id: row.get("id")?,
            email: row.get("email")?,
            name: row.get("name")?,
            avatar_url: row.opt("avatar_url")?,
            preferences: row.json("preferences")?,
            is_operator: row.get("is_operator")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            memberships: Vec::new(),
        };
        Ok(Found(user, row.get("last_used_at")?))
    }
}

/// The user of a live session and when the session was last used.
pub(super) async fn session_user(
    tx: &mut Tx,
    token_hash: &[u8],
    now: Time,
) -> Result<Option<(SessionUser, Time)>> {
    let found: Option<Found> = tx
        .optional(
            "SELECT s.id AS session_id, s.last_used_at, u.id, u.email, u.name, u.avatar_url, u.preferences,
                    u.is_operator, u.created_at, u.updated_at
             FROM sessions s JOIN users u ON u.id = s.user_id
             WHERE s.token_hash = $1 AND s.expires_at > $2 AND u.disabled_at IS NULL",
            args![token_hash.to_vec(), now],
        )
        .await?;
    Ok(found.map(|Found(user, last_used_at)| (user, last_used_at)))
}
