//! `xr2 healthcheck`: exits with 0 when the server answers `/health`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use xr2_server::config::Override;

use crate::cli;
use crate::commands::{configure, unchecked};

const TIMEOUT: Duration = Duration::from_secs(5);

pub async fn run(args: cli::Healthcheck) -> anyhow::Result<()> {
    let listen =
        args.listen.iter().map(|value| Override { key: "listen".into(), value: value.clone() }).collect();
    let config = configure(&args.settings, listen)?;
    let asking = ask(reachable(config.listen), config.tls_files().is_some());
    let status = tokio::time::timeout(TIMEOUT, asking).await.context("no answer in time")??;
    anyhow::ensure!(status == 200, "the server answered with status {status}");
    Ok(())
}

/// A server that listens everywhere is asked on loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

async fn ask(address: SocketAddr, by_tls: bool) -> anyhow::Result<u16> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("nobody answers on {address}"))?;
    if by_tls {
        return exchange(unchecked::connect(stream).await?, address).await;
    }
    exchange(stream, address).await
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    address: SocketAddr,
) -> anyhow::Result<u16> {
    stream
        .write_all(format!("GET /health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())
        .await?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer).await?;
    let line = String::from_utf8_lossy(&answer);
    line.split_whitespace().nth(1).and_then(|code| code.parse().ok()).context("the answer is not HTTP")
}
