//! Shows a decision, asks for consent, and makes an exit code of both.

use std::path::Path;
use std::time::Duration;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use smcp_authority as authority;
use smcp_model::client_error::ClientError;
use smcp_model::deadline::Deadline;
use smcp_model::decision::Consent;
use smcp_model::draft::Draft;
use smcp_model::exit::ExitKind;
use smcp_model::mode::Effect;
use smcp_model::package::PackageRef;
use smcp_model::request::Context;
use smcp_model::request::Subject;
use smcp_model::warning::Warning;
use smcp_pipeline as pipeline;
use smcp_pipeline::Activity;
use smcp_pipeline::Audience;
use smcp_pipeline::Ended;
use smcp_pipeline::Failed;
use smcp_pipeline::Judged;
use smcp_pipeline::Notice;
use smcp_pipeline::Recorder;
use smcp_pipeline::Session;
use smcp_report::Purpose;
use smcp_report::Report;
use smcp_report::Start;
use smcp_report::client_error;
use smcp_report::draft;
use smcp_report::human;
use smcp_report::prompt;
use smcp_report::sarif::SarifOrigin;
use smcp_report::summary;
use smcp_report::warning;

impl App {
    /// Decides about a package without starting it, and shows the decision.
    pub(super) fn dry_run(
        &mut self,
        session: &Session,
        reference: &PackageRef,
        trust: bool,
        timeout: Duration,
        purpose: Purpose,
    ) -> Result<Exit, Failure> {
        let command = if purpose == Purpose::DryRun { "run --dry-run" } else { "policy check" };
        let mut recorder = self.recorder(session, command, Some(reference))?;
        let context = self.settled_context(session, &recorder, trust);
        let deadline = Deadline::after(timeout);
        let evaluated = pipeline::evaluate_package(session, reference, context, &deadline, &mut *self.progress());
        self.conclude(Some((session, &mut recorder)), context, evaluated.map(|(_, judged)| judged), purpose)
    }

    /// Records and shows the decision of a command that only decides; without a recorder, shows it. Never asks: a question
    /// is a refusal unless `--trust` answers it (spec section 3).
    pub(super) fn conclude(
        &mut self,
        recorder: Option<(&Session, &mut Recorder)>,
        context: Context,
        evaluated: Result<Judged, Failed>,
        purpose: Purpose,
    ) -> Result<Exit, Failure> {
        let judged = match evaluated {
            Ok(judged) => judged,
            Err(failed) => {
                let notice = recorder.and_then(|(_, recorder)| recorder.failed(&failed));
                self.warn_unrecorded(notice);
                return self.report_failure(failed, purpose);
            }
        };
        let trusted = context.trust.then_some(Consent::Trusted);
        let asked = judged.ruling.effect() == Effect::Ask;
        let consent = asked.then_some(trusted.unwrap_or(Consent::NobodyToAsk));
        let exit = judged.exit(consent);
        // Before it is shown: a decision that allows and can't be recorded does not count.
        let notice = match recorder {
            Some((session, recorder)) if exit == ExitKind::Success => {
                recorder.decided(session, &judged, context, consent)?
            }
            Some((session, recorder)) => recorder.refused(session, &judged, context, consent),
            None => None,
        };
        self.warn_unrecorded(notice);
        self.show(&report(&judged, trusted, purpose, exit))?;
        Ok(exit.into())
    }

    /// Reports why a launch ended before its server ran, unless the decision that was shown says so already.
    pub(super) fn report_failure(&mut self, failed: Failed, purpose: Purpose) -> Result<Exit, Failure> {
        let message = failed.error.explained();
        match failed_report(&failed, &message, purpose) {
            None => Err((*failed.error).into()),
            Some(_) if failed.error.was_shown() => Ok(failed.error.exit_kind().into()),
            Some(report) => {
                self.show(&report)?;
                Ok(report.exit.into())
            }
        }
    }

    /// Shows one decision: before a launch on standard error, which leaves standard output to the server. A standard
    /// error that can't be written doesn't change the decision.
    fn show(&mut self, report: &Report<'_>) -> std::io::Result<()> {
        match self.write(report) {
            Err(_) if report.purpose == Purpose::Launch => Ok(()),
            written => written,
        }
    }

    fn write(&mut self, report: &Report<'_>) -> std::io::Result<()> {
        if report.purpose == Purpose::Launch {
            let style = self.error_style();
            return human::decision(report, &mut self.err(), &style);
        }
        let origin = SarifOrigin { file: self.named_config().and_then(Path::to_str) };
        self.format().decision(report, origin, &mut self.out(), &self.output_style())
    }

