//! What is asked, and what is not, against a real server.

use std::net::SocketAddr;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::any;
use bytes::Bytes;
use xr2_outbound::{Client, Error, Request, Rules};

async fn server() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new()
        .route("/", any(|headers: HeaderMap| async move { headers["x-test"].to_str().unwrap().to_owned() }))
        .route("/away", any(|| async { (StatusCode::FOUND, [(header::LOCATION, "/")]) }))
        .route("/long", any(|| async { "x".repeat(10_000_000) }));
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

fn request(url: String) -> Request {
    let headers = vec![("x-test".to_owned(), "hello".to_owned())];
    Request { method: "PURGE".to_owned(), url, headers, body: Bytes::new() }
}

fn client(allowed: &[String]) -> Client {
    let allowed = allowed.iter().map(|text| text.parse().unwrap()).collect();
    Client::new(Rules { allowed, allows_private: false }).unwrap()
}

#[tokio::test]
async fn what_is_allowed_is_asked() {
    let address = server().await;
    for (allowed, host) in [
        (address.to_string(), "127.0.0.1"),
        ("127.0.0.0/8".to_owned(), "127.0.0.1"),
        (format!("localhost:{}", address.port()), "localhost"),
    ] {
        let url = format!("http://{host}:{}/", address.port());
        let answer = client(&[allowed]).send(request(url)).await.unwrap();
        assert_eq!((answer.status, &answer.body[..]), (200, &b"hello"[..]));
    }
}

#[tokio::test]
async fn what_is_private_is_refused_however_it_is_written() {
    let address = server().await;
    let port = address.port();
    let client = client(&[]);
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0"] {
        let url = format!("http://{host}:{port}/");
        let error = client.send(request(url)).await.unwrap_err();
        assert!(matches!(&error, Error::Refused(why) if why.contains("private")), "{host}: {error}");
    }
    for bad in ["file:///etc/passwd", "http://a:b@example.com/", "nonsense", "http://"] {
        assert!(matches!(client.check(bad), Err(Error::Refused(_))), "{bad}");
    }
    client.check("https://api.example.com/purge").unwrap();
}

#[tokio::test]
async fn redirects_are_not_followed_and_long_answers_not_read_to_their_end() {
    let address = server().await;
    let client = client(&[address.to_string()]);
    assert_eq!(client.send(request(format!("http://{address}/away"))).await.unwrap().status, 302);
    let long = client.send(request(format!("http://{address}/long"))).await.unwrap();
    assert_eq!(long.body.len(), 64 * 1024);
}

#[tokio::test]
async fn who_is_not_there_fails() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = client(&[address.to_string()]).send(request(format!("http://{address}/"))).await.unwrap_err();
    assert!(matches!(error, Error::Failed(_)), "{error}");
}
