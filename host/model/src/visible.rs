//! Writes JSON without invisible characters, for documents and the audit log.
//!
//! Characters that steer a terminal are written as `\u` escapes, which JSON reads as the same text.

use std::io;
use std::io::Write;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use crate::text::SafeText;
use crate::text::is_unseen;

/// Writes a value as one line of visible JSON, line feed included.
///
/// # Errors
/// When the value can't be written as JSON.
pub fn line(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut text, VisibleFormatter))?;
    text.push(b'\n');
    Ok(text)
}

/// Returns a value as JSON on many lines, for people and editors, with what is not visible as `\u` escapes.
///
/// # Errors
/// When the value can't be written as JSON.
pub fn pretty(value: &impl Serialize) -> serde_json::Result<String> {
    let text = serde_json::to_string_pretty(value)?;
    let mut shown = String::new();
    // A line feed is between values: in a text it is an escape already.
    for character in text.chars() {
        if character == '\n' || !is_unseen(character) {
            shown.push(character);
        } else {
            let mut units = [0; 2];
            shown.extend(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    shown.push('\n');
    Ok(shown)
}

/// Writes compact JSON without invisible characters.
struct VisibleFormatter;

impl Formatter for VisibleFormatter {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let printable = |byte: &u8| matches!(byte, b' '..=b'~');
        let mut shown = [0; 4];
        let mut rest = fragment;
        loop {
            // The printable ASCII at the start, most of any text, is written at once.
            let (start, other) = rest.split_at(rest.bytes().position(|byte| !printable(&byte)).unwrap_or(rest.len()));
            writer.write_all(start.as_bytes())?;
            let mut characters = other.chars();
            let Some(character) = characters.next() else { return Ok(()) };
            rest = characters.as_str();
            let text: &str = character.encode_utf8(&mut shown);
            if SafeText::new(text).as_str() == text {
                writer.write_all(text.as_bytes())?;
            } else {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
    }
}
