//! Decides whether a server may reach a host, and at which addresses.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::denials::Denials;
use crate::dial::Upstream;
use crate::hosts::AllowedHosts;
use crate::hosts::address_of;
use crate::names::StandIns;
use crate::reached::Reached;
use smcp_model::host_entry::LOCALHOST;
use smcp_model::host_entry::literal;
use smcp_model::limits;
use smcp_model::reach::Reach;

/// Finds the addresses of a name, by the rules of the system. It may block.
pub trait Resolve: Send + Sync {
    /// Returns the addresses, in the order in which they are to be tried; none when nobody knows the name.
    ///
    /// # Errors
    /// When nobody could be asked, or no answer came in time.
    fn resolve(&self, name: &str, within: Duration) -> io::Result<Vec<IpAddr>>;
}

/// How a host is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostRoute {
    /// At one of these addresses, which were checked.
    Direct(Vec<IpAddr>),
    /// Through the proxy above, which looks the name up.
    Above,
}

/// Why a host is not reached.
#[derive(Debug)]
pub(crate) enum Unreachable {
    /// The manifest does not name it.
    NotNamed,
    /// It has this address, which is none of the internet, and the manifest does not name that.
    Inner(IpAddr),
    /// Nobody knows the name.
    Unknown,
    /// It is down, or nobody could be asked.
    Failed(io::Error),
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNamed => f.write_str("the manifest of this server does not name it"),
            Self::Inner(address) => {
                let what = match Reach::of(*address) {
                    Reach::Loopback => "this machine",
                    Reach::Private => "an address of a private network",
                    Reach::Public | Reach::Special => "no address of the internet",
                };
                write!(f, "it is {address}, {what}, and the manifest of this server does not name that")
            }
            Self::Unknown => f.write_str("nobody knows this name"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

/// The addresses of a name, and since when they are known.
#[derive(Debug)]
struct KnownAddresses {
    name: String,
    since: Instant,
    addresses: Vec<IpAddr>,
}

/// Everything that one server may reach.
pub(crate) struct Reachable {
    hosts: AllowedHosts,
    resolver: Arc<dyn Resolve>,
    above: Option<Upstream>,
    denials: Denials,
    reached: Reached,
    names: Mutex<StandIns>,
    kept: Mutex<Vec<KnownAddresses>>,
    askers: Semaphore,
}

impl fmt::Debug for Reachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reachable").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

impl Reachable {
    pub(crate) fn new(
        hosts: AllowedHosts,
        resolver: Arc<dyn Resolve>,
        above: Option<Upstream>,
        denials: Denials,
        reached: Reached,
    ) -> Self {
        let askers = Semaphore::new(limits::outbound::RESOLVERS);
        Self { hosts, resolver, above, denials, reached, names: Mutex::default(), kept: Mutex::default(), askers }
    }

    /// The proxy above, if there is one.
    pub(crate) const fn above(&self) -> Option<&Upstream> {
        self.above.as_ref()
    }

    /// Notes that a host was refused, or can't be reached.
    pub(crate) fn deny(&self, host: &str, port: Option<u16>, refusal: &Unreachable) {
        match refusal {
            Unreachable::NotNamed | Unreachable::Inner(_) => self.denials.note(host, port, &refusal.to_string()),
            Unreachable::Unknown | Unreachable::Failed(_) => tracing::debug!(host, ?port, %refusal, "no connection"),
        }
    }

    /// Notes that a name was refused to a question that most clients ask beside another one.
    pub(crate) fn deny_beside(&self, name: &str, refusal: &Unreachable) {
        match refusal {
            Unreachable::NotNamed | Unreachable::Inner(_) => self.denials.note_beside(name, &refusal.to_string()),
            Unreachable::Unknown | Unreachable::Failed(_) => {}
        }
    }

    /// Notes that a host is reached; of a name that leads to an inner network its address, too, which a manifest would have
    /// to name.
    pub(crate) fn note(&self, host: &str, port: u16, route: &HostRoute) {
        self.reached.note(host, port);
        let HostRoute::Direct(addresses) = route else { return };
        if host != LOCALHOST && address_of(host).is_none() {
            let inner = addresses.iter().filter(|address| Reach::of(**address) != Reach::Public);
            inner.for_each(|address| self.reached.note(&literal(*address), port));
        }
    }

    /// The address that stands for a name in the server's network.
    pub(crate) fn stand_in(&self, name: &str) -> Option<Ipv4Addr> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).address_of(name)
    }

