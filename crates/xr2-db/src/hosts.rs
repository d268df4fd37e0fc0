//! The addresses of one PostgreSQL: several, when another server takes over where one fails.

use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::{DbError, Result};

/// What says which of several servers is wanted, as PostgreSQL's own programs understand it.
const ATTRIBUTES: &str = "target_session_attrs";

/// How much longer than another the one in use may take.
const PREFERENCE: Duration = Duration::from_millis(100);

/// See the module.
pub(crate) struct Hosts {
    list: Vec<Host>,
    /// Whether it has to be one that can be written to, which is what is meant by several.
    must_write: bool,
    current: AtomicUsize,
}

#[derive(Clone)]
struct Host {
    /// As it stands in messages.
    name: String,
    connect: PgConnectOptions,
}

/// Why a host was not taken.
enum Unfit {
    ReadOnly,
    Error(sqlx::Error),
}

impl Hosts {
    /// Reads `postgres://user:password@host:port,host:port/database?target_session_attrs=read-write`.
    pub(crate) fn parse(url: &str) -> Result<Hosts> {
        let parts = Parts::of(url)?;
        let list = parts.hosts.split(',').map(|host| parts.host(host)).collect::<Result<Vec<_>>>()?;
        let must_write = match parts.attributes.as_deref() {
            None => list.len() > 1,
            Some("read-write" | "primary") => true,
            Some("any") => false,
            Some(_) => {
                return Err(DbError::setup(format!(
                    "the PostgreSQL address asks for {ATTRIBUTES} that are of no use here; it can be read-write, primary or any"
                )));
            }
        };
        Ok(Hosts { list, must_write, current: AtomicUsize::new(0) })
    }

    /// How the one in use is connected to.
    pub(crate) fn current(&self) -> &PgConnectOptions {
        &self.list[self.current.load(Ordering::Acquire)].connect
    }

    /// Its name.
    pub(crate) fn current_name(&self) -> &str {
        &self.list[self.current.load(Ordering::Acquire)].name
    }

    /// Whether it has to be one that can be written to.
    pub(crate) fn must_write(&self) -> bool {
        self.must_write
    }

    /// Whether there is anything to choose, or to make sure of.
    pub(crate) fn is_choice(&self) -> bool {
        self.list.len() > 1 || self.must_write
    }

    /// Looks which one is fit, all at once, and takes the first that answers. Whether it is another one than before.
    pub(crate) async fn choose(&self, patience: Duration) -> Result<bool> {
        let mut asked = JoinSet::new();
        for (index, host) in self.list.iter().enumerate() {
            let (host, must_write) = (host.clone(), self.must_write);
            asked.spawn(async move {
                let answer = timeout(patience, host.is_fit(must_write)).await;
                (index, answer.unwrap_or(Err(Unfit::Error(sqlx::Error::PoolTimedOut))))
            });
        }
        let current = self.current.load(Ordering::Acquire);
        let (mut unfit, mut another) = (Vec::new(), None);
        loop {
            // The one in use stays if it is fit as well, but is not waited for as long as one that is gone.
            let wait = if another.is_none() { patience * 2 } else { PREFERENCE };
            match timeout(wait, asked.join_next()).await {
                Ok(Some(Ok((index, Ok(()))))) if index == current => return Ok(false),
                Ok(Some(Ok((index, Ok(()))))) => another = another.or(Some(index)),
                Ok(Some(Ok((index, Err(reason))))) => unfit.push((index, reason)),
                Ok(Some(Err(_))) => {}
                Ok(None) | Err(_) => break,
            }
        }
        if let Some(index) = another {
            self.current.store(index, Ordering::Release);
            return Ok(true);
        }
        unfit.sort_by_key(|(index, _)| *index);
        Err(self.complaint(unfit))
    }

    fn complaint(&self, unfit: Vec<(usize, Unfit)>) -> DbError {
        let each: Vec<String> = unfit
            .iter()
            .map(|(index, reason)| {
                let name = &self.list[*index].name;
                match reason {
                    Unfit::ReadOnly => format!("{name} is read-only"),
                    Unfit::Error(error) => format!("{name}: {error}"),
                }
            })
            .collect();
        let message = format!("no PostgreSQL that can be written to: {}", each.join("; "));
        // A wrong password will not get right by waiting; a server may come back.
        let errors = unfit.into_iter().filter_map(|(_, reason)| match reason {
            Unfit::Error(error) => Some(error),
            Unfit::ReadOnly => None,
        });
        let mut errors: Vec<DbError> =
            errors.map(|error| DbError::at_start(error, message.clone())).collect();
        let decisive = errors.iter().position(|error| !error.is_unavailable()).unwrap_or(0);
        if errors.is_empty() { DbError::unavailable(message) } else { errors.swap_remove(decisive) }
    }
}

