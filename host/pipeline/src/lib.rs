//! The stages in their order: find the package, judge it, ask, start it.
//!
//! The only module that knows more than one stage. Every way to start a server leads through [`run`], and nothing of
//! a package starts without the clearance that `decide` makes.

mod cache;
mod error;
mod find;
mod host;
mod offline;
mod policies;
mod recorder;
mod refusal;
mod session;
mod start;
mod system;

pub use cache::cached;
pub use cache::collect;
pub use cache::try_cache;
pub use cache::uncache;
pub use error::Failed;
pub use error::PipelineError;
pub use find::reach;
pub use host::SharedHost;
pub use policies::examine;
pub use recorder::Activity;
pub use recorder::Recorder;
pub use refusal::refuse;
pub use session::Session;
pub use session::access::has_token;
pub use session::access::log_in;
pub use session::access::log_out;
pub use session::access::remarks_on_the_proxy;
pub use session::check_clock;
pub use session::open_directory;
pub use session::unreadable;
pub use smcp_decide::Notice;
pub use smcp_launch::env_file::ArgumentLimits;
pub use smcp_launch::env_file::Assignment;
pub use smcp_launch::env_file::parse as variables;
pub use smcp_launch::status::Ended;
pub use smcp_policy::INTERFACE;
pub use smcp_policy::RUNTIME_VERSION;
pub use smcp_policy::cramped;
pub use smcp_policy::request::DocumentError;
pub use smcp_policy::request::subject_from_document;
pub use start::LaunchRequest;
pub use system::System;

use std::cell::LazyCell;
use std::time::Duration;
use std::time::Instant;

use crate::offline::FACTS_FROM_CACHE;
use crate::start::Prepared;
use smcp_decide as decide;
use smcp_decide::Admitted;
use smcp_decide::Clearance;
use smcp_decide::Conclusion;
use smcp_decide::Decision;
use smcp_decide::Refusal;
use smcp_decide::Ruled;
use smcp_decide::Ruling;
use smcp_model::access::Access;
use smcp_model::deadline::Deadline;
use smcp_model::decision::Consent;
use smcp_model::decision::DecisionDocument;
use smcp_model::decision::exit_for;
use smcp_model::exit::ExitKind;
use smcp_model::package::PackageRef;
use smcp_model::package::ResolvedPackage;
use smcp_model::progress::Progress;
use smcp_model::request::Context;
use smcp_model::request::Subject;
use smcp_model::verdict::Evaluated;
use smcp_model::warning::Warning;
use smcp_policy::request;
use smcp_store::Lease;

/// A package, or a facts document, with what the policies say of it.
#[derive(Debug)]
pub struct Judged {
    /// What was judged.
    pub subject: Subject,
    /// What the policies say.
    pub ruling: Ruling,
    /// What else is worth saying.
    pub notices: Vec<Notice>,
    /// What the server would get; known where one is about to start.
    pub access: Option<Access>,
}

impl Judged {
    /// Whether there is nothing to say but that it may run: no score below the warning threshold, no notice, nothing
    /// that had to be accepted. A score that nobody knows is not a low one; where a minimum asks for it, a policy is
    /// violated.
    pub fn is_quiet(&self) -> bool {
        self.notices.is_empty() && self.is_clean()
    }

    /// Whether the model that is to use the server has to be told something. Facts from the cache that are young enough
    /// are as good as any: a person is told of them, and the audit log.
    pub fn concerns_the_model(&self) -> bool {
        !self.is_clean() || self.notices.iter().any(|notice| notice.code != FACTS_FROM_CACHE)
    }

    /// How a program ends that decides this and got that answer.
    pub const fn exit(&self, consent: Option<Consent>) -> ExitKind {
        exit_for(self.ruling.effect(), consent)
    }

    /// The decision as a document for machines; `consent` is the answer to its question.
    pub fn document(&self, consent: Option<Consent>) -> DecisionDocument {
        decide::document(&self.subject, self.conclusion(), &self.notices, self.exit(consent))
    }

    /// How the decision came about.
    pub const fn conclusion(&self) -> Conclusion<'_> {
        Conclusion::Ruled(&self.ruling)
    }

    fn is_clean(&self) -> bool {
        self.subject.facts.doubts.is_empty() && self.ruling.policies().iter().all(|policy| policy.outcome.is_silent())
    }
}

/// Who hears of a decision and answers for it: a person at a terminal, or nobody.
pub trait Audience {
    /// Hears a decision that needs no answer, before anything starts.
    fn show_decision(&mut self, judged: &Judged);

