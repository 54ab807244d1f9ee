//! A session as a transcript, played in pieces of any size.

use smcp_launch::proxy::Evasion;
use smcp_launch::proxy::Proxy;
use smcp_model::warning::Delivery;
use smcp_model::warning::Warning;

pub(crate) const BLOCK: &str = "[SECURITY WARNING - MCP Hub Certification]\nlow \"score\"\n[END SECURITY WARNING]";
/// The block as it is written in a line, with the separator before the server's own text.
pub(crate) const BLOCK_JSON: &str =
    r#"[SECURITY WARNING - MCP Hub Certification]\nlow \"score\"\n[END SECURITY WARNING]"#;
pub(crate) const SHORT: &str = "[SECURITY WARNING: low]";
pub(crate) const TEXT_BLOCK: &str = r#"{"type":"text","text":"[SECURITY WARNING: low]"}"#;
pub(crate) const NOTIFICATION: &str = concat!(
    r#"{"jsonrpc":"2.0","method":"notifications/message","params":"#,
    r#"{"level":"warning","logger":"mcp-hub-security","data":"careful"}}"#,
    "\n"
);

pub(crate) fn proxy() -> Proxy {
    Proxy::new(Warning { block: BLOCK.into(), short: SHORT.into(), notification: "careful".into() })
}

/// A message, or the end, of one side.
#[derive(Debug, Clone)]
pub(crate) enum Said {
    Client(Vec<u8>),
    Server(Vec<u8>),
    ServerEnds,
}

pub(crate) fn c(line: &str) -> Said {
    Said::Client(format!("{line}\n").into_bytes())
}

pub(crate) fn s(line: &str) -> Said {
    Said::Server(format!("{line}\n").into_bytes())
}

pub(crate) fn raw(bytes: &[u8]) -> Said {
    Said::Server(bytes.to_vec())
}

/// The result of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Played {
    pub(crate) out: Vec<u8>,
    pub(crate) ended: Result<(), Evasion>,
    pub(crate) delivery: Delivery,
}

/// Plays a transcript as the relay does, in pieces of `size` bytes.
pub(crate) fn play(transcript: &[Said], size: usize) -> Played {
    let mut proxy = proxy();
    let mut out = Vec::new();
    let mut ended = Ok(());
    for said in transcript {
        match said {
            Said::Client(bytes) => {
                for piece in bytes.chunks(size) {
                    if proxy.client(piece) {
                        proxy.pending(&mut out);
                    }
                }
            }
            Said::Server(bytes) => {
                for piece in bytes.chunks(size) {
                    if proxy.is_raw() {
                        out.extend_from_slice(piece);
                        proxy.note_raw(piece);
                    } else {
                        ended = ended.and(proxy.server(piece, &mut out));
                    }
                }
            }
            Said::ServerEnds => ended = ended.and(proxy.server_ended(&mut out)),
        }
    }
    Played { out, ended, delivery: proxy.delivery() }
}

/// Plays a transcript whole and byte by byte, and checks what the client got.
#[track_caller]
pub(crate) fn gives(transcript: &[Said], expected: &str) -> Played {
    let whole = play(transcript, usize::MAX);
    assert_eq!(whole.ended, Ok(()));
    assert_eq!(String::from_utf8_lossy(&whole.out), expected);
    for size in [1, 2, 7] {
        assert_eq!(play(transcript, size), whole, "in pieces of {size}");
    }
    whole
}

/// Checks that the server's last line is changed to this, and that everything before it is unchanged.
#[track_caller]
pub(crate) fn gives_last(transcript: &[Said], expected: &str) -> Played {
    let mut before = String::new();
    let servers: Vec<_> = transcript.iter().filter(|said| matches!(said, Said::Server(_))).collect();
    for said in servers.iter().take(servers.len() - 1) {
        if let Said::Server(bytes) = said {
            before.push_str(&String::from_utf8_lossy(bytes));
        }
    }
    gives(transcript, &format!("{before}{expected}\n"))
}

/// Checks that the client gets every byte of the server unchanged.
#[track_caller]
pub(crate) fn unchanged(transcript: &[Said]) -> Played {
    let played = play(transcript, usize::MAX);
    assert_eq!(played.ended, Ok(()));
    let sent: Vec<u8> = transcript
        .iter()
        .filter_map(|said| match said {
            Said::Server(bytes) => Some(bytes.as_slice()),
            Said::Client(_) | Said::ServerEnds => None,
        })
        .flatten()
        .copied()
        .collect();
    assert_eq!(String::from_utf8_lossy(&played.out), String::from_utf8_lossy(&sent));
    assert_eq!(played.out, sent);
    for size in [1, 3] {
        assert_eq!(play(transcript, size), played, "in pieces of {size}");
    }
    played
}

/// Checks that the session ends for this reason, and that the line that caused it is never complete.
#[track_caller]
pub(crate) fn evades(transcript: &[Said], expected: Evasion) {
    let long = transcript.iter().any(|said| matches!(said, Said::Server(bytes) if bytes.len() > 1 << 20));
    for size in [usize::MAX, if long { 4093 } else { 1 }] {
        let played = play(transcript, size);
        assert_eq!(played.ended, Err(expected), "in pieces of {size}");
        let (Some(Said::Server(last)), false) = (transcript.last(), played.out.is_empty()) else { continue };
        assert!(!played.out.ends_with(last), "the line went out");
        assert_eq!(played.delivery, Delivery::Undelivered);
    }
}

pub(crate) const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"capabilities":{}}}"#;
pub(crate) const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
pub(crate) const ANSWER: &str = r#"{"jsonrpc":"2.0","id":0,"result":{"capabilities":{"logging":{}}}}"#;

/// Returns the answer to `INITIALIZE` with the block in it.
pub(crate) fn answered() -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":0,"result":{{"instructions":"{BLOCK_JSON}","capabilities":{{"logging":{{}}}}}}}}"#
    )
}

/// Makes a request of the client.
pub(crate) fn ask(id: &str, method: &str) -> Said {
    c(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}"}}"#))
}

/// Makes an answer of the server.
pub(crate) fn answer(id: &str, result: &str) -> Said {
    s(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#))
}

/// Makes the same answer as the client gets it.
pub(crate) fn line(id: &str, result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
}
