//! Forks compilers where smcp can't start its own program again.
//!
//! Without `/proc` a process can't find the file that it was started from (spec section 9). There smcp forks a server
//! before it has any thread: a process that does nothing but fork a compiler for each request, and a keeper beside it,
//! which waits for its end.
//!
//! ```text
//! smcp ──socket──► fork server ──fork──► keeper ──fork──► compiler
//!   │                                      ▲                 ▲
//!   ├────────────── its end ───────────────┘                 │
//!   └────────────── streams ─────────────────────────────────┘
//! ```

#![expect(unsafe_code, reason = "a fork, and an end without the handlers of the process that was forked")]

use std::io;
use std::io::IoSlice;
use std::io::IoSliceMut;
use std::io::Read as _;
use std::io::Write as _;
use std::mem::MaybeUninit;
use std::os::fd::AsFd as _;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::sync::Mutex;
use std::sync::PoisonError;

use nix::libc;
use nix::unistd::ForkResult;
use nix::unistd::fork;
use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::event::Timespec;
use rustix::event::poll;
use rustix::net::RecvAncillaryBuffer;
use rustix::net::RecvAncillaryMessage;
use rustix::net::RecvFlags;
use rustix::net::SendAncillaryBuffer;
use rustix::net::SendAncillaryMessage;
use rustix::net::SendFlags;
use rustix::net::recvmsg;
use rustix::net::sendmsg;
use rustix::process::Pid;
use rustix::process::PidfdFlags;
use rustix::process::Signal;
use rustix::process::WaitOptions;
use rustix::process::kill_process;
use rustix::process::pidfd_open;
use rustix::process::setsid;
use rustix::process::waitpid;

use crate::child;
use crate::child::CompileWork;
use crate::confine;
use smcp_model::limits::compiling;

/// The descriptors of a request: the compiler's three streams, and the socket on which its keeper reports its end.
const DESCRIPTORS: usize = 4;

/// A process that forks compilers for this one. It ends with it.
#[derive(Debug)]
pub struct ForkServer {
    socket: Mutex<UnixStream>,
    process: Option<Pid>,
}

/// A compiler that was forked.
#[derive(Debug)]
pub(crate) struct Forked {
    /// Its three streams.
    pub(crate) streams: Option<[OwnedFd; 3]>,
    keeper: UnixStream,
    status: Option<ExitStatus>,
}

impl ForkServer {
    /// Forks the server. The calling process must have one thread.
    ///
    /// # Errors
    /// When the system gives no process or socket.
    pub fn start() -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        // SAFETY: this process has one thread, so the fork is whole: no lock is held by a thread that it lacks.
        match unsafe { fork() }? {
            ForkResult::Parent { child } => {
                Ok(Self { socket: Mutex::new(ours), process: Pid::from_raw(child.as_raw()) })
            }
            ForkResult::Child => {
                drop(ours);
                serve(&theirs)
            }
        }
    }

    /// Ends the server and the processes that it has forked, and waits for their ends, at most [`compiling::END`], so
    /// that no other process has to.
    pub fn end(&self) {
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = socket.shutdown(std::net::Shutdown::Both);
        let Some(process) = self.process else { return };
        if let Ok(end) = pidfd_open(process, PidfdFlags::empty()) {
            let patience = Timespec::try_from(compiling::END).ok();
            let _ = poll(&mut [PollFd::new(&end, PollFlags::IN)], patience.as_ref());
        }
        let _ = waitpid(Some(process), WaitOptions::NOHANG);
    }

    /// Asks for a compiler.
    ///
    /// # Errors
    /// When the server has ended, or the system gives no pipe.
    pub(crate) fn request(&self, work: CompileWork) -> io::Result<Forked> {
        let (their_input, input) = io::pipe()?;
        let (output, their_output) = io::pipe()?;
        let (complaint, their_complaint) = io::pipe()?;
        let (keeper, theirs) = UnixStream::pair()?;
        let descriptors = [their_input.as_fd(), their_output.as_fd(), their_complaint.as_fd(), theirs.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
        let mut message = SendAncillaryBuffer::new(&mut space);
        message.push(SendAncillaryMessage::ScmRights(&descriptors));
        let server = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        sendmsg(&*server, &[IoSlice::new(&[work.as_byte()])], &mut message, SendFlags::NOSIGNAL)?;
        Ok(Forked { streams: Some([input.into(), output.into(), complaint.into()]), keeper, status: None })
    }
}

impl Forked {
    /// Becomes readable when the compiler has ended.
    pub(crate) fn end(&self) -> BorrowedFd<'_> {
        self.keeper.as_fd()
    }

    /// Ends the compiler.
    pub(crate) fn kill(&mut self) {
        if self.status.is_none() {
            self.status = Some(ExitStatus::from_raw(libc::SIGKILL));
            // Its keeper has ended otherwise.
            let _ = self.keeper.shutdown(std::net::Shutdown::Both);
        }
    }

    /// Waits for the compiler's end.
    pub(crate) fn wait(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        let mut raw = [0; size_of::<i32>()];
        self.keeper.read_exact(&mut raw)?;
        let status = ExitStatus::from_raw(i32::from_ne_bytes(raw));
        self.status = Some(status);
        Ok(status)
    }
}

