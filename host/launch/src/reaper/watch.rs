//! The main loop of the reaper: waits for the end, then kills what is left.
//!
//! `reaper` calls it, and the rules of that file hold here too: nothing allocates, locks or panics. It sends its
//! findings to `via_reaper` in the form of `report`.

use std::os::fd::BorrowedFd;
use std::time::Instant;

use nix::fcntl::OFlag;
use nix::fcntl::open;
use nix::libc::WIFSTOPPED;
use nix::libc::WSTOPSIG;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::prctl::set_name;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::SigSet;
use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::sys::signal::killpg;
use nix::sys::stat::Mode;
use nix::unistd::Pid;
use nix::unistd::chdir;
use nix::unistd::getppid;
use nix::unistd::read;
use nix::unistd::write;

use crate::reaper::END;
use crate::reaper::ORPHANED;
use crate::reaper::close_all_but;
use crate::reaper::exit;
use crate::reaper::reap_one;
use crate::reaper::report::Facility;
use crate::reaper::report::ReaperReport;
use crate::reaper::restore;
use crate::reaper::wait_for;
use smcp_model::limits;

/// The reaper's name in a list of processes. It doesn't contain `smcp`, so that killing all `smcp` by name does not
/// kill the processes that clean up after them.
const NAME: &std::ffi::CStr = c"mcp-keeper";
/// The kernel's list of the children of this process.
const CHILDREN: &std::ffi::CStr = c"/proc/thread-self/children";

/// A reaper without a server yet.
pub(super) struct Watch<'f> {
    smcp: Pid,
    reports: BorrowedFd<'f>,
}

impl<'f> Watch<'f> {
    /// Makes this process a reaper. Called before there is a server, so that no orphan is missed.
    pub(super) fn prepare(smcp: Pid, reports: BorrowedFd<'f>) -> Self {
        let this = Self { smcp, reports };
        // The inherited disposition is a handler of smcp's, or its parent's wish to ignore children.
        restore(Signal::SIGCHLD);
        if set_child_subreaper(true).is_err() {
            this.report(ReaperReport::Lacks(Facility::Subreaper));
        }
        if set_pdeathsig(ORPHANED).is_err() {
            this.report(ReaperReport::Lacks(Facility::DeathSignal));
        }
        if getppid() != smcp {
            // smcp died before the death signal was set.
            exit();
        }
        this
    }

    /// Stays with the server until it and all its descendants have ended.
    pub(super) fn over(self, server: Pid) -> ! {
        if each_child(|_| {}).is_err() {
            self.report(ReaperReport::Lacks(Facility::Children));
        }
        let _ = set_name(NAME);
        // The run's folder will be removed, so the reaper must not stay in it.
        let _ = chdir(c"/");
        // Comes last: smcp's `spawn` waits until this process has closed its descriptors.
        close_all_but(self.reports);
        let mut reaper = Reaper { watch: self, server, status: None };
        if reaper.wait() == Over::Orphaned {
            reaper.ask_to_end();
        }
        let swept = reaper.sweep();
        if !swept {
            reaper.watch.report(ReaperReport::Left);
        }
        if let Some(status) = reaper.status {
            reaper.watch.report(ReaperReport::Ended(status));
        }
        exit()
    }

    /// Sends a report. It fails only when smcp has died, which is noticed elsewhere.
    pub(super) fn report(&self, report: ReaperReport) {
        let _ = write(self.reports, &report.encode());
    }
}

/// The reason why the wait is over.
#[derive(PartialEq, Eq)]
enum Over {
    /// The server has ended.
    Ended,
    /// smcp has died.
    Orphaned,
    /// smcp asked to end everything.
    Asked,
}

struct Reaper<'f> {
    watch: Watch<'f>,
    server: Pid,
    /// The server's wait status, once it has ended.
    status: Option<i32>,
}

