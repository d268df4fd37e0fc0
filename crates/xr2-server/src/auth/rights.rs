//! Roles of members, scopes of keys, and the rights both come down to.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One thing that somebody may do in a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Right {
    /// Fetch and render prompts, listen to changes.
    Deliver,
    /// See prompts, versions, drafts, labels and history.
    Read,
    /// Create and change prompts and drafts.
    Write,
    /// Move labels that are not protected.
    Publish,
    /// Put prompts into the bin and take them out.
    Remove,
    /// Make, replace and revoke API keys.
    Keys,
    /// Invite people, change what they may do, remove them.
    Members,
    /// Labels of the workspace, protected labels, settings, emptying the bin.
    Admin,
    /// Billing, transfer, deletion of the workspace.
    Own,
}

impl Right {
    const ALL: [Right; 9] = [
        Right::Deliver,
        Right::Read,
        Right::Write,
        Right::Publish,
        Right::Remove,
        Right::Keys,
        Right::Members,
        Right::Admin,
        Right::Own,
    ];

    /// As stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Right::Deliver => "deliver",
            Right::Read => "read",
            Right::Write => "write",
            Right::Publish => "publish",
            Right::Remove => "delete",
            Right::Keys => "keys",
            Right::Members => "members",
            Right::Admin => "admin",
            Right::Own => "own",
        }
    }
}

/// A set of [`Right`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rights(u16);

impl Rights {
    const fn of(rights: &[Right]) -> Rights {
        let mut bits = 0;
        let mut i = 0;
        while i < rights.len() {
            bits |= 1 << rights[i] as u16;
            i += 1;
        }
        Rights(bits)
    }

    /// Whether `right` is in the set.
    pub fn has(self, right: Right) -> bool {
        self.0 & (1 << right as u16) != 0
    }

    /// What is in either.
    pub fn or(self, other: Rights) -> Rights {
        Rights(self.0 | other.0)
    }

    /// What is left for a key that is confined to labels: it fetches what they point at and moves them. Everything
    /// that shows other versions, drafts or lists is closed to it.
    pub fn confined_to_labels(self) -> Rights {
        const CLOSED: Rights = Rights::of(&[Right::Read, Right::Write, Right::Remove]);
        Rights(self.0 & !CLOSED.0)
    }

    /// What is in both.
    pub fn and(self, other: Rights) -> Rights {
        Rights(self.0 & other.0)
    }

    /// Whether everything in it is in `other` as well.
    pub fn is_within(self, other: Rights) -> bool {
        self.0 & !other.0 == 0
    }

    /// With `right`, or without it.
    fn with(self, right: Right, has: bool) -> Rights {
        let bit = 1 << right as u16;
        Rights(if has { self.0 | bit } else { self.0 & !bit })
    }

    /// Their names, the least first.
    pub fn names(self) -> Vec<&'static str> {
        Right::ALL.into_iter().filter(|right| self.has(*right)).map(Right::as_str).collect()
    }
}

/// What a member is in a workspace. Each role can do all that the one before it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads and renders.
    Viewer,
    /// Writes and publishes labels that are not protected.
    #[serde(alias = "member")]
    Editor,
    /// Deletes, manages keys, members and labels.
    Admin,
    /// Everything, billing and the workspace's end included.
    Owner,
}

impl Role {
    /// What the role may do.
    pub fn rights(self) -> Rights {
        const VIEWER: Rights = Rights::of(&[Right::Deliver, Right::Read]);
        const EDITOR: Rights = Rights::of(&[Right::Deliver, Right::Read, Right::Write, Right::Publish]);
        const ADMIN: Rights = Rights::of(&[
            Right::Deliver,
            Right::Read,
            Right::Write,
            Right::Publish,
            Right::Remove,
            Right::Keys,
            Right::Members,
            Right::Admin,
        ]);
        match self {
            Role::Viewer => VIEWER,
            Role::Editor => EDITOR,
            Role::Admin => ADMIN,
            Role::Owner => ADMIN.or(Rights::of(&[Right::Own])),
        }
    }

    /// As stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Editor => "editor",
            Role::Admin => "admin",
            Role::Owner => "owner",
        }
    }
}

impl FromStr for Role {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "viewer" => Role::Viewer,
            "editor" | "member" => Role::Editor,
            "admin" => Role::Admin,
            "owner" => Role::Owner,
            _ => return Err(()),
        })
    }
}

/// What a member may do beyond, or short of, what the role says. What is absent or null is as the role says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Permissions {
    /// Create and change prompts and drafts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write: Option<bool>,
    /// Move labels that are not protected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish: Option<bool>,
    /// Put prompts into the bin and take them out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete: Option<bool>,
    /// Make, replace and revoke API keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<bool>,
    /// Invite people, change what they may do, remove them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<bool>,
}

impl Permissions {
    /// What somebody with this role may do.
    pub fn applied_to(self, role: Role) -> Rights {
        let finer = [
            (Right::Write, self.write),
            (Right::Publish, self.publish),
            (Right::Remove, self.delete),
            (Right::Keys, self.keys),
            (Right::Members, self.members),
        ];
        let apply = |rights: Rights, (right, has): (Right, Option<bool>)| match has {
            Some(has) => rights.with(right, has),
            None => rights,
        };
        finer.into_iter().fold(role.rights(), apply)
    }

    /// Whether all is as the role says.
    pub fn is_empty(self) -> bool {
        self == Permissions::default()
    }
}

/// What an API key was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Fetch, render, batch, bundle, stream, telemetry.
    Deliver,
    /// + read everything.
    Read,
    /// + create and change.
    Write,
    /// Move labels.
    Publish,
    /// Everything but owning the workspace.
    Admin,
}

impl Scope {
    /// What the scope allows at most; the maker's role cuts it down further.
    pub fn rights(self) -> Rights {
        match self {
            Scope::Deliver => Rights::of(&[Right::Deliver]),
            Scope::Read => Rights::of(&[Right::Deliver, Right::Read]),
            Scope::Write => Rights::of(&[Right::Deliver, Right::Read, Right::Write]),
            Scope::Publish => Rights::of(&[Right::Deliver, Right::Publish]),
            Scope::Admin => Role::Admin.rights(),
        }
    }

    /// What all of `scopes` allow together.
    pub fn union(scopes: &[Scope]) -> Rights {
        scopes.iter().fold(Rights::default(), |rights, scope| rights.or(scope.rights()))
    }
}
