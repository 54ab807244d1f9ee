//! A decision is made again from its record alone, with the components that its digests name.
//!
//! No configuration and no registry has a part in it: what a record lacked, the second decision would lack too.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use smcp_model::digest::Digest;
use smcp_model::limits::PolicyLimits;
use smcp_model::mode::{Mode, OnWarn};
use smcp_model::policy::{BuiltIn, LayerName, PolicySource, PolicySpec};
use smcp_model::request::Context;
use smcp_model::verdict::{Evaluated, Outcome};
use smcp_policy::request;
use smcp_policy::{Bound, Component, PolicyHost, PolicySet, Unreadable};

use crate::bed::{Package, ROOT, TestBed};

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

/// A policy as a record has it.
fn spec(record: &Value) -> PolicySpec {
    let name = record["name"].as_str().unwrap();
    let built_in = BuiltIn::ALL.into_iter().find(|it| record["source"] == "built-in" && it.as_str() == name);
    let limits = &record["limits"];
    PolicySpec {
        name: name.parse().unwrap(),
        layer: [LayerName::System, LayerName::User].into_iter().find(|it| record["layer"] == it.as_str()).unwrap(),
        source: built_in
            .map_or_else(|| PolicySource::File(record["source"].as_str().unwrap().into()), PolicySource::BuiltIn),
        pin: record["pin"].as_str().map(|digest| digest.parse().unwrap()),
        mode: [Mode::Strict, Mode::Warn, Mode::Disabled]
            .into_iter()
            .find(|mode| json!(mode) == record["mode"])
            .unwrap(),
        on_warn: [OnWarn::Notify, OnWarn::Confirm].into_iter().find(|word| json!(word) == record["on_warn"]),
        settings: record["settings"].clone(),
        limits: PolicyLimits {
            time: Duration::from_micros(limits["time_us"].as_u64().unwrap()),
            memory: number(&limits["memory"]),
            instances: number(&limits["instances"]),
            component_size: number(&limits["component_size"]),
            output: number(&limits["output"]),
        },
    }
}

/// The component that a record names by its digest.
fn component(spec: &PolicySpec, digest: &Value, known: &[Vec<u8>]) -> Result<Component, Unreadable> {
    match spec.source {
        PolicySource::BuiltIn(policy) => Ok(Component::built_in(policy)),
        PolicySource::File(_) => match digest.as_str() {
            Some(digest) => {
                Ok(Component::new(known.iter().find(|bytes| Digest::of(bytes).to_string() == digest).unwrap().clone()))
            }
            None => Err(Unreadable::Disabled),
        },
    }
}

/// What a decision document says of a policy, but for how long it took.
fn said(evaluated: &Evaluated) -> Value {
    let mut told: Vec<_> = evaluated.outcome.findings().map(|finding| json!([finding.code, finding.message])).collect();
    if let Outcome::Fault(fault) = &evaluated.outcome {
        told.push(json!([format!("fault-{}", fault.kind.as_str()), fault.message]));
    }
    json!({
        "name": evaluated.name, "layer": evaluated.layer, "mode": evaluated.mode, "digest": evaluated.digest,
        "version": evaluated.version, "outcome": evaluated.outcome.kind(), "effect": evaluated.effect().as_str(),
        "findings": told,
    })
}

/// The same of a document.
fn documented(policy: &Value) -> Value {
    let findings = policy["findings"].as_array().unwrap().iter();
    let told: Vec<_> = findings.map(|finding| json!([finding["code"], finding["message"]])).collect();
    let mut found = json!({ "findings": told });
    for key in ["name", "layer", "mode", "digest", "version", "outcome", "effect"] {
        found[key] = policy[key].clone();
    }
    found
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
        // Facts that nobody in this layer believes.
        ("{min_score: 10, min_cert_level: 1}".to_owned(), "trusted_registries: [/elsewhere]\n"),
        (format!("{{{custom}, mode: warn, on_warn: confirm}}]}}"), ""),
        (format!("{{{custom}, settings: {{allow: [api.example.com, '*']}}}}]}}"), ""),
        (format!("{{{custom}, settings: {{alow: []}}}}]}}"), ""),
        (format!("{{{custom}, mode: disabled}}]}}"), ""),
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

        let subject = record["request"]["subject"].to_string();
        let subject = request::subject_from_document(subject.as_bytes(), Path::new("/"), None).unwrap();
        let circumstances = &record["request"]["context"];
        let context = Context {
            evaluated_at: circumstances["evaluated_at"].as_u64().unwrap(),
            trust: circumstances["trust"].as_bool().unwrap(),
            interactive: circumstances["interactive"].as_bool().unwrap(),
        };
        let policies = record["policies"].as_array().unwrap();
        let again = policies.iter().map(|policy| {
            let spec = spec(policy);
            let component = component(&spec, &policy["digest"], std::slice::from_ref(&example));
            let request = request::build(&subject, context, policy["facts_believed"].as_bool().unwrap());
            PolicySet::load(&host, [Bound::new(spec, component).unwrap()]).evaluate(&request).pop().unwrap()
        });
        let again: Vec<_> = again.collect();
        let first: Vec<_> = record["decision"]["policies"].as_array().unwrap().iter().map(documented).collect();
        assert_eq!(again.iter().map(said).collect::<Vec<_>>(), first, "{more}{policy}");
        let effect = again.iter().map(Evaluated::effect).max().unwrap();
        assert_eq!(record["decision"]["decision"], effect.as_str(), "{more}{policy}");
        outcomes.extend(first.iter().map(|policy| policy["outcome"].to_string()));
    }
    assert_eq!(outcomes.len(), 4, "of every kind there was one: {outcomes:?}");
}
