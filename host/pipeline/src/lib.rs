//! The stages in their order: find the package, evaluate it, ask, start it.
//!
//! Only this crate knows the order of the stages. A server is started by [`run`] alone, and nothing of a package starts
//! without the clearance that `decide` makes.

mod alone;
mod cache;
mod clock;
mod compile;
mod confinement;
mod error;
pub mod explain;
mod files;
mod find;
mod host;
mod judged;
mod layer_rules;
mod offline;
mod packages;
mod policies;
mod provenance;
mod recorder;
mod refusal;
mod remote;
mod replay;
mod server_data;
mod session;
pub mod sets;
mod settings;
pub mod shipping;
mod signed;
mod start;
mod statements;
mod system;
mod what_if;

pub use alone::BenchError;
pub use alone::bench_alone;
pub use alone::evaluate_alone;
pub use alone::run_cases;
pub use cache::collect_garbage;
pub use cache::list_cache;
pub use cache::remove_from_cache;
pub use cache::try_cache;
pub use cache::try_trees;
pub use clock::check_clock;
pub use compile::CompilerTrial;
pub use compile::Destination;
pub use compile::compile_policies;
pub use compile::destination_folder;
pub use compile::try_compiler;
#[cfg(target_os = "linux")]
pub use confinement::granted_to_all;
pub use confinement::prospects;
pub use error::Failed;
pub use error::PipelineError;
pub use find::probe_registry;
pub use host::SharedHost;
pub use judged::Judged;
pub use packages::PackageList;
pub use policies::examine_policies;
pub use provenance::download;
pub use provenance::file_of_package;
pub use recorder::Activity;
pub use recorder::Recorder;
pub use refusal::refuse;
pub use remote::SourceError;
pub use replay::Replayed;
pub use replay::Replayer;
pub use replay::is_before_policies;
pub use server_data::list_server_data;
pub use server_data::remove_server_data;
pub use session::Session;
pub use session::access::has_token;
pub use session::access::log_in;
pub use session::access::log_out;
pub use session::access::proxy_remarks;
pub use session::beside;
pub use session::documents_beside;
pub use session::open_directory;
pub use session::unreadable;
pub use settings::DescribedSettings;
pub use settings::describe_settings;
pub use signed::SignatureMismatch;
pub use signed::check_signature;
pub use smcp_decide::Notice;
pub use smcp_launch::env_file::ArgumentLimits;
pub use smcp_launch::env_file::Assignment;
pub use smcp_launch::env_file::parse as variables;
pub use smcp_launch::status::Ended;
pub use smcp_policy::INTERFACE;
pub use smcp_policy::RUNTIME_VERSION;
pub use smcp_policy::cramped;
pub use start::LaunchRequest;
pub use statements::StatementError;
pub use statements::StatementProblem;
pub use statements::StatementReport;
pub use statements::check_statement_signers;
pub use system::Compilation;
pub use system::System;
#[cfg(target_os = "linux")]
pub use system::fork_server;
pub use what_if::Compared;
pub use what_if::WhatIf;

use std::time::Duration;
use std::time::Instant;

use crate::find::Resolved;
use crate::start::Prepared;
use crate::statements::StatedFacts;
use smcp_decide as decide;
use smcp_decide::Admitted;
use smcp_decide::Clearance;
use smcp_decide::Decision;
use smcp_decide::Refusal;
use smcp_decide::Ruled;
use smcp_model::deadline::Deadline;
use smcp_model::decision::Consent;
use smcp_model::draft::Draft;
use smcp_model::package::PackageRef;
use smcp_model::package::ResolvedPackage;
use smcp_model::progress::Progress;
use smcp_model::request::Context;
use smcp_model::request::Subject;
use smcp_model::statement::StatementTarget;
use smcp_model::warning::Warning;
use smcp_policy::request;
use smcp_store::Lease;

/// Shows decisions and notices to the user, and asks for consent where a user can answer.
pub trait Audience {
    /// Shows a decision that needs no answer, before anything starts.
    fn show_decision(&mut self, judged: &Judged);

    /// Shows a decision that needs consent, and returns the answer.
    fn ask_consent(&mut self, judged: &Judged) -> Consent;