impl Reaper<'_> {
    fn wait(&mut self) -> Over {
        let signals = SigSet::from_iter([Signal::SIGCHLD, END, ORPHANED]);
        let mut latest = None;
        loop {
            // Everything is checked after each wake, because several signals of one kind may arrive as one.
            if !self.reap() || self.status.is_some() {
                return Over::Ended;
            }
            if getppid() != self.watch.smcp {
                return Over::Orphaned;
            }
            if latest == Some(END as i32) {
                return Over::Asked;
            }
            latest = wait_for(&signals, None);
        }
    }

    /// Reaps all children that have ended, adopted ones too. True when any child is left.
    fn reap(&mut self) -> bool {
        loop {
            match reap_one() {
                Ok(Some((child, status))) if child == self.server => self.note(status),
                Ok(Some(_)) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }

    fn note(&mut self, status: i32) {
        if WIFSTOPPED(status) {
            self.watch.report(ReaperReport::Stopped(WSTOPSIG(status)));
        } else {
            self.status = Some(status);
        }
    }

    /// Asks the server to end, once smcp has died. It gets one SIGTERM and a short time, because no client waits any
    /// more.
    fn ask_to_end(&mut self) {
        let _ = killpg(self.server, Signal::SIGTERM);
        // A stopped process acts on the signal only when it is resumed.
        let _ = killpg(self.server, Signal::SIGCONT);
        let start = Instant::now();
        while self.reap() && self.status.is_none() {
            let left = limits::REAPER_ORPHAN_GRACE.saturating_sub(start.elapsed());
            if left.is_zero() {
                return;
            }
            wait_for(&SigSet::from(Signal::SIGCHLD), Some(left));
        }
    }

    /// Kills every descendant. True when none is left.
    ///
    /// Only children can be killed without a risk for other processes: their numbers are not reused before we have
    /// reaped them. That is enough, because every orphaned descendant becomes a child.
    fn sweep(&mut self) -> bool {
        // Kills most of them at once. The kernel reserves the group's number while a member lives.
        let _ = killpg(self.server, Signal::SIGKILL);
        let mut rounds = limits::REAPER_SWEEP_ROUNDS;
        while self.reap() {
            let _ = each_child(|child| {
                let _ = kill(child, Signal::SIGKILL);
            });
            if wait_for(&SigSet::from(Signal::SIGCHLD), Some(limits::REAPER_SWEEP_ROUND)).is_some() {
                rounds = limits::REAPER_SWEEP_ROUNDS;
            } else if rounds == 0 {
                return false;
            } else {
                rounds = rounds.saturating_sub(1);
            }
        }
        true
    }
}

/// Calls `act` for each child of this process; when there are many, for the first few hundred.
fn each_child(act: impl FnMut(Pid)) -> nix::Result<()> {
    let list = open(CHILDREN, OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    let mut buffer = [0; 4096];
    let length = read(&list, &mut buffer)?;
    each_number(buffer.get(..length).unwrap_or_default(), act);
    Ok(())
}

/// Calls `act` for each process number in a list of the kernel. A space follows every number; a number without one was
/// cut off and is skipped.
pub(crate) fn each_number(list: &[u8], mut act: impl FnMut(Pid)) {
    let mut number: i32 = 0;
    for byte in list {
        if byte.is_ascii_digit() {
            number = number.saturating_mul(10).saturating_add(i32::from(byte & 0x0f));
        } else {
            // 0 and 1 would mean our own group and init; the kernel lists neither.
            if number > 1 {
                act(Pid::from_raw(number));
            }
            number = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(list: &str) -> Vec<i32> {
        let mut found = Vec::new();
        each_number(list.as_bytes(), |child| found.push(child.as_raw()));
        found
    }

    #[test]
    fn a_list_of_children_is_read_as_the_kernel_writes_it() {
        let cases: [(&str, &[i32]); 7] = [
            ("", &[]),
            ("7 ", &[7]),
            ("7 4194304 12 ", &[7, 4_194_304, 12]),
            ("7 41943", &[7]),
            ("0 1 2 ", &[2]),
            ("99999999999999 ", &[i32::MAX]),
            (" \n- ", &[]),
        ];
        for (list, expected) in cases {
            assert_eq!(numbers(list), expected, "{list:?}");
        }
    }
}