    /// What an address in the server's network stands for.
    pub(crate) fn meant_by(&self, address: IpAddr) -> Option<String> {
        match address {
            IpAddr::V4(four) => {
                self.names.lock().unwrap_or_else(PoisonError::into_inner).name_of(four).map(str::to_owned)
            }
            IpAddr::V6(_) => None,
        }
    }

    /// Finds the way to a host: a name, or an address as a manifest has it. Without a port, any of those that the manifest
    /// names will do.
    pub(crate) async fn find(&self, host: &str, port: Option<u16>) -> Result<HostRoute, Unreachable> {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        if let Some(address) = address_of(&host) {
            return self.literal(address, port);
        }
        if !self.hosts.name(&host, port) {
            return Err(Unreachable::NotNamed);
        }
        if host == LOCALHOST {
            return Ok(HostRoute::Direct(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]));
        }
        if self.above.as_ref().is_some_and(|above| above.is_for(&host, port)) {
            return Ok(HostRoute::Above);
        }
        let found = self.addresses(&host).await.map_err(Unreachable::Failed)?;
        let Some(first) = found.first().copied() else { return Err(Unreachable::Unknown) };
        let allowed: Vec<_> = found.into_iter().filter(|address| self.hosts.may_be_at(*address, port)).collect();
        if allowed.is_empty() { Err(Unreachable::Inner(first)) } else { Ok(HostRoute::Direct(allowed)) }
    }

    fn literal(&self, address: IpAddr, port: Option<u16>) -> Result<HostRoute, Unreachable> {
        if !self.hosts.name_address(address, port) {
            return Err(Unreachable::NotNamed);
        }
        let above = self.above.as_ref().filter(|_| !address.is_loopback());
        if above.is_some_and(|above| above.is_for(&literal(address), port)) {
            return Ok(HostRoute::Above);
        }
        // Who listens on one of the two is meant by the other, too.
        let other: IpAddr = match address {
            IpAddr::V4(Ipv4Addr::LOCALHOST) => Ipv6Addr::LOCALHOST.into(),
            IpAddr::V6(Ipv6Addr::LOCALHOST) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V4(_) | IpAddr::V6(_) => return Ok(HostRoute::Direct(vec![address])),
        };
        let by_name = self.hosts.name(LOCALHOST, port).then_some(other);
        Ok(HostRoute::Direct(std::iter::once(address).chain(by_name).collect()))
    }

    /// The addresses of a name, as the system knows them.
    pub(crate) async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let kept = |now: Instant| {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.retain(|found| now.duration_since(found.since) < limits::outbound::ADDRESSES);
            kept.iter().find(|found| found.name == name).map(|found| found.addresses.clone())
        };
        if let Some(addresses) = kept(Instant::now()) {
            return Ok(addresses);
        }
        let _turn = self.askers.acquire().await.map_err(io::Error::other)?;
        // Somebody else may have asked meanwhile.
        if let Some(addresses) = kept(Instant::now()) {
            return Ok(addresses);
        }
        let (resolver, asked) = (Arc::clone(&self.resolver), name.to_owned());
        let looked_up = tokio::task::spawn_blocking(move || resolver.resolve(&asked, limits::outbound::CONNECT));
        let mut addresses = looked_up.await.map_err(io::Error::other)??;
        addresses.truncate(limits::outbound::ADDRESSES_TRIED);
        let addresses: Vec<_> = addresses.into_iter().map(|address| address.to_canonical()).collect();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= limits::outbound::ADDRESSES_KEPT {
            kept.remove(0);
        }
        kept.push(KnownAddresses { name: name.to_owned(), since: Instant::now(), addresses: addresses.clone() });
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests;
