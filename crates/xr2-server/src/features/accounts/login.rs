//! Signing in and out. Neither the answer nor the time it takes tells whether an address is known.

use uuid::Uuid;
use xr2_db::Purpose;

use crate::auth::Caller;
use crate::error::{ApiError, Code, Result};
use crate::events::{Actor, EventType, NewEvent, Resource, append_instance_event, append_instance_event_in};
use crate::features::accounts::dto::{LoginInput, SignedInAnswer};
use crate::features::accounts::email::Email;
use crate::features::accounts::password::Verdict;
use crate::features::accounts::queries::{self, Account};
use crate::features::accounts::{register, sessions};
use crate::features::workspaces::{self, Workspace};
use crate::http::RequestContext;
use crate::state::App;

/// `POST /auth/login`
pub(super) async fn login(app: &App, input: LoginInput, context: &RequestContext) -> Result<SignedInAnswer> {
    // What is no address is counted and hashed like one that nobody has.
    let key = Email::parse(&input.email).map_or_else(|| input.email.to_lowercase(), |email| email.key);
    let attempt = app.accounts().throttle.sign_in(&key, context, app.clock().now()).await?;
    let mut tx = app.db().system(Purpose::Accounts).read().await?;
    let found = queries::account_by_email(&mut tx, &key).await?;
    tx.commit().await?;
    let usable = found.as_ref().filter(|account| !account.disabled);
    let stored = usable.map(|account| account.password_hash.as_str());
    let verdict = app.accounts().hasher.verify(&input.password, stored).await?;
    match usable {
        Some(account) if verdict.right => {
            attempt.forgive().await;
            let hash = renew_hash(app, account, &input.password, verdict).await?;
            open(app, account, &hash, context).await
        }
        _ => {
            note_failure(app, found.as_ref(), context).await;
            Err(wrong())
        }
    }
}

/// The one answer to every failed sign-in.
pub(super) fn wrong() -> ApiError {
    ApiError::new(Code::InvalidCredentials, "E-mail address and password do not belong together.")
}

/// Opens a session, unless the password that was just verified has been changed meanwhile.
async fn open(app: &App, account: &Account, hash: &str, context: &RequestContext) -> Result<SignedInAnswer> {
    let mut tx = app.db().system(Purpose::Accounts).write().await?;
    if !queries::still_has_password(&mut tx, account.id, hash).await? {
        return Err(wrong());
    }
    let token = sessions::open(app, &mut tx, account.id, context).await?;
    let memberships = workspaces::memberships_of(&mut tx, account.id).await?;
    let actor = Actor::user(account.id, &account.name);
    let event = NewEvent::new(EventType::LoginSucceeded, Resource::new("user", account.id, &account.name));
    append_instance_event_in(&mut tx, app.clock(), &actor, context, &event).await?;
    tx.commit().await?;
    let workspaces = memberships.iter().map(Workspace::from).collect();
    Ok(SignedInAnswer { user: register::user(account), workspaces, token })
}

/// Hashes again with today's parameters, now that the password is at hand. Returns the hash that is stored now.
async fn renew_hash(app: &App, account: &Account, password: &str, verdict: Verdict) -> Result<String> {
    if !verdict.outdated {
        return Ok(account.password_hash.clone());
    }
    let hash = app.accounts().hasher.hash(password).await?;
    let mut tx = app.db().system(Purpose::Accounts).write().await?;
    queries::renew_hash(&mut tx, account.id, &account.password_hash, &hash).await?;
    tx.commit().await?;
    Ok(hash)
}

/// The address is kept only when it is somebody's: what else people type there may be a password. That the event cannot
/// be written must not change the answer.
async fn note_failure(app: &App, account: Option<&Account>, context: &RequestContext) {
    let resource = Resource {
        kind: "user",
        id: account.map(|account| account.id),
        name: account.map(|account| account.email.clone()),
    };
    let event = NewEvent::new(EventType::LoginFailed, resource);
    let actor = Actor::system("sign-in");
    if let Err(error) = append_instance_event(app.db(), app.clock(), &actor, context, &event).await {
        tracing::warn!(%error, "a failed sign-in could not be recorded");
    }
}

/// `POST /auth/logout`: ends the session that asks.
pub(super) async fn logout(app: &App, caller: &Caller) -> Result<()> {
    let session: Uuid = caller.user()?.session;
    match sessions::revoke(app, caller, session).await {
        // Ended meanwhile: that is what was asked for.
        Err(error) if error.code == Code::NotFound => Ok(()),
        outcome => outcome,
    }
}
