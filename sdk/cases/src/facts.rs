//! Facts in a case file, read as strictly as a facts document.
//!
//! A person wrote them, so an impossible value is a problem; in a registry's own documents it would be an unknown fact.
//! A test on generated documents holds that smcp reads the same ones (`tests/cases` in its repository).

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::draft::DraftedProblem;
use crate::draft::DraftedProblems;
use crate::draft::KnownEntries;
use crate::draft::described;
use crate::draft::then;
use smcp_yaml::YamlNode;

/// The values that a fact may have.
#[derive(Debug, Clone, Copy)]
enum FactForm {
    /// Any text.
    Text,
    /// A word of the registry; not blank.
    Word,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// A whole number from 0 to this one.
    Number(u32),
    /// `sha256:` and 64 lower-case hex digits.
    Digest,
    /// A registry.
    Registry,
    /// A list of texts.
    Texts,
    /// `true` or `false`.
    Truth,
    /// An object that a policy gets complete, or not at all.
    Whole(&'static [(&'static str, FactForm)]),
}

const SCORE: FactForm = FactForm::Number(100);
const COUNT: FactForm = FactForm::Number(u32::MAX);

const FINDINGS: &[(&str, FactForm)] = &[("critical", COUNT), ("high", COUNT), ("medium", COUNT), ("low", COUNT)];
const ENTRYPOINT: &[(&str, FactForm)] = &[("command", FactForm::Text), ("args", FactForm::Texts)];
const PERMISSIONS: &[(&str, FactForm)] = &[
    ("network", FactForm::Texts),
    ("filesystem_read", FactForm::Texts),
    ("filesystem_write", FactForm::Texts),
    ("environment", FactForm::Texts),
    ("subprocess", FactForm::Truth),
];

/// The fields of `subject` in `wit/policy.wit`.
const FACTS: &[(&str, FactForm)] = &[
    ("org", FactForm::Text),
    ("name", FactForm::Text),
    ("version", FactForm::Text),
    ("registry", FactForm::Registry),
    ("status", FactForm::Word),
    ("origin", FactForm::Text),
    ("cert_level", FactForm::Number(3)),
    ("score", SCORE),
    ("security_score", SCORE),
    ("supply_chain_score", SCORE),
    ("maturity_score", SCORE),
    ("findings", FactForm::Whole(FINDINGS)),
    ("manifest_digest", FactForm::Digest),
    ("bundle_digest", FactForm::Digest),
    ("git_sha", FactForm::Text),
    ("transport", FactForm::OneOf(&["stdio", "http"])),
    ("entrypoint", FactForm::Whole(ENTRYPOINT)),
    ("permissions", FactForm::Whole(PERMISSIONS)),
    ("manifest", FactForm::Text),
];

/// Reads facts, which `what` names; parts of their objects may be missing. `null` is kept: laid over other facts, it
/// removes one.
pub(crate) fn read(
    drafts: &mut DraftedProblems,
    node: &YamlNode,
    steps: &[usize],
    what: &str,
) -> Option<Map<String, Value>> {
    let names: Vec<_> = FACTS.iter().map(|(name, _)| *name).collect();
    let entries = drafts.entries(node, steps, what, &names)?;
    object(drafts, &entries, FACTS, "", Absence::Unknown)
}

/// Returns the JSON Schema of facts. Parts of an object may be missing, because `defaults` may have them.
pub(crate) fn schema() -> Value {
    let mut schema = fields_schema(FACTS);
    for property in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        let form = property.1.take();
        *property.1 = json!({"anyOf": [form, {"type": "null", "description": "Unknown."}]});
    }
    schema
}

