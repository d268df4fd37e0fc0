//! Making a workspace.

use serde_json::json;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use uuid::Uuid;
use xr2_db::{Result, Tx};

use crate::auth::{Role, random_token};
use crate::events::{Change, EventType, NewEvent, Resource};
use crate::features::workspaces::{Membership, queries};

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

/// Makes the personal workspace of a new user, its first labels and its owner, in the transaction that made the user.
/// `change` has entered the workspace.
pub async fn create_personal(
    change: &mut Change,
    slug: String,
    name: &str,
    owner: Uuid,
) -> Result<Membership> {
    let now = change.app().clock().now();
    let membership = Membership {
        workspace: change.workspace(),
        slug,
        name: name.to_owned(),
        plan: "self_hosted".into(),
        role: Role::Owner,
        created_at: now,
    };
    let actor = change.actor().clone();
    queries::insert(change.tx(), &membership, true).await?;
    for (label, color, description) in LABELS {
        queries::insert_label(change.tx(), label, color, description, &actor, now).await?;
    }
    queries::insert_member(change.tx(), owner, membership.role, now).await?;
    let workspace = Resource::new("workspace", membership.workspace, &membership.slug);
    change.record(
        NewEvent::new(EventType::WorkspaceCreated, workspace)
            .after(json!({ "name": name, "personal": true })),
    );
    change.record(
        NewEvent::new(EventType::MemberAdded, Resource::new("user", owner, name))
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
