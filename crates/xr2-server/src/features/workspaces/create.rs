//! Making a workspace.

use serde_json::json;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use uuid::Uuid;
use xr2_db::{DbError, Purpose, Tx};

use crate::auth::{Caller, Permissions, Role, random_token};
use crate::error::{ApiError, Code, FieldProblem};
use crate::events::{Change, EventType, NewEvent, Resource};
use crate::features::workspaces::dto::CreateWorkspace;
use crate::features::workspaces::{Membership, Settings, Workspace, queries};
use crate::http::one_line;
use crate::state::App;

type Result<T, E = DbError> = std::result::Result<T, E>;

/// Labels that every workspace begins with, and their colours.
const LABELS: &[(&str, &str, &str)] = &[
    ("production", "green", "What clients get unless they ask for something else"),
    ("staging", "yellow", "What is tried out before it goes live"),
];

/// A slug made from `name` that no workspace has. Runs in a system transaction.
pub async fn free_slug(tx: &mut Tx, name: &str) -> Result<String> {
    let base = slug_of(name);
    if !queries::slug_exists(tx, &base).await? {
        return Ok(base);
    }
    for number in 2..10 {
        let candidate = format!("{base}-{number}");
        if !queries::slug_exists(tx, &candidate).await? {
            return Ok(candidate);
        }
    }
    Ok(format!("{base}-{}", random_token(6).to_lowercase()))
}

/// A slug may be taken between being chosen and being written; then another is chosen.
const ATTEMPTS: usize = 4;

/// Workspaces that one person owns at most.
const MOST_OWNED: i64 = 100;

/// `POST /workspaces`: the caller becomes its owner.
pub(super) async fn create(
    app: &App,
    caller: &Caller,
    input: CreateWorkspace,
) -> Result<Workspace, ApiError> {
    let user = caller.user()?;
    let name = one_line("name", &input.name).map_err(|problem| ApiError::validation(vec![problem]))?;
    if let Some(slug) = &input.slug {
        check_slug(slug).map_err(|problem| ApiError::validation(vec![problem]))?;
    }
    for _ in 0..ATTEMPTS {
        let mut tx = app.db().system(Purpose::Memberships).write().await?;
        if queries::owned_by(&mut tx, user.id).await? >= MOST_OWNED {
            let message = format!("You own {MOST_OWNED} workspaces, which is as many as anybody may.");
            return Err(ApiError::new(Code::Conflict, message));
        }
        let slug = match &input.slug {
            Some(slug) => slug.clone(),
            None => free_slug(&mut tx, &name).await?,
        };
        let tx = tx.in_workspace(app.clock().new_id()).await?;
        let mut change = Change::begin_in(app, tx, caller.actor(), caller.context.clone());
        let (new, owner) = (New { slug, name: &name, personal: false }, (user.id, user.name.as_str()));
        match insert(&mut change, new, owner).await {
            Err(error) if error.is_unique("slug") && input.slug.is_some() => return Err(slug_taken()),
            Err(error) if error.is_unique("slug") => {}
            Err(error) => return Err(error.into()),
            Ok(membership) => {
                change.commit().await?;
                return Ok(Workspace::from(&membership));
            }
        }
    }
    Err(ApiError::internal("no free slug was found for a workspace"))
}

/// What is wrong with a slug that somebody chose.
pub(super) fn check_slug(slug: &str) -> Result<(), FieldProblem> {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if !slug.split('-').all(is_word) {
        let message = "must be lower-case letters and digits with single hyphens between";
        return Err(FieldProblem::new("slug", "invalid", message));
    }
    if Uuid::parse_str(slug).is_ok() {
        return Err(FieldProblem::new("slug", "invalid", "must not have the form of an id"));
    }
    Ok(())
}

pub(super) fn slug_taken() -> ApiError {
    let message = "Another workspace has this slug already. Choose another one.";
    let problem = FieldProblem::new("slug", "taken", message);
    ApiError::new(Code::Conflict, message).with_details(json!({ "errors": [problem] }))
}

/// Makes the personal workspace of a user, its first labels and its owner. `change` has entered the workspace.
pub async fn create_personal(
    change: &mut Change,
    slug: String,
    name: &str,
    owner: Uuid,
) -> Result<Membership> {
    insert(change, New { slug, name, personal: true }, (owner, name)).await
}

struct New<'a> {
    slug: String,
    name: &'a str,
    personal: bool,
}

async fn insert(change: &mut Change, new: New<'_>, owner: (Uuid, &str)) -> Result<Membership> {
    let now = change.app().clock().now();
    let membership = Membership {
        workspace: change.workspace(),
        slug: new.slug,
        name: new.name.to_owned(),
        plan: "self_hosted".into(),
        personal: new.personal,
        settings: Settings::default(),
        role: Role::Owner,
        permissions: Permissions::default(),
        created_at: now,
    };
    let actor = change.actor().clone();
    queries::insert(change.tx(), &membership).await?;
    for (label, color, description) in LABELS {
        queries::insert_label(change.tx(), label, color, description, &actor, now).await?;
    }
    let (owner, owner_name) = owner;
    queries::insert_member(change.tx(), owner, membership.role, now).await?;
    let workspace = Resource::new("workspace", membership.workspace, &membership.slug);
    change.record(
        NewEvent::new(EventType::WorkspaceCreated, workspace)
            .after(json!({ "name": new.name, "personal": new.personal })),
    );
    change.record(
        NewEvent::new(EventType::MemberAdded, Resource::new("user", owner, owner_name))
            .after(json!({ "role": membership.role })),
    );
    Ok(membership)
}

/// Lower-case ASCII letters and digits with single hyphens between, at most 40.
fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for c in name.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        match c {
            'ß' => slug.push_str("ss"),
            'æ' => slug.push_str("ae"),
            'ø' => slug.push('o'),
            'ł' => slug.push('l'),
            'a'..='z' | '0'..='9' => slug.push(c),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
        if slug.len() >= 40 {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() || Uuid::parse_str(slug).is_ok() { "workspace".into() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::slug_of;

    #[test]
    fn slugs_come_from_names() {
        assert_eq!(slug_of("Ann Example"), "ann-example");
        assert_eq!(slug_of("  José Müller-Weiß (Acme) "), "jose-muller-weiss-acme");
        assert_eq!(slug_of("山田太郎"), "workspace");
        assert_eq!(slug_of("a".repeat(90).as_str()).len(), 40);
        assert_eq!(slug_of("0190b9d2-1111-7000-8000-000000000000"), "workspace");
    }
}
