//! Recognises the encoding of a saved text: byte order marks, UTF-16.

/// The mark that some editors put before a text in UTF-8. It is not part of the text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The same bytes without a byte order mark.
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

/// Whether this is UTF-16: it has the mark of UTF-16, or every other byte at its start is NUL, which no text in UTF-8
/// contains.
pub fn is_utf_16(bytes: &[u8]) -> bool {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        [0, first, 0, second, ..] | [first, 0, second, 0, ..] => *first != 0 && *second != 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_not_part_of_the_text_and_utf_16_is_recognised() {
        assert_eq!(without_mark(b"\xef\xbb\xbfa: 1"), b"a: 1");
        assert_eq!(without_mark(b"a: 1"), b"a: 1");
        for (bytes, expected) in [
            (&b"\xff\xfea\0"[..], true),
            (b"\xfe\xff\0a", true),
            (b"a\0b\0", true),
            (b"\0a\0b", true),
            (b"a: 1", false),
            (b"\0\0\0\0", false),
            (b"", false),
        ] {
            assert_eq!(is_utf_16(bytes), expected, "{bytes:?}");
        }
    }
}
