//! `smcp audit export`: the records for the systems of a security team.
//!
//! It only reads the log: nothing waits for it, and no start is slower because of it.

use std::collections::VecDeque;
use std::io;
use std::io::Write as _;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use clap::Args;
use clap::ValueEnum;
use nix::fcntl::FcntlArg;
use nix::fcntl::fcntl;
use nix::sys::signal::SigSet;
use nix::sys::signal::Signal;

use crate::cli::app::App;
use crate::cli::audit;
use crate::cli::audit::cursor::CursorFile;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::policy::write::refuse_state;
use smcp_audit::FollowError;
use smcp_audit::LineKey;
use smcp_audit::LogCursor;
use smcp_audit::LogFollower;
use smcp_model::audit::Head;
use smcp_model::exit::ExitKind;
use smcp_model::number;
use smcp_model::visible;
use smcp_report::ocsf;

/// How often a log that is followed is looked at.
const INTERVAL: Duration = Duration::from_secs(1);
/// The most bytes that are written before the cursor is.
const AT_ONCE: usize = 1024 * 1024;
/// So much of it at once.
const PART: usize = 16 * 1024;
/// What may be unread in a standard output that is no pipe.
const SOCKET: u64 = 1024 * 1024;

/// Write the records for the systems of a security team: as OCSF events, or as they are.
///
/// Exits 0 at the end of the log, 3 when the log does not have the record that --cursor names.
///
/// The log is only read: a start never waits for this. Each line is one record, oldest first, the files that were put aside
/// included. An event's metadata.uid is the digest of its record, to which the next record refers.
#[derive(Debug, Args)]
pub(in crate::cli) struct ExportCommand {
    /// The form: ocsf (1.8.0, Application Lifecycle), or jsonl (the records as they are)
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    format: ExportFormat,
    /// Only records from this time on: a time, a date, or so long ago, such as 30d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Go on at the end of the log, and write what is added
    #[arg(long)]
    follow: bool,
    /// Begin where this file says, and keep in it how far the log was written
    #[arg(long, value_name = "FILE")]
    cursor: Option<PathBuf>,
}

/// The form of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    /// An event of OCSF.
    Ocsf,
    /// The record as it is.
    Jsonl,
}

impl ExportCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &App) -> Result<Exit, Failure> {
        let since = self.since.as_deref().map(|text| audit::beginning(app, text)).transpose()?;
        self.cursor.iter().try_for_each(|path| refuse_state(app, path))?;
        let cursor = self.cursor.as_deref().map(|path| app.path(path)).transpose()?;
        // Before the first record: what can't be kept is said while nothing is lost.
        let (cursor, read) = cursor.as_deref().map(CursorFile::take).transpose()?.unzip();
        let begin = read.flatten();
        let mut follower = LogFollower::after(begin);
        let mut output = ExportOutput::new(app, self.format, cursor, begin);
        loop {
            let mut parts = audit::log(app)?.parts;
            let advanced = follower.advance(&mut parts, &mut |line, cursor| {
                let time = LineKey::of(line).map(|key| key.time.into_owned()).unwrap_or_default();
                let is_wanted = since.as_ref().is_none_or(|since| time.is_empty() || time >= *since);
                output.line(line, cursor, is_wanted)
            });
            match advanced.and_then(|()| output.commit().map_err(FollowError::Output)) {
                Ok(()) if self.follow => thread::sleep(INTERVAL),
                Ok(()) => return Ok(Exit::SUCCESS),
                // Whoever reads has had enough; what it has not taken comes again.
                Err(FollowError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                    return Ok(Exit::SUCCESS);
                }
                Err(FollowError::Audit(error)) => return Err(audit::failed(error)),
                Err(error @ FollowError::Lost(_)) => {
                    return Err(Failure { exit: ExitKind::Integrity, code: "audit-cursor", ..Failure::usage(error) });
                }
                Err(error @ FollowError::Output(_)) => return Err(anyhow::Error::from(error).into()),
            }
        }
    }
}

/// What is written, and how far.
struct ExportOutput<'a> {
    app: &'a App,
    format: ExportFormat,
    cursor: Option<CursorFile>,
    /// Lines that are not written yet.
    waiting: Vec<u8>,
    /// How far the log was read.
    read: Option<LogCursor>,
    /// The bytes that standard output has taken.
    taken: u64,
    /// How many of these may be in it still, read by nobody.
    room: u64,
    /// Where lines end, and how far the log was read then: those that may be unread, and the last before them.
    ends: VecDeque<(u64, LogCursor)>,
}

impl<'a> ExportOutput<'a> {
    fn new(app: &'a App, format: ExportFormat, cursor: Option<CursorFile>, begin: Option<LogCursor>) -> Self {
        let begin = begin.unwrap_or(LogCursor { head: Head::NOTHING, after: 0 });
        let room = fcntl(io::stdout(), FcntlArg::F_GETPIPE_SZ).ok().and_then(|size| u64::try_from(size).ok());
        Self {
            app,
            format,
            cursor,
            waiting: Vec::new(),
            read: None,
            taken: 0,
            room: room.unwrap_or(SOCKET),
            ends: VecDeque::from([(0, begin)]),
        }
    }

    fn line(&mut self, line: &[u8], cursor: LogCursor, is_wanted: bool) -> io::Result<()> {
        if is_wanted {
            match self.format {
                ExportFormat::Jsonl => self.waiting.extend_from_slice(line),
                ExportFormat::Ocsf => self.waiting.extend(visible::line(&ocsf::event(line, self.app.system().now()))?),
            }
        }
        self.read = Some(cursor);
        let end = self.taken.saturating_add(number::wide(self.waiting.len()));
        match self.ends.back_mut() {
            // Nothing was written for it.
            Some((last, known)) if *last == end => *known = cursor,
            _ => self.ends.push_back((end, cursor)),
        }
        if self.waiting.len() < AT_ONCE { Ok(()) } else { self.commit() }
    }

    /// Writes what waits, and then the cursor. A signal that asks to end comes before both, or after both: so nothing is
    /// written twice.
    fn commit(&mut self) -> io::Result<()> {
        let Some(read) = self.read.take() else { return Ok(()) };
        let ends: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
        ends.thread_block()?;
        let written = self.write(read);
        ends.thread_unblock()?;
        self.waiting.clear();
        written
    }

    fn write(&mut self, read: LogCursor) -> io::Result<()> {
        let written = self.write_waiting();
        // Of those before it, all but one are needed no more.
        let surely_read = self.taken.saturating_sub(self.room);
        while self.ends.get(1).is_some_and(|(end, _)| *end <= surely_read) {
            self.ends.pop_front();
        }
        let at = match (&written, self.ends.front()) {
            (Ok(()), _) => read,
            // Whoever read has left, and what is in the pipe with it.
            (Err(error), Some((_, cursor))) if error.kind() == io::ErrorKind::BrokenPipe => *cursor,
            (Err(_), _) => return written,
        };
        self.cursor.as_mut().map_or(Ok(()), |cursor| cursor.keep(at))?;
        written
    }

    fn write_waiting(&mut self) -> io::Result<()> {
        // Not as an answer, whose reader may leave: what it has not read must come again.
        let mut out = self.app.out().0;
        // In parts: what was taken of the one that fails is not known.
        for part in self.waiting.chunks(PART) {
            out.write_all(part)?;
            out.flush()?;
            self.taken = self.taken.saturating_add(number::wide(part.len()));
        }
        Ok(())
    }
}
