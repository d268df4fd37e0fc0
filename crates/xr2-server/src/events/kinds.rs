//! The one table of event types.

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

macro_rules! event_types {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $visible:literal;)*) => {
        /// What can happen.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum EventType { $($(#[$doc])* $name),* }

        impl EventType {
            /// All of them.
            pub const ALL: &'static [EventType] = &[$(EventType::$name),*];

            /// As stored and sent.
            pub fn as_str(self) -> &'static str {
                match self { $(EventType::$name => $text),* }
            }

            /// Whether delivery can see the change, so that it takes a revision.
            pub fn is_visible_to_delivery(self) -> bool {
                match self { $(EventType::$name => $visible),* }
            }
        }
    };
}

event_types! {
    /// A prompt was made.
    PromptCreated = "prompt.created", true;
    /// Something that is delivered beside the text changed: title, slug, tags.
    PromptUpdated = "prompt.updated", true;
    /// Something that is not delivered changed: description, category, metadata, folders. It takes a revision all the same, so that
    /// every node and every open dashboard hears of it.
    PromptEdited = "prompt.edited", true;
    /// A version was made.
    VersionCreated = "version.created", true;
    /// A label was moved to a newer version.
    PromptPublished = "prompt.published", true;
    /// A label was moved to an older version.
    PromptRolledBack = "prompt.rolled_back", true;
    /// A label was set without publishing, or taken off.
    LabelMoved = "label.moved", true;
    /// A prompt was archived.
    PromptArchived = "prompt.archived", true;
    /// A prompt was taken out of the archive.
    PromptUnarchived = "prompt.unarchived", true;
    /// A prompt went to the bin.
    PromptDeleted = "prompt.deleted", true;
    /// A prompt came back from the bin.
    PromptRestored = "prompt.restored", true;
    /// A prompt is gone for good.
    PromptPurged = "prompt.purged", true;
    /// A draft was saved.
    DraftSaved = "draft.saved", false;
    /// A draft was thrown away.
    DraftDiscarded = "draft.discarded", false;
    /// A prompt was shared by a link.
    PreviewLinkCreated = "preview_link.created", false;
    /// A link to a prompt was ended.
    PreviewLinkRevoked = "preview_link.revoked", false;
    /// A label of the workspace was made.
    LabelCreated = "label.created", false;
    /// A label of the workspace changed.
    LabelUpdated = "label.updated", false;
    /// A label of the workspace is gone.
    LabelDeleted = "label.deleted", true;
    /// A folder was made.
    FolderCreated = "folder.created", false;
    /// A folder was renamed or moved.
    FolderUpdated = "folder.updated", false;
    /// A folder is gone.
    FolderDeleted = "folder.deleted", false;
    /// A view was saved for all.
    ViewCreated = "view.created", false;
    /// A shared view changed.
    ViewUpdated = "view.updated", false;
    /// A shared view is gone.
    ViewDeleted = "view.deleted", false;
    /// A key was made.
    KeyCreated = "api_key.created", true;
    /// A key was replaced.
    KeyRotated = "api_key.rotated", true;
    /// A key was revoked.
    KeyRevoked = "api_key.revoked", true;
    /// A workspace was made.
    WorkspaceCreated = "workspace.created", true;
    /// Settings of a workspace changed.
    WorkspaceUpdated = "workspace.updated", true;
    /// Somebody became a member.
    MemberAdded = "member.added", true;
    /// A member's role changed.
    MemberUpdated = "member.updated", true;
    /// Somebody is no member any more.
    MemberRemoved = "member.removed", true;
    /// Somebody was asked to become a member.
    InvitationCreated = "invitation.created", false;
    /// An invitation was sent again, with another link.
    InvitationSent = "invitation.sent", false;
    /// An invitation was taken back.
    InvitationRevoked = "invitation.revoked", false;
    /// Somebody registered.
    UserRegistered = "user.registered", false;
    /// Somebody changed their profile.
    UserUpdated = "user.updated", false;
    /// A password was changed.
    PasswordChanged = "auth.password_changed", false;
    /// Somebody signed in.
    LoginSucceeded = "auth.login", false;
    /// A sign-in failed.
    LoginFailed = "auth.login_failed", false;
    /// Somebody signed out or ended a session.
    SessionRevoked = "auth.session_revoked", false;
    /// Somebody was refused.
    AccessDenied = "access.denied", false;
}

/// What an event is about.
#[derive(Debug, Clone)]
pub struct Resource {
    /// `prompt`, `label`, `folder`, `view`, `api_key`, `workspace`, `user`, `invitation`, `session`.
    pub kind: &'static str,
    /// Its id, where it has one.
    pub id: Option<Uuid>,
    /// Its slug or name then.
    pub name: Option<String>,
}

impl Resource {
    /// A resource with id and name.
    pub fn new(kind: &'static str, id: Uuid, name: &str) -> Resource {
        Resource { kind, id: Some(id), name: Some(name.to_owned()) }
    }

    /// A resource that has a name only.
    pub fn named(kind: &'static str, name: &str) -> Resource {
        Resource { kind, id: None, name: Some(name.to_owned()) }
    }
}

/// An event about to be written.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// What happened.
    pub kind: EventType,
    /// To what.
    pub resource: Resource,
    /// How it was, as far as it changed.
    pub before: Option<Value>,
    /// How it is now, as far as it changed.
    pub after: Option<Value>,
}

impl NewEvent {
    /// An event without particulars.
    pub fn new(kind: EventType, resource: Resource) -> NewEvent {
        NewEvent { kind, resource, before: None, after: None }
    }

    /// Adds how it was.
    pub fn before(mut self, before: impl Serialize) -> NewEvent {
        self.before = serde_json::to_value(before).ok();
        self
    }

    /// Adds how it is.
    pub fn after(mut self, after: impl Serialize) -> NewEvent {
        self.after = serde_json::to_value(after).ok();
        self
    }
}
