//! A session of a client on the Python SDK with an imported server, through `smcp run`.

use std::process::Command;

use serde_json::Value;
use serde_json::json;

use crate::bed::ROOT;
use crate::bed::TestBed;
use crate::install::Peers;

/// Has a session with a package of a registry; calls each tool with its arguments. `variables` are set where smcp is started.
pub(crate) fn session(
    bed: &TestBed,
    registry: &str,
    reference: &str,
    arguments: &[String],
    calls: &[(String, Value)],
    variables: &[(&str, &str)],
) -> Result<Value, String> {
    let own = ["--registry", registry, "run", "--trust"].map(str::to_owned);
    let variables = variables.iter().flat_map(|(name, value)| ["--env".to_owned(), format!("{name}={value}")]);
    let own = own.into_iter().chain(variables).chain([reference.to_owned(), "--".to_owned()]);
    let wanted = json!({
        "command": env!("CARGO_BIN_EXE_smcp"),
        "args": own.chain(arguments.iter().cloned()).collect::<Vec<_>>(),
        "cwd": bed.path(""), "mode": "legacy", "calls": calls, "calls_first": false, "logs": 0,
    });
    let mut client = Command::new(Peers::get().python().join("python3"));
    client.arg(format!("{ROOT}/tests/peers/python/client.py")).arg(wanted.to_string());
    client.env("HOME", bed.path("")).env("SMCP_CONFIG", bed.path("config.yaml")).env("PATH", path());
    let output = client.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

/// The PATH of the tests, with the folder of the program that `python3` is first: what only looks for it starts a second
/// program, and a server that may not do that is refused.
fn path() -> String {
    let code = "import os, sys; print(os.path.dirname(os.path.realpath(sys.executable)))";
    let output = Command::new("python3").args(["-c", code]).output().unwrap();
    let folder = String::from_utf8(output.stdout).unwrap();
    format!("{}:{}", folder.trim(), std::env::var("PATH").unwrap())
}
