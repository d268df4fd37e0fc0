//! Putting a job off.

use std::time::Duration;

use xr2_db::{Result, Tx, Value};

use crate::queries::{self, NewRow};
use crate::{Job, Jobs};

/// When a job is to be done, and which others it stands for.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    delay: Duration,
    key: Option<(String, KeyUntil)>,
}

/// For how long a key keeps others away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyUntil {
    Start,
    End,
    Kept(Duration),
}

impl Terms {
    /// As soon as possible, whatever else there is.
    pub fn new() -> Terms {
        Terms::default()
    }

    /// Not before so long from now.
    pub fn after(self, delay: Duration) -> Terms {
        Terms { delay, ..self }
    }

    /// Nothing if one with this key (of the same kind, in the same workspace) waits and has not been begun.
    pub fn until_start(self, key: impl Into<String>) -> Terms {
        Terms { key: Some((key.into(), KeyUntil::Start)), ..self }
    }

    /// Nothing if one with this key waits, runs or is going to be tried again.
    pub fn until_end(self, key: impl Into<String>) -> Terms {
        Terms { key: Some((key.into(), KeyUntil::End)), ..self }
    }

    /// Nothing if one with this key was put off within so long, whatever has become of it.
    pub fn for_good_while(self, key: impl Into<String>, time: Duration) -> Terms {
        Terms { key: Some((key.into(), KeyUntil::Kept(time))), ..self }
    }
}

impl Jobs {
    /// Puts a job off in a transaction of either door: it is there when that commits. Whether it was put off, or is
    /// there already by its key.
    pub async fn enqueue<J: Job>(&self, tx: &mut Tx, job: &J, terms: Terms) -> Result<bool> {
        let row = Row { queue: J::QUEUE, kind: J::KIND, payload: Value::json(job) };
        self.enqueue_row(tx, row, terms).await
    }

    pub(crate) async fn enqueue_row(&self, tx: &mut Tx, row: Row, terms: Terms) -> Result<bool> {
        let Row { queue, kind, payload } = row;
        let now = self.0.clock.now();
        let (key, until) = terms.key.map_or((None, KeyUntil::Start), |(key, until)| (Some(key), until));
        // Keys of one workspace say nothing of another's.
        let key = key.map(|key| tx.scope().map(|workspace| format!("{workspace} {key}")).unwrap_or(key));
        let (key_until, keep_until) = match until {
            KeyUntil::Start => ("start", None),
            KeyUntil::End => ("end", None),
            KeyUntil::Kept(time) => ("kept", Some(now + time)),
        };
        if let (Some(key), KeyUntil::Kept(_)) = (&key, until) {
            queries::forget_key(tx, kind, key, now).await?;
        }
        let row = NewRow {
            id: self.0.clock.new_id(),
            queue,
            kind,
            payload,
            key,
            key_until,
            due_at: now + terms.delay,
            keep_until,
        };
        let inserted = queries::insert(tx, row, now).await?;
        if inserted && terms.delay.is_zero() {
            let woken = self.0.woken.clone();
            tx.on_commit(move || woken.notify_one());
        }
        Ok(inserted)
    }
}

/// A job on its way into the database.
pub(crate) struct Row {
    pub queue: &'static str,
    pub kind: &'static str,
    pub payload: Value,
}
