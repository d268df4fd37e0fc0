//! The program itself, started and ended as its operators (and their machines) do.

mod client;
mod demo;
mod durability;
mod import;
mod jobs;
mod nodes;
mod program;
mod queries;
mod roles;
mod stop;
