//! Preview links: one prompt, read-only, for people without an account, for some days.
//!
//! A link shows a version, or the draft as it stands. It ends when it is revoked, has expired, its prompt is in the bin,
//! or whoever made it is no member any more. Its token is shown once and stored as a hash.

mod model;
mod queries;
pub mod routes;
mod service;
mod shown;
