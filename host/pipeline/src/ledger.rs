//! What the audit log is told, and what follows when it can't be written.
//!
//! `audit: required` means that nothing is allowed unrecorded. What is refused stays refused for its own reason, and
//! that it was not recorded is said.

mod body;

use std::time::Instant;

use crate::Judged;
use crate::Order;
use crate::Session;
use crate::Stop;
use crate::Stopped;
use crate::check_clock;
use smcp_audit::About;
use smcp_audit::AuditError;
use smcp_audit::AuditLog;
use smcp_audit::NewRecord;
use smcp_audit::Running;
use smcp_config::choice::Audit;
use smcp_decide::Notice;
use smcp_launch::Finished;
use smcp_model::audit::Head;
use smcp_model::decision::Consent;
use smcp_model::limits;
use smcp_model::number;
use smcp_model::package::ResolvedPackage;
use smcp_model::record::Body;
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
    pub fn open(session: &Session, activity: Activity) -> Result<(Self, Remark), Stop> {
        // Whatever the log: no decision is right about the time either.
        check_clock(session.system())?;
        let audit = session.config().audit();
        let mut ledger = Self { journal: None, audit, activity, run: None, started: None, running: None };
        let (journal, unsent) = match session.audit_log() {
            Ok(opened) => opened,
            Err(error) => return excuse(audit, error).map(|remark| (ledger, remark)),
        };
        let remark = unsent.map_or(Ok(None), |error| excuse(audit, error))?;
        ledger.journal = Some(journal);
        Ok((ledger, remark))
    }

    /// Tries whether records could be written, and writes none.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn try_out(session: &Session) -> Result<Remark, Stop> {
        let (ledger, remark) = Self::open(session, Activity { command: "doctor", asked: None })?;
        let Some(journal) = &ledger.journal else { return Ok(remark) };
        journal.try_out().map_or_else(|error| excuse(ledger.audit, error), |()| Ok(remark))
    }

    /// Records the end of every start whose smcp was killed before it could. What fails here fails once more with the
    /// next record, which says so.
    pub fn close_abandoned(&self) {
        let Some(journal) = &self.journal else { return };
        let closed = journal.abandoned(limits::AUDIT_ABANDONED).and_then(|abandoned| {
            abandoned.into_iter().try_for_each(|one| {
                let (circumstances, body) = body::abandoned(&one.about);
                let entry = NewRecord { run: Some(one.about.run), circumstances, body };
                let head = journal.append(&entry)?;
                one.recorded();
                journal.announce(head)
            })
        });
        if let Err(error) = closed {
            tracing::warn!(%error, "the ends of killed runs could not be recorded");
        }
    }

    /// Records a decision that allows.
    ///
    /// # Errors
    /// [`Stop::Audit`] when it can't be recorded and must be.
    pub fn decided(
        &mut self,
        session: &Session,
        judged: &Judged,
        context: Context,
        consent: Option<Consent>,
    ) -> Result<Remark, Stop> {
        self.write(body::decision(session.config(), judged, context, consent))
    }

    /// Records a decision that refuses. It does so recorded or not.
    pub fn refused(
        &mut self,
        session: &Session,
        judged: &Judged,
        context: Context,
        consent: Option<Consent>,
    ) -> Remark {
        said_anyway(self.decided(session, judged, context, consent))
    }

    /// Records why it ended before any policy spoke: a decision, or a failure.
    pub fn stopped(&mut self, stopped: &Stopped) -> Remark {
        let body = match stopped.document() {
            Some(document) => body::refusal(stopped, document),
            None => Body::Failure(body::failed(&stopped.subject.label(), &stopped.stop)),
        };
        said_anyway(self.write(body))
    }

    /// Records that a server is about to be started.
    ///
    /// # Errors
    /// [`Stop::Audit`] when it can't be recorded and must be; then it is not started.
    pub(super) fn starting(&mut self, package: &ResolvedPackage, order: &Order, warned: bool) -> Result<Remark, Stop> {
        let (label, asked, run) = (package.label(), self.activity.asked.clone(), self.run);
        let mut running = None;
        let remark = self.write_by(body::start(package, order, warned), |journal, entry| {
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
        let mut end = match finished {
            // The log could not be written a moment ago, and has said so.
            Err(Stop::Audit(_)) => return None,
            Err(stop) => body::failed(label, stop),
            Ok(finished) => body::end(label, *finished),
        };
        let body = match self.started {
            None => Body::Failure(end),
            Some(started) => {
                end.duration_ms = Some(number::millis(started.elapsed()));
                end.left_behind = left_behind;
                Body::End(end)
            }
        };
        let remark = said_anyway(self.write(body));
        // What could not be recorded is recorded by the next run, as far as it will know.
        if self.journal.is_some() {
            self.running.take().into_iter().for_each(Running::ended);
        }
        remark
    }

    fn write(&mut self, body: Body) -> Result<Remark, Stop> {
        self.write_by(body, AuditLog::append)
    }

    fn write_by(
        &mut self,
        body: Body,
        append: impl FnOnce(&AuditLog, &NewRecord) -> Result<Head, AuditError>,
    ) -> Result<Remark, Stop> {
        let Some(journal) = &self.journal else { return Ok(None) };
        let entry = NewRecord { run: self.run, circumstances: body::circumstances(&self.activity), body };
        match append(journal, &entry) {
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
