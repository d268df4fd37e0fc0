//! TLS with a given certificate, which is read again when its files change.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// Between two looks at the files.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is offered to clients, the best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TlsError(String);

/// Fails when TLS is set up and cannot be served, so that a server says so before it starts.
pub fn check(config: &Config) -> Result<(), TlsError> {
    Tls::of(config).map(drop)
}

/// The server's end of TLS.
pub struct Tls {
    files: Files,
    /// What the files held at the start.
    opened: Texts,
    current: Arc<Current>,
    config: Arc<ServerConfig>,
}

/// Where certificate and key stand.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// What the files held.
#[derive(PartialEq, Eq, Clone)]
struct Texts {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// The pair in use.
struct Current(RwLock<Arc<CertifiedKey>>);

impl Current {
    fn get(&self) -> Arc<CertifiedKey> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, pair: CertifiedKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pair);
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.get())
    }
}

impl Tls {
    /// As `config` says; none: without TLS.
    pub fn of(config: &Config) -> Result<Option<Tls>, TlsError> {
        let Some((certificate, key)) = config.tls_files() else { return Ok(None) };
        Tls::open(Files { certificate: certificate.to_owned(), key: key.to_owned() }).map(Some)
    }

    fn open(files: Files) -> Result<Tls, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let opened = files.read()?;
        let pair = opened.pair(&provider)?;
        let current = Arc::new(Current(RwLock::new(Arc::new(pair))));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError(error.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
        config.ticketer = ring::Ticketer::new().map_err(|error| TlsError(error.to_string()))?;
        Ok(Tls { files, opened, current, config: Arc::new(config) })
    }

    /// For the next connection.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.clone())
    }

    /// Takes a new pair into use when the files change. What is broken is logged once, and the pair in use is kept.
    pub async fn follow_files(self: Arc<Self>, stop: CancellationToken) {
        let mut follower = Follower::new(self.opened.clone());
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            let tls = self.clone();
            let Ok(read) = tokio::task::spawn_blocking(move || tls.files.read()).await else { continue };
            if let Some(outcome) = follower.look(read) {
                self.take(outcome);
            }
        }
    }

    fn take(&self, outcome: Result<Texts, TlsError>) {
        let pair = outcome.and_then(|texts| texts.pair(self.config.crypto_provider()));
        match pair {
            Ok(pair) => {
                self.current.set(pair);
                tracing::info!(certificate = %self.files.certificate.display(), "the TLS certificate was read anew");
            }
            Err(error) => {
                tracing::warn!(%error, "the new TLS certificate cannot be used; the old one is kept");
            }
        }
    }
}

/// Tells when the files have changed and come to rest: what is being written is not taken.
struct Follower {
    in_use: Texts,
    last: Option<Result<Texts, String>>,
    is_told: bool,
}

impl Follower {
    fn new(in_use: Texts) -> Follower {
        Follower { in_use, last: None, is_told: true }
    }

    /// What to take into use, or to complain of: when it is the same as at the last look, and has not been told yet.
    fn look(&mut self, read: Result<Texts, TlsError>) -> Option<Result<Texts, TlsError>> {
        let read = read.map_err(|error| error.0);
        if self.last.as_ref() != Some(&read) {
            self.is_told = false;
            self.last = Some(read);
            return None;
        }
        if std::mem::replace(&mut self.is_told, true) {
            return None;
        }
        match read {
            Ok(texts) if self.in_use == texts => None,
            Ok(texts) => {
                self.in_use = texts.clone();
                Some(Ok(texts))
            }
            Err(error) => Some(Err(TlsError(error))),
        }
    }
}

impl Files {
    fn read(&self) -> Result<Texts, TlsError> {
        let read = |path: &PathBuf, what: &str| {
            std::fs::read(path)
                .map_err(|error| TlsError(format!("cannot read {what} {}: {error}", path.display())))
        };
        let certificate = read(&self.certificate, "tls.certificate")?;
        Ok(Texts { certificate, key: read(&self.key, "tls.key")? })
    }
}

impl Texts {
    /// The pair, if the two belong together.
    fn pair(&self, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let chain = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| TlsError(format!("tls.certificate is not valid PEM: {error}")))?;
        if chain.is_empty() {
            return Err(TlsError("tls.certificate holds no certificate in PEM form".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|error| TlsError(format!("tls.key holds no usable private key in PEM form: {error}")))?;
        CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                TlsError("tls.key does not belong to tls.certificate".to_owned())
            }
            other => TlsError(format!("tls.certificate or tls.key cannot be used: {other}")),
        })
    }
}
