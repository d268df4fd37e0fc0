//! Taking in a report: each event is checked by itself, what is right becomes usage, once.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use serde_json::value::RawValue;
use uuid::Uuid;
use xr2_db::Engine;

use crate::auth::{Access, Identity};
use crate::clock::Time;
use crate::error::{ApiError, FieldProblem, Result};
use crate::features::telemetry::dto::{
    Received, Rejected, Report, ReportedEvent, ReportedLatency, ServingReport,
};
use crate::features::telemetry::ids::IdHash;
use crate::features::telemetry::names::Names;
use crate::features::telemetry::presence::{Heard, Serving};
use crate::features::telemetry::queries;
use crate::features::usage::{Alike, Delivered, EventRow, Source, cut};
use crate::last_used::FetchStamp;
use crate::state::App;

/// Events, and prompts served, of one report at most.
const MOST: usize = 1000;

/// Characters of names that clients choose.
const MAX_NAME: usize = 100;

/// Reads that one event may stand for.
const MAX_COUNT: i64 = 1_000_000;

/// Longer than any read takes.
const MAX_LATENCY_US: f64 = 3.6e9;

/// Older events do not count.
pub const MAX_AGE: TimeDelta = TimeDelta::days(7);

/// A report as it came, taken apart as far as that needs no database.
pub struct Incoming {
    report: Report,
    events: Vec<std::result::Result<ReportedEvent, String>>,
}

impl Incoming {
    /// Reads the report. Wrong events are left for later, a wrong report is refused.
    pub fn read(body: &[u8]) -> Result<Incoming> {
        let mut report: Report = crate::http::read_json(body)?;
        let mut problems = Vec::new();
        let mut demand = |holds: bool, field: &str, code: &'static str, message: &str| {
            if !holds {
                problems.push(FieldProblem::new(field, code, message));
            }
        };
        let fits = |text: &str| (1..=MAX_NAME).contains(&text.chars().count());
        demand(fits(&report.instance), "instance", "invalid", "must have 1 to 100 characters");
        let sdk = report.sdk.as_deref();
        demand(sdk.is_none_or(fits), "sdk", "invalid", "must have 1 to 100 characters");
        demand(report.revision.is_none_or(|n| n >= 0), "revision", "invalid", "must not be negative");
        demand(report.events.len() <= MOST, "events", "too_long", "must have at most 1000 events");
        let serving = report.serving.as_ref().map_or(0, Vec::len);
        demand(serving <= MOST, "serving", "too_long", "must name at most 1000 prompts");
        if !problems.is_empty() {
            return Err(ApiError::validation(problems));
        }
        let events = std::mem::take(&mut report.events);
        let events = events.iter().enumerate().map(|(index, event)| {
            breathe_at(index);
            read_event(event)
        });
        Ok(Incoming { events: events.collect(), report })
    }

    /// Names of all prompts it speaks of.
    fn prompts(&self) -> HashSet<&str> {
        let events = self.events.iter().flatten().map(|event| event.prompt.as_str());
        let serving = self.report.serving.iter().flatten().map(|serving| serving.prompt.as_str());
        events.chain(serving).collect()
    }
}

/// Long reports are read beside those that serve.
fn breathe_at(index: usize) {
    if index.is_multiple_of(16) {
        xr2_db::background::breathe();
    }
}

fn read_event(event: &RawValue) -> std::result::Result<ReportedEvent, String> {
    serde_json::from_str(event.get()).map_err(|error| {
        let text = error.to_string();
        // Where in the event says nothing to who has sent many.
        text.rsplit_once(" at line ").map_or(text.clone(), |(what, _)| what.to_owned())
    })
}

/// An event that is right.
struct Checked {
    id_hash: IdHash,
    row: EventRow,
}

/// Takes in what is right of a report.
pub async fn receive(app: &App, access: &Access, incoming: Incoming) -> Result<Received> {
    let names = Names::read(app, access, incoming.prompts()).await?;
    let now = app.clock().now();
    let caller = Caller::of(access);
    let mut rejected = Vec::new();
    let mut checked = Vec::with_capacity(incoming.events.len());
    let mut seen = HashSet::new();
    let mut duplicates = 0;
    for (index, event) in incoming.events.into_iter().enumerate() {
        breathe_at(index);
        match event.and_then(|event| caller.check(event, &names, now)) {
            Ok(event) if seen.insert(event.id_hash) => checked.push(event),
            Ok(_) => duplicates += 1,
            Err(message) => rejected.push(Rejected { index, message }),
        }
    }
    let sent = checked.len();
    let accepted = store(app, access.workspace, checked, now).await?;
    duplicates += (sent - accepted.len()) as i64;
    caller.note_fetches(app, &accepted, now);
    let heard = caller.heard(incoming.report, &names, now);
    app.presence().heard(access.workspace, heard);
    Ok(Received { accepted: accepted.len() as i64, duplicates, rejected })
}

