//! The JSON Schema of the file, made from the keys that the parser reads by.

mod embedded;

pub use crate::schema::embedded::Unusable;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::form::ValueSchema as _;
use crate::keys;
use crate::keys::Nested;
use smcp_model::name::PolicyName;

/// The draft of JSON Schema that is written, by its address.
const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Returns the JSON Schema (draft 2020-12) of the configuration.
///
/// It can't express all checks of the parser (unique names, `cert_level_mode` against `cert_mode`, the range of
/// durations), but it allows everything that the parser allows.
pub fn schema() -> Value {
    let mut schema = json!({
        "$schema": DRAFT,
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

/// Returns the schema of the settings of the policy `name`, as it can stand in the configuration's.
///
/// # Errors
/// When it can't: it is written in another draft, or leads out of itself.
pub fn settings(name: &PolicyName, described: &Value) -> Result<Value, Unusable> {
    embedded::embedded(&key_of(name), described)
}

/// Returns the JSON Schema of a configuration in which some custom policies say what their settings may be: each by its
/// name, with what [`settings`] returned.
pub fn schema_with(policies: Vec<(PolicyName, Value)>) -> Value {
    let mut schema = schema();
    let (mut conditions, mut definitions) = (Vec::new(), Map::new());
    for (name, settings) in policies {
        let reference = format!("#/$defs/{}", key_of(&name));
        conditions.push(json!({
            "if": {"properties": {"name": {"const": name}}, "required": ["name"]},
            "then": {"properties": {"settings": {"$ref": reference}}},
        }));
        definitions.insert(key_of(&name), settings);
    }
    if let Some(Value::Object(entry)) = schema.pointer_mut("/properties/policy/properties/custom/items")
        && !conditions.is_empty()
    {
        entry.insert("allOf".to_owned(), Value::Array(conditions));
        if let Value::Object(whole) = &mut schema {
            whole.insert("$defs".to_owned(), Value::Object(definitions));
        }
    }
    schema
}

/// Returns the JSON Schema of a file in `policies.d`: an entry of `policy.custom` whose name is that of the file. Its
/// settings are described by what [`settings`] returned, if that is known.
pub fn entry(name: &PolicyName, settings: Option<Value>) -> Value {
    let mut schema = json!({
        "$schema": DRAFT,
        "title": "smcp policy",
        "description": "A file in `policies.d`: a policy that is called as the file is.",
    });
    let mut of_entry = self::schema().pointer_mut("/properties/policy/properties/custom/items").map(Value::take);
    if let Some(Value::Array(required)) = of_entry.as_mut().and_then(|entry| entry.get_mut("required")) {
        required.retain(|key| key != "name");
    }
    if let Some(Value::Object(properties)) = of_entry.as_mut().and_then(|entry| entry.get_mut("properties")) {
        properties.shift_remove("name");
        if settings.is_some() {
            properties.insert("settings".to_owned(), json!({"$ref": format!("#/$defs/{}", key_of(name))}));
        }
    }
    if let (Value::Object(whole), Some(Value::Object(entry))) = (&mut schema, of_entry) {
        whole.extend(entry);
        whole.extend(settings.map(|settings| ("$defs".to_owned(), json!({key_of(name): settings}))));
    }
    schema
}

/// The key of a policy's settings in `$defs`.
fn key_of(name: &PolicyName) -> String {
    format!("settings-{name}")
}
