//! Making a prompt together with its past: for the demo, and for whoever brings a history along.

use std::collections::BTreeMap;

use crate::auth::Access;
use crate::error::{ApiError, Result};
use crate::events::Change;
use crate::features::prompts::labels::{self, LabelMove};
use crate::features::prompts::publish::{NewVersion, add_version};
use crate::features::prompts::{NewPrompt, Source, create_in, drafts, queries};

/// Makes the prompt, then each later version with its summary, and points the labels.
pub async fn create_with_history(
    change: &mut Change,
    access: &Access,
    first: NewPrompt,
    later: Vec<(Source, String)>,
    pointers: &BTreeMap<String, i64>,
) -> Result<()> {
    let saved = create_in(change, access, first, true).await?;
    let id = saved.prompt.id.to_string();
    let found = queries::find(change.tx(), &id, true).await?;
    let mut row = found.ok_or_else(|| ApiError::not_found("prompt"))?;
    for (source, summary) in later {
        let parent = Some(row.last_number);
        let new = NewVersion { branch: drafts::MAIN.to_owned(), origin: "author", summary, parent };
        (row, _) = add_version(change, row, source, new).await?;
    }
    for (label, version) in pointers {
        let to = LabelMove {
            prompt: row.id,
            slug: &row.slug,
            label,
            version: *version,
            comment: None,
            restored: false,
            is_new: false,
        };
        labels::move_label(change, to).await?;
    }
    Ok(())
}
