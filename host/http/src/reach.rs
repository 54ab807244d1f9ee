//! Checks the addresses of connections: where a server may send us.
//!
//! A name is resolved once for each connection, here, and the connection uses the addresses that were checked. There is
//! no second look-up that could return others.

use std::fmt;
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
use smcp_model::reach::Reach;

/// The distances of the server, and of the other servers in a chain of redirects.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sightings(Arc<Mutex<Seen>>);

#[derive(Debug, Clone, Default)]
struct Seen {
    /// The addresses that the last connection was tried to.
    tried: Vec<SocketAddr>,
    /// The distance of the server. Once public, it stays public.
    home: Option<Reach>,
    /// The farthest of the other servers since the request began.
    others: Option<Reach>,
}

impl Sightings {
    fn with<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins a request: forgets the other servers.
    pub(crate) fn begin(&self) {
        self.with(|seen| {
            seen.others = None;
            seen.tried.clear();
        });
    }

    /// Returns the addresses that the last connection was tried to.
    pub(crate) fn tried(&self) -> Vec<SocketAddr> {
        self.with(|seen| seen.tried.clone())
    }

    fn note_home(&self, reach: Reach) {
        self.with(|seen| seen.home = Some(seen.home.map_or(reach, |before| before.min(reach))));
    }

    fn note_other(&self, reach: Reach) {
        self.with(|seen| seen.others = Some(seen.others.map_or(reach, |before| before.min(reach))));
    }

    /// Notes another server whose address only a proxy knows: it counts as public.
    pub(crate) fn note_unseen(&self) {
        self.note_other(Reach::Public);
    }

    /// Whether all servers so far may send us to `target`. A server of unknown address counts as public.
    fn lead_to(&self, target: Reach) -> bool {
        self.with(|seen| {
            let from_home = seen.home.unwrap_or(Reach::Public).leads_to(target);
            from_home && seen.others.is_none_or(|other| other.leads_to(target))
        })
    }
}

/// The server may not send us to any address of a name.
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

/// Resolves names, and returns only the addresses that may be connected to.
pub(crate) struct AddressGuard {
    home: Endpoint,
    seen: Sightings,
    names: Box<dyn Resolver>,
}

impl AddressGuard {
    pub(crate) fn new(home: Endpoint, seen: Sightings, names: impl Resolver) -> Self {
        Self { home, seen, names: Box::new(names) }
    }

    /// Returns for each of the addresses `found` whether a connection to `target` may use it.
    fn admit(&self, target: &Endpoint, found: &[Reach]) -> Result<Vec<bool>, Forbidden> {
        let at_home = *target == self.home;
        let farthest = found.iter().copied().min().unwrap_or(Reach::Special);
        let may = |reach: &Reach| match (target.scheme(), at_home) {
            (Scheme::Http, true) => *reach == Reach::Loopback,
            (Scheme::Http, false) => *reach == Reach::Loopback && self.seen.lead_to(*reach),
            // The user chose this server. A name with public and private addresses counts as public.
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
        let resolved = self.names.resolve(uri, config, timeout)?;
        let target = endpoint(uri).ok_or(ureq::Error::HostNotFound)?;
        let reaches: Vec<Reach> = resolved.iter().map(|address| Reach::of(address.ip())).collect();
        let admitted = self.admit(&target, &reaches).map_err(|forbidden| ureq::Error::Other(Box::new(forbidden)))?;
        let mut addresses = self.empty();
        resolved
            .iter()
            .zip(admitted)
            .filter(|(_, admitted)| *admitted)
            .for_each(|(address, _)| addresses.push(*address));
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
