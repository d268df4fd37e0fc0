//! Which addresses count as one caller.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An IPv4 address, the /56 of an IPv6 one: what one customer of a provider is given.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let mut octets = address.octets();
            octets[7..].fill(0);
            Ipv6Addr::from(octets).into()
        }
        v4 => v4,
    }
}

/// The /24 of an IPv4 address, the /56 of an IPv6 one: what one household or office is given.
pub fn office_of(address: IpAddr) -> IpAddr {
    match network_of(address) {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            Ipv4Addr::new(a, b, c, 0).into()
        }
        v6 => v6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_network() {
        let network = |text: &str| network_of(text.parse().unwrap()).to_string();
        let office = |text: &str| office_of(text.parse().unwrap()).to_string();
        assert_eq!(office("203.0.113.77"), "203.0.113.0");
        assert_eq!(office("::ffff:203.0.113.77"), "203.0.113.0");
        assert_eq!(office("2001:db8:1:2ff:3::4"), "2001:db8:1:200::");
        assert_eq!(network("::ffff:203.0.113.77"), "203.0.113.77");
        assert_eq!(network("2001:db8:1:2ff:3::4"), "2001:db8:1:200::");
    }
}
