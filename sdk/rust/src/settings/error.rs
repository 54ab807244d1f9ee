//! Turns serde's errors into words for the person who writes the configuration.

use std::fmt;

use serde::de;
use serde::de::Expected;
use serde::de::Unexpected;

/// How much of a wrong text is shown, characters: enough to find it again.
const SHOWN: usize = 60;

/// A value that could not be decoded.
#[derive(Debug)]
pub(super) struct Error {
    /// The innermost first: each caller adds its own.
    segments: Vec<String>,
    message: String,
    /// The key whose absence is the problem.
    missing: Option<&'static str>,
}

impl Error {
    pub(super) fn new(message: String) -> Self {
        Self { segments: Vec::new(), message, missing: None }
    }

    /// The same problem, seen from the value that holds `segment`.
    pub(super) fn under(mut self, segment: String) -> Self {
        self.segments.push(segment);
        self
    }

    /// The key whose absence is the problem, when that is directly in the document.
    pub(super) fn missing(&self) -> Option<&'static str> {
        self.missing.filter(|_| self.segments.is_empty())
    }

    /// The outermost key or index that the problem is under.
    pub(super) fn first_key(&self) -> Option<&str> {
        self.segments.last().map(String::as_str)
    }

    /// Where it is, as an RFC 6901 pointer.
    pub(super) fn pointer(&self) -> String {
        let mut pointer = String::new();
        for segment in self.segments.iter().rev() {
            pointer.push('/');
            for character in segment.chars() {
                match character {
                    '~' => pointer.push_str("~0"),
                    '/' => pointer.push_str("~1"),
                    other => pointer.push(other),
                }
            }
        }
        pointer
    }

    pub(super) fn into_message(self) -> String {
        self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, allowed: &dyn Expected) -> Self {
        Self::new(format!("found {}, allowed is {}", describe(found), plain(allowed)))
    }

    fn invalid_value(found: Unexpected<'_>, allowed: &dyn Expected) -> Self {
        Self::invalid_type(found, allowed)
    }

    fn invalid_length(found: usize, allowed: &dyn Expected) -> Self {
        Self::new(format!("found {found} entries, allowed is {}", plain(allowed)))
    }

    fn unknown_variant(found: &str, allowed: &'static [&'static str]) -> Self {
        Self::new(format!("found {}, allowed is {}", quote(found), any_of(allowed)))
    }

    fn unknown_field(_: &str, allowed: &'static [&'static str]) -> Self {
        Self::new(format!("found an unknown key, allowed is {}", any_of(allowed)))
    }

    fn missing_field(field: &'static str) -> Self {
        Self { missing: Some(field), ..Self::new(format!("the key `{field}` is missing")) }
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self::repeated()
    }
}

impl Error {
    /// A key that stands in its object more than once.
    pub(super) fn repeated() -> Self {
        Self::new("found the key more than once, allowed is once".to_owned())
    }
}

fn any_of(allowed: &[&str]) -> String {
    if allowed.is_empty() { "none".to_owned() } else { allowed.join(", ") }
}

fn quote(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("`{}…`", text.get(..end).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}

/// What was found. Floats are not spelt out: the code that prints them is bigger than a whole policy.
fn describe(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => if value { "`true`" } else { "`false`" }.to_owned(),
        Unexpected::Unsigned(value) => value.to_string(),
        Unexpected::Signed(value) => value.to_string(),
        Unexpected::Float(_) => "a number with a fraction".to_owned(),
        Unexpected::Char(value) => format!("the text `{value}`"),
        Unexpected::Str(text) => format!("the text {}", quote(text)),
        Unexpected::Bytes(_) => "bytes".to_owned(),
        Unexpected::Unit | Unexpected::Option => "`null`".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map | Unexpected::NewtypeStruct | Unexpected::StructVariant => "an object".to_owned(),
        Unexpected::Enum | Unexpected::UnitVariant | Unexpected::NewtypeVariant | Unexpected::TupleVariant => {
            "a variant".to_owned()
        }
        Unexpected::Other(other) => other.to_owned(),
    }
}

/// The values that are allowed. serde names types as Rust does, which means nothing to a person who writes YAML.
fn plain(allowed: &dyn Expected) -> String {
    let allowed = allowed.to_string();
    match allowed.as_str() {
        "u8" => "a whole number from 0 to 255",
        "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" => "a text",
        "a sequence" => "a list",
        "a map" => "an object",
        "unit" => "null",
        _ if allowed.starts_with("struct ") => "an object",
        _ => return allowed,
    }
    .to_owned()
}
