//! Looks at the streams that a server is handed: a socket can be more than one.

use std::os::fd::AsFd;
use std::os::fd::AsRawFd as _;

use nix::errno::Errno;
use nix::sys::socket::AddressFamily;
use nix::sys::socket::SockType;
use nix::sys::socket::SockaddrLike as _;
use nix::sys::socket::SockaddrStorage;
use nix::sys::socket::getpeername;
use nix::sys::socket::getsockname;
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt;

/// Whether who has this stream could lead it to somebody else: a socket of the network can be disconnected, and connected
/// with any other address, in the network where it was made. A local one that is connected stays with its peer.
pub fn leads_elsewhere(stream: impl AsFd) -> bool {
    let descriptor = stream.as_fd().as_raw_fd();
    let family = match getsockname::<SockaddrStorage>(descriptor) {
        Err(Errno::ENOTSOCK) => return false,
        address => address.ok().and_then(|address| address.family()),
    };
    let kind = getsockopt(&stream, sockopt::SockType);
    let stays = family == Some(AddressFamily::Unix)
        && matches!(kind, Ok(SockType::Stream | SockType::SeqPacket))
        && getpeername::<SockaddrStorage>(descriptor).is_ok();
    !stays
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::net::TcpStream;
    use std::os::unix::net::UnixDatagram;
    use std::os::unix::net::UnixListener;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn only_what_is_connected_for_good_stays() {
        let (pair, other) = UnixStream::pair().unwrap();
        assert!(!leads_elsewhere(&pair));
        drop(other);
        assert!(!leads_elsewhere(&pair), "nor when the peer is gone");
        assert!(!leads_elsewhere(std::io::pipe().unwrap().0));
        assert!(leads_elsewhere(UnixDatagram::pair().unwrap().0));
        let folder = tempfile::tempdir().unwrap();
        assert!(leads_elsewhere(UnixListener::bind(folder.path().join("s")).unwrap()));
        for place in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(place) else { continue };
            assert!(leads_elsewhere(&listener));
            assert!(leads_elsewhere(TcpStream::connect(listener.local_addr().unwrap()).unwrap()));
        }
    }
}
