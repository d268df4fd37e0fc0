//! Routes of accounts.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use uuid::Uuid;
use xr2_db::Purpose;

use crate::auth::{Identity, Person, SignedIn, refuse_other_sites};
use crate::error::{ApiError, Code, Result};
use crate::features::accounts::dto::{
    AuthStatus, Done, LoginInput, Me, MeKind, PasswordInput, Profile, ProfileInput, RegisterInput,
    Registered, RevokedSessions, Session, SignedInAnswer, User,
};
use crate::features::accounts::{cookie, profile, queries, sessions};
use crate::features::api_keys;
use crate::features::workspaces::Workspace;
use crate::http::{Body, Envelope, Reply, RequestContext};
use crate::state::App;

/// What a sign-in page needs to know
#[utoipa::path(get, path = "/auth/status", tag = "Accounts", security(()), responses(
    (status = 200, description = "Whether the server is set up and who may register", body = Envelope<AuthStatus>)))]
pub async fn status(State(app): State<App>) -> Result<Reply<AuthStatus>> {
    let mut tx = app.db().system(Purpose::Instance).read().await?;
    let in_use = queries::has_accounts(&mut tx).await?;
    let demo = crate::queries::setting(&mut tx, "demo").await?.is_some();
    tx.commit().await?;
    let public_url = Some(app.config().public_url.clone()).filter(|url| !url.is_empty());
    Ok(Reply::ok(AuthStatus {
        setup_required: !in_use,
        registration: app.config().registration(),
        demo,
        version: env!("CARGO_PKG_VERSION"),
        public_url,
    }))
}

/// Make an account
///
/// Signs in at once (cookie and token) and makes a personal workspace. An empty server takes its first account, the
/// operator's, only with the token of the set-up link that it prints.
#[utoipa::path(post, path = "/auth/register", tag = "Accounts", security(()), request_body = RegisterInput, responses(
    (status = 201, description = "Made and signed in", body = Envelope<Registered>),
    (status = 403, description = "Registration is not open, or the set-up link is wrong or used"),
    (status = 409, description = "There is an account with this address"),
    (status = 422, description = "Fields are not valid"),
    (status = 429, description = "Too many attempts from this network")))]
pub async fn register(
    State(app): State<App>,
    context: RequestContext,
    headers: HeaderMap,
    Body(input): Body<RegisterInput>,
) -> Result<Reply<Registered>> {
    refuse_other_sites(&headers, &app.config().public_url)?;
    let made = super::register::register(&app, input, &context).await?;
    let cookie = super::session_cookie(&app, &made.token, context.secure)?;
    Ok(Reply::created(made).header(header::SET_COOKIE, cookie))
}

/// Sign in
///
/// Sets the session cookie and answers with a token for clients without cookies.
#[utoipa::path(post, path = "/auth/login", tag = "Accounts", security(()), request_body = LoginInput, responses(
    (status = 200, description = "Signed in", body = Envelope<SignedInAnswer>),
    (status = 401, description = "Address and password do not belong together (INVALID_CREDENTIALS)"),
    (status = 429, description = "Too many failed attempts")))]
pub async fn login(
    State(app): State<App>,
    context: RequestContext,
    headers: HeaderMap,
    Body(input): Body<LoginInput>,
) -> Result<Reply<SignedInAnswer>> {
    refuse_other_sites(&headers, &app.config().public_url)?;
    let answer = super::login::login(&app, input, &context).await?;
    let cookie = super::session_cookie(&app, &answer.token, context.secure)?;
    Ok(Reply::ok(answer).header(header::SET_COOKIE, cookie))
}

/// Sign out
///
/// Ends the session and takes the cookie away. Doing it twice is no error.
#[utoipa::path(post, path = "/auth/logout", tag = "Accounts", responses(
    (status = 200, description = "Signed out", body = Envelope<Done>),
    (status = 403, description = "An API key cannot sign out, nor can another site")))]
pub async fn logout(
    State(app): State<App>,
    context: RequestContext,
    caller: Result<SignedIn, ApiError>,
) -> Result<Reply<Done>> {
    match caller {
        Ok(SignedIn(caller)) => super::login::logout(&app, &caller).await?,
        Err(error) if error.code == Code::Unauthenticated => {}
        Err(error) => return Err(error),
    }
    Ok(Reply::ok(Done {}).header(header::SET_COOKIE, cookie::clear(context.secure)?))
}