impl Host {
    async fn is_fit(&self, must_write: bool) -> std::result::Result<(), Unfit> {
        let mut connection = self.connect.connect().await.map_err(Unfit::Error)?;
        let read_only = is_read_only(&mut connection).await.map_err(Unfit::Error)?;
        let _ = connection.close().await;
        if must_write && read_only { Err(Unfit::ReadOnly) } else { Ok(()) }
    }
}

/// Whether the server refuses to be written to. A standby says so as well.
pub(crate) async fn is_read_only(connection: &mut PgConnection) -> std::result::Result<bool, sqlx::Error> {
    let sql = "SELECT current_setting('transaction_read_only') = 'on'";
    sqlx::query_scalar(sql).fetch_one(connection).await
}

/// An address taken apart.
struct Parts<'a> {
    /// `postgres://user:password@`
    before: &'a str,
    hosts: &'a str,
    /// `/database`
    path: &'a str,
    /// What is asked for beside the attributes.
    query: String,
    attributes: Option<String>,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Result<Parts<'a>> {
        let scheme = url.find("://").ok_or_else(unreadable)? + 3;
        let end = url[scheme..].find(['/', '?']).map_or(url.len(), |at| scheme + at);
        let host = url[scheme..end].rfind('@').map_or(scheme, |at| scheme + at + 1);
        let (path, query) = url[end..].split_once('?').unwrap_or((&url[end..], ""));
        let mut attributes = None;
        let mut others = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some((ATTRIBUTES, value)) => attributes = Some(value.to_owned()),
                _ => others.push(pair),
            }
        }
        Ok(Parts { before: &url[..host], hosts: &url[host..end], path, query: others.join("&"), attributes })
    }

    fn host(&self, host: &str) -> Result<Host> {
        if host.is_empty() && self.hosts.contains(',') {
            return Err(DbError::setup("the PostgreSQL address has a comma with no host beside it"));
        }
        let question = if self.query.is_empty() { "" } else { "?" };
        let url = format!("{}{host}{}{question}{}", self.before, self.path, self.query);
        // The parser's own message may quote the address, which holds a password.
        let connect = PgConnectOptions::from_str(&url).map_err(|_| unreadable())?;
        let connect =
            connect.statement_cache_capacity(256).application_name("xr2").disable_statement_logging();
        Ok(Host { name: if host.is_empty() { "localhost".into() } else { host.to_owned() }, connect })
    }
}

fn unreadable() -> DbError {
    DbError::setup(
        "the PostgreSQL address could not be read; expected postgres://user:password@host/database, with commas between \
         hosts where there are several",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(url: &str) -> Vec<(String, String, u16)> {
        let hosts = Hosts::parse(url).unwrap();
        hosts
            .list
            .iter()
            .map(|host| (host.name.clone(), host.connect.get_host().to_owned(), host.connect.get_port()))
            .collect()
    }

    fn one(name: &str, host: &str, port: u16) -> (String, String, u16) {
        (name.to_owned(), host.to_owned(), port)
    }

    #[test]
    fn several_hosts_have_their_own_ports() {
        let url = "postgres://u:p%40,w@a:1,b,[::1]:3/xr2?target_session_attrs=read-write&sslmode=disable";
        assert_eq!(names(url), [one("a:1", "a", 1), one("b", "b", 5432), one("[::1]:3", "[::1]", 3)]);
        let hosts = Hosts::parse(url).unwrap();
        assert!(hosts.must_write && hosts.is_choice());
        assert!(hosts.list.iter().all(|host| host.connect.get_database() == Some("xr2")));
    }

    #[test]
    fn one_host_is_taken_as_it_is() {
        let hosts = Hosts::parse("postgres://u@a/xr2").unwrap();
        assert!(!hosts.is_choice());
        assert!(Hosts::parse("postgres://u@a/xr2?target_session_attrs=primary").unwrap().is_choice());
        assert!(!Hosts::parse("postgres://u@a,b/xr2?target_session_attrs=any").unwrap().must_write);
    }

    #[test]
    fn what_cannot_be_read_is_refused_without_quoting_it() {
        for url in [
            "postgres://u:secret@a,,b/x",
            "postgres://u:secret@a:port/x",
            "postgres://u:secret@a/x?target_session_attrs=standby",
        ] {
            let message = Hosts::parse(url).err().map(|error| error.to_string()).unwrap();
            assert!(!message.contains("secret"), "{message}");
        }
    }
}
