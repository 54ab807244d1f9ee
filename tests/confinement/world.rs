//! The world of these tests: a home with keys and documents, sockets of a session, and servers that try things.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::SocketAddr;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::Ran;
use crate::bed::TestBed;

/// The hostile server.
const PROBE: &str = include_str!("probe.py");
pub(crate) const TOOL: &str = "acme/tool@1.0.0";

/// A home with everything that servers try to reach, and the listeners of a session.
pub(crate) struct World {
    pub(crate) bed: TestBed,
    abstract_name: String,
    /// More of the command line.
    options: &'static str,
    _session: [UnixListener; 2],
}

impl World {
    pub(crate) fn new(config: &str) -> Self {
        let bed = TestBed::new();
        for file in [".ssh/key", ".ssh/other", "docs/page", "out/there", ".mcp/data/0000/evil/other/data/file"] {
            bed.write(file, "secret");
        }
        bed.configure(config);
        let abstract_name = format!("smcp-{}", bed.path("").display());
        let address = SocketAddr::from_abstract_name(&abstract_name).unwrap();
        let session = [UnixListener::bind(bed.path("session")).unwrap(), UnixListener::bind_addr(&address).unwrap()];
        Self { bed, abstract_name, options: "", _session: session }
    }

    /// The same world, in which servers are observed.
    pub(crate) fn observed(self) -> Self {
        Self { options: "--confinement observe", ..self }
    }

    /// Publishes the hostile server with these permissions, and has it try. `null` is a manifest without a block.
    pub(crate) fn publish(&self, permissions: &Value) {
        let server = Package::greeter(TOOL).entrypoint(json!({"command": ["python3", "probe.py"]}));
        let server = server.manifest(|manifest| manifest["permissions"] = permissions.clone());
        // A version that is published never changes.
        let _ = std::fs::remove_dir_all(self.bed.path("registry"));
        self.bed.publish(&server.file("probe.py", PROBE, 0o644).good());
    }

    /// Returns what the server says of each try, and the rest of its lines.
    pub(crate) fn tries(&self, names: &[&str]) -> Vec<(String, String)> {
        pairs(&self.start(&[&names.join(","), "NoNewPrivs,Seccomp,CapEff"]))
    }

    /// Runs the server to its end with these arguments; returns what it prints.
    pub(crate) fn start(&self, arguments: &[&str]) -> String {
        self.ran(arguments).stdout
    }

    /// Runs the server to its end with these arguments.
    pub(crate) fn ran(&self, arguments: &[&str]) -> Ran {
        let line = format!("run {} {TOOL} --env PROBE_ABSTRACT --", self.options);
        let invocation = self.bed.smcp(&line).args(arguments).env("PROBE_ABSTRACT", &self.abstract_name);
        invocation.env("PATH", python_path()).run().succeeds()
    }

    /// How far the published server would be confined: the state, and what is missing.
    pub(crate) fn foreseen(&self) -> (String, Vec<String>) {
        let document = self.bed.run(&format!("run --dry-run --json {TOOL}")).document();
        let confinement = &document["confinement"];
        let missing = confinement["missing"].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned());
        (confinement["state"].as_str().unwrap().to_owned(), missing.collect())
    }

    /// Whether this kernel has every lock for a server that asks for this. If not, smcp has said so.
    pub(crate) fn confines(&self, permissions: &Value) -> bool {
        self.publish(permissions);
        let (state, missing) = self.foreseen();
        assert_eq!(state == "full", missing.is_empty(), "{state} {missing:?}");
        missing.iter().all(|gap| ["sockets", "hosts", "permissions"].contains(&gap.as_str()))
    }
}

/// Reads what the server prints.
pub(crate) fn pairs(printed: &str) -> Vec<(String, String)> {
    let pairs = printed.lines().filter_map(|line| line.split_once(": "));
    pairs.map(|(name, what)| (name.to_owned(), what.to_owned())).collect()
}

/// A PATH on which `python3` is a program, and not a script that looks for one.
pub(crate) fn python_path() -> String {
    let code = "import os, sys; print(os.path.dirname(os.path.realpath(sys.executable)))";
    let output = Command::new("python3").args(["-c", code]).output().unwrap();
    let folder = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    assert!(Path::new(&folder).join("python3").exists(), "{folder} has no python3");
    format!("{folder}:/usr/local/bin:/usr/bin:/bin")
}

/// Checks that each try came out as expected.
#[track_caller]
pub(crate) fn all(tries: &[(String, String)], names: &[&str], expected: &str) {
    let other: Vec<_> = names.iter().filter(|name| outcome(tries, name) != expected).collect();
    assert!(other.is_empty(), "not {expected}: {other:?}\n{tries:#?}");
}

#[track_caller]
pub(crate) fn outcome<'t>(tries: &'t [(String, String)], name: &str) -> &'t str {
    let found = tries.iter().find(|(tried, _)| tried == name);
    found.map(|(_, outcome)| outcome.as_str()).unwrap_or_else(|| panic!("{name} was not tried: {tries:?}"))
}
