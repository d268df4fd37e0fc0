//! `xr2 serve --demo`, killed while it makes the demo.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xr2_testkit::Engine;

use crate::program::{Place, Program};

/// Starts are killed ever later, from before the first account to after the last key.
const STEP: Duration = Duration::from_millis(40);
const KILLS: u32 = 30;

async fn get(url: &str, key: &str, path: &str) -> Value {
    let answer = xr2_testkit::http()
        .build()
        .unwrap()
        .get(format!("{url}/api/v1{path}"))
        .bearer_auth(key)
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.expect("JSON")
}

/// Starts the demo and kills it after `time`, unless it is there before.
fn start_and_kill(place: &Place, time: Duration) -> bool {
    let mut command = place.command(&["serve", "--demo", "--listen", "127.0.0.1:0"]);
    command.arg("--credentials-file").arg(place.path("credentials.json"));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("xr2 starts");
    let end = Instant::now() + time;
    let written = || place.path("credentials.json").metadata().is_ok_and(|file| file.len() > 0);
    while Instant::now() < end && !written() {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("the process can be killed");
    child.wait().expect("the process ends");
    written()
}

async fn killed_while_it_is_made(engine: Engine) {
    let Some(place) = Place::fresh(engine, "demo").await else { return };
    for round in 1..=KILLS {
        if start_and_kill(&place, STEP * round) {
            break;
        }
    }
    let program = Program::start(&place);
    let credentials = place.credentials();
    let text = |name: &str| credentials[name].as_str().expect("a text").to_owned();
    let key = text("admin_api_key");
    let login = json!({ "email": text("email"), "password": text("password") });
    let answer = xr2_testkit::http()
        .build()
        .unwrap()
        .post(format!("{}/api/v1/auth/login", program.url))
        .json(&login)
        .send()
        .await;
    assert_eq!(answer.expect("an answer").status(), 200, "the password that was written last is right");
    let total =
        get(&program.url, &key, "/prompts?limit=1").await["meta"]["total"].as_i64().expect("a number");
    assert!(total >= 24, "{total} prompts");
    get(&program.url, &text("api_key"), "/prompts/welcome-message?name=Ana&company=Acme").await;
    let keys = get(&program.url, &key, "/api-keys").await;
    let live =
        keys["data"].as_array().expect("a list").iter().filter(|key| key["status"] == "active").count();
    assert_eq!(live, 2, "keys that nobody has seen do not work");
    // A later start leaves everything as it is.
    program.kill();
    let program = Program::start(&place);
    assert_eq!(place.credentials(), credentials);
    get(&program.url, &key, "/prompts").await;
    program.kill();
    place.clean_up().await;
}

#[tokio::test]
async fn on_sqlite() {
    killed_while_it_is_made(Engine::Sqlite).await;
}

#[tokio::test]
async fn on_postgres() {
    killed_while_it_is_made(Engine::Postgres).await;
}
