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
    /// Keys, members, labels of the workspace, protected labels, emptying the bin.
    Admin,
    /// Billing, transfer, deletion of the workspace.
    Own,
}

/// A set of [`Right`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rights(u8);

impl Rights {
    const fn of(rights: &[Right]) -> Rights {
        let mut bits = 0;
        let mut i = 0;
        while i < rights.len() {
            bits |= 1 << rights[i] as u8;
            i += 1;
        }
        Rights(bits)
    }

    /// Whether `right` is in the set.
    pub fn has(self, right: Right) -> bool {
        self.0 & (1 << right as u8) != 0
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
