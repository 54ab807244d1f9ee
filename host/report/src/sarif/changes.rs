//! What changes between two configurations as SARIF: a result for each finding.
//!
//! `error` is what would keep a server from starting that starts today, or from starting unasked; `note` is what would not
//! be in the way any more. Results are written one by one: a catalogue may have any number of them.

use std::io;
use std::io::BufWriter;
use std::io::Write;

use serde_json::Value;
use serde_json::json;

use crate::diff::Changes;
use crate::diff::DiffReport;
use crate::diff::streamed;
use crate::diff::words;
use crate::diff::write_value;
use crate::sarif::artifact;
use crate::sarif::plain;
use crate::sarif::run;
use smcp_model::diff::ChangedPackage;
use smcp_model::diff::ChangedPolicy;
use smcp_model::diff::PolicyTotals;
use smcp_model::diff::Transition;
use smcp_model::digest::Digest;
use smcp_model::name::PolicyName;
use smcp_model::text::SafeText;

/// The name of a change's fingerprint. What goes into it never changes under this name.
const FINGERPRINT: &str = "smcpChange/v1";

/// Where a policy is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyPlace {
    /// The file, as the command line names it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// Writes the log. `place_of` says where a policy is configured that says something else.
///
/// # Errors
/// When the writer fails, or the changes can't be read.
pub fn changes(
    report: &DiffReport<'_>,
    changes: &mut dyn Changes,
    place_of: &dyn Fn(&ChangedPolicy) -> Option<PolicyPlace>,
    exit_code: u8,
    out: &mut dyn Write,
) -> io::Result<()> {
    let codes = |(_, name, totals)| rules_of(name, totals);
    let rules: Vec<Value> = report.totals.policies().flat_map(codes).collect();
    let mut log = run(&rules, &[], json!({"id": "smcp/policy-diff/"}), exit_code, true, &[]);
    let mut run = log.pointer_mut("/runs/0").map(Value::take).unwrap_or_default();
    if let (Some(log), Some(run)) = (log.as_object_mut(), run.as_object_mut()) {
        log.remove("runs");
        run.remove("results");
    }
    let mut out = BufWriter::with_capacity(1 << 16, out);
    streamed(&log, "runs", &mut out, &mut |out| {
        streamed(&run, "results", out, &mut |out| {
            let mut separator: &[u8] = b"";
            changes.each(&mut |changed| {
                for result in results(changed, place_of) {
                    out.write_all(std::mem::replace(&mut separator, b","))?;
                    write_value(&result, out)?;
                }
                Ok(())
            })
        })
    })?;
    out.write_all(b"\n")?;
    out.flush()
}

fn rules_of(name: &PolicyName, totals: &PolicyTotals) -> Vec<Value> {
    let rule = |code: &SafeText| {
        json!({
            "id": format!("{name}/{code}"),
            "shortDescription": {"text": plain(&format!("{code}, of the policy {name}"))},
            "properties": {"policy": name.as_str(), "code": code},
        })
    };
    totals.codes.keys().map(rule).collect()
}

fn results(changed: &ChangedPackage, place_of: &dyn Fn(&ChangedPolicy) -> Option<PolicyPlace>) -> Vec<Value> {
    let mut results = Vec::new();
    for policy in &changed.policies {
        let ((from, to), (before, after)) = (policy.effects(), policy.codes());
        let is_milder = to < from;
        for code in if is_milder { before } else { after } {
            let (name, layer) = (&policy.name, policy.layer.as_str());
            let said = if is_milder && !after.contains(code) { "it was for" } else { "for" };
            let why = format!("{said} {code}, by the policy {name} of the {layer} layer");
            let key = [layer, name.as_str(), code.as_str()];
            results.push(result(changed, &format!("{name}/{code}"), &why, key, place_of(policy)));
        }
    }
    for (code, said) in [(&changed.refusals.0, "it was for"), (&changed.refusals.1, "for")] {
        if let Some(code) = code {
            let why = format!("{said} {code}, before any policy");
            results.push(result(changed, code.as_str(), &why, ["", "", code.as_str()], None));
        }
    }
    results
}

fn result(changed: &ChangedPackage, rule: &str, why: &str, key: [&str; 3], place: Option<PolicyPlace>) -> Value {
    let ChangedPackage { package, from, to, .. } = changed;
    let transition = changed.transition();
    let level = match transition {
        Transition::NewlyBlocked | Transition::NewlyAsked if to > from => "error",
        Transition::NewlyWarned if to > from => "warning",
        Transition::NewlyBlocked
        | Transition::NewlyAsked
        | Transition::NewlyWarned
        | Transition::NewlyAllowed
        | Transition::Unchanged => "note",
    };
    let text = format!("{package} is {} ({} before): {why}", words(transition), from.as_str());
    let name = package.as_str().rsplit('/').next().unwrap_or_default();
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    let mut location = json!({"logicalLocations": [{"name": name, "fullyQualifiedName": package, "kind": "package"}]});
    if let (Some(PolicyPlace { file, line }), Some(members)) = (place, location.as_object_mut()) {
        let physical = json!({"artifactLocation": artifact(&file), "region": {"startLine": line}});
        members.insert("physicalLocation".to_owned(), physical);
    }
    let fingerprint = [package.as_str(), transition.as_str()].into_iter().chain(key).collect::<Vec<_>>().join("\n");
    json!({
        "ruleId": rule,
        "level": level,
        "message": {"text": plain(&text)},
        "locations": [location],
        "partialFingerprints": {FINGERPRINT: Digest::of(fingerprint.as_bytes()).hex()},
        "properties": {"package": package, "from": from, "to": to, "change": transition},
    })
}
