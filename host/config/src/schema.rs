//! The JSON Schema of the file, made from the keys that the parser reads by.

use serde_json::Value;
use serde_json::json;

use crate::form::ValueSchema as _;
use crate::keys;
use crate::keys::Nested;

/// Returns the JSON Schema (draft 2020-12) of the configuration.
///
/// It can't express all checks of the parser (unique names, `cert_level_mode` against `cert_mode`, the range of
/// durations), but it allows everything that the parser allows.
pub fn schema() -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "smcp configuration",
        "description": "The file ~/.mcp/config.yaml: which MCP servers smcp may start.",
    });
    if let (Value::Object(whole), Value::Object(root)) = (&mut schema, Nested(&keys::ROOT).schema()) {
        whole.extend(root);
        // A document without content is an empty configuration.
        whole.insert("type".to_owned(), json!(["object", "null"]));
    }
    schema
}
