//! A closed loop: every connection sends its next request when the last one was answered.

use crate::http::{Answer, Connection};
use anyhow::{Context, Result, bail};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// What one measurement saw.
#[derive(Clone, Debug)]
pub struct Load {
    pub requests: u64,
    pub elapsed: Duration,
    /// Microseconds, sorted.
    latencies: Vec<u32>,
}

impl Load {
    /// Waits for the connections' latencies.
    pub async fn gather(tasks: Vec<JoinHandle<Result<Vec<u32>>>>, began: Instant) -> Result<Self> {
        let mut latencies = Vec::new();
        for task in tasks {
            latencies.extend(task.await.context("a connection's task ended early")??);
        }
        let elapsed = began.elapsed();
        latencies.sort_unstable();
        Ok(Self { requests: latencies.len() as u64, elapsed, latencies })
    }

    /// Both together.
    pub fn and(mut self, other: Load) -> Load {
        self.latencies.extend(other.latencies);
        self.latencies.sort_unstable();
        let (requests, elapsed) = (self.requests + other.requests, self.elapsed + other.elapsed);
        Load { requests, elapsed, latencies: self.latencies }
    }

    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency in milliseconds below which this share of all answers came.
    pub fn percentile(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let at = (last as f64 * share).round() as usize;
        self.latencies.get(at).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
    }
}

/// The requests of a measurement and what their answers must look like.
pub trait Work {
    /// The `number`th request of a connection.
    fn request(&self, connection: usize, number: u64) -> Rc<[u8]>;
    /// The status that every answer must have.
    fn status(&self) -> u16;
    /// Whether the body answers that request; asked now and then, so that looking does not become the load.
    fn is_right(&self, connection: usize, number: u64, body: &[u8]) -> bool;
}

/// Every how many answers the body is looked at.
const LOOK_EVERY: u64 = 512;

/// Runs `work` on `connections` for as long as said, all on this thread, which leaves the other cores to the server.
pub async fn run(port: u16, connections: usize, length: Duration, work: Rc<dyn Work>) -> Result<Load> {
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        open.push(Connection::open(port).await?);
    }
    let began = Instant::now();
    let end = began + length;
    let local = tokio::task::LocalSet::new();
    let tasks = open
        .into_iter()
        .enumerate()
        .map(|(index, connection)| {
            local.spawn_local(one_connection(connection, index, end, Rc::clone(&work)))
        })
        .collect();
    local.run_until(Load::gather(tasks, began)).await
}

/// Whether an answer is what was asked for.
pub fn check(work: &dyn Work, connection: usize, number: u64, answer: &Answer) -> Result<()> {
    if answer.status != work.status() {
        bail!("an answer had status {}: {}", answer.status, String::from_utf8_lossy(answer.body));
    }
    if number.is_multiple_of(LOOK_EVERY) && !work.is_right(connection, number, answer.body) {
        bail!("an answer was wrong: {}", String::from_utf8_lossy(answer.body));
    }
    Ok(())
}

async fn one_connection(
    mut connection: Connection,
    index: usize,
    end: Instant,
    work: Rc<dyn Work>,
) -> Result<Vec<u32>> {
    let mut latencies = Vec::with_capacity(16 * 1024);
    let mut number = 0;
    loop {
        let sent = Instant::now();
        if sent >= end {
            return Ok(latencies);
        }
        let answer = connection.exchange(&work.request(index, number)).await?;
        latencies.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
        check(&*work, index, number, &answer)?;
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks for its own number, which the server repeats.
    struct Echo {
        status: u16,
    }

    impl Work for Echo {
        fn request(&self, connection: usize, number: u64) -> Rc<[u8]> {
            Rc::from(crate::http::get(&format!("/{connection}-{number}"), "key"))
        }

        fn status(&self) -> u16 {
            self.status
        }

        fn is_right(&self, connection: usize, number: u64, body: &[u8]) -> bool {
            body == format!("/{connection}-{number}").as_bytes()
        }
    }

    async fn against_echo(status: u16) -> Result<Load> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let router =
            axum::Router::new().fallback(|uri: axum::http::Uri| async move { uri.path().to_owned() });
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let load = run(port, 4, Duration::from_millis(100), Rc::new(Echo { status })).await;
        server.abort();
        load
    }

    #[tokio::test]
    async fn keeps_every_connection_busy_and_looks_at_the_answers() {
        let load = against_echo(200).await.unwrap();
        assert!(load.requests >= 4 && load.elapsed >= Duration::from_millis(100), "{load:?}");
        let refused = against_echo(201).await.unwrap_err();
        assert!(refused.to_string().contains("status 200"), "{refused}");
    }

    #[test]
    fn percentiles_are_taken_from_sorted_latencies() {
        let latencies = (1..=1000).map(|milli| milli * 1000).collect();
        let load = Load { requests: 1000, elapsed: Duration::from_secs(2), latencies };
        assert!((load.percentile(0.5) - 501.0).abs() < 1.0);
        assert!((load.percentile(0.99) - 990.0).abs() < 1.0);
        assert!((load.per_second() - 500.0).abs() < f64::EPSILON);
    }
}