/// Writes those that were not there before, and returns them.
async fn store(app: &App, workspace: Uuid, mut checked: Vec<Checked>, now: Time) -> Result<Vec<EventRow>> {
    if checked.is_empty() {
        return Ok(Vec::new());
    }
    // In one order everywhere, so that two reports with the same events wait for each other and do not block.
    checked.sort_unstable_by_key(|event| event.id_hash);
    match app.db().engine() {
        Engine::Sqlite => store_once(app, workspace, checked, now).await,
        Engine::Postgres => match store_new(app, workspace, &mut checked, now).await? {
            Some(rows) => Ok(rows),
            None => store_some(app, workspace, checked, now).await,
        },
    }
}

/// On SQLite.
async fn store_once(app: &App, workspace: Uuid, checked: Vec<Checked>, now: Time) -> Result<Vec<EventRow>> {
    let ids: Vec<IdHash> = checked.iter().map(|event| event.id_hash).collect();
    let mut noted = app.reported_ids().note(app, workspace, &ids, now).await?;
    let rows = rows_of(checked.into_iter().filter(|event| noted.new.contains(&event.id_hash)));
    if !rows.is_empty() {
        crate::features::usage::insert(&mut noted.tx, &rows).await?;
    }
    noted.commit().await?;
    Ok(rows)
}

/// On PostgreSQL, where some were there before.
async fn store_some(app: &App, workspace: Uuid, checked: Vec<Checked>, now: Time) -> Result<Vec<EventRow>> {
    let hashes: Vec<IdHash> = checked.iter().map(|event| event.id_hash).collect();
    let mut tx = app.db().usage().tenant(workspace).write().await?;
    let new: HashSet<Vec<u8>> = queries::note_ids(&mut tx, &hashes, now).await?.into_iter().collect();
    let rows = rows_of(checked.into_iter().filter(|event| new.contains(event.id_hash.as_slice())));
    if !rows.is_empty() {
        crate::features::usage::insert(&mut tx, &rows).await?;
    }
    tx.commit().await?;
    Ok(rows)
}

/// On PostgreSQL: writes all of them, if none was there before; else nothing. Nearly always none was, and to ask which costs more than
/// to write them.
async fn store_new(
    app: &App,
    workspace: Uuid,
    checked: &mut Vec<Checked>,
    now: Time,
) -> Result<Option<Vec<EventRow>>> {
    let hashes: Vec<IdHash> = checked.iter().map(|event| event.id_hash).collect();
    let mut tx = app.db().usage().tenant(workspace).write().await?;
    if queries::note_new_ids(&mut tx, &hashes, now).await? < hashes.len() as u64 {
        tx.rollback().await?;
        return Ok(None);
    }
    let rows = rows_of(std::mem::take(checked).into_iter());
    crate::features::usage::insert(&mut tx, &rows).await?;
    tx.commit().await?;
    Ok(Some(rows))
}

/// In the order of time, in which they are kept.
fn rows_of(checked: impl Iterator<Item = Checked>) -> Vec<EventRow> {
    let mut rows: Vec<EventRow> = checked.map(|event| event.row).collect();
    rows.sort_by_key(|row| row.at);
    rows
}

/// Who reports.
struct Caller {
    workspace: Uuid,
    key: Option<Uuid>,
    source: Source,
    user_agent: Option<Arc<str>>,
}

impl Caller {
    fn of(access: &Access) -> Caller {
        let (key, source) = match &access.caller.identity {
            Identity::Key(key) => (Some(key.id), Source::Sdk),
            Identity::Session(_) | Identity::Internal(_) => (None, Source::Dashboard),
        };
        let user_agent = access.context().user_agent.clone();
        Caller { workspace: access.workspace, key, source, user_agent }
    }

