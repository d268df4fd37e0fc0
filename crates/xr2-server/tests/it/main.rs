//! The server as its clients meet it, on both engines.

mod bin;
mod delivery;
mod drafts;
mod labels;
mod probes;
mod prompts_create;
mod prompts_list;
mod prompts_update;
mod queries;
mod support;
mod versions;
