//! Writes the records of one command to the audit log.
//!
//! It also decides what follows when the log can't be written. With `audit: required`, nothing is allowed that was not
//! recorded. A refusal is valid for its own reason; when it could not be recorded, a notice says so.

pub(crate) mod body;

use std::time::Instant;

use crate::Failed;
use crate::Judged;
use crate::LaunchRequest;
use crate::PipelineError;
use crate::Session;
use crate::check_clock;
use crate::clock;
use smcp_audit::About;
use smcp_audit::AuditError;
use smcp_audit::AuditLog;
use smcp_audit::NewRecord;
use smcp_audit::RunningNote;
use smcp_config::choice::Audit;
use smcp_decide::Notice;
use smcp_launch::Finished;
use smcp_model::audit::Head;
use smcp_model::decision::Consent;
use smcp_model::limits;
use smcp_model::number;
use smcp_model::package::PackageRef;
use smcp_model::package::ResolvedPackage;
use smcp_model::record::Body;
use smcp_model::record::DeniedCalls;
use smcp_model::record::DeniedHost;
use smcp_model::request::Context;
use smcp_model::text::SafeText;
use smcp_policy::request;

/// What smcp was asked to do, as it is recorded.
#[derive(Debug, Clone)]
pub struct Activity {
    /// The command's name.
    pub command: &'static str,
    /// The package as it was typed; `None` where a document names it.
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
    /// When the server was started.
    started: Option<Instant>,
    /// The mark beside the log that exists as long as the server runs.
    running: Option<RunningNote>,
}

impl Recorder {
    /// Opens the audit log, before the command does anything that must be recorded. The notice is what the user has to
    /// know when records will be missing, and smcp goes on all the same.
    ///
    /// # Errors
    /// [`PipelineError::Audit`] when the log can't be written and must be; [`PipelineError::Clock`].
    pub fn open(session: &Session, activity: Activity) -> Result<(Self, Option<Notice>), PipelineError> {
        // Needed without a log, too: a decision depends on the time as well.
        check_clock(session.system())?;
        let audit = session.config().audit();
        let mut recorder = Self { log: None, audit, activity, run: None, started: None, running: None };
        let (log, unsent) = match session.audit_log() {
            Ok(opened) => opened,
            Err(error) => return tolerate(audit, error).map(|notice| (recorder, notice)),
        };
        let notice = unsent.map_or(Ok(None), |error| tolerate(audit, error))?;
        recorder.log = Some(log);
        Ok((recorder, notice))
    }

    /// Returns the context of a decision with its time: that of the clock, but not before what the audit log and this
    /// smcp prove to have happened. The notice says that the clock is behind.
    pub fn settled(&self, context: Context) -> (Context, Option<Notice>) {
        clock::settled(context, self.log.as_ref().and_then(AuditLog::latest))
    }

