//! smcp as the process that adopts what a killed reaper leaves (Linux).
//!
//! The reaper adopts the orphans of the server's tree. When the reaper alone is killed, the system ends the server with
//! it, but a daemon that had left the server's group and session would live on. smcp is the next subreaper, so it gets
//! such processes and ends them.
//!
//! smcp can't tell its children apart by their origin. So it adopts only if it has no children before the reaper
//! starts: all later ones are the server's. A shell that became smcp by `exec` may have left it children; then smcp
//! adopts none.

use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::fcntl::open;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::SigSet;
use nix::sys::signal::SigmaskHow;
use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::sys::stat::Mode;
use nix::unistd::Pid;
use nix::unistd::getpid;
use nix::unistd::read;

use crate::reaper;
use smcp_model::limits;

/// The right to end every child of this process. Only a process that starts nothing but servers has it.
#[derive(Debug)]
pub struct Adoption(()); // INVARIANT: this process had no child when it was made, and is a subreaper.

impl Adoption {
    /// Makes this process a subreaper. `None` when it has children already, or the system refuses it or can't list
    /// children. Until the value is dropped, the caller must start no processes other than servers.
    pub fn begin() -> Option<Self> {
        let none = children().is_ok_and(|children| children.is_empty());
        (none && set_child_subreaper(true).is_ok()).then_some(Self(()))
    }

    /// Ends all adopted processes, after the reaper's end. True when none is left.
    pub(super) fn end_all(&self) -> bool {
        let woken = SigSet::from(Signal::SIGCHLD);
        // If another thread takes the signal, a round lasts its full time.
        let before = woken.thread_swap_mask(SigmaskHow::SIG_BLOCK);
        let ended = end_children(&woken);
        if let Ok(before) = before {
            // It was the mask until now, so the system accepts it.
            let _ = before.thread_set_mask();
        }
        ended
    }
}

impl Drop for Adoption {
    fn drop(&mut self) {
        let _ = set_child_subreaper(false);
    }
}

/// Kills children until none is left. Every orphaned descendant becomes a child. False when some can't be ended.
fn end_children(woken: &SigSet) -> bool {
    let mut rounds = limits::REAPER_SWEEP_ROUNDS;
    loop {
        let mut progress = false;
        loop {
            match reaper::reap_one() {
                Ok(Some(_)) => progress = true,
                Ok(None) => break,
                Err(Errno::EINTR) => {}
                Err(_) => return true,
            }
        }
        for child in children().unwrap_or_default() {
            let _ = kill(child, Signal::SIGKILL);
        }
        rounds = if progress { limits::REAPER_SWEEP_ROUNDS } else { rounds.saturating_sub(1) };
        if rounds == 0 {
            return false;
        }
        reaper::wait_for(woken, Some(limits::REAPER_SWEEP_ROUND));
    }
}

/// The children of this process, as the kernel lists them. Adopted ones belong to its first thread.
fn children() -> io::Result<Vec<Pid>> {
    let first = getpid();
    let path = format!("/proc/self/task/{first}/children");
    let list = open(Path::new(&path), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    let mut buffer = [0; 4096];
    let length = read(&list, &mut buffer)?;
    let mut found = Vec::new();
    reaper::each_number(buffer.get(..length).unwrap_or_default(), |child| found.push(child));
    Ok(found)
}
