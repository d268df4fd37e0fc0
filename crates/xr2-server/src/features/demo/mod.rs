//! The demo workspace of `xr2 serve --demo`: two dozen prompts for real jobs, with their histories.

mod content;

use serde::Serialize;
use serde_json::json;
use xr2_db::Purpose;

use crate::auth::{Access, Scope};
use crate::error::{ApiError, Result};
use crate::events::Actor;
use crate::features::{accounts, api_keys};
use crate::queries;
use crate::state::App;

/// What the demo's curl line fetches, values included.
pub const EXAMPLE: &str = "welcome-message?name=Ana&company=Acme";

/// E-mail address of the demo's account.
const EMAIL: &str = "demo@example.com";

/// How to get into a fresh demo; shown once.
#[derive(Debug, Clone, Serialize)]
pub struct Credentials {
    /// Address of the dashboard.
    pub url: String,
    /// Sign-in.
    pub email: String,
    /// Fresh and random.
    pub password: String,
    /// A key with the scope `deliver`.
    pub api_key: String,
    /// A key with all scopes, for scripts that set things up.
    pub admin_api_key: String,
}

/// The setting that tells a demo server, and how far it has come.
const SETTING: &str = "demo";

/// The demo is being made: whoever finds it so was not the one who began, and goes on from there.
const BEGUN: &str = "begun";

/// Fills an empty server, or goes on where an earlier start was interrupted; does nothing on any other server. Until
/// [`complete`] is called every start makes fresh credentials, because nobody may have seen the former ones.
pub async fn seed(app: &App) -> Result<Option<Credentials>> {
    let begun = setting(app).await?.as_deref() == Some(BEGUN);
    let empty = accounts::setup_link(app).await?.is_some();
    let is_ours = empty || (begun && has_account(app).await?);
    if !is_ours {
        return Ok(None);
    }
    set(app, BEGUN).await?;
    let made = accounts::admin::ensure_user(app, EMAIL, "Demo", true).await?;
    let access = Access::internal_as(made.workspace, Actor::user(made.user, "Demo"));
    content::fill(app, &access).await?;
    let make = async |name: &str, scopes: &[Scope]| {
        api_keys::replace_for(app, &access, made.user, name, scopes).await
    };
    let api_key = make("Demo: fetch prompts", &[Scope::Deliver]).await?;
    let admin_api_key = make("Demo: everything", &[Scope::Admin]).await?;
    Ok(Some(Credentials {
        url: app.config().base_url(),
        email: EMAIL.to_owned(),
        password: made.password,
        api_key,
        admin_api_key,
    }))
}

/// The demo is there and its credentials have been shown: from now on it is a server like any other.
pub async fn complete(app: &App) -> Result<()> {
    set(app, "true").await
}

/// Whether the demo's account is there, and not only somebody else's.
async fn has_account(app: &App) -> Result<bool> {
    Ok(accounts::admin::list_users(app).await?.iter().any(|user| user.email == EMAIL))
}

async fn setting(app: &App) -> Result<Option<String>> {
    let mut tx = app.db().system(Purpose::Instance).read().await?;
    let value = queries::setting(&mut tx, SETTING).await?;
    tx.commit().await?;
    Ok(value)
}

async fn set(app: &App, value: &str) -> Result<()> {
    let mut tx = app.db().system(Purpose::Instance).write().await?;
    queries::set_setting(&mut tx, SETTING, value, app.clock().now()).await?;
    Ok(tx.commit().await?)
}

/// An error of ours in the demo's own files.
fn broken(what: impl std::fmt::Display) -> ApiError {
    ApiError::internal(format!("demo content: {what}")).with_details(json!({}))
}
