//! Looking at sums.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::dto::{
    KeyUsage, PromptAnalytics, PromptDeliveries, PromptUsage, ResponseTime, UsageAnalytics, UsagePoint,
    UsageSummary, VersionUsage,
};
use super::periods::Period;
use super::queries::analytics::{self as queries, PromptHour, Sum};
use super::rollup::HourSum;
use super::rows::HOUR;
use super::writer::settle;
use crate::auth::Access;
use crate::clock::Time;
use crate::error::{ApiError, Result};
use crate::features::{api_keys, prompts};
use crate::state::App;

/// Prompts that are listed.
const MOST_PROMPTS: i64 = 100;

/// Hours of one prompt that are read at once: their sketches take room.
const HOURS_AT_ONCE: i64 = 24;

/// Usage of the whole workspace.
pub async fn usage(app: &App, access: &Access, period: Period) -> Result<UsageAnalytics> {
    settle(app).await?;
    let db = app.db().analytics();
    let mut tx = db.tenant(access.workspace).read().await?;
    let points = queries::by_time(&mut tx, None, period.from_hour, period.step).await?;
    let by_prompt = queries::by_prompt(&mut tx, period.from_hour, MOST_PROMPTS).await?;
    let ids: Vec<Uuid> = by_prompt.iter().map(|sum| sum.of).collect();
    let users: HashMap<Uuid, i64> =
        queries::users_of(&mut tx, &ids, period.from_hour).await?.into_iter().collect();
    let all_users = queries::users(&mut tx, period.from_hour).await?;
    tx.commit().await?;
    let mut tx = app.db().tenant(access.workspace).read().await?;
    let mut names: HashMap<Uuid, (String, String)> = queries::names_of(&mut tx, &ids)
        .await?
        .into_iter()
        .map(|(id, slug, title)| (id, (slug, title)))
        .collect();
    tx.commit().await?;
    let prompts = by_prompt
        .into_iter()
        .map(|sum| {
            let (slug, title) = names.remove(&sum.of).unzip();
            PromptUsage {
                prompt_id: sum.of,
                slug,
                title,
                sums: summary([&sum].into_iter(), users.get(&sum.of).copied().unwrap_or(0)),
                active_days: sum.days,
                last_used: time_of(sum.last_at),
            }
        })
        .collect();
    Ok(UsageAnalytics {
        period: period.name,
        from: Period::time_of(period.from_hour),
        summary: summary(points.iter(), all_users),
        prompts,
        time_series: series(period, &points),
    })
}

/// Deliveries and errors of the last 7 days, and of the 7 before; and whether anything was ever delivered.
pub async fn week_and_before(app: &App, access: &Access) -> Result<((i64, i64), (i64, i64), bool)> {
    const WEEK: i64 = 7 * 24;
    settle(app).await?;
    let next = app.clock().now().timestamp_micros().div_euclid(HOUR) + 1;
    let db = app.db().analytics();
    let mut tx = db.tenant(access.workspace).read().await?;
    let week = queries::total(&mut tx, next - WEEK, next).await?;
    let before = queries::total(&mut tx, next - 2 * WEEK, next - WEEK).await?;
    let ever = week.0 > 0 || before.0 > 0 || queries::has_any(&mut tx).await?;
    tx.commit().await?;
    Ok((week, before, ever))
}

/// Usage of one prompt.
pub async fn prompt(app: &App, access: &Access, name: &str, period: Period) -> Result<PromptAnalytics> {
    settle(app).await?;
    let mut tx = app.db().tenant(access.workspace).read().await?;
    let row = prompts::find(&mut tx, name).await?;
    tx.commit().await?;
    let row = row.ok_or_else(|| ApiError::not_found("prompt"))?;
    let db = app.db().analytics();
    let mut tx = db.tenant(access.workspace).read().await?;
    let points = queries::by_time(&mut tx, Some(row.id), period.from_hour, period.step).await?;
    let users = queries::users_of(&mut tx, &[row.id], period.from_hour).await?;
    let users = users.first().map_or(0, |(_, count)| *count);
    tx.commit().await?;
    let mut told = Told::default();
    for from in (period.from_hour..=period.to_hour).step_by(HOURS_AT_ONCE as usize) {
        let mut tx = db.tenant(access.workspace).read().await?;
        for hour in queries::of_prompt(&mut tx, row.id, from, from + HOURS_AT_ONCE).await? {
            told.add(hour);
        }
        tx.commit().await?;
    }
    let keys: Vec<Uuid> = told.keys.keys().copied().filter(|key| !key.is_nil()).collect();
    let mut tx = app.db().tenant(access.workspace).read().await?;
    let names = api_keys::names(&mut tx, &keys).await?.into_iter().collect();
    tx.commit().await?;
    Ok(PromptAnalytics {
        prompt_id: row.id,
        slug: row.slug,
        period: period.name,
        total_executions: None,
        success_rate: None,
        avg_latency: None,
        total_tokens: None,
        total_cost: None,
        by_provider: None,
        by_model: None,
        deliveries: told.deliveries(summary(points.iter(), users), names),
        daily_trend: series(period, &points),
    })
}

