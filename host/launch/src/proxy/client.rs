//! Reads the client's stream: scanned where it may matter, skimmed elsewhere.
//!
//! The relay passes in bytes that may be cut anywhere; the session gets the messages. While the session is settled,
//! hardly any message concerns it, and the [`Skimmer`] sees that from the bytes alone. Skimmed bytes are kept up to the
//! end of their line, so that the scanner can still be shown the line from its start. The session can't tell the
//! difference.

use std::hash::RandomState;

use crate::proxy::scan::MessageFacts;
use crate::proxy::scan::ScanEvent;
use crate::proxy::scan::Scanner;
use crate::proxy::session::McpSession;
use crate::proxy::skim::OVERLAP;
use crate::proxy::skim::Skimmer;
use smcp_model::limits;

/// The client's stream.
#[derive(Debug)]
pub(crate) struct ClientStream {
    scanner: Scanner,
    skimmer: Skimmer,
    /// The scanner has seen the present line from its start.
    reading: bool,
    /// The present line so far, if the scanner has not seen it. The session was settled during all of it.
    kept: Vec<u8>,
}

impl ClientStream {
    /// A stream that has not begun.
    pub(crate) fn new(hasher: RandomState) -> Self {
        let scanner = Scanner::new(hasher, false);
        Self { scanner, skimmer: Skimmer::default(), reading: false, kept: Vec::new() }
    }

    /// Passes the messages in these bytes on to the session.
    pub(crate) fn hear(&mut self, bytes: &[u8], session: &mut McpSession) {
        let begun = if self.reading { memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1) } else { 0 };
        let (line, rest) = bytes.split_at(begun);
        self.read(line, session);
        if session.is_settled() && self.skim(rest, session.heeds_lists()) {
            return;
        }
        self.catch_up();
        self.read(rest, session);
    }

    /// Shows the scanner the kept bytes. Messages that are complete in them came while the session was settled, and did
    /// not concern it.
    fn catch_up(&mut self) {
        scan(&mut self.scanner, &self.kept, |_| {});
        self.reading |= !self.kept.is_empty();
        self.kept.clear();
    }

    /// Shows the scanner these bytes, and the session the messages in them.
    fn read(&mut self, bytes: &[u8], session: &mut McpSession) {
        scan(&mut self.scanner, bytes, |facts| session.client_said(facts));
        if let Some(last) = bytes.last() {
            self.reading = *last != b'\n';
        }
    }

    /// Skims bytes that follow `kept`. True when they don't concern a settled session; otherwise nothing has changed.
    fn skim(&mut self, bytes: &[u8], lists: bool) -> bool {
        let ended = memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1);
        let (lines, begun) = bytes.split_at(ended);
        let kept = if lines.is_empty() { self.kept.len() } else { 0 };
        if kept + begun.len() > limits::SKIMMED_LINE || self.is_split(bytes, lists) || self.skimmer.finds(bytes, lists)
        {
            return false;
        }
        self.kept.truncate(kept);
        self.kept.extend_from_slice(begun);
        true
    }

    /// Whether a name of interest begins in the kept bytes and ends in these.
    fn is_split(&mut self, bytes: &[u8], lists: bool) -> bool {
        let kept = self.kept.len();
        self.kept.extend_from_slice(bytes.get(..OVERLAP).unwrap_or(bytes));
        let seam = self.kept.get(kept.saturating_sub(OVERLAP)..).unwrap_or_default();
        let found = self.skimmer.finds(seam, lists);
        self.kept.truncate(kept);
        found
    }
}

