//! What happens, told once. A change writes its events and takes the workspace's next revision in its own transaction;
//! whoever needs to know (caches, streams, audit) reads them. Nobody calls them.

mod change;
mod contact;
mod follow;
mod kinds;
mod progress;
mod queries;

pub use change::{Change, Committed, Written};
pub use contact::Contact;
pub use follow::{Follower, Listener, Notice, notices_between};
pub use kinds::{EventType, NewEvent, Resource};
pub use progress::Place;
pub use queries::{StoredEvent, append_instance_event, append_instance_event_in, place, revision};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Who did something, as it was at that time (people and keys may be renamed or gone later).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Actor {
    /// `user`, `key` or `system`.
    #[serde(rename = "type")]
    pub kind: ActorKind,
    /// Id of the user or key.
    pub id: Option<Uuid>,
    /// Its name then.
    pub name: String,
}

/// Sort of [`Actor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ActorKind {
    /// A person.
    User,
    /// An API key.
    Key,
    /// xr2 itself: clean-up, imports, the demo.
    System,
}

impl Actor {
    /// A person.
    pub fn user(id: Uuid, name: &str) -> Actor {
        Actor { kind: ActorKind::User, id: Some(id), name: name.to_owned() }
    }

    /// A key.
    pub fn key(id: Uuid, name: &str) -> Actor {
        Actor { kind: ActorKind::Key, id: Some(id), name: name.to_owned() }
    }

    /// xr2 itself.
    pub fn system(name: &str) -> Actor {
        Actor { kind: ActorKind::System, id: None, name: name.to_owned() }
    }
}
