//! An xr2 server on a fresh data directory, for the tests that need one to talk to.

use super::guard::Guard;
use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A running server with its demo workspace; it stops and its data goes when this is dropped.
pub struct Server {
    guard: Option<Guard>,
    folder: PathBuf,
    url: String,
    credentials: Value,
}

impl Server {
    /// Starts `binary` on a new folder under `scratch`; `name` keeps several apart. `settings` are environment variables.
    pub fn start(binary: &Path, scratch: &Path, name: &str, settings: &[(&str, &str)]) -> Result<Self> {
        if !binary.is_file() {
            bail!("the server was not built: there is no {}", binary.display());
        }
        let folder = scratch.join(format!("{name}-{}", std::process::id()));
        let mut attempt = 1;
        loop {
            super::private_folder(&folder)?;
            match Self::start_once(binary, &folder, settings) {
                Ok(server) => return Ok(server),
                Err(_) if attempt < super::ATTEMPTS => {
                    attempt += 1;
                    std::fs::remove_dir_all(&folder)?;
                }
                Err(error) => {
                    let _ = std::fs::remove_dir_all(&folder);
                    return Err(error);
                }
            }
        }
    }

    fn start_once(binary: &Path, folder: &Path, settings: &[(&str, &str)]) -> Result<Self> {
        let port = super::free_port()?;
        let credentials_file = folder.join("credentials.json");
        let mut command = Command::new(binary);
        command.current_dir(folder).arg("serve").arg("--demo");
        command.arg("--listen").arg(format!("127.0.0.1:{port}"));
        command.arg("--data-dir").arg(folder.join("data"));
        command.arg("--credentials-file").arg(&credentials_file);
        command.envs(settings.iter().copied());
        let guard = Guard::start("xr2", "TERM", &command, &folder.join("log"))?;
        guard.wait_until(Duration::from_secs(60), || {
            credentials_file.is_file() && get(port, "/ready").is_ok_and(|status| status == 200)
        })?;
        let text = std::fs::read_to_string(&credentials_file)
            .with_context(|| format!("cannot read {}", credentials_file.display()))?;
        let credentials = serde_json::from_str(&text).context("the credentials file is no JSON")?;
        let url = format!("http://127.0.0.1:{port}");
        Ok(Self { guard: Some(guard), folder: folder.to_path_buf(), url, credentials })
    }

    /// What programs need to know: the names that clients read themselves, and the names that only tests read.
    pub fn environment(&self) -> Result<Vec<(String, String)>> {
        let names: [(&[&str], &str); 4] = [
            (&["XR2_TEST_EMAIL"], "email"),
            (&["XR2_TEST_PASSWORD"], "password"),
            (&["XR2_API_KEY", "XR2_TEST_API_KEY"], "api_key"),
            (&["XR2_TEST_ADMIN_KEY"], "admin_api_key"),
        ];
        let mut environment: Vec<(String, String)> =
            ["XR2_URL", "XR2_TEST_URL"].map(|name| (name.to_owned(), self.url.clone())).into();
        for (variables, field) in names {
            let value = self.credentials.get(field).and_then(Value::as_str);
            let value = value.ok_or_else(|| anyhow!("the server's credentials file has no `{field}`"))?;
            environment.extend(variables.iter().map(|name| ((*name).to_owned(), value.to_owned())));
        }
        Ok(environment)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.guard.take());
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The status of one GET.
fn get(port: u16, path: &str) -> Result<u16> {
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(connection, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    status_of(&answer).ok_or_else(|| anyhow!("this is no HTTP answer: {answer}"))
}

fn status_of(answer: &str) -> Option<u16> {
    answer.strip_prefix("HTTP/1.1 ")?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_status_of_an_answer() {
        assert_eq!(status_of("HTTP/1.1 503 Service Unavailable\r\n\r\n"), Some(503));
        assert_eq!(status_of("SSH-2.0"), None);
    }
}
