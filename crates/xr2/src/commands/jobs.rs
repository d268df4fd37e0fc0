//! `xr2 admin jobs`: background jobs that were given up.

use uuid::Uuid;
use xr2_server::jobs::{DeadJob, Jobs};

use crate::cli::AdminJobs;
use crate::commands::open;

/// Jobs listed at most, the latest first.
const LISTED: i64 = 100;

pub async fn run(command: AdminJobs) -> anyhow::Result<()> {
    let app = open(&command.settings).await?;
    let outcome = if command.retry_all {
        retry_all(app.jobs()).await
    } else if command.retry.is_empty() {
        list(app.jobs()).await
    } else {
        retry(app.jobs(), &command.retry).await
    };
    app.finish_stop().await;
    outcome
}

async fn list(jobs: &Jobs) -> anyhow::Result<()> {
    let dead = jobs.dead(LISTED).await?;
    if dead.is_empty() {
        println!("No job has been given up.");
    }
    for job in &dead {
        println!("{}", line(job));
    }
    let all: i64 =
        jobs.counts().await?.iter().filter(|count| count.state == "dead").map(|count| count.count).sum();
    let others = all - dead.len() as i64;
    if others > 0 {
        println!("… and {others} that were given up earlier");
    }
    Ok(())
}

/// Id, time, queue, kind, attempts and error, on one line whatever the error holds.
fn line(job: &DeadJob) -> String {
    let DeadJob { id, queue, kind, attempts, last_error, died_at } = job;
    let times = if *attempts == 1 { "attempt" } else { "attempts" };
    let error = last_error.as_deref().unwrap_or("no error is known");
    let error = error.replace(char::is_control, " ");
    format!("{id}  {}  {queue}  {kind}  {attempts} {times}  {error}", died_at.format("%Y-%m-%dT%H:%M:%SZ"))
}

async fn retry(jobs: &Jobs, ids: &[Uuid]) -> anyhow::Result<()> {
    for id in ids {
        if !jobs.revive(*id).await? {
            anyhow::bail!("no job {id} has been given up; `xr2 admin jobs` lists those that have");
        }
        println!("{id} will be tried again by the next worker that is free.");
    }
    Ok(())
}

async fn retry_all(jobs: &Jobs) -> anyhow::Result<()> {
    match jobs.revive_all().await? {
        0 => println!("No job has been given up."),
        1 => println!("1 job will be tried again by the next worker that is free."),
        count => println!("{count} jobs will be tried again by the next workers that are free."),
    }
    Ok(())
}
