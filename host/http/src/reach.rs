//! Which addresses a server can send us to; checked on what is connected to.
//!
//! A name is resolved once for each connection, here, and the connection goes to what was let through: there is no
//! second look-up that could answer otherwise.

use std::fmt;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::resolver::Resolver;
use ureq::unversioned::transport::NextTimeout;

use smcp_model::endpoint::Endpoint;
use smcp_model::endpoint::Scheme;

/// How far away an address is; nearer is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Anybody's.
    Public,
    /// Of a company's or a home's own network.
    Private,
    /// This machine.
    Loopback,
    /// Never a server's storage: link-local (where clouds keep their keys), multicast, unspecified, documentation,
    /// reserved.
    Special,
}

impl Reach {
    /// How far away `address` is. An IPv6 address that stands for an IPv4 address is as far away as that.
    pub(crate) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(four) => of_v4(four),
            IpAddr::V6(six) => embedded(six).map_or_else(|| of_v6(six), of_v4),
        }
    }

    /// Whether a server that is so far away can send us to `target`.
    pub(crate) const fn leads_to(self, target: Self) -> bool {
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
        // What is given out to networks; nothing else is anybody's.
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Special,
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, translated (NAT64) or tunnelled (6to4).
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

/// What was seen on the way: how far away the server is, and everybody else whom a chain of redirects has asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sightings(Arc<Mutex<Seen>>);

#[derive(Debug, Clone, Default)]
struct Seen {
    /// What the last connection was tried to.
    tried: Vec<SocketAddr>,
    /// The server. One that was ever public stays so.
    home: Option<Reach>,
    /// The farthest of the others since the question was asked.
    others: Option<Reach>,
}

impl Sightings {
    fn with<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A question begins: nobody but the server has a say in where it leads.
    pub(crate) fn begin(&self) {
        self.with(|seen| {
            seen.others = None;
            seen.tried.clear();
        });
    }

    /// The addresses that the last connection was tried to.
    pub(crate) fn tried(&self) -> Vec<SocketAddr> {
        self.with(|seen| seen.tried.clone())
    }

    fn note_home(&self, reach: Reach) {
        self.with(|seen| seen.home = Some(seen.home.map_or(reach, |before| before.min(reach))));
    }

    fn note_other(&self, reach: Reach) {
        self.with(|seen| seen.others = Some(seen.others.map_or(reach, |before| before.min(reach))));
    }

    /// Somebody else was asked whom only a proxy has seen: they are as far away as can be.
    pub(crate) fn note_unseen(&self) {
        self.note_other(Reach::Public);
    }

    /// Whether all that were asked may send us to `target`. A server that nobody has seen is public.
    fn lead_to(&self, target: Reach) -> bool {
        self.with(|seen| {
            let from_home = seen.home.unwrap_or(Reach::Public).leads_to(target);
            from_home && seen.others.is_none_or(|other| other.leads_to(target))
        })
    }
}

/// Every address of a name is one that the server can't send us to.
#[derive(Debug, thiserror::Error)]
#[error("{host} is {}", describe(*.reach))]
pub(crate) struct Forbidden {
    host: String,
    reach: Reach,
}

fn describe(reach: Reach) -> &'static str {
    match reach {
        Reach::Public => "a public address",
        Reach::Private => "an address of a private network",
        Reach::Loopback => "this machine",
        Reach::Special => "an address that no server on the network has",
    }
}

/// Looks names up, and lets through what may be connected to.
pub(crate) struct AddressGuard {
    home: Endpoint,
    seen: Sightings,
    names: Box<dyn Resolver>,
}

impl AddressGuard {
    pub(crate) fn new(home: Endpoint, seen: Sightings, names: impl Resolver) -> Self {
        Self { home, seen, names: Box::new(names) }
    }

    /// What a connection to `target` may use of `found`.
    fn admit(&self, target: &Endpoint, found: &[Reach]) -> Result<Vec<bool>, Forbidden> {
        let at_home = *target == self.home;
        let farthest = found.iter().copied().min().unwrap_or(Reach::Special);
        let may = |reach: &Reach| match (target.scheme(), at_home) {
            (Scheme::Http, true) => *reach == Reach::Loopback,
            (Scheme::Http, false) => *reach == Reach::Loopback && self.seen.lead_to(*reach),
            // The user chose it. A name that is public and private at once is public.
            (Scheme::Https, true) => *reach == farthest || farthest != Reach::Public,
            (Scheme::Https, false) => self.seen.lead_to(*reach),
        };
        let admitted: Vec<bool> = found.iter().map(may).collect();
        if at_home {
            self.seen.note_home(farthest);
        } else {
            self.seen.note_other(farthest);
        }
        if admitted.contains(&true) {
            return Ok(admitted);
        }
        Err(Forbidden { host: target.host().to_owned(), reach: farthest })
    }
}

impl Resolver for AddressGuard {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.names.resolve(uri, config, timeout)?;
        let target = endpoint(uri).ok_or(ureq::Error::HostNotFound)?;
        let reaches: Vec<Reach> = found.iter().map(|address| Reach::of(address.ip())).collect();
        let admitted = self.admit(&target, &reaches).map_err(|forbidden| ureq::Error::Other(Box::new(forbidden)))?;
        let mut addresses = self.empty();
        found.iter().zip(admitted).filter(|(_, admitted)| *admitted).for_each(|(address, _)| addresses.push(*address));
        self.seen.with(|seen| seen.tried = addresses.iter().copied().collect());
        Ok(addresses)
    }
}

impl fmt::Debug for AddressGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddressGuard").field("home", &self.home).finish_non_exhaustive()
    }
}

fn endpoint(uri: &Uri) -> Option<Endpoint> {
    Endpoint::new(Scheme::from_name(uri.scheme_str()?)?, uri.authority()?.as_str())
}

#[cfg(test)]
mod tests;
