//! Extractors that let a request in.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, RawPathParams};
use axum::http::request::Parts;
use uuid::Uuid;

use crate::auth::credentials::other_site;
use crate::auth::{Credential, Right, Rights, Role, credential, is_same_origin, token_hash};
use crate::error::{ApiError, Code, Result};
use crate::events::Actor;
use crate::features::accounts::{self, SessionUser};
use crate::features::api_keys::{self, KeyPrincipal};
use crate::features::workspaces::Membership;
use crate::http::{CookieSlot, Params, RequestContext};
use crate::idempotency;
use crate::state::App;

/// Who sent the request, before a workspace is chosen.
#[derive(Clone)]
pub struct Caller {
    /// Where it came from.
    pub context: RequestContext,
    /// Person or key.
    pub identity: Identity,
}

/// A person in a session, or a key.
#[derive(Clone)]
pub enum Identity {
    /// A signed-in person.
    Session(Arc<SessionUser>),
    /// An API key.
    Key(Arc<KeyPrincipal>),
    /// xr2 itself, or somebody it acts for without a request: imports, the demo.
    Internal(Actor),
}

impl Caller {
    /// How events name the caller.
    pub fn actor(&self) -> Actor {
        match &self.identity {
            Identity::Session(user) => Actor::user(user.id, &user.name),
            Identity::Key(key) => Actor::key(key.id, &key.name),
            Identity::Internal(actor) => actor.clone(),
        }
    }

    /// Whether the instance's operator is at the keyboard. Keys never are.
    pub fn is_operator(&self) -> bool {
        matches!(&self.identity, Identity::Session(user) if user.is_operator)
    }

    /// The signed-in person; keys are refused.
    pub fn user(&self) -> Result<&SessionUser> {
        match &self.identity {
            Identity::Session(user) => Ok(user),
            Identity::Key(_) | Identity::Internal(_) => {
                Err(ApiError::forbidden("This needs a signed-in person; an API key cannot do it."))
            }
        }
    }
}

/// A caller in a workspace.
#[derive(Clone)]
pub struct Access {
    /// Who.
    pub caller: Caller,
    /// Where.
    pub workspace: Uuid,
    /// The person's role; none for keys.
    pub role: Option<Role>,
    /// What they may do there.
    pub rights: Rights,
}

impl Access {
    /// xr2 itself at work in a workspace, with an owner's rights.
    pub fn internal(workspace: Uuid, name: &str) -> Access {
        Access::internal_as(workspace, Actor::system(name))
    }

    /// Work in a workspace that is put down to `actor`, with an owner's rights.
    pub fn internal_as(workspace: Uuid, actor: Actor) -> Access {
        let caller = Caller { context: RequestContext::internal(), identity: Identity::Internal(actor) };
        Access { caller, workspace, role: Some(Role::Owner), rights: Role::Owner.rights() }
    }

    /// How events name the caller.
    pub fn actor(&self) -> Actor {
        self.caller.actor()
    }

    /// The request's origin.
    pub fn context(&self) -> &RequestContext {
        &self.caller.context
    }

    /// 403 unless the caller has `right`.
    pub fn require(&self, right: Right) -> Result<()> {
        if self.rights.has(right) { Ok(()) } else { Err(denied(right, &self.caller.identity)) }
    }

    /// Labels a key is confined to; `None`: all.
    pub fn labels(&self) -> Option<&[String]> {
        match &self.caller.identity {
            Identity::Key(key) if !key.labels.is_empty() => Some(&key.labels),
            _ => None,
        }
    }

    /// Whether the dashboard (a person) is asking; its fetches count nowhere.
    pub fn is_person(&self) -> bool {
        matches!(self.caller.identity, Identity::Session(_))
    }
}

fn denied(right: Right, identity: &Identity) -> ApiError {
    let what = match right {
        Right::Deliver => "fetch prompts",
        Right::Read => "read this",
        Right::Write => "change anything",
        Right::Publish => "publish",
        Right::Remove => "delete prompts",
        Right::Keys => "manage API keys",
        Right::Members => "manage members",
        Right::Admin => "manage labels and settings",
        Right::Own => "do what only the owner may",
    };
    let who = match identity {
        Identity::Session(_) | Identity::Internal(_) => "Your role in this workspace does not allow you to",
        Identity::Key(_) => "This API key's scopes (or its maker's present role) do not allow it to",
    };
    ApiError::forbidden(format!("{who} {what}."))
}