/// What the hours of a prompt come to.
#[derive(Default)]
struct Told {
    all: HourSum,
    days: std::collections::HashSet<i64>,
    versions: BTreeMap<(i64, String, String), (i64, i64)>,
    keys: BTreeMap<Uuid, i64>,
    sources: BTreeMap<String, i64>,
}

impl Told {
    fn add(&mut self, hour: PromptHour) {
        self.all.merge(&hour.sum);
        self.days.insert(hour.hour.div_euclid(24));
        let version = self.versions.entry((hour.version, hour.label, hour.variant)).or_default();
        version.0 += hour.sum.count;
        version.1 += hour.sum.errors;
        *self.keys.entry(hour.key).or_default() += hour.sum.count;
        *self.sources.entry(hour.source).or_default() += hour.sum.count;
    }

    fn deliveries(self, sums: UsageSummary, mut names: HashMap<Uuid, String>) -> PromptDeliveries {
        let percentile = |share| self.all.latencies.percentile(share).map(millis);
        let text = |text: String| (!text.is_empty()).then_some(text);
        let mut by_version: Vec<VersionUsage> = self
            .versions
            .into_iter()
            .map(|((version, label, variant), (requests, errors))| VersionUsage {
                version: (version > 0).then_some(version),
                label: text(label),
                variant: text(variant),
                requests,
                errors,
            })
            .collect();
        by_version.sort_by_key(|version| std::cmp::Reverse(version.requests));
        let mut by_key: Vec<KeyUsage> = self
            .keys
            .into_iter()
            .map(|(id, requests)| KeyUsage {
                id: (!id.is_nil()).then_some(id),
                name: names.remove(&id),
                requests,
            })
            .collect();
        by_key.sort_by_key(|key| std::cmp::Reverse(key.requests));
        PromptDeliveries {
            sums,
            response_time: ResponseTime {
                p50: percentile(0.5),
                p95: percentile(0.95),
                p99: percentile(0.99),
            },
            active_days: self.days.len() as i64,
            last_used: time_of(self.all.last_at),
            by_version,
            by_key,
            by_source: self.sources,
        }
    }
}

fn summary<'a, T: 'a>(sums: impl Iterator<Item = &'a Sum<T>>, users: i64) -> UsageSummary {
    let (mut count, mut errors, mut measured, mut latency) = (0, 0, 0, 0);
    for sum in sums {
        count += sum.count;
        errors += sum.errors;
        measured += sum.measured;
        latency += sum.latency_us;
    }
    UsageSummary {
        total_requests: count,
        total_errors: errors,
        error_rate: (count > 0).then(|| errors as f64 / count as f64),
        avg_response_time: mean(latency, measured),
        unique_users: users,
    }
}

/// A point for every step, also for those in which nothing happened.
fn series(period: Period, sums: &[Sum<i64>]) -> Vec<UsagePoint> {
    let by_step: HashMap<i64, &Sum<i64>> = sums.iter().map(|sum| (sum.of, sum)).collect();
    let point = |hour: i64| {
        let sum = by_step.get(&((hour - period.from_hour) / period.step));
        UsagePoint {
            at: Period::time_of(hour),
            requests: sum.map_or(0, |sum| sum.count),
            errors: sum.map_or(0, |sum| sum.errors),
            avg_response_time: sum.and_then(|sum| mean(sum.latency_us, sum.measured)),
        }
    };
    period.steps().map(point).collect()
}

fn mean(sum: i64, count: i64) -> Option<f64> {
    (count > 0).then(|| millis(sum as f64 / count as f64))
}

/// Milliseconds of microseconds, to the microsecond.
fn millis(micros: f64) -> f64 {
    micros.round() / 1000.0
}

fn time_of(micros: i64) -> Option<Time> {
    DateTime::<Utc>::from_timestamp_micros(micros).filter(|_| micros > 0)
}
