//! Finds the requests in a client's stream: a pure state machine over bytes.
//!
//! A request is an object with a `method` and an `id`. Notifications, answers and unreadable lines are skipped.

use std::hash::RandomState;
use std::ops::Range;

use serde::de::IgnoredAny;

use crate::proxy::keys::ProtocolKey;
use crate::proxy::members::BrokenJson;
use crate::proxy::members::Elements;
use crate::proxy::members::Members;
use crate::proxy::members::skip_space;
use smcp_model::limits;

/// The requests of one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RequestLine {
    /// Their ids, as they were written.
    pub(super) ids: Vec<Vec<u8>>,
    /// Whether they are in a batch; then their answers have to be in one, too.
    pub(super) batched: bool,
}

/// The state of the stream.
#[derive(Debug, Default)]
pub(super) struct Requests {
    hasher: RandomState,
    /// The present line, unless it is too long.
    line: Vec<u8>,
    /// The present line is too long and is skipped.
    too_long: bool,
    ended: bool,
}

impl Requests {
    /// Takes more bytes; returns the requests of the lines that end in them.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Vec<RequestLine> {
        let mut lines = Vec::new();
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end);
            self.take(line);
            lines.extend(self.line_end());
            rest = after.get(1..).unwrap_or_default();
        }
        self.take(rest);
        lines
    }

    /// Ends the stream; returns the requests of a last line without a line end.
    pub(super) fn end(&mut self) -> Vec<RequestLine> {
        self.ended = true;
        self.line_end().into_iter().collect()
    }

    pub(super) const fn has_ended(&self) -> bool {
        self.ended
    }

    fn take(&mut self, bytes: &[u8]) {
        self.too_long |= self.line.len().saturating_add(bytes.len()) > limits::REFUSAL_LINE;
        if self.too_long {
            self.line = Vec::new();
        } else {
            self.line.extend_from_slice(bytes);
        }
    }

    fn line_end(&mut self) -> Option<RequestLine> {
        let line = std::mem::take(&mut self.line);
        let read = std::mem::take(&mut self.too_long) || line.is_empty();
        if read { None } else { self.read(&line).unwrap_or_default() }
    }

    /// The requests of a line of JSON.
    fn read(&self, line: &[u8]) -> Result<Option<RequestLine>, BrokenJson> {
        // An id is copied into an answer only after a strict parser has accepted the whole line.
        let text = str::from_utf8(line).map_err(|_| BrokenJson)?;
        serde_json::from_str::<IgnoredAny>(text).map_err(|_| BrokenJson)?;
        let start = skip_space(line, 0);
        let batched = line.get(start) == Some(&b'[');
        let mut ids = Vec::new();
        if batched {
            for element in Elements::new(line, start) {
                ids.extend(self.id(line, &element?)?);
            }
        } else {
            ids.extend(self.id(line, &(start..line.len()))?);
        }
        Ok((!ids.is_empty()).then_some(RequestLine { ids, batched }))
    }

    /// The id of a message, if it is a request. Of several ids the last one counts, as with most parsers.
    fn id(&self, line: &[u8], message: &Range<usize>) -> Result<Option<Vec<u8>>, BrokenJson> {
        if line.get(message.start) != Some(&b'{') {
            return Ok(None);
        }
        let (mut id, mut is_request) = (None, false);
        for member in Members::new(line, message.start, &self.hasher) {
            let member = member?;
            if !member.name.exact {
                continue;
            }
            let value = line.get(member.value).unwrap_or_default();
            match member.name.key {
                ProtocolKey::Id => id = Some(value),
                ProtocolKey::Method => is_request = value.first() == Some(&b'"'),
                // A message with one of these is not a request.
                ProtocolKey::Result | ProtocolKey::Error => return Ok(None),
                ProtocolKey::Jsonrpc
                | ProtocolKey::Instructions
                | ProtocolKey::Handshake
                | ProtocolKey::Tools
                | ProtocolKey::Content
                | ProtocolKey::Structured
                | ProtocolKey::ResultType
                | ProtocolKey::Task
                | ProtocolKey::Capabilities
                | ProtocolKey::Logging
                | ProtocolKey::Description
                | ProtocolKey::Lifetime
                | ProtocolKey::Scope
                | ProtocolKey::Other => {}
            }
        }
        Ok(id.filter(|id| is_request && is_id(id)).map(<[u8]>::to_vec))
    }
}

