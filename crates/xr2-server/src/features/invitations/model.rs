//! What an invitation is.

use chrono::TimeDelta;
use uuid::Uuid;

use crate::auth::{Role, token_hash};
use crate::clock::Time;
use crate::state::App;

/// An invitation is good for so long after it was sent.
pub const GOOD_FOR: TimeDelta = TimeDelta::days(7);

/// What tokens of invitations begin with.
const PREFIX: &str = "xr2i_";

/// An invitation as it is stored, without the hash of its token.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Id.
    pub id: Uuid,
    /// The workspace.
    pub workspace: Uuid,
    /// Address as entered.
    pub email: String,
    /// The same as a key.
    pub email_key: String,
    /// As what they would join.
    pub role: Role,
    /// Who asked.
    pub invited_by: Option<Uuid>,
    /// Their name then.
    pub inviter_name: String,
    /// When made.
    pub created_at: Time,
    /// When the link was last made.
    pub sent_at: Time,
    /// Until when it can be accepted.
    pub expires_at: Time,
    /// When it was accepted.
    pub accepted_at: Option<Time>,
    /// When it was taken back.
    pub revoked_at: Option<Time>,
}

impl Stored {
    /// The token of its link. It follows from the secret key, so that it can be sent later without being stored, and from
    /// the time, so that sending again makes another one.
    pub fn token(&self, app: &App) -> String {
        let name = format!("invitation {} {}", self.id, self.sent_at.timestamp_micros());
        let token = app.secret().derive(&name);
        token.iter().fold(PREFIX.to_owned(), |text, byte| text + &format!("{byte:02x}"))
    }

    /// What is stored of the token.
    pub fn token_hash(&self, app: &App) -> [u8; 32] {
        token_hash(&self.token(app))
    }

    /// The link that whoever was invited opens. The token stands behind `#`, which browsers keep to themselves.
    pub fn link(&self, app: &App) -> String {
        format!("{}/accept-invitation#token={}", app.config().base_url(), self.token(app))
    }
}
