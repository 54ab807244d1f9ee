//! The JSON Schema of a case file, for editors, made of the reader's own tables.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::expect::FAULTS;
use crate::facts;

/// Returns the JSON Schema (draft 2020-12) of a case file.
///
/// It allows everything that [`read`](crate::read) allows. It can't say that names are unique, that `from` is a name of
/// `defaults`, or that a time exists.
pub fn schema() -> Value {
    let context = closed(
        [
            ("at", json!({"type": "string", "description": "When it is evaluated: 2026-01-05T09:00:00Z, or a date."})),
            ("trust", json!({"type": "boolean", "description": "Whether --trust was passed."})),
            ("interactive", json!({"type": "boolean", "description": "Whether a person can be asked."})),
        ],
        &[],
    );
    let case = closed(
        [
            ("name", json!({"type": "string", "minLength": 1, "description": "One line; unique in this file."})),
            ("from", json!({"type": "string", "description": "A name of `defaults`: the case begins with its facts."})),
            ("facts", json!({"$ref": "#/$defs/facts"})),
            ("settings", json!({"description": "What `settings` of a configuration would hold. Absent: {}."})),
            ("context", context),
            ("expect", json!({"$ref": "#/$defs/expect"})),
        ],
        &["name", "expect"],
    );
    let defaults = json!({
        "type": "object",
        "description": "Named sets of facts.",
        "additionalProperties": {"$ref": "#/$defs/facts"},
    });
    let cases = json!({"type": "array", "minItems": 1, "items": case});
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Cases of a policy for smcp",
    });
    if let (Value::Object(whole), Value::Object(root)) =
        (&mut schema, closed([("defaults", defaults), ("cases", cases)], &["cases"]))
    {
        whole.extend(root);
        whole.insert("$defs".to_owned(), json!({"facts": facts::schema(), "expect": expect()}));
    }
    schema
}

/// Returns a mapping with these keys and no others.
pub(crate) fn closed<const N: usize>(keys: [(&str, Value); N], required: &[&str]) -> Value {
    let properties: Map<_, _> = keys.into_iter().map(|(key, form)| (key.to_owned(), form)).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn expect() -> Value {
    let text = || json!({"type": "string"});
    let code = || json!({"type": "string", "pattern": "^[a-z0-9-]{1,64}$"});
    let finding = closed([("code", code()), ("message", text()), ("fact", text())], &["code"]);
    let findings = json!({"type": "array", "items": {"anyOf": [code(), finding]}});
    let pointer = || json!({"type": "string", "pattern": "^(/|$)"});
    let problem = closed([("path", pointer()), ("message", text())], &["path"]);
    let problems = json!({"type": "array", "minItems": 1, "items": {"anyOf": [pointer(), problem]}});
    let mut verdict = closed([("violations", findings.clone()), ("notices", findings)], &[]);
    if let Value::Object(words) = &mut verdict {
        words.insert("minProperties".to_owned(), json!(1));
    }
    json!({
        "description": "What the policy should do: allow, or what it finds, or how it fails.",
        "anyOf": [
            {"const": "allow"},
            verdict,
            closed([("fault", json!({"enum": FAULTS}))], &["fault"]),
            closed([("problems", problems)], &["problems"]),
        ],
    })
}
