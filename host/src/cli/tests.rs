//! Runs commands in the process of the test.
//!
//! They have another home, another clock and other streams; the tests check what they print.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io;
use std::io::Write;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use std::time::UNIX_EPOCH;

use serde_json::Value;
use tempfile::TempDir;

use crate::cli;
use crate::cli::exit::Exit;
use crate::cli::invocation::Invocation;
use crate::cli::invocation::OutputStreams;
use smcp_authority as authority;
use smcp_pipeline::Compilation;
use smcp_pipeline::System;

/// A stream whose content the test reads afterwards.
#[derive(Clone, Default)]
struct SharedOutput(Rc<RefCell<Vec<u8>>>);

impl Write for SharedOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl SharedOutput {
    fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

/// Returns an invocation with the home `home`, no variables but `HOME` and the given ones, and a clock in 2027.
pub(super) fn invocation(home: &Path, line: &str, variables: &[(&str, &str)], streams: OutputStreams) -> Invocation {
    let given = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Invocation {
        arguments: std::iter::once("smcp").chain(line.split(' ')).map(OsString::from).collect(),
        system: System {
            environment: given.chain([("HOME".into(), home.into())]).collect(),
            clock: || UNIX_EPOCH + Duration::from_secs(1_800_000_000),
            caller: authority::caller(),
            stdin: || Err(io::ErrorKind::NotFound.into()),
            is_program: |_| None,
            read_head: |_| None,
            // The program of this process is the test.
            compilation: Compilation::InProcess,
            lasting: true,
            offline: false,
        },
        working_directory: home.to_path_buf(),
        system_folder: home.join("etc"),
        streams,
    }
}

struct CommandBed(TempDir);

impl CommandBed {
    fn new() -> Self {
        let bed = Self(TempDir::new().unwrap());
        authority::create_dir(&bed.0.path().join(".mcp")).unwrap();
        bed
    }

    fn write(&self, name: &str, text: &str) {
        authority::open_dir(self.0.path()).unwrap().write(name, text).unwrap();
    }

