//! Reads methods, ids and strings, however their JSON is spelled.
//!
//! The scanner and the rewriter pass in the raw bytes between the quotes. Nothing here fails, because a client may be
//! laxer than the standard. Ids are compared by value.

use std::borrow::Cow;
use std::hash::BuildHasher as _;
use std::hash::RandomState;
use std::ops::Range;

/// The method of a client's message, as far as it matters to the warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// The handshake of the protocol up to 2025-11-25.
    Initialize,
    /// `server/discover`, which took its place.
    Discover,
    /// A page of the list of tools.
    List,
    /// A call of a tool.
    Call,
    /// The notification by which the client confirms the handshake.
    Initialized,
    /// Any other method.
    Other,
}

impl Method {
    /// Reads the method between two quotes.
    pub(crate) fn read(raw: &[u8]) -> Self {
        match decode(raw).as_ref() {
            "initialize" => Self::Initialize,
            "server/discover" => Self::Discover,
            "tools/list" => Self::List,
            "tools/call" => Self::Call,
            "notifications/initialized" => Self::Initialized,
            _ => Self::Other,
        }
    }
}

/// The `id` of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Id {
    /// A string or a number, as a hash with a secret key.
    Value(u64),
    /// A value that can't identify a request: `null`, a list, a malformed number, or a string that is too long.
    Useless,
}

impl Id {
    /// Reads the string between two quotes as an id.
    pub(crate) fn text(raw: &[u8], hasher: &RandomState) -> Self {
        Self::Value(hasher.hash_one(("text", decode(raw).as_ref())))
    }

    /// Reads a scalar without quotes as an id.
    pub(crate) fn scalar(raw: &[u8], hasher: &RandomState) -> Self {
        match number(raw) {
            Some(IdNumber::Whole(whole)) => Self::Value(hasher.hash_one(("whole", whole))),
            Some(IdNumber::Decimal(text)) => Self::Value(hasher.hash_one(("decimal", text.as_str()))),
            None => Self::Useless,
        }
    }
}

/// A number in a normal form that is the same for all its spellings. It is exact, so that two ids beyond the precision
/// of floating point stay different.
#[derive(Debug, PartialEq, Eq)]
enum IdNumber {
    /// A whole number of 64 bits, as counters give.
    Whole(u64),
    /// Any other number: its digits without leading and trailing zeros, and a power of ten.
    Decimal(String),
}

/// How many digits always fit 64 bits.
const WHOLE: usize = 19;

fn number(raw: &[u8]) -> Option<IdNumber> {
    let text = std::str::from_utf8(raw).ok()?;
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    if text.len() <= WHOLE && all_digits(text) {
        return text.parse().ok().map(IdNumber::Whole);
    }
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if !all_digits(&digits) {
        return None;
    }
    let exponent: i64 = exponent.parse().ok()?;
    let significant = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    let scale = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(zeros)?;
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return Some(IdNumber::Whole(0));
    }
    let trailing = usize::try_from(scale).ok().filter(|zeros| significant.len().saturating_add(*zeros) <= WHOLE);
    match trailing {
        Some(zeros) if sign.is_empty() => {
            format!("{significant}{}", "0".repeat(zeros)).parse().ok().map(IdNumber::Whole)
        }
        Some(_) | None => Some(IdNumber::Decimal(format!("{sign}{significant}e{scale}"))),
    }
}

/// Reads the text between two quotes. Invalid parts become U+FFFD, as in the clients that accept them.
pub(crate) fn decode(raw: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(raw) {
        Ok(text) if !raw.contains(&b'\\') => Cow::Borrowed(text),
        _ => Cow::Owned(Letters::new(raw).map(|letter| letter.value).collect()),
    }
}

/// One letter of a string, and the place of its spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// The letter.
    pub(crate) value: char,
    /// The bytes that spell it.
    pub(crate) at: Range<usize>,
}

/// The letters of a string, with escapes undone.
#[derive(Debug, Clone)]
pub(crate) struct Letters<'r> {
    raw: &'r [u8],
    at: usize,
}

impl<'r> Letters<'r> {
    /// The letters between two quotes.
    pub(crate) fn new(raw: &'r [u8]) -> Self {
        Self { raw, at: 0 }
    }

