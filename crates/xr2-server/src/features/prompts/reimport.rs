//! A prompt that an import meets again.

use crate::auth::Access;
use crate::error::Result;
use crate::events::Change;
use crate::features::prompts::labels::{self, LabelMove, PRODUCTION};
use crate::features::prompts::publish::{NewVersion, add_version, may_publish};
use crate::features::prompts::{PromptRow, Source, drafts, versions};

/// Gives an imported prompt the file's present text: `Some(true)` when that made a version, `Some(false)` when nothing
/// differs, `None` when people edited it since and it is left alone.
pub async fn import_again(
    change: &mut Change,
    access: &Access,
    row: Box<PromptRow>,
    source: Source,
    source_name: &str,
    publish: bool,
) -> Result<Option<bool>> {
    let newest = versions::queries::newest(change.tx(), row.id, drafts::MAIN).await?;
    let Some(newest) = newest else { return Ok(None) };
    if newest.source == source {
        return Ok(Some(false));
    }
    if newest.origin != "import" || row.archived {
        return Ok(None);
    }
    let publishing = may_publish(change, access, PRODUCTION, Some(publish), Some("import")).await?;
    let summary = format!("Imported again from {source_name}");
    let new = NewVersion {
        branch: drafts::MAIN.to_owned(),
        origin: "import",
        summary,
        parent: Some(newest.number),
    };
    let (row, version) = add_version(change, *row, source, new).await?;
    if publishing.is_go() {
        let to = LabelMove {
            prompt: row.id,
            slug: &row.slug,
            label: PRODUCTION,
            version: version.number,
            comment: None,
            restored: false,
            is_new: false,
        };
        labels::move_label(change, to).await?;
    }
    Ok(Some(true))
}
