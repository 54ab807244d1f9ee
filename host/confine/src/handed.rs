//! Descriptors that a server's process hands out before it becomes the server.
//!
//! [`hand_out`] runs in the fork of a process with threads, where nothing may be allocated; [`receive`] runs in smcp.

#![expect(unsafe_code, reason = "a message with descriptors, laid out without allocating")]

use std::io;
use std::io::IoSliceMut;
use std::os::fd::AsFd;
use std::os::fd::AsRawFd as _;
use std::os::fd::BorrowedFd;
use std::os::fd::FromRawFd as _;
use std::os::fd::OwnedFd;
use std::ptr;

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::AddressFamily;
use nix::sys::socket::ControlMessageOwned;
use nix::sys::socket::MsgFlags;
use nix::sys::socket::SockFlag;
use nix::sys::socket::SockType;
use nix::sys::socket::recvmsg;
use nix::sys::socket::socketpair;

use smcp_model::limits;

/// The descriptors of one message: the sockets of a network.
pub(crate) const MOST: usize = limits::outbound::PORTS + limits::observe::PORTS + 3;

/// The bytes that a message needs for so many descriptors.
const fn control_length(count: usize) -> usize {
    // SAFETY: the function only computes.
    (unsafe { libc::CMSG_SPACE((count * size_of::<i32>()) as u32) }) as usize
}

/// Space for all descriptors of a message, aligned as the kernel has it.
#[repr(align(8))]
struct ControlSpace([u8; control_length(MOST)]);

/// Makes what descriptors come by: the end that smcp keeps, and that of the server's process.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?)
}

/// Sends descriptors to smcp.
pub(crate) fn hand_out(descriptors: &[i32], to: BorrowedFd<'_>) -> Result<(), Errno> {
    let mut control = ControlSpace([0; control_length(MOST)]);
    let bytes = size_of_val(descriptors);
    let byte = [0_u8];
    let mut part = libc::iovec { iov_base: byte.as_ptr().cast_mut().cast(), iov_len: 1 };
    // SAFETY: all zeros are a message with nothing in it.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = control_length(descriptors.len()) as _;
    // SAFETY: the control buffer is aligned, has space for that many descriptors, and lives as long as the message; the
    // head that is found in it is inside of it.
    unsafe {
        let head = libc::CMSG_FIRSTHDR(&raw const message);
        (*head).cmsg_level = libc::SOL_SOCKET;
        (*head).cmsg_type = libc::SCM_RIGHTS;
        (*head).cmsg_len = libc::CMSG_LEN(bytes as u32) as _;
        ptr::copy_nonoverlapping(descriptors.as_ptr().cast(), libc::CMSG_DATA(head), bytes);
    }
    // SAFETY: the message and all that it points to live during the call.
    Errno::result(unsafe { libc::sendmsg(to.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL) }).map(drop)
}

/// Takes the descriptors of one message; none when the other end is gone. `how` says whether to wait for one.
pub(crate) fn receive(from: impl AsFd, how: MsgFlags) -> io::Result<Vec<OwnedFd>> {
    let mut byte = [0];
    let mut buffer = vec![0; control_length(MOST)];
    let mut parts = [IoSliceMut::new(&mut byte)];
    let flags = how | MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(from.as_fd().as_raw_fd(), &mut parts, Some(&mut buffer), flags)?;
    let mut found = Vec::new();
    for message in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(numbers) = message {
            // SAFETY: the kernel has just made these for us, so they have no other owner.
            found.extend(numbers.into_iter().map(|number| unsafe { OwnedFd::from_raw_fd(number) }));
        }
    }
    Ok(found)
}
