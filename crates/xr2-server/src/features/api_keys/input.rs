//! Reading what somebody wants of a key: every problem of it at once.

use std::net::IpAddr;

use chrono::TimeDelta;
use ipnet::IpNet;

use crate::auth::Scope;
use crate::clock::Time;
use crate::error::{ApiError, FieldProblem, Result};
use crate::features::api_keys::KeyKind;
use crate::features::api_keys::dto::CreateKey;
use crate::http::one_line;

/// What a key is to be, checked.
#[derive(Debug, Clone)]
pub(super) struct KeySpec {
    pub(super) name: String,
    pub(super) kind: KeyKind,
    pub(super) scopes: Vec<Scope>,
    pub(super) labels: Vec<String>,
    pub(super) allowed_ips: Vec<IpNet>,
    pub(super) allowed_origins: Vec<String>,
    pub(super) expires_at: Option<Time>,
    pub(super) rate_limit_per_minute: Option<i64>,
}

/// Checks everything that can be checked without the database. `known` are the workspace's labels.
pub(super) fn check(input: CreateKey, known: &[String], now: Time) -> Result<KeySpec> {
    let mut problems = Vec::new();
    let kind = input.kind.unwrap_or(KeyKind::Secret);
    let name = one_line("name", &input.name).unwrap_or_else(|problem| {
        problems.push(problem);
        String::new()
    });
    let scopes = check_scopes(input.scopes, kind, &mut problems);
    let labels = unique(input.labels.unwrap_or_default());
    for (index, label) in labels.iter().enumerate().filter(|(_, label)| !known.contains(label)) {
        let message = format!("there is no label {label:?} in this workspace");
        problems.push(FieldProblem::new(format!("labels[{index}]"), "invalid", message));
    }
    let allowed_ips = check_each(input.allowed_ips, "allowed_ips", &mut problems, |text| {
        parse_network(text)
            .ok_or_else(|| format!("{text:?} is neither an address nor a network such as 10.0.0.0/8"))
    });
    let allowed_origins = check_each(input.allowed_origins, "allowed_origins", &mut problems, parse_origin);
    match kind {
        KeyKind::Publishable if allowed_origins.is_empty() && problems.is_empty() => {
            let message =
                "a publishable key needs the origins whose pages may use it, such as https://www.example.com";
            problems.push(FieldProblem::new("allowed_origins", "required", message));
        }
        KeyKind::Secret if !allowed_origins.is_empty() => {
            let message = "only publishable keys have origins: a secret key does not belong into a page";
            problems.push(FieldProblem::new("allowed_origins", "invalid", message));
        }
        _ => {}
    }
    if input.expires_at.is_some_and(|end| end <= now) {
        problems.push(FieldProblem::new("expires_at", "invalid", "must be in the future"));
    }
    if input.expires_at.is_some_and(|end| end > now + TimeDelta::days(36_500)) {
        problems.push(FieldProblem::new(
            "expires_at",
            "invalid",
            "must be within a hundred years; leave it out for never",
        ));
    }
    if !problems.is_empty() {
        return Err(ApiError::validation(problems));
    }
    Ok(KeySpec {
        name,
        kind,
        scopes,
        labels,
        allowed_ips: unique(allowed_ips),
        allowed_origins: unique(allowed_origins),
        expires_at: input.expires_at,
        rate_limit_per_minute: input.rate_limit_per_minute,
    })
}

fn check_scopes(given: Option<Vec<Scope>>, kind: KeyKind, problems: &mut Vec<FieldProblem>) -> Vec<Scope> {
    let mut scopes = given.unwrap_or_else(|| vec![Scope::Deliver]);
    scopes.sort();
    scopes.dedup();
    if scopes.is_empty() {
        problems.push(FieldProblem::new("scopes", "required", "must name at least one scope"));
    }
    if kind == KeyKind::Publishable && scopes.iter().any(|scope| *scope != Scope::Deliver) {
        let message = "a publishable key can be read by anyone, so it can only have the scope deliver";
        problems.push(FieldProblem::new("scopes", "invalid", message));
    }
    scopes
}

fn check_each<T>(
    given: Option<Vec<String>>,
    field: &str,
    problems: &mut Vec<FieldProblem>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Vec<T> {
    let mut good = Vec::new();
    for (index, text) in given.unwrap_or_default().iter().enumerate() {
        match read(text.trim()) {
            Ok(value) => good.push(value),
            Err(message) => problems.push(FieldProblem::new(format!("{field}[{index}]"), "invalid", message)),
        }
    }
    good
}

fn unique<T: PartialEq>(items: Vec<T>) -> Vec<T> {
    let mut seen: Vec<T> = Vec::with_capacity(items.len());
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen
}

/// `203.0.113.7`, `203.0.113.0/24`, `2001:db8::/32`; bits beyond the prefix are cleared.
pub(super) fn parse_network(text: &str) -> Option<IpNet> {
    let network = text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical())));
    network.ok().map(|network| network.trunc())
}

/// As it is shown: a single address without its prefix length.
pub(super) fn show_network(network: &IpNet) -> String {
    if network.prefix_len() == network.max_prefix_len() {
        network.addr().to_string()
    } else {
        network.to_string()
    }
}

/// `scheme://host[:port]` as browsers send it: lower case, no default port, nothing behind.
pub(super) fn parse_origin(text: &str) -> Result<String, String> {
    let wrong = || format!("{text:?} is not an origin; write it as https://www.example.com, without a path");
    let lower = text.to_ascii_lowercase();
    let (scheme, authority) = lower.split_once("://").ok_or_else(wrong)?;
    let uri: axum::http::Uri = lower.parse().map_err(|_| wrong())?;
    let default_port = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return Err(wrong()),
    };
    let host = uri.host().filter(|host| !host.is_empty() && !host.contains('*')).ok_or_else(wrong)?;
    let port = uri.port_u16();
    let expected = match port {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    if authority != expected {
        return Err(wrong());
    }
    Ok(match port.filter(|port| *port != default_port) {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_what_browsers_send() {
        assert_eq!(parse_origin("https://WWW.Example.com").unwrap(), "https://www.example.com");
        assert_eq!(parse_origin("https://example.com:443").unwrap(), "https://example.com");
        assert_eq!(parse_origin("http://localhost:3000").unwrap(), "http://localhost:3000");
        assert_eq!(parse_origin("http://[::1]:3000").unwrap(), "http://[::1]:3000");
        for text in [
            "",
            "*",
            "null",
            "example.com",
            "https://",
            "https://*.example.com",
            "https://example.com/",
            "ftp://a.b",
            "https://example.com/path",
            "https://u@example.com",
            "https://example.com?x",
            "https://example.com:99999",
            "javascript://x",
        ] {
            assert!(parse_origin(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn networks_are_written_one_way() {
        let show = |text: &str| parse_network(text).map(|network| show_network(&network));
        assert_eq!(show("203.0.113.7"), Some("203.0.113.7".into()));
        assert_eq!(show("203.0.113.7/24"), Some("203.0.113.0/24".into()));
        assert_eq!(show("::ffff:203.0.113.7"), Some("203.0.113.7".into()));
        assert_eq!(show("2001:db8::1/32"), Some("2001:db8::/32".into()));
        assert_eq!(show("10.0.0.0/33"), None);
        assert_eq!(show("somewhere"), None);
    }
}
