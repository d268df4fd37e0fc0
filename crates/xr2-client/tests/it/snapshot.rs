//! The file between two runs.

use std::path::Path;
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use xr2_client::{Client, Source};

use crate::server::{KEY, Server, Streams, prompt, text, until};

/// A first run that leaves its prompts in a file.
async fn first_run(file: &Path) -> Server {
    let server = Server::start(7, vec![prompt("a", 1, "one"), prompt("b", 2, "two")]).await;
    let client = server.builder().snapshot(file).build().unwrap();
    client.ready().await.unwrap();
    client.close().await;
    server
}

fn is_kept(file: &Path, url: &str, key: &str) -> bool {
    let client = Client::builder().url(url).api_key(key).snapshot(file).telemetry(false).build().unwrap();
    text(&client, "a").as_deref() == Some("one")
}

#[tokio::test]
async fn a_start_without_the_server_works() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prompts.xr2");
    let server = first_run(&file).await;
    server.script().down = Some(StatusCode::BAD_GATEWAY);
    server.script().stream = Streams::Refused(502);
    let client = server.builder().snapshot(&file).build().unwrap();
    let kept = client.get_now("a").unwrap();
    assert_eq!((kept.text(), kept.source(), kept.is_stale()), (Some("one"), Source::Disk, true));
    assert_eq!(client.get("b").await.unwrap().version(), Some(2));
    server.script().down = None;
    server.script().stream = Streams::Open;
    until(&client, |client| client.get_now("a").unwrap().source() == Source::Stream).await;
    let asked = server.asked("bundle");
    assert!(asked.iter().any(|one| one.status == 304), "what is known is not sent again");
    assert_eq!(server.asked("stream").last().unwrap().headers["last-event-id"], "7");
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prompts.xr2");
    first_run(&file).await;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let mut names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|one| one.unwrap().file_name()).collect();
    names.sort_unstable();
    assert_eq!(names, ["prompts.xr2", "prompts.xr2.lock"], "nothing else is left beside it");
    let lock = std::fs::metadata(folder.path().join("prompts.xr2.lock")).unwrap();
    assert_eq!((lock.permissions().mode() & 0o777, lock.len()), (0o600, 0));
    let bytes = std::fs::read(&file).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains(KEY));
}

#[tokio::test]
async fn a_file_that_is_not_ours_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prompts.xr2");
    let server = first_run(&file).await;
    let url = "http://127.0.0.1:9";
    let whole = std::fs::read(&file).unwrap();
    assert!(is_kept(&file, &server.url, KEY));
    assert!(!is_kept(&file, &server.url, "xr2_another_key"));
    assert!(!is_kept(&file, url, KEY), "another server's prompts are others");
    let mut tampered = whole.clone();
    let at = tampered.windows(3).position(|window| window == b"two").unwrap();
    tampered[at] = b'T';
    let cuts = [0, 1, 20, 80, 81, whole.len() / 2, whole.len() - 1].map(|length| whole[..length].to_vec());
    let longer = [whole.clone(), b" ".to_vec()].concat();
    for wrong in cuts.into_iter().chain([tampered, longer, b"\xff\xfe\n\n".to_vec()]) {
        std::fs::write(&file, &wrong).unwrap();
        assert!(!is_kept(&file, &server.url, KEY), "{} bytes", wrong.len());
    }
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert!(!is_kept(&file, &server.url, KEY));
}

/// A client that knows what it loaded first, and hears of nothing after that.
fn of_long_ago(server: &Server, file: &Path) -> Client {
    let never = Duration::from_secs(3600);
    server.builder().snapshot(file).stream(false).poll_interval(never).build().unwrap()
}

#[tokio::test]
async fn processes_that_share_a_file_keep_what_is_newer() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prompts.xr2");
    let mut staged = prompt("a", 4, "staged");
    staged["label"] = json!("staging");
    let server = Server::start(7, vec![prompt("a", 1, "one"), staged]).await;
    let old = of_long_ago(&server, &file);
    old.ready().await.unwrap();
    assert_eq!(old.get("a").label("staging").await.unwrap().version(), Some(4));
    server.script().prompts[0] = prompt("a", 2, "two");
    server.script().revision = 8;
    let new = server.builder().snapshot(&file).build().unwrap();
    until(&new, |client| text(client, "a").as_deref() == Some("two")).await;
    new.close().await;
    assert_eq!(text(&old, "a").as_deref(), Some("one"));
    old.close().await;
    server.script().down = Some(StatusCode::BAD_GATEWAY);
    server.script().stream = Streams::Refused(502);
    let next = server.builder().snapshot(&file).build().unwrap();
    assert_eq!(text(&next, "a").as_deref(), Some("two"));
    let staged = next.get("a").label("staging").now().unwrap();
    assert_eq!(staged.text(), Some("staged"), "what only the other followed is there as well");
}

#[cfg(unix)]
#[tokio::test]
async fn nothing_is_written_when_nothing_changed() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prompts.xr2");
    let server = first_run(&file).await;
    let number = || std::fs::metadata(&file).unwrap().ino();
    // A new file is made while the old one is there, so that it has another number.
    let before = number();
    let again = async || {
        let client = server.builder().snapshot(&file).build().unwrap();
        until(&client, |client| client.is_live()).await;
        client.close().await;
    };
    again().await;
    assert_eq!(number(), before);
    server.set(prompt("a", 2, "two"));
    again().await;
    assert_ne!(number(), before);
}

#[tokio::test]
async fn a_server_that_was_set_back_is_right_about_the_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prompts.xr2");
    let server = first_run(&file).await;
    server.script().revision = 3;
    server.script().prompts = vec![prompt("a", 1, "before")];
    let client = server.builder().snapshot(&file).build().unwrap();
    until(&client, |client| client.is_live() && client.revision() == Some(3)).await;
    client.close().await;
    server.script().down = Some(StatusCode::BAD_GATEWAY);
    let next = server.builder().snapshot(&file).build().unwrap();
    assert_eq!((text(&next, "a").as_deref(), next.revision()), (Some("before"), Some(3)));
}
