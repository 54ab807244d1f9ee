//! Documents with one thing changed.

use serde_json::Value;

/// Returns every document that differs from this one in one thing, with what that is: a key that is not known, a key
/// that is gone, a value of another kind. `is_free` says of a JSON pointer that anything may stand there and below.
pub(crate) fn changed(document: &Value, is_free: impl Fn(&str) -> bool) -> Vec<(Change, Value)> {
    let mut pointers = Vec::new();
    collect(document, String::new(), &mut pointers);
    let mut all = Vec::new();
    for pointer in pointers.iter().filter(|pointer| !is_free(pointer)) {
        let mut other = document.clone();
        let value = other.pointer_mut(pointer).unwrap();
        if let Value::Object(members) = value {
            members.insert("not-known".to_owned(), Value::Null);
            all.push((Change::Added(pointer.clone()), other));
            other = document.clone();
        }
        // No value that we write, or read, is a list of an empty list.
        *other.pointer_mut(pointer).unwrap() = serde_json::json!([[]]);
        all.push((Change::Replaced(pointer.clone()), other));
        let (above, key) = pointer.rsplit_once('/').unwrap_or(("", ""));
        let mut other = document.clone();
        if let Some(Value::Object(members)) = other.pointer_mut(above).filter(|_| !pointer.is_empty()) {
            members.shift_remove(key).unwrap();
            all.push((Change::Removed(pointer.clone()), other));
        }
    }
    all
}

/// What was changed, and the JSON pointer of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Added(String),
    Removed(String),
    Replaced(String),
}

impl Change {
    /// The last key of a pointer from which something was removed.
    pub(crate) fn removed(&self) -> Option<&str> {
        match self {
            Self::Removed(pointer) => pointer.rsplit('/').next(),
            Self::Added(_) | Self::Replaced(_) => None,
        }
    }
}

fn collect(value: &Value, at: String, pointers: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                collect(member, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), pointers);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| collect(item, format!("{at}/{n}"), pointers));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    pointers.push(at);
}
