//! The second workspace. Everything in it is recognised at sight: its text says CANARY, its ids begin alike.

use uuid::Uuid;
use xr2_db::Db;
use xr2_server::auth::token_hash;
use xr2_server::clock::Time;
use xr2_server::features::api_keys::{KeyKind, new_key};

use crate::queries::{self, KeyRow};

/// The planted workspace's id.
pub const CANARY_ID: Uuid = id(1);

/// Its slug.
pub const CANARY_SLUG: &str = "canary-workspace";

/// What no answer, event or log line may hold.
pub(crate) const NEEDLES: [&str; 3] = ["CANARY", "ca9a2700-0000-7000", "canary-"];

pub(crate) const SESSION: &str = "xr2s_CANARY";

const fn id(n: u128) -> Uuid {
    Uuid::from_u128(0xca9a_2700_0000_7000_8000_0000_0000_0000 + n)
}

/// Ids of what was planted, for requests that try to reach it.
#[derive(Debug, Clone, Copy)]
pub struct Canary {
    /// Its owner.
    pub user: Uuid,
    /// The owner's session.
    pub session: Uuid,
    /// A prompt, `canary-prompt`, with a version, a draft and a label.
    pub prompt: Uuid,
    /// The prompt's version 1.
    pub version: Uuid,
    /// An API key.
    pub key: Uuid,
    /// A folder, in which the prompt stands.
    pub folder: Uuid,
}

impl Canary {
    pub(crate) const PLANTED: Canary =
        Canary { user: id(2), session: id(3), prompt: id(4), version: id(5), key: id(6), folder: id(9) };
}

/// Plants the workspace and returns a key of it that may do everything.
pub(crate) async fn plant(db: &Db, now: Time) -> xr2_db::Result<String> {
    let Canary { user, session, prompt, version, key, folder } = Canary::PLANTED;
    queries::insert_user(db, user, "canary-owner@example.com", "CANARY Owner", false, now).await?;
    queries::insert_session(db, session, user, &token_hash(SESSION), now).await?;
    queries::insert_workspace(db, CANARY_ID, CANARY_SLUG, "CANARY Workspace", now).await?;
    queries::insert_member(db, CANARY_ID, user, "owner", now).await?;
    let secret = new_key(KeyKind::Secret);
    let row = KeyRow {
        id: key,
        workspace: CANARY_ID,
        maker: Some(user),
        name: "CANARY key",
        kind: "secret",
        hash: secret.hash,
        prefix: "xr2_CANARY00",
        last4: "0000",
        scopes: &["admin"],
        labels: &[],
        allowed_ips: &[],
        allowed_origins: &["https://canary-origin.example"],
        rate_limit_per_minute: None,
        expires_at: None,
        revoked_at: None,
    };
    queries::insert_key(db, &row, now).await?;
    queries::insert_canary_content(db, CANARY_ID, prompt, version, id(7), now).await?;
    queries::insert_canary_order(db, CANARY_ID, user, prompt, folder, now).await?;
    queries::insert_canary_usage(db, CANARY_ID, prompt, key, now).await?;
    queries::insert_canary_job(db, CANARY_ID, id(8), now).await?;
    Ok(secret.text)
}
