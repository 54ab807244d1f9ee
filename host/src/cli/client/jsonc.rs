//! JSON with comments and trailing commas, as editors' settings have it.
//!
//! What JSON does not have is replaced by spaces, byte for byte, so that every place in the result is the same place in
//! the file.

/// What is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Value,
    Text,
    Line,
    Block,
}

/// What ends a comment for some readers, and not for others; so does a CR without a LF behind it.
const SEPARATORS: [&[u8]; 2] = ["\u{2028}".as_bytes(), "\u{2029}".as_bytes()];

/// Returns the text without comments and trailing commas, as long as before.
pub(in crate::cli) fn plain(text: &str) -> String {
    blanked(text, true).0
}

/// Whether readers disagree about where a comment ends, and so about what is in the file.
pub(in crate::cli) fn is_unclear(text: &str) -> bool {
    blanked(text, false).1
}

/// Returns the text without comments alone, as long as before.
pub(in crate::cli) fn without_comments(text: &str) -> String {
    blanked(text, false).0
}

/// Returns the text with spaces, and whether it is not clear where a comment ends.
fn blanked(text: &str, commas: bool) -> (String, bool) {
    let mut bytes = text.as_bytes().to_vec();
    let (mut within, mut at, mut comma, mut unclear) = (Within::Value, 0, None, false);
    while let Some(byte) = bytes.get(at).copied() {
        let next = bytes.get(at.saturating_add(1)).copied();
        let mut width = 1;
        match (within, byte, next) {
            (Within::Text, b'\\', Some(_)) => width = 2,
            (Within::Text, b'"', _) => within = Within::Value,
            (Within::Text, ..) => {}
            (Within::Value, b'/', Some(b'/')) => (within, width) = (Within::Line, 2),
            (Within::Value, b'/', Some(b'*')) => (within, width) = (Within::Block, 2),
            (Within::Line, b'\n', _) => within = Within::Value,
            (Within::Block, b'*', Some(b'/')) => {
                blank(&mut bytes, at, 2);
                (within, width) = (Within::Value, 2);
            }
            (Within::Line, ..) => {
                let rest = bytes.get(at..).unwrap_or_default();
                unclear |= SEPARATORS.iter().any(|separator| rest.starts_with(separator))
                    || byte == b'\r' && next.is_some_and(|next| next != b'\n');
            }
            (Within::Block, ..) => {}
            (Within::Value, b' ' | b'\t' | b'\r' | b'\n', _) => {}
            (Within::Value, b'}' | b']', _) => {
                if let Some(comma) = comma.take().filter(|_| commas) {
                    blank(&mut bytes, comma, 1);
                }
            }
            (Within::Value, b',', _) => comma = Some(at),
            (Within::Value, ..) => {
                comma = None;
                within = if byte == b'"' { Within::Text } else { Within::Value };
            }
        }
        if matches!(within, Within::Line | Within::Block) {
            blank(&mut bytes, at, width);
        }
        at = at.saturating_add(width);
    }
    // Only ASCII replaces whole characters, so it is UTF-8 still.
    (String::from_utf8(bytes).unwrap_or_default(), unclear)
}

fn blank(bytes: &mut [u8], at: usize, width: usize) {
    for byte in bytes.iter_mut().skip(at).take(width) {
        if !matches!(*byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_has_not_becomes_spaces() {
        let cases = [
            ("{\"a\": 1}", "{\"a\": 1}"),
            ("{\"a\": 1, // one\n}", "{\"a\": 1        \n}"),
            ("{/* ä\n */\"a\": [1, 2 , ]}", "{     \n   \"a\": [1, 2   ]}"),
            ("{\"// no\": \"/* no */ \\\" // no\"}", "{\"// no\": \"/* no */ \\\" // no\"}"),
            ("[1, /* x */ ]", "[1          ]"),
            ("[\"a\\\\\", // b\n]", "[\"a\\\\\"      \n]"),
            ("{\"a\": 1, \"b\": 2}", "{\"a\": 1, \"b\": 2}"),
            ("/* open", "       "),
            ("/", "/"),
            ("[,]", "[ ]"),
        ];
        for (text, expected) in cases {
            assert_eq!(plain(text), expected, "{text}");
            assert_eq!(plain(text).len(), text.len());
            assert!(!is_unclear(text), "{text}");
        }
    }

    #[test]
    fn a_comment_that_readers_end_elsewhere_is_not_clear() {
        let cases = [
            ("{ // x\r\n}", false),
            ("{ // x\n}\r[]\r", false),
            ("{\r/* x\r */ }", false),
            ("{\"// a\r\u{2028}\": 1}", false),
            ("{} // x\r", false),
            ("{ // x\r}", true),
            ("{ // x\r\r\n}", true),
            ("{ // x\u{2028}}", true),
            ("{ // ä\u{2029}}", true),
            ("{ // x\r\n // y\r}", true),
        ];
        for (text, expected) in cases {
            assert_eq!(is_unclear(text), expected, "{text:?}");
        }
    }
}
