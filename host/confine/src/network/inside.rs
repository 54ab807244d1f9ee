//! Makes a network, between a fork and an `execve`.
//!
//! [`enter`] runs in the fork of a process with threads, where nothing may be allocated, and [`try_out`] starts a child
//! that shares our memory, for which the same holds.

#![expect(unsafe_code, reason = "system calls without a wrapper that allocates nothing")]

use std::os::fd::AsRawFd as _;
use std::os::fd::BorrowedFd;
use std::os::fd::FromRawFd as _;
use std::os::fd::OwnedFd;
use std::ptr;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::fcntl::open;
use nix::libc;
use nix::sys::signal::SigSet;
use nix::sys::signal::SigmaskHow;
use nix::sys::stat::Mode;
use nix::unistd::write;

use crate::handed::MOST;
use crate::handed::hand_out;
use smcp_model::limits;

/// Where servers of names listen.
pub(super) const NAMES: u16 = 53;
/// The stack of a trial, in words of 16 bytes.
const TRIAL_STACK: usize = 4096;

/// What is known of the network before the fork.
#[derive(Debug)]
pub(super) struct NetworkSettings {
    /// The one user, and the one group, of the namespace: those that smcp runs as.
    pub(super) users: Vec<u8>,
    pub(super) groups: Vec<u8>,
    pub(super) messages: [Vec<u8>; 3],
    pub(super) ports: Vec<u16>,
    pub(super) proxy: u16,
    pub(super) spare: usize,
}

/// Moves this process into a new network and hands the sockets out.
pub(super) fn enter(settings: &NetworkSettings, handed_out: BorrowedFd<'_>) -> Result<(), Errno> {
    // A user namespace also where root needs none: its capabilities reach nothing outside of it.
    // SAFETY: the argument is an integer.
    Errno::result(unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET) })?;
    furnish(&settings.users, &settings.groups, &settings.messages)?;
    let mut sockets = [-1; MOST];
    let names = datagrams()?;
    let proxy = listener(settings.proxy, ListenPlace::Loopback)?;
    let ports = settings.ports.iter().copied();
    let others = ports.map(|port| listener(port, ListenPlace::Everywhere));
    let others = others.chain((0..settings.spare).map(|_| Ok(unbound(libc::SOCK_STREAM)?.0)));
    let mut count = 0;
    for (place, socket) in sockets.iter_mut().zip([Ok(names), Ok(proxy)].into_iter().chain(others)) {
        *place = socket?;
        count += 1;
    }
    hand_out(sockets.get(..count).unwrap_or_default(), handed_out)?;
    for socket in sockets.iter().take(count) {
        // SAFETY: the socket was made above, and nobody else has its number.
        unsafe { libc::close(*socket) };
    }
    Ok(())
}

/// Names the one user and the one group of a new namespace, and opens its network up.
fn furnish(users: &[u8], groups: &[u8], messages: &[Vec<u8>; 3]) -> Result<(), Errno> {
    // Before Linux 3.19 there is no such file, and no such rule.
    let _ = fill(c"/proc/self/setgroups", b"deny");
    fill(c"/proc/self/uid_map", users)?;
    fill(c"/proc/self/gid_map", groups)?;
    open_up(messages)
}

fn fill(path: &std::ffi::CStr, text: &[u8]) -> Result<(), Errno> {
    let file = open(path, OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    write(&file, text).map(drop)
}

/// Sets the loopback up, and makes all addresses local to it.
fn open_up(messages: &[Vec<u8>; 3]) -> Result<(), Errno> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
    // SAFETY: the arguments are integers.
    let socket = Errno::result(unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) })?;
    // SAFETY: the socket was made a line above, and has no other owner.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    let [link, four, six] = messages;
    tell(&socket, link)?;
    tell(&socket, four)?;
    // A kernel without the new kind of addresses has nothing to be reached by them.
    let _ = tell(&socket, six);
    Ok(())
}

/// Sends one message, and reads the kernel's answer, which is there when the call returns.
fn tell(socket: &OwnedFd, message: &[u8]) -> Result<(), Errno> {
    let fd = socket.as_raw_fd();
    // SAFETY: the message is as long as it says and lives during the call.
    Errno::result(unsafe { libc::send(fd, message.as_ptr().cast(), message.len(), 0) })?;
    let mut answer = [0_u8; 128];
    // SAFETY: the kernel writes at most as many bytes as the buffer has.
    let length = unsafe { libc::recv(fd, answer.as_mut_ptr().cast(), answer.len(), 0) };
    Errno::result(length)?;
    // The head of a message, then the error: negative, or zero.
    match answer {
        [_, _, _, _, 2, 0, _, _, _, _, _, _, _, _, _, _, a, b, c, d, ..] => match i32::from_ne_bytes([a, b, c, d]) {
            0 => Ok(()),
            error => Err(Errno::from_raw(error.wrapping_neg())),
        },
        _ => Err(Errno::EPROTO),
    }
}

