//! From memory to the database, in batches.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xr2_db::{Db, Purpose};

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

/// Rows to be written.
#[derive(Default)]
struct Waiting {
    rows: Vec<EventRow>,
    /// The first of them that an attempt was made at. It is repeated as it was: it may have been written.
    batch: Option<Batch>,
}

#[derive(Clone, Copy)]
struct Batch {
    id: Uuid,
    size: usize,
}

/// See the feature.
pub struct Usage {
    buffer: Buffer,
    /// Keys the hashes of addresses.
    secret: [u8; 32],
    /// Rows made and not yet written, because the database did not take them. Held while writing.
    waiting: Mutex<Waiting>,
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
            waiting.rows = self.rows(noted).await;
            write(app, &mut waiting).await?;
        }
        Ok(())
    }

    /// Forgets and counts what could not be written: the server stops. Gives how many deliveries that were.
    pub async fn give_up(&self) -> u64 {
        let mut waiting = self.waiting.lock().await;
        let made =
            std::mem::take(&mut *waiting).rows.iter().map(|row| u64::try_from(row.count).unwrap_or(0)).sum();
        let noted = self.buffer.drain().len() as u64;
        let lost: u64 = noted.saturating_add(made);
        self.buffer.drop_some(lost);
        lost
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
async fn write(app: &App, waiting: &mut Waiting) -> xr2_db::Result<()> {
    while !waiting.rows.is_empty() {
        let size = waiting.rows.len().min(BATCH);
        let batch = *waiting.batch.get_or_insert_with(|| Batch { id: app.clock().new_id(), size });
        let at = app.clock().now().timestamp_micros();
        write_batch(&app.db().usage(), batch, at, &waiting.rows).await?;
        waiting.batch = None;
        for row in waiting.rows.drain(..batch.size).filter(EventRow::is_call) {
            app.quotas().wrote(row.alike.what.workspace, row.month(), row.count);
        }
    }
    Ok(())
}

async fn write_batch(db: &Db, batch: Batch, at: i64, rows: &[EventRow]) -> xr2_db::Result<()> {
    let mut tx = db.system(Purpose::Usage).write().await?;
    events::insert_once(&mut tx, batch.id, at, &rows[..batch.size]).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::super::event::delivery_of;
    use super::*;

    fn rows(count: u128) -> Vec<EventRow> {
        let delivery = |prompt: u128| {
            let at = crate::clock::Clock::default().now();
            Delivery { at, ..delivery_of(Uuid::from_u128(1), Uuid::from_u128(prompt)) }
        };
        rows_of((0..count).map(delivery).collect(), &[0; 32])
    }

    #[tokio::test]
    async fn a_batch_whose_commit_got_no_answer_is_written_once() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("xr2.sqlite3").display());
        let (db, _) = Db::open(&xr2_db::Options::new(url)).await.unwrap();
        let usage = db.usage();
        let rows = rows(5);
        let first = Batch { id: Uuid::from_u128(1), size: 3 };
        // It was committed, but nobody heard: it is repeated with what has come meanwhile behind it.
        for _ in 0..3 {
            write_batch(&usage, first, 1, &rows).await.unwrap();
        }
        write_batch(&usage, Batch { id: Uuid::from_u128(2), size: 2 }, 2, &rows[3..]).await.unwrap();
        let mut tx = usage.system(Purpose::Usage).write().await.unwrap();
        let written = events::counted(&mut tx, 0, i64::MAX).await.unwrap();
        let mut prompts: Vec<u128> = written.iter().map(|row| row.prompt.as_u128()).collect();
        prompts.sort_unstable();
        assert_eq!(prompts, [0, 1, 2, 3, 4]);
        assert_eq!(events::forget_batches(&mut tx, 2, 100).await.unwrap(), 1, "those before are forgotten");
        tx.commit().await.unwrap();
        db.close().await;
    }
}
