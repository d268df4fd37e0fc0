//! What is not in the index yet: prompts from before there was one, and those that somebody took out of it.

use serde::{Deserialize, Serialize};
use xr2_db::Purpose;
use xr2_jobs::{Attempt, Failure, Handler, Job};

use crate::error::Result;
use crate::features::prompts::search::queries;
use crate::jobs::{UPKEEP, failure};
use crate::state::App;

/// Prompts that are indexed in one transaction.
const BATCH: i64 = 50;

/// Puts prompts into the index that are missing there.
#[derive(Serialize, Deserialize)]
pub struct IndexPrompts {}

impl Job for IndexPrompts {
    const KIND: &'static str = "prompts.index";
    const QUEUE: &'static str = UPKEEP;
}

impl Handler<App> for IndexPrompts {
    async fn handle(self, app: App, _: Attempt) -> std::result::Result<(), Failure> {
        let indexed = index_missing(&app).await.map_err(failure)?;
        if indexed > 0 {
            tracing::info!(indexed, "prompts put into the index of search");
        }
        Ok(())
    }
}

async fn index_missing(app: &App) -> Result<usize> {
    let mut indexed = 0;
    while !app.stopping().is_cancelled() {
        let mut tx = app.db().system(Purpose::Retention).read().await?;
        let missing = queries::not_indexed(&mut tx, BATCH).await?;
        tx.commit().await?;
        let Some(&(workspace, _)) = missing.first() else { break };
        let mut tx = app.db().tenant(workspace).write().await?;
        for (_, prompt) in missing.iter().filter(|(other, _)| *other == workspace) {
            crate::features::prompts::index_again(&mut tx, *prompt).await?;
            indexed += 1;
        }
        tx.commit().await?;
    }
    Ok(indexed)
}
