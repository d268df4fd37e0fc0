//! Delivery: what programs fetch, from memory.

mod answer;
mod body;
pub mod bundle;
mod cache;
mod deliver;
mod dto;
mod entry;
mod form;
mod freeze;
mod freshness;
mod items;
mod key;
mod lane;
mod load;
pub(crate) mod metrics;
mod narrow;
mod note;
pub mod preview;
mod queries;
mod query;
mod revision;
pub mod routes;
pub mod several;
mod standing;
mod warm;

pub use bundle::BundleCache;
pub use cache::PromptCache;
pub use deliver::require_label;
pub use dto::{Delivery, IncludedSnippet, RenderRequest, VersionName};
pub use freeze::{Freezer, kept_revision};
pub use items::{DeliveredItem, delivered_now};
pub(crate) use lane::answer_at_once;
pub use narrow::{slugs as narrowed_slugs, tags as narrowed_tags};
pub use revision::{reach as reach_revision, wanted as wanted_revision};
pub use warm::WarmTier;
