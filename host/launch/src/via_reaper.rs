//! A server under a reaper, as smcp holds it (Linux).
//!
//! `spawn` starts it through this, `reaper` is what it talks to. Its counterpart on other systems is `direct`.

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

/// A command that will have a reaper once it is started.
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
    /// For what a killed reaper leaves.
    adoption: Option<Adoption>,
    /// The reaper takes the end of the thread that started it for smcp's, so this stays in that thread.
    _thread: PhantomData<*const ()>,
}

/// What is in the pipe.
enum Next {
    ReaperReport(Option<ReaperReport>),
    Nothing,
    /// The reaper has gone.
    End,
}

impl Preparation {
    /// Prepares the command of a plan, which is to be spawned once and then dropped.
    pub(crate) fn of(command: &mut impl CommandExt, plan: &Plan<'_>, adoption: Option<Adoption>) -> io::Result<Self> {
        let arguments = plan.args.iter().map(OsString::as_os_str);
        let image = Image::new(&plan.program, arguments, plan.environment.variables())?;
        let (reports, write) = io::pipe()?;
        reaper::insert(command, image, plan.place.try_clone()?.into(), write.into());
        Ok(Self { reports, adoption })
    }

    /// What the command became. `spawn` has returned, so the server's program has begun, or somebody killed what was to
    /// become it.
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
                Next::ReaperReport(report) => drop(report.map(tell)),
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

    /// Readable when there is a change of the state.
    pub(crate) fn changes(&self) -> Option<BorrowedFd<'_>> {
        Some(self.reports.as_fd())
    }

    /// What the server is doing now; a stop or an end is told once. Once it has ended, so has all that came of it.
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
                Next::ReaperReport(report) => drop(report.map(tell)),
                Next::Nothing => return Ok(State::Running),
                Next::End => {
                    self.reaper.wait()?;
                    // The system has killed the server with its reaper; these are its children.
                    let _ = killpg(self.server, Signal::SIGKILL);
                    return Ok(State::Ended(Ended::ReaperKilled { whole: self.end_orphans() }));
                }
            }
        }
    }

    /// Ends the server and all that came of it, now.
    pub(crate) fn kill(&mut self) {
        let reaper = Pid::from_raw(self.reaper.id().cast_signed());
        let _ = kill(reaper, reaper::END);
        // Somebody may have stopped it.
        let _ = kill(reaper, Signal::SIGCONT);
        let _ = self.reaper.wait();
        self.end_orphans();
    }

    /// Ends what the reaper has left, if somebody killed it; whether nobody is left for certain.
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

/// Says what a report means to whoever looks into a strange machine.
fn tell(report: ReaperReport) {
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