    fn check(&self, event: ReportedEvent, names: &Names, now: Time) -> std::result::Result<Checked, String> {
        let fits = |text: &str| (1..=MAX_NAME).contains(&text.chars().count());
        let demand = |holds: bool, message: &str| if holds { Ok(()) } else { Err(message.to_owned()) };
        demand(fits(&event.id), "`id` must have 1 to 100 characters.")?;
        let kind = event.kind.as_deref().unwrap_or("delivery");
        demand(kind == "delivery", "`type` must be delivery.")?;
        let label = event.label.as_deref().filter(|label| !label.is_empty());
        let prompt = names.check(&event.prompt, event.version, label)?;
        let at = time(&event.at).ok_or("`at` must be a time, such as 2026-01-31T12:00:00Z.")?;
        demand(now - at <= MAX_AGE, "`at` is more than seven days ago.")?;
        let count = event.count.unwrap_or(1);
        demand((1..=MAX_COUNT).contains(&count), "`count` must be from 1 to 1000000.")?;
        let latency_us = event.latency_us.map(|latency| match latency {
            ReportedLatency::Number(micros) | ReportedLatency::Percentiles { p50: micros } => micros,
        });
        let in_range = |micros: f64| (0.0..=MAX_LATENCY_US).contains(&micros);
        demand(latency_us.is_none_or(in_range), "`latency_us` must be from 0 to an hour.")?;
        let variant = event.variant.as_deref().unwrap_or_default();
        demand(variant.is_empty() || fits(variant), "`variant` must have at most 100 characters.")?;
        let what = Delivered {
            workspace: self.workspace,
            prompt: prompt.id,
            version: event.version.unwrap_or(0),
            label: label.unwrap_or_default().into(),
            variant: variant.into(),
            includes: None,
        };
        let alike = Alike {
            what: Arc::new(what),
            key: self.key,
            source: self.source,
            status: event.error.as_deref().map_or(200, status_of),
            user: event.user_id.as_deref().filter(|user| !user.is_empty()).map(|user| cut(user).into()),
            address: None,
            user_agent: self.user_agent.clone(),
            model: None,
            variables: None,
        };
        let row = EventRow {
            alike,
            // A clock that is ahead must not write into hours that have not begun.
            at: at.min(now).timestamp_micros(),
            count,
            latency_us: latency_us.map(|micros| micros.round() as i64),
            latencies: None,
            address_hash: None,
        };
        Ok(Checked { id_hash: self.hash_of(&event.id), row })
    }

    /// What an event is known by: its id among those of the same key. No key can use up the ids of another.
    fn hash_of(&self, id: &str) -> IdHash {
        let mut bytes = self.key.unwrap_or_default().as_bytes().to_vec();
        bytes.extend_from_slice(id.as_bytes());
        xxhash_rust::xxh3::xxh3_128(&bytes).to_be_bytes()
    }

    /// A read from memory is a fetch as well: the prompt is in use.
    fn note_fetches(&self, app: &App, rows: &[EventRow], now: Time) {
        let Some(key) = self.key else { return };
        let mut seen = HashSet::new();
        for row in rows.iter().filter(|row| row.alike.status < 400) {
            let what = &row.alike.what;
            if seen.insert((what.prompt, what.label.clone(), what.version)) {
                let label = match (&*what.label, what.version) {
                    ("", 0) => continue,
                    ("", version) => format!("#{version}"),
                    (label, _) => label.to_owned(),
                };
                app.last_used().fetched(&FetchStamp::new(self.workspace, what.prompt, label), key, now);
            }
        }
    }

    fn heard(&self, report: Report, names: &Names, now: Time) -> Heard {
        let serving = report.serving.map(|all| all.iter().filter_map(|one| serving(one, names)).collect());
        Heard {
            instance: report.instance.into(),
            sdk: report.sdk.unwrap_or_default().into(),
            key: self.key,
            revision: report.revision.unwrap_or(0),
            stream: report.stream.unwrap_or(false),
            serving,
            at: now,
        }
    }
}

/// What is served, if it is there; what is not is left out.
fn serving(report: &ServingReport, names: &Names) -> Option<Serving> {
    let label = report.label.as_deref().unwrap_or("production");
    let known = names.check(&report.prompt, Some(report.version), Some(label)).ok()?;
    let since = report.since.as_deref().and_then(time).map(|at| at.timestamp_micros());
    Some(Serving { prompt: known.id, label: label.to_owned(), version: report.version, since })
}

fn time(text: &str) -> Option<Time> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}

/// Statuses that the server would have answered with.
fn status_of(code: &str) -> u16 {
    match code {
        "NOT_FOUND" => 404,
        "FORBIDDEN" => 403,
        "UNAUTHENTICATED" => 401,
        "MISSING_VARIABLES" | "INVALID_VARIABLES" | "TEMPLATE_ERROR" | "VALIDATION_ERROR" => 422,
        "RATE_LIMITED" | "QUOTA_EXCEEDED" => 429,
        "UNAVAILABLE" => 503,
        _ => 500,
    }
}
