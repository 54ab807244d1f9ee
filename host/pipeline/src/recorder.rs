//! What the audit log is told, and what follows when it can't be written.
//!
//! `audit: required` means that nothing is allowed unrecorded. What is refused stays refused for its own reason, and
//! that it was not recorded is said.

mod body;

use std::time::Instant;

use crate::Failed;
use crate::Judged;
use crate::LaunchRequest;
use crate::PipelineError;
use crate::Session;
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
pub struct Recorder {
    log: Option<AuditLog>,
    audit: Audit,
    activity: Activity,
    /// The number of its first record.
    run: Option<u64>,
    /// Since when a server runs.
    started: Option<Instant>,
    /// What is kept beside the log as long as it runs.
    running: Option<Running>,
}

impl Recorder {
    /// Opens the audit log, before anything is done that belongs into it.
    ///
    /// # Errors
    /// [`PipelineError::Audit`] when it can't be written and must be; [`PipelineError::Clock`].
    pub fn open(session: &Session, activity: Activity) -> Result<(Self, Option<Notice>), PipelineError> {
        // Whatever the log: no decision is right about the time either.
        check_clock(session.system())?;
        let audit = session.config().audit();
        let mut recorder = Self { log: None, audit, activity, run: None, started: None, running: None };
        let (log, unsent) = match session.audit_log() {
            Ok(opened) => opened,
            Err(error) => return excuse(audit, error).map(|notice| (recorder, notice)),
        };
        let notice = unsent.map_or(Ok(None), |error| excuse(audit, error))?;
        recorder.log = Some(log);
        Ok((recorder, notice))
    }

    /// Tries whether records could be written, and writes none.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn try_out(session: &Session) -> Result<Option<Notice>, PipelineError> {
        let (recorder, notice) = Self::open(session, Activity { command: "doctor", asked: None })?;
        let Some(log) = &recorder.log else { return Ok(notice) };
        log.try_out().map_or_else(|error| excuse(recorder.audit, error), |()| Ok(notice))
    }

    /// Records the end of every start whose smcp was killed before it could. What fails here fails once more with the
    /// next record, which says so.
    pub fn close_abandoned(&self) {
        let Some(log) = &self.log else { return };
        let closed = log.abandoned(limits::AUDIT_ABANDONED).and_then(|abandoned| {
            abandoned.into_iter().try_for_each(|one| {
                let (circumstances, body) = body::abandoned(&one.about);
                let entry = NewRecord { run: Some(one.about.run), circumstances, body };
                let head = log.append(&entry)?;
                one.recorded();
                log.announce(head)
            })
        });
        if let Err(error) = closed {
            tracing::warn!(%error, "the ends of killed runs could not be recorded");
        }
    }

    /// Records a decision that allows.
    ///
    /// # Errors
    /// [`PipelineError::Audit`] when it can't be recorded and must be.
    pub fn decided(
        &mut self,
        session: &Session,
        judged: &Judged,
        context: Context,
        consent: Option<Consent>,
    ) -> Result<Option<Notice>, PipelineError> {
        self.write(body::decision(session.config(), judged, context, consent))
    }

    /// Records a decision that refuses. It does so recorded or not.
    pub fn refused(
        &mut self,
        session: &Session,
        judged: &Judged,
        context: Context,
        consent: Option<Consent>,
    ) -> Option<Notice> {
        said_anyway(self.decided(session, judged, context, consent))
    }

    /// Records why it ended before any policy spoke: a decision, or a failure.
    pub fn failed(&mut self, failed: &Failed) -> Option<Notice> {
        let body = match failed.document() {
            Some(document) => body::refusal(failed, document),
            None => Body::Failure(body::failed(&failed.subject.label(), &failed.error)),
        };
        said_anyway(self.write(body))
    }

    /// Records that a server is about to be started.
    ///
    /// # Errors
    /// [`PipelineError::Audit`] when it can't be recorded and must be; then it is not started.
    pub(super) fn starting(
        &mut self,
        package: &ResolvedPackage,
        request: &LaunchRequest,
        warned: bool,
    ) -> Result<Option<Notice>, PipelineError> {
        let (label, asked, run) = (package.label(), self.activity.asked.clone(), self.run);
        let mut running = None;
        let notice = self.write_by(body::start(package, request, warned), |log, entry| {
            let about = |start: Head| About { run: run.unwrap_or(start.seq), start, package: label, asked };
            let (head, noted) = log.append_start(entry, about)?;
            running = noted;
            Ok(head)
        })?;
        self.running = running;
        self.started = Some(Instant::now());
        Ok(notice)
    }

    /// Records how a launch ended: that of the server, if there was one, and how many files it left beside its program,
    /// when that is known. Nothing can be refused any more.
    pub(super) fn ended(
        &mut self,
        label: &str,
        finished: Result<&Finished, &PipelineError>,
        left_behind: Option<usize>,
    ) -> Option<Notice> {
        let mut end = match finished {
            // The log could not be written a moment ago, and has said so.
            Err(PipelineError::Audit(_)) => return None,
            Err(error) => body::failed(label, error),
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
        let notice = said_anyway(self.write(body));
        // What could not be recorded is recorded by the next run, as far as it will know.
        if self.log.is_some() {
            self.running.take().into_iter().for_each(Running::ended);
        }
        notice
    }

    fn write(&mut self, body: Body) -> Result<Option<Notice>, PipelineError> {
        self.write_by(body, AuditLog::append)
    }

    fn write_by(
        &mut self,
        body: Body,
        append: impl FnOnce(&AuditLog, &NewRecord) -> Result<Head, AuditError>,
    ) -> Result<Option<Notice>, PipelineError> {
        let Some(log) = &self.log else { return Ok(None) };
        let entry = NewRecord { run: self.run, circumstances: body::circumstances(&self.activity), body };
        match append(log, &entry) {
            Ok(head) => {
                self.run.get_or_insert(head.seq);
                log.announce(head).map_or_else(|error| excuse(self.audit, error), |()| Ok(None))
            }
            Err(error) => {
                // Said once, not for every record.
                self.log = None;
                excuse(self.audit, error)
            }
        }
    }
}

/// What follows when the log fails.
fn excuse(audit: Audit, error: AuditError) -> Result<Option<Notice>, PipelineError> {
    match audit {
        Audit::Required => Err(PipelineError::Audit(error)),
        Audit::BestEffort => Ok(Some(unrecorded(&error))),
    }
}

/// For what does not depend on the log: its failure is said, whatever the configuration.
fn said_anyway(recorded: Result<Option<Notice>, PipelineError>) -> Option<Notice> {
    match recorded {
        Err(PipelineError::Audit(error)) => Some(unrecorded(&error)),
        Err(error) => Some(unrecorded(&error)),
        Ok(notice) => notice,
    }
}

fn unrecorded(error: &dyn std::error::Error) -> Notice {
    // A notice is one line: what to do follows what is wrong.
    let said = error.to_string().lines().map(str::trim).collect::<Vec<_>>().join("; ");
    Notice { code: "audit-unwritten", message: SafeText::new(&format!("the audit log is not complete: {said}")) }
}
