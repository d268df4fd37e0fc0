//! What a client is made of.

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::time::Duration;

use crate::client::Client;
use crate::error::Error;

/// Makes a [`Client`].
///
/// ```no_run
/// # fn main() -> Result<(), xr2_client::Error> {
/// let client = xr2_client::Client::builder()
///     .url("https://prompts.example.com") // default: XR2_URL, else http://localhost:8000
///     .api_key("xr2_…") // default: XR2_API_KEY
///     .snapshot("/var/lib/shop/prompts.xr2") // so that a start without the server works, too
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Builder {
    url: Option<String>,
    api_key: Option<String>,
    label: Option<String>,
    slugs: Vec<String>,
    tags: Vec<String>,
    snapshot: Option<PathBuf>,
    instance: Option<String>,
    http: Option<reqwest::Client>,
    tuning: Tuning,
}

impl Builder {
    /// Where the server is; else `XR2_URL`, else `http://localhost:8000`.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// The API key; else `XR2_API_KEY`. The scope `deliver` is enough.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// The label that `get` asks for unless told otherwise; `production` unless said.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Only these prompts are kept in memory; others are asked for one by one.
    pub fn slugs<S: Into<String>>(mut self, slugs: impl IntoIterator<Item = S>) -> Self {
        self.slugs = slugs.into_iter().map(Into::into).collect();
        self
    }

    /// Only prompts with one of these tags are kept in memory; others are asked for one by one.
    pub fn tags<S: Into<String>>(mut self, tags: impl IntoIterator<Item = S>) -> Self {
        self.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// A file that keeps the prompts between runs, so that a program starts without the server. Only its owner may
    /// read it; one that was cut, changed or written with another key is passed over.
    pub fn snapshot(mut self, path: impl Into<PathBuf>) -> Self {
        self.snapshot = Some(path.into());
        self
    }

    /// The name of this process where the dashboard lists who serves what; random unless said.
    pub fn instance(mut self, name: impl Into<String>) -> Self {
        self.instance = Some(name.into());
        self
    }

    /// Whether to hold a stream open (it is on unless said). Without it the server is polled.
    pub fn stream(mut self, on: bool) -> Self {
        self.tuning.stream = on;
        self
    }

    /// Whether to tell the server what is read from memory (it is on unless said).
    pub fn telemetry(mut self, on: bool) -> Self {
        self.tuning.telemetry = on;
        self
    }

    /// How long a call may take that has to ask the server, retries included; 5 seconds unless said.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.tuning.timeout = timeout;
        self
    }

    /// How often to ask where streams are blocked; every second unless said.
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.tuning.poll_interval = interval;
        self
    }

    /// How often to ask, by ETag, whether an open stream kept something back; every hour unless said.
    pub fn recheck_interval(mut self, interval: Duration) -> Self {
        self.tuning.recheck_interval = interval;
        self
    }

    /// How often reads are told to the server; every 10 seconds unless said.
    pub fn telemetry_interval(mut self, interval: Duration) -> Self {
        self.tuning.telemetry_interval = interval;
        self
    }

    /// An HTTP client of your own, for a private CA or client certificates. It should follow no redirects and must have
    /// no timeout for whole requests, because a stream has no end.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.http = Some(client);
        self
    }

    /// Makes the client and begins to load. Waits for nothing but the snapshot file.
    pub fn build(self) -> Result<Client, Error> {
        let url = self.url.or_else(|| env("XR2_URL")).unwrap_or_else(|| "http://localhost:8000".to_owned());
        let api_key = self.api_key.or_else(|| env("XR2_API_KEY")).ok_or_else(|| {
            Error::Usage("no API key: set XR2_API_KEY, or give one to the builder".to_owned())
        })?;
        let instance = self.instance.unwrap_or_else(random_name);
        if instance.is_empty() || instance.len() > 100 {
            return Err(Error::Usage("the name of an instance has 1 to 100 bytes".to_owned()));
        }
        Client::start(Settings {
            url: base_of(&url)?,
            api_key,
            label: self.label.unwrap_or_else(|| "production".to_owned()),
            slugs: self.slugs,
            tags: self.tags,
            snapshot: self.snapshot,
            instance,
            http: self.http,
            tuning: self.tuning,
        })
    }
}

/// Says nothing of the key.
impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("url", &self.url).field("label", &self.label).finish_non_exhaustive()
    }
}

/// Everything decided.
pub(crate) struct Settings {
    /// `https://host/api/v1/`
    pub url: reqwest::Url,
    pub api_key: String,
    pub label: String,
    pub slugs: Vec<String>,
    pub tags: Vec<String>,
    pub snapshot: Option<PathBuf>,
    pub instance: String,
    pub http: Option<reqwest::Client>,
    pub tuning: Tuning,
}

/// Times and switches.
#[derive(Clone)]
pub(crate) struct Tuning {
    pub stream: bool,
    pub telemetry: bool,
    pub timeout: Duration,
    pub poll_interval: Duration,
    pub telemetry_interval: Duration,
    pub recheck_interval: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            stream: true,
            telemetry: true,
            timeout: Duration::from_secs(5),
            poll_interval: Duration::from_secs(1),
            telemetry_interval: Duration::from_secs(10),
            recheck_interval: Duration::from_secs(3600),
        }
    }
}

/// A name that no other process has. The standard library keys its maps with what the system calls random; other
/// generators begin with the time, which is the same in machines that were started together.
pub(crate) fn random_name() -> String {
    let half = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", half(), half())
}

#[expect(
    clippy::disallowed_methods,
    reason = "this crate stands alone, and these two names are its contract"
)]
fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn base_of(url: &str) -> Result<reqwest::Url, Error> {
    let refuse = |why: &str| Error::Usage(format!("the server's address cannot be used: {why}"));
    let root = url.trim_end_matches('/').trim_end_matches("/api/v1");
    let base = reqwest::Url::parse(&format!("{root}/api/v1/")).map_err(|error| refuse(&error.to_string()))?;
    match base.scheme() {
        "http" => {}
        "https" if cfg!(feature = "tls") => {}
        "https" => return Err(refuse("https needs the feature `tls`")),
        _ => return Err(refuse("it must begin with http:// or https://")),
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err(refuse("it holds a user name or password"));
    }
    Ok(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_a_path() {
        let base = |url: &str| base_of(url).map(String::from);
        assert_eq!(base("http://localhost:8000").unwrap(), "http://localhost:8000/api/v1/");
        assert_eq!(base("http://host/xr2/").unwrap(), "http://host/xr2/api/v1/");
        assert_eq!(base("http://host/api/v1/").unwrap(), "http://host/api/v1/");
        for wrong in ["", "localhost:8000", "ftp://host", "http://me:secret@host"] {
            let error = base(wrong).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
