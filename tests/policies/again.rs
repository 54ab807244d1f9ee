//! Repeats a decision from its record alone, with the components that it names.
//!
//! Neither the configuration nor a registry is read: anything that the record lacked would be missing in the second
//! decision.

use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::ROOT;
use crate::bed::TestBed;
use smcp_decide::Conclusion;
use smcp_decide::InForce;
use smcp_decide::Occasion;
use smcp_decide::Ruling;
use smcp_model::decision::DecisionDocument;
use smcp_model::decision::PolicyResult;
use smcp_model::decision::exit_for;
use smcp_model::digest::Digest;
use smcp_model::policy::PolicySource;
use smcp_model::record::Body;
use smcp_model::record::PolicyRecord;
use smcp_model::record::Record;
use smcp_policy::Bound;
use smcp_policy::Component;
use smcp_policy::PolicyHost;
use smcp_policy::PolicySet;
use smcp_policy::Unreadable;
use smcp_policy::request;

/// Returns the component with the digest in a record.
fn component(policy: &PolicyRecord, known: &[Vec<u8>]) -> Result<Component, Unreadable> {
    match (policy.spec().source, policy.digest) {
        (PolicySource::BuiltIn(policy), _) => Ok(Component::built_in(policy)),
        (PolicySource::File(_) | PolicySource::Remote(_), Some(digest)) => {
            Ok(Component::new(known.iter().find(|bytes| Digest::of(bytes) == digest).unwrap().clone()))
        }
        (PolicySource::File(_) | PolicySource::Remote(_), None) => Err(Unreadable::Disabled),
    }
}

const EXCEPTIONS: &str = "{package: acme/tool, policies: [score], reason: ended, until: 2020-01-01}, \
                          {package: acme/other, policies: [score, certification], reason: other, until: 9999-12-31}, \
                          {package: acme/tool, policies: [score, certification], codes: [score-below-minimum, \
                          cert-score-mismatch], reason: first, until: 9999-12-31}, \
                          {package: acme/tool@1.0.0, policies: [certification], reason: second, until: 9999-12-31}";

/// Returns a result without its duration.
fn timeless(result: &PolicyResult) -> PolicyResult {
    PolicyResult { duration_us: 0, ..result.clone() }
}

#[test]
fn a_record_is_all_that_a_decision_needs() {
    let example = std::fs::read(format!("{ROOT}/examples/policies/dist/no_network.wasm")).unwrap();
    let custom = "custom: [{name: mine, source: mine.wasm";
    let cases = [
        (String::new(), ""),
        ("{min_score: 80, min_cert_level: 2, allowed_origins: [official], origin_mode: warn}".to_owned(), ""),
        ("{min_score: 30, cert_score_check: enforce, warning_threshold: 90}".to_owned(), ""),
        ("{cert_mode: disabled, min_score: 36, score_mode: warn}".to_owned(), ""),
        // Facts that this layer does not trust.
        ("{min_score: 10, min_cert_level: 1}".to_owned(), "trusted_registries: [/elsewhere]\n"),
        (format!("{{{custom}, mode: warn, on_warn: confirm}}]}}"), ""),
        (format!("{{{custom}, settings: {{allow: [api.example.com, '*']}}}}]}}"), ""),
        (format!("{{{custom}, settings: {{alow: []}}}}]}}"), ""),
        (format!("{{{custom}, mode: disabled}}]}}"), ""),
        // Two exceptions share what is found, a third one has ended, a fourth is for something else.
        (format!("{{min_score: 80, min_cert_level: 3, cert_score_check: enforce, exceptions: [{EXCEPTIONS}]}}"), ""),
    ];
    let host = PolicyHost::new().unwrap();
    let mut outcomes = std::collections::BTreeSet::new();
    for (policy, more) in cases {
        let bed = TestBed::new();
        let policy = if policy.is_empty() { String::new() } else { format!("policy: {policy}") };
        bed.configure(&format!("{more}{policy}"));
        bed.write(".mcp/mine.wasm", &example);
        let asks = |manifest: &mut Value| {
            manifest["permissions"]["network"]["outbound"] = json!(["api.example.com", "*"]);
            manifest["package"]["description"] = "with \u{1b}[31m and \u{202e} in it".into();
        };
        let package = Package::shell("acme/tool@1.0.0", "").manifest(asks).facts("community", 2, 35);
        bed.publish(&package.option("--findings", "0,1,2,3"));
        let ran = bed.run("policy check --trust acme/tool@1.0.0");
        assert!(matches!(ran.code, 0 | 4), "{ran}");
        let record: Value = serde_json::from_str(bed.read(".mcp/audit.jsonl").lines().next().unwrap()).unwrap();
        drop(bed);

        let Body::Decision(record) = Record::read(&record).unwrap().body else { panic!("{record}") };
        let subject = &record.request.subject;
        let context = record.request.context.as_ref().unwrap().context();
        let again = record.policies.iter().map(|policy| {
            let component = component(policy, std::slice::from_ref(&example));
            let request = request::build(subject, context, policy.facts_believed);
            let set = PolicySet::load(&host, [Bound::new(policy.spec(), component).unwrap()]);
            // What is recorded held for the package; its registry does not matter any more.
            let occasion = Occasion { subject, registry_trusted: true, seconds: context.evaluated_at };
            let in_force = InForce::on(occasion, record.exceptions.iter().map(|written| &written.exception));
            let place = |number: usize| record.exceptions[number].at.clone();
            in_force.waive(set.evaluate(&request).pop().unwrap(), place)
        });
        let again = Ruling::of(again.collect()).unwrap();
        let exit = exit_for(again.effect(), record.consent);
        let document = smcp_decide::document(subject, Conclusion::Ruled(&again), &[], exit);
        let recorded = &record.decision;
        assert_eq!((document.decision, document.exit_code), (recorded.decision, recorded.exit_code), "{more}{policy}");
        let results = |document: &DecisionDocument| document.policies.iter().map(timeless).collect::<Vec<_>>();
        assert_eq!(results(&document), results(recorded), "{more}{policy}");
        outcomes.extend(recorded.policies.iter().map(|policy| policy.outcome.as_str()));
    }
    assert_eq!(outcomes.len(), 5, "of every kind there was one: {outcomes:?}");
}
