//! A network that fails on demand: a TCP proxy before a real server, which pauses, delays or cuts what goes through it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// What the network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Everything goes through.
    Works,
    /// Connections stay open and nothing goes through them.
    Hangs,
    /// Connections are cut, and new ones as soon as they are made.
    Cut,
    /// Everything goes through, later.
    Slow(Duration),
    /// Of what Redis tells its subscribers, so many of a hundred messages are lost, without anybody noticing.
    Loses(u8),
}

/// See the module. It ends when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    network: watch::Sender<Network>,
    accepting: AbortHandle,
}

impl Proxy {
    /// A proxy before the server at `target`.
    pub async fn before(target: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("the listener has an address");
        let (network, seen) = watch::channel(Network::Works);
        let accepting = tokio::spawn(accept(listener, target.to_owned(), seen)).abort_handle();
        Proxy { address, network, accepting }
    }

    /// A proxy before the server of this URL, and the URL that leads through it.
    pub async fn before_url(url: &str) -> (Proxy, String) {
        let scheme = url.find("://").map_or(0, |at| at + 3);
        let end = url[scheme..].find(['/', '?']).map_or(url.len(), |at| scheme + at);
        let host = url[scheme..end].rfind('@').map_or(scheme, |at| scheme + at + 1);
        let proxy = Proxy::before(&url[host..end]).await;
        let through = format!("{}{}{}", &url[..host], proxy.address, &url[end..]);
        (proxy, through)
    }

    /// Changes what the network does, for present and future connections.
    pub fn set(&self, network: Network) {
        self.network.send_replace(network);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.set(Network::Cut);
    }
}

async fn accept(listener: TcpListener, target: String, network: watch::Receiver<Network>) {
    while let Ok((client, _)) = listener.accept().await {
        if *network.borrow() == Network::Cut {
            continue;
        }
        let (target, network) = (target.clone(), network.clone());
        tokio::spawn(async move {
            let mut cut = network.clone();
            tokio::select! {
                _ = cut.wait_for(|network| *network == Network::Cut) => {}
                () = carry(client, &target, network) => {}
            }
        });
    }
}

async fn carry(client: TcpStream, target: &str, network: watch::Receiver<Network>) {
    pass(&network).await;
    let Ok(server) = TcpStream::connect(target).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::select! {
        () = pump(from_client, to_server, network.clone()) => {}
        () = pump(from_server, to_client, network) => {}
    }
}

async fn pump(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    network: watch::Receiver<Network>,
) {
    let mut buffer = vec![0; 16 * 1024];
    let mut losses = Losses::default();
    loop {
        pass(&network).await;
        let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
        pass(&network).await;
        if losses.takes(*network.borrow(), &buffer[..length]) {
            continue;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

/// Which messages are lost: evenly spread, and the same ones each time.
#[derive(Default)]
struct Losses(u32);

impl Losses {
    fn takes(&mut self, network: Network, bytes: &[u8]) -> bool {
        let Network::Loses(share) = network else { return false };
        // A message to a subscriber, in either version of the protocol; answers to commands are left alone.
        if !bytes.starts_with(b"*3\r\n$7\r\nmessage\r\n") && !bytes.starts_with(b">3\r\n$7\r\nmessage\r\n") {
            return false;
        }
        self.0 = self.0.wrapping_add(0x9e37_79b9);
        u64::from(self.0) * 100 / (u64::from(u32::MAX) + 1) < u64::from(share)
    }
}

/// Waits for as long as the network holds back.
async fn pass(network: &watch::Receiver<Network>) {
    let mut network = network.clone();
    let slow = match *network.borrow_and_update() {
        Network::Slow(by) => by,
        _ => Duration::ZERO,
    };
    tokio::time::sleep(slow).await;
    let _ = network.wait_for(|network| *network != Network::Hangs).await;
}
