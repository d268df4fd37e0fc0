//! A million events of usage reported by SDKs while others fetch prompts.

use crate::http::{self, Connection};
use crate::load::{Load, Work};
use crate::report::{Bound, Report, Target, median};
use crate::server::Server;
use crate::{Effort, machine, pace};
use anyhow::{Result, bail};
use serde_json::{Value, json};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant, UNIX_EPOCH};

/// Events in all, and in one report.
const EVENTS: usize = 1_000_000;
const PER_REPORT: usize = 1000;
/// Reports are sent at an even pace that comes to this, so that fetches are measured beside a steady stream of them.
const SPREAD: Duration = Duration::from_secs(27);
/// Fetches a second, over so many connections, each at its own pace whether the last answer was quick or slow.
const FETCHES: f64 = 4000.0;
const CONNECTIONS: usize = 16;
const PROMPTS: usize = 20;
const USERS: usize = 1000;

/// Runs it on a new database each round.
pub fn measure(xr2: &Path, effort: Effort) -> Result<Report> {
    let machine = machine::describe(Path::new(env!("CARGO_MANIFEST_DIR")));
    let mut rows: Vec<(String, Vec<f64>)> = Vec::new();
    for round in 1..=effort.rounds {
        rows.push((format!("round {round}"), one_round(xr2, effort)?));
    }
    let middle: Vec<f64> = (0..COLUMNS.len()).map(|at| median(rows.iter().map(|row| row.1[at]))).collect();
    let (seconds, ratio) = (middle[0], middle[5]);
    rows.push(("**median**".into(), middle));
    Ok(Report {
        name: "ingest",
        method: format!(
            "`POST /api/v1/telemetry` with {PER_REPORT} events of {PROMPTS} prompts and {USERS} users in each of {} \
             reports, sent at an even pace over {} s, on a new SQLite database (WAL, `synchronous=NORMAL`), each event \
             checked, noted by its id and written as a row, while {FETCHES} fetches a second arrive evenly over \
             {CONNECTIONS} connections; their latency counts from when they were due. Before it and after it the same fetches \
             alone for {} s. Afterwards analytics must count every event once. Both loads run on threads of the same \
             machine; the one that reports has a lower priority (nice 10), as if it ran elsewhere.",
            EVENTS / PER_REPORT,
            SPREAD.as_secs(),
            effort.seconds,
        ),
        machine,
        columns: COLUMNS.to_vec(),
        rows,
        targets: vec![
            Target {
                what: "seconds for 1,000,000 events while deliveries run",
                measured: seconds,
                bound: Bound::AtMost(30.0),
            },
            Target {
                what: "p99 of deliveries, times what it is without",
                measured: ratio,
                bound: Bound::AtMost(1.2),
            },
        ],
    })
}

const COLUMNS: [&str; 8] = [
    "seconds",
    "events/s",
    "p50 ms beside",
    "p99 ms alone",
    "p99 ms beside",
    "p99 ÷ alone",
    "CPU µs/event",
    "memory MB",
];

fn one_round(xr2: &Path, effort: Effort) -> Result<Vec<f64>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let server = runtime.block_on(Server::xr2_demo(xr2))?;
    let (admin, key) = (server.credential("admin_api_key")?, server.credential("api_key")?);
    runtime.block_on(make_prompts(server.port, &admin))?;
    let reports = reports(&key)?;
    let port = server.port;
    let alone = Duration::from_secs(effort.seconds);
    runtime.block_on(fetches(port, &key, Duration::from_secs(1)))?;
    let began = server.processor_time()?;
    let without = runtime.block_on(fetches(port, &key, alone))?;
    let idle = server.processor_time()?.saturating_sub(began);
    let sender = std::thread::spawn(move || {
        give_way();
        send(port, &reports)
    });
    let with = runtime.block_on(fetches(port, &key, SPREAD))?;
    let took = sender.join().map_err(|_| anyhow::anyhow!("the reporting thread panicked"))??;
    let spent = server.processor_time()?.saturating_sub(began + idle);
    let memory = server.memory()? as f64 / 1e6;
    runtime.block_on(server.demand_all_counted())?;
    runtime.block_on(check(port, &admin))?;
    // The machine changes within a minute: what fetches take alone is looked at on both sides.
    let without = without.and(runtime.block_on(fetches(port, &key, alone))?);
    // What the fetches themselves took is known from when they ran alone.
    let of_fetches = idle.as_secs_f64() / alone.as_secs_f64() * SPREAD.as_secs_f64();
    let per_event = (spent.as_secs_f64() - of_fetches) * 1e6 / EVENTS as f64;
    let (p99_without, p99_with) = (without.percentile(0.99), with.percentile(0.99));
    Ok(vec![
        took.as_secs_f64(),
        EVENTS as f64 / took.as_secs_f64(),
        with.percentile(0.5),
        p99_without,
        p99_with,
        p99_with / p99_without,
        per_event,
        memory,
    ])
}

