//! The client.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use crate::rules::Rules;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a request may take in all.
const WHOLE: Duration = Duration::from_secs(20);

/// Bytes of an answer that are read.
const MOST: usize = 64 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It may not be asked.
    #[error("{0}")]
    Refused(String),
    /// It could not be asked, or did not answer in time.
    #[error("{0}")]
    Failed(String),
}

/// What to send.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method, which need not be one of HTTP's own.
    pub method: String,
    /// The address.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The beginning of the body.
    pub body: Bytes,
}

/// Asks what users have set.
#[derive(Clone)]
pub struct Client {
    rules: Arc<Rules>,
    tls: rustls::ClientConfig,
}

impl Client {
    /// Within `rules`.
    pub fn new(rules: Rules) -> Result<Client, Error> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Failed(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Client { rules: Arc::new(rules), tls })
    }

    /// Fails when the address can never be asked. What its name stands for is looked at when it is.
    pub fn check(&self, url: &str) -> Result<(), Error> {
        self.target(url).map(drop)
    }

    /// Asks, once.
    pub async fn send(&self, request: Request) -> Result<Answer, Error> {
        let url = self.target(&request.url)?;
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| Error::Refused("the method is not valid".to_owned()))?;
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            let value = HeaderValue::from_str(value);
            let (Ok(name), Ok(mut value)) = (name, value) else {
                return Err(Error::Refused("a header is not valid".to_owned()));
            };
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let client = self.client_for(&url)?;
        let sent = client.request(method, url).headers(headers).body(request.body).send().await;
        read(sent.map_err(failed)?).await
    }

    fn target(&self, url: &str) -> Result<Url, Error> {
        let refused = |message: &str| Err(Error::Refused(message.to_owned()));
        let Ok(url) = Url::parse(url) else { return refused("the address is not valid") };
        if !matches!(url.scheme(), "http" | "https") {
            return refused("the address must begin with https:// or http://");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("the address must not hold a password");
        }
        let Some(host) = url.host_str() else { return refused("the address names no host") };
        // What is an address already is not resolved.
        let host = host.trim_matches(['[', ']']);
        let port = url.port_or_known_default().unwrap_or(0);
        if host.parse::<IpAddr>().is_ok_and(|address| !self.rules.allow(host, address, port)) {
            return refused(NOT_PUBLIC);
        }
        Ok(url)
    }

    /// One request, one client: its resolver knows the port, and no connection outlives what was checked for it.
    fn client_for(&self, url: &Url) -> Result<reqwest::Client, Error> {
        let port = url.port_or_known_default().unwrap_or(0);
        reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .dns_resolver(Arc::new(Checked { rules: self.rules.clone(), port }))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .user_agent(concat!("xr2/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(failed)
    }
}

const NOT_PUBLIC: &str =
    "the address is in a private network, which the operator of this server has not allowed";

/// Resolves names to addresses that may be reached.
struct Checked {
    rules: Arc<Rules>,
    port: u16,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (rules, port) = (self.rules.clone(), self.port);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), port)).await?;
            let found: Vec<SocketAddr> = found.collect();
            // One bad address among good ones makes the name a bad one.
            if found.iter().any(|address| !rules.allow(name.as_str(), address.ip(), port)) {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, NOT_PUBLIC).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

async fn read(mut response: reqwest::Response) -> Result<Answer, Error> {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut body = BytesMut::new();
    while body.len() < MOST {
        let Some(piece) = response.chunk().await.map_err(failed)? else { break };
        body.extend_from_slice(&piece[..piece.len().min(MOST - body.len())]);
    }
    Ok(Answer { status, headers, body: body.freeze() })
}

/// The innermost cause says it best; the address is left out, since it may hold what is nobody's business.
fn failed(error: reqwest::Error) -> Error {
    let error = error.without_url();
    let mut innermost: &dyn std::error::Error = &error;
    while let Some(inner) = innermost.source() {
        innermost = inner;
    }
    let refused = innermost.downcast_ref::<io::Error>().is_some_and(|e| e.to_string() == NOT_PUBLIC);
    if refused || innermost.to_string() == NOT_PUBLIC {
        return Error::Refused(NOT_PUBLIC.to_owned());
    }
    Error::Failed(if error.is_timeout() {
        "it did not answer in time".to_owned()
    } else {
        innermost.to_string()
    })
}
