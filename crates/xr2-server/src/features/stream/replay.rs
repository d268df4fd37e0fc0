//! What somebody who comes back has missed.

use std::sync::Arc;

use uuid::Uuid;

use crate::error::Result;
use crate::events::notices_between;
use crate::features::stream::batch::Batch;
use crate::features::stream::changes::{Change, changes_of};
use crate::features::stream::compose::compose;
use crate::features::stream::filter::Filter;
use crate::features::stream::hub::Seat;
use crate::features::stream::replays::Replay;
use crate::features::stream::room::Room;
use crate::state::App;

/// What happened after `from`, up to where the seat is then; none when that is too long ago, or not known any more.
pub async fn replay(app: &App, seat: &mut Seat, from: i64, filter: &Filter) -> Result<Option<Arc<Replay>>> {
    let room = seat.room.clone();
    let label = filter.label.as_deref();
    // One makes it for all who come back at the same time.
    let mut replays = room.replays.lock().await;
    seat.move_up();
    if let Some(replay) = replays.get(from, label, seat.said) {
        return Ok(Some(replay));
    }
    if seat.said - from > app.config().stream.replay_revisions {
        return Ok(None);
    }
    let Some(most) = part(app, &room, from, seat.said, label).await? else { return Ok(None) };
    let mut replay = Replay { parts: vec![most], revision: seat.said };
    {
        // What was read beside this and is said later may be older than what was read here: from now on nothing is read
        // to be said until this has its place, and what was said meanwhile is read once more.
        let _telling = room.telling.lock().await;
        seat.move_up();
        if seat.said > replay.revision {
            let rest = part(app, &room, replay.revision, seat.said, label).await?;
            let Some(rest) = rest else { return Ok(None) };
            replay.parts.push(rest);
            replay.revision = seat.said;
        }
    }
    let replay = Arc::new(replay);
    let grown = replays.put(from, label, replay.clone());
    drop(replays);
    app.streams().grown(grown);
    Ok(Some(replay))
}

/// What happened from one revision to another, with what is delivered now.
async fn part(
    app: &App,
    room: &Arc<Room>,
    from: i64,
    to: i64,
    label: Option<&str>,
) -> Result<Option<Arc<Batch>>> {
    let kept = room.with_ring(|ring| ring.between(from, to));
    let changes = match kept {
        Some(changes) => changes,
        None => match read(app, room, from, to).await? {
            Some(changes) => changes,
            None => return Ok(None),
        },
    };
    let wanted = Filter { label: label.map(str::to_owned), ..Filter::default() };
    Ok(Some(Arc::new(compose(app, room.workspace, changes, to, &wanted).await?)))
}

/// What is no longer in memory, from the database; kept in memory for the next one.
async fn read(app: &App, room: &Room, from: i64, said: i64) -> Result<Option<Vec<Change>>> {
    let floor = room.with_ring(|ring| ring.floor()).min(said);
    let Some(older) = changes_between(app, room.workspace, from, floor).await? else { return Ok(None) };
    let Some(newer) = room.with_ring(|ring| ring.between(floor, said)) else { return Ok(None) };
    let grown = room.with_ring(|ring| {
        let before = ring.bytes();
        if ring.floor() == floor {
            ring.prepend(from, older.clone());
        }
        ring.bytes() - before
    });
    app.streams().grown(isize::try_from(grown).unwrap_or(isize::MAX));
    Ok(Some(older.into_iter().chain(newer).collect()))
}

async fn changes_between(app: &App, workspace: Uuid, from: i64, to: i64) -> Result<Option<Vec<Change>>> {
    let notices = notices_between(app.db(), workspace, from, to).await?;
    let mut expected = from;
    for notice in &notices {
        match notice.revision - expected {
            0 => {}
            1 => expected += 1,
            // Events of that time have been deleted.
            _ => return Ok(None),
        }
    }
    Ok((expected == to).then(|| notices.iter().flat_map(changes_of).collect()))
}
