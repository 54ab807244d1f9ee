//! How far away an address is: the internet, a private network, this machine.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

/// The distance of an address; nearer is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// An address of the internet.
    Public,
    /// An address of a private network.
    Private,
    /// This machine.
    Loopback,
    /// An address that no storage has: link-local (where clouds serve their keys), multicast, unspecified,
    /// documentation, reserved.
    Special,
}

impl Reach {
    /// The distance of `address`. An IPv6 address that embeds an IPv4 address has the distance of that.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(four) => of_v4(four),
            IpAddr::V6(six) => embedded(six).map_or_else(|| of_v6(six), of_v4),
        }
    }

    /// Whether a server at this distance may send us to `target`.
    pub const fn leads_to(self, target: Self) -> bool {
        match (self, target) {
            (_, Self::Special) => false,
            (_, Self::Public) => true,
            (Self::Public, Self::Private | Self::Loopback) => false,
            (Self::Private | Self::Loopback | Self::Special, Self::Private) => true,
            (Self::Loopback, Self::Loopback) => true,
            (Self::Private | Self::Special, Self::Loopback) => false,
        }
    }
}

const fn of_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        [127, ..] => Reach::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Reach::Private,
        [0, ..]
        | [169, 254, ..]
        // The agent of Azure, on every machine there.
        | [168, 63, 129, 16]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [224..=255, ..] => Reach::Special,
        _ => Reach::Public,
    }
}

const fn of_v6(address: Ipv6Addr) -> Reach {
    if address.is_loopback() {
        return Reach::Loopback;
    }
    match address.segments() {
        [0xfc00..=0xfdff, ..] => Reach::Private,
        // Protocol assignments, documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Reach::Special,
        // Global unicast: the only range that networks get addresses from.
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Special,
    }
}

/// The IPv4 address in an IPv6 address: mapped, compatible, translated (NAT64) or tunnelled (6to4).
const fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let (high, low) = match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => return None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => (high, low),
        [0, 0, 0, 0, 0xffff, 0, high, low] => (high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => (high, low),
        [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Some(Ipv4Addr::new(a, b, c, d))
}
