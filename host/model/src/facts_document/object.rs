//! Reads one object of a facts document and collects its problems.

use std::fmt;

use serde_json::Map;
use serde_json::Value;

use crate::near::nearest;
use crate::text::SafeText;

/// One problem of a facts document: its place, the value found, the values allowed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FactsProblem {
    /// The place, as a JSON pointer.
    pub path: SafeText,
    /// The fault, with the value found there.
    pub message: SafeText,
    /// The allowed values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<SafeText>,
    /// The nearest valid spelling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<SafeText>,
}

impl fmt::Display for FactsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.path, self.message)?;
        if let Some(suggestion) = &self.suggestion {
            write!(f, "; did you mean `{suggestion}`?")?;
        }
        self.allowed.as_ref().map_or(Ok(()), |allowed| write!(f, " (allowed: {allowed})"))
    }
}

/// An object of the document while it is read.
#[derive(Debug)]
pub(super) struct Object<'v, 'p> {
    pointer: String,
    members: &'v Map<String, Value>,
    unknown: UnknownKeys,
    problems: &'p mut Vec<FactsProblem>,
}

/// What is done with a key that is not in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnknownKeys {
    /// It is a problem: a person may have misspelt another one.
    Wrong,
    /// It is left out: a later version may have written it.
    LeftOut,
}

impl<'v, 'p> Object<'v, 'p> {
    /// The object at `pointer`, which may have these keys.
    pub(super) fn new(
        pointer: String,
        members: &'v Map<String, Value>,
        keys: &[&'static str],
        unknown: UnknownKeys,
        problems: &'p mut Vec<FactsProblem>,
    ) -> Self {
        let is_wrong = |key: &&String| unknown == UnknownKeys::Wrong && !keys.contains(&key.as_str());
        for key in members.keys().filter(is_wrong) {
            problems.push(FactsProblem {
                path: place(&pointer, key),
                message: SafeText::new("is no key of a facts document"),
                allowed: Some(SafeText::new(&keys.join(", "))),
                suggestion: nearest(key, keys.iter().copied()).map(SafeText::new),
            });
        }
        Self { pointer, members, unknown, problems }
    }

    /// Reads the value of a key. An absent or `null` value is unknown; a value that `read` refuses is a problem.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        allowed: &str,
        read: impl FnOnce(&'v Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.members.get(key).filter(|value| !value.is_null())?;
        let read = read(value);
        if read.is_none() {
            self.report(key, &described(value), Some(allowed));
        }
        read
    }

    /// Reads the value of a key by a parser of text, whose error becomes the problem.
    pub(super) fn parse<T, E: fmt::Display>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.read(key, "a text", Value::as_str)?;
        parse(text).map_err(|error| self.report(key, &format!("can't be used: {error}"), None)).ok()
    }

    /// Reads the object of a key, which must have all of `keys`: a policy gets the whole object, or it is unknown.
    pub(super) fn whole(&mut self, key: &'static str, keys: &[&'static str]) -> Option<Object<'v, '_>> {
        let members = self.read(key, "an object", Value::as_object)?;
        let missing: Vec<_> = keys
            .iter()
            .filter(|key| members.get(**key).is_none_or(Value::is_null))
            .map(|key| format!("`{key}`"))
            .collect();
        if !missing.is_empty() {
            let lacks = format!(
                "has no {}: policies are told the whole of it, or nothing when it is left out",
                missing.join(", ")
            );
            self.report(key, &lacks, None);
        }
        Some(Object::new(format!("{}/{key}", self.pointer), members, keys, self.unknown, self.problems))
    }

    fn report(&mut self, key: &str, message: &str, allowed: Option<&str>) {
        self.problems.push(FactsProblem {
            path: place(&self.pointer, key),
            message: SafeText::new(message),
            allowed: allowed.map(SafeText::new),
            suggestion: None,
        });
    }
}

/// The JSON pointer of a key in the object at `pointer`.
fn place(pointer: &str, key: &str) -> SafeText {
    let key = SafeText::quoted_value(key).as_str().replace('~', "~0").replace('/', "~1");
    SafeText::new(&format!("{pointer}/{key}"))
}

/// Describes a value in words.
fn described(value: &Value) -> String {
    match value {
        Value::Null => "is null".to_owned(),
        Value::Bool(truth) => format!("is {truth}"),
        Value::Number(number) => format!("is the number {number}"),
        Value::String(text) if text.is_empty() => "is an empty text".to_owned(),
        Value::String(text) => format!("is the text `{}`", SafeText::quoted_value(text)),
        Value::Array(_) => "is a list".to_owned(),
        Value::Object(_) => "is an object".to_owned(),
    }
}
