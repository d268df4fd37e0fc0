//! Which addresses are anybody's, and which are not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What sort of address it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Somewhere in the internet.
    Public,
    /// In a private network, on this machine, or of no use at all.
    Private,
    /// Of this link alone: where clouds tell their machines secrets.
    LinkLocal,
}

/// Sorts an address.
pub fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => kind_v6(address),
    }
}

fn kind_v4(address: Ipv4Addr) -> Kind {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (169, 254, _) => Kind::LinkLocal,
        (0 | 10 | 127, _, _)
        | (100, 64..=127, _)
        | (172, 16..=31, _)
        | (192, 0, 0 | 2)
        | (192, 88, 99)
        | (192, 168, _)
        | (198, 18 | 19, _)
        | (198, 51, 100)
        | (203, 0, 113)
        | (224.., _, _) => Kind::Private,
        _ => Kind::Public,
    }
}

fn kind_v6(address: Ipv6Addr) -> Kind {
    let s = address.segments();
    if let Some(inner) = embedded(s) {
        return kind_v4(inner);
    }
    match s {
        [0xfe80..=0xfebf, ..] => Kind::LinkLocal,
        // Where a cloud serves its metadata over IPv6.
        [0xfd00, 0x0ec2, ..] => Kind::LinkLocal,
        // Only 2000::/3 is in use; in it, protocol assignments and documentation.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Kind::Private,
        [0x2000..=0x3fff, ..] => Kind::Public,
        _ => Kind::Private,
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, translated (NAT64), 6to4.
fn embedded(s: [u16; 8]) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => of(high, low),
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => of(high, low),
        [0x2002, high, low, ..] => of(high, low),
        [0, 0, 0, 0, 0, 0, high, low] => of(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_sorted() {
        for (text, expected) in [
            ("1.1.1.1", Kind::Public),
            ("172.32.0.1", Kind::Public),
            ("100.128.0.1", Kind::Public),
            ("192.0.1.1", Kind::Public),
            ("10.1.2.3", Kind::Private),
            ("127.0.0.1", Kind::Private),
            ("0.0.0.0", Kind::Private),
            ("100.64.0.1", Kind::Private),
            ("172.31.255.255", Kind::Private),
            ("192.168.0.1", Kind::Private),
            ("198.19.0.1", Kind::Private),
            ("224.0.0.1", Kind::Private),
            ("255.255.255.255", Kind::Private),
            ("169.254.169.254", Kind::LinkLocal),
            ("2606:4700:4700::1111", Kind::Public),
            ("::1", Kind::Private),
            ("::", Kind::Private),
            ("fc00::1", Kind::Private),
            ("ff02::1", Kind::Private),
            ("2001:db8::1", Kind::Private),
            ("2001::1", Kind::Private),
            ("fe80::1", Kind::LinkLocal),
            ("fd00:ec2::254", Kind::LinkLocal),
            ("::ffff:10.0.0.1", Kind::Private),
            ("::ffff:1.1.1.1", Kind::Public),
            ("::ffff:169.254.169.254", Kind::LinkLocal),
            ("::127.0.0.1", Kind::Private),
            ("64:ff9b::a00:1", Kind::Private),
            ("64:ff9b:1::1", Kind::Private),
            ("2002:7f00:1::", Kind::Private),
            ("2002:a9fe:a9fe::", Kind::LinkLocal),
        ] {
            assert_eq!(kind(text.parse().unwrap()), expected, "{text}");
        }
    }
}
