//! The JSON Schema of the decision document.

use serde_json::Value;
use serde_json::json;

use crate::confinement::ConfinementState;
use crate::confinement::Gap;
use crate::decision::FindingKind;
use crate::decision::SCHEMA;
use crate::mode::Effect;
use crate::mode::Mode;
use crate::policy::LayerName;
use crate::schema::always;
use crate::schema::digest;
use crate::schema::document;
use crate::schema::list;
use crate::schema::number;
use crate::schema::object;
use crate::schema::or_null;
use crate::schema::sometimes;
use crate::schema::text;
use crate::schema::words;
use crate::verdict::FaultKind;
use crate::verdict::OutcomeKind;

/// Returns the JSON Schema (draft 2020-12) of the documents that this version writes. A later version may write further
/// keys under the same name: a program that reads documents of several versions has to skip what it doesn't know.
pub fn schema() -> Value {
    document("A decision of smcp", form())
}

/// Returns the form of the document, for others that it is a part of.
pub(crate) fn form() -> Value {
    object([
        always("schema", json!({"const": SCHEMA})),
        always("package", text()),
        always("decision", words(&Effect::ALL, Effect::as_str)),
        always("exit_code", number(0, Some(6))),
        sometimes("refusal", coded_message()),
        always("facts", facts()),
        sometimes("statements", list(stated())),
        always("policies", list(policy())),
        sometimes("more", text()),
        sometimes("confinement", confinement()),
        always("notices", list(coded_message())),
    ])
}

fn confinement() -> Value {
    object([
        always("state", words(&ConfinementState::ALL, ConfinementState::as_str)),
        always("missing", list(words(&Gap::ALL, Gap::as_str))),
    ])
}

fn coded_message() -> Value {
    object([always("code", text()), always("message", text())])
}

fn facts() -> Value {
    object([
        always("origin", or_null(text())),
        always("cert_level", or_null(number(0, Some(3)))),
        always("score", or_null(number(0, Some(100)))),
        always("status", or_null(text())),
        always("registry", or_null(text())),
        always("bundle_digest", or_null(digest())),
        sometimes("believed_by", list(words(&LayerName::ALL, LayerName::as_str))),
        sometimes("verified_by", list(words(&LayerName::ALL, LayerName::as_str))),
    ])
}

fn stated() -> Value {
    let score = || number(0, Some(100));
    let counts = json!({"type": "array", "items": number(0, None), "minItems": 4, "maxItems": 4});
    object([
        always("layer", words(&LayerName::ALL, LayerName::as_str)),
        always("signer", text()),
        always("sequence", number(1, None)),
        always("digest", digest()),
        always("issued", text()),
        always("expires", text()),
        always("status", or_null(text())),
        always("origin", or_null(text())),
        always("cert_level", or_null(number(0, Some(3)))),
        always("score", or_null(score())),
        sometimes("security_score", score()),
        sometimes("supply_chain_score", score()),
        sometimes("maturity_score", score()),
        sometimes("findings", counts),
    ])
}

fn policy() -> Value {
    let mut policy = object([
        always("name", policy_name()),
        always("layer", words(&LayerName::ALL, LayerName::as_str)),
        always("mode", words(&Mode::ALL, Mode::as_str)),
        always("outcome", words(&OutcomeKind::ALL, OutcomeKind::as_str)),
        sometimes("fault", words(&FaultKind::ALL, FaultKind::as_str)),
        always("effect", words(&Effect::ALL, Effect::as_str)),
        always("digest", or_null(digest())),
        sometimes("signer", text()),
        always("version", or_null(text())),
        always("duration_us", number(0, None)),
        always("findings", list(finding())),
        sometimes("waivers", list(waiver())),
        sometimes("admin_contact", text()),
    ]);
    if let Value::Object(words) = &mut policy {
        let fault = json!({"properties": {"outcome": {"const": OutcomeKind::Fault.as_str()}}});
        words.insert("if".to_owned(), fault);
        words.insert("then".to_owned(), json!({"required": ["fault"]}));
        words.insert("else".to_owned(), json!({"properties": {"fault": false}}));
    }
    policy
}

/// Returns the form of a policy's name.
pub(crate) fn policy_name() -> Value {
    json!({"type": "string", "pattern": "^[a-z0-9-]{1,64}$"})
}

fn finding() -> Value {
    let pair = json!({"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2});
    object([
        always("kind", words(&FindingKind::ALL, FindingKind::as_str)),
        always("code", text()),
        always("message", text()),
        always("fact", or_null(text())),
        always("remedy", or_null(text())),
        sometimes("extensions", list(pair)),
    ])
}

fn waiver() -> Value {
    object([
        always("package", text()),
        always("reason", text()),
        always("approved_by", or_null(text())),
        always("until", day()),
        always("at", text()),
    ])
}

/// Returns the form of a day.
pub(crate) fn day() -> Value {
    json!({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"})
}
