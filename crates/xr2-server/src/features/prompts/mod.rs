//! Prompts and everything an author does with them: versions, drafts, labels, publishing, the bin.

mod access;
mod bin;
mod create;
mod desk;
mod diff;
pub mod drafts;
mod dto;
mod duplicate;
mod entity;
mod history;
mod includes;
pub mod labels;
mod names;
mod publish;
mod queries;
mod read;
mod reimport;
pub mod routes;
mod source;
mod update;
pub mod versions;

pub use bin::{purge_expired, run_retention};
pub use create::{NewPrompt, create, create_in};
pub use desk::{compile_now, compile_off, compiled_beside};
pub use dto::{CreatePrompt, SyntaxInput, TypeInput, UpdatePrompt};
pub use entity::{Can, FetchKey, LastFetch, Live, Prompt};
pub use history::create_with_history;
pub use includes::{KnownSnippets, Snippets, delivering, resolve_snippets, resolve_snippets_among};
pub use names::{check_slug, slugify};
pub use publish::publish;
pub use queries::PromptRow;
pub use read::find;
pub use reimport::import_again;
pub use source::{Source, SourceInput, template_error};
pub use update::update;
