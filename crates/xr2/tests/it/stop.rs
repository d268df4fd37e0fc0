//! Ctrl-C once finishes what is in flight; twice ends at once.

use std::process::Command;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use xr2_testkit::Engine;

use crate::program::{Place, Program};

/// Less than the server gives to what is in flight.
const AT_ONCE: Duration = Duration::from_secs(15);

fn interrupt(program: &Program) {
    let done = Command::new("kill").arg("-INT").arg(program.id().to_string()).status().expect("kill runs");
    assert!(done.success());
}

#[tokio::test]
async fn the_second_signal_ends_at_once() {
    let place = Place::fresh(Engine::Sqlite, "stop").await.expect("SQLite is always there");
    let mut program = Program::start(&place);
    let address = program.url.strip_prefix("http://").expect("an address").to_owned();
    // A request that the client never finishes sending.
    let mut slow = TcpStream::connect(&address).await.expect("a connection");
    let head = format!(
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Expect: 100-continue\r\nContent-Length: 100\r\n\r\n"
    );
    slow.write_all(head.as_bytes()).await.expect("the head is sent");
    let mut answer = [0; 12];
    slow.read_exact(&mut answer).await.expect("the server waits for the body");
    assert_eq!(&answer, b"HTTP/1.1 100");
    interrupt(&program);
    let began = Instant::now();
    while TcpStream::connect(&address).await.is_ok() {
        assert!(began.elapsed() < AT_ONCE, "it still listens");
    }
    assert!(program.ended().is_none(), "what is in flight is waited for");
    interrupt(&program);
    let status = loop {
        if let Some(status) = program.ended() {
            break status;
        }
        assert!(began.elapsed() < AT_ONCE, "it goes on waiting");
        tokio::task::yield_now().await;
    };
    assert_eq!(status.code(), Some(130));
    drop(slow);
    place.clean_up().await;
}
