//! A client whose server was not started: it is answered, in limited time.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;
use serde_json::json;

use crate::bed::NEVER;
use crate::bed::NOW;
use crate::bed::null;
use crate::bed::sink;
use smcp_launch::Output;
use smcp_launch::Patience;
use smcp_launch::Streams;
use smcp_launch::refuse;
use smcp_model::client_error::ClientError;

const PATIENT: Patience = Patience { quiet: NEVER, whole: NEVER };
/// Long enough for a request that has arrived, and short for a wait.
const SHORT: Duration = Duration::from_millis(20);
const INITIALIZE: &str = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{}}\n";

fn error() -> ClientError {
    ClientError { code: -31_004, message: "refused\u{1b}".to_owned(), data: json!({"schema": "smcp.failure/1"}) }
}

fn answer(id: Value) -> Value {
    json!({
        "jsonrpc": "2.0", "id": id,
        "error": {"code": -31_004, "message": "refused\u{1b}", "data": {"schema": "smcp.failure/1"}},
    })
}

/// Refuses in a separate thread.
fn refusing(
    input: impl Into<OwnedFd>,
    output: impl Into<OwnedFd>,
    patience: Patience,
) -> JoinHandle<std::io::Result<()>> {
    let streams = Streams { input: input.into(), output: Output::Given(output.into()) };
    std::thread::spawn(move || refuse(&error(), streams, patience))
}

/// Returns the answers to a client that sends all of this and closes its end.
fn heard(text: &[u8]) -> String {
    let (input, mut client) = std::io::pipe().unwrap();
    let (mut read, output) = std::io::pipe().unwrap();
    let refusing = refusing(input, output, PATIENT);
    client.write_all(text).unwrap();
    drop(client);
    let mut heard = String::new();
    read.read_to_string(&mut heard).unwrap();
    refusing.join().unwrap().unwrap();
    heard
}

#[test]
fn every_request_is_answered_until_the_client_closes_its_end() {
    let (input, mut client) = std::io::pipe().unwrap();
    let (read, output) = std::io::pipe().unwrap();
    let refusing = refusing(input, output, PATIENT);
    let mut answers = BufReader::new(read).lines();
    for method in ["server/discover", "initialize", "tools/list"] {
        writeln!(client, r#"{{"jsonrpc":"2.0","method":"notifications/x"}}"#).unwrap();
        // In several writes, as some clients do.
        write!(client, r#"{{"jsonrpc":"2.0","id":"{method}","#).unwrap();
        write!(client, r#""method":"{method}"}}"#).unwrap();
        writeln!(client).unwrap();
        let line = answers.next().unwrap().unwrap();
        assert!(line.is_ascii() && !line.contains('\u{1b}'), "{line}");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), answer(method.into()));
    }
    drop(client);
    refusing.join().unwrap().unwrap();
    assert!(answers.next().is_none());
}

#[test]
fn a_batch_gets_one_line_and_the_ids_are_those_of_the_client() {
    let text = br#"[{"id":1,"method":"a"},{"method":"n"},{"id":1.50e1,"method":"b"},{"id":null,"method":"c"}]"#;
    let heard = heard(text);
    assert!(heard.contains(r#""id":1.50e1,"#) && heard.ends_with("]\n") && heard.lines().count() == 1, "{heard}");
    let expected = json!([answer(json!(1)), answer(json!(15.0)), answer(json!(null))]);
    assert_eq!(serde_json::from_str::<Value>(&heard).unwrap(), expected);
}

#[test]
fn nothing_is_said_to_a_client_that_asks_nothing() {
    for text in [&b""[..], b"\n", b"hello\n", b"\xff\xfe\n", br#"{"jsonrpc":"2.0","method":"notifications/x"}"#] {
        assert_eq!(heard(text), "", "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn a_file_or_the_null_device_as_input_ends_it_at_once() {
    refusing(null(), sink(), PATIENT).join().unwrap().unwrap();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(INITIALIZE.as_bytes()).unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    let (mut read, output) = std::io::pipe().unwrap();
    refusing(file, output, PATIENT).join().unwrap().unwrap();
    let mut heard = String::new();
    read.read_to_string(&mut heard).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&heard).unwrap(), answer(json!(1)));
}

#[test]
fn a_client_that_is_silent_and_never_closes_is_given_up() {
    let (input, mut client) = std::io::pipe().unwrap();
    let (mut read, output) = std::io::pipe().unwrap();
    client.write_all(INITIALIZE.as_bytes()).unwrap();
    let start = Instant::now();
    refusing(input, output, Patience { quiet: SHORT, whole: NEVER }).join().unwrap().unwrap();
    assert!(start.elapsed() >= SHORT);
    let mut heard = String::new();
    read.read_to_string(&mut heard).unwrap();
    assert_eq!(heard.lines().count(), 1, "it was answered before");
    drop(client);
}

#[test]
fn a_client_that_asks_for_ever_is_given_up() {
    let (input, mut client) = std::io::pipe().unwrap();
    let refusing = refusing(input, sink(), Patience { quiet: NEVER, whole: SHORT });
    // Until the other end is closed.
    while client.write_all(INITIALIZE.repeat(100).as_bytes()).is_ok() {}
    refusing.join().unwrap().unwrap();
}

#[test]
fn a_client_that_does_not_read_is_given_up() {
    let (input, mut client) = std::io::pipe().unwrap();
    let (unread, output) = std::io::pipe().unwrap();
    let batch = format!("[{}]\n", vec![INITIALIZE.trim(); 5_000].join(","));
    let refusing = refusing(input, output, Patience { quiet: SHORT, whole: NEVER });
    client.write_all(batch.as_bytes()).unwrap();
    refusing.join().unwrap().unwrap();
    drop((client, unread));
}

#[test]
fn a_client_that_has_left_is_no_error() {
    for patience in [PATIENT, Patience { quiet: NOW, whole: NEVER }] {
        let (input, mut client) = std::io::pipe().unwrap();
        let (read, output) = std::io::pipe().unwrap();
        drop(read);
        client.write_all(INITIALIZE.as_bytes()).unwrap();
        refusing(input, output, patience).join().unwrap().unwrap();
    }
}

#[test]
fn a_client_behind_a_socket_is_answered_too() {
    let (ours, client) = UnixStream::pair().unwrap();
    let refusing = refusing(ours.try_clone().unwrap(), ours, PATIENT);
    (&client).write_all(INITIALIZE.as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(&client).read_line(&mut line).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), answer(json!(1)));
    client.shutdown(std::net::Shutdown::Write).unwrap();
    refusing.join().unwrap().unwrap();
}
