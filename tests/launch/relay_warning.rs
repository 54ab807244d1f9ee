//! The warning in real sessions: when it comes, and what avoiding it causes.
//!
//! The changes to the bytes are tested beside the proxy. These tests are about time, threads and pipes.

use std::fs::File;
use std::io::Write as _;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::bed::Bed;
use crate::bed::NEVER;
use crate::bed::NOW;
use crate::bed::PATIENT;
use crate::bed::warning;
use crate::relay::Client;
use crate::relay::python;
use smcp_launch::Finished;
use smcp_launch::ending::GracePeriods;
use smcp_launch::error::LaunchError;
use smcp_launch::status::Ended;
use smcp_model::exit::ExitKind;
use smcp_model::record::EndedBy;
use smcp_model::warning::Delivery;

const INITIALIZE: &str = "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{}}\n";
const INITIALIZED: &str = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n";

/// A server that declares logging. Its functions: `tell` writes a line, `hear` reads one, `answer` answers
/// `initialize`.
fn server(script: &str) -> String {
    format!(
        "import os, sys
tell = lambda line: os.write(1, line.encode() + b'\\n')
hear = sys.stdin.readline
answer = lambda: tell('{{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{{\"capabilities\":{{\"logging\":{{}}}}}}}}')
{script}"
    )
}

fn start(script: &str) -> Client {
    start_in(Bed::new(), script)
}

fn start_in(bed: Bed, script: &str) -> Client {
    // It stays until its client leaves: if it ended by itself, it might end first.
    Client::with(bed, python(&server(&format!("{script}\nsys.stdin.buffer.read()"))), PATIENT)
}

