//! Words that prompts are sorted by, tags and categories: which there are, and changing one in all prompts.

mod dto;
mod queries;
pub mod routes;
mod service;
