//! What a label of a prompt delivers, for those who pass it on: streams.

use std::sync::Arc;

use uuid::Uuid;

use crate::error::{ApiError, Code, Result};
use crate::features::delivery::entry::Entry;
use crate::features::delivery::key::{KeyRef, SelectorRef};
use crate::features::delivery::load::Outcome;
use crate::state::App;

/// Items larger than this are written beside the threads that serve requests.
const LARGE: usize = 64 * 1024;

/// What a label of a prompt delivers.
pub struct DeliveredItem {
    /// The version's number.
    pub version: i64,
    /// Its present slug and those it had before.
    pub names: Vec<Box<str>>,
    /// Its tags.
    pub tags: Vec<Box<str>>,
    /// The template form as JSON.
    pub item: Vec<u8>,
}

/// What `label` of the prompt delivers now; none when that is nothing. An error means that it cannot be told just now.
pub async fn delivered_now(
    app: &App,
    workspace: Uuid,
    slug: &str,
    id: Option<Uuid>,
    label: &str,
) -> Result<Option<DeliveredItem>> {
    let mut entry = entry_of(app, workspace, slug, label).await?;
    // The slug may be another's by now.
    if let Some(id) = id
        && entry.as_ref().is_none_or(|entry| entry.prompt != id)
    {
        entry = entry_of(app, workspace, &id.to_string(), label).await?;
    }
    let Some(entry) = entry else { return Ok(None) };
    let item = if entry.bytes() > LARGE {
        let entry = entry.clone();
        tokio::task::spawn_blocking(move || entry.item()).await.map_err(ApiError::internal)?
    } else {
        entry.item()
    };
    let names = std::iter::once(&entry.slug).chain(&entry.former_slugs).cloned().collect();
    Ok(Some(DeliveredItem { version: entry.number, names, tags: entry.tags.clone(), item }))
}

async fn entry_of(app: &App, workspace: Uuid, name: &str, label: &str) -> Result<Option<Arc<Entry>>> {
    let key = KeyRef { workspace, name, selector: SelectorRef::Label(label) };
    match app.prompt_cache().get_present(app, key).await {
        Ok(Outcome::Ready(entry)) => Ok(Some(entry)),
        Ok(Outcome::Refused(_)) => Ok(None),
        // What is wrong with the stored version does not get better by asking again.
        Err(error) if error.code == Code::Internal => {
            tracing::error!(cause = error.cause(), label, "a prompt could not be read for a stream");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