    /// Returns the warning that the model must get in the stream, because no user reads the terminal; `None` when there
    /// is nothing to warn of, or a user has read it.
    fn warning(&mut self, judged: &Judged) -> Option<Warning>;

    /// Shows a notice about the start, such as a variable that the manifest asks for in vain. It does not concern the
    /// model, so it is not in the [`warning`](Self::warning).
    fn notice(&mut self, notice: &Notice);

    /// Shows what the server of this package used, as permissions that its manifest could ask for.
    fn observed(&mut self, label: &str, draft: &Draft);

    /// Shows a notice that the user must not miss, whatever the options: that the audit log is not complete.
    fn warn_always(&mut self, notice: &Notice);
}

/// Starts a server if every policy allows it, and waits for its end. Records the decision, the start and the end.
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
    // The lease is held until the server has ended, so that nothing that runs is removed from the cache.
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
            warn(recorder.cleared(session, &judged, context, consent).map_err(failed)?, audience);
            clearance
        }
        Err(refusal) => {
            warn(recorder.refused(session, &judged, context, consent), audience);
            return Err(failed(refusal.into()));
        }
    };
    // The limit is for the work of smcp, not for the time that the user takes to answer.
    let deadline = deadline.extended(waited);
    let warning = audience.warning(&judged);
    let prepared = Prepared { environment, warning, deadline, progress };
    start::start(session, clearance, request, prepared, recorder, audience)
        .map(|finished| finished.ended)
        .map_err(failed)
}

/// The result of a ruling.
struct Answered {
    clearance: Result<Clearance, Refusal>,
    /// The answer, when there was a question.
    consent: Option<Consent>,
    /// How long the user took to answer.
    waited: Duration,
}

/// Carries a ruling out; asks the audience where it needs consent.
fn answer(ruled: Ruled<ResolvedPackage>, judged: &Judged, audience: &mut dyn Audience) -> Answered {
    let clearance = match ruled.apply() {
        Decision::Allow(clearance) => Ok(clearance),
        Decision::Deny(refusal) => Err(refusal),
        Decision::Ask(question) => {
            let asked_at = Instant::now();
            let consent = audience.ask_consent(judged);
            return Answered {
                clearance: question.answer(consent),
                consent: Some(consent),
                waited: asked_at.elapsed(),
            };
        }
    };
    audience.show_decision(judged);
    Answered { clearance, consent: None, waited: Duration::ZERO }
}

fn warn(notice: Option<Notice>, audience: &mut dyn Audience) {
    notice.iter().for_each(|notice| audience.warn_always(notice));
}

/// Finds a package and evaluates it; all that a dry run does.
///
/// # Errors
/// See [`PipelineError`]: what ends it before a policy is evaluated.
pub fn evaluate_package(
    session: &Session,
    reference: &PackageRef,
    context: Context,
    deadline: &Deadline,
    progress: &mut dyn Progress,
) -> Result<(Ruled<ResolvedPackage>, Judged), Failed> {
    evaluate_with_lease(session, reference, context, deadline, progress).map(|(ruled, judged, _)| (ruled, judged))
}

/// Finds a package and evaluates it. Its files stay in the cache as long as the lease exists.
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
    let stated = stated(session, admitted.candidate(), context.evaluated_at).map_err(failed)?;
    if stated.refuses() {
        admitted.candidate().keep_refusal(session);
    }
    let admitted = admitted.stated(&stated.statuses()).map_err(|refusal| {
        let mut failed = failed(refusal.into());
        failed.notices.extend(stated.notices.iter().cloned());
        failed
    })?;
    let mut lease = Lease::default();
    let fetched = admitted.and_then(|resolved| {
        let (package, held) = resolved.fetch(session, deadline, progress)?;
        lease = held;
        Ok(package)
    });
    let (fetched, confinement) = confinement::foresee(session, fetched.map_err(failed)?)?;
    let subject = |package: &_| Subject { confinement: Some(confinement), ..request::subject(package) };
    let judged = evaluate_admitted(session, fetched, (subject, stated), context, Wait { deadline, progress });
    let (ruled, mut judged) =
        judged.map_err(|failed| Failed { notices: provenance.iter().cloned().collect(), ..failed })?;
    judged.notices.splice(0..0, provenance);
    Ok((ruled, judged, lease))
}