    /// Runs a command; returns its exit code, standard output and standard error.
    fn run(&self, line: &str, variables: &[(&str, &str)]) -> (Exit, String, String) {
        let (out, err) = (SharedOutput::default(), SharedOutput::default());
        let streams = OutputStreams::piped(out.clone(), err.clone());
        let exit = cli::run(invocation(self.0.path(), line, variables, streams));
        (exit, out.text(), err.text())
    }
}

#[test]
fn commands_answer_without_a_process_of_their_own() {
    let bed = CommandBed::new();
    bed.write(".mcp/config.yaml", "policy: {min_score: 80}\n");
    bed.write("facts.json", r#"{"score": 90, "origin": "official", "cert_level": 3, "status": "published"}"#);
    bed.write("low.json", r#"{"score": 10}"#);
    for (line, code, out, err) in [
        ("policy list", 0, "certification", ""),
        ("config show", 0, "min_score", ""),
        ("config validate", 0, "score", ""),
        ("policy eval --facts facts.json", 0, "may run", ""),
        ("policy eval --facts low.json", 4, "security score 10 is below minimum required score 80", ""),
        ("audit verify", 0, "2 records", ""),
        ("audit show 2", 0, "2027-01-15T08:00:00", ""),
        ("policy eval --facts missing.json", 1, "", "missing.json"),
        ("version", 0, "smcp 0.1.0", ""),
        ("--help", 0, "Usage", ""),
        ("nonsense", 1, "", "unrecognized subcommand 'nonsense'"),
    ] {
        let (exit, stdout, stderr) = bed.run(line, &[]);
        assert_eq!(exit.code(), code, "{line}: {stdout}{stderr}");
        let squeezed = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        let counted = squeezed.replace("records 2", "2 records");
        assert!(counted.contains(out) && stderr.contains(err), "{line}: {stdout}{stderr}");
    }
}

#[test]
fn the_environment_is_the_one_that_was_given() {
    let bed = CommandBed::new();
    bed.write("other.yaml", "policy: {min_score: 7}\n");
    let other = bed.0.path().join("other.yaml");
    let (exit, out, _) = bed.run("--json config show", &[("SMCP_CONFIG", other.to_str().unwrap())]);
    assert_eq!(exit, Exit::SUCCESS, "{out}");
    assert!(serde_json::from_str::<Value>(&out).unwrap().to_string().contains("other.yaml"), "{out}");
    let (exit, _, err) = bed.run("config show", &[("SMCP_SYSTEM_CONFIG", "/x")]);
    assert_eq!(exit, Exit::USAGE, "{err}");
}

#[test]
fn two_commands_share_a_process_and_nothing_else() {
    let (one, other) = (CommandBed::new(), CommandBed::new());
    one.write(".mcp/config.yaml", "policy: {min_score: 80}\n");
    one.write("facts.json", r#"{"score": 10}"#);
    other.write("facts.json", r#"{"score": 10}"#);
    for _ in 0..2 {
        assert_eq!(one.run("policy eval --facts facts.json", &[]).0.code(), 4);
        assert_eq!(other.run("policy eval --facts facts.json", &[]).0.code(), 0);
    }
}

#[test]
fn doctor_says_what_managed_settings_let_clients_start() {
    let bed = CommandBed::new();
    bed.write(".mcp/config.yaml", "registry_url: registry\n");
    let managed = || {
        let (_, out, _) = bed.run("--json doctor", &[]);
        let document: serde_json::Value = serde_json::from_str(&out).unwrap();
        let checks = document["checks"].as_array().unwrap().clone();
        let checks = checks.iter().filter(|check| check["name"] == "managed");
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        checks.map(|check| (text(&check["health"]), text(&check["message"]))).collect::<Vec<_>>()
    };
    assert!(
        matches!(managed().as_slice(), [(health, says)] if health == "ok" && says.starts_with("no managed settings"))
    );
    for folder in ["claude-code", "codex", "vscode"] {
        authority::create_dir(&bed.0.path().join(folder)).unwrap();
    }
    let files = [("claude-code", "managed-settings.json"), ("codex", "requirements.toml"), ("vscode", "policy.json")];
    for (client, file) in files {
        let (exit, out, err) = bed.run(&format!("mcp-config a/b@1.0.0 c/d@latest --managed {client}"), &[]);
        assert!(exit.code() == 0 && err.contains(&format!("{client}/{file}")), "{out}{err}");
        bed.write(&format!("{client}/{file}"), &out);
    }
    // Only root's files bind anybody, and smcp has another name in this test.
    let expected = if nix::unistd::geteuid().is_root() { "lets it start what is not smcp" } else { "bind nobody" };
    let found = managed();
    assert!(
        found.len() == 3 && found.iter().all(|(health, says)| health == "warning" && says.contains(expected)),
        "{found:?}"
    );
    let line = r#"{"allowManagedMcpServersOnly": true, "allowedMcpServers": [{"serverCommand": ["/usr/bin/smcp", "run", "a/b@1"]}]}"#;
    bed.write("claude-code/managed-settings.json", line);
    bed.write("codex/requirements.toml", "mcp_servers = {}\n");
    bed.write("vscode/policy.json", "{}");
    if nix::unistd::geteuid().is_root() {
        let says = [
            "Claude Code starts 1 line of smcp and no other server",
            "Codex starts no server at all",
            "says nothing about servers",
        ];
        for ((_, found), says) in managed().iter().zip(says) {
            assert!(found.contains(says), "{found}");
        }
        what_is_added_to_managed_settings_counts(&bed, || managed().swap_remove(0));
    }
}

/// Files beside Claude Code's managed settings: lists are joined, and of anything else the last name counts.
fn what_is_added_to_managed_settings_counts(bed: &CommandBed, managed: impl Fn() -> (String, String)) {
    let folder = bed.0.path().join("claude-code/managed-settings.d");
    authority::create_dir(&folder).unwrap();
    let smcp = r#"{"allowedMcpServers": [{"serverCommand": ["/usr/bin/smcp", "run", "c/d@1"]}]}"#;
    let cases = [
        ("10-team.json", smcp, "ok", "starts 2 lines of smcp and no other server"),
        (".hidden.json", "{", "ok", "starts 2 lines"),
        ("notes.txt", "{", "ok", "starts 2 lines"),
        ("20-loose.json", r#"{"allowManagedMcpServersOnly": false}"#, "warning", "users can add to its list"),
        ("30-strict.json", r#"{"allowManagedMcpServersOnly": true}"#, "ok", "starts 2 lines"),
        (
            "40-echo.json",
            r#"{"allowedMcpServers": [{"serverCommand": ["/bin/echo", "x"]}]}"#,
            "warning",
            "lets it start what is not smcp",
        ),
        ("50-broken.json", "{", "warning", "50-broken.json binds nobody"),
    ];
    for (name, text, health, says) in cases {
        bed.write(&format!("claude-code/managed-settings.d/{name}"), text);
        let (found, message) = managed();
        assert!(found == health && message.contains(says), "{name}: {found}: {message}");
        assert!(name.starts_with(['.', 'n']) || message.contains(name), "{message}");
    }
    // They count without the file, too.
    let remove = |name: &str| authority::open_dir(&folder).unwrap().remove_file(name).unwrap();
    remove("50-broken.json");
    let above = authority::open_dir(folder.parent().unwrap()).unwrap();
    above.remove_file("managed-settings.json").unwrap();
    assert!(managed().1.contains("lets it start what is not smcp"));
    remove("40-echo.json");
    assert!(managed().1.contains("starts 1 line of smcp and no other server"), "{:?}", managed());
    std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    assert!(managed().1.contains("others may add to its managed settings"), "{:?}", managed());
}

#[test]
fn what_an_administrator_has_clients_start_is_scanned_and_never_changed() {
    let bed = CommandBed::new();
    bed.write(".mcp/config.yaml", "registry_url: registry\n");
    for folder in ["registry", "claude-code", "codex"] {
        authority::create_dir(&bed.0.path().join(folder)).unwrap();
    }
    let text = r#"{"mcpServers": {"a": {"command": "npx", "args": ["a"]}}}"#;
    bed.write("claude-code/managed-mcp.json", text);
    bed.write("codex/managed_config.toml", "[mcp_servers.b]\nurl = 'https://b.example'\n");
    let (exit, out, _) = bed.run("--json scan", &[]);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    let servers = document["servers"].as_array().unwrap().iter();
    let servers: Vec<_> = servers.map(|it| (it["scope"].clone(), it["name"].clone(), it["kind"].clone())).collect();
    let expected = [("managed", "a", "npx"), ("managed", "b", "url")];
    assert_eq!(servers, expected.map(|(scope, name, kind)| (scope.into(), name.into(), kind.into())));
    assert_eq!(exit.code(), 1);
    let (_, _, err) = bed.run("scan --wrap --yes", &[]);
    assert!(err.contains("stays as it is: the file is not yours to change by hand"), "{err}");
    assert_eq!(
        authority::read_file(&bed.0.path().join("claude-code/managed-mcp.json"), 1_000).unwrap(),
        text.as_bytes()
    );
}
