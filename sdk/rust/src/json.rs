//! Reads JSON: the settings, and the manifest when a policy looks into it.
//!
//! A small reader of our own. It keeps numbers as text, so that a component needs no code for fractions. It borrows
//! where it can, because a manifest may have 10 MiB, and a policy has 32 MiB of memory.

mod reader;

use std::borrow::Cow;
use std::fmt;

/// The greatest depth of lists and objects inside one another.
pub(crate) const MAX_DEPTH: usize = 127;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it is written.
    Number(&'a str),
    /// A text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Json<'a>>),
    /// An object, in the order of the document. No key occurs twice.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// The reason why a text is not a JSON document that a policy can rely on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// The place of the fault, in bytes from the beginning.
    pub(crate) byte: usize,
    pub(crate) kind: JsonErrorKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonErrorKind {
    Syntax,
    TooDeep,
    RepeatedKey,
}

impl JsonError {
    fn words(&self) -> &'static str {
        match self.kind {
            JsonErrorKind::Syntax => "it is not JSON from byte ",
            JsonErrorKind::TooDeep => "it is nested too deeply at byte ",
            JsonErrorKind::RepeatedKey => "a key stands more than once in the object that ends at byte ",
        }
    }

    /// The whole message; made without `format!`, which is large.
    pub(crate) fn message(&self) -> String {
        let mut message = self.words().to_owned();
        message.push_str(&decimal(i64::try_from(self.byte).unwrap_or(i64::MAX)));
        message
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for JsonError {}

impl<'a> Json<'a> {
    /// Reads a document.
    ///
    /// # Errors When the text is not JSON by RFC 8259, has more than 127 lists and objects inside one another, half a
    /// surrogate pair, or a key twice in an object: two readers could take different values for it.
    pub fn parse(text: &'a str) -> Result<Self, JsonError> {
        reader::document(text)
    }

    /// The value of a key; `None` when this is not an object, or lacks the key.
    pub fn get(&self, key: &str) -> Option<&Json<'a>> {
        let Self::Object(entries) = self else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The text, if this is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number, if this is a whole number, written without fraction and exponent, that fits into an `i64`.
    pub fn as_integer(&self) -> Option<i64> {
        let Self::Number(number) = self else { return None };
        let (is_negative, digits) = number.strip_prefix('-').map_or((false, *number), |digits| (true, digits));
        let mut integer: i64 = 0;
        for digit in digits.bytes() {
            // Counted downwards, because an `i64` has one more number below zero than above.
            let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
            if integer < i64::MIN / 10 {
                return None;
            }
            integer = integer.wrapping_mul(10).checked_sub(i64::from(digit))?;
        }
        if is_negative { Some(integer) } else { integer.checked_neg() }
    }

    /// `true` or `false`, if this is one of them.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The items, if this is a list.
    pub fn as_list(&self) -> Option<&[Json<'a>]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// The keys and their values, if this is an object.
    pub fn as_object(&self) -> Option<&[(Cow<'a, str>, Json<'a>)]> {
        if let Self::Object(entries) = self { Some(entries) } else { None }
    }
}

/// Whether an object has a key twice. Sorting keeps this quick for any manifest that a stranger writes. Shell sort has
/// a tenth of the code of the standard library's sort.
fn repeats_a_key(entries: &[(Cow<'_, str>, Json<'_>)]) -> bool {
    let mut keys: Vec<&str> = entries.iter().map(|(key, _)| key.as_ref()).collect();
    let mut gap = keys.len();
    while gap > 1 {
        gap /= 2;
        for from in gap..keys.len() {
            let mut place = from;
            while let Some(before) = place.checked_sub(gap)
                && keys.get(before) > keys.get(place)
            {
                keys.swap(before, place);
                place = before;
            }
        }
    }
    keys.iter().zip(keys.iter().skip(1)).any(|(one, next)| one == next)
}

/// Writes a number in decimal digits; `to_string` has twenty times the code.
pub(crate) fn decimal(number: i64) -> String {
    let mut digits = Vec::new();
    let mut rest = number.unsigned_abs();
    loop {
        digits.push(b'0' + (rest % 10) as u8);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        digits.push(b'-');
    }
    digits.iter().rev().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
pub(crate) mod tests;
