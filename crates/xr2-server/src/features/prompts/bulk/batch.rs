//! Some prompts of a bulk request in one write transaction.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::auth::Access;
use crate::clock::Time;
use crate::error::{ApiError, Code, Result};
use crate::events::Change;
use crate::features::folders;
use crate::features::prompts::access::no_prompt;
use crate::features::prompts::bulk::action::Action;
use crate::features::prompts::bulk::dto::{End, Outcome};
use crate::features::prompts::bulk::queries;
use crate::features::prompts::queries::lock_labels;
use crate::features::prompts::{PromptRow, desk, labels};
use crate::state::App;

/// After so long a transaction takes no further prompt: others want to write too.
const PATIENCE: Duration = Duration::from_millis(100);

/// A running transaction and what is known of its prompts.
pub(super) struct Batch<'a> {
    pub change: Change,
    pub access: &'a Access,
    pub action: &'a Action,
    /// As they are before anything is done to them.
    rows: HashMap<Uuid, PromptRow>,
    labels: HashMap<Uuid, Vec<(String, i64)>>,
    /// Where they stand, for actions that are about it.
    pub folders: HashMap<Uuid, Vec<Uuid>>,
    /// Those that another one includes.
    pub included: HashSet<Uuid>,
    pub fetched: HashMap<Uuid, Time>,
    /// Set when something is still to be compiled; then all is attempted once more.
    not_yet: Option<ApiError>,
}

/// Does the action to the first of `some`, at least one and as many as there is time for.
pub(super) async fn attempt(
    app: &App,
    access: &Access,
    action: &Action,
    some: &[Uuid],
) -> Result<Vec<(Uuid, Outcome)>> {
    let mut batch = Batch::begin(app, access, action, some).await?;
    let began = Instant::now();
    let mut outcomes = Vec::with_capacity(some.len());
    for id in some {
        if !outcomes.is_empty() && began.elapsed() > PATIENCE {
            break;
        }
        outcomes.push((*id, batch.one(*id).await?));
    }
    batch.commit().await?;
    Ok(outcomes)
}

/// Does the action to all of `wanted`, and keeps it (when it is to be kept) if none fails; tells whether it was kept.
pub(super) async fn attempt_all(
    app: &App,
    access: &Access,
    action: &Action,
    wanted: &[Uuid],
    keep: bool,
) -> Result<(Vec<(Uuid, Outcome)>, bool)> {
    let mut batch = Batch::begin(app, access, action, wanted).await?;
    let mut outcomes: HashMap<Uuid, Outcome> = HashMap::new();
    let mut waiting = wanted.to_vec();
    loop {
        let mut did_some = false;
        for id in std::mem::take(&mut waiting) {
            let outcome = batch.one(id).await?;
            did_some |= outcome.is_done();
            if outcome.is_in_use() {
                waiting.push(id);
            }
            outcomes.insert(id, outcome);
        }
        // What uses it may be gone by now.
        if waiting.is_empty() || !did_some {
            break;
        }
    }
    let keep = keep && !outcomes.values().any(Outcome::is_failed);
    if keep || batch.not_yet.is_some() {
        batch.commit().await?;
    }
    Ok((outcomes.into_iter().collect(), keep))
}

impl<'a> Batch<'a> {
    async fn begin(app: &App, access: &'a Access, action: &'a Action, some: &[Uuid]) -> Result<Batch<'a>> {
        let mut change = Change::begin(app, access).await?;
        let tx = change.tx();
        let rows = queries::lock_rows(tx, some).await?.into_iter().map(|row| (row.id, row)).collect();
        if action.holds_labels() {
            lock_labels(tx).await?;
        }
        let mut labels: HashMap<Uuid, Vec<(String, i64)>> = HashMap::new();
        for (prompt, label, version) in queries::pointers(tx, some).await? {
            labels.entry(prompt).or_default().push((label, version));
        }
        let (mut included, mut fetched) = (HashSet::new(), HashMap::new());
        if matches!(action, Action::Delete { .. } | Action::Restore) {
            included = queries::included(tx, some).await?;
        }
        if matches!(action, Action::Delete { force: false }) {
            fetched = queries::last_fetches(tx, some).await?;
        }
        let folders = match (action.folder(), action) {
            (None, Action::Duplicate) | (Some(_), _) => folders::of_prompts(tx, some).await?,
            _ => HashMap::new(),
        };
        if let Some(Some(folder)) = action.folder()
            && folders::check_ids(tx, &[folder]).await?.is_err()
        {
            let message = "there is no such folder in this workspace";
            return Err(ApiError::invalid_field("folder", "not_found", message));
        }
        match action {
            Action::Label { label, comment, .. } => {
                labels::check_move(&mut change, access, label, comment.as_deref()).await?;
            }
            Action::Unlabel { label, .. } => {
                labels::check_move(&mut change, access, label, Some("removed")).await?;
            }
            _ => {}
        }
        Ok(Batch { change, access, action, rows, labels, folders, included, fetched, not_yet: None })
    }

    /// Where a label of a prompt pointed before.
    pub fn pointer(&self, prompt: Uuid, label: &str) -> Option<i64> {
        let mut labels = self.labels.get(&prompt)?.iter();
        labels.find(|(name, _)| name == label).map(|(_, version)| *version)
    }

    /// Label → version, for events; the computed label `latest` among them.
    pub fn labels_of(&self, row: &PromptRow) -> Value {
        let pointers = self.labels.get(&row.id).into_iter().flatten().cloned();
        let all = pointers.chain([(labels::LATEST.to_owned(), row.latest_version)]);
        all.map(|(label, version)| (label, Value::from(version))).collect::<Map<_, _>>().into()
    }

    async fn one(&mut self, id: Uuid) -> Result<Outcome> {
        let Some(row) = self.rows.get(&id).cloned() else {
            // Somebody removed it for good since it was looked up.
            return Ok(Outcome::failed(None, no_prompt(&id.to_string())));
        };
        let slug = Some(row.slug.clone());
        let is_marked = self.action.may_fail_late();
        if is_marked {
            self.change.mark().await?;
        }
        let error = match self.apply(row).await {
            Ok(end) => {
                if is_marked {
                    self.change.keep().await?;
                }
                return Ok(Outcome { slug, end });
            }
            Err(error) => error,
        };
        let is_not_yet = desk::is_not_yet(&error);
        if !is_not_yet && matches!(error.code, Code::Internal | Code::Unavailable) {
            return Err(error);
        }
        if is_marked {
            self.change.take_back().await?;
        }
        if is_not_yet {
            self.not_yet = Some(error);
            return Ok(Outcome { slug, end: End::Unchanged });
        }
        Ok(Outcome::failed(slug, error))
    }

    async fn commit(self) -> Result<()> {
        match self.not_yet {
            Some(error) => Err(error),
            None => self.change.commit().await.map(drop),
        }
    }
}
