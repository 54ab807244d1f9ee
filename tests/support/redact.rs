//! Replaces what differs between runs in a text, and keeps its columns.
//!
//! Parts that differ between machines are replaced too.

use std::path::Path;

/// The parts to replace.
pub(crate) struct Redactor {
    home: String,
}

impl Redactor {
    pub(crate) fn new(home: &Path) -> Self {
        Self { home: home.to_str().unwrap().to_owned() }
    }

    /// The text with the home, digests, sizes and times replaced.
    pub(crate) fn redact(&self, text: &str) -> String {
        let text = text.replace(&self.home, "[HOME]");
        let text = after(&text, "sha256:", is_hex, |hex| if hex.len() == 64 { "[DIGEST]".into() } else { blank(hex) });
        let text = after(&text, "\"duration_us\": ", is_digit, |_| "[US]".into());
        let text = after(&text, "\"duration_us\":", is_digit, |_| "[US]".into());
        let text = after(&text, "\"size\": ", is_digit, |_| "[SIZE]".into());
        let text = after(&text, "_size\": ", is_digit, |_| "[SIZE]".into());
        let text = after(&text, "_ns\": ", is_digit, |_| "[NS]".into());
        let text = after(&text, "\"count\": ", is_digit, |_| "[COUNT]".into());
        let text = between(&text, "\"confinement\": {\n", "\"state\": ", "}", "[CONFINEMENT]");
        let text = between(&text, "\"confinement\":{", "\"state\":", "}", "[CONFINEMENT]");
        let text = between(&text, "sandbox   ", "", ", in a", "[CONFINEMENT]");
        let text = between(&text, "sandbox\u{1b}[0m   ", "", ", in a", "[CONFINEMENT]");
        let text = on_one_line(&text, "[CONFINEMENT], ");
        before(&text, " bytes")
    }
}

const fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

const fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

fn blank(text: &str) -> String {
    "#".repeat(text.len())
}

/// Replaces what `is_part` of the text after each `mark`.
fn after(text: &str, mark: &str, is_part: fn(u8) -> bool, replace: impl Fn(&str) -> String) -> String {
    let mut pieces = text.split(mark);
    let mut redacted = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (part, rest) = piece.split_at(piece.bytes().take_while(|byte| is_part(*byte)).count());
        redacted.push_str(mark);
        redacted.push_str(&if part.is_empty() { String::new() } else { replace(part) });
        redacted.push_str(rest);
    }
    redacted
}

/// Replaces what is between each `start` and the `end` that follows, where it begins with `first`: kernels differ in what
/// they can confine.
fn between(text: &str, start: &str, first: &str, end: &str, word: &str) -> String {
    let mut pieces = text.split(start);
    let mut redacted = pieces.next().unwrap().to_owned();
    for piece in pieces {
        redacted.push_str(start);
        match piece.split_once(end) {
            Some((_, rest)) if piece.trim_start().starts_with(first) => redacted.extend([word, end, rest]),
            Some(_) | None => redacted.push_str(piece),
        }
    }
    redacted
}

/// Joins the lines of a field behind each `mark`: where they break depends on what is before it.
fn on_one_line(text: &str, mark: &str) -> String {
    const INDENT: &str = "\n            ";
    let mut pieces = text.split(mark);
    let mut joined = pieces.next().unwrap().to_owned();
    for piece in pieces {
        joined.push_str(mark);
        let mut rest = piece;
        while let Some((line, more)) = rest.split_once(INDENT).filter(|(line, _)| !line.contains('\n')) {
            joined.extend([line, " "]);
            rest = more;
        }
        joined.push_str(rest);
    }
    joined
}

/// Replaces the number before each `mark`.
fn before(text: &str, mark: &str) -> String {
    let pieces: Vec<_> = text.split(mark).collect();
    let last = pieces.len() - 1;
    let redacted = pieces.iter().enumerate().map(|(index, piece)| {
        let kept = piece.trim_end_matches(|character: char| character.is_ascii_digit());
        if index == last || kept.len() == piece.len() { (*piece).to_owned() } else { format!("{kept}[SIZE]") }
    });
    redacted.collect::<Vec<_>>().join(mark)
}

#[test]
fn what_differs_is_taken_out_and_nothing_else() {
    let digest = "0123456789abcdef".repeat(4);
    let cases = [
        ("/tmp/x/registry and /tmp/y".to_owned(), "[HOME]/registry and /tmp/y"),
        (format!("sha256:{digest}, 17 bytes"), "sha256:[DIGEST], [SIZE] bytes"),
        ("sha256:0123456789ab  built-in".to_owned(), "sha256:############  built-in"),
        ("sha256:DIGEST, some bytes".to_owned(), "sha256:DIGEST, some bytes"),
        ("{\"duration_us\":84,\"n\":85}".to_owned(), "{\"duration_us\":[US],\"n\":85}"),
        ("{\"duration_us\": 84, \"n\": 85}".to_owned(), "{\"duration_us\": [US], \"n\": 85}"),
        ("\"p99_ns\": 84, \"count\": 7".to_owned(), "\"p99_ns\": [NS], \"count\": [COUNT]"),
        ("\"compiled_size\": 84".to_owned(), "\"compiled_size\": [SIZE]"),
        ("\"confinement\": {\n  \"state\": \"full\"\n}, {}".to_owned(), "\"confinement\": {\n[CONFINEMENT]}, {}"),
        ("sandbox   partial\n (a), in a copy".to_owned(), "sandbox   [CONFINEMENT], in a copy"),
        ("sandbox   full, in a\n            copy\n\n  !".to_owned(), "sandbox   [CONFINEMENT], in a copy\n\n  !"),
        ("score 85 in 3 of 4 bytes".to_owned(), "score 85 in 3 of [SIZE] bytes"),
    ];
    for (text, expected) in cases {
        assert_eq!(Redactor::new(Path::new("/tmp/x")).redact(&text), expected);
    }
}
