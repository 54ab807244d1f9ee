//! The settings of a custom policy: any YAML that JSON can say, as JSON.
//!
//! A form like those of `form`; only the component itself knows what its settings mean.

use std::collections::BTreeSet;

use serde_json::Map;
use serde_json::Number;
use serde_json::Value;
use serde_json::json;

use crate::form::Base;
use crate::form::Form;
use crate::form::Mismatch;
use crate::form::Shape;
use crate::form::describe;
use crate::problem::Code;
use crate::raw::Half;
use crate::raw::Node;
use smcp_model::limits;
use smcp_model::text::SafeText;

/// Any YAML that JSON can say, except nothing at all.
#[derive(Debug)]
pub(super) struct Settings;

impl Form for Settings {
    type Value = Value;

    fn read(&self, node: &Node, _: Base<'_>) -> Result<Value, Vec<Mismatch>> {
        if *node == Node::Null {
            let allowed = "any YAML value; without the key, the settings are `{}`";
            return Err(vec![Mismatch::new(describe(node), allowed)]);
        }
        let value = convert(node)?;
        let size = value.to_string().len();
        if size > limits::SETTINGS {
            let mismatch =
                Mismatch::new(format!("has {size} bytes as JSON"), format!("at most {} bytes", limits::SETTINGS));
            return Err(vec![Mismatch { code: Code::Limit, ..mismatch }]);
        }
        Ok(value)
    }
}

impl Shape for Settings {
    fn schema(&self) -> Value {
        json!({ "type": ["object", "array", "string", "number", "boolean"] })
    }
}

fn convert(node: &Node) -> Result<Value, Vec<Mismatch>> {
    let no_json = || vec![Mismatch::new(describe(node), "a value that JSON can express")];
    match node {
        Node::Null => Ok(Value::Null),
        Node::Bool(value) => Ok(Value::Bool(*value)),
        Node::Integer(value) => Number::from_i128(*value).map(Value::Number).ok_or_else(no_json),
        Node::Float(value) => Number::from_f64(*value).map(Value::Number).ok_or_else(no_json),
        Node::Text(text) => Ok(Value::String(text.clone())),
        Node::Tagged(_) => Err(no_json()),
        Node::List(items) => list(items),
        Node::Map(entries) => map(entries),
    }
}

fn list(items: &[Node]) -> Result<Value, Vec<Mismatch>> {
    let (mut values, mut mismatches) = (Vec::new(), Vec::new());
    for (index, item) in items.iter().enumerate() {
        match convert(item) {
            Ok(value) => values.push(value),
            Err(wrong) => mismatches.extend(wrong.into_iter().map(|wrong| wrong.inside(index, format!("[{index}]")))),
        }
    }
    if mismatches.is_empty() { Ok(Value::Array(values)) } else { Err(mismatches) }
}

fn map(entries: &[(Node, Node)]) -> Result<Value, Vec<Mismatch>> {
    let (mut object, mut mismatches, mut seen) = (Map::new(), Vec::new(), BTreeSet::new());
    for (index, (key, value)) in entries.iter().enumerate() {
        let name = if let Node::Text(name) = key { name } else { "?" };
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

/// What is wrong with a key after those in `seen`.
fn wrong_key<'n>(key: &'n Node, seen: &mut BTreeSet<&'n str>) -> Option<Mismatch> {
    let wrong =
        |code, found: String, allowed: &str| Some(Mismatch { code, half: Half::Key, ..Mismatch::new(found, allowed) });
    let Node::Text(name) = key else {
        return wrong(Code::BadValue, format!("has a key that {}", describe(key)), "keys that are text");
    };
    if name == "<<" {
        let allowed = "keys written out; merge keys are not supported";
        return wrong(Code::Unsupported, "is a merge key".to_owned(), allowed);
    }
    if seen.insert(name) {
        return None;
    }
    wrong(Code::DuplicateKey, "is given a second time".to_owned(), "each key once")
}
