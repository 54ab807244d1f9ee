//! What the SDKs show: the warning first, if there is one, the rest unchanged.
//!
//! Each session runs three times: with the server directly, through `smcp` on a good package, and on one with a low
//! score.

use serde_json::Value;
use serde_json::json;

use crate::bed::TestBed;
use crate::client::Client;
use crate::client::Talk;
use crate::server::Server;
use crate::server::Standing;

const OPEN: &str = "[SECURITY WARNING - MCP Hub Certification]\n";
const CLOSE: &str = "\n[END SECURITY WARNING]";
const SCORE: &str = "35/100 (Critical Risk)";

/// The results of a session without `smcp`, and with a warning.
struct Seen {
    plain: Value,
    warned: Value,
}

impl Seen {
    /// Runs the three sessions. The one on the good package is the same as the one without `smcp`.
    #[track_caller]
    fn of(client: Client, bed: &TestBed, server: Server, talk: Talk) -> Self {
        let quiet = Talk { logs: 0, ..talk };
        let plain = client.direct(bed, server, quiet);
        assert_ne!(plain["tools"], json!([]), "{server:?} has tools");
        assert_eq!(plain["logs"], json!([]), "{server:?} logs nothing of its own");
        let good = client.through_smcp(bed, server, Standing::Good, quiet);
        assert_eq!(good, plain, "{server:?}, {talk:?}: nothing is to be warned of");
        Self { plain, warned: client.through_smcp(bed, server, Standing::Poor, talk) }
    }

    /// Checks that `instructions` begin with the warning, and then have the server's text.
    #[track_caller]
    fn instructions_begin_with_the_warning(&mut self, server: Server) {
        let (plain, warned) = (self.plain["instructions"].take(), self.warned["instructions"].take());
        let warned = warned.as_str().unwrap_or_else(|| panic!("no instructions: {}", self.warned));
        let own = plain.as_str().map(|own| format!("\n\n{own}")).unwrap_or_default();
        let block = warned.strip_suffix(&own).unwrap_or_else(|| panic!("the server's own words must follow: {warned}"));
        assert!(block.starts_with(OPEN) && block.ends_with(CLOSE) && block.len() <= 1536, "{block}");
        assert!(block.contains(&server.reference(Standing::Poor)) && block.contains(SCORE), "{block}");
    }

    /// Checks that there are so many of our notifications: one if a server of the handshake's era logs, otherwise none.
    #[track_caller]
    fn notified(&mut self, times: usize) {
        let logs = self.warned["logs"].take();
        let logs = logs.as_array().unwrap();
        assert_eq!(logs.len(), times, "{logs:?}");
        for log in logs {
            assert_eq!((&log["level"], &log["logger"]), (&json!("warning"), &json!("mcp-hub-security")));
            assert!(log["data"].as_str().unwrap().contains(SCORE), "{log}");
        }
        self.plain["logs"].take();
    }

    /// Checks that every description of a tool begins with the short form, and then has the server's text.
    #[track_caller]
    fn descriptions_begin_with_the_warning(&mut self) {
        let (plain, warned) =
            (self.plain["tools"].as_array_mut().unwrap(), self.warned["tools"].as_array_mut().unwrap());
        for (tool, warned) in plain.iter_mut().zip(warned) {
            let own = tool["description"].take();
            let description = warned["description"].take();
            let short = description.as_str().unwrap().strip_suffix(own.as_str().unwrap_or_default());
            assert_short(short.unwrap_or_else(|| panic!("the server's own words must follow: {description}")));
        }
    }

    /// Checks that the result of a call begins with a text that is the short form.
    fn result_begins_with_the_warning(&mut self, call: usize) -> bool {
        let content = self.warned["calls"][call]["content"].as_array_mut().unwrap();
        let warns = content.first().and_then(|first| first["text"].as_str()).is_some_and(|text| {
            text.starts_with("[SECURITY WARNING") && self.plain["calls"][call]["content"][0]["text"] != text
        });
        if warns {
            let first = content.remove(0);
            assert_eq!(first["type"], "text");
            assert_short(first["text"].as_str().unwrap());
        }
        warns
    }

    #[track_caller]
    fn nothing_else_differs(self) {
        assert_eq!(self.warned, self.plain);
    }
}

#[track_caller]
fn assert_short(short: &str) {
    let short = short.trim_end();
    assert!(short.starts_with("[SECURITY WARNING") && short.ends_with(']'), "{short}");
    assert!(short.contains(SCORE) && short.len() <= 300 && !short.contains('\n'), "{short}");
}

/// The client begins with a handshake or a discovery, and the answer has the warning.
#[track_caller]
fn only_instructions_warn(client: Client, server: Server, modes: &[&'static str]) {
    let bed = TestBed::new();
    server.publish(&bed);
    for mode in modes {
        let handshake = *mode == "legacy" || !server.modern();
        let logs = usize::from(handshake && server.logs());
        let mut seen = Seen::of(client, &bed, server, Talk::new(mode).hears(logs));
        seen.instructions_begin_with_the_warning(server);
        seen.notified(logs);
        seen.nothing_else_differs();
    }
}

#[test]
fn the_python_sdk_shows_server_everything_as_it_is_but_for_the_warning() {
    only_instructions_warn(Client::Python, Server::Everything, &["legacy", "auto"]);
}

#[test]
fn the_python_sdk_shows_server_filesystem_as_it_is_but_for_the_warning() {
    only_instructions_warn(Client::Python, Server::Filesystem, &["legacy", "auto"]);
}

#[test]
fn the_python_sdk_shows_a_server_of_both_eras_as_it_is_but_for_the_warning() {
    only_instructions_warn(Client::Python, Server::Python, &["legacy", "auto"]);
}

#[test]
fn the_rust_sdk_shows_server_everything_as_it_is_but_for_the_warning() {
    only_instructions_warn(Client::Rust, Server::Everything, &["legacy", "auto"]);
}

#[test]
fn the_rust_sdk_shows_server_filesystem_as_it_is_but_for_the_warning() {
    only_instructions_warn(Client::Rust, Server::Filesystem, &["legacy", "auto"]);
}

#[test]
fn the_rust_sdk_shows_a_server_of_both_eras_as_it_is_but_for_the_warning() {
    only_instructions_warn(Client::Rust, Server::Python, &["legacy", "auto", "discover"]);
}

/// The client asks only for tools, so it never sees instructions.
#[test]
fn a_client_that_discovers_nothing_reads_the_warning_in_the_descriptions_of_tools() {
    let bed = TestBed::new();
    Server::Python.publish(&bed);
    let mut seen = Seen::of(Client::Python, &bed, Server::Python, Talk::new("2026-07-28"));
    assert_eq!((&seen.warned["instructions"], seen.warned["tools"].as_array().unwrap().len()), (&Value::Null, 5));
    seen.descriptions_begin_with_the_warning();
    seen.nothing_else_differs();
}

/// The client does not even list tools.
#[test]
fn a_client_that_only_calls_reads_the_warning_in_the_result() {
    let bed = TestBed::new();
    Server::Python.publish(&bed);
    let mut seen = Seen::of(Client::Python, &bed, Server::Python, Talk::calls_first("2026-07-28"));
    let warned: Vec<_> = (0..5).filter(|call| seen.result_begins_with_the_warning(*call)).collect();
    assert_eq!(warned.first(), Some(&0), "the first result warns: {}", seen.warned);
    seen.descriptions_begin_with_the_warning();
    seen.nothing_else_differs();
}
