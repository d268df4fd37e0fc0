//! Working an import off: a few rows a change, each change with what became of its rows, so that an import that was cut
//! anywhere goes on behind the last row that is in.

use std::collections::HashSet;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::auth::{Access, Right};
use crate::error::{ApiError, Code, Result};
use crate::events::Change;
use crate::features::imports::bring::Run;
use crate::features::imports::model::{Counts, State, Status};
use crate::features::imports::prepare::Setting;
use crate::features::imports::queries::{self, ImportRow, Told, Waiting};
use crate::state::App;

/// Rows of one change: enough to be quick, few enough not to hold the one writer.
const AT_ONCE: i64 = 100;
/// Bytes of rows of one change.
const BYTES_AT_ONCE: i64 = 1024 * 1024;
/// What stands in something that stands in something … this often is looked for.
const MOST_WAVES: usize = 7;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// It is over, whatever came of it.
    Over,
    /// Somebody else goes on with it, or it was cancelled.
    NotOurs,
    /// The server is stopping: it is to be gone on with.
    Stopping,
}

/// Works an import off from where it is. `progress` hears of every row.
pub(super) async fn run(
    app: &App,
    workspace: Uuid,
    id: Uuid,
    stopping: &CancellationToken,
    progress: &mut (dyn FnMut(&Told) + Send + Sync),
) -> Result<Ended> {
    let lease = app.clock().new_id();
    let mut tx = app.db().tenant(workspace).write().await?;
    let is_ours = queries::take(&mut tx, id, lease, app.clock().now()).await?;
    let found = queries::find(&mut tx, id).await?;
    let by_whom = match &found {
        Some(row) => queries::is_still_there(&mut tx, &row.import.created_by).await?,
        None => false,
    };
    tx.commit().await?;
    let Some(row) = found.filter(|_| is_ours) else { return Ok(Ended::NotOurs) };
    let mut work =
        Work { app, id, lease, round: row.round, stopping, progress, run: the_run(app, workspace, id, &row) };
    let outcome = match by_whom {
        true => work.all(&row).await,
        false => {
            Err(ApiError::forbidden("Whoever began this import may not change this workspace any more."))
        }
    };
    match outcome {
        Err(error) if error.code.status().is_client_error() => {
            work.end(State::Failed, Some(&error.message)).await?;
            Ok(Ended::Over)
        }
        other => other,
    }
}

fn the_run(app: &App, workspace: Uuid, id: Uuid, row: &ImportRow) -> Run {
    let actor = row.import.created_by.clone();
    let access = Access { rights: row.rights, ..Access::internal_as(workspace, actor.clone()) };
    let name = row.options.name.clone();
    let source = if name.is_empty() { format!("{:?}", row.options.format).to_lowercase() } else { name };
    let setting = Setting {
        clock: app.clock().clone(),
        actor,
        now: app.clock().now(),
        keeps_authors: row.rights.has(Right::Admin),
        source,
        content_bytes: app.config().limits.content_bytes,
    };
    let options = row.options.clone();
    Run { import: id, options, access, setting, claimed: HashSet::new(), is_last_wave: false }
}

struct Work<'a> {
    app: &'a App,
    id: Uuid,
    lease: Uuid,
    round: i64,
    stopping: &'a CancellationToken,
    progress: &'a mut (dyn FnMut(&Told) + Send + Sync),
    run: Run,
}

/// The rows of one change.
struct Chunk {
    rows: Vec<Waiting>,
    last: i64,
}