    /// Hears a decision that asks, and answers it.
    fn ask_consent(&mut self, judged: &Judged) -> Consent;

    /// What the model has to be told in the stream, because nobody reads the terminal; `None` when there is nothing to
    /// say, or somebody has read it.
    fn warning(&mut self, judged: &Judged) -> Option<Warning>;

    /// Hears a remark about the start. What a manifest asks for in vain is no concern of the model's: it is not in
    /// the [`warning`](Self::warning).
    fn notice(&mut self, notice: &Notice);

    /// Hears something that nobody may miss: that the audit log is not complete.
    fn warn_always(&mut self, notice: &Notice);
}

/// Starts a server if every policy allows it, and waits for its end; the recorder records all of it.
///
/// # Errors
/// See [`PipelineError`]. When it is [`PipelineError::Refused`] by policy or for want of consent, the audience has been
/// shown why.
pub fn run(
    session: &Session,
    request: &LaunchRequest,
    context: Context,
    recorder: &mut Recorder,
    audience: &mut dyn Audience,
    progress: &mut dyn Progress,
) -> Result<Ended, Failed> {
    let deadline = Deadline::after(request.timeout);
    // The lease is held until the server has ended: nobody removes from the cache what runs.
    let evaluated = evaluate_with_lease(session, &request.reference, context, &deadline, progress);
    let (ruled, mut judged, _lease) = evaluated.inspect_err(|failed| {
        let notice = recorder.failed(failed);
        warn(notice, audience);
    })?;
    let environment = start::environment(session, &ruled.candidate().manifest, request);
    judged.access = Some(environment.access(&ruled.candidate().manifest));
    let failed = |error| Failed::new(judged.subject.clone(), error);
    let Answered { clearance, consent, waited } = answer(ruled, &judged, audience);
    let clearance = match clearance {
        Ok(clearance) => {
            warn(recorder.decided(session, &judged, context, consent).map_err(failed)?, audience);
            clearance
        }
        Err(refusal) => {
            warn(recorder.refused(session, &judged, context, consent), audience);
            return Err(failed(refusal.into()));
        }
    };
    // The limit is for our work; how long a person thinks is theirs.
    let deadline = deadline.extended(waited);
    let warning = audience.warning(&judged);
    let prepared = Prepared { environment, warning, deadline };
    start::start(session, clearance, request, prepared, recorder, audience)
        .map(|finished| finished.ended)
        .map_err(failed)
}

/// What came of a ruling.
struct Answered {
    clearance: Result<Clearance, Refusal>,
    /// The answer, when there was a question.
    consent: Option<Consent>,
    /// How long it was thought about.
    waited: Duration,
}

/// Carries a ruling out, with the audience's answer when it asks.
fn answer(ruled: Ruled<ResolvedPackage>, judged: &Judged, audience: &mut dyn Audience) -> Answered {
    let clearance = match ruled.apply() {
        Decision::Allow(clearance) => Ok(clearance),
        Decision::Deny(refusal) => Err(refusal),
        Decision::Ask(question) => {
            let asked = Instant::now();
            let consent = audience.ask_consent(judged);
            return Answered { clearance: question.answer(consent), consent: Some(consent), waited: asked.elapsed() };
        }
    };
    audience.show_decision(judged);
    Answered { clearance, consent: None, waited: Duration::ZERO }
}

fn warn(notice: Option<Notice>, audience: &mut dyn Audience) {
    notice.iter().for_each(|notice| audience.warn_always(notice));
}

/// Finds a package and judges it; the whole of a dry run.
///
/// # Errors
/// See [`PipelineError`]: whatever is refused before a policy speaks.
pub fn evaluate_package(
    session: &Session,
    reference: &PackageRef,
    context: Context,
    deadline: &Deadline,
    progress: &mut dyn Progress,
) -> Result<(Ruled<ResolvedPackage>, Judged), Failed> {
    evaluate_with_lease(session, reference, context, deadline, progress).map(|(ruled, judged, _)| (ruled, judged))
}