fn fields_schema(fields: &[(&str, FactForm)]) -> Value {
    let properties: Map<_, _> = fields.iter().map(|(name, form)| ((*name).to_owned(), form_schema(*form))).collect();
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

fn form_schema(form: FactForm) -> Value {
    match form {
        FactForm::Text | FactForm::Registry => json!({"type": "string"}),
        FactForm::Word => json!({"type": "string", "minLength": 1}),
        FactForm::OneOf(words) => json!({"enum": words}),
        FactForm::Number(most) => json!({"type": "integer", "minimum": 0, "maximum": most}),
        FactForm::Digest => json!({"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}),
        FactForm::Texts => json!({"type": "array", "items": {"type": "string"}}),
        FactForm::Truth => json!({"type": "boolean"}),
        FactForm::Whole(fields) => fields_schema(fields),
    }
}

/// The meaning of `null` in an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Absence {
    /// The fact is not known.
    Unknown,
    /// None: a policy gets the complete object.
    Wrong,
}

fn object(
    drafts: &mut DraftedProblems,
    entries: &KnownEntries<'_>,
    fields: &[(&'static str, FactForm)],
    above: &str,
    absence: Absence,
) -> Option<Map<String, Value>> {
    let (mut members, mut is_right) = (Map::new(), true);
    for (name, form) in fields {
        let Some((steps, node)) = entries.get(name) else { continue };
        let path = format!("{above}{name}");
        let value = if *node == YamlNode::Null && absence == Absence::Unknown {
            Some(Value::Null)
        } else {
            value(drafts, node, &steps, &path, *form)
        };
        is_right &= value.is_some();
        members.extend(value.map(|value| ((*name).to_owned(), value)));
    }
    is_right.then_some(members)
}

fn value(drafts: &mut DraftedProblems, node: &YamlNode, steps: &[usize], path: &str, form: FactForm) -> Option<Value> {
    let text = || if let YamlNode::Text(text) = node { Some(text.as_str()) } else { None };
    let (read, allowed) = match form {
        FactForm::Text => (text().map(Value::from), "a text; in quotes when it looks like a number"),
        FactForm::Word => (text().filter(|word| !word.trim().is_empty()).map(Value::from), "a word, such as published"),
        FactForm::OneOf(words) => {
            let known = text().filter(|word| words.contains(word)).map(Value::from);
            return known.or_else(|| refuse(drafts, node, steps, path, &words.join(", ")));
        }
        FactForm::Number(most) => {
            let number = if let YamlNode::Integer(number) = node { u32::try_from(*number).ok() } else { None };
            let number = number.filter(|number| *number <= most).map(Value::from);
            return number.or_else(|| refuse(drafts, node, steps, path, &format!("a whole number from 0 to {most}")));
        }
        FactForm::Digest => {
            (text().filter(|text| is_digest(text)).map(Value::from), "sha256: and 64 digits of 0-9 and a-f")
        }
        FactForm::Registry => (
            text().filter(|text| is_registry(text)).map(Value::from),
            "an https:// URL (http:// for localhost), oci://HOST/PREFIX, or the absolute path of a directory",
        ),
        FactForm::Texts => return texts(drafts, node, steps, path),
        FactForm::Truth => (if let YamlNode::Bool(truth) = node { Some((*truth).into()) } else { None }, "true, false"),
        FactForm::Whole(fields) => return whole(drafts, node, steps, path, fields),
    };
    read.or_else(|| refuse(drafts, node, steps, path, allowed))
}

fn refuse(drafts: &mut DraftedProblems, node: &YamlNode, steps: &[usize], path: &str, allowed: &str) -> Option<Value> {
    drafts.push(DraftedProblem::of_value(steps, format!("`{path}` {}", described(node)), allowed));
    None
}

fn texts(drafts: &mut DraftedProblems, node: &YamlNode, steps: &[usize], path: &str) -> Option<Value> {
    let items = drafts.items(node, steps, &format!("`{path}`"), "a list of texts")?;
    let read: Vec<_> = items
        .iter()
        .enumerate()
        .map(|(index, item)| value(drafts, item, &then(steps, index), &format!("{path}[{index}]"), FactForm::Text))
        .collect();
    read.into_iter().collect::<Option<Vec<_>>>().map(Value::from)
}

fn whole(
    drafts: &mut DraftedProblems,
    node: &YamlNode,
    steps: &[usize],
    path: &str,
    fields: &'static [(&'static str, FactForm)],
) -> Option<Value> {
    let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
    let entries = drafts.entries(node, steps, &format!("`{path}`"), &names)?;
    object(drafts, &entries, fields, &format!("{path}."), Absence::Wrong).map(Value::Object)
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|digit| digit.is_ascii_digit() || matches!(digit, b'a'..=b'f'))
    })
}

fn is_registry(text: &str) -> bool {
    let host = |scheme| text.strip_prefix(scheme).filter(|rest: &&str| !rest.is_empty());
    let is_local = |rest: &str| {
        let host = rest.split(['/', ':']).next().unwrap_or_default();
        matches!(host, "localhost" | "127.0.0.1")
    };
    let is_remote = host("https://").is_some() || host("oci://").is_some();
    text.starts_with('/') || is_remote || host("http://").is_some_and(is_local)
}

/// Completes the objects that a policy gets complete, with empty lists, 0 and `false`. A command can't be made up: its
/// lack is the error.
pub(crate) fn complete(facts: &mut Map<String, Value>) -> Result<(), &'static str> {
    for (name, form) in FACTS {
        let (FactForm::Whole(fields), Some(Value::Object(members))) = (form, facts.get_mut(*name)) else { continue };
        let given = std::mem::take(members);
        for (part, form) in *fields {
            let value = match (given.get(*part), form) {
                (Some(value), _) => value.clone(),
                (None, FactForm::Texts) => json!([]),
                (None, FactForm::Truth) => json!(false),
                (None, FactForm::Number(_)) => json!(0),
                (None, _) => return Err("`entrypoint` has no `command`"),
            };
            members.insert((*part).to_owned(), value);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_of_a_whole_is_nothing() {
        let mut facts = json!({
            "score": 1, "permissions": {"network": ["a"]}, "findings": {"low": 2}, "entrypoint": {"command": "x"},
        });
        let Value::Object(members) = &mut facts else { panic!() };
        complete(members).unwrap();
        let expected = json!({
            "score": 1,
            "permissions": {
                "network": ["a"], "filesystem_read": [], "filesystem_write": [], "environment": [], "subprocess": false,
            },
            "findings": {"critical": 0, "high": 0, "medium": 0, "low": 2},
            "entrypoint": {"command": "x", "args": []},
        });
        assert_eq!(facts, expected);
        let mut none = Map::from_iter([("entrypoint".to_owned(), json!({"args": []}))]);
        assert_eq!(complete(&mut none), Err("`entrypoint` has no `command`"));
    }
}