/// Whether a value is an id: a string, a number or null, of a length that clients use.
fn is_id(value: &[u8]) -> bool {
    let other = value.starts_with(b"{") || value.starts_with(b"[") || matches!(value, b"true" | b"false");
    !other && value.len() <= limits::PROTOCOL_TOKEN
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is answered, as ids; batches in brackets.
    fn answered(text: impl AsRef<[u8]>) -> Vec<String> {
        let mut requests = Requests::default();
        let mut said = requests.hear(text.as_ref());
        said.extend(requests.end());
        let shown = |said: &RequestLine| {
            let ids: Vec<_> = said.ids.iter().map(|id| String::from_utf8(id.clone()).unwrap()).collect();
            if said.batched { format!("[{}]", ids.join(" ")) } else { ids.join(" ") }
        };
        said.iter().map(shown).collect()
    }

    #[test]
    fn a_request_is_answered_under_its_own_id() {
        let cases = [
            ("1", "1"),
            (r#""a b""#, r#""a b""#),
            (r#""\u0000\"é""#, r#""\u0000\"é""#),
            ("null", "null"),
            ("-1.50e+3", "-1.50e+3"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ];
        for (id, expected) in cases {
            for line in [
                format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"initialize"}}"#),
                format!(r#"  {{ "method" : "x", "params":{{"id":9,"method":[]}}, "id" : {id} }}  "#),
                format!(r#"{{"id":"first","method":"x","id":{id}}}"#),
                format!("{{\"\\u0069d\":{id},\"method\":\"x\"}}\r"),
            ] {
                assert_eq!(answered(&line), [expected], "{line}");
                assert_eq!(answered(format!("{line}\n{line}\n")), [expected, expected], "{line}");
            }
        }
    }

    #[test]
    fn a_request_of_any_depth_is_answered() {
        let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(answered(format!(r#"{{"id":1,"params":{open}{close},"method":"x"}}"#)), ["1"]);
    }

    #[test]
    fn a_batch_is_answered_as_one() {
        let cases = [
            (r#"[{"id":1,"method":"a"},{"method":"n"},{"id":"2","method":"b"}]"#, &[r#"[1 "2"]"#][..]),
            (r#" [ {"id":1,"method":"a"} ] "#, &["[1]"]),
            (r#"[{"method":"n"}]"#, &[]),
            ("[]", &[]),
            (r#"[1,"x",null,[{"id":1,"method":"a"}]]"#, &[]),
        ];
        for (line, expected) in cases {
            assert_eq!(answered(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_request_is_passed_over() {
        let long_id = format!(r#"{{"id":"{}","method":"x"}}"#, "i".repeat(limits::PROTOCOL_TOKEN));
        let cases: [&[u8]; 19] = [
            b"",
            b"\n\r\n",
            br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            br#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            br#"{"jsonrpc":"2.0","id":1,"method":"x","error":{}}"#,
            br#"{"id":1}"#,
            br#"{"id":1,"method":7}"#,
            br#"{"ID":1,"method":"x"}"#,
            br#"{"id":{},"method":"x"}"#,
            br#"{"id":[1],"method":"x"}"#,
            br#"{"id":true,"method":"x"}"#,
            br#"{"id":01,"method":"x"}"#,
            br#"{"id":1,"method":"x"} x"#,
            br#"{"id":1,"method":"x""#,
            br#"{"id":1,"method":x}"#,
            b"{\"id\":\"\xff\",\"method\":\"x\"}",
            b"\xef\xbb\xbf{\"id\":1,\"method\":\"x\"}",
            b"Content-Length: 42",
            long_id.as_bytes(),
        ];
        for line in cases {
            assert_eq!(answered(line), [""; 0], "{}", String::from_utf8_lossy(line));
            let next = [line, b"\n{\"id\":2,\"method\":\"y\"}\n"].concat();
            assert_eq!(answered(&next), ["2"], "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn any_cut_of_the_stream_gives_the_same() {
        let text = "{\"id\":1,\"method\":\"a\"}\nno\n[{\"id\":2,\"method\":\"b\"}]\n{\"id\":\"é\",\"method\":\"c\"}";
        let expected = answered(text);
        assert_eq!(expected, ["1", "[2]", "\"é\""]);
        for cut in 0..text.len() {
            let (first, second) = text.as_bytes().split_at(cut);
            let mut requests = Requests::default();
            let mut said = requests.hear(first);
            said.extend(requests.hear(second));
            said.extend(requests.end());
            assert_eq!(said.iter().map(|said| said.ids.len()).sum::<usize>(), 3, "{cut}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_costs_no_memory_and_hides_nothing() {
        let mut requests = Requests::default();
        for _ in 0..100 {
            assert_eq!(requests.hear(&[b'x'; 65_536]), []);
            assert!(requests.line.capacity() <= 2 * limits::REFUSAL_LINE);
        }
        let said = requests.hear(b"\n{\"id\":3,\"method\":\"x\"}\n");
        assert_eq!(said, [RequestLine { ids: vec![b"3".to_vec()], batched: false }]);
    }
}