    /// Returns what the server would have access to, where it is shown: on a terminal, unless `--quiet` is given. A
    /// package that is refused gets no access.
    fn shown_start<'j>(&self, judged: &'j Judged) -> Option<Start<'j>> {
        let shown = self.terminals().stderr && !self.is_quiet() && judged.ruling.effect() < Effect::Block;
        let access = judged.access.as_ref().filter(|_| shown)?;
        Some(Start { access })
    }

    /// Opens the audit log for a command that decides.
    pub(super) fn recorder(
        &self,
        session: &Session,
        command: &'static str,
        asked: Option<&PackageRef>,
    ) -> Result<Recorder, Failure> {
        let activity = Activity { command, asked: asked.map(ToString::to_string) };
        let (recorder, notice) = Recorder::open(session, activity)?;
        self.warn_unrecorded(notice);
        recorder.close_abandoned();
        Ok(recorder)
    }

    /// Returns the context of a decision that is made now. When the clock is behind, says so, and which exceptions have
    /// ended all the same.
    pub(super) fn settled_context(&self, session: &Session, recorder: &Recorder, trust: bool) -> Context {
        let clock = self.context(trust);
        let (context, behind) = recorder.settled(clock);
        behind.iter().for_each(|notice| self.warn_always(notice.message.as_str()));
        let ended = |context: Context| session.config().ended_exceptions(context.evaluated_at);
        let said = ended(clock);
        ended(context)
            .iter()
            .filter(|notice| !said.contains(notice))
            .for_each(|notice| self.notice(&notice.to_string()));
        context
    }

    fn warn_unrecorded(&self, notice: Option<Notice>) {
        notice.iter().for_each(|notice| self.warn_always(notice.message.as_str()));
    }

    /// Returns the audience of a launch.
    pub(super) fn audience(&mut self, trust: bool) -> LaunchAudience<'_> {
        LaunchAudience { app: self, trust, refusal: None }
    }

    /// Returns the exit code of a server that has ended; shows a notice when it is not the server's own.
    pub(super) fn ended(&mut self, ended: Ended) -> Exit {
        if let Some(message) = ended.message() {
            self.warn_always(&message);
        }
        Exit::Server(ended.exit_code())
    }
}

/// Returns what a client is told of a launch that ended without a decision of the policies.
pub(super) fn client_error_of(failed: &Failed) -> ClientError {
    let message = failed.error.explained();
    match failed_report(failed, &message, Purpose::Launch) {
        Some(report) => client_error::decision(&report),
        None => client_error::failure(Some(&failed.subject.label()), failed.error.exit_kind().code(), &message),
    }
}

/// Returns the report of an error that is a decision, although no policy was evaluated; `None` when it is a failure.
pub(super) fn failed_report<'a>(failed: &'a Failed, message: &'a str, purpose: Purpose) -> Option<Report<'a>> {
    Some(Report {
        subject: &failed.subject,
        conclusion: failed.conclusion(message)?,
        notices: &failed.notices,
        lifts: &[],
        consent: None,
        start: None,
        brief: false,
        purpose,
        exit: failed.error.exit_kind(),
    })
}

pub(super) fn report(judged: &Judged, consent: Option<Consent>, purpose: Purpose, exit: ExitKind) -> Report<'_> {
    Report {
        subject: &judged.subject,
        conclusion: judged.conclusion(),
        notices: &judged.notices,
        lifts: &judged.lifts,
        consent,
        start: None,
        brief: false,
        purpose,
        exit,
    }
}

/// The audience of a launch: standard error, and a user at the terminal where there is one.
pub(super) struct LaunchAudience<'a> {
    app: &'a mut App,
    trust: bool,
    /// What a client is told, once a decision was shown that starts nothing.
    refusal: Option<ClientError>,
}

impl LaunchAudience<'_> {
    /// Returns what a client is told, when a decision was shown that starts nothing.
    pub(super) fn into_refusal(self) -> Option<ClientError> {
        self.refusal
    }

    /// Shows in short what is about to start.
    fn summarise(&self, judged: &Judged, start: Start<'_>) {
        let consent = self.trust.then_some(Consent::Trusted);
        let report = Report { brief: true, ..report(judged, consent, Purpose::Launch, ExitKind::Success) };
        // A terminal that is gone changes nothing, as everywhere.
        drop(summary::summary(&report, start, &mut self.app.err(), &self.app.error_style()));
    }
}

