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

/// Fills an empty server; does nothing on one that has an account.
pub async fn seed(app: &App) -> Result<Option<Credentials>> {
    if accounts::setup_link(app).await?.is_none() {
        return Ok(None);
    }
    let made = accounts::admin::create_user(app, EMAIL, "Demo", None, true).await?;
    mark(app).await?;
    let access = Access::internal_as(made.workspace, Actor::user(made.user, "Demo"));
    content::fill(app, &access).await?;
    let make = async |name: &str, scopes: &[Scope]| {
        api_keys::create_for(app, made.workspace, made.user, name, scopes).await
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

/// Lets the sign-in page say that this is a demo.
async fn mark(app: &App) -> Result<()> {
    let mut tx = app.db().system(Purpose::Instance).write().await?;
    queries::set_setting(&mut tx, "demo", "true", app.clock().now()).await?;
    Ok(tx.commit().await?)
}

/// An error of ours in the demo's own files.
fn broken(what: impl std::fmt::Display) -> ApiError {
    ApiError::internal(format!("demo content: {what}")).with_details(json!({}))
}
