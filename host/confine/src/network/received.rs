//! Takes the sockets of a server's network out of a message, in smcp.

use std::io;
use std::io::IoSliceMut;
use std::os::fd::AsRawFd as _;
use std::os::fd::OwnedFd;

use nix::sys::socket::MsgFlags;
use nix::sys::socket::recvmsg;

use crate::network::NetworkSockets;
use crate::network::inside;

/// Reads the message, which is there when the server has begun.
pub(super) fn receive(from: &OwnedFd) -> io::Result<NetworkSockets> {
    let mut byte = [0];
    let mut buffer = vec![0; inside::control_length(inside::MOST)];
    let mut parts = [IoSliceMut::new(&mut byte)];
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(from.as_raw_fd(), &mut parts, Some(&mut buffer), flags)?;
    let mut sockets = inside::descriptors(message.cmsgs()?).into_iter();
    let (names, proxy) = (sockets.next(), sockets.next());
    let nothing = || io::Error::other("the server's process has handed out no sockets");
    let (Some(names), Some(proxy)) = (names, proxy) else { return Err(nothing()) };
    Ok(NetworkSockets { names, proxy, hosts: sockets.collect() })
}