/// A right as a type, for [`Allow`].
pub trait Need: Send + Sync {
    /// The right.
    const RIGHT: Right;
}

macro_rules! needs {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        pub struct $name;
        impl Need for $name { const RIGHT: Right = Right::$name; }
    )*};
}
needs! {
    /// [`Right::Deliver`]
    Deliver,
    /// [`Right::Read`]
    Read,
    /// [`Right::Write`]
    Write,
    /// [`Right::Publish`]
    Publish,
    /// [`Right::Remove`]
    Remove,
    /// [`Right::Keys`]
    Keys,
    /// [`Right::Members`]
    Members,
    /// [`Right::Admin`]
    Admin,
    /// [`Right::Own`]
    Own,
}

/// Lets in callers who have the right `R` in the request's workspace.
pub struct Allow<R: Need>(pub Access, PhantomData<R>);

impl<R: Need> Deref for Allow<R> {
    type Target = Access;

    fn deref(&self) -> &Access {
        &self.0
    }
}

impl<R: Need> FromRequestParts<App> for Allow<R> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let access = access(parts, app).await?;
        if let Err(error) = access.require(R::RIGHT) {
            let actor = access.actor();
            app.denials().note(app, Some(access.workspace), actor, access.context(), &route(parts)).await;
            return Err(error);
        }
        idempotency::claim(app, &access.caller, Some(access.workspace)).await?;
        Ok(Allow(access, PhantomData))
    }
}

/// Lets in people, not keys, who have the right `R` in the request's workspace: what a leaked key could do here would
/// outlive it.
pub struct AllowPerson<R: Need>(pub Access, PhantomData<R>);

impl<R: Need> Deref for AllowPerson<R> {
    type Target = Access;

    fn deref(&self) -> &Access {
        &self.0
    }
}

impl<R: Need> FromRequestParts<App> for AllowPerson<R> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let Allow(access, right) = Allow::<R>::from_request_parts(parts, app).await?;
        access.caller.user()?;
        Ok(AllowPerson(access, right))
    }
}

/// Lets in anyone with a valid credential, without choosing a workspace.
pub struct SignedIn(pub Caller);

impl FromRequestParts<App> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let caller = caller(parts, app).await?;
        idempotency::claim(app, &caller, None).await?;
        Ok(SignedIn(caller))
    }
}

/// Lets in a signed-in person, without choosing a workspace; keys are refused before anything else is looked at.
pub struct Person(pub Caller);

impl FromRequestParts<App> for Person {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let caller = caller(parts, app).await?;
        caller.user()?;
        idempotency::claim(app, &caller, None).await?;
        Ok(Person(caller))
    }
}

/// Lets in the instance's operator.
pub struct Operator(pub Caller);

impl FromRequestParts<App> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let caller = caller(parts, app).await?;
        if caller.is_operator() {
            return Ok(Operator(caller));
        }
        app.denials().note(app, None, caller.actor(), &caller.context, &route(parts)).await;
        Err(ApiError::forbidden("Only the operator of this server may do this."))
    }
}

/// Method and route, such as `POST /api/v1/api-keys`.
fn route(parts: &Parts) -> String {
    let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    format!("{} {path}", parts.method)
}

/// Among a request's extensions: it was let in before and looks whether it still may. That is no use of its key, and
/// counts towards no limit.
#[derive(Debug, Clone, Copy)]
pub struct Recheck;