/// Answers requests until the other side is closed.
fn serve(socket: &UnixStream) -> ! {
    // Signals of a terminal are for smcp, whose end this process learns of by the socket.
    let _ = setsid();
    // A compiler whose keeper ends is waited for here, too.
    let _ = nix::sys::prctl::set_child_subreaper(true);
    // smcp's streams have other readers and writers, who wait for the end of them. The socket takes their place.
    for stream in [libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        if put(socket.as_fd(), stream).is_err() {
            end();
        }
    }
    confine::close_all();
    let socket = io::stdin();
    let mut keepers: Vec<Pid> = Vec::new();
    while let Ok(Some((work, descriptors))) = receive(socket.as_fd()) {
        // SAFETY: this process has one thread.
        match unsafe { fork() } {
            Ok(ForkResult::Child) => keep(work, descriptors),
            Ok(ForkResult::Parent { child }) => keepers.extend(Pid::from_raw(child.as_raw())),
            // Its socket is closed now, which tells smcp that there is no compiler.
            Err(_) => {}
        }
        // Keepers that have ended meanwhile.
        while let Ok(Some((ended, _))) = waitpid(None, WaitOptions::NOHANG) {
            keepers.retain(|keeper| *keeper != ended);
        }
    }
    // A compiler ends with its keeper.
    keepers.into_iter().for_each(|keeper| _ = kill_process(keeper, Signal::KILL));
    while let Ok(Some(_)) = waitpid(None, WaitOptions::empty()) {}
    end()
}

/// Takes a request; `None` when the other side is closed.
fn receive(socket: BorrowedFd<'_>) -> io::Result<Option<(CompileWork, [OwnedFd; DESCRIPTORS])>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut message = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let received = recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut message, RecvFlags::CMSG_CLOEXEC)?;
    if received.bytes == 0 {
        return Ok(None);
    }
    let mut descriptors = Vec::new();
    for part in message.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = part {
            descriptors.extend(rights);
        }
    }
    let descriptors = descriptors.try_into().map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(Some((CompileWork::of_byte(byte[0]), descriptors)))
}

/// Forks the compiler, waits for its end, and reports it. Kills the compiler when the requester is gone.
fn keep(work: CompileWork, descriptors: [OwnedFd; DESCRIPTORS]) -> ! {
    let [input, output, complaint, smcp] = descriptors;
    // SAFETY: this process has one thread.
    let compiler = match unsafe { fork() } {
        Ok(ForkResult::Child) => {
            let streams =
                [(&input, libc::STDIN_FILENO), (&output, libc::STDOUT_FILENO), (&complaint, libc::STDERR_FILENO)];
            // As a started one: in the folder `/`, and under a name of its own.
            let _ = nix::unistd::chdir("/");
            let _ = nix::sys::prctl::set_name(c"smcp-compiler");
            let placed = streams.into_iter().all(|(stream, number)| put(stream.as_fd(), number).is_ok());
            let code = i32::from(!(placed && child::work(work).is_ok()));
            // SAFETY: it only ends the process.
            unsafe { libc::_exit(code) }
        }
        Ok(ForkResult::Parent { child }) => Pid::from_raw(child.as_raw()),
        Err(_) => end(),
    };
    drop((input, output, complaint));
    let Some(compiler) = compiler else { end() };
    // The keepers must not hold the server's socket: it would seem alive after its end.
    for stream in [libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        let _ = put(smcp.as_fd(), stream);
    }
    let mut smcp = UnixStream::from(smcp);
    if let Ok(process) = pidfd_open(compiler, PidfdFlags::empty()) {
        let mut waited = [PollFd::new(&process, PollFlags::IN), PollFd::new(&smcp, PollFlags::IN)];
        while let Err(rustix::io::Errno::INTR) = poll(&mut waited, None) {}
        if !waited[1].revents().is_empty() {
            let _ = kill_process(compiler, Signal::KILL);
        }
    } else {
        // Without a way to see that the requester is gone, there is no compiler.
        let _ = kill_process(compiler, Signal::KILL);
    }
    if let Ok(Some((_, status))) = waitpid(Some(compiler), WaitOptions::empty()) {
        let _ = smcp.write_all(&status.as_raw().to_ne_bytes());
    }
    end()
}

/// Makes `descriptor` the stream with this number. It must not have one of the three numbers itself.
fn put(descriptor: BorrowedFd<'_>, number: i32) -> rustix::io::Result<()> {
    match number {
        libc::STDIN_FILENO => rustix::stdio::dup2_stdin(descriptor),
        libc::STDOUT_FILENO => rustix::stdio::dup2_stdout(descriptor),
        _ => rustix::stdio::dup2_stderr(descriptor),
    }
}

/// Ends a process that was forked, without the handlers of the one that it was forked from.
fn end() -> ! {
    // SAFETY: it only ends the process.
    unsafe { libc::_exit(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A test process has many threads, so the server itself is tried by the real program (`tests/policies/forked.rs`).
    #[test]
    fn without_a_server_there_is_no_compiler() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        let server = ForkServer { socket: Mutex::new(ours), process: None };
        assert_eq!(server.request(CompileWork::Compile).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_keeper_that_is_gone_is_an_error_and_a_killed_compiler_was_killed() {
        let (keeper, theirs) = UnixStream::pair().unwrap();
        let mut forked = Forked { streams: None, keeper, status: None };
        drop(theirs);
        assert_eq!(forked.wait().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        forked.kill();
        assert_eq!(forked.wait().unwrap().signal(), Some(libc::SIGKILL));
    }
}
