//! The hosts that a manifest names.
//!
//! Which host a pattern stands for is decided by the SDK's own code, so that what policies have judged is what is held.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use crate::hosts::pattern::HostPattern;
use smcp_model::host_entry::LOCALHOST;
use smcp_model::host_entry::USUAL_PORTS;
use smcp_model::host_entry::literal;
use smcp_model::limits;
use smcp_model::reach::Reach;

#[path = "../../../sdk/rust/src/patterns/host.rs"]
#[expect(dead_code, unreachable_pub, reason = "the SDK makes more of it")]
mod pattern;

/// Where the proxy listens, unless a host of the manifest has that port.
const PROXY: u16 = 3128;

/// The hosts that a manifest names, each with its ports; or all hosts, for a server that is observed.
#[derive(Debug)]
pub struct AllowedHosts {
    named: Vec<AllowedHost>,
    everything: bool,
}

#[derive(Debug)]
struct AllowedHost {
    pattern: HostPattern,
    /// The end of the pattern that says the port: `:8443`, `:*` or nothing.
    said: String,
    port: AllowedPorts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AllowedPorts {
    Usual,
    Any,
    One(u16),
}

impl AllowedHosts {
    /// Reads the list of a manifest. What is no host (a URL, a path) stands for none.
    pub fn of(network: &[String]) -> Self {
        Self { named: network.iter().filter_map(|text| AllowedHost::of(text)).collect(), everything: false }
    }

    /// Every host, at every address.
    pub const fn everything() -> Self {
        Self { named: Vec::new(), everything: true }
    }

    /// The ports on which any address is to answer, in ascending order.
    pub fn ports(&self) -> Vec<u16> {
        let ports = self.named.iter().flat_map(|entry| match entry.port {
            AllowedPorts::Usual | AllowedPorts::Any => USUAL_PORTS.to_vec(),
            AllowedPorts::One(port) => vec![port],
        });
        let mut ports: Vec<u16> = ports.chain(USUAL_PORTS.into_iter().filter(|_| self.everything)).collect();
        ports.sort_unstable();
        ports.dedup();
        ports.truncate(limits::outbound::PORTS);
        ports
    }

    /// The port of the proxy.
    pub fn proxy_port(&self) -> u16 {
        let ports = self.ports();
        (PROXY..u16::MAX).find(|port| !ports.contains(port)).unwrap_or(PROXY)
    }

    /// Whether some of the hosts have ports on which no address answers, so that the proxy alone leads to them.
    pub fn needs_proxy(&self) -> bool {
        let ports = self.ports();
        self.named.iter().any(|entry| match entry.port {
            AllowedPorts::Usual => false,
            AllowedPorts::Any => true,
            AllowedPorts::One(port) => !ports.contains(&port),
        })
    }

    /// Whether the manifest names a host, an address in brackets if it is one of the new kind, with this port; with any
    /// port where it is `None`.
    pub(crate) fn name(&self, host: &str, port: Option<u16>) -> bool {
        // What a server asks for is a host, and no pattern.
        let is_one = !host.contains('*');
        let covers = |entry: &AllowedHost| entry.port.is(port) && entry.pattern.covers(&[host, &entry.said].concat());
        is_one && (self.everything || self.named.iter().any(covers))
    }

    /// Whether the manifest names an address itself; `localhost` names those of this machine.
    pub(crate) fn name_address(&self, address: IpAddr, port: Option<u16>) -> bool {
        self.name(&literal(address), port) || (address.is_loopback() && self.name(LOCALHOST, port))
    }