    /// The UTF-16 unit of the numeric escape at a place; `None` when there is no such escape.
    fn unit(&self, at: usize) -> Option<u32> {
        let [b'\\', b'u', digits @ ..] = self.raw.get(at..at + 6)? else { return None };
        digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
    }

    /// Reads the escape at the cursor; returns its letter and its length.
    fn escape(&self) -> (char, usize) {
        if let Some(high) = self.unit(self.at) {
            let low = self.unit(self.at + 6).filter(|low| (0xdc00..0xe000).contains(low));
            return match (high, low) {
                (0xd800..0xdc00, Some(low)) => {
                    let value = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                    (char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
                }
                _ => (char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
            };
        }
        match self.raw.get(self.at + 1) {
            Some(b'n') => ('\n', 2),
            Some(b't') => ('\t', 2),
            Some(b'r') => ('\r', 2),
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(other) if other.is_ascii() => (char::from(*other), 2),
            Some(_) | None => (char::REPLACEMENT_CHARACTER, 1),
        }
    }

    /// Reads the letter at the cursor, which is not an escape; returns it and its length.
    fn unescaped(&self, first: u8) -> (char, usize) {
        if first.is_ascii() {
            return (char::from(first), 1);
        }
        let window = self.raw.get(self.at..self.raw.len().min(self.at + 4)).unwrap_or_default();
        let valid = match std::str::from_utf8(window) {
            Ok(text) => Some(text),
            Err(error) => window.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok()),
        };
        match valid.and_then(|text| text.chars().next()) {
            Some(letter) => (letter, letter.len_utf8()),
            None => (char::REPLACEMENT_CHARACTER, 1),
        }
    }
}

impl Iterator for Letters<'_> {
    type Item = Letter;

    fn next(&mut self) -> Option<Letter> {
        let first = *self.raw.get(self.at)?;
        let (value, length) = if first == b'\\' { self.escape() } else { self.unescaped(first) };
        let start = self.at;
        self.at += length;
        Some(Letter { value, at: start..self.at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_equal_as_json_values_are() {
        let hasher = RandomState::new();
        let id = |raw: &str| match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(inside) => Id::text(inside.as_bytes(), &hasher),
            None => Id::scalar(raw.as_bytes(), &hasher),
        };
        for (one, other) in [
            ("1", "1.0"),
            ("1", "1e0"),
            ("100", "1E+2"),
            ("0.1", "1e-1"),
            ("0", "-0"),
            ("0", "0.0e9"),
            ("12", "1.2e1"),
            ("9007199254740993", "9007199254740993.0"),
            ("1000000000000000000000", "1e21"),
            ("-5", "-0.5e1"),
            ("007", "7"),
            ("\"a\"", "\"\\u0061\""),
            ("\"\\ud83d\\ude80\"", "\"🚀\""),
            ("\"/\"", "\"\\/\""),
        ] {
            assert_eq!(id(one), id(other), "{one} is {other}");
        }
        for (one, other) in [
            ("1", "\"1\""),
            ("1", "-1"),
            ("1", "10"),
            ("9007199254740992", "9007199254740993"),
            ("\"a\"", "\"A\""),
            ("\"\"", "0"),
        ] {
            assert_ne!(id(one), id(other), "{one} is not {other}");
        }
        for useless in ["null", "true", "-", "", "1x", "0x1", "1e99999999999999999999", "NaN"] {
            assert_eq!(id(useless), Id::Useless, "{useless}");
        }
    }

    #[test]
    fn letters_know_where_they_stand_whatever_the_bytes() {
        let spans = |raw: &[u8]| Letters::new(raw).map(|letter| (letter.value, letter.at.len())).collect::<Vec<_>>();
        assert_eq!(spans(b"a\\n\\u005b"), [('a', 1), ('\n', 2), ('[', 6)]);
        assert_eq!(spans("［".as_bytes()), [('［', 3)]);
        let replaced = char::REPLACEMENT_CHARACTER;
        assert_eq!(spans(b"\\ud800x"), [(replaced, 6), ('x', 1)]);
        assert_eq!(spans(b"\\ud800\\u0041"), [(replaced, 6), ('A', 6)]);
        assert_eq!(spans(b"\xff\xc3"), [(replaced, 1), (replaced, 1)]);
        assert_eq!(spans(b"\\"), [(replaced, 1)]);
        assert_eq!(spans(b"\\u00"), [('u', 2), ('0', 1), ('0', 1)]);
    }
}
