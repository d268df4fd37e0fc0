//! What every route shares: context of a request, bodies in, envelopes out, and the layers around all of it.

mod body;
mod client;
mod context;
mod encoding;
mod guard;
mod observe;
mod params;
mod reply;
mod schema;
mod spool;
mod text;

pub use body::{Body, JsonBytes, holds_nul, read_json, read_to_end};
pub use client::client_address;
pub use context::{CookieSlot, RequestContext, RequestId, RevisionSlot};
pub use encoding::{Encoding, LARGE, WORTH_PACKING, compress, matches_etag};
pub use guard::{guard_host, guard_path, is_ours};
pub use observe::{Handled, X_XR2_REVISION, dress, observe, refuse};
pub(crate) use params::decode;
pub use params::{Page, Params};
pub use reply::{Envelope, Meta, Reply, Warning};
pub use schema::check_against_schema;
pub use spool::Spooled;
pub use text::one_line;
