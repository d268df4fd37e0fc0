//! SQL of people and sessions. All of it runs in system transactions: a person is in several workspaces.

use serde_json::Value as Json;
use uuid::Uuid;
use xr2_db::{FromRow, Result, Row, Tx, Value, args};

use crate::clock::Time;
use crate::features::accounts::SessionUser;
use crate::features::accounts::dto::Session;

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
            extends: false,
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

/// An account as it is stored.
pub(super) struct Account {
    pub(super) id: Uuid,
    pub(super) email: String,
    pub(super) name: String,
    pub(super) password_hash: String,
    pub(super) avatar_url: Option<String>,
    pub(super) preferences: Json,
    pub(super) is_operator: bool,
    pub(super) disabled: bool,
    pub(super) created_at: Time,
    pub(super) updated_at: Time,
}

impl FromRow for Account {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Account {
            id: row.get("id")?,
            email: row.get("email")?,
            name: row.get("name")?,
            password_hash: row.get("password_hash")?,
            avatar_url: row.opt("avatar_url")?,
            preferences: row.json("preferences")?,
            is_operator: row.get("is_operator")?,
            disabled: row.opt::<Time>("disabled_at")?.is_some(),
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
        })
    }
}

/// The account with this address.
pub(super) async fn account_by_email(tx: &mut Tx, email_key: &str) -> Result<Option<Account>> {
    tx.optional(
        "SELECT id, email, name, password_hash, avatar_url, preferences, is_operator, disabled_at, created_at,
                updated_at
         FROM users WHERE email_key = $1",
        args![email_key],
    )
    .await
}

/// The account with this id.
pub(super) async fn account(tx: &mut Tx, id: Uuid) -> Result<Option<Account>> {
    tx.optional(
        "SELECT id, email, name, password_hash, avatar_url, preferences, is_operator, disabled_at, created_at,
                updated_at
         FROM users WHERE id = $1",
        args![id],
    )
    .await
}

/// Whether anybody has an account.
pub(super) async fn has_accounts(tx: &mut Tx) -> Result<bool> {
    Ok(tx.optional::<Uuid>("SELECT id FROM users LIMIT 1", args![]).await?.is_some())
}

/// Adds an account.
pub(super) async fn insert_account(tx: &mut Tx, account: &Account, email_key: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO users (id, email, email_key, name, password_hash, avatar_url, preferences, is_operator,
                            created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        args![
            account.id,
            &account.email,
            email_key,
            &account.name,
            &account.password_hash,
            account.avatar_url.as_deref(),
            Value::json(&account.preferences),
            account.is_operator,
            account.created_at,
            account.updated_at,
        ],
    )
    .await?;
    Ok(())
}

/// Writes name, picture and preferences.
pub(super) async fn update_profile(tx: &mut Tx, user: &SessionUser) -> Result<()> {
    tx.execute(
        "UPDATE users SET name = $2, avatar_url = $3, preferences = $4, updated_at = $5 WHERE id = $1",
        args![
            user.id,
            &user.name,
            user.avatar_url.as_deref(),
            Value::json(&user.preferences),
            user.updated_at
        ],
    )
    .await?;
    Ok(())
}

/// Writes a password hash in place of `old`; tells whether it was still that.
pub(super) async fn replace_password(
    tx: &mut Tx,
    user: Uuid,
    old: &str,
    new: &str,
    now: Time,
) -> Result<bool> {
    let rows = tx
        .execute(
            "UPDATE users SET password_hash = $3, updated_at = $4 WHERE id = $1 AND password_hash = $2",
            args![user, old, new, now],
        )
        .await?;
    Ok(rows == 1)
}

/// Makes somebody the operator.
pub(super) async fn set_operator(tx: &mut Tx, user: Uuid, now: Time) -> Result<()> {
    tx.execute("UPDATE users SET is_operator = $2, updated_at = $3 WHERE id = $1", args![user, true, now])
        .await?;
    Ok(())
}

