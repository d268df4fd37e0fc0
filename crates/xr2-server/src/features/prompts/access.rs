//! Looking a prompt up for a caller, and saying what is wrong when it is not there or not in a state to be changed.

use xr2_db::Tx;

use crate::error::{ApiError, Code, Result};
use crate::features::prompts::{PromptRow, queries};

/// 404 for `name`.
pub fn no_prompt(name: &str) -> ApiError {
    ApiError::not_found(&format!("prompt \"{}\"", shorten(name)))
}

/// What stands in a message of something that a caller typed.
pub fn shorten(text: &str) -> String {
    if text.chars().count() <= 120 {
        text.to_owned()
    } else {
        text.chars().take(119).chain(['…']).collect()
    }
}

/// The prompt, in the bin or not.
pub async fn any(tx: &mut Tx, name: &str, lock: bool) -> Result<PromptRow> {
    queries::find(tx, name, lock).await?.ok_or_else(|| no_prompt(name))
}

/// The prompt, which is not in the bin.
pub async fn existing(tx: &mut Tx, name: &str, lock: bool) -> Result<PromptRow> {
    not_in_bin(any(tx, name, lock).await?, name)
}

/// The prompt, unless it is in the bin.
pub fn not_in_bin(row: PromptRow, name: &str) -> Result<PromptRow> {
    if row.deleted_at.is_some() {
        return Err(ApiError::new(
            Code::NotFound,
            format!("prompt \"{}\" not found: it is in the bin and can be taken out of it", shorten(name)),
        ));
    }
    Ok(row)
}

/// The prompt, locked, neither in the bin nor archived.
pub async fn editable(tx: &mut Tx, name: &str) -> Result<PromptRow> {
    not_archived(existing(tx, name, true).await?)
}

/// The prompt, unless it is archived.
pub fn not_archived(row: PromptRow) -> Result<PromptRow> {
    if row.archived {
        return Err(ApiError::new(
            Code::Conflict,
            "This prompt is archived and so read-only. Take it out of the archive first.",
        ));
    }
    Ok(row)
}
