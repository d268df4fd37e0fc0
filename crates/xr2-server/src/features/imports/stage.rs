//! Reading a file into the table of rows that wait. Nothing of it is brought in before all of it was read.

use std::collections::HashMap;
use std::path::PathBuf;

use tokio::sync::mpsc;
use uuid::Uuid;

use crate::auth::Access;
use crate::error::{ApiError, Code, Result};
use crate::features::imports::item::{Entry, Item};
use crate::features::imports::model::{Counts, State, Status};
use crate::features::imports::options::Options;
use crate::features::imports::queries::{self, Staged};
use crate::features::imports::readers;
use crate::state::App;

/// Rows written at once.
const AT_ONCE: usize = 256;
/// Bytes of rows written at once.
const BYTES_AT_ONCE: usize = 2 * 1024 * 1024;

/// Begins an import: notes that there is one.
pub(super) async fn begin(app: &App, access: &Access, options: &Options) -> Result<Uuid> {
    let id = app.clock().new_id();
    let mut tx = app.db().tenant(access.workspace).write().await?;
    let now = app.clock().now();
    queries::insert(&mut tx, id, options, access.rights, &access.actor(), now).await?;
    tx.commit().await?;
    Ok(id)
}

/// Where things come from.
pub(super) enum From {
    /// A file, removed afterwards.
    File(PathBuf),
    /// What was read already.
    Entries(Vec<Entry>),
}

/// Reads `from` and stages what it holds. What is wrong with the file as a whole is 422, and the import has failed.
pub(super) async fn stage(
    app: &App,
    access: &Access,
    id: Uuid,
    mut options: Options,
    from: From,
) -> Result<Options> {
    let (sender, mut receiver) = mpsc::channel::<Entry>(64);
    let limit = app.config().limits.import_bytes;
    let reading_options = options.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let mut take = |entry: Entry| sender.blocking_send(entry).is_ok();
        match from {
            From::File(path) => readers::read(&path, &reading_options, limit, &mut take),
            From::Entries(entries) => {
                entries.into_iter().all(take);
                Ok(readers::Said::default())
            }
        }
    });
    let mut staging = Staging::default();
    let staged = staging.rows(app, access, id, &mut receiver).await;
    drop(receiver);
    let said = reading.await.map_err(ApiError::internal)?;
    let outcome = staged.and_then(|()| said.map_err(|reason| unreadable(&reason)));
    let outcome = outcome.and_then(|said| match staging.total {
        0 => Err(unreadable("There is nothing in this file that can be brought in.")),
        _ => Ok(said),
    });
    match outcome {
        Ok(said) => {
            options.format = said.format.unwrap_or(options.format);
            let mut tx = app.db().tenant(access.workspace).write().await?;
            let (totals, now) = ((staging.total, staging.counts), app.clock().now());
            let is_ours = queries::staged(&mut tx, id, &options, totals, &said.warnings, now).await?;
            tx.commit().await?;
            if is_ours { Ok(options) } else { Err(ended()) }
        }
        Err(error) => {
            let mut tx = app.db().tenant(access.workspace).write().await?;
            let now = app.clock().now();
            queries::end(&mut tx, id, None, State::Failed, Some(&error.message), now).await?;
            tx.commit().await?;
            Err(error)
        }
    }
}

fn unreadable(reason: &str) -> ApiError {
    let reason = reason.trim_end_matches('.');
    ApiError::new(Code::Validation, format!("{reason}. Nothing was brought in.")).with_details(
        serde_json::json!({ "errors": [{ "field": "body", "code": "invalid", "message": reason }] }),
    )
}

fn ended() -> ApiError {
    ApiError::new(Code::Conflict, "The import was cancelled while its file was read.")
}

#[derive(Default)]
struct Staging {
    total: i64,
    counts: Counts,
    /// Where slugs stand that are not made from names.
    seen: HashMap<String, i64>,
}

impl Staging {
    async fn rows(
        &mut self,
        app: &App,
        access: &Access,
        id: Uuid,
        receiver: &mut mpsc::Receiver<Entry>,
    ) -> Result<()> {
        let mut rows = Vec::new();
        let mut bytes = 0;
        loop {
            let entry = receiver.recv().await;
            let is_over = entry.is_none();
            if let Some(entry) = entry {
                let row = self.row(entry);
                bytes += row.payload.len() + 256;
                rows.push(row);
            }
            if rows.len() >= AT_ONCE || bytes >= BYTES_AT_ONCE || (is_over && !rows.is_empty()) {
                let mut tx = app.db().tenant(access.workspace).write().await?;
                queries::stage(&mut tx, id, std::mem::take(&mut rows)).await?;
                let is_ours = queries::touch(&mut tx, id, self.total, app.clock().now()).await?;
                tx.commit().await?;
                if !is_ours {
                    return Err(ended());
                }
                bytes = 0;
            }
            if is_over {
                return Ok(());
            }
        }
    }

    fn row(&mut self, entry: Entry) -> Staged {
        self.total += 1;
        let number = self.total;
        let place: String = entry.place.replace('\0', "").chars().take(500).collect();
        let wrong = |name: &str, status: Status, reason: String| Staged {
            number,
            place: place.clone(),
            kind: "",
            slug: String::new(),
            title: shortened(name),
            status,
            message: Some(shortened(&reason)),
            wave: 0,
            payload: String::new(),
        };
        let row = match entry.item {
            Err(one) if one.is_left_out => wrong(&one.name, Status::Skipped, one.reason),
            Err(one) => wrong(&one.name, Status::Failed, one.reason),
            Ok(item) => match (self.twice(&item, number), serde_json::to_string(&item)) {
                (Some(before), _) => {
                    let reason =
                        format!("the slug {} stands in row {before} of this file already", item.name());
                    wrong(item.title(), Status::Failed, reason)
                }
                (None, Err(error)) => wrong(item.title(), Status::Failed, error.to_string()),
                (None, Ok(payload)) if crate::http::holds_nul(payload.as_bytes()) => {
                    let reason = "it holds the character NUL, which no text here may hold".to_owned();
                    wrong(item.title(), Status::Failed, reason)
                }
                (None, Ok(payload)) => Staged {
                    number,
                    place: place.clone(),
                    kind: item.kind(),
                    slug: item.name().chars().take(200).collect(),
                    title: shortened(item.title()),
                    status: Status::Pending,
                    message: None,
                    wave: i64::from(payload.contains("{%") && payload.contains("include")),
                    payload,
                },
            },
        };
        self.counts.add(row.status);
        row
    }

    /// Where the slug of a prompt stands before, if it is its own.
    fn twice(&mut self, item: &Item, number: i64) -> Option<i64> {
        let Item::Prompt(prompt) = item else { return None };
        if prompt.derived {
            return None;
        }
        let before = *self.seen.entry(prompt.prompt.slug.clone()).or_insert(number);
        (before != number).then_some(before)
    }
}

fn shortened(text: &str) -> String {
    text.replace('\0', "").chars().take(1000).collect()
}
