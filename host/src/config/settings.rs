//! The settings of a custom policy: any YAML that JSON can say, handed over as JSON.
//!
//! A form like those of `form`; only the component itself knows what its settings mean.

use std::collections::BTreeSet;

use serde_json::Map;
use serde_json::Number;
use serde_json::Value;
use serde_json::json;

use crate::config::form::Base;
use crate::config::form::Form;
use crate::config::form::Mismatch;
use crate::config::form::Shape;
use crate::config::form::describe;
use crate::config::form::excerpt;
use crate::config::problem::Code;
use crate::config::raw::Half;
use crate::config::raw::Node;
use crate::model::limits;

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
                Mismatch::new(format!("{size} bytes long as JSON"), format!("at most {} bytes", limits::SETTINGS));
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
        let (name, label) = match key {
            Node::Text(name) => (Ok(name), format!(".{}", excerpt(name))),
            other => (Err(describe(other)), ".?".to_owned()),
        };
        let wrong_key = match name {
            Err(found) => Some((Code::BadValue, format!("under {found}"), "keys that are text")),
            Ok(name) if name == "<<" => {
                Some((Code::Unsupported, "a merge key".to_owned(), "keys written out; merge keys are not supported"))
            }
            Ok(name) if !seen.insert(name) => {
                Some((Code::DuplicateKey, "given a second time".to_owned(), "each key once"))
            }
            Ok(_) => None,
        };
        if let Some((code, found, allowed)) = wrong_key {
            let mismatch = Mismatch { code, half: Half::Key, ..Mismatch::new(found, allowed) };
            mismatches.push(mismatch.inside(index, label.clone()));
        }
        match (convert(value), key) {
            (Ok(value), Node::Text(name)) => drop(object.insert(name.clone(), value)),
            (Ok(_), _) => {}
            (Err(wrong), _) => mismatches.extend(wrong.into_iter().map(|wrong| wrong.inside(index, label.clone()))),
        }
    }
    if mismatches.is_empty() { Ok(Value::Object(object)) } else { Err(mismatches) }
}
