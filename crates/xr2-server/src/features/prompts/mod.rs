//! Prompts and everything an author does with them: versions, drafts, labels, publishing, the bin.

mod access;
mod arrivals;
mod bin;
mod bulk;
mod create;
mod desk;
mod diff;
pub mod drafts;
mod dto;
mod duplicate;
mod entity;
mod history;
mod includes;
mod jobs;
pub mod labels;
mod listing;
pub mod mine;
mod names;
pub mod preview_links;
mod publish;
mod queries;
mod read;
mod reimport;
pub mod routes;
mod search;
mod source;
mod update;
pub mod versions;
mod warnings;
pub mod words;

pub use arrivals::{
    Arrival, Links, Moved, Pointed, included_slugs, insert_arrivals, link, link_again, prompts_of,
    slug_owners,
};
pub use bin::purge_expired;
pub use create::{NewPrompt, create, create_in};
pub use desk::{compile_now, compile_off, compiled_beside};
pub use drafts::{DraftRow as ArrivedDraft, MAIN};
pub use dto::{CreatePrompt, SyntaxInput, TypeInput, UpdatePrompt};
pub use entity::{Can, FetchKey, LastFetch, Live, Prompt};
pub use history::create_with_history;
pub use includes::{KnownSnippets, Snippets, delivering, resolve_snippets, resolve_snippets_among};
pub use jobs::PurgeExpired;
pub use labels::{
    Label, PRODUCTION, check_move, find as label, insert as insert_label, is_label_name,
    update as update_label_row,
};
pub use listing::{PromptListItem, RecentCalls, check_list_query};
pub use names::{check_slug, slugify};
pub use publish::publish;
pub use queries::PromptRow;
pub use read::find;
pub use read::index_again;
pub use reimport::{Again, Met, Over, import_again};
pub use search::{IndexPrompts, Vocabularies};
pub use source::{Source, SourceInput, template_error};
pub use update::update;
pub use versions::VersionRow;
