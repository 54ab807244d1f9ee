//! A minimal client that keeps every byte of a server, to its output's end.

use std::fs::File;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::process::Child;
use std::process::ChildStdin;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::bed::TestBed;
use crate::client::assert_nothing_left;
use crate::client::bundle;
use crate::client::search_path;
use crate::client::smcp_arguments;
use crate::server::Server;
use crate::server::Standing;

/// The longest wait for a line: far longer than any step takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a client begins, and what it adds to each of its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    Handshake,
    Modern,
}

/// Has a session with the server directly.
pub(crate) fn direct(bed: &TestBed, server: Server, era: Era) -> Vec<String> {
    let [program, file] = server.command();
    let mut command = Command::new(program);
    command.arg(file).args(server.arguments(bed)).current_dir(bed.path(&bundle(server)));
    record(bed, command, server, era)
}

/// Has a session with the server through `smcp run --trust`.
pub(crate) fn through_smcp(bed: &TestBed, server: Server, standing: Standing, era: Era) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smcp"));
    command.args(smcp_arguments(bed, server, standing)).current_dir(bed.path(""));
    record(bed, command, server, era)
}

/// Returns the lines of the server, each with its line end.
fn record(bed: &TestBed, mut command: Command, server: Server, era: Era) -> Vec<String> {
    command.env_clear().env("HOME", bed.path("")).env("PATH", search_path());
    let mut recorder = Recorder::start(bed, command, era);
    match era {
        Era::Handshake => {
            let client = json!({ "name": "recorder", "version": "1" });
            let begin = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
            recorder.asks(json!(0), "initialize", begin);
            recorder.says(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        }
        Era::Modern => recorder.asks(json!("first"), "server/discover", json!({})),
    }
    recorder.asks(json!("tools"), "tools/list", json!({}));
    for (id, call) in server.calls(bed).as_array().unwrap().iter().enumerate() {
        recorder.asks(json!(id + 1), "tools/call", json!({ "name": call[0], "arguments": call[1] }));
    }
    recorder.asks(json!("nothing"), "no/such-method", json!({}));
    recorder.ends(bed)
}

struct Recorder {
    child: Child,
    input: ChildStdin,
    output: Receiver<Vec<u8>>,
    era: Era,
    lines: Vec<String>,
}

impl Recorder {
    fn start(bed: &TestBed, mut command: Command, era: Era) -> Self {
        let errors = File::create(bed.path("errors")).unwrap();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = Vec::new();
            while output.read_until(b'\n', &mut line).unwrap() > 0 {
                // If the receiver is gone, the test has failed already.
                drop(sender.send(std::mem::take(&mut line)));
            }
        });
        Self { input: child.stdin.take().unwrap(), child, output: lines, era, lines: Vec::new() }
    }

    fn says(&mut self, message: &Value) {
        self.input.write_all(format!("{message}\n").as_bytes()).unwrap();
    }

    /// Sends a request and waits for its answer.
    fn asks(&mut self, id: Value, method: &str, mut params: Value) {
        if self.era == Era::Modern {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": { "name": "recorder", "version": "1" },
                "io.modelcontextprotocol/clientCapabilities": {},
            });
        }
        self.says(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let line = self.output.recv_timeout(PATIENCE);
            self.keep(line.unwrap_or_else(|error| panic!("no answer to {method}: {error}, after {:#?}", self.lines)));
            let last: Value = serde_json::from_str(self.lines.last().unwrap()).unwrap();
            if last["id"] == id {
                break;
            }
        }
    }

    fn keep(&mut self, line: Vec<u8>) {
        self.lines.push(String::from_utf8(line).unwrap());
    }

    /// Leaves, and waits until no process holds the server's output.
    fn ends(mut self, bed: &TestBed) -> Vec<String> {
        drop(self.input);
        loop {
            match self.output.recv_timeout(PATIENCE) {
                Ok(line) => self.lines.push(String::from_utf8(line).unwrap()),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("it does not end, after {:#?}", self.lines),
            }
        }
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{}", bed.read("errors"));
        assert_nothing_left(bed);
        self.lines
    }
}