/// Finds a package and judges it, and keeps its files in the cache as long as the lease.
fn evaluate_with_lease(
    session: &Session,
    reference: &PackageRef,
    context: Context,
    deadline: &Deadline,
    progress: &mut dyn Progress,
) -> Result<(Ruled<ResolvedPackage>, Judged, Lease), Failed> {
    let resolved = find::resolve(session, reference, deadline)
        .map_err(|error| Failed::new(request::named(reference, session.config().registry()), error))?;
    let known = request::resolved(resolved.resolution());
    let provenance = resolved.notice().cloned();
    let failed = |error| Failed { notices: provenance.iter().cloned().collect(), ..Failed::new(known.clone(), error) };
    let admitted = decide::admit(resolved).map_err(|refusal| failed(refusal.into()))?;
    let mut lease = Lease::default();
    let fetched = admitted.and_then(|resolved| {
        let (package, held) = resolved.fetch(session, deadline, progress)?;
        lease = held;
        Ok(package)
    });
    let judged = evaluate_admitted(session, fetched.map_err(failed)?, request::subject, context);
    let (ruled, mut judged) =
        judged.map_err(|failed| Failed { notices: provenance.iter().cloned().collect(), ..failed })?;
    judged.notices.splice(0..0, provenance);
    Ok((ruled, judged, lease))
}

/// What the registry says of a package, after verifying it, and what is worth saying about that; nothing is judged.
///
/// # Errors
/// See [`PipelineError`].
pub fn inform(
    session: &Session,
    reference: &PackageRef,
    deadline: &Deadline,
    progress: &mut dyn Progress,
) -> Result<(Subject, Vec<Notice>), PipelineError> {
    let resolved = find::resolve(session, reference, deadline)?;
    let (package, _lease) = resolved.fetch(session, deadline, progress)?;
    let subject = request::subject(&package);
    let notices = resolved.notice().cloned().into_iter().chain(policies::fetching(&subject)).collect();
    Ok((subject, notices))
}

/// Asks the registry for a package and fills the cache with it, whatever its status; nothing is judged.
///
/// # Errors
/// See [`PipelineError`].
pub fn fetch(
    session: &Session,
    reference: &PackageRef,
    deadline: &Deadline,
    progress: &mut dyn Progress,
) -> Result<ResolvedPackage, PipelineError> {
    find::ask(session, reference, deadline)?.fetch(session, deadline, progress).map(|(package, _lease)| package)
}

/// Judges a facts document: the same decision, with no registry, and with nothing that could start.
///
/// # Errors
/// [`PipelineError::Refused`] for the status in the document, [`PipelineError::Pin`] and [`PipelineError::Host`].
pub fn evaluate_facts(session: &Session, subject: Subject, context: Context) -> Result<Judged, Failed> {
    let facts = decide::admit(subject.clone()).map_err(|refusal| Failed::new(subject.clone(), refusal.into()))?;
    evaluate_admitted(session, facts, Subject::clone, context).map(|(_, judged)| judged)
}

/// Rules on what was admitted, told to the policies as `subject_of` it.
fn evaluate_admitted<T>(
    session: &Session,
    admitted: Admitted<T>,
    subject_of: impl FnOnce(&T) -> Subject,
    context: Context,
) -> Result<(Ruled<T>, Judged), Failed> {
    let subject = subject_of(admitted.candidate());
    let mut notices: Vec<_> =
        admitted.notice().cloned().into_iter().chain(policies::distrust(session.config(), &subject)).collect();
    notices.extend(policies::fetching(&subject));
    let evaluated = evaluate_policies(session, &subject, context);
    match evaluated.and_then(|policies| Ok(admitted.rule(policies)?)) {
        Ok((ruled, ruling)) => {
            notices.extend(policies::low_score(session.config(), &subject, ruling.policies()));
            tracing::info!(package = %subject.label(), decision = ruling.effect().as_str(), "decided");
            Ok((ruled, Judged { subject, ruling, notices, access: None }))
        }
        Err(error) => Err(Failed::new(subject, error)),
    }
}

/// Evaluates every policy of every layer; nothing short-circuits.
///
/// # Errors
/// [`PipelineError::Pin`] when a component is not the one that the configuration pins, [`PipelineError::Host`] when
/// there is no sandbox to evaluate in.
fn evaluate_policies(session: &Session, subject: &Subject, context: Context) -> Result<Vec<Evaluated>, PipelineError> {
    let believed = LazyCell::new(|| request::build(subject, context, true));
    let unbelieved = LazyCell::new(|| request::build(subject, context, false));
    let sets = session.config().layers().iter().zip(session.policies()?);
    let evaluated = sets.flat_map(|(layer, set)| {
        set.evaluate(if layer.believes(subject.registry.as_ref()) { &believed } else { &unbelieved })
    });
    Ok(evaluated.collect())
}