    /// Checks that records could be written; writes none.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn try_out(session: &Session) -> Result<Option<Notice>, PipelineError> {
        let (recorder, notice) = Self::open(session, Activity { command: "doctor", asked: None })?;
        let Some(log) = &recorder.log else { return Ok(notice) };
        log.try_out().map_or_else(|error| tolerate(recorder.audit, error), |()| Ok(notice))
    }

    /// Records the end of every server whose smcp was killed before it could do so. A failure is only logged: the next
    /// record fails for the same reason, and reports it.
    pub fn close_abandoned(&self) {
        let Some(log) = &self.log else { return };
        let closed = log.abandoned(limits::AUDIT_ABANDONED).and_then(|abandoned| {
            abandoned.into_iter().try_for_each(|start| {
                let (circumstances, body) = body::abandoned(&start.about);
                let entry = NewRecord { run: Some(start.about.run), circumstances, body };
                let head = log.append(&entry)?;
                start.recorded();
                log.announce(head)
            })
        });
        if let Err(error) = closed {
            tracing::warn!(%error, "the ends of killed runs could not be recorded");
        }
    }

    /// Records a decision that allows the package.
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

    /// Records a decision by which a server is started: it is on the disk when [`starting`](Self::starting) returns.
    ///
    /// # Errors
    /// As [`decided`](Self::decided).
    pub(super) fn cleared(
        &mut self,
        session: &Session,
        judged: &Judged,
        context: Context,
        consent: Option<Consent>,
    ) -> Result<Option<Notice>, PipelineError> {
        self.write_by(body::decision(session.config(), judged, context, consent), AuditLog::append_ahead)
    }

    /// Records a decision that refuses the package. It refuses it whether it is recorded or not.
    pub fn refused(
        &mut self,
        session: &Session,
        judged: &Judged,
        context: Context,
        consent: Option<Consent>,
    ) -> Option<Notice> {
        as_notice(self.decided(session, judged, context, consent))
    }

    /// Records what ended the command before any policy was evaluated: a decision, or a failure.
    pub fn failed(&mut self, failed: &Failed) -> Option<Notice> {
        let body = match failed.document() {
            Some(document) => body::refusal(failed, document),
            None => Body::Failure(body::failed(&failed.subject.label(), &failed.error)),
        };
        as_notice(self.write(body))
    }

    /// Records that a server is about to be started.
    ///
    /// # Errors
    /// [`PipelineError::Audit`] when it can't be recorded and must be; the server is not started then.
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

    /// Records how a launch ended, and how many files the server left beside its program, when that is known. Nothing
    /// can be refused any more, so a failure is only a notice.
    pub(super) fn ended(
        &mut self,
        label: &str,
        finished: Result<&Finished, &PipelineError>,
        left_behind: Option<usize>,
        (denied_hosts, denied_calls): (Vec<DeniedHost>, Vec<DeniedCalls>),
    ) -> Option<Notice> {
        let mut end = match finished {
            // The log could not be written a moment ago, and that has been reported.
            Err(PipelineError::Audit(_)) => return None,
            Err(error) => body::failed(label, error),
            Ok(finished) => body::end(label, *finished),
        };
        let body = match self.started {
            None => Body::Failure(end),
            Some(started) => {
                end.duration_ms = Some(number::millis(started.elapsed()));
                end.left_behind = left_behind;
                end.denied_hosts = denied_hosts;
                end.denied_calls = denied_calls;
                Body::End(end)
            }
        };
        let notice = as_notice(self.write(body));
        // Without the log the mark stays: the next run records what it can know of this end.
        if self.log.is_some() {
            self.running.take().into_iter().for_each(RunningNote::ended);
        }
        notice
    }

    /// Records an error that ends a command before there are rules to decide by, such as that of a policy set. `session` has
    /// the configuration without them: it says where the log is. Returns the error, and what is to be said of the log.
    pub fn without_rules(
        session: &Session,
        activity: Activity,
        package: &PackageRef,
        error: PipelineError,
    ) -> (PipelineError, Option<Notice>) {
        let failed = Failed::new(request::named(package, session.config().registry()), error);
        let opened = Self::open(session, activity);
        let (notice, unwritten) = match opened {
            Ok((mut recorder, notice)) => (notice, recorder.failed(&failed)),
            Err(error) => (as_notice(Err(error)), None),
        };
        (*failed.error, notice.or(unwritten))
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
                log.announce(head).map_or_else(|error| tolerate(self.audit, error), |()| Ok(None))
            }
            Err(error) => {
                // Reported once, not for every record.
                self.log = None;
                tolerate(self.audit, error)
            }
        }
    }
}

/// Returns what follows when the log fails: an error, or a notice where the configuration allows to go on.
fn tolerate(audit: Audit, error: AuditError) -> Result<Option<Notice>, PipelineError> {
    match audit {
        Audit::Required => Err(PipelineError::Audit(error)),
        Audit::BestEffort => Ok(Some(unrecorded_notice(&error))),
    }
}

/// Makes a notice of a failure of the log, for what does not depend on it, whatever the configuration says.
fn as_notice(recorded: Result<Option<Notice>, PipelineError>) -> Option<Notice> {
    match recorded {
        Err(PipelineError::Audit(error)) => Some(unrecorded_notice(&error)),
        Err(error) => Some(unrecorded_notice(&error)),
        Ok(notice) => notice,
    }
}

fn unrecorded_notice(error: &dyn std::error::Error) -> Notice {
    // A notice is one line: what to do follows what is wrong.
    let problem = error.to_string().lines().map(str::trim).collect::<Vec<_>>().join("; ");
    Notice { code: "audit-unwritten", message: SafeText::new(&format!("the audit log is not complete: {problem}")) }
}
