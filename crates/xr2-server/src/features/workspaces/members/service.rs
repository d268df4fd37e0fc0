//! Changing what members may do, removing them, handing a workspace over. All of it is in force at once, for their API keys
//! and open streams as well.

use serde_json::json;
use uuid::Uuid;
use xr2_db::Purpose;

use crate::auth::{Access, Permissions, Right, Rights, Role};
use crate::error::{ApiError, Code, FieldProblem, Result};
use crate::events::{Change, EventType, NewEvent, Resource};
use crate::features::api_keys::{self, ApiKey};
use crate::features::workspaces::members::dto::{
    AffectedKey, ChangedMember, Effect, Member, RemovedMember, Transferred, UpdateMember,
};
use crate::features::workspaces::members::{Standing, queries, standing};
use crate::state::App;

/// `PUT …/members/{user}`
pub(super) async fn update(
    app: &App,
    access: &Access,
    user: Uuid,
    input: UpdateMember,
) -> Result<ChangedMember> {
    let member = find(app, access.workspace, user).await?.ok_or_else(not_found)?;
    let mut change = Change::begin(app, access).await?;
    let own = standing(change.tx(), access, Right::Members).await?;
    let before = queries::standing(change.tx(), user).await?.ok_or_else(not_found)?;
    let after = wanted(before, &input)?;
    let mut effects = Effects::default();
    if after != before {
        if !before.rights().is_within(own) {
            return Err(ApiError::forbidden("You cannot change a member who may do more than you."));
        }
        if !after.rights().is_within(own) {
            return Err(ApiError::forbidden("You cannot let anybody do more than you may do yourself."));
        }
        effects = put(&mut change, &member, before, after).await?;
        change.commit().await?;
    }
    let member = find(app, access.workspace, user).await?.ok_or_else(not_found)?;
    Ok(ChangedMember { member, affected_keys: effects.keys, revoked_invitations: effects.invitations })
}

/// What the input makes of a member. A new role begins afresh: permissions that were meant for the former one are gone
/// unless they are given again.
fn wanted(before: Standing, input: &UpdateMember) -> Result<Standing> {
    let role = input.role.unwrap_or(before.role);
    let kept = if role == before.role { before.permissions } else { Permissions::default() };
    let permissions = input.permissions.unwrap_or(kept);
    if role == Role::Owner && !permissions.is_empty() {
        let message = "must be empty for an owner, who may do everything";
        return Err(ApiError::invalid_field("permissions", "invalid", message));
    }
    Ok(Standing { role, permissions })
}

/// What follows from somebody being able to do less.
#[derive(Default)]
struct Effects {
    keys: Vec<AffectedKey>,
    invitations: i64,
}

async fn put(change: &mut Change, member: &Member, before: Standing, after: Standing) -> Result<Effects> {
    let user = member.user.id;
    if before.role == Role::Owner && after.role != Role::Owner {
        refuse_last_owner(change).await?;
    }
    let now = change.app().clock().now();
    queries::set_standing(change.tx(), user, after, now).await?;
    let effects = follow(change, user, before.rights(), after.rights()).await?;
    let facts = |standing: Standing| json!({ "role": standing.role, "permissions": standing.permissions });
    change.record(
        NewEvent::new(EventType::MemberUpdated, Resource::new("user", user, &member.user.name))
            .before(facts(before))
            .after(facts(after)),
    );
    Ok(effects)
}

async fn refuse_last_owner(change: &mut Change) -> Result<()> {
    if queries::owners(change.tx()).await? > 1 {
        return Ok(());
    }
    Err(ApiError::new(
        Code::Conflict,
        "This is the workspace's last owner. Make somebody else owner first, or delete the workspace.",
    ))
}

/// Names the keys that may do less now (they are cut by what their maker may do), and takes back the invitations that
/// could not be made any more.
async fn follow(change: &mut Change, user: Uuid, before: Rights, after: Rights) -> Result<Effects> {
    let now = change.app().clock().now();
    let keys = api_keys::usable_of(change.tx(), user, now).await?;
    let keys = keys.iter().filter_map(|key| affected(key, before, after)).collect();
    let may_invite = |role: Role| after.has(Right::Members) && role.rights().is_within(after);
    let mut invitations = 0;
    for role in [Role::Viewer, Role::Editor, Role::Admin, Role::Owner] {
        if may_invite(role) {
            continue;
        }
        for (id, email) in queries::revoke_invitations(change.tx(), user, role, now).await? {
            let resource = Resource::new("invitation", id, &email);
            change.record(NewEvent::new(EventType::InvitationRevoked, resource));
            invitations += 1;
        }
    }
    Ok(Effects { keys, invitations })
}

