//! Reading prompts: one, some, and everything an editor needs of one.

use std::collections::HashSet;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use xr2_db::Tx;

use crate::auth::Access;
use crate::error::Result;
use crate::features::folders;
use crate::features::prompts::drafts::{self, Draft};
use crate::features::prompts::entity::{Beside, Can, Prompt};
use crate::features::prompts::queries::PromptRow;
use crate::features::prompts::versions::{self, Version};
use crate::features::prompts::{access, includes, labels, mine, queries};
use crate::state::App;

/// The prompt with this id or slug, in the bin or not, as far as other features need it.
pub async fn find(tx: &mut Tx, name: &str) -> Result<Option<PromptRow>> {
    Ok(queries::find(tx, name, false).await?)
}

/// Puts a prompt into the index of search as it stands now; for whoever has changed its words past the services.
pub async fn index_again(tx: &mut Tx, prompt: Uuid) -> Result<()> {
    Ok(queries::index_again(tx, prompt).await?)
}

/// The entity of one row.
pub async fn entity(tx: &mut Tx, row: PromptRow, can: Can) -> Result<Prompt> {
    Ok(entities(tx, vec![row], can).await?.remove(0))
}

/// The entities of many rows, in their order.
pub async fn entities(tx: &mut Tx, rows: Vec<PromptRow>, can: Can) -> Result<Vec<Prompt>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut extras = queries::extras(tx, &ids).await?;
    let mut folders = folders::of_prompts(tx, &ids).await?;
    let favourites = match can.person {
        Some(person) => mine::favourites(tx, person, &ids).await?,
        None => HashSet::new(),
    };
    Ok(rows
        .into_iter()
        .map(|row| {
            let beside = Beside {
                labels: extras.labels.remove(&row.id).unwrap_or_default(),
                has_draft: extras.drafts.contains(&row.id),
                fetches: extras.fetched.remove(&row.id).unwrap_or_default(),
                favourite: favourites.contains(&row.id),
                folder_ids: folders.remove(&row.id).unwrap_or_default(),
            };
            Prompt::assemble(row, beside, can)
        })
        .collect())
}

/// A prompt with all that an editor opens with.
#[derive(Debug, Serialize, ToSchema)]
pub struct Details {
    /// The entity.
    #[serde(flatten)]
    pub prompt: Prompt,
    /// The newest version on `main`.
    pub version: Option<Version>,
    /// What `production` delivers.
    pub live_version: Option<Version>,
    /// The draft on `main`.
    pub draft: Option<Draft>,
    /// Slugs it had; they keep delivering.
    pub former_slugs: Vec<String>,
    /// Slugs of prompts that deliver this one as a snippet.
    pub included_by: Vec<String>,
}

/// See [`Details`]. Prompts in the bin can be looked at too.
pub async fn details(app: &App, access: &Access, name: &str) -> Result<Details> {
    let mut tx = app.db().tenant(access.workspace).read().await?;
    let row = access::any(&mut tx, name, false).await?;
    let id = row.id;
    let pointers = labels::queries::pointers(&mut tx, id).await?;
    let labels_at = |number: i64| -> Vec<String> {
        pointers.iter().filter(|(_, version)| *version == number).map(|(label, _)| label.clone()).collect()
    };
    let version = versions::queries::newest(&mut tx, id, drafts::MAIN).await?;
    let live = pointers.iter().find(|(label, _)| label == labels::PRODUCTION).map(|(_, number)| *number);
    let live_version = match live {
        Some(number) => versions::queries::by_number(&mut tx, id, number).await?,
        None => None,
    };
    let newest = version.as_ref().map_or(0, |version| version.number);
    let draft = drafts::read(&mut tx, &row, drafts::MAIN, newest).await?;
    let former_slugs = queries::former_slugs(&mut tx, id).await?;
    let mut included_by: Vec<String> =
        includes::all_dependents(&mut tx, id).await?.into_iter().map(|dependent| dependent.slug).collect();
    included_by.sort();
    included_by.dedup();
    let prompt = entity(&mut tx, row, Can::of(access)).await?;
    let prompt = prompt.going_after(app.config().bin.retention_days);
    tx.commit().await?;
    let answer = |row: versions::VersionRow| {
        let labels = labels_at(row.number);
        Version::of(row, labels)
    };
    Ok(Details {
        version: version.map(answer),
        live_version: live_version.map(answer),
        prompt,
        draft,
        former_slugs,
        included_by,
    })
}
