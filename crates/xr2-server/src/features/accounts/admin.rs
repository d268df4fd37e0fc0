//! What the operator does at the server's command line, for those locked out.

use serde_json::json;
use uuid::Uuid;
use xr2_db::{Purpose, Tx};

use crate::auth::random_token;
use crate::error::{ApiError, Result};
use crate::events::{Actor, EventType, NewEvent, Resource, append_instance_event_in};
use crate::features::accounts::email::Email;
use crate::features::accounts::password;
use crate::features::accounts::queries::{self, Account};
use crate::features::accounts::register::{self, Gate, NewAccount};
use crate::features::workspaces;
use crate::http::{RequestContext, one_line};
use crate::state::App;

/// An account made at the command line.
#[derive(Debug)]
pub struct CreatedUser {
    /// The account.
    pub user: Uuid,
    /// Its personal workspace.
    pub workspace: Uuid,
    /// The workspace's slug.
    pub workspace_slug: String,
    /// The password to sign in with.
    pub password: String,
}

/// Makes an account with a personal workspace, whatever the registration mode. Without a password a random one is made.
pub async fn create_user(
    app: &App,
    email: &str,
    name: &str,
    password: Option<String>,
    operator: bool,
) -> Result<CreatedUser> {
    let email = parse(email)?;
    let name = one_line("name", name).map_err(|problem| ApiError::validation(vec![problem]))?;
    let (password, password_hash) = new_password(app, password, &email.text).await?;
    let new = NewAccount { email, name, password_hash, operator };
    let made = register::make(app, new, &Gate::CommandLine, &RequestContext::internal(), false).await?;
    Ok(CreatedUser {
        user: made.account.id,
        workspace: made.workspace.id,
        workspace_slug: made.workspace.slug,
        password,
    })
}

/// Makes an account as [`create_user`] does, or, where there is one, gives it a new random password.
pub async fn ensure_user(app: &App, email: &str, name: &str, operator: bool) -> Result<CreatedUser> {
    let key = parse(email)?.key;
    let mut tx = app.db().system(Purpose::Accounts).read().await?;
    let known = queries::account_by_email(&mut tx, &key).await?;
    let memberships = match &known {
        Some(account) => workspaces::memberships_of(&mut tx, account.id).await?,
        None => Vec::new(),
    };
    tx.commit().await?;
    let (Some(account), Some(own)) = (known, memberships.into_iter().next()) else {
        return create_user(app, email, name, None, operator).await;
    };
    let password = reset_password(app, email, None).await?;
    Ok(CreatedUser { user: account.id, workspace: own.workspace, workspace_slug: own.slug, password })
}

/// Sets a new password (a random one if none is given), ends all sessions of the account, and returns the password.
pub async fn reset_password(app: &App, email: &str, password: Option<String>) -> Result<String> {
    let email = parse(email)?;
    let (password, hash) = new_password(app, password, &email.text).await?;
    let mut tx = app.db().system(Purpose::Accounts).write().await?;
    let account = find(&mut tx, &email).await?;
    queries::replace_password(&mut tx, account.id, &account.password_hash, &hash, app.clock().now()).await?;
    queries::delete_sessions_but(&mut tx, account.id, None).await?;
    note(app, &mut tx, EventType::PasswordChanged, &account, json!({ "reset": true })).await?;
    tx.commit().await?;
    Ok(password)
}

/// Gives an account the operator's rights over this server.
pub async fn make_operator(app: &App, email: &str) -> Result<()> {
    let email = parse(email)?;
    let mut tx = app.db().system(Purpose::Accounts).write().await?;
    let account = find(&mut tx, &email).await?;
    queries::set_operator(&mut tx, account.id, app.clock().now()).await?;
    note(app, &mut tx, EventType::UserUpdated, &account, json!({ "operator": true })).await?;
    Ok(tx.commit().await?)
}

fn parse(email: &str) -> Result<Email> {
    Email::parse(email)
        .ok_or_else(|| ApiError::invalid_field("email", "invalid", "must be an e-mail address"))
}

async fn find(tx: &mut Tx, email: &Email) -> Result<Account> {
    queries::account_by_email(tx, &email.key)
        .await?
        .ok_or_else(|| ApiError::not_found(&format!("account with the address {}", email.text)))
}

async fn new_password(app: &App, given: Option<String>, email: &str) -> Result<(String, String)> {
    let password = given.unwrap_or_else(|| random_token(12));
    if let Some(problem) = password::problem("password", &password, email) {
        return Err(ApiError::validation(vec![problem]));
    }
    let hash = app.accounts().hasher.hash(&password).await?;
    Ok((password, hash))
}

async fn note(
    app: &App,
    tx: &mut Tx,
    kind: EventType,
    account: &Account,
    after: serde_json::Value,
) -> Result<()> {
    let event = NewEvent::new(kind, Resource::new("user", account.id, &account.name)).after(after);
    let actor = Actor::system("command line");
    append_instance_event_in(tx, app.clock(), &actor, &RequestContext::internal(), &event).await?;
    Ok(())
}

/// Somebody with an account, as the command line lists them.
#[derive(Debug)]
pub struct ListedUser {
    /// E-mail address.
    pub email: String,
    /// Name.
    pub name: String,
    /// Runs this server.
    pub is_operator: bool,
}

/// Everybody with an account.
pub async fn list_users(app: &App) -> Result<Vec<ListedUser>> {
    let mut tx = app.db().system(Purpose::Accounts).read().await?;
    let rows = queries::list_accounts(&mut tx).await?;
    tx.commit().await?;
    Ok(rows.into_iter().map(|(email, name, is_operator)| ListedUser { email, name, is_operator }).collect())
}