impl Work<'_> {
    async fn all(&mut self, row: &ImportRow) -> Result<Ended> {
        if row.options.all_or_nothing && !row.options.dry_run {
            return self.all_or_nothing(row).await;
        }
        match self.rows().await? {
            Ended::Over => {}
            other => return Ok(other),
        }
        if self.run.options.dry_run {
            self.end(State::Checked, None).await?;
        } else {
            self.link_again().await?;
            self.end(State::Done, None).await?;
        }
        Ok(Ended::Over)
    }

    /// All waves, a few rows a change.
    async fn rows(&mut self) -> Result<Ended> {
        for wave in [0, 1] {
            for attempt in 1..=MOST_WAVES {
                let (mut after, mut came, mut left) = (0, 0, 0);
                while let Some(chunk) = self.chunk(wave, after).await? {
                    if self.stopping.is_cancelled() {
                        return Ok(Ended::Stopping);
                    }
                    after = chunk.last;
                    let rows = chunk.rows.len();
                    let Some(told) = self.change(chunk.rows).await? else { return Ok(Ended::NotOurs) };
                    came += told;
                    left += rows - told;
                }
                if left == 0 {
                    break;
                }
                // Those that are left wait for something that does not come.
                self.run.is_last_wave = came == 0 || attempt + 1 == MOST_WAVES;
            }
            self.run.is_last_wave = false;
        }
        Ok(Ended::Over)
    }

    /// The next rows that wait.
    async fn chunk(&self, wave: i64, after: i64) -> Result<Option<Chunk>> {
        let mut tx = self.app.db().tenant(self.run.access.workspace).read().await?;
        let which = (wave, self.round);
        let sizes = queries::waiting_sizes(&mut tx, self.id, which, after, AT_ONCE).await?;
        let mut room = BYTES_AT_ONCE;
        let fits = |(_, bytes): &&(i64, i64)| {
            let has_room = room > 0;
            room -= bytes;
            has_room
        };
        let numbers: Vec<i64> = sizes.iter().take_while(fits).map(|(number, _)| *number).collect();
        let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else {
            tx.commit().await?;
            return Ok(None);
        };
        let rows = queries::waiting(&mut tx, self.id, which, *first, *last).await?;
        tx.commit().await?;
        Ok(Some(Chunk { rows, last: *last }))
    }

    /// Takes rows in; how many are done with, or none when the import is not ours any more.
    async fn change(&mut self, rows: Vec<Waiting>) -> Result<Option<usize>> {
        let ready = self.run.ready(rows);
        let mut change = Change::begin(self.app, &self.run.access).await?;
        let told = self.run.bring(&mut change, ready).await?;
        let is_dry = self.run.options.dry_run;
        if is_dry {
            // Everything was tried for real and is taken back, so the report cannot be wrong.
            drop(change);
            let mut tx = self.app.db().tenant(self.run.access.workspace).write().await?;
            if !self.note(&mut tx, &told, true).await? {
                return Ok(None);
            }
            tx.commit().await?;
        } else {
            let is_ours = self.note(change.tx(), &told, false).await?;
            if !is_ours {
                return Ok(None);
            }
            change.commit().await?;
        }
        told.iter().for_each(|one| (self.progress)(one));
        Ok(Some(told.len()))
    }

    async fn note(&self, tx: &mut xr2_db::Tx, told: &[Told], keep: bool) -> Result<bool> {
        let mut counts = Counts::default();
        told.iter().for_each(|one| counts.add(one.status));
        queries::tell(tx, self.id, self.round, told, keep).await?;
        Ok(queries::advance(tx, self.id, self.lease, counts, self.app.clock().now()).await?)
    }

    /// Tries everything, and takes it in as one change when nothing is wrong.
    async fn all_or_nothing(&mut self, row: &ImportRow) -> Result<Ended> {
        self.run.options.dry_run = true;
        match self.rows().await? {
            Ended::Over => {}
            other => return Ok(other),
        }
        let mut tx = self.app.db().tenant(self.run.access.workspace).write().await?;
        let found = queries::find(&mut tx, self.id).await?;
        let failed = found.map_or(0, |found| found.import.counts.failed);
        if failed > 0 {
            tx.commit().await?;
            let rows = if failed == 1 { "1 row is".to_owned() } else { format!("{failed} rows are") };
            let message = format!("{rows} wrong, so nothing was brought in; each says why.");
            return Err(ApiError::new(Code::Validation, message));
        }
        queries::next_round(&mut tx, self.id, &row.options, self.app.clock().now()).await?;
        tx.commit().await?;
        self.round += 1;
        self.run.options.dry_run = false;
        self.run.claimed.clear();
        self.in_one_change().await
    }

    /// One change for all rows: it is there as a whole or not at all, whatever happens.
    async fn in_one_change(&mut self) -> Result<Ended> {
        let mut change = Change::begin(self.app, &self.run.access).await?;
        let mut all: Vec<Told> = Vec::new();
        for wave in [0, 1] {
            for _ in 0..MOST_WAVES {
                let (mut after, mut came) = (0, 0);
                loop {
                    let which = (wave, self.round);
                    let sizes = queries::waiting_sizes(change.tx(), self.id, which, after, AT_ONCE).await?;
                    let (Some((first, _)), Some((last, _))) = (sizes.first(), sizes.last()) else { break };
                    let rows = queries::waiting(change.tx(), self.id, which, *first, *last).await?;
                    after = *last;
                    let ready = self.run.ready(rows);
                    let told = self.run.bring(&mut change, ready).await?;
                    if let Some(wrong) = told.iter().find(|one| one.status == Status::Failed) {
                        let reason = wrong.message.clone().unwrap_or_default();
                        let message = format!("Row {}: {reason}. Nothing was brought in.", wrong.number);
                        return Err(ApiError::new(Code::Validation, message));
                    }
                    queries::tell(change.tx(), self.id, self.round, &told, false).await?;
                    came += told.len();
                    all.extend(told);
                }
                if came == 0 {
                    break;
                }
            }
        }
        let mut counts = Counts::default();
        all.iter().for_each(|one| counts.add(one.status));
        let now = self.app.clock().now();
        if !queries::advance(change.tx(), self.id, self.lease, counts, now).await? {
            return Ok(Ended::NotOurs);
        }
        for one in all.iter().filter(|one| one.link_again) {
            crate::features::prompts::link_again(change.tx(), &one.slug).await?;
        }
        queries::end(change.tx(), self.id, Some(self.lease), State::Done, None, now).await?;
        change.commit().await?;
        all.iter().for_each(|one| (self.progress)(one));
        Ok(Ended::Over)
    }

    /// Looks up once more what old versions include, now that all prompts are there.
    async fn link_again(&mut self) -> Result<()> {
        let mut after = 0;
        loop {
            let mut tx = self.app.db().tenant(self.run.access.workspace).write().await?;
            let rows = queries::to_link_again(&mut tx, self.id, after, AT_ONCE).await?;
            let Some((last, _)) = rows.last() else { return Ok(tx.commit().await?) };
            after = *last;
            for (_, slug) in &rows {
                crate::features::prompts::link_again(&mut tx, slug).await?;
            }
            tx.commit().await?;
        }
    }

    async fn end(&self, state: State, message: Option<&str>) -> Result<()> {
        let mut tx = self.app.db().tenant(self.run.access.workspace).write().await?;
        let now = self.app.clock().now();
        queries::end(&mut tx, self.id, Some(self.lease), state, message, now).await?;
        Ok(tx.commit().await?)
    }
}