impl Audience for LaunchAudience<'_> {
    fn show_decision(&mut self, judged: &Judged) {
        let app = &mut *self.app;
        let (start, clean) = (app.shown_start(judged), judged.is_quiet() && !app.is_verbose());
        let consent = self.trust.then_some(Consent::Trusted);
        match (judged.ruling.effect(), start) {
            (Effect::Pass, Some(start)) if clean => return self.summarise(judged, start),
            // In a pipe, nothing is shown for a package without findings: its server is about to answer.
            (Effect::Pass, None) if clean || app.is_quiet() => return,
            (Effect::Pass | Effect::Warn | Effect::Ask | Effect::Block, _) => {}
        }
        let exit = judged.exit(consent);
        let brief = !app.is_verbose();
        let report = Report { start, brief, ..report(judged, consent, Purpose::Launch, exit) };
        // A standard error that can't be written must not stop the decision from being carried out.
        drop(app.show(&report));
        self.refusal = (exit == ExitKind::Refused).then(|| client_error::decision(&report));
    }

    fn ask_consent(&mut self, judged: &Judged) -> Consent {
        let consent = self.trust.then_some(Consent::Trusted);
        let start = self.app.shown_start(judged);
        let brief = !self.app.is_verbose();
        let report = Report { start, brief, ..report(judged, consent, Purpose::Launch, ExitKind::Refused) };
        let style = self.app.error_style();
        let answer = match (self.app.system().stdin)() {
            Ok(mut stdin) => {
                let terminals = self.app.terminals();
                if consent.is_none() && terminals.person() {
                    authority::forget_typed();
                }
                prompt::consent(&report, terminals, &mut stdin, &mut self.app.err(), &style)
            }
            Err(_) => consent.unwrap_or(Consent::NobodyToAsk),
        };
        self.refusal = match answer {
            Consent::Trusted | Consent::Accepted => None,
            Consent::Declined | Consent::NobodyToAsk => {
                Some(client_error::decision(&Report { consent: Some(answer), ..report }))
            }
        };
        answer
    }

    fn warning(&mut self, judged: &Judged) -> Option<Warning> {
        let unread = self.app.terminals().unread(self.trust);
        let consent = self.trust.then_some(Consent::Trusted);
        // The model is told what somebody vouches for, and not what the registry itself says, where a layer knows that.
        let stated = judged.stated.clone().map(|facts| Subject { facts, ..judged.subject.clone() });
        let report = report(judged, consent, Purpose::Launch, ExitKind::Success);
        let report = Report { subject: stated.as_ref().unwrap_or(&judged.subject), ..report };
        (unread && judged.concerns_the_model()).then(|| warning::warning(&report))
    }

    fn notice(&mut self, notice: &Notice) {
        self.app.notice(notice.message.as_str());
    }

    fn observed(&mut self, label: &str, draft: &Draft) {
        // A terminal that is gone changes nothing, as everywhere.
        drop(draft::human(label, draft, &mut self.app.err(), &self.app.error_style()));
    }

    fn warn_always(&mut self, notice: &Notice) {
        self.app.warn_always(notice.message.as_str());
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::cli::args;
    use crate::cli::invocation::OutputStreams;
    use crate::cli::tests;
    use smcp_config::Config;
    use smcp_config::Places;
    use smcp_model::facts::Facts;
    use smcp_model::facts::Score;
    use smcp_model::facts::Status;
    use smcp_model::progress::Unwatched;
    use smcp_model::request::Context;
    use smcp_pipeline::SharedHost;

    #[test]
    fn the_model_is_told_where_there_is_something_to_say() {
        let places = Places { home: None, working_directory: "/".into(), system_folder: "/etc/mcp".into() };
        let invocation =
            tests::invocation(Path::new("/"), "policy list", &[], OutputStreams::piped(io::sink(), io::sink()));
        let session = Session::new(Config::unconfigured(&places), invocation.system.clone(), SharedHost::default());
        let context = Context { evaluated_at: 0, trust: true, interactive: false };
        let (published, deprecated) = (Some(Status::Published), Some(Status::Deprecated));
        let cases = [
            (published.clone(), Some(79), &[][..], true),
            (published.clone(), Some(80), &[], false),
            // An unknown score is not a low one; a rule with a minimum score is violated by it.
            (published.clone(), None, &[], false),
            (published, Some(95), &["a doubt".into()], true),
            (deprecated, Some(95), &[], true),
            (None, Some(95), &[], true),
        ];
        let mut app = App::new(args::parse(&invocation.arguments).unwrap().global, invocation, SharedHost::default());
        for (status, score, doubts, warned) in cases {
            let facts =
                Facts { status, score: score.and_then(Score::new), doubts: doubts.to_vec(), ..Facts::default() };
            let subject = Subject { facts, ..Subject::default() };
            let judged = pipeline::evaluate_facts(&session, subject.clone(), context, &mut Unwatched).unwrap();
            let warning = app.audience(true).warning(&judged);
            assert_eq!(warning.is_some(), warned, "{subject:?}");
        }
    }
}
