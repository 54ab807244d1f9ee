//! A validator of JSON Schema (draft 2020-12), for the words that the schemas here use. A word that it does not know, or a
//! value of the wrong kind, fails the test: nothing is let through because it was not understood.
//!
//! No crate does it: with Cargo's first resolver, the features that one asks for would be those of the program, too.

use std::cell::RefCell;
use std::collections::HashMap;

use regex::Regex;
use serde_json::Map;
use serde_json::Value;

/// A schema.
#[derive(Debug)]
pub struct Schema {
    root: Value,
}

/// Words that say nothing about what is valid.
const REMARKS: [&str; 9] =
    ["$schema", "$id", "$comment", "$defs", "title", "description", "default", "examples", "deprecated"];

/// A word that bounds a size, the size, and whether it is the least or the most.
type Bound = (&'static str, fn(&Value) -> Option<f64>, bool);

const BOUNDS: [Bound; 8] = [
    ("minimum", Value::as_f64, true),
    ("maximum", Value::as_f64, false),
    ("minLength", characters, true),
    ("maxLength", characters, false),
    ("minItems", items, true),
    ("maxItems", items, false),
    ("minProperties", members, true),
    ("maxProperties", members, false),
];

#[expect(clippy::cast_precision_loss, reason = "documents of tests are small")]
fn characters(value: &Value) -> Option<f64> {
    value.as_str().map(|text| text.chars().count() as f64)
}

#[expect(clippy::cast_precision_loss, reason = "documents of tests are small")]
fn items(value: &Value) -> Option<f64> {
    value.as_array().map(|items| items.len() as f64)
}

#[expect(clippy::cast_precision_loss, reason = "documents of tests are small")]
fn members(value: &Value) -> Option<f64> {
    value.as_object().map(|members| members.len() as f64)
}

impl Schema {
    /// Takes a schema that says which draft it is of.
    ///
    /// # Panics
    /// When it is another draft.
    #[track_caller]
    pub fn new(root: Value) -> Self {
        assert_eq!(root["$schema"], "https://json-schema.org/draft/2020-12/schema");
        Self { root }
    }

    /// Checks that a document is valid.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn accepts(&self, document: &Value) {
        assert_eq!(self.problem(document), None, "{document:#}");
    }

    /// Returns where a document is wrong, and by which word; `None` when it is valid.
    ///
    /// # Panics
    /// On a word or a kind of value that it doesn't know.
    pub fn problem(&self, document: &Value) -> Option<String> {
        self.check(&self.root, document, "").err()
    }

    fn fits(&self, schema: &Value, value: &Value) -> bool {
        self.check(schema, value, "").is_ok()
    }

    fn check(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let words = match schema {
            Value::Bool(true) => return Ok(()),
            Value::Bool(false) => return Err(format!("{at}: nothing is allowed here")),
            Value::Object(words) => words,
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => panic!("not a schema: {schema}"),
        };
        for (word, rule) in words.iter().filter(|(word, _)| !REMARKS.contains(&word.as_str())) {
            if let Some(inside) = self.word(words, word, rule, value, at)? {
                return Err(format!("{at}: {inside}"));
            }
        }
        Ok(())
    }

    /// Checks by one word. The value itself fits where the inner answer is `None`.
    fn word(
        &self,
        words: &Map<String, Value>,
        word: &str,
        rule: &Value,
        value: &Value,
        at: &str,
    ) -> Result<Option<String>, String> {
        let schemas = || rule.as_array().unwrap().iter();
        if let Some((_, size, is_least)) = BOUNDS.iter().find(|(bound, ..)| *bound == word) {
            let bound = rule.as_f64().unwrap();
            let holds = size(value).is_none_or(|size| if *is_least { size >= bound } else { size <= bound });
            return Ok((!holds).then(|| format!("{word} {rule}")));
        }
        let holds = match word {
            "$ref" => {
                self.check(self.target(rule.as_str().unwrap()), value, at)?;
                true
            }
            "type" => {
                let types = rule.as_array().map_or(std::slice::from_ref(rule), Vec::as_slice);
                types.iter().any(|one| is_type(one.as_str().unwrap(), value))
            }
            "enum" => rule.as_array().unwrap().contains(value),
            "const" => rule == value,
            "pattern" => value.as_str().is_none_or(|text| matches(rule.as_str().unwrap(), text)),
            "uniqueItems" => {
                let items = value.as_array().map_or(&[][..], Vec::as_slice);
                items.iter().enumerate().all(|(at, item)| !items[..at].contains(item))
            }
            "required" => value.as_object().is_none_or(|members| {
                rule.as_array().unwrap().iter().all(|key| members.contains_key(key.as_str().unwrap()))
            }),
            "allOf" => {
                schemas().try_for_each(|one| self.check(one, value, at))?;
                true
            }
            "anyOf" => schemas().any(|one| self.fits(one, value)),
            "oneOf" => schemas().filter(|one| self.fits(one, value)).count() == 1,
            "not" => !self.fits(rule, value),
            "if" => {
                let branch = if self.fits(rule, value) { "then" } else { "else" };
                words.get(branch).map_or(Ok(()), |schema| self.check(schema, value, at))?;
                true
            }
            // With `if`.
            "then" | "else" => true,
            "prefixItems" => {
                let pairs = value.as_array().into_iter().flatten().zip(schemas()).enumerate();
                pairs.into_iter().try_for_each(|(n, (item, one))| self.check(one, item, &format!("{at}/{n}")))?;
                true
            }
            "items" => {
                let before = words.get("prefixItems").and_then(Value::as_array).map_or(0, Vec::len);
                let rest = value.as_array().into_iter().flatten().enumerate().skip(before);
                rest.into_iter().try_for_each(|(n, item)| self.check(rule, item, &format!("{at}/{n}")))?;
                true
            }
            "properties" | "patternProperties" | "additionalProperties" | "propertyNames" => {
                self.members(words, word, rule, value, at)?;
                true
            }
            other => panic!("the validator of the tests does not know `{other}`"),
        };
        Ok((!holds).then(|| format!("{word} {rule}")))
    }

    fn members(
        &self,
        words: &Map<String, Value>,
        word: &str,
        rule: &Value,
        value: &Value,
        at: &str,
    ) -> Result<(), String> {
        let patterned = |key: &str| {
            let patterns = words.get("patternProperties").and_then(Value::as_object).into_iter().flatten();
            patterns.into_iter().any(|(pattern, _)| matches(pattern, key))
        };
        let named = |key: &str| words.get("properties").is_some_and(|named| named.get(key).is_some());
        for (key, member) in value.as_object().into_iter().flatten() {
            let inside = format!("{at}/{key}");
            match word {
                "properties" => rule.get(key).map_or(Ok(()), |schema| self.check(schema, member, &inside))?,
                "patternProperties" => {
                    for (_, schema) in rule.as_object().unwrap().iter().filter(|(pattern, _)| matches(pattern, key)) {
                        self.check(schema, member, &inside)?;
                    }
                }
                "additionalProperties" if named(key) || patterned(key) => {}
                "additionalProperties" => self.check(rule, member, &inside)?,
                _ => self.check(rule, &Value::String(key.clone()), &inside)?,
            }
        }
        Ok(())
    }

    fn target(&self, reference: &str) -> &Value {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("`{reference}` leads out of the document"));
        self.root.pointer(pointer).unwrap_or_else(|| panic!("`{reference}` leads nowhere"))
    }
}

fn is_type(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("`{other}` is no type"),
    }
}

thread_local! {
    /// The patterns so far, compiled: a document that was changed everywhere is looked at a thousand times.
    static PATTERNS: RefCell<HashMap<String, Regex>> = RefCell::default();
}

fn matches(pattern: &str, text: &str) -> bool {
    PATTERNS.with_borrow_mut(|patterns| {
        let known = patterns.entry(pattern.to_owned()).or_insert_with(|| Regex::new(pattern).unwrap());
        known.is_match(text)
    })
}
