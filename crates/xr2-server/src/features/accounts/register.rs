//! Making an account together with its personal workspace.

use serde_json::json;
use xr2_db::{Purpose, Tx};

use crate::config::Registration;
use crate::error::{ApiError, Code, FieldProblem, Result};
use crate::events::{Actor, Change, EventType, NewEvent, Resource};
use crate::features::accounts::dto::{RegisterInput, Registered, User};
use crate::features::accounts::email::Email;
use crate::features::accounts::queries::{self, Account};
use crate::features::accounts::{password, sessions, setup};
use crate::features::workspaces::{self, Workspace};
use crate::http::{RequestContext, one_line};
use crate::state::App;

/// A slug may be taken between being chosen and being written; then another is chosen.
const ATTEMPTS: usize = 4;

/// What lets somebody make an account.
pub(super) enum Gate<'a> {
    /// The set-up link of an empty server.
    SetupLink(&'a str),
    /// Registration is open, and somebody has set the server up.
    Open,
    /// The operator at the server's command line.
    CommandLine,
}

/// An account about to be made.
pub(super) struct NewAccount {
    pub(super) email: Email,
    pub(super) name: String,
    pub(super) password_hash: String,
    pub(super) operator: bool,
}

/// `POST /auth/register`
pub(super) async fn register(
    app: &App,
    input: RegisterInput,
    context: &RequestContext,
) -> Result<Registered> {
    app.accounts().throttle.register(context, app.clock().now()).await?;
    let (email, name) = check(&input)?;
    let setup_token = input.setup_token.as_deref().map(str::trim).filter(|token| !token.is_empty());
    let gate = gate(app, setup_token).await?;
    if matches!(gate, Gate::Open) {
        // Before the costly hash; the insert decides.
        refuse_known(app, &email).await?;
    }
    let password_hash = app.accounts().hasher.hash(&input.password).await?;
    let operator = matches!(gate, Gate::SetupLink(_));
    let made = make(app, NewAccount { email, name, password_hash, operator }, &gate, context, true).await?;
    let Made { account, workspace, token } = made;
    Ok(Registered { user: user(&account), workspace, token })
}

pub(super) fn check(input: &RegisterInput) -> Result<(Email, String)> {
    let mut problems = Vec::new();
    let email = Email::parse(&input.email);
    if email.is_none() {
        problems.push(FieldProblem::new("email", "invalid", "must be an e-mail address"));
    }
    problems.extend(password::problem("password", &input.password, &input.email));
    let name = one_line("name", &input.name).map_err(|problem| problems.push(problem)).ok();
    match (email, name) {
        (Some(email), Some(name)) if problems.is_empty() => Ok((email, name)),
        _ => Err(ApiError::validation(problems)),
    }
}

/// Whether the way in is open at all. An empty server is only ever opened by its link: otherwise whoever comes first
/// would own it.
async fn gate<'a>(app: &App, setup_token: Option<&'a str>) -> Result<Gate<'a>> {
    if let Some(token) = setup_token {
        return Ok(Gate::SetupLink(token));
    }
    let mut tx = app.db().system(Purpose::Accounts).read().await?;
    let in_use = queries::has_accounts(&mut tx).await?;
    tx.commit().await?;
    if !in_use {
        return Err(ApiError::forbidden(
            "This server is not set up yet. Open the set-up link that it printed when it started.",
        ));
    }
    match app.config().registration() {
        Registration::Open => Ok(Gate::Open),
        Registration::Invite => Err(ApiError::forbidden(
            "Registration is by invitation. Ask an admin of your team to invite you.",
        )),
        Registration::Closed => Err(ApiError::forbidden("Registration is closed on this server.")),
    }
}

async fn refuse_known(app: &App, email: &Email) -> Result<()> {
    let mut tx = app.db().system(Purpose::Accounts).read().await?;
    let known = queries::account_by_email(&mut tx, &email.key).await?;
    tx.commit().await?;
    if known.is_some() { Err(taken()) } else { Ok(()) }
}

fn taken() -> ApiError {
    let message = "There is an account with this e-mail address already. Sign in instead.";
    let problem = FieldProblem::new("email", "taken", message);
    ApiError::new(Code::Conflict, message).with_details(json!({ "errors": [problem] }))
}

/// What was made.
pub(super) struct Made {
    pub(super) account: Account,
    pub(super) workspace: Workspace,
    /// Of the first session; empty when none was asked for.
    pub(super) token: String,
}

/// Makes account, personal workspace, membership and (if asked) session: all or nothing.
pub(super) async fn make(
    app: &App,
    new: NewAccount,
    gate: &Gate<'_>,
    context: &RequestContext,
    sign_in: bool,
) -> Result<Made> {
    for _ in 0..ATTEMPTS {
        match attempt(app, &new, gate, context, sign_in).await {
            Err(Failure::SlugTaken) => {}
            Err(Failure::Other(error)) => return Err(error),
            Ok(made) => return Ok(made),
        }
    }
    Err(ApiError::internal("no free slug was found for a personal workspace"))
}

enum Failure {
    SlugTaken,
    Other(ApiError),
}

impl<E: Into<ApiError>> From<E> for Failure {
    #[track_caller]
    fn from(error: E) -> Failure {
        Failure::Other(error.into())
    }
}

async fn attempt(
    app: &App,
    new: &NewAccount,
    gate: &Gate<'_>,
    context: &RequestContext,
    sign_in: bool,
) -> Result<Made, Failure> {
    let mut tx = app.db().system(Purpose::Accounts).write().await?;
    if let Gate::SetupLink(token) = gate {
        setup::use_link(&mut tx, token).await?;
    }
    let account = insert(app, &mut tx, new).await?;
    let token =
        if sign_in { sessions::open(app, &mut tx, account.id, context).await? } else { String::new() };
    let slug = workspaces::free_slug(&mut tx, &new.name).await?;
    let workspace = app.clock().new_id();
    let tx = tx.in_workspace(workspace).await?;
    let actor = match gate {
        Gate::CommandLine => Actor::system("command line"),
        _ => Actor::user(account.id, &account.name),
    };
    let mut change = Change::begin_in(app, tx, actor, context.clone());
    let made = workspaces::create_personal(&mut change, slug, &account.name, account.id).await;
    let membership = made.map_err(|error| match error.is_unique("slug") {
        true => Failure::SlugTaken,
        false => error.into(),
    })?;
    change.record(
        NewEvent::new(EventType::UserRegistered, Resource::new("user", account.id, &account.name))
            .after(json!({ "operator": account.is_operator })),
    );
    change.commit().await?;
    Ok(Made { account, workspace: Workspace::from(&membership), token })
}

pub(super) async fn insert(app: &App, tx: &mut Tx, new: &NewAccount) -> Result<Account> {
    let now = app.clock().now();
    let account = Account {
        id: app.clock().new_id(),
        email: new.email.text.clone(),
        name: new.name.clone(),
        password_hash: new.password_hash.clone(),
        avatar_url: None,
        preferences: json!({}),
        is_operator: new.operator,
        disabled: false,
        created_at: now,
        updated_at: now,
    };
    queries::insert_account(tx, &account, &new.email.key)
        .await
        .map_err(|error| if error.is_unique("email_key") { taken() } else { error.into() })?;
    Ok(account)
}

pub(super) fn user(account: &Account) -> User {
    User {
        id: account.id,
        email: account.email.clone(),
        name: account.name.clone(),
        avatar_url: account.avatar_url.clone(),
        preferences: account.preferences.clone(),
        is_operator: account.is_operator,
        created_at: account.created_at,
        updated_at: account.updated_at,
    }
}
