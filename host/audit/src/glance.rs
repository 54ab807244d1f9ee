//! What a record is found by, read without looking at the rest of its line.
//!
//! smcp writes the keys of a record in one order, those of its place first. A line that begins otherwise is parsed whole.

use std::borrow::Cow;

use crate::RecordKey;
use smcp_model::audit::SCHEMA;

/// Reads the key of a line that begins as smcp writes it; `None` for any other, which may be a record all the same.
pub(super) fn key(line: &[u8]) -> Option<RecordKey<'_>> {
    let mut rest = LineStart(line);
    rest.literal(b"{\"schema\":\"")?;
    rest.literal(SCHEMA.as_bytes())?;
    rest.literal(b"\",\"seq\":")?;
    let seq = rest.number()?;
    rest.literal(b",\"prev\":")?;
    rest.text()?;
    rest.literal(b",\"time\":")?;
    rest.text()?;
    rest.literal(b",\"event\":")?;
    rest.text()?;
    rest.literal(b",\"run\":")?;
    let run = rest.number()?;
    if rest.literal(b",\"recovered_bytes\":").is_some() {
        rest.number()?;
    }
    rest.literal(b",\"command\":")?;
    rest.text()?;
    rest.literal(b",\"asked\":")?;
    if rest.literal(b"null").is_none() {
        rest.text()?;
    }
    rest.literal(b",\"pid\":")?;
    rest.number()?;
    rest.literal(b",\"uid\":")?;
    rest.number()?;
    rest.literal(b",\"smcp\":")?;
    rest.text()?;
    rest.literal(b",\"package\":")?;
    let package = Cow::Borrowed(rest.text()?);
    // Cut off within its line, it is no record.
    line.trim_ascii_end().ends_with(b"}").then_some(RecordKey { seq, run, package })
}

/// The part of a line that is still to be read.
struct LineStart<'a>(&'a [u8]);

impl<'a> LineStart<'a> {
    fn literal(&mut self, expected: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    fn number(&mut self) -> Option<u64> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        // As JSON has numbers.
        let number = str::from_utf8(number).ok()?;
        if number.len() > 1 && number.starts_with('0') { None } else { number.parse().ok() }
    }

    /// Reads a text without escapes.
    fn text(&mut self) -> Option<&'a str> {
        let inside = self.0.strip_prefix(b"\"")?;
        let end = memchr::memchr3(b'"', b'\\', b'\n', inside)?;
        let (text, rest) = inside.split_at_checked(end)?;
        self.0 = rest.strip_prefix(b"\"")?;
        str::from_utf8(text).ok().filter(|text| !text.bytes().any(|byte| byte.is_ascii_control()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"schema":"smcp.audit/1","seq":12,"prev":"sha256:00","time":"2027-01-01T00:00:00.000Z","event":"start","run":7,"command":"run","asked":"acme/tool","pid":1,"uid":0,"smcp":"0.1.0","package":"acme/tool@1.0.0","more":{"seq":99,"package":"b"}}"#;

    #[test]
    fn a_glance_sees_what_parsing_sees_or_nothing() {
        let seen = |line: &str| key(line.as_bytes()).map(|key| (key.seq, key.run, key.package.into_owned()));
        let parsed = |line: &str| {
            let key: Option<RecordKey<'_>> = serde_json::from_str(line).ok();
            key.map(|key| (key.seq, key.run, key.package.into_owned()))
        };
        let same = [
            LINE.to_owned(),
            LINE.replace("\"acme/tool\",\"pid", "null,\"pid"),
            LINE.replace("\"run\":7", "\"run\":7,\"recovered_bytes\":5"),
            LINE.replace("acme/tool@1.0.0", "größe/tool@1"),
        ];
        for line in same {
            assert_eq!(seen(&line), parsed(&line), "{line}");
            assert!(seen(&line).is_some() && seen(&format!("{line}\n")).is_some(), "{line}");
        }
        for other in [
            LINE.replace("acme/tool@1.0.0", "acme/t\\u006fol@1.0.0"),
            LINE.replace("{\"schema", "{ \"schema"),
            LINE.replace("audit/1", "audit/2"),
            LINE.replace("\"seq\":12", "\"seq\":012"),
            LINE.replace("\"seq\":12", "\"seq\":-1"),
            LINE.replace("\"seq\":12", "\"seq\":99999999999999999999"),
            LINE.replace("acme/tool@1.0.0", "acme/\ttool"),
            LINE.replace("\"pid\":1", "\"pid\":1.5"),
        ] {
            assert_eq!(seen(&other), None, "{other}");
        }
        for end in 0..LINE.len() {
            let cut = LINE.get(..end).unwrap_or_default();
            // What is cut off within its line is no record for either.
            assert!(seen(cut).is_none() || cut.ends_with('}'), "{cut}");
        }
    }
}
