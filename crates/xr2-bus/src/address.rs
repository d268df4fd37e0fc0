//! What the setting `redis` says: one server, several of which one is used at a time, Sentinel, or a cluster.

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo};

/// The Redis address could not be used. It may hold a password, so it is not quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// It does not begin as an address of Redis does.
    #[error(
        "the address must begin with redis://, rediss:// (TLS), redis+sentinel:// or redis+cluster:// (rediss+… with TLS)"
    )]
    Scheme,
    /// The rest of it cannot be read.
    #[error("the address could not be read; expected redis://[user:password@]host[:port][,host…][/database]")]
    Unreadable,
    /// Sentinel is asked for a primary by name.
    #[error(
        "with Sentinel the address must name the primary: redis+sentinel://host[:port][,host…]/name[/database]"
    )]
    NoPrimary,
    /// A cluster has one database.
    #[error("a cluster has the database 0 only")]
    Database,
}

/// Where Redis is.
pub(crate) enum Place {
    /// Servers, of which the first one that can be reached and is no replica is used.
    Servers(Vec<ConnectionInfo>),
    /// Sentinels, which know the primary.
    Sentinels(Box<Sentinels>),
    /// Nodes of a cluster.
    Cluster(Vec<ConnectionInfo>),
}

/// How the primary is asked for.
pub(crate) struct Sentinels {
    /// Any of these knows.
    pub(crate) watchers: Vec<ConnectionInfo>,
    /// The primary's name.
    pub(crate) name: String,
    /// How the primary itself is spoken to; its address comes from Sentinel.
    pub(crate) primary: ConnectionInfo,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Servers,
    Sentinels,
    Cluster,
}

impl Place {
    /// Reads the setting.
    pub(crate) fn parse(text: &str) -> Result<Place, BadAddress> {
        let (scheme, kind) = scheme_of(text)?;
        let rest = text.split_once("://").map_or("", |(_, rest)| rest);
        let parts = Parts::split(text, rest)?;
        match kind {
            Kind::Servers => Ok(Place::Servers(parts.each(scheme, "")?)),
            Kind::Cluster => {
                let nodes = parts.each(scheme, "")?;
                if nodes.iter().any(|node| node.redis_settings().db() != 0) {
                    return Err(BadAddress::Database);
                }
                Ok(Place::Cluster(nodes))
            }
            Kind::Sentinels => Ok(Place::Sentinels(Box::new(sentinels(scheme, &parts)?))),
        }
    }
}

fn scheme_of(text: &str) -> Result<(&'static str, Kind), BadAddress> {
    let (scheme, _) = text.split_once("://").ok_or(BadAddress::Scheme)?;
    let (tls, kind) = scheme.split_once(['+', '-']).unwrap_or((scheme, ""));
    let tls = match tls {
        "redis" => "redis",
        "rediss" => "rediss",
        _ => return Err(BadAddress::Scheme),
    };
    match kind {
        "" => Ok((tls, Kind::Servers)),
        "sentinel" => Ok((tls, Kind::Sentinels)),
        "cluster" => Ok((tls, Kind::Cluster)),
        _ => Err(BadAddress::Scheme),
    }
}

/// An address taken apart: who asks, which hosts, what stands behind.
struct Parts<'a> {
    /// With the `@`, or empty.
    user: &'a str,
    hosts: Vec<&'a str>,
    /// From the slash on.
    path: &'a str,
    /// From the question mark on.
    query: &'a str,
    /// Whole addresses, when each host was given as one.
    whole: Vec<&'a str>,
}

impl<'a> Parts<'a> {
    fn split(text: &'a str, rest: &'a str) -> Result<Parts<'a>, BadAddress> {
        let several: Vec<&str> = text.split(',').map(str::trim).collect();
        if several.len() > 1 && several.iter().all(|one| one.contains("://")) {
            return Ok(Parts { user: "", hosts: Vec::new(), path: "", query: "", whole: several });
        }
        let (authority, behind) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (path, query) = behind.split_at(behind.find('?').unwrap_or(behind.len()));
        let (user, hosts) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
        let hosts: Vec<&str> = hosts.split(',').map(str::trim).collect();
        if hosts.iter().any(|host| host.is_empty()) {
            return Err(BadAddress::Unreadable);
        }
        Ok(Parts { user, hosts, path, query, whole: Vec::new() })
    }

    /// Every host as an address of its own; `port` is taken where none is named.
    fn each(&self, scheme: &str, port: &str) -> Result<Vec<ConnectionInfo>, BadAddress> {
        let one = |address: String| address.into_connection_info().map_err(|_| BadAddress::Unreadable);
        let whole = self.whole.iter().map(|address| match address.split_once("://") {
            Some((_, rest)) => one(format!("{scheme}://{rest}")),
            None => Err(BadAddress::Unreadable),
        });
        let Parts { user, path, query, .. } = self;
        let hosts = self.hosts.iter().map(|host| {
            let port = if has_port(host) { "" } else { port };
            one(format!("{scheme}://{user}{host}{port}{path}{query}"))
        });
        whole.chain(hosts).collect()
    }
}

fn has_port(host: &str) -> bool {
    host.rsplit_once(']').map_or(host, |(_, behind)| behind).contains(':')
}

