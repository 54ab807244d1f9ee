//! A tree as JSON.

use std::collections::BTreeSet;

use serde_json::Map;
use serde_json::Number;
use serde_json::Value;

use crate::Half;
use crate::YamlNode;

/// A node of a tree that JSON can't express, or that is not allowed in JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct NotJson<'n> {
    /// The way to it: the index of the item or entry in each list and mapping.
    pub steps: Vec<usize>,
    /// The half of the last entry that it is.
    pub half: Half,
    /// The node.
    pub node: &'n YamlNode,
    /// What is wrong with it.
    pub kind: NotJsonKind,
}

/// The reason why a node can't become JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotJsonKind {
    /// JSON has no such value: a tag, `.nan`, a number that is too large.
    Value,
    /// A key that is not a text.
    Key,
    /// The merge key `<<`, which is not supported.
    MergeKey,
    /// A key that its mapping has already.
    Duplicate,
}

/// Returns the tree as JSON.
///
/// # Errors
/// With every node that JSON can't express.
pub fn to_json(node: &YamlNode) -> Result<Value, Vec<NotJson<'_>>> {
    match node {
        YamlNode::Null => Ok(Value::Null),
        YamlNode::Bool(value) => Ok(Value::Bool(*value)),
        YamlNode::Integer(value) => Number::from_i128(*value).map(Value::Number).ok_or_else(|| not_json(node)),
        YamlNode::Float(value) => Number::from_f64(*value).map(Value::Number).ok_or_else(|| not_json(node)),
        YamlNode::Text(text) => Ok(Value::String(text.clone())),
        YamlNode::Tagged(_) => Err(not_json(node)),
        YamlNode::List(items) => list(items),
        YamlNode::Map(entries) => map(entries),
    }
}

fn not_json(node: &YamlNode) -> Vec<NotJson<'_>> {
    vec![NotJson { steps: Vec::new(), half: Half::Value, node, kind: NotJsonKind::Value }]
}

/// Puts the index of their parent before their steps.
fn inside(index: usize, wrong: Vec<NotJson<'_>>) -> impl Iterator<Item = NotJson<'_>> {
    wrong.into_iter().map(move |mut wrong| {
        wrong.steps.insert(0, index);
        wrong
    })
}

fn list(items: &[YamlNode]) -> Result<Value, Vec<NotJson<'_>>> {
    let (mut values, mut wrong) = (Vec::new(), Vec::new());
    for (index, item) in items.iter().enumerate() {
        match to_json(item) {
            Ok(value) => values.push(value),
            Err(below) => wrong.extend(inside(index, below)),
        }
    }
    if wrong.is_empty() { Ok(Value::Array(values)) } else { Err(wrong) }
}

fn map(entries: &[(YamlNode, YamlNode)]) -> Result<Value, Vec<NotJson<'_>>> {
    let (mut object, mut wrong, mut seen) = (Map::new(), Vec::new(), BTreeSet::new());
    for (index, (key, value)) in entries.iter().enumerate() {
        let name = if let YamlNode::Text(name) = key { name } else { "?" };
        let refused = refused_key(key, &mut seen);
        wrong.extend(refused.map(|kind| NotJson { steps: vec![index], half: Half::Key, node: key, kind }));
        match to_json(value) {
            Ok(value) => {
                object.insert(name.to_owned(), value);
            }
            Err(below) => wrong.extend(inside(index, below)),
        }
    }
    if wrong.is_empty() { Ok(Value::Object(object)) } else { Err(wrong) }
}

/// Returns what is wrong with a key that follows those in `seen`; `None` for a good one.
fn refused_key<'n>(key: &'n YamlNode, seen: &mut BTreeSet<&'n str>) -> Option<NotJsonKind> {
    let YamlNode::Text(name) = key else { return Some(NotJsonKind::Key) };
    if name == "<<" {
        return Some(NotJsonKind::MergeKey);
    }
    (!seen.insert(name)).then_some(NotJsonKind::Duplicate)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Bounds;
    use crate::parse;

    const BOUNDS: Bounds = Bounds { document: "a test", expanded: 10_000, brackets: 100 };

    #[test]
    fn a_tree_becomes_json() {
        let text = "a: [1, -2, 1.5, yes, true, ~, '7']\nb: {c: x}\n";
        let expected = json!({"a": [1, -2, 1.5, "yes", true, null, "7"], "b": {"c": "x"}});
        assert_eq!(to_json(&parse(text, &BOUNDS).unwrap()), Ok(expected));
    }

    #[test]
    fn everything_that_is_no_json_is_told() {
        let tree = parse("a: [1, .nan]\n2: x\n<<: {}\nb: !t x\na: {c: .inf}\n", &BOUNDS).unwrap();
        let found: Vec<_> =
            to_json(&tree).unwrap_err().into_iter().map(|wrong| (wrong.steps, wrong.half, wrong.kind)).collect();
        let expected = [
            (vec![0, 1], Half::Value, NotJsonKind::Value),
            (vec![1], Half::Key, NotJsonKind::Key),
            (vec![2], Half::Key, NotJsonKind::MergeKey),
            (vec![3], Half::Value, NotJsonKind::Value),
            (vec![4], Half::Key, NotJsonKind::Duplicate),
            (vec![4, 0], Half::Value, NotJsonKind::Value),
        ];
        assert_eq!(found, expected);
    }
}
