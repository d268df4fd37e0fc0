//! Listening, and stopping without dropping anybody.

mod activity;
mod body;
mod connection;
mod stop;
pub mod tls;
mod watched;

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

pub use activity::{Activity, InFlight};

use crate::front::Door;
use crate::state::App;
use connection::Protocol;
use stop::Stop;
use tls::Tls;
use watched::Watched;

/// How long to wait when the system has nothing left for another connection.
const PAUSE: Duration = Duration::from_millis(100);

/// How long is waited to learn what was lost by a stop that took too long.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// Serves `app` on `listener` until `shutdown`, then finishes what is in flight (within the grace period).
pub async fn serve(
    app: App,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let server = Server::new(&app)?;
    if let Some(tls) = &server.tls {
        app.spawn(tls.clone().follow_files(app.stopping()));
    }
    tokio::pin!(shutdown);
    server.accept_until(listener, shutdown).await;
    // Streams end first: they would never finish by themselves.
    app.begin_stop();
    server.stop.set();
    server.connections.close();
    let grace = app.config().shutdown_grace();
    if timeout(grace, server.connections.wait()).await.is_err() {
        tracing::warn!("some requests did not finish in time and were cut off");
    }
    // A database that hangs must not keep the program alive.
    if timeout(grace, app.finish_stop()).await.is_err() {
        // Whoever still writes holds what it writes.
        let lost = timeout(LAST_LOOK, app.usage().give_up()).await.ok();
        tracing::warn!(lost_usage = lost, "background work did not finish in time and was cut off");
    }
    Ok(())
}

struct Server {
    door: Door,
    protocol: Protocol,
    tls: Option<Arc<Tls>>,
    /// How long a client may take nothing of what it is sent.
    stall: Duration,
    places: Arc<Semaphore>,
    connections: TaskTracker,
    stop: Arc<Stop>,
}

impl Server {
    fn new(app: &App) -> io::Result<Server> {
        let config = app.config();
        let stop = Arc::new(Stop::default());
        Ok(Server {
            door: Door::new(app),
            protocol: Protocol::new(config, stop.clone()),
            tls: Tls::of(config).map_err(io::Error::other)?.map(Arc::new),
            stall: config.stream.stall(),
            places: Arc::new(Semaphore::new(config.limits.connections)),
            connections: TaskTracker::new(),
            stop,
        })
    }

    async fn accept_until(&self, listener: TcpListener, shutdown: impl Future<Output = ()> + Unpin) {
        let accepting = async {
            loop {
                // Who finds no place waits in the system's queue.
                let Ok(place) = self.places.clone().acquire_owned().await else { return };
                let (stream, peer) = accept(&listener).await;
                let serving = self.serve_one(stream, peer);
                self.connections.spawn(async move {
                    serving.await;
                    drop(place);
                });
            }
        };
        tokio::select! {
            () = accepting => {}
            () = shutdown => {}
        }
    }

    fn serve_one(&self, stream: TcpStream, peer: SocketAddr) -> impl Future<Output = ()> + Send + use<> {
        // Answers are small: waiting to fill a packet only delays them.
        drop(stream.set_nodelay(true));
        let activity = Arc::new(Activity::default());
        let stream = Watched::new(stream, activity.clone(), self.stall);
        let (front, protocol) = (self.door.front(peer, activity.clone()), self.protocol.clone());
        let tls = self.tls.as_ref().map(|tls| tls.acceptor());
        async move {
            let Some(tls) = tls else { return protocol.serve(stream, front, activity).await };
            match timeout(protocol.head_patience(), tls.accept(stream)).await {
                Ok(Ok(stream)) => protocol.serve(stream, front, activity).await,
                Ok(Err(error)) => tracing::debug!(%error, "no TLS connection came about"),
                Err(_) => metrics::counter!("xr2_connections_cut_total").increment(1),
            }
        }
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_that_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Whether it went wrong for that client alone.
fn is_of_that_connection(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
