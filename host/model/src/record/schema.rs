//! The JSON Schema of a record of the audit log.

use serde_json::Value;
use serde_json::json;

use crate::audit::Event;
use crate::audit::SCHEMA;
use crate::decision::Consent;
use crate::decision::schema::day;
use crate::decision::schema::form as decision;
use crate::decision::schema::policy_name;
use crate::facts::CertLevel;
use crate::manifest::Transport;
use crate::mode::Mode;
use crate::mode::OnWarn;
use crate::policy::LayerName;
use crate::record::EndedBy;
use crate::schema::SchemaKey;
use crate::schema::always;
use crate::schema::digest;
use crate::schema::document;
use crate::schema::list;
use crate::schema::number;
use crate::schema::object;
use crate::schema::or_null;
use crate::schema::sometimes;
use crate::schema::text;
use crate::schema::truth;
use crate::schema::words;
use crate::warning::Delivery;

/// Returns the JSON Schema (draft 2020-12) of the records that this version writes: one line of the log.
pub fn schema() -> Value {
    let kinds = [
        record(&[Event::Decision], decided()),
        record(&[Event::Start], started()),
        record(&[Event::End], ended_itself()),
        record(&[Event::End], abandoned()),
        record(&[Event::Failure, Event::End], failed()),
    ];
    document("A record of the audit log of smcp", json!({"oneOf": kinds}))
}

/// Returns a kind of record: what all have, and what it has besides.
fn record(events: &[Event], own: Vec<SchemaKey>) -> Value {
    let time = json!({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$"});
    let common = [
        always("schema", json!({"const": SCHEMA})),
        always("seq", number(1, None)),
        always("prev", digest()),
        always("time", time),
        always("event", words(events, Event::as_str)),
        always("run", number(1, None)),
        sometimes("recovered_bytes", number(1, None)),
        always("command", text()),
        always("asked", or_null(text())),
        always("pid", number(0, None)),
        always("uid", number(0, None)),
        always("smcp", text()),
        always("package", text()),
    ];
    object(common.into_iter().chain(own))
}

fn decided() -> Vec<SchemaKey> {
    let context = object([
        always("evaluated_at", number(0, None)),
        always("trust", truth()),
        always("interactive", truth()),
        always("tool_version", text()),
    ]);
    vec![
        always("consent", or_null(words(&Consent::ALL, Consent::as_str))),
        always("decision", decision()),
        always("request", object([always("subject", subject()), sometimes("context", context)])),
        sometimes("policies", list(policy())),
        sometimes("exceptions", list(exception())),
        sometimes("sets", list(set())),
    ]
}

fn set() -> Value {
    object([
        always("layer", words(&LayerName::ALL, LayerName::as_str)),
        always("source", text()),
        always("version", number(1, None)),
        always("digest", digest()),
        sometimes("signer", text()),
    ])
}

/// What a policy was told of the package: a facts document.
fn subject() -> Value {
    let count = || number(0, Some(u64::from(u32::MAX)));
    let score = || number(0, Some(100));
    let findings = ["critical", "high", "medium", "low"].map(|severity| always(severity, count()));
    let permissions = ["network", "filesystem_read", "filesystem_write", "environment"];
    let permissions = permissions.map(|what| always(what, list(text())));
    let permissions = permissions.into_iter().chain([always("subprocess", truth())]);
    object([
        sometimes("org", text()),
        sometimes("name", text()),
        sometimes("version", text()),
        sometimes("registry", text()),
        sometimes("status", text()),
        sometimes("origin", text()),
        sometimes("cert_level", number(0, Some(u64::from(CertLevel::MAX)))),
        sometimes("score", score()),
        sometimes("security_score", score()),
        sometimes("supply_chain_score", score()),
        sometimes("maturity_score", score()),
        sometimes("findings", object(findings)),
        sometimes("manifest_digest", digest()),
        sometimes("bundle_digest", digest()),
        sometimes("git_sha", text()),
        sometimes("transport", words(&Transport::ALL, Transport::as_str)),
        sometimes("entrypoint", object([always("command", text()), always("args", list(text()))])),
        sometimes("permissions", object(permissions)),
        sometimes("manifest", text()),
    ])
}

fn policy() -> Value {
    let limits = ["time_us", "memory", "memories", "instances", "component_size", "output"];
    object([
        always("name", policy_name()),
        always("layer", words(&LayerName::ALL, LayerName::as_str)),
        always("source", text()),
        always("digest", or_null(digest())),
        always("pin", or_null(digest())),
        sometimes("signer", text()),
        always("mode", words(&Mode::ALL, Mode::as_str)),
        always("on_warn", or_null(words(&OnWarn::ALL, OnWarn::as_str))),
        always("facts_believed", truth()),
        always("settings", Value::Bool(true)),
        always("limits", object(limits.map(|limit| always(limit, number(0, None))))),
        sometimes("admin_contact", text()),
    ])
}

fn exception() -> Value {
    object([
        always("layer", words(&LayerName::ALL, LayerName::as_str)),
        always("package", text()),
        always("policies", list(policy_name())),
        always("codes", or_null(list(text()))),
        always("reason", text()),
        always("approved_by", or_null(text())),
        always("until", day()),
        always("at", text()),
    ])
}

fn started() -> Vec<SchemaKey> {
    vec![
        always("registry", text()),
        always("bundle_digest", digest()),
        always("program", text()),
        always("arguments", number(0, None)),
        always("variables", list(text())),
        always("warning", truth()),
    ]
}

/// The way in which a launch ended, and what every end may have.
fn end(outcomes: &[&str], own: Vec<SchemaKey>) -> Vec<SchemaKey> {
    let common = [
        always("outcome", json!({"enum": outcomes})),
        sometimes("duration_ms", number(0, None)),
        sometimes("left_behind", number(0, None)),
        sometimes("denied_hosts", list(object([always("host", text()), always("count", number(1, None))]))),
        sometimes("denied_calls", list(object([always("kind", text()), always("count", number(1, None))]))),
    ];
    common.into_iter().chain(own).collect()
}

fn ended_itself() -> Vec<SchemaKey> {
    let code = || number(0, Some(255));
    let own = vec![
        always("server_exit_code", or_null(code())),
        always("signal", or_null(code())),
        always("ended_by", words(&EndedBy::ALL, EndedBy::as_str)),
        always("exit_code", code()),
        always("warning", or_null(words(&Delivery::ALL, Delivery::as_str))),
    ];
    end(&["exited", "signalled", "unkept"], own)
}

fn abandoned() -> Vec<SchemaKey> {
    let start = object([always("seq", number(1, None)), always("digest", digest())]);
    end(&["abandoned"], vec![always("start", start), always("message", text())])
}

fn failed() -> Vec<SchemaKey> {
    end(&["failed"], vec![always("code", text()), always("message", text())])
}
