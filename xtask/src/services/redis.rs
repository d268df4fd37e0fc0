//! A Redis of our own: in memory, loopback only.

use super::guard::Guard;
use anyhow::Result;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The private server; it stops when this is dropped.
pub struct Redis {
    guard: Option<Guard>,
    folder: PathBuf,
    url: String,
}

impl Redis {
    /// Starts it.
    pub fn start(scratch: &Path) -> Result<Self> {
        let program = crate::tools::redis()?;
        let folder = scratch.join(format!("redis-{}", std::process::id()));
        super::private_folder(&folder)?;
        let mut attempt = 1;
        loop {
            let port = super::free_port()?;
            let mut command = Command::new(&program);
            command.current_dir(&folder).args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
            command.args(["--save", "", "--appendonly", "no", "--dir"]).arg(&folder);
            let guard = Guard::start("Redis", "TERM", &command, &folder.join("log"))?;
            match guard.wait_until(Duration::from_secs(20), || answers(port)) {
                Ok(()) => {
                    let url = format!("redis://127.0.0.1:{port}");
                    return Ok(Self { guard: Some(guard), folder, url });
                }
                Err(_) if attempt < super::ATTEMPTS => attempt += 1,
                Err(error) => {
                    let _ = std::fs::remove_dir_all(&folder);
                    return Err(error);
                }
            }
        }
    }

    /// Where to connect.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.guard.take());
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn answers(port: u16) -> bool {
    let ping = || -> std::io::Result<bool> {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        connection.set_read_timeout(Some(Duration::from_secs(1)))?;
        connection.write_all(b"PING\r\n")?;
        let mut answer = [0_u8; 7];
        connection.read_exact(&mut answer)?;
        Ok(&answer == b"+PONG\r\n")
    };
    ping().unwrap_or(false)
}
