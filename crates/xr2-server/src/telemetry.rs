//! Logs and metrics.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::config::{ConfigError, Log, LogFormat};
use crate::state::App;

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Buckets in seconds, dense where delivery lives.
const SECONDS: &[f64] = &[
    0.000_01, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5,
];

/// Starts logging, to stderr. Call once.
pub fn init_logs(log: &Log) -> Result<(), ConfigError> {
    let filter = EnvFilter::builder()
        .parse(&log.level)
        .map_err(|error| ConfigError::new(format!("log.level: {error}")))?;
    let json = match log.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !std::io::IsTerminal::is_terminal(&std::io::stderr()),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second call (tests) keeps the first subscriber.
    let _ = if json {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.with_target(false).try_init()
    };
    Ok(())
}

/// Starts collecting metrics. Further calls change nothing.
pub fn init_metrics() {
    METRICS.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)
            .expect("the list of buckets is not empty")
            .build_recorder();
        let handle = recorder.handle();
        let _ = metrics::set_global_recorder(recorder);
        metrics::gauge!("xr2_app_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        handle
    });
}

/// Sets the gauges that are read off rather than counted.
pub(crate) fn gauges(app: &App) {
    let (entries, bytes) = app.prompt_cache().size();
    crate::features::delivery::metrics::gauges(entries, bytes);
    metrics::gauge!("xr2_active_workspaces").set(app.prompt_cache().workspaces() as f64);
    metrics::gauge!("xr2_bundle_bytes").set(app.bundles().bytes() as f64);
    metrics::counter!("xr2_key_lookups_total").absolute(app.keys().lookups_so_far());
    metrics::gauge!("xr2_db_connections").set(f64::from(app.db().connections()));
    let (reads, writes) = app.db().breakers();
    let breakers =
        [("database", Some(reads)), ("database_writes", Some(writes)), ("redis", app.bus().breaker())];
    for (target, state) in breakers {
        if let Some(state) = state {
            metrics::gauge!("xr2_breaker_state", "target" => target).set(f64::from(state.number()));
        }
    }
    metrics::gauge!("xr2_stale_seconds").set(app.follower().contact().stale().unwrap_or(0) as f64);
    if let Some(at) = app.frozen().current_at() {
        let age = (app.clock().now() - at).num_milliseconds() as f64 / 1000.0;
        metrics::gauge!("xr2_snapshot_age_seconds").set(age);
    }
}

/// Folds what histograms have collected, which they keep until they are read or folded.
pub(crate) async fn upkeep(stop: CancellationToken) {
    let mut tick = tokio::time::interval(Duration::from_secs(5));
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        if let Some(metrics) = METRICS.get() {
            metrics.run_upkeep();
        }
    }
}

/// The metrics as text.
pub(crate) fn render() -> String {
    METRICS.get().map(PrometheusHandle::render).unwrap_or_default()
}
