//! The client's address. Only a trusted proxy may name it.

use std::net::IpAddr;

use axum::http::HeaderMap;
use ipnet::IpNet;

/// Walks `X-Forwarded-For` from the right as long as the hop that wrote it is trusted; the first untrusted address is
/// the client. Without a trusted peer the header means nothing.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer.to_canonical();
    if trusted.is_empty() {
        return client;
    }
    let mut hops: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    while trusted.iter().any(|network| network.contains(&client)) {
        match hops.pop().and_then(parse_hop) {
            Some(address) => client = address,
            None => break,
        }
    }
    client
}

/// `1.2.3.4`, `1.2.3.4:5678`, `2001:db8::1` or `[2001:db8::1]:5678`.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let address = text
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<std::net::SocketAddr>().map(|socket| socket.ip()))
        .or_else(|_| text.trim_start_matches('[').trim_end_matches(']').parse());
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", value.parse().unwrap());
        headers
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_untrusted_peer_cannot_name_another_address() {
        assert_eq!(client_address(ip("203.0.113.9"), &headers("10.0.0.1"), &[]), ip("203.0.113.9"));
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        assert_eq!(client_address(ip("203.0.113.9"), &headers("198.51.100.1"), &trusted), ip("203.0.113.9"));
    }

    #[test]
    fn a_trusted_proxy_names_the_first_untrusted_hop() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let seen = client_address(ip("10.0.0.2"), &headers("1.1.1.1, 198.51.100.7:443, 10.0.0.3"), &trusted);
        assert_eq!(
            seen,
            ip("198.51.100.7"),
            "what stands left of an untrusted hop was written by the client"
        );
        assert_eq!(client_address(ip("10.0.0.2"), &headers("[2001:db8::5]:1"), &trusted), ip("2001:db8::5"));
        assert_eq!(client_address(ip("10.0.0.2"), &headers("nonsense"), &trusted), ip("10.0.0.2"));
    }
}
