//! Connections: for commands, and for listening.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection, PubSub};
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, FromRedisValue, RedisError, RedisResult,
    Value,
};
use tokio::time::timeout;

use crate::address::{Place, Sentinels, settings};

/// Takes commands; cheap to clone, many may wait for answers at the same time.
#[derive(Clone)]
pub(crate) enum Commands {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Commands {
    pub(crate) async fn query<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<T> {
        match self {
            Commands::One(connection) => command.query_async(connection).await,
            Commands::Cluster(connection) => command.query_async(connection).await,
        }
    }
}

/// Knows how to reach Redis.
pub(crate) struct Connector {
    place: Place,
    /// For one connection, and for one answer.
    limit: Duration,
    /// Which of several nodes of a cluster is listened to; the next one when it fails.
    turn: AtomicUsize,
}

impl Connector {
    pub(crate) fn new(place: Place, limit: Duration) -> Connector {
        Connector { place, limit, turn: AtomicUsize::new(0) }
    }

    /// How long connecting may take in all.
    pub(crate) fn patience(&self) -> Duration {
        let tries = match &self.place {
            Place::Servers(servers) => servers.len(),
            Place::Sentinels(sentinels) => sentinels.watchers.len() + 1,
            Place::Cluster(_) => 1,
        };
        self.limit * (u32::try_from(tries).unwrap_or(u32::MAX) * 2)
    }

    /// Whether there may be a better server than the one at hand.
    pub(crate) fn has_several(&self) -> bool {
        matches!(&self.place, Place::Servers(servers) if servers.len() > 1)
    }

    /// A connection for commands, and which of several servers it is to.
    pub(crate) async fn commands(&self) -> RedisResult<(usize, Commands)> {
        match &self.place {
            Place::Servers(servers) => self.first_of(servers, servers.len()).await,
            Place::Sentinels(sentinels) => {
                let primary = self.ask(sentinels).await?;
                Ok((0, Commands::One(self.open(&primary).await?)))
            }
            Place::Cluster(nodes) => {
                let mut builder = ClusterClientBuilder::new(nodes.clone())
                    .connection_timeout(self.limit)
                    .response_timeout(self.limit)
                    .retries(2);
                if let Some(node) = nodes.first().map(settings) {
                    if let Some(password) = node.password() {
                        builder = builder.password(password);
                    }
                    if let Some(user) = node.username() {
                        builder = builder.username(user);
                    }
                }
                let connection = builder.build()?.get_async_connection().await?;
                Ok((0, Commands::Cluster(connection)))
            }
        }
    }

    /// A connection to a server that stands before the one at `index`, if there is one now.
    pub(crate) async fn better_than(&self, index: usize) -> Option<(usize, Commands)> {
        let Place::Servers(servers) = &self.place else { return None };
        self.first_of(servers, index).await.ok()
    }

    async fn first_of(&self, servers: &[ConnectionInfo], before: usize) -> RedisResult<(usize, Commands)> {
        let mut last = None;
        for (index, server) in servers.iter().enumerate().take(before) {
            match self.primary_at(server, servers.len() > 1).await {
                Ok(connection) => return Ok((index, Commands::One(connection))),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(nowhere))
    }

    /// A connection to a server, which must not be a replica where it has to be looked.
    async fn primary_at(
        &self,
        server: &ConnectionInfo,
        must_look: bool,
    ) -> RedisResult<MultiplexedConnection> {
        let mut connection = self.open(server).await?;
        if must_look && self.is_replica(&mut connection).await? {
            return Err(nowhere());
        }
        Ok(connection)
    }

    async fn is_replica(&self, connection: &mut impl ConnectionLike) -> RedisResult<bool> {
        let role: RedisResult<Vec<Value>> = redis::cmd("ROLE").query_async(connection).await;
        match role {
            Ok(role) => Ok(!matches!(role.first(), Some(Value::BulkString(name)) if name == b"master")),
            // Whoever may not ask takes it as it comes.
            Err(error) if error.code() == Some("NOPERM") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The address of the primary, from the first sentinel that knows it.
    async fn ask(&self, sentinels: &Sentinels) -> RedisResult<ConnectionInfo> {
        let mut last = None;
        for watcher in &sentinels.watchers {
            let asked = async {
                let mut connection = self.open(watcher).await?;
                let mut command = redis::cmd("SENTINEL");
                command.arg("GET-MASTER-ADDR-BY-NAME").arg(&sentinels.name);
                let found: Option<(String, u16)> = command.query_async(&mut connection).await?;
                let (host, port) = found.ok_or_else(nowhere)?;
                let primary = sentinels.primary_at(host, port);
                // A sentinel that was cut off may name one that is none any more.
                self.primary_at(&primary, true).await?;
                Ok(primary)
            };
            match asked.await {
                Ok(primary) => return Ok(primary),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(nowhere))
    }

    async fn open(&self, server: &ConnectionInfo) -> RedisResult<MultiplexedConnection> {
        let limit = Some(self.limit);
        let config = AsyncConnectionConfig::new().set_connection_timeout(limit).set_response_timeout(limit);
        Client::open(server.clone())?.get_multiplexed_async_connection_with_config(&config).await
    }

    /// A connection that listens to `channels`.
    pub(crate) async fn subscription(&self, channels: &[&str]) -> RedisResult<PubSub> {
        let server = match &self.place {
            Place::Servers(servers) => {
                let (index, _) = self.first_of(servers, servers.len()).await?;
                servers[index].clone()
            }
            Place::Sentinels(sentinels) => self.ask(sentinels).await?,
            // What is published on one node of a cluster is heard on all.
            Place::Cluster(nodes) => {
                let turn = self.turn.fetch_add(1, Ordering::Relaxed);
                nodes[turn % nodes.len()].clone()
            }
        };
        let subscribed = async {
            let mut subscription = Client::open(server)?.get_async_pubsub().await?;
            for channel in channels {
                subscription.subscribe(*channel).await?;
            }
            Ok(subscription)
        };
        timeout(self.limit * 2, subscribed).await.unwrap_or_else(|_| Err(nowhere()))
    }
}

/// There is no Redis that could be used.
fn nowhere() -> RedisError {
    RedisError::from((ErrorKind::Io, "no Redis server that takes writes can be reached"))
}

/// Whether an error is Redis' answer to a command, rather than a sign that another server has to be looked for.
pub(crate) fn is_answer(error: &RedisError) -> bool {
    const ELSEWHERE: [&str; 7] =
        ["READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "NOAUTH", "MISCONF", "TRYAGAIN"];
    error.code().is_some_and(|code| !ELSEWHERE.contains(&code))
        && !error.is_io_error()
        && !error.is_timeout()
        && !error.is_connection_dropped()
}
