//! The kernel's questions about the calls of a server, and smcp's answers.

#![expect(unsafe_code, reason = "requests to the kernel that have no safe wrapper")]

use std::os::fd::AsFd as _;
use std::os::fd::AsRawFd as _;
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::libc;
use nix::libc::c_ulong;
use nix::poll::PollFd;
use nix::poll::PollFlags;
use nix::poll::PollTimeout;
use nix::poll::poll;
use nix::unistd::Pid;

use crate::filter::verdict::FilterVerdict;
use crate::filter::verdict::SystemCall;

/// What the questions come by.
#[derive(Debug)]
pub(super) struct Listener(OwnedFd);

/// A call that waits for an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallQuestion {
    id: u64,
    /// The thread that calls.
    pub(super) thread: Pid,
    pub(super) call: SystemCall,
}

/// Space for a question of this kernel, and of those to come, which write more.
#[repr(C)]
struct QuestionSpace {
    known: libc::seccomp_notif,
    more: [u64; 64],
}

impl Listener {
    pub(super) const fn new(descriptor: OwnedFd) -> Self {
        Self(descriptor)
    }

    /// Waits for the next question; `None` when nobody is left who could ask.
    pub(super) fn next(&self) -> Result<Option<CallQuestion>, Errno> {
        loop {
            let mut asked = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
            match poll(&mut asked, PollTimeout::NONE) {
                Ok(_) => {}
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(errno),
            }
            let events = asked.iter().filter_map(PollFd::revents).fold(PollFlags::empty(), |all, one| all | one);
            if !events.contains(PollFlags::POLLIN) {
                // A signal to smcp looks like an error.
                if events.contains(PollFlags::POLLHUP) {
                    return Ok(None);
                }
                continue;
            }
            // SAFETY: all zeros are such a question, and the kernel wants no others.
            let mut space: QuestionSpace = unsafe { std::mem::zeroed() };
            match self.request(libc::SECCOMP_IOCTL_NOTIF_RECV as c_ulong, &raw mut space) {
                Ok(()) => {}
                // Who had asked is gone.
                Err(Errno::ENOENT) => continue,
                Err(errno) => return Err(errno),
            }
            let libc::seccomp_notif { id, pid, data, .. } = space.known;
            let call = SystemCall { number: data.nr.cast_unsigned(), machine: data.arch, arguments: data.args };
            return Ok(Some(CallQuestion { id, thread: Pid::from_raw(pid.cast_signed()), call }));
        }
    }

    /// Whether the thread still waits. If so, what was read of it a moment ago was its own.
    pub(super) fn is_waiting(&self, question: &CallQuestion) -> bool {
        let mut id = question.id;
        self.request(libc::SECCOMP_IOCTL_NOTIF_ID_VALID as c_ulong, &raw mut id).is_ok()
    }

    /// Answers. Who is gone needs no answer.
    pub(super) fn answer(&self, question: &CallQuestion, verdict: FilterVerdict) -> Result<(), Errno> {
        let (error, flags) = match verdict {
            FilterVerdict::Allowed => (0, libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE),
            FilterVerdict::Refused(error) => (error, 0),
            FilterVerdict::Killed => (libc::EPERM.cast_unsigned(), 0),
        };
        let mut answer = libc::seccomp_notif_resp {
            id: question.id,
            val: 0,
            error: -error.cast_signed(),
            flags: u32::try_from(flags).unwrap_or_default(),
        };
        match self.request(libc::SECCOMP_IOCTL_NOTIF_SEND as c_ulong, &raw mut answer) {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            Err(errno) => Err(errno),
        }
    }

    fn request<T>(&self, request: c_ulong, about: *mut T) -> Result<(), Errno> {
        loop {
            // SAFETY: the caller hands over what this request is about, laid out as the kernel has it and live during the
            // call; the kernel writes no more than it has said in the number of the request, or than `QuestionSpace` has.
            match Errno::result(unsafe { libc::ioctl(self.0.as_raw_fd(), request as _, about) }) {
                // A signal to smcp, such as that by which a job goes on.
                Err(Errno::EINTR) => {}
                done => return done.map(drop),
            }
        }
    }
}
