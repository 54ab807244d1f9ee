//! Keys, methods and ids: what a token of JSON means, however it is spelled.
//!
//! The scanner and the rewriter hand in raw bytes, as they stood between the quotes; nothing here fails, because a
//! client may be laxer than any standard. Names compare folded, as Go's decoder does, ids as the values they are.

use std::borrow::Cow;
use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;

/// A key that matters somewhere in an answer or a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// `jsonrpc` of a message.
    Jsonrpc,
    /// `id` of a message.
    Id,
    /// `method` of a message.
    Method,
    /// `result` of an answer.
    Result,
    /// `error` of an answer.
    Error,
    /// `instructions` of a result.
    Instructions,
    /// `protocolVersion`, `supportedVersions` or `serverInfo`: only the result of a handshake has them.
    Handshake,
    /// `tools` of a result.
    Tools,
    /// `content` of a result.
    Content,
    /// `resultType` of a result.
    ResultType,
    /// `task` of a result that stands for work still to be done.
    Task,
    /// `capabilities` of a result.
    Capabilities,
    /// `logging` of the capabilities.
    Logging,
    /// `description` of a tool.
    Description,
    /// None of these.
    Other,
}

/// A key as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    /// What a lax client takes it for.
    pub(crate) key: Key,
    /// Whether a strict client takes it for the same.
    pub(crate) exact: bool,
    /// Equal for names that some client takes for the same.
    pub(crate) hash: u64,
}

impl Name {
    /// The name that stands between two quotes.
    pub(crate) fn read(raw: &[u8], hasher: &RandomState) -> Self {
        let text = decode(raw);
        let folded: String = text.chars().map(fold).collect();
        let key = match folded.as_str() {
            "jsonrpc" => Key::Jsonrpc,
            "id" => Key::Id,
            "method" => Key::Method,
            "result" => Key::Result,
            "error" => Key::Error,
            "instructions" => Key::Instructions,
            "protocolversion" | "supportedversions" | "serverinfo" => Key::Handshake,
            "tools" => Key::Tools,
            "content" => Key::Content,
            "resulttype" => Key::ResultType,
            "task" => Key::Task,
            "capabilities" => Key::Capabilities,
            "logging" => Key::Logging,
            "description" => Key::Description,
            _ => return Self { key: Key::Other, exact: false, hash: hasher.hash_one(text.as_ref()) },
        };
        let exact = text == if key == Key::ResultType { "resultType" } else { folded.as_str() };
        Self { key, exact, hash: hasher.hash_one(folded.as_str()) }
    }
}

/// A letter as decoders that ignore case see it: Go also takes U+017F for `s` and U+212A for `k`.
pub(crate) fn fold(letter: char) -> char {
    match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    }
}

/// What a client asks for, as far as it matters to the warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// The handshake of the protocol up to 2025-11-25.
    Initialize,
    /// What took its place.
    Discover,
    /// A page of the list of tools.
    List,
    /// A call of a tool.
    Call,
    /// The client's word that the handshake is done; a notification.
    Initialized,
    /// Anything else.
    Other,
}

impl Method {
    /// The method that stands between two quotes.
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
    /// A string or a number, by a hash with a key that no server knows.
    Value(u64),
    /// Nothing that identifies a request: `null`, a list, a number that is none, a string too long to be one.
    Useless,
}

impl Id {
    /// The string that stands between two quotes.
    pub(crate) fn text(raw: &[u8], hasher: &RandomState) -> Self {
        Self::Value(hasher.hash_one(("text", decode(raw).as_ref())))
    }

    /// A scalar without quotes.
    pub(crate) fn scalar(raw: &[u8], hasher: &RandomState) -> Self {
        number(raw).map_or(Self::Useless, |canonical| Self::Value(hasher.hash_one(("number", canonical.as_str()))))
    }
}

/// The one spelling of a decimal number: no zeros around its digits, and the power of ten they stand at. Exact, so
/// that two ids beyond the precision of floating point stay two.
pub(crate) fn number(raw: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(raw).ok()?;
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let exponent: i64 = exponent.parse().ok()?;
    let significant = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    let scale = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(zeros)?;
    let significant = significant.trim_start_matches('0');
    Some(match significant {
        "" => "0".to_owned(),
        some => format!("{}{some}e{scale}", if negative { "-" } else { "" }),
    })
}

/// The text that stands between two quotes. What is no text becomes U+FFFD, as it does in the clients that take it.
pub(crate) fn decode(raw: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(raw) {
        Ok(text) if !raw.contains(&b'\\') => Cow::Borrowed(text),
        _ => Cow::Owned(Letters::new(raw).map(|letter| letter.value).collect()),
    }
}

/// One letter of a string, and where its spelling stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// What it means.
    pub(crate) value: char,
    /// The bytes that say so.
    pub(crate) at: Range<usize>,
}

/// The letters of a string, escapes undone.
#[derive(Debug, Clone)]
pub(crate) struct Letters<'r> {
    raw: &'r [u8],
    at: usize,
}

impl<'r> Letters<'r> {
    /// The letters of what stands between two quotes.
    pub(crate) fn new(raw: &'r [u8]) -> Self {
        Self { raw, at: 0 }
    }

    /// The four digits of an escape at some place, as a UTF-16 unit.
    fn unit(&self, at: usize) -> Option<u32> {
        let [b'\\', b'u', digits @ ..] = self.raw.get(at..at + 6)? else { return None };
        digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
    }

    /// The escape at the cursor: its meaning, and its length.
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

    /// The letter at the cursor that is no escape: its meaning, and its length.
    fn plain(&self, first: u8) -> (char, usize) {
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
        let (value, length) = if first == b'\\' { self.escape() } else { self.plain(first) };
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
    fn names_are_what_some_client_takes_them_for() {
        let hasher = RandomState::new();
        let name = |raw: &str| Name::read(raw.as_bytes(), &hasher);
        for (raw, key, exact) in [
            ("id", Key::Id, true),
            ("\\u0069d", Key::Id, true),
            ("ID", Key::Id, false),
            ("in\u{17f}tructions", Key::Instructions, false),
            ("ta\u{17f}\u{212a}", Key::Task, false),
            ("resultType", Key::ResultType, true),
            ("resulttype", Key::ResultType, false),
            ("identity", Key::Other, false),
        ] {
            assert_eq!((name(raw).key, name(raw).exact), (key, exact), "{raw}");
        }
        assert_eq!(name("RESULT").hash, name("result").hash);
        assert_eq!(name("\\u0078").hash, name("x").hash);
        assert_ne!(name("X").hash, name("x").hash, "names that matter to nobody are two");
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
