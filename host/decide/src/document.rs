//! Makes the decision document for `--json`, audit log and client errors.

use crate::Notice;
use crate::Ruling;
use smcp_model::decision::CodedMessage;
use smcp_model::decision::DecidedFacts;
use smcp_model::decision::DecisionDocument;
use smcp_model::decision::FindingDocument;
use smcp_model::decision::FindingKind;
use smcp_model::decision::PolicyResult;
use smcp_model::decision::SCHEMA;
use smcp_model::exception::Waiver;
use smcp_model::exit::ExitKind;
use smcp_model::mode::Effect;
use smcp_model::number;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Fault;
use smcp_model::verdict::Finding;
use smcp_model::verdict::Outcome;

/// The result that a decision document is about.
#[derive(Debug, Clone, Copy)]
pub enum Conclusion<'a> {
    /// The policies were evaluated.
    Ruled(&'a Ruling),
    /// The package was refused before any policy ran: its status, identity or bytes are wrong.
    Refused {
        /// A stable name for machines.
        code: &'a str,
        /// The reason, for people; the first line is the headline.
        message: &'a str,
    },
    /// The package does not exist, or its registry does not answer, so there is nothing to decide.
    Unavailable {
        /// A stable name for machines.
        code: &'a str,
        /// The reason, for people; the first line is the headline.
        message: &'a str,
    },
}

/// Makes the document of a decision about `subject`, which ends in `exit`.
pub fn document(subject: &Subject, conclusion: Conclusion<'_>, notices: &[Notice], exit: ExitKind) -> DecisionDocument {
    let mut facts = DecidedFacts::of(subject);
    let mut statements = Vec::new();
    let (decision, refusal, policies) = match conclusion {
        Conclusion::Ruled(ruling) => {
            facts.believed_by = Some(ruling.believed_by.clone());
            facts.verified_by.clone_from(&ruling.verified_by);
            statements = ruling.statements.clone();
            (ruling.effect(), None, ruling.policies())
        }
        Conclusion::Refused { code, message } | Conclusion::Unavailable { code, message } => {
            let message = SafeText::one_line(message);
            (Effect::Block, Some(CodedMessage { code: code.to_owned(), message }), [].as_slice())
        }
    };
    let asides = asides(subject, notices);
    let coded = |(code, message): (&str, &SafeText)| CodedMessage { code: code.to_owned(), message: message.clone() };
    DecisionDocument {
        schema: SCHEMA.to_owned(),
        package: SafeText::new(&subject.label()),
        decision,
        exit_code: exit.code(),
        refusal,
        facts,
        statements,
        policies: policies.iter().map(result).collect(),
        more: None,
        confinement: subject.confinement.clone(),
        notices: asides.map(coded).collect(),
    }
}

/// Returns code and text of the remarks that don't come from a policy: the notices, then the facts of the registry that
/// can't be true.
pub fn asides<'a>(subject: &'a Subject, notices: &'a [Notice]) -> impl Iterator<Item = (&'static str, &'a SafeText)> {
    let notices = notices.iter().map(|notice| (notice.code, &notice.message));
    notices.chain(subject.facts.doubts.iter().map(|doubt| ("fact-doubtful", doubt)))
}

fn result(policy: &Evaluated) -> PolicyResult {
    let fault = match &policy.outcome {
        Outcome::Fault(fault) => Some(fault.kind),
        Outcome::Pass { .. } | Outcome::Violation { .. } | Outcome::Skipped | Outcome::Waived { .. } => None,
    };
    PolicyResult {
        name: policy.name().clone(),
        layer: policy.layer(),
        mode: policy.mode(),
        outcome: policy.outcome.kind(),
        fault,
        effect: policy.effect(),
        digest: policy.digest,
        signer: policy.signer.clone(),
        version: policy.version.clone(),
        duration_us: number::micros(policy.duration),
        findings: findings(&policy.outcome),
        waivers: policy.outcome.exceptions().into_iter().map(Waiver::of).collect(),
        admin_contact: policy.contact().cloned(),
    }
}

/// Returns all findings: what stands, what is waived, remarks; for a fault, the fault.
fn findings(outcome: &Outcome) -> Vec<FindingDocument> {
    if let Outcome::Fault(fault) = outcome {
        return vec![fault_finding(fault)];
    }
    let standing = outcome.violations().iter().map(|found| finding(FindingKind::Violation, found));
    let waived = outcome.waived().iter().map(|waived| finding(FindingKind::Waived, &waived.finding));
    let notices = outcome.notices().iter().map(|found| finding(FindingKind::Notice, found));
    standing.chain(waived).chain(notices).collect()
}

fn fault_finding(fault: &Fault) -> FindingDocument {
    FindingDocument {
        kind: FindingKind::Fault,
        code: format!("fault-{}", fault.kind.as_str()),
        message: fault.message.clone(),
        fact: None,
        remedy: fault.remedy.clone(),
        extensions: Vec::new(),
    }
}

fn finding(kind: FindingKind, finding: &Finding) -> FindingDocument {
    let Finding { code, message, fact, remedy, extensions } = finding.clone();
    FindingDocument { kind, code: code.to_string(), message, fact, remedy, extensions }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_details_that_a_policy_gives_are_written() {
        let found = Finding {
            code: "host".parse().unwrap(),
            message: "a host".into(),
            fact: None,
            remedy: None,
            extensions: vec![("host".into(), "a\u{1b}b".into())],
        };
        let expected = r#"{"kind":"notice","code":"host","message":"a host","fact":null,"remedy":null,"extensions":[["host","a\\u{1b}b"]]}"#;
        let written = serde_json::to_string(&finding(FindingKind::Notice, &found)).unwrap();
        assert_eq!(written, expected);
        assert_eq!(serde_json::from_str::<FindingDocument>(&written).unwrap(), finding(FindingKind::Notice, &found));
    }
}
