//! The program itself, started and ended as its operators (and their machines) do.

mod durability;
mod import;
mod program;
mod queries;
