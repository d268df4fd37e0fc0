//! TLS with a certificate that changes.

use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, KeyPair};
use reqwest::Version;
use serde_json::{Value, json};
use xr2_testkit::{PASSWORD, TestApp, both};

use super::{Raw, fetcher};

/// A certificate for localhost that vouches for itself.
struct Pair {
    certificate: String,
    key: String,
}

impl Pair {
    fn make() -> Pair {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
        let certificate = params.self_signed(&key).expect("a certificate");
        Pair { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    fn write(&self, files: &Files) {
        std::fs::write(&files.certificate, &self.certificate).expect("it is written");
        std::fs::write(&files.key, &self.key).expect("it is written");
    }

    /// A client that trusts this certificate alone.
    fn client(&self, node: &TestApp) -> reqwest::ClientBuilder {
        let certificate = reqwest::Certificate::from_pem(self.certificate.as_bytes()).expect("a certificate");
        xr2_testkit::http()
            .tls_certs_only([certificate])
            .resolve("localhost", node.address())
            .pool_max_idle_per_host(0)
    }

    /// Whether the node shows this certificate to whoever connects now.
    async fn is_shown(&self, node: &TestApp) -> bool {
        self.client(node).build().expect("a client").get(url(node, "/health")).send().await.is_ok()
    }
}

struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    fn in_directory(directory: &Path) -> Files {
        Files { certificate: directory.join("tls.crt"), key: directory.join("tls.key") }
    }
}

fn url(node: &TestApp, path: &str) -> String {
    format!("https://localhost:{}{path}", node.address().port())
}

/// A node that speaks TLS.
async fn node_of(app: &TestApp) -> (TestApp, Pair, Files) {
    let (pair, files) = (Pair::make(), Files::in_directory(app.directory()));
    pair.write(&files);
    let options = app.options().set("tls.certificate", files.certificate.display());
    let node = app.node_with(options.set("tls.key", files.key.display())).await;
    (node, pair, files)
}

both!(prompts_are_fetched_over_tls, |app| async move {
    let key = fetcher(&app).await;
    let (node, pair, _files) = node_of(&app).await;
    let fetch = |client: reqwest::Client| {
        let request = client.get(url(&node, "/api/v1/prompts/p?name=Ana")).bearer_auth(key.token());
        async move { request.send().await.expect("an answer") }
    };
    for _ in 0..2 {
        let response = fetch(pair.client(&node).build().unwrap()).await;
        assert_eq!((response.version(), response.status().as_u16()), (Version::HTTP_2, 200));
        assert_eq!(response.headers()["strict-transport-security"], "max-age=31536000");
        assert_eq!(response.json::<Value>().await.unwrap()["data"]["content"], "Hello Ana");
    }
    let response = fetch(pair.client(&node).http1_only().build().unwrap()).await;
    assert_eq!((response.version(), response.status().as_u16()), (Version::HTTP_11, 200));
});

both!(cookies_are_for_tls_alone, |app| async move {
    app.owner().await;
    let (node, pair, _files) = node_of(&app).await;
    let client = pair.client(&node).build().unwrap();
    let body = json!({ "email": "tls@example.com", "password": PASSWORD, "name": "T" });
    let answer = client.post(url(&node, "/api/v1/auth/register")).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("; Secure"), "{cookie}");
    app.keep_secret(answer.json::<Value>().await.unwrap()["data"]["token"].as_str().unwrap());
});

both!(a_new_certificate_is_taken_and_a_broken_one_is_not, |app| async move {
    let (node, first, files) = node_of(&app).await;
    assert!(first.is_shown(&node).await);
    let kept = first.client(&node).pool_max_idle_per_host(1).build().unwrap();
    assert_eq!(kept.get(url(&node, "/health")).send().await.unwrap().status(), 200);

    // Only one of the two is there yet.
    let second = Pair::make();
    std::fs::write(&files.certificate, &second.certificate).unwrap();
    app.until("the pair is refused", || async { app.log().contains("does not belong to tls.certificate") })
        .await;
    assert!(first.is_shown(&node).await && !second.is_shown(&node).await);

    std::fs::write(&files.key, &second.key).unwrap();
    app.until("the second is shown", || second.is_shown(&node)).await;
    assert!(!first.is_shown(&node).await);

    let half = &second.certificate[..second.certificate.len() / 2];
    std::fs::write(&files.certificate, half).unwrap();
    app.until("the half is refused", || async { app.log().contains("tls.certificate is not valid PEM") })
        .await;
    std::fs::remove_file(&files.key).unwrap();
    app.until("the loss is told", || async { app.log().contains("cannot read tls.key") }).await;
    assert!(second.is_shown(&node).await);

    let third = Pair::make();
    third.write(&files);
    app.until("the third is shown", || third.is_shown(&node)).await;
    assert_eq!(kept.get(url(&node, "/health")).send().await.unwrap().status(), 200, "connections go on");
});

both!(a_server_does_not_start_with_a_broken_pair, |app| async move {
    let (node, pair, files) = node_of(&app).await;
    app.until("the node has read them", || pair.is_shown(&node)).await;
    std::fs::write(&files.key, Pair::make().key).unwrap();
    let config = |node: &TestApp| node.app().config().clone();
    let error = xr2_server::serve::tls::check(&config(&node)).unwrap_err().to_string();
    assert!(error.contains("tls.key does not belong"), "{error}");
    std::fs::write(&files.key, "no key").unwrap();
    let error = xr2_server::serve::tls::check(&config(&node)).unwrap_err().to_string();
    assert!(error.contains("no usable private key"), "{error}");
    pair.write(&files);
    xr2_server::serve::tls::check(&config(&node)).unwrap();
});

both!(who_says_nothing_or_no_tls_is_let_go, |app| async move {
    let options = app.options().set("http.header_timeout", "1s");
    let files = Files::in_directory(app.directory());
    let pair = Pair::make();
    pair.write(&files);
    let options = options.set("tls.certificate", files.certificate.display());
    let node = app.node_with(options.set("tls.key", files.key.display())).await;
    let silent = Raw::open(&node).await;
    let mut plain = Raw::open(&node).await;
    plain.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(pair.is_shown(&node).await);
    assert!(!plain.rest().await.contains("HTTP/1.1 200"));
    assert_eq!(silent.rest().await, "");
});