fn slug(number: usize) -> String {
    format!("bench-ingest-{}", number % PROMPTS)
}

async fn make_prompts(port: u16, admin: &str) -> Result<()> {
    let mut connection = Connection::open(port).await?;
    for number in 0..PROMPTS {
        let body = json!({"title": slug(number), "slug": slug(number), "content": "Dear {{ customer }}, about {{ topic }}."});
        let request = http::post("/api/v1/prompts", admin, &body.to_string());
        let answer = connection.exchange(&request).await?;
        if answer.status != 201 {
            bail!("cannot create a prompt: {}", String::from_utf8_lossy(answer.body));
        }
    }
    Ok(())
}

/// All reports as requests; made before anything is measured.
fn reports(key: &str) -> Result<Vec<Vec<u8>>> {
    let now = UNIX_EPOCH.elapsed()?.as_secs();
    let at = format_time(now);
    let event = |number: usize| {
        json!({
            "id": format!("{:016x}", (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            "type": "delivery", "prompt": slug(number), "version": 1, "label": "production",
            "user_id": format!("user-{}", number % USERS), "at": at, "count": 1, "latency_us": 3 + number % 50,
        })
    };
    let report = |number: usize| {
        let events: Vec<Value> = (number * PER_REPORT..(number + 1) * PER_REPORT).map(event).collect();
        let body = json!({"instance": format!("bench-{}", number % 40), "sdk": "bench/1", "revision": 1, "events": events});
        http::post("/api/v1/telemetry", key, &body.to_string())
    };
    Ok((0..EVENTS / PER_REPORT).map(report).collect())
}

/// RFC 3339 of seconds since 1970 (civil date from days, after Howard Hinnant).
fn format_time(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// SDKs that report run on other machines: what sending takes here is not to be counted as the server's delay.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(10) {
        eprintln!("the reporting thread keeps its priority: {error}");
    }
}

/// Sends all reports at an even pace over one connection; how long it took until the last was answered.
fn send(port: u16, reports: &[Vec<u8>]) -> Result<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = Connection::open(port).await?;
        let began = Instant::now();
        let pace = SPREAD / u32::try_from(reports.len())?;
        for (number, report) in reports.iter().enumerate() {
            let due = began + pace * u32::try_from(number)?;
            tokio::time::sleep_until(due.into()).await;
            let answer = connection.exchange(report).await?;
            let text = String::from_utf8_lossy(answer.body);
            if answer.status != 202 || !text.contains(&format!("\"accepted\":{PER_REPORT}")) {
                bail!("a report was not taken in: {} {text}", answer.status);
            }
        }
        Ok(began.elapsed())
    })
}

/// Clients that fetch each prompt in turn.
struct Fetches {
    requests: Vec<Rc<[u8]>>,
}

impl Work for Fetches {
    fn request(&self, connection: usize, number: u64) -> Rc<[u8]> {
        Rc::clone(&self.requests[(number as usize + connection) % PROMPTS])
    }

    fn status(&self) -> u16 {
        200
    }

    fn is_right(&self, _: usize, _: u64, body: &[u8]) -> bool {
        String::from_utf8_lossy(body).contains("Dear Ana, about delivery.")
    }
}

async fn fetches(port: u16, key: &str, length: Duration) -> Result<Load> {
    let path = |number| format!("/api/v1/prompts/{}?customer=Ana&topic=delivery", slug(number));
    let requests = (0..PROMPTS).map(|number| Rc::from(http::get(&path(number), key))).collect();
    pace::run(port, CONNECTIONS, FETCHES, length, Rc::new(Fetches { requests })).await
}

/// Every event counts, once.
async fn check(port: u16, admin: &str) -> Result<()> {
    let mut connection = Connection::open(port).await?;
    let mut counted = 0;
    for number in 0..PROMPTS {
        let path = format!("/api/v1/analytics/prompts/{}?period=7d", slug(number));
        let answer = connection.exchange(&http::get(&path, admin)).await?;
        let answer: Value = serde_json::from_slice(answer.body)?;
        counted += answer["data"]["deliveries"]["by_source"]["sdk"].as_u64().unwrap_or(0);
    }
    if counted != EVENTS as u64 {
        bail!("analytics count {counted} of {EVENTS} events");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_calendar_has_them() {
        assert_eq!(format_time(0), "1970-01-01T00:00:00Z");
        assert_eq!(format_time(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(format_time(1_800_000_000), "2027-01-15T08:00:00Z");
    }
}
