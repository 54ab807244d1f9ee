//! smcp as the one who adopts what a killed reaper leaves (Linux).
//!
//! The reaper adopts what the server's tree orphans. When somebody kills the reaper alone, the system ends the server
//! with it, and whoever had left the server's group and session would be nobody's: a daemon that lives on. smcp is next
//! in line, so it ends them.
//!
//! It can't tell children apart by who sent them. So it adopts only where it has no children before there is a reaper:
//! whatever comes later is the server's. A shell that became smcp by `exec` may have left it some; then smcp adopts
//! nobody.

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

/// The right to end every child of this process. There is one for a process that starts nothing but servers.
#[derive(Debug)]
pub struct Adoption(()); // INVARIANT: there was no child when it was made, and the system lets this process adopt.

impl Adoption {
    /// Makes this process adopt; none when it has children already, or the system can't do it or can't list them. The
    /// caller starts no process of its own before it is dropped, but those of launches.
    pub fn begin() -> Option<Self> {
        let none = children().is_ok_and(|children| children.is_empty());
        (none && set_child_subreaper(true).is_ok()).then_some(Self(()))
    }

    /// Ends all that was adopted, when the reaper is gone; whether nobody is left.
    pub(super) fn end_all(&self) -> bool {
        let woken = SigSet::from(Signal::SIGCHLD);
        // Another thread may take the signal; then a round lasts its time.
        let before = woken.thread_swap_mask(SigmaskHow::SIG_BLOCK);
        let ended = end_children(&woken);
        if let Ok(before) = before {
            // It was the mask until now, so the system takes it.
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

/// Kills children until there is none: whoever loses its parent becomes one.
fn end_children(woken: &SigSet) -> bool {
    let mut patience = limits::REAPER_SWEEP_ROUNDS;
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
        patience = if progress { limits::REAPER_SWEEP_ROUNDS } else { patience.saturating_sub(1) };
        if patience == 0 {
            return false;
        }
        reaper::wait_for(woken, Some(limits::REAPER_SWEEP_ROUND));
    }
}

/// The children of this process, as the kernel has them: those who are adopted go to its first thread.
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
