//! Writing the prompts of a workspace.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::error::{ApiError, Result};
use crate::features::delivery::freeze::freezer::Changed;
use crate::features::delivery::freeze::model::{Head, Pages};
use crate::features::delivery::freeze::queries;
use crate::frozen::Part;
use crate::state::App;

/// Prompts changed at once beyond which everything is read anew.
const MANY: usize = 500;

/// Writes the prompts of a workspace as they are now, which is at `told` or later.
pub(super) async fn write_prompts(app: &App, workspace: Uuid, told: i64, changed: &Changed) -> Result<()> {
    let (frozen, wanted) = (app.frozen().clone(), changed.clone());
    let known = tokio::task::spawn_blocking(move || match wanted {
        Changed::Prompts(ids) if ids.len() <= MANY => {
            frozen.read(workspace, Part::Prompts).and_then(|file| Pages::parse(&file))
        }
        _ => None,
    });
    let mut pages = match (known.await.map_err(ApiError::internal)?, changed) {
        (Some(mut pages), Changed::Prompts(ids)) => {
            exchange(app, workspace, &mut pages, ids).await?;
            pages
        }
        _ => read_all(app, workspace).await?,
    };
    pages.head = Head { revision: told };
    let frozen = app.frozen().clone();
    tokio::task::spawn_blocking(move || {
        let body = pages.to_bytes()?;
        frozen.write(workspace, Part::Prompts, &body)
    })
    .await
    .map_err(ApiError::internal)?
    .map_err(ApiError::internal)
}

/// Reads the changed prompts anew, and what they include.
async fn exchange(app: &App, workspace: Uuid, pages: &mut Pages, ids: &BTreeSet<Uuid>) -> Result<()> {
    let mut tx = app.db().tenant(workspace).read().await?;
    let mut all = ids.clone();
    for id in ids {
        all.extend(queries::included_by(&mut tx, *id).await?);
    }
    for id in all {
        match queries::one(&mut tx, id).await? {
            Some(prompt) => pages.put(&prompt).map_err(ApiError::internal)?,
            None => {
                pages.prompts.remove(&id);
            }
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Reads everything, page by page: a long read would keep SQLite from tidying up.
async fn read_all(app: &App, workspace: Uuid) -> Result<Pages> {
    let mut pages = Pages::new();
    let mut after = Uuid::nil();
    loop {
        let mut tx = app.db().tenant(workspace).read().await?;
        let page = queries::page(&mut tx, after).await?;
        tx.commit().await?;
        for prompt in &page {
            pages.put(prompt).map_err(ApiError::internal)?;
        }
        match page.last() {
            Some(last) if page.len() as i64 == queries::PAGE => after = last.id,
            _ => return Ok(pages),
        }
    }
}
