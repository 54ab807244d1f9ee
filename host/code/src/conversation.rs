//! Talks with a child within bounds of time and size, whatever the child does.

use std::fs::File;
use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::os::fd::OwnedFd;
use std::process::Child;
use std::process::ExitStatus;
use std::time::Duration;
use std::time::Instant;

use nix::fcntl::FcntlArg;
use nix::fcntl::OFlag;
use nix::fcntl::fcntl;
use nix::poll::PollFd;
use nix::poll::PollFlags;
use nix::poll::PollTimeout;
use nix::poll::poll;

#[cfg(target_os = "linux")]
use crate::fork_server::Forked;
use smcp_model::limits::compiling;

/// A piece of a pipe, bytes: what a pipe holds by default.
const PIECE: usize = 64 * 1024;

/// What a child answered, and how it ended.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) output: Vec<u8>,
    /// The beginning of its standard error.
    pub(crate) complaint: String,
    pub(crate) status: ExitStatus,
    /// The reason why this process killed it.
    pub(crate) killed: Option<Killed>,
}

/// The reason why a parent killed its child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Killed {
    /// It took too long.
    Late,
    /// It answered more than it may.
    TalkedTooMuch,
}

/// A compiler that runs. It is killed when it is dropped before its end.
pub(crate) enum RunningCompiler {
    /// A child of this process.
    Child(Child),
    /// A process that a fork server forked.
    #[cfg(target_os = "linux")]
    Forked(Forked),
}

impl RunningCompiler {
    /// Takes its three streams, once.
    fn streams(&mut self) -> Option<[File; 3]> {
        match self {
            Self::Child(child) => {
                let (input, output, complaint) = (child.stdin.take()?, child.stdout.take()?, child.stderr.take()?);
                Some([OwnedFd::from(input), output.into(), complaint.into()].map(File::from))
            }
            #[cfg(target_os = "linux")]
            Self::Forked(forked) => Some(forked.streams.take()?.map(File::from)),
        }
    }

    fn kill(&mut self) -> io::Result<()> {
        match self {
            Self::Child(child) => child.kill(),
            #[cfg(target_os = "linux")]
            Self::Forked(forked) => {
                forked.kill();
                Ok(())
            }
        }
    }

    fn wait(&mut self) -> io::Result<ExitStatus> {
        match self {
            Self::Child(child) => child.wait(),
            #[cfg(target_os = "linux")]
            Self::Forked(forked) => forked.wait(),
        }
    }
}

impl Drop for RunningCompiler {
    fn drop(&mut self) {
        // Both fail when it has ended and was waited for.
        let _ = self.kill();
        let _ = self.wait();
    }
}

/// Sends `parts` to a child and takes its answer, at most for `patience`.
///
/// # Errors
/// When the system can't.
pub(crate) fn converse(mut child: RunningCompiler, parts: [&[u8]; 2], patience: Duration) -> io::Result<Answer> {
    let end = Instant::now().checked_add(patience);
    let [input, output, complaint] = child.streams().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut input = Input { pipe: Some(input), parts };
    let most = compiling::CODE.saturating_add(compiling::REPLY);
    let mut output = CompilerOutput { pipe: Some(output), bytes: Vec::new(), most };
    let mut complaint = CompilerOutput { pipe: Some(complaint), bytes: Vec::new(), most: compiling::COMPLAINT };
    for pipe in [input.pipe.as_ref().map(AsFd::as_fd), output.descriptor(), complaint.descriptor()] {
        pipe.map(unblock).transpose()?;
    }
    let mut killed = None;
    while killed.is_none() && (output.pipe.is_some() || complaint.pipe.is_some()) {
        let mut waited: Vec<PollFd<'_>> = Vec::with_capacity(3);
        waited.extend(input.pipe.as_ref().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLOUT)));
        let outputs = [output.descriptor(), complaint.descriptor()];
        waited.extend(outputs.into_iter().flatten().map(|pipe| PollFd::new(pipe, PollFlags::POLLIN)));
        if !wait(&mut waited, end)? {
            killed = Some(Killed::Late);
            break;
        }
        drop(waited);
        input.send();
        if !output.take()? {
            killed = Some(Killed::TalkedTooMuch);
        }
        // Complaints beyond the limit are dropped.
        complaint.take()?;
    }
    if killed.is_none() && !has_ended(&child, end)? {
        killed = Some(Killed::Late);
    }
    if killed.is_some() {
        child.kill()?;
    }
    let status = child.wait()?;
    let complaint = String::from_utf8_lossy(&complaint.bytes).into_owned();
    Ok(Answer { output: output.bytes, complaint, status, killed })
}

/// Waits until one of the descriptors is ready. False when the time is over.
fn wait(waited: &mut [PollFd<'_>], end: Option<Instant>) -> io::Result<bool> {
    loop {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(false);
        }
        // Rounded up, so that the last millisecond is not spent in a busy loop.
        let timeout = left.map(|left| left.saturating_add(Duration::from_millis(1)));
        let timeout = timeout.map_or(PollTimeout::NONE, |left| left.try_into().unwrap_or(PollTimeout::MAX));
        match poll(waited, timeout) {
            Ok(0) | Err(nix::errno::Errno::EINTR) => {}
            Ok(_) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits for the end of a child that has closed its output, for as long as an end takes.
#[cfg(target_os = "linux")]
fn has_ended(child: &RunningCompiler, end: Option<Instant>) -> io::Result<bool> {
    let process: OwnedFd;
    let readable = match child {
        RunningCompiler::Child(child) => {
            let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
            let Some(pid) = pid else { return Ok(false) };
            process = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())?;
            process.as_fd()
        }
        RunningCompiler::Forked(forked) => forked.end(),
    };
    let mut waited = [PollFd::new(readable, PollFlags::POLLIN)];
    let soon = Instant::now().checked_add(compiling::END);
    wait(&mut waited, end.into_iter().chain(soon).min())
}

#[cfg(not(target_os = "linux"))]
fn has_ended(_: &RunningCompiler, _: Option<Instant>) -> io::Result<bool> {
    Ok(true)
}

fn unblock(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(descriptor, FcntlArg::F_GETFL)?);
    fcntl(descriptor, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

struct Input<'a> {
    pipe: Option<File>,
    parts: [&'a [u8]; 2],
}

impl Input<'_> {
    /// Sends as much as the pipe takes; closes it after the last byte, or when it has no reader any more.
    fn send(&mut self) {
        let Some(pipe) = &mut self.pipe else { return };
        for part in &mut self.parts {
            while !part.is_empty() {
                match pipe.write(part) {
                    Ok(sent) => *part = part.get(sent..).unwrap_or_default(),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                    // Its end says why.
                    Err(_) => {
                        self.pipe = None;
                        return;
                    }
                }
            }
        }
        self.pipe = None;
    }
}

struct CompilerOutput {
    pipe: Option<File>,
    bytes: Vec<u8>,
    most: usize,
}

impl CompilerOutput {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Reads the bytes that are there, up to the limit. False when there were more.
    fn take(&mut self) -> io::Result<bool> {
        let Some(pipe) = &mut self.pipe else { return Ok(true) };
        let mut piece = [0; PIECE];
        loop {
            match pipe.read(&mut piece) {
                Ok(0) => {
                    self.pipe = None;
                    return Ok(true);
                }
                Ok(read) => {
                    let room = self.most.saturating_sub(self.bytes.len());
                    self.bytes.extend_from_slice(piece.get(..read.min(room)).unwrap_or_default());
                    if read > room {
                        return Ok(false);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            }
        }
    }
}