/// Finds out what the layers that go by signed statements believe about a package.
fn stated(session: &Session, resolved: &Resolved, now: u64) -> Result<StatedFacts, PipelineError> {
    let (resolution, arrived) = (resolved.resolution(), resolved.statements());
    statements::believe(session, &resolution.registry, &StatementTarget::of(resolution), arrived, now)
}

/// Returns what the registry says of a package, after verifying it, with notices about it, and what the layers that go by
/// signed statements would believe; evaluates nothing.
///
/// # Errors
/// See [`PipelineError`].
pub fn describe_package(
    session: &Session,
    reference: &PackageRef,
    deadline: &Deadline,
    progress: &mut dyn Progress,
) -> Result<(Subject, Vec<Notice>, Vec<StatementReport>), PipelineError> {
    let resolved = find::resolve(session, reference, deadline)?;
    let (package, _lease) = resolved.fetch(session, deadline, progress)?;
    let subject = request::subject(&package);
    let notices = resolved.notice().cloned().into_iter().chain(policies::starting(&subject));
    let (resolution, arrived, now) = (resolved.resolution(), resolved.statements(), session.system().now());
    let target = StatementTarget::of(resolution);
    let (reports, behind) = statements::report(session, &resolution.registry, &target, arrived, now)?;
    let notices = notices.chain(behind).collect();
    Ok((subject, notices, reports))
}

/// Asks the registry for a package and fills the cache with it, whatever its status; evaluates nothing.
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

/// Evaluates a facts document: makes the same decision without a registry, and without anything that could start. It
/// waits for policies to be compiled as long as that takes.
///
/// # Errors
/// [`PipelineError::Refused`] for the status in the document, [`PipelineError::Pin`] and [`PipelineError::Host`].
pub fn evaluate_facts(
    session: &Session,
    subject: Subject,
    context: Context,
    progress: &mut dyn Progress,
) -> Result<Judged, Failed> {
    let facts = decide::admit(subject.clone()).map_err(|refusal| Failed::new(subject.clone(), refusal.into()))?;
    let wait = Wait { deadline: &Deadline::none(), progress };
    let stated = statements::of_document(session.config(), &subject);
    evaluate_admitted(session, facts, (Subject::clone, stated), context, wait).map(|(_, judged)| judged)
}

/// How long policies may be compiled, and who learns of it.
struct Wait<'a> {
    deadline: &'a Deadline,
    progress: &'a mut dyn Progress,
}

/// Evaluates what was admitted, and rules on it. The policies see it as `subject_of` describes it, with the facts that were
/// stated to layers that go by statements.
fn evaluate_admitted<T>(
    session: &Session,
    admitted: Admitted<T>,
    (subject_of, stated): (impl FnOnce(&T) -> Subject, StatedFacts),
    context: Context,
    wait: Wait<'_>,
) -> Result<(Ruled<T>, Judged), Failed> {
    let subject = subject_of(admitted.candidate());
    let admitted =
        admitted.stated(&stated.statuses()).map_err(|refusal| Failed::new(subject.clone(), refusal.into()))?;
    let mut notices: Vec<_> =
        admitted.notice().cloned().into_iter().chain(policies::distrust(session.config(), &subject)).collect();
    notices.extend(policies::starting(&subject));
    notices.extend(stated.notices.iter().cloned());
    let evaluated = policies::evaluate(session, &subject, &stated, context, wait);
    match evaluated.and_then(|policies| Ok(admitted.rule(policies)?)) {
        Ok((ruled, ruling)) => {
            let (config, ruling) = (session.config(), ruling.by_statements(stated.documents()));
            let ruling = ruling.believed_by(policies::believers(config, &subject));
            let ruling = ruling.verified_by(policies::verifiers(config, &subject));
            notices.extend(policies::low_score(config, &subject, &ruling));
            notices.extend(session.not_kept());
            notices.extend(session.notes_of_sources());
            tracing::info!(package = %subject.label(), decision = ruling.effect().as_str(), "decided");
            let files = policies::exception_files(config, &subject);
            let lifts = decide::lifting(&ruling, &subject, context.trust, &files);
            Ok((ruled, Judged { subject, ruling, notices, lifts, stated: stated.first(), access: None }))
        }
        Err(error) => Err(Failed::new(subject, error)),
    }
}
