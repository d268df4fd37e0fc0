//! Counters of delivery. The handles are looked up once: a lookup costs more than all the rest of counting.

use std::sync::OnceLock;
use std::time::Instant;

use axum::http::StatusCode;
use metrics::{Counter, Histogram};

struct Handles {
    ok: Counter,
    not_modified: Counter,
    hot: Counter,
    warm: Counter,
    cold: Counter,
    frozen: Counter,
    missed: Counter,
    missed_warm: Counter,
    promoted: Counter,
    promoted_to_warm: Counter,
    seconds: Histogram,
}

fn handles() -> &'static Handles {
    static HANDLES: OnceLock<Handles> = OnceLock::new();
    HANDLES.get_or_init(|| Handles {
        ok: metrics::counter!("xr2_prompt_requests_total", "status" => "200"),
        not_modified: metrics::counter!("xr2_prompt_requests_total", "status" => "304"),
        hot: metrics::counter!("xr2_cache_hits_total", "layer" => "hot"),
        warm: metrics::counter!("xr2_cache_hits_total", "layer" => "warm"),
        cold: metrics::counter!("xr2_cache_hits_total", "layer" => "cold"),
        frozen: metrics::counter!("xr2_cache_hits_total", "layer" => "frozen"),
        missed: metrics::counter!("xr2_cache_misses_total", "layer" => "hot"),
        missed_warm: metrics::counter!("xr2_cache_misses_total", "layer" => "warm"),
        promoted: metrics::counter!("xr2_cache_promotions_total", "layer" => "hot"),
        promoted_to_warm: metrics::counter!("xr2_cache_promotions_total", "layer" => "warm"),
        seconds: metrics::histogram!("xr2_prompt_response_seconds"),
    })
}

/// Found in memory.
pub fn hit() {
    handles().hot.increment(1);
}

/// Not found in memory.
pub fn miss() {
    handles().missed.increment(1);
}

/// Answered from what another node has left in Redis.
pub fn warm() {
    handles().warm.increment(1);
}

/// Not in Redis, or not known to be of now.
pub fn missed_warm() {
    handles().missed_warm.increment(1);
}

/// Left in Redis for other nodes.
pub fn promoted_to_warm() {
    handles().promoted_to_warm.increment(1);
}

/// Answered from the database.
pub fn cold() {
    handles().cold.increment(1);
}

/// Could not be read, and came from the snapshot.
pub fn frozen() {
    handles().frozen.increment(1);
}

/// Taken into memory.
pub fn promoted() {
    handles().promoted.increment(1);
}

/// A delivery was answered.
pub fn answered(status: StatusCode, began: Instant) {
    let handles = handles();
    match status {
        StatusCode::OK => handles.ok.increment(1),
        StatusCode::NOT_MODIFIED => handles.not_modified.increment(1),
        other => {
            metrics::counter!("xr2_prompt_requests_total", "status" => other.as_u16().to_string())
                .increment(1);
        }
    }
    handles.seconds.record(began.elapsed().as_secs_f64());
}

/// Sets the gauges of the cache.
pub fn gauges(entries: usize, bytes: u64) {
    metrics::gauge!("xr2_cache_entries").set(entries as f64);
    metrics::gauge!("xr2_cache_bytes").set(bytes as f64);
}