fn affected(key: &ApiKey, before: Rights, after: Rights) -> Option<AffectedKey> {
    let scopes = crate::auth::Scope::union(&key.scopes);
    let (before, after) = (scopes.and(before), scopes.and(after));
    if before == after {
        return None;
    }
    let lost = before.names().into_iter().filter(|name| !after.names().contains(name)).collect();
    let effect = match (after.has(Right::Deliver), before.is_within(after)) {
        (false, _) => Effect::Stopped,
        (true, true) => Effect::Widened,
        (true, false) => Effect::Reduced,
    };
    let (name, prefix, last4) = (key.name.clone(), key.prefix.clone(), key.last4.clone());
    Some(AffectedKey { id: key.id, name, prefix, last4, effect, lost })
}

/// `DELETE …/members/{user}`: by somebody who manages members, or by the member.
pub(super) async fn remove(app: &App, access: &Access, user: Uuid) -> Result<RemovedMember> {
    let is_leaving = access.caller.user()?.id == user;
    let needed = if is_leaving { Right::Read } else { Right::Members };
    access.require(needed)?;
    let member = find(app, access.workspace, user).await?.ok_or_else(not_found)?;
    let mut change = Change::begin(app, access).await?;
    let own = standing(change.tx(), access, needed).await?;
    let before = queries::standing(change.tx(), user).await?.ok_or_else(not_found)?;
    if !is_leaving && !before.rights().is_within(own) {
        return Err(ApiError::forbidden("You cannot remove a member who may do more than you."));
    }
    if before.role == Role::Owner {
        refuse_last_owner(&mut change).await?;
    }
    queries::remove(change.tx(), user).await?;
    let effects = follow(&mut change, user, before.rights(), Rights::default()).await?;
    change.record(
        NewEvent::new(EventType::MemberRemoved, Resource::new("user", user, &member.user.name))
            .before(json!({ "role": before.role, "permissions": before.permissions })),
    );
    change.commit().await?;
    Ok(RemovedMember {
        user: member.user,
        affected_keys: effects.keys,
        revoked_invitations: effects.invitations,
    })
}

/// `POST …/transfer`: another member becomes owner, the caller admin.
pub(super) async fn transfer(app: &App, access: &Access, to: Uuid) -> Result<Transferred> {
    let from = access.caller.user()?.id;
    let wrong = |message: &str| ApiError::validation(vec![FieldProblem::new("user", "invalid", message)]);
    if to == from {
        return Err(wrong("must be somebody else"));
    }
    let former = find(app, access.workspace, from).await?.ok_or_else(not_found)?;
    let successor =
        find(app, access.workspace, to).await?.ok_or_else(|| wrong("must be a member of the workspace"))?;
    let mut change = Change::begin(app, access).await?;
    standing(change.tx(), access, Right::Own).await?;
    for (member, role) in [(&successor, Role::Owner), (&former, Role::Admin)] {
        let before = queries::standing(change.tx(), member.user.id).await?;
        let before = before.ok_or_else(|| wrong("must be a member of the workspace"))?;
        let after = Standing { role, permissions: Permissions::default() };
        if before != after {
            put(&mut change, member, before, after).await?;
        }
    }
    change.commit().await?;
    let owner = find(app, access.workspace, to).await?.ok_or_else(not_found)?;
    let former_owner = find(app, access.workspace, from).await?.ok_or_else(not_found)?;
    Ok(Transferred { owner, former_owner })
}

async fn find(app: &App, workspace: Uuid, user: Uuid) -> Result<Option<Member>> {
    let mut tx = app.db().system(Purpose::Memberships).read().await?;
    let member = queries::member(&mut tx, workspace, user).await?;
    tx.commit().await?;
    Ok(member)
}

pub(super) fn not_found() -> ApiError {
    ApiError::not_found("member")
}
