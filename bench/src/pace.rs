//! Requests at an even pace, whatever the answers take: a late answer makes those behind it late, and that is counted.

use crate::http::Connection;
use crate::load::{Load, Work, check};
use anyhow::Result;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Sends `per_second` requests over `connections` that take turns; latencies are counted from when a request was due.
pub async fn run(
    port: u16,
    connections: usize,
    per_second: f64,
    length: Duration,
    work: Rc<dyn Work>,
) -> Result<Load> {
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        open.push(Connection::open(port).await?);
    }
    let turn = Duration::from_secs_f64(1.0 / per_second);
    let every = Duration::from_secs_f64(connections as f64 / per_second);
    let began = Instant::now();
    let local = tokio::task::LocalSet::new();
    let tasks = open.into_iter().enumerate().map(|(index, connection)| {
        let first = began + turn * u32::try_from(index).unwrap_or(u32::MAX);
        let pace = Pace { first, every, end: began + length };
        local.spawn_local(one_connection(connection, index, pace, Rc::clone(&work)))
    });
    let tasks = tasks.collect();
    local.run_until(Load::gather(tasks, began)).await
}

struct Pace {
    first: Instant,
    every: Duration,
    end: Instant,
}

async fn one_connection(
    mut connection: Connection,
    index: usize,
    pace: Pace,
    work: Rc<dyn Work>,
) -> Result<Vec<u32>> {
    let mut latencies = Vec::with_capacity(16 * 1024);
    let mut due = pace.first;
    while due < pace.end {
        tokio::time::sleep_until(due.into()).await;
        let number = latencies.len() as u64;
        let answer = connection.exchange(&work.request(index, number)).await?;
        latencies.push(u32::try_from(due.elapsed().as_micros()).unwrap_or(u32::MAX));
        check(&*work, index, number, &answer)?;
        due += pace.every;
    }
    Ok(latencies)
}
