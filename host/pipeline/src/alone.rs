//! One policy that no configuration names: cases, costs, one decision.
//!
//! A launch does not use this file.

use crate::Failed;
use crate::Judged;
use crate::PipelineError;
use crate::Session;
use crate::policies;
use smcp_cases::NotMeasured;
use smcp_cases::PolicyRun;
use smcp_cases::Tested;
use smcp_cases::WrongCase;
use smcp_decide as decide;
use smcp_model::bench::Conditions;
use smcp_model::bench::Measurement;
use smcp_model::deadline::Deadline;
use smcp_model::policy::LayerName;
use smcp_model::progress::Progress;
use smcp_model::request::Context;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;
use smcp_model::verdict::Fault;
use smcp_policy::PolicySet;
use smcp_policy::request;
use smcp_policy_cases::CaseFile;

/// Runs the cases of a policy. The inner error has every case that can't be run. `progress` learns that it is compiled.
///
/// # Errors
/// [`PipelineError::Host`] when there is no sandbox to run it in.
pub fn run_cases(
    session: &Session,
    tested: &Tested,
    files: &[(String, CaseFile)],
    progress: &mut dyn Progress,
) -> Result<Result<PolicyRun, Vec<WrongCase>>, PipelineError> {
    let host = session.host()?.pooled()?;
    let bound = tested.bound(serde_json::json!({}));
    let _ahead = policies::prepare(&host, std::iter::once(&bound), &Deadline::none(), progress)?;
    Ok(smcp_cases::run(&host, tested, files))
}

/// A policy that could not be measured.
#[derive(Debug)]
pub enum BenchError {
    /// It failed.
    Fault(Fault),
    /// Its compiled code can't be kept, for this reason; so no load of it can be measured.
    NotKept(SafeText),
}

/// Measures a policy on facts that it believes. The inner error says why it could not. `progress` learns that it is
/// compiled, and then measured.
///
/// # Errors
/// [`PipelineError::Host`] when there is no sandbox to run it in.
pub fn bench_alone(
    session: &Session,
    tested: &Tested,
    settings: serde_json::Value,
    (subject, context): (&Subject, Context),
    conditions: Conditions,
    progress: &mut dyn Progress,
) -> Result<Result<Measurement, BenchError>, PipelineError> {
    let host = session.host()?;
    let request = request::build(subject, context, true);
    let measured = smcp_cases::measure(host, tested, settings, &request, conditions, progress);
    Ok(measured.map_err(|error| match error {
        NotMeasured::Fault(fault) => BenchError::Fault(fault),
        NotMeasured::NotKept => BenchError::NotKept(session.not_kept_because()),
    }))
}

/// Evaluates a policy alone, strictly, on facts that it believes whatever registry they name. Layers, exceptions and the
/// rules of any configuration have no part in it.
///
/// # Errors
/// [`PipelineError::Refused`] for the status in the facts, [`PipelineError::Host`].
pub fn evaluate_alone(
    session: &Session,
    tested: &Tested,
    settings: serde_json::Value,
    subject: Subject,
    context: Context,
    progress: &mut dyn Progress,
) -> Result<Judged, Failed> {
    let failed = |error: PipelineError| Failed::new(subject.clone(), error);
    let admitted = decide::admit(subject.clone()).map_err(|refusal| failed(refusal.into()))?;
    let mut notices: Vec<_> = admitted.notice().cloned().into_iter().collect();
    notices.extend(policies::starting(&subject));
    let host = session.host().map_err(failed)?;
    let bound = tested.bound(settings);
    let _ahead = policies::prepare(host, std::iter::once(&bound), &Deadline::none(), progress).map_err(failed)?;
    // Keeps its code, but not its answer to settings that are only tried.
    let _described = host.describe_bound(&bound);
    let set = PolicySet::load_for_now(host, [bound]);
    let evaluated = set.evaluate(&request::build(&subject, context, true));
    let (_, ruling) = admitted.rule(evaluated).map_err(|refusal| failed(refusal.into()))?;
    let ruling = ruling.believed_by(vec![LayerName::User]);
    Ok(Judged { subject, ruling, notices, lifts: Vec::new(), stated: None, access: None })
}
