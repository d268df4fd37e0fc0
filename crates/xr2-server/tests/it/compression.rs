//! Compressed answers, and what of them may be kept.

use std::io::Read;

use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use xr2_server::auth::Scope;
use xr2_testkit::{Client, both};

use crate::support::text;

/// An answer as it came.
struct Came {
    status: u16,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl Came {
    async fn of(client: &Client, method: &str, path: &str, headers: &[(&str, &str)]) -> Came {
        let request =
            headers.iter().fold(client.request(method, path), |request, (n, v)| request.header(n, v));
        let response = request.open().await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Came { status, headers, bytes: response.bytes().await.expect("a body").to_vec() }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    fn json(&self) -> Value {
        let mut text = Vec::new();
        match self.header("content-encoding") {
            "" => text = self.bytes.clone(),
            "gzip" => {
                flate2::read::GzDecoder::new(&self.bytes[..]).read_to_end(&mut text).expect("gzip");
            }
            "br" => brotli::BrotliDecompress(&mut &self.bytes[..], &mut text).expect("brotli"),
            other => panic!("an encoding nobody asked for: {other}"),
        }
        serde_json::from_slice(&text).expect("JSON")
    }
}

both!(answers_are_packed_as_the_client_takes_them, |app| async move {
    let owner = app.owner().await;
    for n in 0..20 {
        text(&owner, &format!("p{n}"), "Some text").await;
    }
    let list = |accept: &'static str| {
        let owner = owner.clone();
        async move { Came::of(&owner, "GET", "/prompts", &[("accept-encoding", accept)]).await }
    };
    let plain = Came::of(&owner, "GET", "/prompts", &[]).await;
    assert_eq!(plain.header("content-encoding"), "");
    assert!(plain.bytes.len() > 1024);
    assert!(plain.header("vary").contains("Accept-Encoding"));
    for (accept, expected) in [
        ("gzip", "gzip"),
        ("gzip, deflate, br", "br"),
        ("br;q=0.1, gzip;q=0.9", "gzip"),
        ("br;q=0, gzip;q=0", ""),
        ("deflate", ""),
        ("identity", ""),
    ] {
        let came = list(accept).await;
        assert_eq!((came.status, came.header("content-encoding")), (200, expected), "{accept}");
        assert_eq!(came.json()["data"], plain.json()["data"], "{accept}");
        assert!(came.header("vary").contains("Accept-Encoding"), "{accept}");
        if !expected.is_empty() {
            assert!(came.bytes.len() * 2 < plain.bytes.len(), "{accept}: {} bytes", came.bytes.len());
        }
    }
    let head = Came::of(&owner, "HEAD", "/prompts", &[("accept-encoding", "gzip")]).await;
    assert_eq!((head.status, head.bytes.len(), head.header("content-encoding")), (200, 0, "gzip"));
    let small = Came::of(&owner, "GET", "/auth/me", &[("accept-encoding", "br, gzip")]).await;
    assert_eq!((small.status, small.header("content-encoding")), (200, ""));
});

both!(a_stream_is_never_packed, |app| async move {
    let key = app.key(&[Scope::Deliver]).await;
    let request = key.request("GET", "/stream").header("accept-encoding", "br, gzip");
    let mut stream = request.open().await;
    assert!(!stream.headers().contains_key("content-encoding"));
    let first = stream.chunk().await.unwrap().expect("a greeting");
    assert!(String::from_utf8_lossy(&first).starts_with("event: hello"), "{first:?}");
});

both!(each_form_of_a_prompt_has_a_tag_of_its_own, |app| async move {
    let owner = app.owner().await;
    let key = app.key(&[Scope::Deliver]).await;
    text(&owner, "long", &format!("{} {{{{ name }}}}", "some words ".repeat(500))).await;
    let fetch = |headers: Vec<(&'static str, String)>| {
        let key = key.clone();
        async move {
            let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
            Came::of(&key, "GET", "/prompts/long", &headers).await
        }
    };
    let plain = fetch(vec![]).await;
    let tag = plain.header("etag").to_owned();
    let mut tags = vec![tag.clone()];
    for (accept, ending) in [("gzip", ".gz\""), ("br", ".br\"")] {
        // Through the router, then from memory.
        for _ in 0..2 {
            let came = fetch(vec![("accept-encoding", accept.into())]).await;
            assert_eq!(came.header("content-encoding"), accept);
            assert_eq!(came.header("etag"), format!("{}{ending}", tag.trim_end_matches('"')));
            assert_eq!(came.header("cache-control"), "private, no-cache");
            assert_eq!(came.json(), plain.json());
            tags.push(came.header("etag").to_owned());
        }
    }
    // Whichever form it has, the client is told that it is current, for the form it would get now.
    for known in &tags {
        for (accept, expected) in [("identity", &tag), ("gzip", &tags[1])] {
            let came =
                fetch(vec![("accept-encoding", accept.into()), ("if-none-match", known.clone())]).await;
            assert_eq!((came.status, came.bytes.len()), (304, 0), "{known} {accept}");
            assert_eq!(came.header("etag"), expected);
            assert_eq!(came.header("content-encoding"), "");
        }
    }
    let other = fetch(vec![("if-none-match", "\"other.gz\"".into())]).await;
    assert_eq!(other.status, 200);
    let head = Came::of(&key, "HEAD", "/prompts/long", &[("accept-encoding", "gzip")]).await;
    assert_eq!((head.status, head.bytes.len(), head.header("etag")), (200, 0, tags[1].as_str()));
});

both!(what_is_rendered_is_packed_when_it_is_long, |app| async move {
    let owner = app.owner().await;
    let key = app.key(&[Scope::Deliver]).await;
    for (slug, words) in [("short", 200), ("long", 1000), ("huge", 20_000)] {
        text(&owner, slug, &format!("{} {{{{ name }}}}", "words ".repeat(words))).await;
        for _ in 0..2 {
            let path = format!("/prompts/{slug}?name=Ana");
            let came = Came::of(&key, "GET", &path, &[("accept-encoding", "gzip")]).await;
            let is_packed = came.header("content-encoding") == "gzip";
            assert_eq!(is_packed, words >= 20_000, "{slug}");
            let content = came.json()["data"]["content"].as_str().unwrap().to_owned();
            assert!(content.ends_with("words  Ana") && content.len() == words * 6 + 4, "{slug}");
        }
    }
    let body = json!({ "slugs": ["long", "huge"] });
    let batch = key.request("POST", "/prompts/batch").header("accept-encoding", "br").json(body).open().await;
    assert_eq!(batch.headers()["content-encoding"], "br");
});
