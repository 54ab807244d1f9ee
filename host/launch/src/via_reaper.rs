//! A server under a reaper, from the side of smcp (Linux).
//!
//! `spawn` starts the server through this file, which reads what `reaper` reports. The counterpart on other systems is
//! `direct`.

use std::ffi::OsString;
use std::io;
use std::io::PipeReader;
use std::marker::PhantomData;
use std::os::fd::AsFd as _;
use std::os::fd::BorrowedFd;
use std::os::unix::process::CommandExt;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Child;
use std::process::ExitStatus;

use nix::errno::Errno;
use nix::fcntl::FcntlArg;
use nix::fcntl::OFlag;
use nix::fcntl::fcntl;
use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::sys::signal::killpg;
use nix::unistd::Pid;
use nix::unistd::read;

use crate::adoption::Adoption;
use crate::reaper;
use crate::reaper::image::Image;
use crate::reaper::report::Facility;
use crate::reaper::report::LENGTH;
use crate::reaper::report::ReaperReport;
use crate::spawn::Plan;
use crate::spawn::State;
use crate::status::Ended;

/// A command that is prepared to start under a reaper.
#[derive(Debug)]
pub(crate) struct Preparation {
    reports: PipeReader,
    adoption: Option<Adoption>,
}

/// A reaper and its server.
#[derive(Debug)]
pub(crate) struct Process {
    reaper: Child,
    reports: PipeReader,
    server: Pid, // INVARIANT: the leader of a group of its own.
    /// Used to end what a killed reaper leaves.
    adoption: Option<Adoption>,
    /// Keeps the value in the thread that started the reaper: the reaper takes the end of that thread for smcp's.
    _thread: PhantomData<*const ()>,
}

/// The next content of the pipe.
enum Next {
    ReaperReport(Option<ReaperReport>),
    Nothing,
    /// The reaper has ended.
    End,
}

impl Preparation {
    /// Prepares the command of a plan. The command is to be spawned once and then dropped.
    pub(crate) fn of(
        command: &mut impl CommandExt,
        plan: &mut Plan<'_>,
        adoption: Option<Adoption>,
    ) -> io::Result<Self> {
        let arguments = plan.args.iter().map(OsString::as_os_str);
        let image = Image::new(&plan.program, arguments, plan.environment.variables())?;
        let (reports, write) = io::pipe()?;
        reaper::insert(command, image, plan.place.try_clone()?.into(), write.into(), plan.locks.take());
        Ok(Self { reports, adoption })
    }

    /// Waits for the report of the start. `spawn` has returned, so either the server's program has begun, or its
    /// process was killed before.
    pub(crate) fn started(self, reaper: Child) -> io::Result<Process> {
        let server = Pid::from_raw(reaper.id().cast_signed());
        let Self { reports, adoption } = self;
        let mut process = Process { reaper, reports, server, adoption, _thread: PhantomData };
        loop {
            match process.next()? {
                Next::ReaperReport(Some(ReaperReport::Started(server))) => {
                    process.server = server;
                    fcntl(&process.reports, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
                    return Ok(process);
                }
                Next::ReaperReport(report) => drop(report.map(log)),
                Next::Nothing | Next::End => {
                    process.reaper.wait()?;
                    process.end_orphans();
                    return Err(io::Error::other("it was killed from outside before it had begun"));
                }
            }
        }
    }
}

impl Process {
    /// The server's process group.
    pub(crate) const fn group(&self) -> Pid {
        self.server
    }

    /// A descriptor that is readable when the state has changed.
    pub(crate) fn changes(&self) -> Option<BorrowedFd<'_>> {
        Some(self.reports.as_fd())
    }

    /// Returns the server's present state; a stop or an end is reported once. When the server has ended, so have all
    /// its descendants.
    pub(crate) fn state(&mut self) -> io::Result<State> {
        loop {
            match self.next()? {
                Next::ReaperReport(Some(ReaperReport::Ended(status))) => {
                    self.reaper.wait()?;
                    return Ok(State::Ended(ExitStatus::from_raw(status).into()));
                }
                Next::ReaperReport(Some(ReaperReport::Stopped(signal))) => {
                    if let Ok(signal) = Signal::try_from(signal) {
                        return Ok(State::Stopped(signal));
                    }
                }
                Next::ReaperReport(report) => drop(report.map(log)),
                Next::Nothing => return Ok(State::Running),
                Next::End => {
                    self.reaper.wait()?;
                    // The system has killed the server together with its reaper; this kills the rest of its group.
                    let _ = killpg(self.server, Signal::SIGKILL);
                    return Ok(State::Ended(Ended::ReaperKilled { whole: self.end_orphans() }));
                }
            }
        }
    }

    /// Has the reaper end the server and all its descendants, whatever groups they are in.
    pub(crate) fn end(&self) {
        let reaper = Pid::from_raw(self.reaper.id().cast_signed());
        let _ = kill(reaper, reaper::END);
        // A stopped reaper has to be resumed.
        let _ = kill(reaper, Signal::SIGCONT);
    }

    /// Ends the server and all its descendants, now.
    pub(crate) fn kill(&mut self) {
        self.end();
        let _ = self.reaper.wait();
        self.end_orphans();
    }

    /// Ends what a killed reaper has left. True when certainly no process is left.
    fn end_orphans(&self) -> bool {
        self.adoption.as_ref().is_some_and(Adoption::end_all)
    }

    fn next(&self) -> io::Result<Next> {
        let mut record = [0; LENGTH];
        loop {
            match read(&self.reports, &mut record) {
                Ok(0) => return Ok(Next::End),
                Ok(_) => return Ok(Next::ReaperReport(ReaperReport::decode(record))),
                Err(Errno::EAGAIN) => return Ok(Next::Nothing),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

/// Logs what a report means, for people who examine an unusual machine.
fn log(report: ReaperReport) {
    match report {
        ReaperReport::Lacks(Facility::Subreaper) => {
            tracing::warn!("the system refuses PR_SET_CHILD_SUBREAPER: children that leave the server are not ended");
        }
        ReaperReport::Lacks(Facility::DeathSignal) => {
            tracing::warn!("the system refuses PR_SET_PDEATHSIG: the server outlives smcp when that is killed");
        }
        ReaperReport::Lacks(Facility::Children) => tracing::warn!(
            "/proc/thread-self/children can't be read: children that leave the server's process group are not ended"
        ),
        ReaperReport::Left => tracing::warn!("some processes of the server could not be ended"),
        ReaperReport::Started(_) | ReaperReport::Stopped(_) | ReaperReport::Ended(_) => {}
    }
}
