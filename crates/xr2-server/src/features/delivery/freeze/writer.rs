//! Writing what is kept, seconds behind the changes.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::error::{ApiError, Result};
use crate::events::{Listener, Notice};
use crate::features::api_keys;
use crate::features::delivery::freeze::model::Pages;
use crate::features::delivery::freeze::queries;
use crate::frozen::Part;
use crate::state::App;

/// How often changes are written.
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// How often the time of the last contact with the database is written.
const CONTACT_EVERY: Duration = Duration::from_secs(30);

/// A workspace that took long to write is left alone for so many times as long, but not for longer than this.
const REST: u32 = 10;
const LONGEST_REST: Duration = Duration::from_secs(10);

/// Prompts changed at once beyond which everything is read anew.
const MANY: usize = 500;

/// What has changed since it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Changed {
    Prompts(BTreeSet<Uuid>),
    Everything,
}

impl Changed {
    fn and(&mut self, other: Changed) {
        match (&mut *self, other) {
            (Changed::Prompts(mine), Changed::Prompts(more)) => mine.extend(more),
            (_, _) => *self = Changed::Everything,
        }
    }
}

/// Notes changes and writes them.
#[derive(Default)]
pub struct Freezer {
    changed: Mutex<HashMap<Uuid, Changed>>,
    /// Until when workspaces that take long are left alone.
    resting: Mutex<HashMap<Uuid, Instant>>,
    /// Set when the database is another one: what is kept has to be looked at again.
    is_outdated: AtomicBool,
}

impl Listener for Freezer {
    fn invalidate(&self, _: &Notice) {}

    fn in_order(&self, notice: &Notice) {
        let group = notice.kind.split('.').next().unwrap_or_default();
        let changed = match (group, notice.resource_id) {
            ("prompt" | "version" | "label", Some(id)) if notice.resource_type == "prompt" => {
                Changed::Prompts([id].into())
            }
            ("api_key" | "member", _) => Changed::Prompts(BTreeSet::new()),
            _ => Changed::Everything,
        };
        self.note(notice.workspace, changed);
    }

    fn forget(&self) {
        self.is_outdated.store(true, Ordering::Release);
    }
}

impl Freezer {
    /// Writes until the server stops, then once more.
    pub async fn run(&self, app: &App) {
        if !app.frozen().is_on() {
            return;
        }
        let stop = app.stopping();
        let mut has_begun = false;
        let mut contact_noted: Option<Instant> = None;
        loop {
            let is_stopping = tokio::select! {
                () = stop.cancelled() => true,
                () = tokio::time::sleep(WRITE_EVERY) => false,
            };
            let is_due = contact_noted.is_none_or(|at| at.elapsed() > CONTACT_EVERY);
            if app.db().has_started() && app.follower().contact().stale().is_none() {
                app.keys().thawed().forget();
                app.prompt_cache().thawed().forget();
                if self.is_outdated.swap(false, Ordering::AcqRel) {
                    has_begun = false;
                }
                if !has_begun {
                    has_begun = self.begin(app).await;
                }
                // First: what is kept counts for nothing without it.
                if is_due || is_stopping {
                    contact_noted = Some(Instant::now());
                    note_contact(app).await;
                }
                if has_begun {
                    self.write_all(app).await;
                }
            } else if contact_noted.take().is_some() {
                // Just lost: from now on the file tells exactly since when.
                note_contact(app).await;
            }
            if is_stopping {
                return;
            }
        }
    }

    /// Finds out what is not kept yet, or as it was at another revision. Whether that worked.
    async fn begin(&self, app: &App) -> bool {
        let told = app.follower().all_told();
        let frozen = app.frozen().clone();
        let known: Vec<Uuid> = told.keys().copied().collect();
        let kept = tokio::task::spawn_blocking(move || {
            for gone in frozen.workspaces().into_iter().filter(|workspace| !known.contains(workspace)) {
                frozen.remove(gone);
            }
            let revision = |workspace| (workspace, api_keys::kept_revision(&frozen, workspace));
            known.into_iter().map(revision).collect::<Vec<_>>()
        })
        .await;
        let Ok(kept) = kept else { return false };
        for (workspace, revision) in kept {
            if revision != told.get(&workspace).copied() {
                self.note(workspace, Changed::Everything);
            }
        }
        true
    }

    async fn write_all(&self, app: &App) {
        let now = Instant::now();
        let at = app.follower().contact().last();
        lock(&self.resting).retain(|_, until| *until > now);
        let waiting: Vec<Uuid> = self.changed().keys().copied().collect();
        let mut is_complete = true;
        for workspace in waiting {
            if lock(&self.resting).contains_key(&workspace) {
                is_complete = false;
                continue;
            }
            // Told first: every change up to it is among those taken.
            let Some(told) = app.follower().told(workspace) else { continue };
            let Some(changed) = self.changed().remove(&workspace) else { continue };
            let began = Instant::now();
            if let Err(error) = write(app, workspace, told, &changed).await {
                tracing::warn!(%error, %workspace, "the snapshot could not be written; it is tried again");
                self.note(workspace, changed);
                return;
            }
            let took = began.elapsed();
            metrics::histogram!("xr2_snapshot_write_seconds").record(took.as_secs_f64());
            if took * REST > WRITE_EVERY {
                let rest = (took * REST).min(LONGEST_REST);
                lock(&self.resting).insert(workspace, Instant::now() + rest);
            }
        }
        if is_complete {
            app.frozen().set_current(at);
            app.frozen().trust_again();
        }
    }

    fn note(&self, workspace: Uuid, changed: Changed) {
        match self.changed().entry(workspace) {
            std::collections::hash_map::Entry::Occupied(mut known) => known.get_mut().and(changed),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(changed);
            }
        }
    }

    fn changed(&self) -> MutexGuard<'_, HashMap<Uuid, Changed>> {
        lock(&self.changed)
    }
}

async fn note_contact(app: &App) {
    let (frozen, at) = (app.frozen().clone(), app.follower().contact().last());
    let noted = tokio::task::spawn_blocking(move || frozen.note_contact(at)).await;
    if let Ok(Err(error)) = noted {
        tracing::warn!(%error, "the time of the last contact could not be kept");
    }
}

/// Writes a workspace as it is now, which is at `told` or later.
async fn write(app: &App, workspace: Uuid, told: i64, changed: &Changed) -> Result<()> {
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
    pages.head.revision = told;
    let frozen = app.frozen().clone();
    tokio::task::spawn_blocking(move || {
        let body = pages.to_bytes()?;
        frozen.write(workspace, Part::Prompts, &body)
    })
    .await
    .map_err(ApiError::internal)?
    .map_err(ApiError::internal)?;
    api_keys::freeze(app, workspace, told, told).await
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
