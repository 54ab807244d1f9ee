//! Writes the table of keys as JSON Schema.
//!
//! It is for editors, and for other programs that check a manifest.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::manifest::author::ABOUT_VARIABLE;
use crate::manifest::keys::KEYS;
use crate::manifest::keys::KeyKind;
use crate::manifest::keys::ManifestKey;

/// A path inside the bundle: neither absolute nor with `..` in it, and without NUL.
const INSIDE: &str = r"^(?!/)(?!(?:[\s\S]*/)?\.\.(?:/|$))[^\u0000]*$";
/// The same for a program, whose name is not blank.
const PROGRAM: &str = r"^(?=[\s\S]*\S)(?!/)(?!(?:[\s\S]*/)?\.\.(?:/|$))[^\u0000]*$";
/// A text that an operating system takes as an argument.
const ARGUMENT: &str = r"^[^\u0000]*$";
/// The name of a variable.
const VARIABLE: &str = r"^[^=\u0000]+$";
/// The name of a variable that the user sets.
const USER_VARIABLE: &str = r"^[A-Za-z_][A-Za-z0-9_]*$";
const ID: &str = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}/[A-Za-z0-9][A-Za-z0-9._-]{0,127}$";
const VERSION: &str = r"^(?!latest$)[A-Za-z0-9][A-Za-z0-9.+_-]{0,127}$";

/// Returns the schema of an author's `manifest.json`.
pub fn schema() -> Value {
    let mut document = object("");
    if let Some(properties) = document.get_mut("properties").and_then(Value::as_object_mut) {
        for (key, about) in [
            ("certification", "The registry writes it."),
            ("bundle", "It can't be right about a bundle that holds it."),
            ("source", "`smcp import` writes it."),
        ] {
            properties
                .insert(key.to_owned(), json!({"type": "null", "description": format!("Not the author's. {about}")}));
        }
    }
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("title".to_owned(), "manifest.json of a package for smcp".into());
    schema.extend(document);
    Value::Object(schema)
}

/// Returns the schema of the object at `path`: its keys, and which of them are required.
fn object(path: &str) -> Map<String, Value> {
    let inside = KEYS.iter().filter_map(|key| {
        let (above, name) = key.path.rsplit_once('.').unwrap_or(("", key.path));
        (above == path).then_some((name, key))
    });
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, key) in inside {
        properties.insert(name.to_owned(), Value::Object(property(key)));
        required.extend(key.required.then_some(Value::from(name)));
    }
    let mut object = Map::new();
    object.insert("type".to_owned(), "object".into());
    object.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        object.insert("required".to_owned(), Value::Array(required));
    }
    object
}

fn property(key: &ManifestKey) -> Map<String, Value> {
    let mut schema = if key.kind == KeyKind::Object { object(key.path) } else { rule(key.kind) };
    // Some programs write `null` for an absent key.
    if !key.required
        && let Some(kind) = schema.get_mut("type")
        && kind.is_string()
    {
        *kind = json!([kind.take(), "null"]);
    }
    let mut described = Map::new();
    described.insert("description".to_owned(), key.about.into());
    described.extend(schema);
    if let Ok(example) = serde_json::from_str::<Value>(key.example) {
        described.insert("examples".to_owned(), Value::Array(vec![example]));
    }
    described
}

fn rule(kind: KeyKind) -> Map<String, Value> {
    let rule = match kind {
        KeyKind::Object => json!({"type": "object"}),
        KeyKind::Text => json!({"type": "string"}),
        KeyKind::Flag => json!({"type": "boolean"}),
        KeyKind::Count => json!({"type": "integer", "minimum": 0}),
        KeyKind::Number => json!({"type": ["number", "string"], "pattern": r"^[0-9]+(\.[0-9]+)?$"}),
        KeyKind::Texts => json!({"type": "array", "items": {"type": "string"}}),
        KeyKind::Word(words) => json!({"type": "string", "enum": words}),
        KeyKind::Id => json!({"type": "string", "pattern": ID}),
        KeyKind::Version => json!({"type": "string", "pattern": VERSION}),
        KeyKind::Started => json!({
            "type": "array", "minItems": 1,
            "prefixItems": [{"type": "string", "pattern": PROGRAM}],
            "items": {"type": "string", "pattern": ARGUMENT},
        }),
        KeyKind::Arguments => json!({"type": "array", "items": {"type": "string", "pattern": ARGUMENT}}),
        KeyKind::Variables => json!({
            "type": "object",
            "propertyNames": {"pattern": VARIABLE},
            "additionalProperties": {"type": "string", "pattern": ARGUMENT},
        }),
        KeyKind::Inside => json!({"type": "string", "pattern": INSIDE}),
        KeyKind::UserVariables => {
            let keys = ABOUT_VARIABLE
                .iter()
                .map(|(key, kind, about)| ((*key).to_owned(), json!({"description": about, "type": [kind, "null"]})));
            json!({
                "type": "object",
                "propertyNames": {"pattern": USER_VARIABLE},
                "additionalProperties": {
                    "type": "object",
                    "properties": keys.collect::<Map<_, _>>(),
                    "additionalProperties": false,
                },
            })
        }
    };
    match rule {
        Value::Object(rule) => rule,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}