/// Shows the scanner the bytes of any number of lines, and calls `on_message` with each complete message.
fn scan(scanner: &mut Scanner, bytes: &[u8], mut on_message: impl FnMut(&MessageFacts)) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = memchr::memchr2(b'\n', b'\r', rest);
        let (mut line, after) = rest.split_at(end.unwrap_or(rest.len()));
        while !line.is_empty() {
            let (taken, event) = scanner.feed(line);
            if event == Some(ScanEvent::Message) {
                on_message(scanner.facts());
            }
            line = line.get(taken..).unwrap_or_default();
        }
        match after.first() {
            Some(b'\n') => scanner.restart(false),
            Some(mark) => _ = scanner.feed(&[*mark]),
            None => {}
        }
        rest = after.get(1..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::Config;
    use proptest::test_runner::RngAlgorithm;
    use proptest::test_runner::TestRng;
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::proxy::token::Id;
    use crate::proxy::token::Method;

    /// One client, heard by two sessions: with skimming, and without.
    struct Twice {
        skimmed: (ClientStream, McpSession),
        read: (ClientStream, McpSession),
        hasher: RandomState,
    }

    impl Twice {
        fn new() -> Self {
            let hasher = RandomState::new();
            let one = || (ClientStream::new(hasher.clone()), McpSession::default());
            Self { skimmed: one(), read: one(), hasher }
        }

        /// After a handshake whose answer carried the warning.
        fn settled() -> Self {
            let mut twice = Self::new();
            twice.say(b"{\"method\":\"initialize\",\"id\":0}\n");
            twice.serve(0, |session, asked| {
                session.close(asked);
                session.carried(Method::Initialize, true);
            });
            twice.say(b"{\"method\":\"notifications/initialized\"}\n");
            assert!(twice.skimmed.1.is_settled());
            twice
        }

        fn say(&mut self, bytes: &[u8]) {
            self.skimmed.0.hear(bytes, &mut self.skimmed.1);
            self.read.0.read(bytes, &mut self.read.1);
            assert_eq!(self.skimmed.1, self.read.1, "after {:?}", String::from_utf8_lossy(bytes));
        }

        /// An event of the server, about a request with the given id.
        fn serve(&mut self, id: u8, act: impl Fn(&mut McpSession, &MessageFacts)) {
            let id = Some(Id::scalar(id.to_string().as_bytes(), &self.hasher));
            for session in [&mut self.skimmed.1, &mut self.read.1] {
                act(session, &MessageFacts { id, result: true, ..MessageFacts::default() });
            }
        }
    }

    #[test]
    fn an_ordinary_line_is_kept_and_not_read() {
        for (said, kept) in [
            ("{\"method\":\"tools/call\",\"id\":1}\n", ""),
            ("{\"method\":\"tools/list\",\"id\":1}\n{\"method\":\"too", "{\"method\":\"too"),
            ("one\r\ntwo\rthree", "two\rthree"),
            ("{\"x\":\"\\u00e9\\n", "{\"x\":\"\\u00e9\\n"),
        ] {
            for size in [1, 5, usize::MAX] {
                let mut twice = Twice::settled();
                said.as_bytes().chunks(size).for_each(|piece| twice.say(piece));
                assert_eq!(String::from_utf8_lossy(&twice.skimmed.0.kept), kept, "in pieces of {size}");
                assert!(!twice.skimmed.0.reading, "{said}");
            }
        }
    }

    #[test]
    fn a_new_handshake_is_noticed_wherever_it_stands_and_however_it_is_cut() {
        for line in [
            r#"{"id":1,"method":"initialize"}"#,
            r#"{"id":1,"method":"initi\u0061lize"}"#,
            r#"{"id":1,"method":"in\itialize"}"#,
            r#"{"id":1,"method":"server\/discover"}"#,
            r#"{"id":1,"METHOD":"server/d\u0069scover"}"#,
            "[{\"id\":2,\"method\":\"ping\"},\r{\"id\":1,\"method\":\"initialize\"}]",
            r#"{"id":2,"method":"ping"} {"method":"initialize","id":1}"#,
        ] {
            let said = format!("{{\"method\":\"ping\",\"id\":3}}\r\n\n{line}");
            for size in 1..said.len() {
                let mut twice = Twice::settled();
                said.as_bytes().chunks(size).for_each(|piece| twice.say(piece));
                assert!(!twice.skimmed.1.is_settled(), "{line} in pieces of {size}");
            }
        }
    }

    #[test]
    fn a_line_of_any_length_is_understood_from_its_start() {
        let limit = limits::SKIMMED_LINE;
        for length in [100, limit - 1, limit, limit + 1, 3 * limit + 5] {
            for size in [4093, limit, usize::MAX] {
                let mut twice = Twice::settled();
                let (start, end) = ("{\"method\":\"ping\"}\n{\"id\":1,\"x\":\"", "\",\"method\":\"initialize\"}\n");
                let line = format!("{start}{}{end}", "x".repeat(length - start.len()));
                for piece in line.as_bytes().chunks(size) {
                    twice.say(piece);
                    assert!(twice.skimmed.0.kept.len() <= limit);
                }
                assert!(!twice.skimmed.1.is_settled(), "{length} bytes in pieces of {size}");
            }
        }
    }

    #[test]
    fn what_was_kept_is_not_said_again_to_a_session_that_is_no_longer_settled() {
        let mut twice = Twice::settled();
        twice.say(br#"[{"id":1,"method":"tools/call"},{"id":2,"meth"#);
        twice.serve(0, |session, _| session.declares_logging());
        assert!(!twice.skimmed.1.is_settled());
        twice.say(b"");
        twice.say(br#"od":"initialize"}]"#);
        twice.say(b"\n{\"id\":3,\"method\":\"initialize\"}\n");
    }

    #[derive(Debug, Clone)]
    enum Act {
        Say(String),
        Serve(u8, u8),
    }

    fn serve(twice: &mut Twice, act: u8, id: u8) {
        twice.serve(id, |session, asked| match act {
            0 => session.close(asked),
            1 => session.carried(Method::Initialize, true),
            2 => session.carried(Method::Initialize, false),
            3 => session.carried(Method::List, true),
            4 => session.carried(Method::Discover, true),
            5 => session.carried_by_shape(),
            6 => session.declares_logging(),
            _ => session.notify(),
        });
    }

    /// A message, cut in two at a place where the server may act.
    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let methods = vec![
            "initialize",
            "in\\itialize",
            "initiali\\u007ae",
            "server/discover",
            "server\\/disc\\u006Fver",
            "notifications/initialized",
            "notifications\\/initi\\alized",
            "tools/list",
            "tools\\/\\list",
            "tools/call",
            "ping",
            "x\\\\\\\"\\n\\u00e9",
        ];
        let message = (0_u8..3, prop::sample::select(methods))
            .prop_map(|(id, method)| format!("{{\"id\":{id},\"method\":\"{method}\"}}"));
        let noise = prop::sample::select(vec!["[", "]", ",", "{", "\"", "\\", "\r", "log line", " ", "{\"a\":[{"]);
        let text = prop_oneof![
            6 => message.clone(),
            2 => (message.clone(), message).prop_map(|(one, two)| format!("[{one},{two}]")),
            1 => noise.prop_map(str::to_owned),
        ];
        let end = prop::sample::select(vec!["\n", "\n", "\n", "\r\n", "\r", ""]);
        let served = prop::option::weighted(0.4, (0_u8..8, 0_u8..3));
        (text, end, any::<prop::sample::Index>(), served).prop_map(|(text, end, at, served)| {
            let said = text + end;
            let (before, after) = said.split_at(at.index(said.len()));
            let served = served.map(|(act, id)| Act::Serve(act, id));
            [Some(Act::Say(before.into())), served, Some(Act::Say(after.into()))].into_iter().flatten().collect()
        })
    }

    #[test]
    fn a_session_can_not_tell_whether_its_client_was_skimmed() {
        let config = Config { cases: 3_000, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let sessions = (prop::collection::vec(acts(), 1..20), 1_usize..40, any::<bool>());
        let tried = runner.run(&sessions, |(acts, size, settled)| {
            let mut twice = if settled { Twice::settled() } else { Twice::new() };
            for act in acts.into_iter().flatten() {
                match act {
                    Act::Say(text) => text.as_bytes().chunks(size).for_each(|piece| twice.say(piece)),
                    Act::Serve(act, id) => serve(&mut twice, act, id),
                }
            }
            Ok(())
        });
        if let Err(error) = tried {
            panic!("{error}");
        }
    }
}