    /// Whether a host that the manifest names may have this address: one of the internet, or one that is named, too.
    pub(crate) fn may_be_at(&self, address: IpAddr, port: Option<u16>) -> bool {
        Reach::of(address) == Reach::Public || self.name_address(address, port)
    }
}

impl AllowedHost {
    fn of(text: &str) -> Option<Self> {
        let pattern = HostPattern::new(text)?;
        let after = text.rfind(']').map_or(0, |end| end + 1);
        let said = text.get(after..)?;
        let said = said.find(':').and_then(|at| said.get(at..)).unwrap_or_default();
        let port = match said.strip_prefix(':') {
            None => AllowedPorts::Usual,
            Some("*") => AllowedPorts::Any,
            Some(number) => AllowedPorts::One(number.parse().ok()?),
        };
        Some(Self { pattern, said: said.to_owned(), port })
    }
}

impl AllowedPorts {
    fn is(self, asked: Option<u16>) -> bool {
        match (self, asked) {
            (_, None) | (Self::Any, _) => true,
            (Self::Usual, Some(port)) => USUAL_PORTS.contains(&port),
            (Self::One(known), Some(port)) => known == port,
        }
    }
}

/// Whether an entry of a list stands for one host: for none does what can't be read, for many what has a `*`.
pub(crate) fn is_one_host(entry: &str) -> bool {
    !entry.contains('*') && AllowedHost::of(entry).is_some()
}

/// Reads an address where a host stands.
pub(crate) fn address_of(host: &str) -> Option<IpAddr> {
    let six = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = match six {
        Some(six) => six.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    };
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(list: &[&str]) -> AllowedHosts {
        AllowedHosts::of(&list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_host_without_a_port_has_the_usual_ones() {
        let hosts =
            hosts(&["api.example.com", "*.cdn.example.com:8443", "any.example.com:*", "[2001:db8::1]:99", "https://x"]);
        for (host, port, expected) in [
            ("api.example.com", Some(443), true),
            ("api.example.com", Some(80), true),
            ("API.example.com.", Some(443), true),
            ("api.example.com", Some(22), false),
            ("a.api.example.com", Some(443), false),
            ("a.cdn.example.com", Some(8443), true),
            ("a.cdn.example.com", Some(443), false),
            ("a.cdn.example.com", None, true),
            ("*.cdn.example.com", None, false),
            ("any.example.com", Some(5432), true),
            ("[2001:db8::1]", Some(99), true),
            ("[2001:db8:0::1]", Some(99), true),
            ("[2001:db8::1]", Some(443), false),
            ("https://x", Some(443), false),
            ("x", Some(443), false),
            ("api.example.com:443", Some(443), false),
            ("api.example.com:443", None, false),
            ("", None, false),
        ] {
            assert_eq!(hosts.name(host, port), expected, "{host} {port:?}");
        }
        assert_eq!(hosts.ports(), [80, 99, 443, 8443]);
        assert!(hosts.needs_proxy());
    }

    #[test]
    fn an_inner_address_has_to_be_named() {
        let public = "93.184.216.34".parse().unwrap();
        let inner =
            ["10.1.2.3", "127.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254", "224.0.0.1", "::ffff:10.1.2.3"];
        let few = hosts(&["api.example.com"]);
        assert!(few.may_be_at(public, Some(443)));
        for address in inner {
            assert!(!few.may_be_at(address.parse().unwrap(), Some(443)), "{address}");
        }
        let named = hosts(&["10.1.2.3", "localhost:8080", "[fd00:ec2::254]"]);
        for (address, port, expected) in [
            ("10.1.2.3", 443, true),
            ("10.1.2.3", 8080, false),
            ("::ffff:10.1.2.3", 443, true),
            ("127.0.0.1", 8080, true),
            ("127.8.8.8", 8080, true),
            ("::1", 8080, true),
            ("::1", 443, false),
            ("fd00:ec2::254", 443, true),
            ("169.254.169.254", 443, false),
        ] {
            assert_eq!(named.may_be_at(address.parse().unwrap(), Some(port)), expected, "{address} {port}");
        }
        assert!(!named.needs_proxy());
    }

    #[test]
    fn the_proxy_is_where_no_host_is() {
        assert_eq!(hosts(&["a.example"]).proxy_port(), 3128);
        assert_eq!(hosts(&["a.example:3128", "b.example:3129"]).proxy_port(), 3130);
        let many: Vec<_> = (1..=300).map(|port| format!("a.example:{port}")).collect();
        let many = AllowedHosts::of(&many);
        assert_eq!((many.ports().len(), many.needs_proxy()), (limits::outbound::PORTS, true));
    }
}
