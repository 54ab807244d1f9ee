//! The settings of a custom policy: any YAML that JSON can express, as JSON.
//!
//! A form like those of `form`. Only the component itself knows what its settings mean.

use serde_json::Value;
use serde_json::json;

use crate::form::Base;
use crate::form::Mismatch;
use crate::form::ValueForm;
use crate::form::ValueSchema;
use crate::form::describe;
use crate::problem::ProblemCode;
use smcp_model::limits;
use smcp_model::text::SafeText;
use smcp_yaml::NotJson;
use smcp_yaml::NotJsonKind;
use smcp_yaml::YamlNode;

/// The form of any YAML that JSON can express, except a missing value.
#[derive(Debug)]
pub(super) struct SettingsForm;

impl ValueForm for SettingsForm {
    type Value = Value;

    fn read(&self, node: &YamlNode, _: Base<'_>) -> Result<Value, Vec<Mismatch>> {
        if *node == YamlNode::Null {
            let allowed = "any YAML value; without the key, the settings are `{}`";
            return Err(vec![Mismatch::new(describe(node), allowed)]);
        }
        let json = smcp_yaml::to_json(node);
        let value = json.map_err(|wrong| wrong.iter().map(|wrong| mismatch(node, wrong)).collect::<Vec<_>>())?;
        let size = value.to_string().len();
        if size > limits::SETTINGS {
            let mismatch =
                Mismatch::new(format!("has {size} bytes as JSON"), format!("at most {} bytes", limits::SETTINGS));
            return Err(vec![Mismatch { code: ProblemCode::Limit, ..mismatch }]);
        }
        Ok(value)
    }
}

impl ValueSchema for SettingsForm {
    fn schema(&self) -> Value {
        json!({ "type": ["object", "array", "string", "number", "boolean"] })
    }
}

/// Returns a value that JSON can't express as a mismatch at its path.
fn mismatch(root: &YamlNode, wrong: &NotJson<'_>) -> Mismatch {
    let of_key = |code, text: String, allowed: &str| Mismatch { code, ..Mismatch::new(text, allowed) };
    let found = match wrong.kind {
        NotJsonKind::Value => Mismatch::new(describe(wrong.node), "a value that JSON can express"),
        NotJsonKind::Key => {
            let found = format!("has a key that {}", describe(wrong.node));
            of_key(ProblemCode::BadValue, found, "keys that are text")
        }
        NotJsonKind::MergeKey => {
            let allowed = "keys written out; merge keys are not supported";
            of_key(ProblemCode::Unsupported, "is a merge key".to_owned(), allowed)
        }
        NotJsonKind::Duplicate => {
            of_key(ProblemCode::DuplicateKey, "is given a second time".to_owned(), "each key once")
        }
    };
    let labels = labels(root, &wrong.steps);
    let outwards = wrong.steps.iter().zip(labels).rev();
    outwards.fold(Mismatch { half: wrong.half, ..found }, |found, (index, label)| found.inside(*index, label))
}

/// Returns what a path shows for each step: `[index]`, or `.key`.
fn labels(root: &YamlNode, steps: &[usize]) -> Vec<String> {
    let (mut node, mut labels) = (Some(root), Vec::new());
    for index in steps {
        let (label, below) = match node {
            Some(YamlNode::Map(entries)) => {
                let entry = entries.get(*index);
                let name = entry.map_or("?", |(key, _)| if let YamlNode::Text(name) = key { name } else { "?" });
                (format!(".{}", SafeText::quoted_value(name)), entry.map(|(_, value)| value))
            }
            Some(YamlNode::List(items)) => (format!("[{index}]"), items.get(*index)),
            Some(_) | None => (String::new(), None),
        };
        labels.push(label);
        node = below;
    }
    labels
}
