//! A decision as SARIF 2.1.0, the format in which code scanners report.
//!
//! A rule is a policy and the code of a finding. What is `error` there keeps the server from starting, `warning` doesn't,
//! and `note` is a remark. Sections in comments are those of the standard.

mod changes;

pub use crate::sarif::changes::PolicyPlace;
pub use crate::sarif::changes::changes;

use std::collections::HashMap;

use serde_json::Value;
use serde_json::json;

use smcp_model::decision::DecisionDocument;
use smcp_model::decision::FindingDocument;
use smcp_model::decision::FindingKind;
use smcp_model::decision::PolicyResult;
use smcp_model::digest::Digest;
use smcp_model::exit::ExitKind;
use smcp_model::mode::Effect;
use smcp_model::text::SafeText;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const VERSION: &str = "2.1.0";
/// The name of our fingerprint. What goes into it never changes under this name.
const FINGERPRINT: &str = "smcpFinding/v1";
/// The base of relative paths: the root of the checked-out sources, for every reader that has one.
const ROOT: &str = "%SRCROOT%";

/// What a log is about, beside the decision itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct SarifOrigin<'a> {
    /// The file to show results at, as the command line names it: readers that show results beside sources take none
    /// without a file.
    pub file: Option<&'a str>,
}

/// Returns the log of a decision.
pub fn decision(document: &DecisionDocument, origin: SarifOrigin<'_>) -> Value {
    let mut log = Log { document, origin, rules: Vec::new(), results: Vec::new(), seen: HashMap::new() };
    let judged = [ExitKind::Success, ExitKind::Integrity, ExitKind::Refused];
    let is_judged = judged.iter().any(|kind| kind.code() == document.exit_code);
    for policy in &document.policies {
        policy.findings.iter().for_each(|finding| log.finding(policy, finding));
    }
    let notices = document.notices.iter().map(|notice| notification("note", &notice.code, notice.message.as_str()));
    let mut notices: Vec<_> = notices.collect();
    match &document.refusal {
        Some(refusal) if is_judged => log.refusal(&refusal.code, refusal.message.as_str()),
        Some(refusal) => notices.push(notification("error", &refusal.code, refusal.message.as_str())),
        None => {}
    }
    let package = unversioned(document.package.as_str());
    run(&log.rules, &log.results, json!({"id": format!("smcp/{package}/")}), document.exit_code, is_judged, &notices)
}

/// Returns the log of a command that came to no decision, because of what `message` says.
pub fn failed(code: &str, message: &str, exit_code: u8) -> Value {
    run(&[], &[], json!({"id": "smcp/"}), exit_code, false, &[notification("error", code, message)])
}

