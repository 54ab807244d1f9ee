//! What the audit log is told, and what follows when it can't be written.
//!
//! `audit: required` means that nothing is allowed unrecorded. What is refused stays refused for its own reason, and
//! that it was not recorded is said.

mod body;

use std::io;
use std::path::Path;
use std::time::Instant;

use serde_json::Value;

use crate::Judged;
use crate::Order;
use crate::Stop;
use crate::Stopped;
use crate::find;
use smcp_audit::About;
use smcp_audit::AuditError;
use smcp_audit::AuditLog;
use smcp_audit::NewRecord;
use smcp_audit::Running;
use smcp_authority as authority;
use smcp_config::Config;
use smcp_config::choice::Audit;
use smcp_config::choice::AuditHead;
use smcp_decide::Consent;
use smcp_decide::Notice;
use smcp_launch::Finished;
use smcp_model::audit::Event;
use smcp_model::audit::Head;
use smcp_model::limits;
use smcp_model::package::ResolvedPackage;
use smcp_model::request::Context;
use smcp_model::text::SafeText;

/// What smcp was asked to do, as records have it.
#[derive(Debug, Clone)]
pub struct Activity {
    /// The command's name.
    pub command: &'static str,
    /// The package as it was typed; none where a document names it.
    pub asked: Option<String>,
}

/// The records of one command.
#[derive(Debug)]
pub struct Ledger {
    journal: Option<AuditLog>,
    audit: Audit,
    activity: Activity,
    /// The number of its first record.
    run: Option<u64>,
    /// Since when a server runs.
    started: Option<Instant>,
    /// What is kept beside the log as long as it runs.
    running: Option<Running>,
}

/// What to say when something was not recorded, and smcp goes on all the same.
pub type Remark = Option<Notice>;

impl Ledger {
    /// Opens the audit log, before anything is done that belongs into it.
    ///
    /// # Errors
    /// [`Stop::Audit`] when it can't be written and must be; [`Stop::Clock`].
    pub fn open(config: &Config, activity: Activity) -> Result<(Self, Remark), Stop> {
        // Whatever the log: no decision is right about the time either.
        find::check_clock()?;
        let audit = config.audit();
        let mut ledger = Self { journal: None, audit, activity, run: None, started: None, running: None };
        let mut journal = match journal(config) {
            Ok(journal) => journal,
            Err(error) => return excuse(audit, error).map(|remark| (ledger, remark)),
        };
        // Not even one record: said here, or each policy would fail for the same reason, as if by the package's fault.
        if let Err(error) = journal.fits_below(authority::file_size()) {
            return excuse(audit, error).map(|remark| (ledger, remark));
        }
        let sends = match config.audit_head() {
            AuditHead::None => Ok(()),
            AuditHead::Syslog => {
                authority::system_log().map_err(AuditError::Head).and_then(|socket| journal.send_heads(socket))
            }
        };
        // What can't be told to the system's log is in ours all the same.
        let remark = sends.map_or_else(|error| excuse(audit, error), |()| Ok(None))?;
        ledger.journal = Some(journal);
        Ok((ledger, remark))
    }

