//! From memory to the database, in batches.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use xr2_db::Purpose;

use super::buffer::Buffer;
use super::event::Delivery;
use super::queries::events;
use super::rollup;
use super::rows::{EventRow, rows_of};
use crate::config::UsageSettings;
use crate::error::{ApiError, Result};
use crate::state::App;

/// How often what was noted is written.
const FLUSH_EVERY: Duration = Duration::from_millis(500);

/// Rows of one transaction, so that whoever else writes usage has its turn.
const BATCH: usize = 1000;

/// More deliveries than this are put together beside the threads that serve requests.
const MANY: usize = 512;

/// See the feature.
pub struct Usage {
    buffer: Buffer,
    /// Keys the hashes of addresses.
    secret: [u8; 32],
    /// Rows made and not yet written, because the database did not take them. Held while writing.
    waiting: Mutex<Vec<EventRow>>,
    /// One sum at a time on this node; others are kept out by the database.
    pub(super) summing: Mutex<()>,
}

impl Usage {
    /// With room for as many deliveries as the settings say.
    pub fn new(config: &UsageSettings, secret: [u8; 32]) -> Usage {
        Usage {
            buffer: Buffer::new(config.buffer_events),
            secret,
            waiting: Mutex::default(),
            summing: Mutex::default(),
        }
    }

    /// Notes a delivery. Costs the request next to nothing; what has no room is counted and forgotten.
    pub fn record(&self, delivery: Delivery) {
        self.buffer.push(delivery);
    }

    /// Deliveries that had no room so far.
    pub fn dropped(&self) -> u64 {
        self.buffer.dropped()
    }

    /// Nothing that was noted is written while this is held.
    pub async fn hold(&self) -> impl Sized + '_ {
        self.waiting.lock().await
    }

    /// Writes all that was noted. What the database does not take is kept for the next time; meanwhile the buffer fills
    /// up to its bound.
    pub async fn flush(&self, app: &App) -> xr2_db::Result<()> {
        let mut waiting = self.waiting.lock().await;
        write(app, &mut waiting).await?;
        let noted = self.buffer.drain();
        if !noted.is_empty() {
            *waiting = self.rows(noted).await;
            write(app, &mut waiting).await?;
        }
        Ok(())
    }

    async fn rows(&self, noted: Vec<Delivery>) -> Vec<EventRow> {
        let secret = self.secret;
        if noted.len() <= MANY {
            return rows_of(noted, &secret);
        }
        let count = noted.len() as u64;
        tokio::task::spawn_blocking(move || rows_of(noted, &secret)).await.unwrap_or_else(|_| {
            self.buffer.drop_some(count);
            Vec::new()
        })
    }

    /// Writes twice a second until `stop`, then once more.
    pub async fn run(&self, app: &App, stop: CancellationToken) {
        loop {
            let stopping = tokio::select! {
                () = stop.cancelled() => true,
                () = tokio::time::sleep(FLUSH_EVERY) => false,
                () = self.buffer.filling.notified() => false,
            };
            if let Err(error) = self.flush(app).await {
                let waiting = self.buffer.len();
                // That the database is left alone for a while is told once, elsewhere.
                if error.is_refusal() {
                    tracing::debug!(%error, waiting, "usage waits for the database");
                } else {
                    tracing::warn!(%error, waiting, "could not write usage; it is kept and tried again");
                }
                if !stopping {
                    // A full buffer must not make a database that is down busier still.
                    tokio::select! { () = stop.cancelled() => {}, () = tokio::time::sleep(FLUSH_EVERY) => {} }
                }
            }
            if stopping {
                return;
            }
        }
    }
}

/// Brings sums up to what has been noted so far, so that who looks at them sees the present. Runs to its end even when
/// the request that wanted it goes away: what has been taken out of the buffer has to be written.
pub async fn settle(app: &App) -> Result<()> {
    let app = app.clone();
    let work = tokio::spawn(async move {
        app.usage().flush(&app).await?;
        rollup::catch_up(&app).await
    });
    Ok(work.await.map_err(ApiError::internal)??)
}

/// Writes and removes rows, batch by batch.
async fn write(app: &App, waiting: &mut Vec<EventRow>) -> xr2_db::Result<()> {
    while !waiting.is_empty() {
        let batch = waiting.len().min(BATCH);
        let mut tx = app.db().usage().system(Purpose::Usage).write().await?;
        events::insert(&mut tx, &waiting[..batch]).await?;
        tx.commit().await?;
        for row in waiting.drain(..batch).filter(EventRow::is_call) {
            app.quotas().wrote(row.alike.what.workspace, row.month(), row.count);
        }
    }
    Ok(())
}