async fn caller(parts: &mut Parts, app: &App) -> Result<Caller> {
    let context = parts.extensions.get::<RequestContext>().cloned().unwrap_or_else(RequestContext::internal);
    let identity = match credential(&parts.headers)? {
        None => {
            return Err(ApiError::unauthenticated(
                "Sign in, or send an API key as: Authorization: Bearer xr2_…",
            ));
        }
        Some(Credential::Key(key)) => {
            let headers = &parts.headers;
            let principal = match parts.extensions.get::<Recheck>() {
                None => api_keys::authenticate(app, key, &context, headers).await?,
                Some(Recheck) => api_keys::recheck(app, key, &context, headers).await?,
            };
            Identity::Key(principal)
        }
        Some(Credential::Session { token, cookie }) => {
            if cookie && !is_same_origin(&parts.method, &parts.headers, &app.config().public_url) {
                return Err(other_site());
            }
            let user = accounts::authenticate(app, &token_hash(token)).await?;
            if let Some(slot) = parts.extensions.get::<CookieSlot>().filter(|_| cookie && user.extends) {
                slot.put(accounts::session_cookie(app, token, context.secure)?);
            }
            Identity::Session(user)
        }
    };
    context.standing.verify();
    Ok(Caller { context, identity })
}

async fn access(parts: &mut Parts, app: &App) -> Result<Access> {
    let caller = caller(parts, app).await?;
    let named = named_workspace(parts).await?;
    match &caller.identity {
        Identity::Key(key) => {
            let matches = |name: &String| *name == key.workspace_slug || name.parse() == Ok(key.workspace);
            if let Some(other) = named.iter().find(|name| !matches(name)) {
                return Err(ApiError::new(
                    Code::WorkspaceConflict,
                    format!("This API key belongs to the workspace {}, not to {other}.", key.workspace_slug),
                ));
            }
            let workspace = key.workspace;
            let rights = if key.labels.is_empty() { key.rights } else { key.rights.confined_to_labels() };
            Ok(Access { caller, workspace, role: None, rights })
        }
        Identity::Session(user) => {
            let membership = choose(&user.memberships, &named)?;
            let (workspace, role, rights) = (membership.workspace, membership.role, membership.rights());
            Ok(Access { caller, workspace, role: Some(role), rights })
        }
        // Requests carry a session or a key; see `caller`.
        Identity::Internal(_) => Err(ApiError::unauthenticated("Sign in, or send an API key.")),
    }
}

/// Every way a request can name its workspace.
async fn named_workspace(parts: &mut Parts) -> Result<Vec<String>> {
    let mut named = Vec::new();
    if let Ok(path) = <RawPathParams as FromRequestParts<()>>::from_request_parts(parts, &()).await {
        named.extend(path.iter().filter(|(name, _)| *name == "ws").map(|(_, value)| value.to_owned()));
    }
    if let Some(header) = parts.headers.get("x-workspace") {
        named.push(header.to_str().unwrap_or("").trim().to_owned());
    }
    if let Some(query) = parts.uri.query()
        && (query.contains("workspace") || query.contains("organizationId"))
    {
        let params = Params::parse(query)?;
        named.extend(
            ["workspace", "organizationId"].iter().filter_map(|name| params.get(name)).map(str::to_owned),
        );
    }
    named.retain(|name| !name.is_empty());
    Ok(named)
}

fn choose<'a>(memberships: &'a [Membership], named: &[String]) -> Result<&'a Membership> {
    let find = |name: &String| {
        memberships
            .iter()
            .find(|m| m.slug == *name || name.parse() == Ok(m.workspace))
            .ok_or_else(|| ApiError::not_found("workspace"))
    };
    match named {
        [] => match memberships {
            [only] => Ok(only),
            [] => Err(ApiError::new(Code::WorkspaceRequired, "You are not a member of any workspace.")),
            several => {
                let names: Vec<&str> = several.iter().map(|m| m.slug.as_str()).collect();
                let message = "You are a member of several workspaces. Name one with the header X-Workspace or ?workspace=.";
                Err(ApiError::new(Code::WorkspaceRequired, message)
                    .with_details(serde_json::json!({ "workspaces": names })))
            }
        },
        [first, rest @ ..] => {
            let chosen = find(first)?;
            for other in rest {
                if find(other)?.workspace != chosen.workspace {
                    let message = "The request names two different workspaces.";
                    return Err(ApiError::new(Code::WorkspaceConflict, message));
                }
            }
            Ok(chosen)
        }
    }
}
