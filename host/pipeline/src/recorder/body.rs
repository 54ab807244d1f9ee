//! Builds the body of each kind of record; `docs/audit.md` explains the fields.

use crate::Failed;
use crate::Judged;
use crate::LaunchRequest;
use crate::PipelineError;
use crate::recorder::Activity;
use smcp_audit::About;
use smcp_config::Config;
use smcp_config::Layer;
use smcp_launch::Finished;
use smcp_launch::status::Ended;
use smcp_model::decision::Consent;
use smcp_model::decision::DecisionDocument;
use smcp_model::error_chain;
use smcp_model::exception::WrittenException;
use smcp_model::package::ResolvedPackage;
use smcp_model::record::Body;
use smcp_model::record::Circumstances;
use smcp_model::record::ContextRecord;
use smcp_model::record::DecisionRecord;
use smcp_model::record::EndRecord;
use smcp_model::record::HowEnded;
use smcp_model::record::PolicyRecord;
use smcp_model::record::RequestRecord;
use smcp_model::record::ServerEnd;
use smcp_model::record::SetRecord;
use smcp_model::record::StartRecord;
use smcp_model::request::Context;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;

/// The version of smcp, which policies get too.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Returns who writes the record, and what the user asked for.
pub(super) fn circumstances(activity: &Activity) -> Circumstances {
    Circumstances {
        command: SafeText::new(activity.command),
        asked: activity.asked.as_deref().map(SafeText::new),
        pid: std::process::id(),
        uid: nix::unistd::getuid().as_raw(),
        smcp: SafeText::new(VERSION),
    }
}

/// Returns a decision of policies, with all that is needed to make it again.
pub(super) fn decision(config: &Config, judged: &Judged, context: Context, consent: Option<Consent>) -> Body {
    Body::Decision(Box::new(DecisionRecord {
        package: SafeText::new(&judged.subject.label()),
        consent,
        decision: judged.document(consent),
        request: RequestRecord { subject: judged.subject.clone(), context: Some(ContextRecord::new(context, VERSION)) },
        policies: policies(config, judged),
        exceptions: exceptions(config, judged),
        sets: sets(config),
    }))
}

/// Returns a decision that was made before any policy was evaluated.
pub(super) fn refusal(failed: &Failed, decision: DecisionDocument) -> Body {
    Body::Decision(Box::new(DecisionRecord {
        package: SafeText::new(&failed.subject.label()),
        consent: None,
        decision,
        request: RequestRecord { subject: Subject::clone(&failed.subject), context: None },
        policies: Vec::new(),
        exceptions: Vec::new(),
        sets: Vec::new(),
    }))
}

/// Returns why nothing was decided, or why the decision could not be carried out.
pub(super) fn failed(label: &str, error: &PipelineError) -> EndRecord {
    let causes: Vec<_> = error_chain::causes(error).map(ToString::to_string).collect();
    let message = SafeText::new(&causes.join(": ").split_whitespace().collect::<Vec<_>>().join(" "));
    ended(label, HowEnded::Failed { code: error.code().to_owned(), message })
}

/// Returns the start of a server, written before the server runs.
pub(super) fn start(package: &ResolvedPackage, request: &LaunchRequest, warning: bool) -> Body {
    let variables = request.env_file.iter().chain(&request.env).map(|assignment| assignment.name().to_owned());
    Body::Start(StartRecord {
        package: SafeText::new(&package.label()),
        registry: SafeText::new(&package.registry.to_string()),
        bundle_digest: package.bundle_digest,
        program: package.manifest.entrypoint.command.clone(),
        arguments: request.arguments.len(),
        variables: variables.collect(),
        warning,
    })
}

/// Returns the end of a server.
pub(super) fn end(label: &str, finished: Finished) -> EndRecord {
    let Finished { ended: how, by, delivery } = finished;
    let server = |server_exit_code, signal| ServerEnd {
        server_exit_code,
        signal,
        ended_by: by,
        exit_code: how.exit_code(),
        warning: delivery,
    };
    let how = match how {
        Ended::Exited(code) => HowEnded::Exited(server(Some(code), None)),
        Ended::Signalled(signal) => HowEnded::Signalled(server(None, Some(signal))),
        Ended::ReaperKilled { .. } => HowEnded::ReaperKilled(server(None, None)),
    };
    ended(label, how)
}

/// Returns the end of a server whose smcp is gone and could not record it. The message says that another smcp recorded
/// it.
pub(super) fn abandoned(about: &About) -> (Circumstances, Body) {
    let message = "its smcp was killed, or the machine stopped; this was recorded by the next one".into();
    let how = HowEnded::Abandoned { start: about.start, message };
    let circumstances = circumstances(&Activity { command: "run", asked: about.asked.clone() });
    (circumstances, Body::End(ended(&about.package, how)))
}

fn ended(label: &str, how: HowEnded) -> EndRecord {
    let (denied_hosts, denied_calls) = (Vec::new(), Vec::new());
    EndRecord { package: SafeText::new(label), how, duration_ms: None, left_behind: None, denied_hosts, denied_calls }
}

/// Returns every exception that waived something, once, in the order of the configuration: of several, a finding takes
/// the first that fits, and does so when the decision is made again.
pub(crate) fn exceptions(config: &Config, judged: &Judged) -> Vec<WrittenException> {
    let policies = judged.ruling.policies().iter();
    let mut used: Vec<&WrittenException> = policies.flat_map(|policy| policy.outcome.exceptions()).collect();
    let mut recorded = Vec::new();
    for exception in config.layers().iter().flat_map(Layer::exceptions) {
        let same = used.iter().find(|written| written.exception == *exception).copied();
        recorded.extend(same.cloned());
        used.retain(|written| written.exception != *exception);
    }
    recorded
}

/// Returns the policy sets in force.
pub(crate) fn sets(config: &Config) -> Vec<SetRecord> {
    let of_layer = |layer: &Layer| {
        let facts = layer.set()?;
        Some(SetRecord {
            layer: layer.name(),
            source: SafeText::new(&facts.arrival.source.to_string()),
            version: facts.version,
            digest: facts.arrival.digest,
            signer: facts.arrival.signer.clone(),
        })
    };
    config.layers().iter().filter_map(of_layer).collect()
}

/// Returns every policy as it was configured, in the order of evaluation, with the digest of what was loaded.
pub(crate) fn policies(config: &Config, judged: &Judged) -> Vec<PolicyRecord> {
    let registry = judged.subject.registry.as_ref();
    let of_layer = |name| config.layers().iter().find(|layer| layer.name() == name);
    let recorded = judged.ruling.policies().iter().map(|policy| {
        let believed = of_layer(policy.layer()).is_some_and(|layer| layer.believes(registry));
        PolicyRecord::new(policy, believed)
    });
    recorded.collect()
}
