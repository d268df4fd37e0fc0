//! What the operator allows.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use crate::addresses::{Kind, kind};

/// Something inside private networks that may be reached all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// A network or an address.
    Network(IpNet),
    /// A host, by name or address, and a port.
    Place(String, u16),
}

impl FromStr for Allowed {
    type Err = String;

    /// `10.0.0.0/8`, `10.1.2.3`, `varnish.internal:6081`, `10.1.2.3:6081` or `[fd00::1]:6081`.
    fn from_str(text: &str) -> Result<Allowed, String> {
        if let Ok(network) = text.parse::<IpNet>() {
            return Ok(Allowed::Network(network));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Allowed::Network(address.into()));
        }
        let place = text.rsplit_once(':').and_then(|(host, port)| {
            let host = host.trim_matches(['[', ']']);
            (!host.is_empty()).then_some(Allowed::Place(host.to_ascii_lowercase(), port.parse().ok()?))
        });
        place.ok_or_else(|| {
            format!(
                "{text:?} is neither a network such as 10.0.0.0/8 nor a place such as varnish.internal:6081"
            )
        })
    }
}

/// What may be reached.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Beside what is public.
    pub allowed: Vec<Allowed>,
    /// All private networks too, but nothing link-local.
    pub allows_private: bool,
}

impl Rules {
    /// Whether `address`, which is what `host` stands for, may be reached at `port`.
    pub fn allow(&self, host: &str, address: IpAddr, port: u16) -> bool {
        let canonical = address.to_canonical();
        let by_kind = match kind(canonical) {
            Kind::Public => true,
            Kind::Private => self.allows_private,
            Kind::LinkLocal => false,
        };
        by_kind
            || self.allowed.iter().any(|allowed| match allowed {
                Allowed::Network(network) => network.contains(&canonical),
                Allowed::Place(place, at) => *at == port && place.eq_ignore_ascii_case(host),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_private_has_to_be_allowed() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let closed = Rules::default();
        assert!(closed.allow("a.example", ip("1.1.1.1"), 443));
        assert!(!closed.allow("a.example", ip("10.0.0.1"), 443));
        let open = Rules { allows_private: true, ..Rules::default() };
        assert!(open.allow("a.example", ip("10.0.0.1"), 443));
        assert!(!open.allow("a.example", ip("169.254.169.254"), 80));
        let allowed = ["10.0.0.0/8", "cache.internal:6081", "[fd00::1]:80"].map(|text| text.parse().unwrap());
        let some = Rules { allowed: allowed.into(), allows_private: false };
        assert!(some.allow("x", ip("10.9.9.9"), 1) && some.allow("x", ip("::ffff:10.9.9.9"), 1));
        assert!(some.allow("Cache.Internal", ip("192.168.0.9"), 6081));
        assert!(!some.allow("cache.internal", ip("192.168.0.9"), 22));
        assert!(some.allow("fd00::1", ip("fd00::1"), 80) && !some.allow("fd00::2", ip("fd00::2"), 80));
        assert!("nonsense".parse::<Allowed>().is_err() && ":80".parse::<Allowed>().is_err());
    }
}
