//! Records of the audit log as events of OCSF.
//!
//! OCSF is the Open Cybersecurity Schema Framework. Every record is an event of its class Application Lifecycle, with the
//! profile for security controls: a server was to be started, was started, or has stopped. `docs/audit-export.md` has the
//! table. A line of the log that is no record is an event, too, so that nothing of a log is missing elsewhere.

use std::cmp::Reverse;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use smcp_model::audit::SCHEMA;
use smcp_model::decision::Consent;
use smcp_model::decision::DecisionDocument;
use smcp_model::decision::FindingDocument;
use smcp_model::decision::FindingKind;
use smcp_model::decision::PolicyResult;
use smcp_model::decision::exit_for;
use smcp_model::digest::Digest;
use smcp_model::exit::ExitKind;
use smcp_model::json;
use smcp_model::mode::Effect;
use smcp_model::mode::Mode;
use smcp_model::record::Body;
use smcp_model::record::DecisionRecord;
use smcp_model::record::EndRecord;
use smcp_model::record::HowEnded;
use smcp_model::record::Record;
use smcp_model::record::ServerEnd;
use smcp_model::record::StartRecord;
use smcp_model::text::SafeText;
use smcp_model::time;

/// The version of the schema.
const VERSION: &str = "1.8.0";
/// The class Application Lifecycle, and the profiles of who does it and of what decides about it.
const CLASS: u32 = 6002;
const PROFILES: [&str; 2] = ["host", "security_control"];

/// What happened to the application.
#[derive(Debug, Clone, Copy)]
enum AppActivity {
    Unknown,
    Start,
    Stop,
    /// It was judged by a command that starts nothing.
    Check,
}

impl AppActivity {
    const fn id(self) -> u32 {
        match self {
            Self::Unknown => 0,
            Self::Start => 3,
            Self::Stop => 4,
            Self::Check => 99,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::Start => "Start",
            Self::Stop => "Stop",
            Self::Check => "Check",
        }
    }
}