/// Which addresses a socket listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListenPlace {
    Everywhere,
    Loopback,
}

/// Makes a socket for every kind of address; for the old one alone, where there is no other. Returns whether it is for both.
fn unbound(kind: i32) -> Result<(i32, bool), Errno> {
    let kind = kind | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: the arguments are integers.
    let six = unsafe { libc::socket(libc::AF_INET6, kind, 0) };
    if six >= 0 {
        set(six, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 0)?;
        return Ok((six, true));
    }
    unbound_four(kind).map(|four| (four, false))
}

fn unbound_four(kind: i32) -> Result<i32, Errno> {
    // SAFETY: the arguments are integers.
    Errno::result(unsafe { libc::socket(libc::AF_INET, kind | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0) })
}

/// Makes such a socket at a port; on the loopback one for the old kind of address.
fn bound(kind: i32, port: u16, place: ListenPlace) -> Result<i32, Errno> {
    let (socket, both) = match place {
        ListenPlace::Everywhere => unbound(kind)?,
        ListenPlace::Loopback => (unbound_four(kind)?, false),
    };
    if both {
        let address = libc::sockaddr_in6 {
            sin6_family: libc::AF_INET6 as libc::sa_family_t,
            sin6_port: port.to_be(),
            sin6_flowinfo: 0,
            sin6_addr: libc::in6_addr { s6_addr: [0; 16] },
            sin6_scope_id: 0,
        };
        let length = size_of::<libc::sockaddr_in6>() as libc::socklen_t;
        // SAFETY: the address is as long as is said and lives during the call.
        Errno::result(unsafe { libc::bind(socket, ptr::from_ref(&address).cast(), length) })?;
        return Ok(socket);
    }
    let host = if place == ListenPlace::Loopback { libc::INADDR_LOOPBACK } else { libc::INADDR_ANY };
    let address = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: port.to_be(),
        sin_addr: libc::in_addr { s_addr: host.to_be() },
        sin_zero: [0; 8],
    };
    let length = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    // SAFETY: as above.
    Errno::result(unsafe { libc::bind(socket, ptr::from_ref(&address).cast(), length) })?;
    Ok(socket)
}

fn listener(port: u16, place: ListenPlace) -> Result<i32, Errno> {
    let socket = bound(libc::SOCK_STREAM, port, place)?;
    // SAFETY: the arguments are integers.
    Errno::result(unsafe { libc::listen(socket, limits::outbound::BACKLOG) })?;
    Ok(socket)
}

/// Makes the socket for names. It says which address was asked, and may answer from any.
fn datagrams() -> Result<i32, Errno> {
    let socket = bound(libc::SOCK_DGRAM, NAMES, ListenPlace::Everywhere)?;
    // One of the two fails on a socket of the other kind of address.
    let four = set(socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1);
    let six = set(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)
        .and_then(|()| set(socket, libc::IPPROTO_IPV6, libc::IPV6_FREEBIND, 1));
    four.or(six)?;
    Ok(socket)
}

fn set(socket: i32, level: i32, option: i32, value: i32) -> Result<(), Errno> {
    let length = size_of::<i32>() as libc::socklen_t;
    // SAFETY: the value is as long as is said and lives during the call.
    Errno::result(unsafe { libc::setsockopt(socket, level, option, ptr::from_ref(&value).cast(), length) }).map(drop)
}

/// What a trial is told, and what it finds.
struct NetworkTrial<'m> {
    users: &'m [u8],
    groups: &'m [u8],
    messages: &'m [Vec<u8>; 3],
    outcome: Result<(), Errno>,
}

/// Tries whether a child can have a network of its own. The child shares our memory, and we wait until it has ended.
pub(super) fn try_out(users: &[u8], groups: &[u8], messages: &[Vec<u8>; 3]) -> Result<(), Errno> {
    extern "C" fn child(trial: *mut libc::c_void) -> i32 {
        // SAFETY: the caller hands over a trial, and does not touch it before this has ended.
        let trial = unsafe { &mut *trial.cast::<NetworkTrial<'_>>() };
        trial.outcome = furnish(trial.users, trial.groups, trial.messages);
        0
    }
    let mut trial = NetworkTrial { users, groups, messages, outcome: Err(Errno::ECHILD) };
    let mut stack = vec![0_u128; TRIAL_STACK];
    let flags = libc::CLONE_NEWUSER | libc::CLONE_NEWNET | libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // No handler of smcp's may run in the child.
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    // SAFETY: the stack is the child's alone, as long as the child lives; this thread goes on when the child has ended.
    let pid = unsafe { libc::clone(child, stack.as_mut_ptr_range().end.cast(), flags, (&raw mut trial).cast()) };
    let started = Errno::result(pid);
    let _ = before.thread_set_mask();
    // SAFETY: a null for the status asks for none. Where children are not waited for, there is nothing to wait for.
    unsafe { libc::waitpid(started?, ptr::null_mut(), libc::__WALL) };
    trial.outcome
}