/// The server's answer, with the warning in it.
#[track_caller]
fn hears_warned_answer(client: &mut Client) {
    let line = client.line();
    for part in ["\"id\":0", "\"capabilities\":{\"logging\":{}}", "\"instructions\":\"", &warning().block] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

/// Reads lines until our message; returns the lines before it.
#[track_caller]
fn until_notification(client: &mut Client) -> Vec<String> {
    let mut before = Vec::new();
    loop {
        let line = client.line();
        if line.contains("mcp-hub-security") {
            assert!(line.contains(&warning().notification), "{line}");
            return before;
        }
        before.push(line);
    }
}

fn finished(delivery: Delivery) -> Finished {
    Finished { ended: Ended::Exited(0), by: EndedBy::Client, delivery: Some(delivery) }
}

#[test]
fn p4_an_answer_that_comes_late_has_the_warning_and_holds_nothing_up() {
    let bed = Bed::new();
    let go = bed.root().join("go");
    mkfifo(&go, Mode::S_IRWXU).unwrap();
    let mut client = start_in(bed, "hear(); tell('{\"method\":\"early\"}'); open('go').read(); answer()");
    client.says(INITIALIZE);
    client.hears("{\"method\":\"early\"}\n");
    // The relay has no clock: the answer may come at any time.
    File::options().write(true).open(go).unwrap().write_all(b"now").unwrap();
    hears_warned_answer(&mut client);
    assert_eq!(client.leaves().0.unwrap(), finished(Delivery::Delivered));
}

#[test]
fn p5_nothing_is_lost_or_split_around_the_handshake() {
    let script = "hear(); answer()
for n in range(1000): tell('before %d' % n)
hear()
for n in range(1000): tell('after %d' % n)
heard = [hear() for n in range(2000)]
# The client leaves first.
hear()
sys.exit(0 if heard == ['client %d\\n' % n for n in range(2000)] else 1)";
    let mut client = start(script);
    client.says(INITIALIZE);
    hears_warned_answer(&mut client);
    client.says(INITIALIZED);
    for number in 0..2000 {
        client.says(&format!("client {number}\n"));
    }
    let mut heard = until_notification(&mut client);
    let (end, rest) = client.leaves();
    heard.extend(String::from_utf8(rest).unwrap().split_inclusive('\n').map(str::to_owned));
    let said = |word: &'static str| (0..1000).map(move |number| format!("{word} {number}\n"));
    assert_eq!(heard, said("before").chain(said("after")).collect::<Vec<_>>());
    assert_eq!(end.unwrap(), finished(Delivery::Delivered));
}

#[test]
fn p6_a_server_may_ask_before_it_answers() {
    let mut client =
        start("hear(); tell('{\"id\":7,\"method\":\"roots/list\"}'); assert '\"id\":7' in hear(); answer()");
    client.says(INITIALIZE);
    client.hears("{\"id\":7,\"method\":\"roots/list\"}\n");
    client.says("{\"id\":7,\"result\":{\"roots\":[]}}\n");
    hears_warned_answer(&mut client);
    assert_eq!(client.leaves().0.unwrap(), finished(Delivery::Delivered));
}

#[test]
fn p7_the_notification_waits_for_the_answer_and_for_the_client() {
    let script = "os.write(2, b''); hear(); answer(); hear(); tell('{\"id\":1,\"result\":{}}'); hear(); hear()";
    let mut client = start(script);
    client.says(INITIALIZE);
    hears_warned_answer(&mut client);
    client.says("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
    client.hears("{\"id\":1,\"result\":{}}\n");
    // The server is silent from here on, so only the client's message can release it.
    client.says(INITIALIZED);
    assert_eq!(until_notification(&mut client), Vec::<String>::new());
    let (end, rest) = client.leaves();
    assert_eq!((end.unwrap(), rest), (finished(Delivery::Delivered), Vec::new()));
}

#[test]
fn a_notification_never_stands_inside_a_line() {
    let bed = Bed::new();
    let go = bed.root().join("go");
    mkfifo(&go, Mode::S_IRWXU).unwrap();
    let script = "hear(); answer(); os.write(1, b'half '); hear(); open('go').read(); tell('a line'); hear()";
    let mut client = start_in(bed, script);
    client.says(INITIALIZE);
    hears_warned_answer(&mut client);
    let mut half = [0; 5];
    std::io::Read::read_exact(&mut client.output, &mut half).unwrap();
    client.says(INITIALIZED);
    File::options().write(true).open(go).unwrap().write_all(b"now").unwrap();
    client.hears("a line\n");
    assert_eq!(until_notification(&mut client), Vec::<String>::new());
    client.leaves().0.unwrap();
}

#[test]
fn p11_a_server_that_dodges_its_warning_is_ended() {
    let too_long = "hear()
sys.stdout.buffer.write(b'{\"result\":{\"pad\":\"')
try:
    for n in range(9): sys.stdout.buffer.write(b'x' * (1 << 20)); sys.stdout.buffer.flush()
except OSError: pass
while True: signal.pause()";
    let cases = [
        ("it ends when it is asked to", "", GracePeriods { input_closed: NEVER, terminate: NEVER }),
        (
            "it does not",
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
            GracePeriods { input_closed: NEVER, terminate: NOW },
        ),
    ];
    for (case, before, grace_periods) in cases {
        let bed = Bed::new();
        let script = server(&format!("import signal\n{before}\n{too_long}"));
        let mut client = Client::with(bed, python(&script), grace_periods);
        client.says(INITIALIZE);
        // The server is ended while its client still waits.
        let (error, heard) = client.fails();
        assert!(matches!(error, LaunchError::Evaded(_)), "{case}: {error}");
        assert_eq!(error.exit_kind(), ExitKind::Integrity, "{case}");
        let message = error.to_string();
        assert!(message.starts_with("the server was ended: ") && message.contains("8 MiB"), "{case}: {message}");
        assert_eq!(heard, b"", "{case}");
    }
}

#[test]
fn a_warning_that_the_client_did_not_take_is_undelivered() {
    let mut client = start("hear(); hear(); answer(); hear()");
    client.says(INITIALIZE);
    drop(client.output);
    client.input.write_all(b"go on\n").unwrap();
    assert_eq!(client.launch.join().unwrap().unwrap(), finished(Delivery::Undelivered));
}

#[test]
fn a_second_handshake_after_raw_copying_is_warned_again() {
    let mut client = start("for n in range(2):\n hear(); answer(); hear(); tell('between'); hear()");
    for round in 0..2 {
        client.says(INITIALIZE);
        hears_warned_answer(&mut client);
        client.says(INITIALIZED);
        let mut heard = vec![client.line()];
        if round == 0 {
            heard.push(client.line());
            heard.retain(|line| !line.contains("mcp-hub-security"));
        }
        assert_eq!(heard, ["between\n"], "round {round}");
        client.says("next\n");
    }
    assert_eq!(client.leaves().0.unwrap(), finished(Delivery::Delivered));
}
