//! The clients: each has a session with a server, and reports what it showed.

use std::ffi::OsString;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::bed::ROOT;
use crate::bed::TestBed;
use crate::install::Peers;
use crate::server::Server;
use crate::server::Standing;
use crate::server::text_of;

/// Longer than a client waits.
const PATIENCE: Duration = Duration::from_secs(120);

const RUNS: &str = ".mcp/cache/runs";

/// A client on one of the SDKs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    Python,
    Rust,
}

/// The settings of a session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Talk {
    /// The SDK's name for the way to agree on a version.
    pub(crate) mode: &'static str,
    /// Whether tools are called before they are listed.
    pub(crate) calls_first: bool,
    /// The number of log messages to wait for.
    pub(crate) logs: usize,
}

impl Talk {
    pub(crate) const fn new(mode: &'static str) -> Self {
        Self { mode, calls_first: false, logs: 0 }
    }

    pub(crate) const fn calls_first(mode: &'static str) -> Self {
        Self { mode, calls_first: true, logs: 0 }
    }

    pub(crate) const fn hears(self, logs: usize) -> Self {
        Self { logs, ..self }
    }
}

impl Client {
    /// Has a session with the server directly.
    pub(crate) fn direct(self, bed: &TestBed, server: Server, talk: Talk) -> Value {
        let [program, file] = server.command();
        let arguments = [vec![file.to_owned()], server.arguments(bed)].concat();
        self.has(bed, &session(bed, server, talk, program, &arguments, &bundle(server)))
    }

    /// Has a session with the server through `smcp run --trust`.
    pub(crate) fn through_smcp(self, bed: &TestBed, server: Server, standing: Standing, talk: Talk) -> Value {
        let arguments = smcp_arguments(bed, server, standing);
        self.has(bed, &session(bed, server, talk, env!("CARGO_BIN_EXE_smcp"), &arguments, ""))
    }

    /// Has a session with the server through `smcp`, and kills the client as soon as `happened`.
    pub(crate) fn killed(
        self,
        bed: &TestBed,
        server: Server,
        standing: Standing,
        talk: Talk,
        happened: impl Fn() -> bool,
    ) {
        let arguments = smcp_arguments(bed, server, standing);
        let mut client = self.start(bed, &session(bed, server, talk, env!("CARGO_BIN_EXE_smcp"), &arguments, ""));
        while !happened() {
            assert_eq!(client.try_wait().unwrap(), None, "the client ended early");
            std::thread::yield_now();
        }
        client.kill().unwrap();
        finish(client);
        assert_nothing_left(bed);
    }

    fn has(self, bed: &TestBed, session: &Value) -> Value {
        let output = finish(self.start(bed, session));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{self:?} client in {session}: {}\n{said}", output.status);
        assert_nothing_left(bed);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Tries a session with a package that is refused; returns the client's standard error.
    #[track_caller]
    pub(crate) fn is_refused(self, bed: &TestBed, reference: &str, mode: &str) -> String {
        let session = json!({
            "command": env!("CARGO_BIN_EXE_smcp"), "args": ["run", reference], "cwd": text_of(&bed.path("")),
            "mode": mode, "calls": [], "calls_first": false, "logs": 0,
        });
        let output = finish(self.start(bed, &session));
        assert!(!output.status.success(), "{self:?} in {mode} mode has a session with nobody");
        assert_nothing_left(bed);
        String::from_utf8(output.stderr).unwrap()
    }

    fn start(self, bed: &TestBed, session: &Value) -> Child {
        let mut command = match self {
            Self::Python => {
                let mut python = Command::new(Peers::get().python().join("python3"));
                python.arg(format!("{ROOT}/tests/peers/python/client.py"));
                python
            }
            Self::Rust => Command::new(Peers::get().rust_client()),
        };
        command.arg(session.to_string()).current_dir(bed.path(""));
        command.env_clear().env("HOME", bed.path("")).env("PATH", search_path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

fn session(bed: &TestBed, server: Server, talk: Talk, program: &str, arguments: &[String], folder: &str) -> Value {
    json!({
        "command": program, "args": arguments, "cwd": text_of(&bed.path(folder)),
        "mode": talk.mode, "calls": server.calls(bed), "calls_first": talk.calls_first, "logs": talk.logs,
    })
}

/// Returns the folder of the bundle before it was published.
pub(crate) fn bundle(server: Server) -> String {
    format!("bundles/{}", server.reference(Standing::Good).replace(['/', '@'], "-"))
}

pub(crate) fn smcp_arguments(bed: &TestBed, server: Server, standing: Standing) -> Vec<String> {
    let run = ["run", "--trust", &server.reference(standing), "--"].map(str::to_owned);
    [run.into(), server.arguments(bed)].concat()
}

/// The folder of the `python3` that has the SDK comes first, then that of a Node.js installed for the tests.
pub(crate) fn search_path() -> OsString {
    let own = std::env::var_os("PATH").unwrap();
    std::env::join_paths(Peers::get().programs().into_iter().chain(std::env::split_paths(&own))).unwrap()
}

/// Waits until a client has ended, and all processes that share its standard error: those started for it.
fn finish(client: Child) -> Output {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(client.wait_with_output().unwrap()));
    receiver.recv_timeout(PATIENCE).expect("the client, or what was started for it, does not end")
}

/// Checks that every process that was started for a client has ended with it.
#[track_caller]
pub(crate) fn assert_nothing_left(bed: &TestBed) {
    assert_eq!(bed.list(RUNS), [""; 0], "folders of runs");
    assert_eq!(processes(bed), [""; 0], "processes");
}

/// Returns the processes that have the bed as their home, which no others have.
#[cfg(target_os = "linux")]
pub(crate) fn processes(bed: &TestBed) -> Vec<String> {
    let home = format!("HOME={}", text_of(&bed.path("")));
    let all = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let has_home = |environment: Vec<u8>| environment.split(|byte| *byte == 0).any(|one| one == home.as_bytes());
    let left = all.filter(|process| std::fs::read(process.join("environ")).is_ok_and(has_home));
    left.map(|process| std::fs::read_to_string(process.join("cmdline")).unwrap_or_default()).collect()
}

/// Only Linux shows the environment of a process; elsewhere only the ends of streams are checked.
#[cfg(not(target_os = "linux"))]
pub(crate) fn processes(_bed: &TestBed) -> Vec<String> {
    Vec::new()
}
