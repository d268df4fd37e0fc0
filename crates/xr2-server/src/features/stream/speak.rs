//! Saying what has changed: one task a room at most, while there is something to say. What comes in meanwhile is put
//! together, so that a burst is said in a few large batches and not in thousands of small ones.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::error::Result;
use crate::features::stream::batch::Batch;
use crate::features::stream::changes::Change;
use crate::features::stream::compose::compose;
use crate::features::stream::filter::Filter;
use crate::features::stream::room::Room;
use crate::state::App;

/// How long the next batch waits for most listeners to have taken the last one.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long what comes after "too much" is put together: everybody is about to fetch the bundle.
const AFTER_TOO_MUCH: Duration = Duration::from_secs(1);

/// How long to wait before asking a database again that gave no answer.
const RETRY: Duration = Duration::from_millis(500);

/// Says everything there is to say.
pub async fn speak(app: &App, room: &Arc<Room>) {
    loop {
        while let Some((changes, revision)) = room.take_pending() {
            if room.skip_to(revision) {
                continue;
            }
            match tell(app, room, changes.clone(), revision).await {
                Ok(batch) => linger(app, room, &batch).await,
                Err(error) => {
                    tracing::debug!(%error, "what has changed could not be read; trying again");
                    room.put_back(changes);
                    pause(app, RETRY).await;
                }
            }
            if app.stopping().is_cancelled() || room.is_closed() {
                return;
            }
        }
        room.at_work.store(false, Ordering::Release);
        // Something may have come in after the last look and before the door was shut.
        if !room.has_news() || room.at_work.swap(true, Ordering::AcqRel) {
            return;
        }
    }
}

/// Reads what is delivered now and says it.
async fn tell(app: &App, room: &Room, changes: Vec<Change>, revision: i64) -> Result<Arc<Batch>> {
    let _telling = room.telling.lock().await;
    let batch = Arc::new(compose(app, room.workspace, changes, revision, &Filter::default()).await?);
    app.streams().grown(room.say(batch.clone()));
    Ok(batch)
}

/// Waits, for a while, for most listeners to have taken what was said.
async fn linger(app: &App, room: &Room, batch: &Batch) {
    let all_taken = room.taken.notified();
    tokio::pin!(all_taken);
    all_taken.as_mut().enable();
    if !batch.is_taken_by_most() {
        tokio::select! {
            () = all_taken => {}
            () = pause(app, PATIENCE) => {}
        }
    }
    if batch.is_too_much() {
        pause(app, AFTER_TOO_MUCH).await;
    }
}

async fn pause(app: &App, time: Duration) {
    let stopping = app.stopping();
    tokio::select! {
        () = stopping.cancelled() => {}
        () = tokio::time::sleep(time) => {}
    }
}