/// What an event says besides what all say.
struct Told {
    activity: AppActivity,
    severity: (u32, &'static str),
    /// Whether it succeeded, where that can be said.
    success: Option<bool>,
    message: String,
    own: Map<String, Value>,
    unmapped: Map<String, Value>,
}

const INFORMATIONAL: (u32, &str) = (1, "Informational");
const LOW: (u32, &str) = (2, "Low");
const MEDIUM: (u32, &str) = (3, "Medium");

/// Returns the event of one line of the log, line feed included. What is no record happened when it was found: `now`,
/// seconds since 1970.
pub fn event(line: &[u8], now: u64) -> Value {
    let digest = Digest::of(line);
    let why = match serde_json::from_slice::<Value>(line) {
        Err(error) => format!("it is not JSON: {}", json::of_one_line(&error)),
        Ok(value) if !value.is_object() => "it is no JSON object".to_owned(),
        Ok(value) => match Record::read(&value) {
            Ok(record) => return of_record(&record, &digest),
            Err(error) => error.to_string(),
        },
    };
    of_line(&format!("a line of the audit log can't be read: {why}"), &digest, now)
}

fn of_record(record: &Record, digest: &Digest) -> Value {
    let (place, circumstances) = (&record.place, &record.circumstances);
    let Told { activity, severity, success, message, own, mut unmapped } = match &record.body {
        Body::Decision(decision) => decided(decision, circumstances.command.as_str()),
        Body::Start(start) => started(start),
        Body::Failure(end) => ended(end, AppActivity::Start),
        Body::End(end) => ended(end, AppActivity::Stop),
    };
    let (status_id, status) = match success {
        Some(true) => (1, "Success"),
        Some(false) => (2, "Failure"),
        None => (0, "Unknown"),
    };
    unmapped.insert("prev".to_owned(), json!(place.prev));
    unmapped.insert("command".to_owned(), json!(circumstances.command));
    unmapped.extend(circumstances.asked.iter().map(|asked| ("asked".to_owned(), json!(asked))));
    let mut event = json!({
        "activity_id": activity.id(),
        "activity_name": activity.name(),
        "category_uid": CLASS / 1000,
        "category_name": "Application Activity",
        "class_uid": CLASS,
        "class_name": "Application Lifecycle",
        "type_uid": CLASS * 100 + activity.id(),
        "type_name": format!("Application Lifecycle: {}", activity.name()),
        "time": millis(place.time.as_str()),
        "severity_id": severity.0,
        "severity": severity.1,
        "status_id": status_id,
        "status": status,
        "message": message,
        "app": app(record.body.package()),
        "actor": {
            "process": {"name": "smcp", "pid": circumstances.pid},
            "user": {"uid": circumstances.uid.to_string()},
        },
        "metadata": {
            "version": VERSION,
            "profiles": PROFILES,
            "product": {"name": "smcp", "vendor_name": "smcp", "version": circumstances.smcp},
            "uid": digest,
            "sequence": place.seq,
            "correlation_uid": place.run.to_string(),
            "event_code": place.event,
            "log_name": SCHEMA,
            "original_time": place.time,
        },
        "raw_data_hash": {"algorithm_id": 3, "algorithm": "SHA-256", "value": digest.hex()},
        "unmapped": unmapped,
    });
    if let Value::Object(members) = &mut event {
        members.extend(own);
    }
    event
}

/// The event of a line that is no record. When it was written, nobody knows.
fn of_line(message: &str, digest: &Digest, now: u64) -> Value {
    json!({
        "activity_id": 0,
        "activity_name": AppActivity::Unknown.name(),
        "category_uid": CLASS / 1000,
        "category_name": "Application Activity",
        "class_uid": CLASS,
        "class_name": "Application Lifecycle",
        "type_uid": CLASS * 100,
        "type_name": "Application Lifecycle: Unknown",
        "time": now.saturating_mul(1000),
        "severity_id": MEDIUM.0,
        "severity": MEDIUM.1,
        "message": SafeText::new(message),
        "app": {"name": "smcp"},
        "metadata": {
            "version": VERSION,
            "profiles": PROFILES,
            "product": {"name": "smcp", "vendor_name": "smcp", "version": env!("CARGO_PKG_VERSION")},
            "uid": digest,
            "log_name": SCHEMA,
        },
        "raw_data_hash": {"algorithm_id": 3, "algorithm": "SHA-256", "value": digest.hex()},
    })
}

fn decided(record: &DecisionRecord, command: &str) -> Told {
    let DecisionRecord { consent, decision, .. } = record;
    let is_allowed = exit_for(decision.decision, *consent) == ExitKind::Success && decision.refusal.is_none();
    let severity = match (is_allowed, decision.decision) {
        (true, Effect::Pass) => INFORMATIONAL,
        (true, Effect::Warn | Effect::Ask | Effect::Block) => LOW,
        (false, _) => MEDIUM,
    };
    let (action, disposition) = if is_allowed { ((1, "Allowed"), "Allowed") } else { ((2, "Denied"), "Blocked") };
    let mut own = members(json!({
        "action_id": action.0,
        "action": action.1,
        "disposition_id": action.0,
        "disposition": disposition,
        "authorizations": decision.policies.iter().map(authorization).collect::<Vec<_>>(),
    }));
    let reasons = reasons(decision);
    own.extend(reasons.first().map(|(code, _)| ("status_code".to_owned(), json!(code))));
    own.extend(reasons.first().map(|(_, message)| ("status_detail".to_owned(), json!(message))));
    let codes = reasons.iter().map(|(code, _)| code.as_str()).collect::<Vec<_>>().join(", ");
    let why = if codes.is_empty() { String::new() } else { format!(": {codes}") };
    let mut unmapped = members(json!({"decision": decision.decision, "facts": decision.facts}));
    unmapped.extend(consent.map(|consent: Consent| ("consent".to_owned(), json!(consent))));
    Told {
        activity: if command == "run" { AppActivity::Start } else { AppActivity::Check },
        severity,
        success: Some(is_allowed),
        message: format!("{} is {}{why}", decision.package, if is_allowed { "allowed" } else { "refused" }),
        own,
        unmapped,
    }
}

/// One policy with what came of it.
fn authorization(policy: &PolicyResult) -> Value {
    let mut its = members(json!({
        "name": policy.name,
        "type": "smcp policy",
        "is_applied": policy.mode != Mode::Disabled,
        "group": {"name": policy.layer.as_str(), "type": "layer"},
        "data": {"mode": policy.mode, "outcome": policy.outcome, "findings": policy.findings},
    }));
    its.extend(policy.digest.iter().map(|digest| ("uid".to_owned(), json!(digest))));
    its.extend(policy.version.iter().map(|version| ("version".to_owned(), json!(version))));
    json!({"decision": policy.effect, "policy": its})
}

/// The codes and messages of what stands against a package: a refusal before any policy, or what policies object to, those
/// first whose effect is the decision's.
fn reasons(decision: &DecisionDocument) -> Vec<(String, SafeText)> {
    let refusal = decision.refusal.iter().map(|refusal| (refusal.code.clone(), refusal.message.clone()));
    let mut objecting: Vec<_> = decision.policies.iter().filter(|policy| policy.effect != Effect::Pass).collect();
    objecting.sort_by_key(|policy| Reverse(policy.effect));
    let found = objecting.into_iter().flat_map(|policy| {
        let name = policy.name.as_str();
        let counts = |finding: &&FindingDocument| matches!(finding.kind, FindingKind::Violation | FindingKind::Fault);
        let standing = policy.findings.iter().filter(counts);
        standing.map(move |finding| (format!("{name}/{}", finding.code), finding.message.clone()))
    });
    refusal.chain(found).collect()
}

fn started(start: &StartRecord) -> Told {
    let StartRecord { package, registry, bundle_digest, program, arguments, variables, warning } = start;
    Told {
        activity: AppActivity::Start,
        severity: INFORMATIONAL,
        success: Some(true),
        message: format!("{package} is started"),
        own: members(json!({"action_id": 1, "action": "Allowed", "disposition_id": 1, "disposition": "Allowed"})),
        unmapped: members(json!({
            "registry": registry,
            "bundle_digest": bundle_digest,
            "program": program,
            "arguments": arguments,
            "variables": variables,
            "warning": warning,
        })),
    }
}

fn ended(end: &EndRecord, activity: AppActivity) -> Told {
    let EndRecord { package, how, duration_ms, left_behind, denied_hosts, denied_calls } = end;
    let (success, code, message) = match how {
        HowEnded::Exited(ServerEnd { server_exit_code: Some(0), .. }) => {
            (true, "exited".to_owned(), "it exited".to_owned())
        }
        HowEnded::Exited(ServerEnd { server_exit_code, .. }) => {
            let code = server_exit_code.map_or("an unknown code".to_owned(), |code| format!("code {code}"));
            (false, "exited".to_owned(), format!("it exited with {code}"))
        }
        HowEnded::Signalled(_) => (true, "signalled".to_owned(), "a signal ended it".to_owned()),
        HowEnded::ReaperKilled(_) => (false, "unkept".to_owned(), "it was killed with what kept it".to_owned()),
        HowEnded::Abandoned { message, .. } => (false, "abandoned".to_owned(), message.to_string()),
        HowEnded::Failed { code, message } => (false, code.clone(), message.to_string()),
    };
    let verb = match activity {
        AppActivity::Stop => "has ended",
        AppActivity::Start | AppActivity::Check | AppActivity::Unknown => "was not started",
    };
    let mut own = members(json!({"status_code": code, "status_detail": message}));
    own.extend(duration_ms.map(|duration| ("duration".to_owned(), json!(duration))));
    let mut unmapped = members(json!({"end": how}));
    unmapped.extend(left_behind.map(|count| ("left_behind".to_owned(), json!(count))));
    unmapped.extend((!denied_hosts.is_empty()).then(|| ("denied_hosts".to_owned(), json!(denied_hosts))));
    unmapped.extend((!denied_calls.is_empty()).then(|| ("denied_calls".to_owned(), json!(denied_calls))));
    Told {
        activity,
        severity: if success { INFORMATIONAL } else { LOW },
        success: Some(success),
        message: format!("{package} {verb}: {message}"),
        own,
        unmapped,
    }
}

/// The package as an application: `org/name`, and its version where it is known.
fn app(package: &SafeText) -> Value {
    let whole = package.as_str();
    let (name, version) = whole.rsplit_once('@').map_or((whole, None), |(name, version)| (name, Some(version)));
    let mut app = members(json!({"name": if name.is_empty() { "unknown" } else { name }, "uid": whole}));
    app.extend(version.map(|version| ("version".to_owned(), json!(version))));
    app.extend(name.split_once('/').map(|(owner, _)| ("vendor_name".to_owned(), json!(owner))));
    Value::Object(app)
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}

/// The milliseconds since 1970 of a record's time; 0 when it has none that can be read.
fn millis(text: &str) -> u64 {
    let seconds = time::seconds_of(text).unwrap_or_default();
    seconds.saturating_mul(1000).saturating_add(time::fraction_millis(text))
}