pub(crate) fn run(
    rules: &[Value],
    results: &[Value],
    automation: Value,
    exit_code: u8,
    is_successful: bool,
    notifications: &[Value],
) -> Value {
    json!({
        "$schema": SCHEMA,
        "version": VERSION,
        "runs": [{
            "tool": {"driver": {
                "name": "smcp",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "automationDetails": automation,
            "invocations": [{
                "executionSuccessful": is_successful,
                "exitCode": exit_code,
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    })
}

fn notification(level: &str, code: &str, message: &str) -> Value {
    json!({"descriptor": {"id": SafeText::new(code)}, "level": level, "message": {"text": plain(message)}})
}

/// The parts of a log that grow with each result.
struct Log<'a> {
    document: &'a DecisionDocument,
    origin: SarifOrigin<'a>,
    rules: Vec<Value>,
    results: Vec<Value>,
    /// How many results had the same fingerprint before it was numbered.
    seen: HashMap<String, usize>,
}

impl Log<'_> {
    /// Adds a finding of a policy.
    fn finding(&mut self, policy: &PolicyResult, finding: &FindingDocument) {
        let FindingDocument { kind, code, message, fact, remedy, extensions: _ } = finding;
        let level = match kind {
            FindingKind::Violation | FindingKind::Fault => self.level(policy.effect),
            FindingKind::Waived | FindingKind::Notice => "note",
        };
        let name = policy.name.as_str();
        let rule = json!({
            "id": format!("{name}/{code}"),
            "shortDescription": {"text": format!("{code}, of the policy {name}")},
            "fullDescription": {"text": format!("The policy {name} reports {code}.")},
            "help": {"text": "`smcp policy list` shows the policies and where each is configured."},
            "properties": {"policy": name, "code": code},
        });
        let text = match remedy {
            Some(remedy) => format!("{message}\n→ {remedy}"),
            None => message.to_string(),
        };
        let layer = policy.layer.as_str();
        let key = [layer, name, code, fact.as_ref().map_or("", SafeText::as_str)];
        let mut properties = json!({
            "package": self.document.package,
            "layer": layer,
            "mode": policy.mode,
            "outcome": policy.outcome,
            "effect": policy.effect,
            "kind": kind,
        });
        if let Value::Object(properties) = &mut properties {
            properties.extend(fact.iter().map(|fact| ("fact".to_owned(), json!(fact))));
            properties.extend(policy.admin_contact.iter().map(|whom| ("admin_contact".to_owned(), json!(whom))));
        }
        // A document says which exceptions waive findings of a policy, and not which waives which.
        let why = policy.waivers.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let suppression = (*kind == FindingKind::Waived).then(|| json!([{"kind": "external", "justification": why}]));
        self.result(rule, level, &text, &key, properties, suppression);
    }

    /// Adds a refusal before any policy was evaluated. No policy's rule has its id: they have a `/`.
    fn refusal(&mut self, code: &str, message: &str) {
        let rule = json!({
            "id": code,
            "shortDescription": {"text": format!("{code}, before any policy")},
            "fullDescription": {"text": format!("smcp refuses the package before any policy is asked: {code}.")},
            "help": {"text": "No mode and no exception changes this: ask whoever publishes the package."},
            "properties": {"code": code},
        });
        let properties = json!({"package": self.document.package, "effect": self.document.decision});
        self.result(rule, "error", message, &["", "", code, ""], properties, None);
    }

    fn result(
        &mut self,
        rule: Value,
        level: &str,
        text: &str,
        key: &[&str; 4],
        properties: Value,
        suppressions: Option<Value>,
    ) {
        let id = rule.get("id").cloned().unwrap_or_default();
        let known = self.rules.iter().position(|known| known.get("id") == Some(&id));
        let index = known.unwrap_or(self.rules.len());
        if known.is_none() {
            self.rules.push(rule);
        }
        let mut result = json!({
            "ruleId": id,
            "ruleIndex": index,
            "level": level,
            "message": {"text": plain(text)},
            "locations": [self.location()],
            "partialFingerprints": {FINGERPRINT: self.fingerprint(key)},
        });
        if let Value::Object(members) = &mut result {
            members.extend(suppressions.map(|list| ("suppressions".to_owned(), list)));
            members.insert("properties".to_owned(), properties);
        }
        self.results.push(result);
    }

    /// An `ask` without a yes is a refusal.
    fn level(&self, effect: Effect) -> &'static str {
        match effect {
            Effect::Block => "error",
            Effect::Ask if self.document.exit_code != ExitKind::Success.code() => "error",
            Effect::Ask | Effect::Warn => "warning",
            Effect::Pass => "note",
        }
    }

    fn location(&self) -> Value {
        let whole = self.document.package.as_str();
        let name = unversioned(whole).rsplit('/').next().unwrap_or_default();
        let logical = json!([{"name": name, "fullyQualifiedName": whole, "kind": "package"}]);
        match self.origin.file {
            Some(file) => json!({
                "physicalLocation": {"artifactLocation": artifact(file), "region": {"startLine": 1}},
                "logicalLocations": logical,
            }),
            None => json!({"logicalLocations": logical}),
        }
    }

    /// The same for the same finding in every run and of every version of the package; another for each of several that
    /// differ in their message alone.
    fn fingerprint(&mut self, key: &[&str; 4]) -> String {
        let package = unversioned(self.document.package.as_str());
        let text = std::iter::once(&package).chain(key).copied().collect::<Vec<_>>().join("\n");
        let before = self.seen.entry(text.clone()).or_default();
        let number = *before;
        *before = before.saturating_add(1);
        Digest::of(format!("{text}\n{number}").as_bytes()).hex()
    }
}

/// `org/name` of `org/name@version`.
fn unversioned(package: &str) -> &str {
    package.rsplit_once('@').map_or(package, |(package, _)| package)
}

/// Returns text in which no reader finds a link that we did not make: `[text](target)` is one, in plain text, too
/// (section 3.11.6).
pub(crate) fn plain(text: &str) -> String {
    let lines = text.lines().map(|line| SafeText::new(line).to_string()).collect::<Vec<_>>().join("\n");
    if lines.contains("](") { lines.replace('[', "\\[").replace(']', "\\]") } else { lines }
}

/// Returns the location of a file: relative to the sources where it is named so, and a `file:` URI where it is absolute.
pub(crate) fn artifact(file: &str) -> Value {
    let file = file.strip_prefix("./").unwrap_or(file);
    let mut uri = String::new();
    for byte in file.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => uri.push(char::from(byte)),
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    if uri.starts_with('/') { json!({"uri": format!("file://{uri}")}) } else { json!({"uri": uri, "uriBaseId": ROOT}) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use smcp_model::mode::Mode;

    fn log(case: &fixtures::Case) -> Value {
        decision(&case.report().document(), SarifOrigin { file: Some("smcp.yaml") })
    }

    #[test]
    fn every_decision_has_its_log() {
        for case in fixtures::cases() {
            let shown = serde_json::to_string_pretty(&log(&case)).unwrap();
            insta::assert_snapshot!(case.name, shown.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
        }
    }

    #[test]
    fn there_is_an_error_exactly_when_the_exit_code_is_not_0() {
        for case in fixtures::cases() {
            let (document, log) = (case.report().document(), log(&case));
            let run = &log["runs"][0];
            let is_error = |it: &Value| it["level"] == "error";
            let results = run["results"].as_array().unwrap().iter();
            let notices = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap().iter();
            assert_eq!(results.chain(notices).any(is_error), document.exit_code != 0, "{}: {log:#}", case.name);
            assert_eq!(run["invocations"][0]["exitCode"], document.exit_code);
        }
    }

    #[test]
    fn a_fingerprint_is_that_of_the_finding_and_not_of_its_words() {
        let fingerprints = |messages: &[&str]| -> Vec<String> {
            let messages: Vec<_> = messages.iter().map(|text| (*text).to_owned()).collect();
            let log = log(&fixtures::objecting(&messages, Mode::Strict));
            let results = log["runs"][0]["results"].as_array().unwrap();
            results.iter().map(|it| it["partialFingerprints"][FINGERPRINT].as_str().unwrap().to_owned()).collect()
        };
        let (one, two) = (fingerprints(&["score 60"]), fingerprints(&["score 61", "score 62"]));
        assert_eq!(one, two[..1]);
        assert_ne!(two[0], two[1]);
        // Written down: readers keep it for years.
        assert_eq!(one, ["20841fc33ea087dd0c6f0f2071426de2e5489b75a2e890a315172dd9ad182df7"]);
    }

    #[test]
    fn a_file_is_a_uri() {
        let cases = [
            ("smcp.yaml", json!({"uri": "smcp.yaml", "uriBaseId": ROOT})),
            ("./a b/ü%.yaml", json!({"uri": "a%20b/%C3%BC%25.yaml", "uriBaseId": ROOT})),
            ("a:b", json!({"uri": "a%3Ab", "uriBaseId": ROOT})),
            ("/etc/mcp/x.yaml", json!({"uri": "file:///etc/mcp/x.yaml"})),
        ];
        for (file, expected) in cases {
            assert_eq!(artifact(file), expected, "{file}");
        }
    }

    #[test]
    fn nothing_hostile_is_a_link_or_reaches_a_terminal() {
        let hostile = "\u{1b}[2J\u{0}\u{202e} [fix it](https://evil.example)".to_owned();
        let objecting = fixtures::objecting(std::slice::from_ref(&hostile), Mode::Strict);
        for log in [log(&objecting), log(&fixtures::hostile_subject()), failed("config", &hostile, 1)] {
            let mut out = Vec::new();
            crate::json::write(&log, &mut out).unwrap();
            let written = String::from_utf8(out).unwrap();
            assert!(
                written
                    .trim_end_matches('\n')
                    .chars()
                    .all(|it| SafeText::new(&it.to_string()).as_str().len() == it.len_utf8())
            );
            assert!(!log.to_string().contains("[fix it](") && !log.to_string().contains('\u{1b}'), "{log}");
        }
    }
}
