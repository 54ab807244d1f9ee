//! The parts of which the JSON Schemas of our documents are made.
//!
//! Words come from the types that write them. Every object is closed, and a key is required unless it is said not to be.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A key of an object: its name, what it may be, and whether it may be absent.
pub(crate) type SchemaKey = (&'static str, Value, bool);

/// Returns a key that every document has.
pub(crate) const fn always(name: &'static str, form: Value) -> SchemaKey {
    (name, form, false)
}

/// Returns a key that is absent where it has nothing to say.
pub(crate) const fn sometimes(name: &'static str, form: Value) -> SchemaKey {
    (name, form, true)
}

/// Returns a whole schema: a form with the draft that it is written in.
pub(crate) fn document(title: &str, form: Value) -> Value {
    let head = [("$schema", json!(DRAFT)), ("title", json!(title))].map(|(word, value)| (word.to_owned(), value));
    let words = match form {
        Value::Object(words) => words,
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            Map::from_iter([("const".to_owned(), other)])
        }
    };
    head.into_iter().chain(words).collect::<Map<_, _>>().into()
}

/// Returns a closed object.
pub(crate) fn object(keys: impl IntoIterator<Item = SchemaKey>) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (name, form, may_be_absent) in keys {
        properties.insert(name.to_owned(), form);
        required.extend((!may_be_absent).then_some(name));
    }
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// Returns a list.
pub(crate) fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

/// Returns any text.
pub(crate) fn text() -> Value {
    json!({"type": "string"})
}

/// Returns one of the words of a type.
pub(crate) fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> Value {
    json!({"enum": all.iter().map(|value| word(*value)).collect::<Vec<_>>()})
}

/// Returns a whole number.
pub(crate) fn number(least: u64, most: Option<u64>) -> Value {
    match most {
        Some(most) => json!({"type": "integer", "minimum": least, "maximum": most}),
        None => json!({"type": "integer", "minimum": least}),
    }
}

/// Returns `true` or `false`.
pub(crate) fn truth() -> Value {
    json!({"type": "boolean"})
}

/// Returns a digest.
pub(crate) fn digest() -> Value {
    json!({"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"})
}

/// Returns a form, or null for what is not known.
pub(crate) fn or_null(form: Value) -> Value {
    json!({"anyOf": [form, {"type": "null"}]})
}
