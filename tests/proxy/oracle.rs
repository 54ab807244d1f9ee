//! The rules for any session, for the property tests and for `tests/fuzz/`.

use serde_json::Value;

use smcp_launch::proxy::Evasion;
use smcp_launch::proxy::Proxy;
use smcp_model::warning::Delivery;
use smcp_model::warning::Warning;

const BLOCK: &str = "[SECURITY WARNING - MCP Hub Certification]\nlow\n[END SECURITY WARNING]";
const SHORT: &str = "[SECURITY WARNING: low]";

/// Bytes that one side sends at once.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// Whether the client sends them; otherwise the server does.
    pub(crate) client: bool,
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
}

/// The result of a session.
type Played = (Vec<u8>, Result<(), Evasion>, Delivery);

/// Plays the parts, each cut as `cut` says (0: not at all).
fn play(parts: &[Part], mut cut: impl FnMut() -> usize) -> Played {
    let mut proxy = Proxy::new(Warning { block: BLOCK.into(), short: SHORT.into(), notification: "careful".into() });
    let (mut out, mut ended) = (Vec::new(), Ok(()));
    for part in parts {
        let mut rest = part.bytes.as_slice();
        while !rest.is_empty() {
            let (piece, after) = match cut() {
                0 => (rest, &[][..]),
                size => rest.split_at(size.min(rest.len())),
            };
            rest = after;
            if part.client {
                if proxy.client(piece) {
                    proxy.pending(&mut out);
                }
            } else if proxy.is_raw() {
                out.extend_from_slice(piece);
                proxy.note_raw(piece);
            } else {
                ended = ended.and(proxy.server(piece, &mut out));
            }
        }
    }
    ended = ended.and(proxy.server_ended(&mut out));
    (out, ended, proxy.delivery())
}

/// Plays a session whole, byte by byte, and cut as `cuts` say, and checks every rule that holds for any session.
///
/// # Panics
/// When a rule is broken.
pub(crate) fn check(parts: &[Part], cuts: &[u8]) {
    let whole = play(parts, || 0);
    let mut next = cuts.iter().cycle();
    let cut = play(parts, || next.next().map_or(3, |size| usize::from(*size) + 1));
    for other in [play(parts, || 1), cut] {
        assert_eq!(other.1.is_ok(), whole.1.is_ok(), "{:?} against {:?}", other.1, whole.1);
        if whole.1.is_ok() {
            assert_eq!(String::from_utf8_lossy(&other.0), String::from_utf8_lossy(&whole.0));
            assert_eq!((other.0, other.2), (whole.0.clone(), whole.2));
        } else {
            assert!(whole.0.starts_with(&other.0) || other.0.starts_with(&whole.0), "one way or the other");
        }
    }
    if whole.1.is_ok() {
        only_the_warning_was_added(parts, &whole.0);
    }
}

/// Checks that every line is the server's own byte for byte, or the same JSON with our words in it, or our
/// notification.
fn only_the_warning_was_added(parts: &[Part], out: &[u8]) {
    let sent: Vec<u8> = parts.iter().filter(|part| !part.client).flat_map(|part| part.bytes.clone()).collect();
    let ends = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let mut given = out.split(ends);
    for line in sent.split(ends) {
        let mut got = given.next().expect("every line comes out");
        if got != line && contains(got, b"mcp-hub-security") && !contains(line, b"mcp-hub-security") {
            got = given.next().expect("the notification is a line of its own");
        }
        if got != line {
            same_but_for_the_warning(line, got);
        }
    }
    let rest: Vec<_> = given.filter(|line| !line.is_empty() && !contains(line, b"mcp-hub-security")).collect();
    assert!(rest.is_empty(), "nothing comes out that was not sent: {rest:?}");
}

fn contains(line: &[u8], what: &[u8]) -> bool {
    line.windows(what.len()).any(|window| window == what)
}

/// Removes the warning from a line and compares the rest.
fn same_but_for_the_warning(line: &[u8], got: &[u8]) {
    assert!(contains(got, b"[SECURITY WARNING"), "changed without need");
    let (Ok(line), Ok(got)) = (serde_json::from_slice(line), serde_json::from_slice(got)) else { return };
    let (line, got): (Value, Value) = (line, got);
    assert!(same(&line, &got), "{line} became {got}");
}

/// Whether a value is another one with our words added, and nothing else.
fn same(theirs: &Value, given: &Value) -> bool {
    match (theirs, given) {
        (Value::Object(theirs), Value::Object(given)) => {
            let ours =
                |key: &str| ["instructions", "description", "content"].contains(&key) && !theirs.contains_key(key);
            let (added, kept): (Vec<_>, Vec<_>) = given.iter().partition(|(key, _)| ours(key));
            theirs.len() == kept.len()
                && added.iter().all(|(_, value)| is_ours(value))
                && theirs
                    .iter()
                    .zip(kept)
                    .all(|(one, other)| one.0 == other.0 && (same(one.1, other.1) || is_cut(other)))
        }
        (Value::Array(theirs), Value::Array(given)) => {
            let skipped = usize::from(given.len() > theirs.len() && is_ours(&given[0]));
            given.len() == theirs.len() + skipped
                && theirs.iter().zip(&given[skipped..]).all(|(one, other)| same(one, other))
        }
        (Value::String(theirs), Value::String(given)) if theirs != given => [BLOCK, SHORT].iter().any(|words| {
            let rest = given.strip_prefix(words).map(|rest| rest.strip_prefix("\n\n").unwrap_or(rest));
            // Brackets may have become parentheses.
            rest.is_some_and(|rest| rest.replace('(', "[") == theirs.replace('(', "["))
        }),
        (theirs, given) => theirs == given || is_ours(given),
    }
}

/// Whether a member says that an answer may not be cached.
fn is_cut(member: (&String, &Value)) -> bool {
    match member.0.to_ascii_lowercase().as_str() {
        "ttlms" => member.1 == 0,
        "cachescope" => member.1 == "private",
        _ => false,
    }
}

/// Whether a value consists only of our words: a text, a block of content, a list with one of them.
fn is_ours(value: &Value) -> bool {
    match value {
        Value::String(text) => text == BLOCK || text == SHORT,
        Value::Object(block) => {
            block.get("type").is_some_and(|kind| kind == "text") && block.get("text").is_some_and(is_ours)
        }
        Value::Array(list) => list.len() == 1 && list.iter().all(is_ours),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