/// Whose credential this is
#[utoipa::path(get, path = "/auth/me", tag = "Accounts", responses(
    (status = 200, description = "The person or key", body = Envelope<Me>),
    (status = 401, description = "No valid credential")))]
pub async fn me(State(app): State<App>, SignedIn(caller): SignedIn) -> Result<Reply<Me>> {
    let me = match &caller.identity {
        Identity::Session(user) => Me {
            kind: MeKind::Session,
            user: Some(User::from(&**user)),
            workspaces: user.memberships.iter().map(Workspace::from).collect(),
            api_key: None,
        },
        Identity::Key(key) => Me {
            kind: MeKind::ApiKey,
            user: None,
            workspaces: vec![crate::features::workspaces::of_key(&app, key.workspace, key.rights).await?],
            api_key: Some(api_keys::describe(&app, key.workspace, key.id).await?),
        },
        Identity::Internal(_) => return Err(ApiError::unauthenticated("Sign in, or send an API key.")),
    };
    Ok(Reply::ok(me))
}

/// Change one's own profile
#[utoipa::path(put, path = "/auth/me", tag = "Accounts", request_body = ProfileInput, responses(
    (status = 200, description = "Changed", body = Envelope<Profile>),
    (status = 403, description = "An API key has no profile"),
    (status = 422, description = "Fields are not valid")))]
pub async fn update_me(
    State(app): State<App>,
    Person(caller): Person,
    Body(input): Body<ProfileInput>,
) -> Result<Reply<Profile>> {
    let user = profile::update(&app, &caller, input).await?;
    Ok(Reply::ok(Profile { user }))
}

/// Change one's own password
///
/// Ends all other sessions.
#[utoipa::path(post, path = "/auth/password", tag = "Accounts", request_body = PasswordInput, responses(
    (status = 200, description = "Changed", body = Envelope<Done>),
    (status = 401, description = "Not the present password (INVALID_CREDENTIALS)"),
    (status = 422, description = "The new password is too weak"),
    (status = 429, description = "Too many failed attempts")))]
pub async fn change_password(
    State(app): State<App>,
    Person(caller): Person,
    Body(input): Body<PasswordInput>,
) -> Result<Reply<Done>> {
    profile::change_password(&app, &caller, input).await?;
    Ok(Reply::ok(Done {}))
}

/// List one's own sessions
#[utoipa::path(get, path = "/auth/sessions", tag = "Accounts", responses(
    (status = 200, description = "Live sessions, the one used last first", body = Envelope<Vec<Session>>),
    (status = 403, description = "An API key has no sessions")))]
pub async fn list_sessions(State(app): State<App>, Person(caller): Person) -> Result<Reply<Vec<Session>>> {
    Ok(Reply::ok(sessions::list(&app, caller.user()?).await?))
}

/// End one of one's own sessions
#[utoipa::path(delete, path = "/auth/sessions/{id}", tag = "Accounts",
    params(("id" = Uuid, Path, description = "The session")),
    responses((status = 200, description = "Ended, in force at once", body = Envelope<Done>),
        (status = 404, description = "You have no such session")))]
pub async fn revoke_session(
    State(app): State<App>,
    Person(caller): Person,
    Path(id): Path<String>,
) -> Result<Reply<Done>> {
    let id: Uuid = id.parse().map_err(|_| ApiError::not_found("session"))?;
    sessions::revoke(&app, &caller, id).await?;
    Ok(Reply::ok(Done {}))
}

/// End all of one's own sessions but this one
#[utoipa::path(delete, path = "/auth/sessions", tag = "Accounts", responses(
    (status = 200, description = "How many were ended", body = Envelope<RevokedSessions>),
    (status = 403, description = "An API key has no sessions")))]
pub async fn revoke_other_sessions(
    State(app): State<App>,
    Person(caller): Person,
) -> Result<Reply<RevokedSessions>> {
    let revoked = sessions::revoke_others(&app, &caller).await?;
    Ok(Reply::ok(RevokedSessions { revoked }))
}
