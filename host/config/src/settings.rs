//! The settings of a custom policy: any YAML that JSON can express, as JSON.
//!
//! A form like those of `form`. Only the component itself knows what its settings mean.

use std::collections::BTreeSet;

use serde_json::Map;
use serde_json::Number;
use serde_json::Value;
use serde_json::json;

use crate::form::Base;
use crate::form::Mismatch;
use crate::form::ValueForm;
use crate::form::ValueSchema;
use crate::form::describe;
use crate::problem::ProblemCode;
use crate::raw::Half;
use crate::raw::YamlNode;
use smcp_model::limits;
use smcp_model::text::SafeText;

/// The form of any YAML that JSON can express, except a missing value.
#[derive(Debug)]
pub(super) struct Settings;

impl ValueForm for Settings {
    type Value = Value;

    fn read(&self, node: &YamlNode, _: Base<'_>) -> Result<Value, Vec<Mismatch>> {
        if *node == YamlNode::Null {
            let allowed = "any YAML value; without the key, the settings are `{}`";
            return Err(vec![Mismatch::new(describe(node), allowed)]);
        }
        let value = convert(node)?;
        let size = value.to_string().len();
        if size > limits::SETTINGS {
            let mismatch =
                Mismatch::new(format!("has {size} bytes as JSON"), format!("at most {} bytes", limits::SETTINGS));
            return Err(vec![Mismatch { code: ProblemCode::Limit, ..mismatch }]);
        }
        Ok(value)
    }
}

impl ValueSchema for Settings {
    fn schema(&self) -> Value {
        json!({ "type": ["object", "array", "string", "number", "boolean"] })
    }
}

fn convert(node: &YamlNode) -> Result<Value, Vec<Mismatch>> {
    let not_json = || vec![Mismatch::new(describe(node), "a value that JSON can express")];
    match node {
        YamlNode::Null => Ok(Value::Null),
        YamlNode::Bool(value) => Ok(Value::Bool(*value)),
        YamlNode::Integer(value) => Number::from_i128(*value).map(Value::Number).ok_or_else(not_json),
        YamlNode::Float(value) => Number::from_f64(*value).map(Value::Number).ok_or_else(not_json),
        YamlNode::Text(text) => Ok(Value::String(text.clone())),
        YamlNode::Tagged(_) => Err(not_json()),
        YamlNode::List(items) => list(items),
        YamlNode::Map(entries) => map(entries),
    }
}

fn list(items: &[YamlNode]) -> Result<Value, Vec<Mismatch>> {
    let (mut values, mut mismatches) = (Vec::new(), Vec::new());
    for (index, item) in items.iter().enumerate() {
        match convert(item) {
            Ok(value) => values.push(value),
            Err(wrong) => mismatches.extend(wrong.into_iter().map(|wrong| wrong.inside(index, format!("[{index}]")))),
        }
    }
    if mismatches.is_empty() { Ok(Value::Array(values)) } else { Err(mismatches) }
}

fn map(entries: &[(YamlNode, YamlNode)]) -> Result<Value, Vec<Mismatch>> {
    let (mut object, mut mismatches, mut seen) = (Map::new(), Vec::new(), BTreeSet::new());
    for (index, (key, value)) in entries.iter().enumerate() {
        let name = if let YamlNode::Text(name) = key { name } else { "?" };
        let label = format!(".{}", SafeText::quoted_value(name));
        mismatches.extend(wrong_key(key, &mut seen).map(|wrong| wrong.inside(index, label.clone())));
        match convert(value) {
            Ok(value) => {
                object.insert(name.to_owned(), value);
            }
            Err(wrong) => mismatches.extend(wrong.into_iter().map(|wrong| wrong.inside(index, label.clone()))),
        }
    }
    if mismatches.is_empty() { Ok(Value::Object(object)) } else { Err(mismatches) }
}

/// Returns the problem of a key that comes after those in `seen`; `None` when there is none.
fn wrong_key<'n>(key: &'n YamlNode, seen: &mut BTreeSet<&'n str>) -> Option<Mismatch> {
    let wrong =
        |code, text: String, allowed: &str| Some(Mismatch { code, half: Half::Key, ..Mismatch::new(text, allowed) });
    let YamlNode::Text(name) = key else {
        return wrong(ProblemCode::BadValue, format!("has a key that {}", describe(key)), "keys that are text");
    };
    if name == "<<" {
        let allowed = "keys written out; merge keys are not supported";
        return wrong(ProblemCode::Unsupported, "is a merge key".to_owned(), allowed);
    }
    if seen.insert(name) {
        return None;
    }
    wrong(ProblemCode::DuplicateKey, "is given a second time".to_owned(), "each key once")
}
