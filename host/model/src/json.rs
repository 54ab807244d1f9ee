//! Unambiguous JSON: a document in which no object has a key twice.
//!
//! Parsers disagree about which of two equal keys counts, so a document with both could say one thing to the parser
//! that judged it and another to smcp.

use serde::de::DeserializeOwned;

use crate::content;
use crate::limits;
use crate::text::SafeText;
use crate::unambiguous;

/// A document that was found to be unambiguous.
#[derive(Debug, Clone, Copy)]
pub struct Document<'b>(&'b [u8]); // INVARIANT: a JSON object without duplicate keys, checked by `new`.

impl<'b> Document<'b> {
    /// Checks a document, once for everything that is read from it.
    pub fn new(bytes: &'b [u8]) -> Result<Self, SafeText> {
        // Byte order marks of editors are named here: a parser says only that no value begins there.
        let mark = match bytes {
            [] => Some("it is empty"),
            [0xef, 0xbb, 0xbf, ..] => Some("it begins with a byte order mark; save it as UTF-8 without one"),
            [0xfe, 0xff, ..] | [0xff, 0xfe, ..] => Some("it is UTF-16; save it as UTF-8"),
            _ => None,
        };
        if let Some(mark) = mark {
            return Err(SafeText::new(mark));
        }
        unambiguous::check(bytes).map_err(|error| something_else(bytes).unwrap_or_else(|| excerpt(&error)))?;
        // serde would read a list as an object's values in order, whatever they mean.
        if bytes.trim_ascii_start().starts_with(b"{") { Ok(Self(bytes)) } else { Err(SafeText::new("it is no object")) }
    }

    /// Reads the fields that a type knows.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, SafeText> {
        serde_json::from_slice(self.0).map_err(|error| excerpt(&error))
    }
}

/// Reads a document. The error says what is wrong and where.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, SafeText> {
    Document::new(bytes)?.read()
}

/// Names the kind of bytes that are not a document, when that helps more than the place where the parser stopped.
fn something_else(bytes: &[u8]) -> Option<SafeText> {
    let (what, _) = content::recognise(bytes).filter(|(what, _)| !what.ends_with("text") || *what == "XML text")?;
    Some(SafeText::new(&format!("it is {what}, not a JSON document")))
}

fn excerpt(error: &serde_json::Error) -> SafeText {
    SafeText::within(&error.to_string(), limits::PARSER_MESSAGE)
}

/// What is wrong with a text that is one line of many: whoever says so knows the line.
pub fn of_one_line(error: &serde_json::Error) -> String {
    let (whole, column) = (error.to_string(), error.column());
    match whole.strip_suffix(&format!(" at line {} column {column}", error.line())) {
        // A column of 0 is the end of the line.
        Some(what) if column > 0 => format!("{what} at column {column}"),
        Some(what) => what.to_owned(),
        None => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_means_one_thing() {
        for good in [r#"{"a":{"x":1},"b":{"x":[1,-2,3.5,null,true,"x"]}}"#, r#"{"A":1,"a":2}"#, " {}"] {
            assert!(read::<serde_json::Value>(good.as_bytes()).is_ok(), "{good}");
        }
        let bad = [
            (r#"{"a":1,"a":1}"#, "the key `a` stands twice"),
            (r#"{"x":[{"a":1,"b":2,"\u0061":3}]}"#, "the key `a` stands twice"),
            (r#"{"a":1} {"a":2}"#, "trailing characters"),
            ("\u{feff}{}", "it begins with a byte order mark"),
            ("{\"a\":\"\u{1b}\"}", "control character"),
            ("", "it is empty"),
            (" ", "EOF"),
            ("{", "EOF"),
            ("nope", "expected ident"),
            ("[]", "it is no object"),
            ("<!DOCTYPE html>", "it is a web page (HTML), not a JSON document"),
            ("<?xml version='1.0'?>", "it is XML text, not a JSON document"),
            ("PK\u{3}\u{4}", "it is a zip archive, not a JSON document"),
            ("0", "it is no object"),
        ];
        for (text, problem) in bad {
            let error = read::<serde_json::Value>(text.as_bytes()).unwrap_err();
            assert!(error.as_str().contains(problem), "{text}: {error}");
        }
        assert!(read::<serde_json::Value>(b"\"\xff\"").is_err());
        assert!(read::<serde_json::Value>(b"\xff\xfe{\0").unwrap_err().as_str().contains("UTF-16"));
        assert!(read::<serde_json::Value>(b"{\r\n\"a\":\r\n1}\r\n").is_ok());
        assert!(read::<serde_json::Value>("[".repeat(100_000).as_bytes()).is_err());
    }
}
