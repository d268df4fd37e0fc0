//! What there is to compare with: axum, one route, bytes that are ready.

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use std::net::Ipv4Addr;
use std::path::Path;

/// Serves the answer in a file until it is stopped.
pub fn serve(answer: &Path, port: u16) -> Result<()> {
    let bytes = std::fs::read(answer).with_context(|| format!("cannot read {}", answer.display()))?;
    let router = router(&bytes)?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        axum::serve(listener, router).await?;
        Ok(())
    })
}

/// One route that gives a whole HTTP answer as it is.
pub fn router(answer: &[u8]) -> Result<Router> {
    let (headers, body) = parse(answer).context("this is no HTTP answer")?;
    let handler = move || {
        let mut response = Response::new(Body::from(body.clone()));
        *response.headers_mut() = headers.clone();
        std::future::ready(response)
    };
    Ok(Router::new().route("/api/v1/prompts/{prompt}", get(handler)))
}

/// The headers and the body; what the HTTP library writes by itself is left to it.
fn parse(answer: &[u8]) -> Option<(HeaderMap, Bytes)> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let mut headers = HeaderMap::new();
    for line in std::str::from_utf8(&answer[..end]).ok()?.split("\r\n").skip(1) {
        let (name, value) = line.split_once(':')?;
        let name: HeaderName = name.parse().ok()?;
        if ![header::DATE, header::CONTENT_LENGTH, header::CONNECTION].contains(&name) {
            headers.append(name, HeaderValue::from_str(value.trim()).ok()?);
        }
    }
    Some((headers, Bytes::copy_from_slice(&answer[end + 4..])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_an_answer_apart() {
        let answer =
            b"HTTP/1.1 200 OK\r\nVary: Accept\r\nVary: Cookie\r\nDate: now\r\nContent-Length: 2\r\n\r\n{}";
        let (headers, body) = parse(answer).unwrap();
        assert_eq!(headers.get_all("vary").iter().count(), 2);
        assert_eq!(headers.len(), 2);
        assert_eq!(&body[..], b"{}");
        assert!(parse(b"nonsense").is_none());
    }
}