/// A session about to be stored.
pub(super) struct NewSession {
    pub(super) id: Uuid,
    pub(super) user: Uuid,
    pub(super) token_hash: [u8; 32],
    pub(super) address: Option<String>,
    pub(super) user_agent: Option<String>,
    pub(super) now: Time,
    pub(super) expires_at: Time,
}

/// Adds a session, and clears away the user's sessions that have ended.
pub(super) async fn insert_session(tx: &mut Tx, session: NewSession) -> Result<()> {
    tx.execute(
        "DELETE FROM sessions WHERE user_id = $1 AND expires_at <= $2",
        args![session.user, session.now],
    )
    .await?;
    tx.execute(
        "INSERT INTO sessions (id, user_id, token_hash, address, user_agent, created_at, last_used_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6, $7)",
        args![
            session.id,
            session.user,
            session.token_hash.to_vec(),
            session.address,
            session.user_agent,
            session.now,
            session.expires_at
        ],
    )
    .await?;
    Ok(())
}

impl FromRow for Session {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Session {
            id: row.get("id")?,
            created_at: row.get("created_at")?,
            last_used_at: row.get("last_used_at")?,
            expires_at: row.get("expires_at")?,
            address: row.opt("address")?,
            user_agent: row.opt("user_agent")?,
            current: false,
        })
    }
}

/// Live sessions of a user, the one used last first.
pub(super) async fn sessions_of(tx: &mut Tx, user: Uuid, now: Time) -> Result<Vec<Session>> {
    tx.all(
        "SELECT id, created_at, last_used_at, expires_at, address, user_agent FROM sessions
         WHERE user_id = $1 AND expires_at > $2 ORDER BY last_used_at DESC, id DESC",
        args![user, now],
    )
    .await
}

/// Ends one session of a user; tells whether there was one.
pub(super) async fn delete_session(tx: &mut Tx, user: Uuid, session: Uuid) -> Result<bool> {
    let rows =
        tx.execute("DELETE FROM sessions WHERE id = $1 AND user_id = $2", args![session, user]).await?;
    Ok(rows > 0)
}

/// Ends all sessions of a user but one (or none).
pub(super) async fn delete_sessions_but(tx: &mut Tx, user: Uuid, keep: Option<Uuid>) -> Result<u64> {
    let keep = keep.unwrap_or(Uuid::nil());
    tx.execute("DELETE FROM sessions WHERE user_id = $1 AND id <> $2", args![user, keep]).await
}

/// Removes a setting of the instance when it has this value. Of two who try at once one succeeds.
pub(super) async fn take_setting(tx: &mut Tx, name: &str, value: &str) -> Result<bool> {
    let rows = tx
        .execute("DELETE FROM instance_settings WHERE name = $1 AND value = $2", args![name, value])
        .await?;
    Ok(rows == 1)
}

/// Replaces a hash by one of the same password; nothing that anybody sees has changed.
pub(super) async fn renew_hash(tx: &mut Tx, user: Uuid, old: &str, new: &str) -> Result<()> {
    tx.execute(
        "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
        args![user, old, new],
    )
    .await?;
    Ok(())
}

/// Address, name and operator's rights of every account, by address.
pub(super) async fn list_accounts(tx: &mut Tx) -> Result<Vec<(String, String, bool)>> {
    tx.all("SELECT email, name, is_operator FROM users ORDER BY email_key", args![]).await
}

/// Whether the account is usable and its password is still the one with this hash. Locks the row until the transaction
/// ends, so that a change of the password comes before or after, never between.
pub(super) async fn still_has_password(tx: &mut Tx, id: Uuid, hash: &str) -> Result<bool> {
    let touched = tx
        .execute(
            "UPDATE users SET password_hash = password_hash
             WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL",
            args![id, hash],
        )
        .await?;
    Ok(touched == 1)
}