fn sentinels(scheme: &str, parts: &Parts<'_>) -> Result<Sentinels, BadAddress> {
    let mut path = parts.path.trim_matches('/').split('/');
    let name = path.next().filter(|name| !name.is_empty()).ok_or(BadAddress::NoPrimary)?;
    let database = path.next().unwrap_or_default();
    let (_, query) = parts.query.split_at(usize::from(!parts.query.is_empty()));
    let of_watchers =
        |field: &str| query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == field);
    let user = of_watchers("sentinel_username").map_or("", |(_, value)| value);
    let password = of_watchers("sentinel_password").map_or("", |(_, value)| value);
    let user = if password.is_empty() { String::new() } else { format!("{user}:{password}@") };
    let of = |user: &str, hosts: Vec<&str>, path: &str, port: &str| {
        let parts = Parts { user, hosts, path, query: "", whole: Vec::new() };
        parts.each(scheme, port)
    };
    let watchers = of(&user, parts.hosts.clone(), "", ":26379")?;
    let mut primary = of(parts.user, vec!["primary:6379"], &format!("/{database}"), "")?;
    let primary = primary.pop().ok_or(BadAddress::NoPrimary)?;
    if watchers.is_empty() {
        return Err(BadAddress::Unreadable);
    }
    Ok(Sentinels { watchers, name: name.to_owned(), primary })
}

impl Sentinels {
    /// The primary at this address.
    pub(crate) fn primary_at(&self, host: String, port: u16) -> ConnectionInfo {
        let address = match self.primary.addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
                ConnectionAddr::TcpTls { host, port, insecure: *insecure, tls_params: tls_params.clone() }
            }
            _ => ConnectionAddr::Tcp(host, port),
        };
        self.primary.clone().set_addr(address)
    }
}

/// How servers of a cluster are spoken to.
pub(crate) fn settings(info: &ConnectionInfo) -> &RedisConnectionInfo {
    info.redis_settings()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(nodes: &[ConnectionInfo]) -> Vec<String> {
        nodes.iter().map(|node| node.addr().to_string()).collect()
    }

    #[test]
    fn one_and_several_servers() {
        for (text, expected) in [
            ("redis://localhost", &["localhost:6379"][..]),
            ("redis://:s3cret@10.0.0.1:7000/2", &["10.0.0.1:7000"]),
            ("redis://u:p@a,b:6380/3", &["a:6379", "b:6380"]),
            ("redis://a:1/3, redis://b:2/3", &["a:1", "b:2"]),
            ("rediss://[::1]:7000,[::2]", &["::1:7000", "::2:6379"]),
        ] {
            let Ok(Place::Servers(servers)) = Place::parse(text) else { panic!("{text}") };
            assert_eq!(addresses(&servers), expected, "{text}");
        }
        let Ok(Place::Servers(servers)) = Place::parse("redis://u:p%2Cq@a,b/3") else { panic!() };
        for server in &servers {
            assert_eq!(server.redis_settings().password(), Some("p,q"));
            assert_eq!((server.redis_settings().username(), server.redis_settings().db()), (Some("u"), 3));
        }
    }

    #[test]
    fn sentinels_and_clusters() {
        for scheme in ["redis+sentinel", "redis-sentinel"] {
            let text = format!("{scheme}://u:p@a,b:7/mymaster/2?sentinel_password=s");
            let Ok(Place::Sentinels(sentinels)) = Place::parse(&text) else { panic!("{text}") };
            assert_eq!(addresses(&sentinels.watchers), ["a:26379", "b:7"]);
            assert_eq!(sentinels.watchers[0].redis_settings().password(), Some("s"));
            assert_eq!(sentinels.name, "mymaster");
            let primary = sentinels.primary_at("c".to_owned(), 9);
            assert_eq!(primary.addr().to_string(), "c:9");
            assert_eq!((primary.redis_settings().password(), primary.redis_settings().db()), (Some("p"), 2));
        }
        let Ok(Place::Sentinels(secure)) = Place::parse("rediss+sentinel://a/m") else { panic!() };
        assert!(matches!(secure.primary_at("c".to_owned(), 9).addr(), ConnectionAddr::TcpTls { .. }));
        let Ok(Place::Cluster(nodes)) = Place::parse("redis+cluster://:p@a:1,b:2") else { panic!() };
        assert_eq!(addresses(&nodes), ["a:1", "b:2"]);
    }

    #[test]
    fn a_bad_address_is_told_apart_and_not_quoted() {
        for (text, expected) in [
            ("http://user:s3cret@host", BadAddress::Scheme),
            ("redis+other://user:s3cret@host", BadAddress::Scheme),
            ("s3cret", BadAddress::Scheme),
            ("redis://user:s3cret@", BadAddress::Unreadable),
            ("redis://user:s3cret@a,,b", BadAddress::Unreadable),
            ("redis://user:s3cret@host/s3cret", BadAddress::Unreadable),
            ("redis+sentinel://user:s3cret@host", BadAddress::NoPrimary),
            ("redis+cluster://user:s3cret@host/3", BadAddress::Database),
        ] {
            let error = Place::parse(text).err();
            assert_eq!(error, Some(expected), "{text}");
            assert!(error.is_some_and(|error| !error.to_string().contains("s3cret")));
        }
    }
}