    /// Tries whether records could be written, and writes none.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn try_out(config: &Config) -> Result<Remark, Stop> {
        let (ledger, remark) = Self::open(config, Activity { command: "doctor", asked: None })?;
        let Some(journal) = &ledger.journal else { return Ok(remark) };
        journal.try_out().map_or_else(|error| excuse(ledger.audit, error), |()| Ok(remark))
    }

    /// Records the end of every start whose smcp was killed before it could. What fails here fails once more with the
    /// next record, which says so.
    pub fn close_abandoned(&self) {
        let Some(journal) = &self.journal else { return };
        let closed = journal.abandoned(limits::AUDIT_ABANDONED).and_then(|abandoned| {
            abandoned.into_iter().try_for_each(|one| {
                let entry =
                    NewRecord { event: Event::End, run: Some(one.about.run), body: body::abandoned(&one.about) };
                let head = journal.append(&entry)?;
                one.recorded();
                journal.announce(head)
            })
        });
        if let Err(error) = closed {
            tracing::warn!(%error, "the ends of killed runs could not be recorded");
        }
    }

    /// Records a decision that allows: `document` is what was said of it.
    ///
    /// # Errors
    /// [`Stop::Audit`] when it can't be recorded and must be.
    pub fn decided(
        &mut self,
        config: &Config,
        judged: &Judged,
        context: Context,
        consent: Option<Consent>,
        document: Value,
    ) -> Result<Remark, Stop> {
        let body = body::decision(config, judged, context, consent, document);
        self.write(Event::Decision, body)
    }

    /// Records a decision that refuses. It does so recorded or not.
    pub fn refused(
        &mut self,
        config: &Config,
        judged: &Judged,
        context: Context,
        consent: Option<Consent>,
        document: Value,
    ) -> Remark {
        said_anyway(self.decided(config, judged, context, consent, document))
    }

    /// Records why it ended before any policy spoke: `document` is what was said of it, when it is a decision.
    pub fn stopped(&mut self, stopped: &Stopped, document: Option<Value>) -> Remark {
        let recorded = match document {
            Some(document) => self.write(Event::Decision, body::refusal(stopped, document)),
            None => self.write(Event::Failure, body::failure(&stopped.subject.label(), &stopped.stop)),
        };
        said_anyway(recorded)
    }

    /// Records that a server is about to be started.
    ///
    /// # Errors
    /// [`Stop::Audit`] when it can't be recorded and must be; then it is not started.
    pub(super) fn starting(&mut self, package: &ResolvedPackage, order: &Order, warned: bool) -> Result<Remark, Stop> {
        let (label, asked, run) = (package.label(), self.activity.asked.clone(), self.run);
        let mut running = None;
        let remark = self.write_by(Event::Start, body::start(package, order, warned), |journal, entry| {
            let about = |start: Head| About { run: run.unwrap_or(start.seq), start, package: label, asked };
            let (head, noted) = journal.append_start(entry, about)?;
            running = noted;
            Ok(head)
        })?;
        self.running = running;
        self.started = Some(Instant::now());
        Ok(remark)
    }

    /// Records how a launch ended: that of the server, if there was one, and how many files it left beside its program,
    /// when that is known. Nothing can be refused any more.
    pub(super) fn ended(
        &mut self,
        label: &str,
        finished: Result<&Finished, &Stop>,
        left_behind: Option<usize>,
    ) -> Remark {
        let event = if self.started.is_some() { Event::End } else { Event::Failure };
        let mut body = match finished {
            // The log could not be written a moment ago, and has said so.
            Err(Stop::Audit(_)) => return None,
            Err(stop) => body::failure(label, stop),
            Ok(finished) => body::end(label, *finished),
        };
        if let Some(started) = self.started {
            let elapsed = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            body.insert("duration_ms".to_owned(), elapsed.into());
            body.extend(left_behind.map(|count| ("left_behind".to_owned(), count.into())));
        }
        let remark = said_anyway(self.write(event, body));
        // What could not be recorded is recorded by the next run, as far as it will know.
        if self.journal.is_some() {
            self.running.take().into_iter().for_each(Running::ended);
        }
        remark
    }

    fn write(&mut self, event: Event, facts: body::Body) -> Result<Remark, Stop> {
        self.write_by(event, facts, AuditLog::append)
    }

    fn write_by(
        &mut self,
        event: Event,
        facts: body::Body,
        append: impl FnOnce(&AuditLog, &NewRecord) -> Result<Head, AuditError>,
    ) -> Result<Remark, Stop> {
        let Some(journal) = &self.journal else { return Ok(None) };
        let mut body = body::circumstances(&self.activity);
        body.extend(facts);
        match append(journal, &NewRecord { event, run: self.run, body }) {
            Ok(head) => {
                self.run.get_or_insert(head.seq);
                journal.announce(head).map_or_else(|error| excuse(self.audit, error), |()| Ok(None))
            }
            Err(error) => {
                // Said once, not for every record.
                self.journal = None;
                excuse(self.audit, error)
            }
        }
    }
}

/// What follows when the log fails.
fn excuse(audit: Audit, error: AuditError) -> Result<Remark, Stop> {
    match audit {
        Audit::Required => Err(Stop::Audit(error)),
        Audit::BestEffort => Ok(Some(unrecorded(&error))),
    }
}

/// For what does not depend on the log: its failure is said, whatever the configuration.
fn said_anyway(recorded: Result<Remark, Stop>) -> Remark {
    match recorded {
        Err(Stop::Audit(error)) => Some(unrecorded(&error)),
        Err(stop) => Some(unrecorded(&stop)),
        Ok(remark) => remark,
    }
}

fn unrecorded(error: &dyn std::error::Error) -> Notice {
    // A notice is one line: what to do follows what is wrong.
    let said = error.to_string().lines().map(str::trim).collect::<Vec<_>>().join("; ");
    Notice { code: "audit-unwritten", message: SafeText::new(&format!("the audit log is not complete: {said}")) }
}

fn journal(config: &Config) -> Result<AuditLog, AuditError> {
    let log = config.audit_log().ok_or(AuditError::NoHome)?;
    let folder = log.parent().unwrap_or(log);
    let dir = authority::create_dir(folder).map_err(|cause| unreachable(folder, cause))?;
    AuditLog::open(dir, log, authority::caller(), authority::clock).map_err(where_it_leads)
}

/// The same error, with the place that is meant where what it names is a link, or is behind one.
fn where_it_leads(error: AuditError) -> AuditError {
    let AuditError::Unsafe { path, what, remedy } = error else { return error };
    match authority::resolve(&path).ok().filter(|real| *real != path) {
        Some(real) => AuditError::Unsafe { what: format!("it leads to {}, and {what}", real.display()), path, remedy },
        None => AuditError::Unsafe { path, what, remedy },
    }
}

/// Why there is no folder for the log: also that HOME is somebody else's, which `sudo -E` makes easy.
fn unreachable(folder: &Path, cause: io::Error) -> AuditError {
    if cause.kind() == io::ErrorKind::NotFound && authority::exists(folder).is_ok_and(|there| there) {
        let (what, remedy) =
            ("it is a link that leads nowhere", "make the folder that it leads to, or remove the link");
        return AuditError::Unsafe { path: folder.to_path_buf(), what: what.to_owned(), remedy: remedy.to_owned() };
    }
    let home = authority::home().filter(|home| folder.starts_with(home));
    let foreign = home.and_then(|home| authority::foreign_owner(&home).map(|uid| (home, uid)));
    match foreign {
        Some((home, uid)) if cause.kind() == io::ErrorKind::PermissionDenied => {
            AuditError::ForeignHome { home, uid, cause }
        }
        Some(_) | None => AuditError::io("make the folder of", folder)(cause),
    }
}
