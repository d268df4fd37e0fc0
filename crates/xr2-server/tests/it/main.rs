//! The server as its clients meet it, on both engines.

mod access;
mod access_table;
mod accounts;
mod api_keys;
mod bad_input;
mod config;
mod cors;
mod delivery;
mod doors;
mod limits;
mod probes;
mod schema;
mod sessions;
mod setup;
mod workspaces;
