//! Runs a case through the library, from configuration to decision.

use std::io;
use std::time::Duration;
use std::time::UNIX_EPOCH;

use crate::bed::Bed;
use crate::expect::Observed;
use crate::table::Case;
use smcp_config as config;
use smcp_config::Places;
use smcp_model::facts_document;
use smcp_model::mode::Effect;
use smcp_model::ownership::Caller;
use smcp_model::progress::Unwatched;
use smcp_model::request::Context;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Finding;
use smcp_model::verdict::Outcome;
use smcp_pipeline as pipeline;
use smcp_pipeline::Compilation;
use smcp_pipeline::Judged;
use smcp_pipeline::Session;
use smcp_pipeline::SharedHost;
use smcp_pipeline::System;

/// Runs a case.
pub(crate) fn observe(case: &Case, bed: &Bed) -> Observed {
    let trust = trust(case);
    let folder = bed.folder();
    let places = Places {
        home: Some(folder.to_owned()),
        working_directory: folder.to_owned(),
        system_folder: folder.to_owned(),
    };
    let config = match config::parse(case.config.as_bytes(), &bed.config(), &places) {
        Ok(config) => config,
        Err(error) => return Observed::error(1, error.to_string()),
    };
    let subject = match facts_document::read(case.facts.as_bytes(), folder, Some(folder)) {
        Ok(subject) => subject,
        Err(error) => return Observed::error(1, error.to_string()),
    };
    let context = Context { evaluated_at: 1_700_000_000, trust, interactive: false };
    let system = System {
        environment: Vec::new(),
        clock: || UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        caller: Caller::new(0, || None),
        stdin: || Err(io::ErrorKind::NotFound.into()),
        is_program: |_| None,
        read_head: |_| None,
        compilation: Compilation::InProcess,
        lasting: true,
        offline: false,
    };
    let session = Session::new(config, system, SharedHost::default());
    observed(&pipeline::evaluate_facts(&session, subject, context, &mut Unwatched).unwrap(), trust)
}

/// Reads the only argument that the library supports.
fn trust(case: &Case) -> bool {
    let args: Vec<_> = case.args.iter().map(String::as_str).collect();
    match args.as_slice() {
        [] => false,
        ["--trust"] => true,
        other => panic!("{}: the library has nothing like {other:?}", case.name),
    }
}

fn observed(judged: &Judged, trust: bool) -> Observed {
    let (policies, effect) = (judged.ruling.policies(), judged.ruling.effect());
    let asides: Vec<_> = judged.notices.iter().map(|notice| (notice.code, notice.message.to_string())).collect();
    let doubts: Vec<_> = judged.subject.facts.doubts.iter().map(|doubt| ("fact-doubtful", doubt.to_string())).collect();
    let asides = [asides, doubts].concat();
    let codes = |of: fn(&Outcome) -> &[Finding]| {
        policies.iter().flat_map(move |policy| of(&policy.outcome)).map(|finding| finding.code.to_string())
    };
    let findings = policies.iter().flat_map(|policy| [violations(&policy.outcome), notices(&policy.outcome)].concat());
    let texts = findings.flat_map(|finding| {
        let remedy = finding.remedy.as_ref().map(ToString::to_string);
        std::iter::once(finding.message.to_string()).chain(remedy)
    });
    Observed {
        exit: exit(effect, trust),
        decision: Some(effect.as_str().to_owned()),
        policies: policies.iter().map(state).collect(),
        violations: codes(violations).collect(),
        notices: codes(notices).chain(asides.iter().map(|(code, _)| (*code).to_owned())).collect(),
        says: texts.chain(asides.iter().map(|(_, message)| message.clone())).collect(),
    }
}

/// The exit code of a decision, written here a second time on purpose.
fn exit(effect: Effect, trust: bool) -> u8 {
    match effect {
        Effect::Pass | Effect::Warn => 0,
        Effect::Ask => {
            if trust {
                0
            } else {
                4
            }
        }
        Effect::Block => 4,
    }
}

fn state(policy: &Evaluated) -> (String, String) {
    let state = if policy.outcome == Outcome::Skipped { "skipped" } else { policy.effect().as_str() };
    (policy.name().to_string(), state.to_owned())
}

fn violations(outcome: &Outcome) -> &[Finding] {
    match outcome {
        Outcome::Violation { verdict, .. } => &verdict.violations,
        Outcome::Pass { .. } | Outcome::Skipped => &[],
        Outcome::Fault(fault) => panic!("a built-in policy broke: {}", fault.message),
        Outcome::Waived { .. } => panic!("nothing is waived here"),
    }
}

fn notices(outcome: &Outcome) -> &[Finding] {
    match outcome {
        Outcome::Violation { verdict, .. } => &verdict.notices,
        Outcome::Pass { notices } => notices,
        Outcome::Skipped | Outcome::Fault(_) | Outcome::Waived { .. } => &[],
    }
}
