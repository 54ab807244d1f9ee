//! Messages about settings: the value found, and the values allowed.

use crate::json::Json;
use crate::json::decimal;
use crate::settings::shape::Choice;
use crate::settings::shape::Field;
use crate::settings::shape::Kind;
use crate::text::fit;
use crate::text::joined;

/// The most bytes of a wrong text that are shown: enough to find it again.
const SHOWN: usize = 80;

/// The two halves of a sentence.
pub(super) fn found(found: &str, allowed: &str) -> String {
    joined(&["found ", found, ", allowed is ", allowed])
}

/// Describes a value that was found. `noun` is the word for a text, which may be a key.
pub(super) fn value(json: &Json<'_>, noun: &str) -> String {
    match json {
        Json::Null => "`null`".to_owned(),
        Json::Bool(true) => "`true`".to_owned(),
        Json::Bool(false) => "`false`".to_owned(),
        Json::Number(number) if !is_whole(number) => "a number with a fraction".to_owned(),
        Json::Number(number) => cut(number),
        Json::Text(text) => joined(&[noun, " ", &quote(text)]),
        Json::List(_) => "a list".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    }
}

/// Whether a number is written without fraction and exponent.
pub(super) fn is_whole(number: &str) -> bool {
    number.bytes().all(|byte| matches!(byte, b'-' | b'0'..=b'9'))
}

/// A text between backticks.
pub(super) fn quote(text: &str) -> String {
    joined(&["`", &cut(text), "`"])
}

fn cut(text: &str) -> String {
    let mut shown = text.to_owned();
    fit(&mut shown, SHOWN);
    shown
}

/// The kind of value that is allowed.
pub(super) fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Bool => "true or false",
        Kind::Integer { .. } => "a whole number",
        Kind::Text { .. } => "a text",
        Kind::Choice(choices) => return names(choices.iter().map(|Choice { name, .. }| *name)),
        Kind::List { .. } => "a list",
        Kind::Map { .. } | Kind::Object(_) => "an object",
    }
    .to_owned()
}

/// Describes the numbers between two bounds, after the word for what they count.
pub(super) fn range(of: &str, min: i64, max: i64) -> String {
    match max {
        _ if min == max => joined(&[of, " ", &decimal(min)]),
        i64::MAX => joined(&[of, " ", &decimal(min), " or more"]),
        _ => joined(&[of, " from ", &decimal(min), " to ", &decimal(max)]),
    }
}

/// Counts the characters of a text as JSON Schema does: code points.
pub(super) fn characters(text: &str) -> usize {
    // Can't overflow: there are at most as many as bytes.
    text.bytes().fold(0, |count, byte| if byte & 0xc0 == 0x80 { count } else { count.wrapping_add(1) })
}

/// The keys that are allowed.
pub(super) fn keys(fields: &[Field]) -> String {
    names(fields.iter().map(|Field { name, .. }| *name))
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut list = String::new();
    for name in names {
        if !list.is_empty() {
            list.push_str(", ");
        }
        list.push_str(name);
    }
    if list.is_empty() { "none".to_owned() } else { list }
}
