//! `xr2 admin jobs`: what was given up is seen and tried again.

use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use xr2_db::{Db, Purpose};
use xr2_jobs::{Job, Jobs, Terms};
use xr2_server::clock::Clock;
use xr2_testkit::Engine;

use crate::program::{Place, Program};

const PATIENCE: Duration = Duration::from_secs(60);

/// A purge that nobody can read, so that it is given up at once.
#[derive(Serialize, Deserialize)]
struct Unreadable(String);

impl Job for Unreadable {
    const KIND: &'static str = "edge.purge";
    const QUEUE: &'static str = "edge";
}

async fn put_off(place: &Place, count: usize) {
    let (db, _) = Db::open(&xr2_db::Options::new(&place.database)).await.expect("the database opens");
    let options = xr2_jobs::Options {
        concurrency: 1,
        lease: Duration::from_secs(60),
        poll: Duration::from_secs(60),
        grace: Duration::ZERO,
        keep_dead: Duration::from_secs(86_400),
    };
    let jobs = Jobs::new(db.clone(), Clock::default(), options);
    let mut tx = db.system(Purpose::Jobs).write().await.expect("a transaction");
    for _ in 0..count {
        jobs.enqueue(&mut tx, &Unreadable("?".into()), Terms::new()).await.expect("it is put off");
    }
    tx.commit().await.expect("it is there");
    db.close().await;
}

fn admin(place: &Place, flags: &[&str]) -> Output {
    let mut command = place.command(&["admin", "jobs"]);
    command.args(flags).stdout(Stdio::piped()).stderr(Stdio::piped()).output().expect("xr2 runs")
}

fn said(place: &Place, flags: &[&str]) -> Vec<String> {
    let output = admin(place, flags);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// What is listed once a server has tried both jobs and has given them up.
fn given_up(place: &Place) -> Vec<String> {
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.args(["--set", "log.level=warn"]);
    let server = Program::run(command, &place.path("server.log"));
    let began = Instant::now();
    loop {
        let lines = said(place, &[]);
        if lines.len() == 2 {
            server.kill();
            return lines;
        }
        assert!(began.elapsed() < PATIENCE, "only this was given up: {lines:?}");
    }
}

async fn what_was_given_up_is_tried_again(engine: Engine) {
    let Some(place) = Place::fresh(engine, "jobs").await else { return };
    Program::start(&place).kill();
    assert_eq!(said(&place, &[]), ["No job has been given up."]);
    put_off(&place, 2).await;
    let dead = given_up(&place);
    for line in &dead {
        for part in ["  edge  edge.purge  1 attempt  ", "cannot be read", "Z  "] {
            assert!(line.contains(part), "{line}");
        }
    }
    let (id, _) = dead[0].split_once(' ').expect("an id");

    assert!(said(&place, &["--retry", id])[0].starts_with(id));
    assert_eq!(said(&place, &[]), dead[1..], "one is left");
    let again = admin(&place, &["--retry", id]);
    let message = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(!again.status.success() && message.contains("has been given up"), "{message}");
    assert!(said(&place, &["--retry-all"])[0].starts_with("1 job will be tried again"));
    assert_eq!(said(&place, &["--retry-all"]), ["No job has been given up."]);

    let mut ids = given_up(&place);
    ids.retain(|line| !dead.iter().any(|before| before[..36] == line[..36]));
    assert_eq!(ids, Vec::<String>::new(), "the same two were tried again");
    place.clean_up().await;
}

#[tokio::test]
async fn what_was_given_up_is_tried_again_on_sqlite() {
    what_was_given_up_is_tried_again(Engine::Sqlite).await;
}

#[tokio::test]
async fn what_was_given_up_is_tried_again_on_postgresql() {
    what_was_given_up_is_tried_again(Engine::Postgres).await;
}
