//! A network of the server's own, in which every address leads to smcp.
//!
//! The server's process makes it between fork and `execve`: a namespace with a loopback that takes all addresses for its
//! own, and sockets that listen on the ports of the hosts that the manifest names. It hands the sockets out to smcp,
//! which answers outside, and keeps none. What a server connects to is therefore smcp, whatever address it means, and
//! nothing else is there. Its ordinary code works; nothing has to be told to it.

use std::io;
use std::os::fd::AsFd as _;
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::sys::socket::MsgFlags;
use nix::unistd::getegid;
use nix::unistd::geteuid;

use crate::handed;
use crate::network::inside::NetworkSettings;
use smcp_model::limits;

mod inside;
mod messages;

/// What makes the network, in the server's process.
#[derive(Debug)]
pub(crate) struct Network {
    settings: NetworkSettings,
    handed_out: OwnedFd,
}

/// Gets the sockets of a server's network, in smcp.
#[derive(Debug)]
pub struct WayOut {
    handed: OwnedFd,
    /// How many of the sockets listen on the ports of hosts, and on that for names.
    hosts: usize,
}

/// The ports of a server's network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports {
    /// Those on which any address answers.
    pub hosts: Vec<u16>,
    /// That of the proxy, on the loopback.
    pub proxy: u16,
    /// How many sockets there are beside, for ports that are known later.
    pub spare: usize,
}

/// The sockets of a server's network: that for names, that of the proxy, and those of the hosts.
#[derive(Debug)]
pub struct NetworkSockets {
    /// Datagrams that ask for names.
    pub names: OwnedFd,
    /// Accepts what asks the proxy.
    pub proxy: OwnedFd,
    /// Accept connections to any address, on the ports of the hosts and on that for names.
    pub hosts: Vec<OwnedFd>,
    /// Belong to no port yet.
    pub spare: Vec<OwnedFd>,
}

impl Network {
    /// Prepares the network of one server.
    pub(crate) fn prepare(ports: &Ports) -> io::Result<(Self, WayOut)> {
        let (ours, handed_out) = handed::pair()?;
        let [users, groups] = maps();
        let hosts = ports.hosts.iter().copied().take(limits::outbound::PORTS);
        let settings = NetworkSettings {
            users,
            groups,
            messages: messages::all(),
            ports: std::iter::once(inside::NAMES).chain(hosts).collect(),
            proxy: ports.proxy,
            spare: ports.spare,
        };
        debug_assert!(settings.ports.len() + settings.spare + 2 <= handed::MOST, "a message takes all sockets");
        let way_out = WayOut { handed: ours, hosts: settings.ports.len() };
        Ok((Self { settings, handed_out }, way_out))
    }

    /// Puts this process into its network, in which it has every capability until they are dropped, and hands the sockets out.
    pub(crate) fn enter(&self) -> Result<(), Errno> {
        inside::enter(&self.settings, self.handed_out.as_fd())
    }
}

impl WayOut {
    /// Takes the sockets that the server's process has handed out before it became the server.
    ///
    /// # Errors
    /// When there are none.
    pub fn receive(self) -> io::Result<NetworkSockets> {
        // They are there when the server has begun.
        let mut sockets = handed::receive(&self.handed, MsgFlags::MSG_DONTWAIT)?.into_iter();
        let (names, proxy) = (sockets.next(), sockets.next());
        let nothing = || io::Error::other("the server's process has handed out no sockets");
        let (Some(names), Some(proxy)) = (names, proxy) else { return Err(nothing()) };
        let hosts = sockets.by_ref().take(self.hosts).collect();
        Ok(NetworkSockets { names, proxy, hosts, spare: sockets.collect() })
    }
}

/// The one user, and the one group, of a namespace: who smcp runs as.
fn maps() -> [Vec<u8>; 2] {
    [geteuid().as_raw(), getegid().as_raw()].map(|id| format!("{id} {id} 1").into_bytes())
}

fn trial() -> Result<(), Errno> {
    let [users, groups] = maps();
    inside::try_out(&users, &groups, &messages::all())
}

/// Whether this user can make such a network here: a child tries.
pub(crate) fn works() -> bool {
    static TRIED: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *TRIED.get_or_init(|| trial().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where namespaces are refused, nothing else is promised.
    #[test]
    fn a_trial_leaves_this_process_where_it_is() {
        let before = std::fs::read_link("/proc/self/ns/net").unwrap();
        let again: Vec<_> = (0..3).map(|_| trial().is_ok()).collect();
        assert!(again.iter().all(|worked| *worked == again[0]), "{again:?}");
        assert_eq!(std::fs::read_link("/proc/self/ns/net").unwrap(), before);
    }
}
