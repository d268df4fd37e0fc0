//! One folder a capability. A feature is entered through what its `mod.rs` exports; identity (accounts, workspaces,
//! api_keys) knows nothing of content (prompts), content nothing of delivery and stream.

pub mod accounts;
pub mod activity;
pub mod api_keys;
pub mod delivery;
pub mod demo;
pub mod edge;
pub mod exports;
pub mod folders;
pub mod imports;
pub mod invitations;
pub mod prompts;
pub mod quotas;
pub mod stream;
pub mod system;
pub mod telemetry;
pub mod usage;
pub mod views;
pub mod workspaces;
