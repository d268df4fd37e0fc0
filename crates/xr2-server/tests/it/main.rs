//! The server as its clients meet it, on both engines.

mod delivery;
mod bin;
mod drafts;
mod labels;
mod probes;
mod prompts_create;
mod prompts_list;
mod prompts_update;
mod queries;
mod support;
mod versions;
