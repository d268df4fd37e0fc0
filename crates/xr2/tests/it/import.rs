//! `xr2 import`, beside a running server.

use std::process::Output;

use serde_json::Value;
use xr2_testkit::Engine;

use crate::program::{Place, Program};

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

async fn total(program: &Program, key: &str, search: &str) -> i64 {
    let url = format!("{}/api/v1/prompts?search={search}", program.url);
    let answer = xr2_testkit::http()
        .build()
        .expect("a client")
        .get(url)
        .bearer_auth(key)
        .send()
        .await
        .expect("an answer");
    let body: Value = answer.json().await.expect("JSON");
    body["meta"]["total"].as_i64().expect("a number")
}

async fn imports(engine: Engine) {
    let Some(place) = Place::fresh(engine, "import").await else { return };
    let program = Program::start(&place);
    let key = place.credentials()["admin_api_key"].as_str().expect("a key").to_owned();
    let file = place.path("words.csv");
    std::fs::write(&file, "act,prompt\nZebra one,Say ${word:hi}\nZebra two,x\n,nameless\n").expect("a file");
    let file = file.to_str().expect("a path").to_owned();
    let run = |more: &[&str]| {
        let mut arguments = vec!["import", &file];
        arguments.extend(more);
        place.command(&arguments).output().expect("xr2 runs")
    };

    let dry = run(&["--dry-run"]);
    assert!(dry.status.success() && text(&dry).contains("2 would be made"), "{}", text(&dry));
    assert_eq!(total(&program, &key, "zebra").await, 0, "a dry run changes nothing");
    let first = run(&[]);
    assert!(first.status.success() && text(&first).contains("2 made"), "{}", text(&first));
    assert!(text(&first).contains("words.csv line 4: the column act is empty"), "{}", text(&first));
    assert_eq!(total(&program, &key, "zebra").await, 2, "the running server sees them");
    let second = run(&[]);
    assert!(second.status.success() && text(&second).contains("2 were there already"), "{}", text(&second));
    let wrong = place.command(&["import", "nowhere.csv"]).output().expect("xr2 runs");
    assert!(!wrong.status.success() && text(&wrong).contains("nowhere.csv"), "{}", text(&wrong));
    program.kill();
    place.clean_up().await;
}

#[tokio::test]
async fn into_sqlite() {
    imports(Engine::Sqlite).await;
}

#[tokio::test]
async fn into_postgresql() {
    imports(Engine::Postgres).await;
}
