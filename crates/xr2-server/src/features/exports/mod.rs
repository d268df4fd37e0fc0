//! Taking everything out: a workspace as one JSON document, or its prompts as a table. Written while it is read, page by
//! page, so that it takes no more memory for a hundred thousand prompts than for a hundred.

mod csv;
mod document;
mod json;
mod pages;
mod queries;
pub mod routes;
mod sink;

pub use csv::{END, unguarded};
pub use document::{
    Draft, FORMAT, FormerSlug, Label, Move, Pointer, Prompt, Substance, VERSION as DOCUMENT_VERSION, Version,
    Workspace,
};
pub use sink::{Form, Selection, filename, run, write};
