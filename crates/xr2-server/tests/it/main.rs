//! The server as its clients meet it, on both engines.

mod accounts;
mod bad_input;
mod bin;
mod delivery;
mod diff;
mod documents;
mod drafts;
mod events;
mod imports;
mod includes;
mod isolation;
mod labels;
mod probes;
mod prompts_create;
mod prompts_list;
mod prompts_update;
mod publish;
mod queries;
mod sessions;
mod setup;
mod support;
mod versions;
mod workspaces;
