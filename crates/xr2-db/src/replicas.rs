//! Copies of a PostgreSQL that is written to elsewhere: read from where the last few seconds do not matter.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::connect::{Opener, Options};
use crate::hosts::Hosts;
use crate::shared::Shared;
use crate::{Db, DbError, Door, Purpose, Result, Tx};

/// How often is looked how far they are behind.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// One that takes longer to answer is gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// How far a server's log of changes has come. On a copy: how much of it has been taken over.
const POSITION: &str = "SELECT CAST((CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
    ELSE pg_current_wal_lsn() END) - CAST('0/0' AS pg_lsn) AS BIGINT)";

/// See the module.
#[derive(Default)]
pub(crate) struct Replicas {
    list: Vec<Replica>,
    next: AtomicUsize,
    max_lag: Duration,
}

struct Replica {
    shared: Arc<Shared>,
    /// Answers, and is not too far behind.
    is_fit: AtomicBool,
}

impl Replicas {
    pub(crate) fn new(options: &Options) -> Result<Replicas> {
        let list = options.replicas.iter().map(|url| {
            let opener = Opener::new(&Options { url: url.clone(), ..options.clone() })?;
            if opener.hosts().is_none_or(Hosts::is_choice) {
                return Err(DbError::setup(
                    "each replica has an address of its own: postgres://… with one host",
                ));
            }
            Ok(Replica { shared: Arc::new(Shared::opened(opener)), is_fit: AtomicBool::new(false) })
        });
        let list = list.collect::<Result<Vec<_>>>()?;
        Ok(Replicas { list, next: AtomicUsize::new(0), max_lag: options.max_lag })
    }

    /// A transaction on one that is fit; none if there is none.
    pub(crate) async fn begin(&self, door: &Door<'_>) -> Option<Tx> {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        for turn in 0..self.list.len() {
            let replica = &self.list[(first + turn) % self.list.len()];
            if !replica.is_fit.load(Ordering::Acquire) {
                continue;
            }
            match timeout(PATIENCE, door.begin_on(&replica.shared, false)).await {
                Ok(Ok(tx)) => return Some(tx),
                _ => replica.note(false, "does not answer"),
            }
        }
        None
    }

    pub(crate) fn connections(&self) -> u32 {
        self.list.iter().map(|replica| replica.shared.pools().size()).sum()
    }

    pub(crate) async fn close(&self) {
        for replica in &self.list {
            replica.shared.close().await;
        }
    }
}

impl Replica {
    fn note(&self, is_fit: bool, why: &str) {
        if self.is_fit.swap(is_fit, Ordering::AcqRel) != is_fit {
            let replica = self.shared.host_name();
            match is_fit {
                true => tracing::info!(replica, "this replica is read from"),
                false => tracing::warn!(replica, "this replica {why}; others, or the primary, are read from"),
            }
        }
    }
}

impl Db {
    /// The same doors, where reading may be answered by a replica: a few seconds behind, and not a burden to the primary.
    /// Where there is none that answers and is near enough, it is the primary.
    pub fn analytics(&self) -> Db {
        Db { reads_replicas: true, ..self.usage() }
    }

    /// Keeps an eye on the replicas, for good. Returns at once where there are none.
    pub async fn watch_replicas(&self) {
        let replicas = self.replicas.clone();
        if replicas.list.is_empty() {
            return;
        }
        let mut course = Course::default();
        loop {
            let asked = Instant::now();
            if let Ok(Ok(position)) = timeout(PATIENCE, self.position(&self.shared)).await {
                course.note(asked, position, replicas.max_lag);
            }
            for replica in &replicas.list {
                match timeout(PATIENCE, self.position(&replica.shared)).await {
                    Ok(Ok(position)) => {
                        let lag = course.lag(position, Instant::now());
                        let replica_name = replica.shared.host_name().to_owned();
                        metrics::gauge!("xr2_db_replica_lag_seconds", "replica" => replica_name)
                            .set(lag.as_secs_f64());
                        replica.note(lag <= replicas.max_lag, "is too far behind");
                    }
                    _ => replica.note(false, "does not answer"),
                }
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn position(&self, shared: &Arc<Shared>) -> Result<i64> {
        let mut tx = self.system(Purpose::Instance).begin_on(shared, false).await?;
        let position = tx.one(POSITION, Vec::new()).await?;
        tx.commit().await?;
        Ok(position)
    }
}

/// Where the primary was when. A copy's lag is the time since the primary was where the copy is; nobody's clock but ours
/// has a say in that, and a primary that rests makes no copy look old.
#[derive(Default)]
struct Course(VecDeque<(Instant, i64)>);

impl Course {
    fn note(&mut self, at: Instant, position: i64, keep: Duration) {
        self.0.push_back((at, position));
        // One from before stays, to tell a little too late from much too late.
        while self.0.get(1).is_some_and(|(older, _)| at.duration_since(*older) > keep * 2) {
            self.0.pop_front();
        }
    }

    fn lag(&self, position: i64, now: Instant) -> Duration {
        match self.0.back() {
            // As far as can be told without the primary.
            None => Duration::ZERO,
            Some((_, newest)) if position >= *newest => Duration::ZERO,
            Some(_) => {
                let reached = self.0.iter().rev().find(|(_, of_primary)| position >= *of_primary);
                reached.map_or(Duration::MAX, |(at, _)| now.duration_since(*at))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_the_time_since_the_primary_was_there() {
        let began = Instant::now();
        let second = |n: u64| began + Duration::from_secs(n);
        let mut course = Course::default();
        assert_eq!(course.lag(5, began), Duration::ZERO, "nothing is known of the primary");
        for n in 0..100 {
            course.note(second(n), 1000 + n.cast_signed() * 10, Duration::from_secs(10));
        }
        assert_eq!(course.lag(1990, second(100)), Duration::ZERO);
        assert_eq!(course.lag(1985, second(100)), Duration::from_secs(2));
        assert_eq!(course.lag(1900, second(100)), Duration::from_secs(10));
        assert_eq!(course.lag(1000, second(100)), Duration::MAX);
        assert!(course.0.len() < 30);
    }
}
