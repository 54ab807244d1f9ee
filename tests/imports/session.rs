//! A session of a client on the Python SDK with an imported server, through `smcp run`.

use std::process::Command;

use serde_json::Value;
use serde_json::json;

use crate::bed::ROOT;
use crate::bed::TestBed;
use crate::install::Peers;

/// What a session has brought.
pub(crate) struct Told {
    /// The tools, and the answers to the calls.
    pub(crate) document: Value,
    /// What smcp and the server said beside it.
    pub(crate) stderr: String,
}

/// Has a session with a package of a registry; calls each tool with its arguments. `options` are those of `smcp run`.
pub(crate) fn session(
    bed: &TestBed,
    registry: &str,
    options: &[&str],
    reference: &str,
    arguments: &[String],
    calls: &[(String, Value)],
) -> Result<Told, String> {
    let own = ["--registry", registry, "run", "--trust"].map(str::to_owned);
    let options = options.iter().map(|option| (*option).to_owned());
    let own = own.into_iter().chain(options).chain([reference.to_owned(), "--".to_owned()]);
    let wanted = json!({
        "command": env!("CARGO_BIN_EXE_smcp"),
        "args": own.chain(arguments.iter().cloned()).collect::<Vec<_>>(),
        "cwd": bed.path(""), "mode": "legacy", "calls": calls, "calls_first": false, "logs": 0,
    });
    let mut client = Command::new(Peers::get().python().join("python3"));
    client.arg(format!("{ROOT}/tests/peers/python/client.py")).arg(wanted.to_string());
    client.env("HOME", bed.path("")).env("SMCP_CONFIG", bed.path("config.yaml")).env("PATH", path());
    let output = client.output().map_err(|error| error.to_string())?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        return Err(format!("{}: {stderr}", output.status));
    }
    let document = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    Ok(Told { document, stderr })
}

/// The PATH of the tests, with the folder of the program that `python3` is first: what only looks for it starts a second
/// program, and a server that may not do that is refused.
fn path() -> String {
    let code = "import os, sys; print(os.path.dirname(os.path.realpath(sys.executable)))";
    let output = Command::new("python3").args(["-c", code]).output().unwrap();
    let folder = String::from_utf8(output.stdout).unwrap();
    format!("{}:{}", folder.trim(), std::env::var("PATH").unwrap())
}
