//! What `mcp-config --managed` prints, held against the clients themselves: they start the given line, and nothing else.
//!
//! The clients are downloaded with the machine's npm, and see an `/etc` of their own in a mount namespace, so this is no part of
//! `cargo test`; `cargo xtask check --all` runs it. What is missing on this machine is said and skipped.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the user")]

#[expect(dead_code, reason = "other tests use the rest of it")]
#[path = "../support/bed.rs"]
mod bed;
#[path = "../support/redact.rs"]
mod redact;

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::sync::LazyLock;

use serde_json::Value;

use crate::bed::Package;
use crate::bed::TestBed;

/// The clients, by what npm calls them.
const CLIENTS: [&str; 2] = ["@anthropic-ai/claude-code@2.1.197", "@openai/codex@0.171.0"];
/// The line that the managed settings are made of.
const LINE: &str = "acme/greeter@1.0.0 --config rules.yaml";

fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The folder that the clients are installed in; `None`, which is said, where they can't be tried.
fn installed() -> Option<&'static Path> {
    static FOLDER: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
        let works = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
        if !works(Command::new("unshare").args(["--mount", "true"])) {
            say("skipped: managed settings, since this user can't make a mount namespace for the clients");
            return None;
        }
        if !works(Command::new("npm").arg("--version")) {
            say("skipped: managed settings, since `npm` is not on this machine");
            return None;
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
        std::fs::create_dir_all(&folder).unwrap();
        let mut install = Command::new("npm");
        install.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]).arg(&folder).args(CLIENTS);
        if !works(&mut install) {
            say("skipped: managed settings, since npm can't install the clients");
            return None;
        }
        Some(folder)
    });
    FOLDER.as_deref()
}

/// Finds a program of a client below the folder that npm has filled.
fn program(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut todo = vec![folder.join("node_modules")];
    while let Some(path) = todo.pop() {
        for entry in std::fs::read_dir(path).unwrap().map(Result::unwrap) {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                todo.push(entry.path());
            } else if kind.is_file() && entry.file_name() == name && entry.metadata().unwrap().len() > 1_000_000 {
                return Some(entry.path());
            }
        }
    }
    say(&format!("skipped: {name}, which is not for this platform"));
    None
}

/// A machine with managed settings in its `/etc`.
fn machine(client: &str, file: &str) -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    bed.write("rules.yaml", "registry_url: registry\n");
    bed.publish(&Package::greeter("acme/greeter@1.0.0").good());
    let printed = bed.run(&format!("mcp-config {LINE} --managed {client}")).succeeds();
    let copied = Command::new("cp").arg("-a").arg("/etc").arg(bed.path("etc")).output().unwrap();
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    bed.write(&format!("etc/{file}"), &printed.raw);
    bed
}

/// Runs a client where `/etc` is that of the bed.
fn client(bed: &TestBed, program: &Path, args: &[&str]) -> Output {
    let script = "mount --bind \"$0\" /etc && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]).arg(bed.path("etc")).arg(program).args(args);
    command.env_clear().env("HOME", bed.path("")).env("PATH", "/usr/local/bin:/usr/bin:/bin").current_dir(bed.path(""));
    command.output().unwrap()
}

/// The words of the line as a client has it, and then others that are not it.
fn lines(bed: &TestBed) -> (Vec<String>, [Vec<String>; 4]) {
    let server: Value =
        serde_json::from_str(&bed.run(&format!("mcp-config {LINE} --client claude-code --format server")).raw).unwrap();
    let args = server["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned());
    let words: Vec<String> = std::iter::once(server["command"].as_str().unwrap().to_owned()).chain(args).collect();
    let changed = |from: &str, to: &str| words.iter().map(|word| word.replace(from, to)).collect::<Vec<_>>();
    let others = [
        changed("acme/greeter@1.0.0", "acme/greeter@latest"),
        changed("rules.yaml", "loose.yaml"),
        [words.clone(), vec!["--trust".to_owned()]].concat(),
        vec!["npx".to_owned(), "-y".to_owned(), "greeter".to_owned()],
    ];
    (words, others)
}

#[test]
fn claude_code_takes_the_line_and_nothing_else() {
    let Some(claude) = installed().and_then(|folder| program(folder, "claude")) else { return };
    let bed = machine("claude-code", "claude-code/managed-settings.json");
    let (line, others) = lines(&bed);
    let add = |name: &str, words: &[String]| {
        let args: Vec<&str> = ["mcp", "add", name, "--"].into_iter().chain(words.iter().map(String::as_str)).collect();
        client(&bed, &claude, &args)
    };
    let taken = add("any-name", &line);
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
    for other in others {
        let refused = add("greeter", &other);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("policy"), "{other:?}: {said}");
    }
    let remote = client(&bed, &claude, &["mcp", "add", "--transport", "http", "remote", "https://mcp.example/mcp"]);
    assert!(!remote.status.success(), "{}", String::from_utf8_lossy(&remote.stdout));
    // What lies beside the file is added to it, which is why `smcp doctor` reads both.
    let echo = ["/bin/echo".to_owned(), "x".to_owned()];
    assert!(!add("echo", &echo).status.success());
    let more = r#"{"allowedMcpServers": [{"serverCommand": ["/bin/echo", "x"]}]}"#;
    bed.write("etc/claude-code/managed-settings.d/50-more.json", more);
    let taken = add("echo", &echo);
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
}

#[test]
fn codex_enables_the_line_and_nothing_else() {
    let Some(codex) = installed().and_then(|folder| program(folder, "codex")) else { return };
    let bed = machine("codex", "codex/requirements.toml");
    let (line, others) = lines(&bed);
    let table = |name: &str, words: &[String]| {
        let words = serde_json::json!(words);
        let args = Value::from(words.as_array().unwrap()[1..].to_vec());
        format!("[mcp_servers.{name}]\ncommand = {}\nargs = {args}\n", words[0])
    };
    let enabled = |text: &str| {
        bed.write(".codex/config.toml", text);
        let output = client(&bed, &codex, &["mcp", "list", "--json"]);
        let servers: Value = serde_json::from_slice(&output.stdout).unwrap();
        servers.as_array().unwrap().iter().map(|server| server["enabled"] == true).collect::<Vec<_>>()
    };
    assert_eq!(enabled(&table("greeter", &line)), [true]);
    assert_eq!(enabled(&table("other_name", &line)), [false]);
    for other in others {
        assert_eq!(enabled(&table("greeter", &other)), [false], "{other:?}");
    }
    assert_eq!(enabled("[mcp_servers.greeter]\nurl = \"https://mcp.example/mcp\"\n"), [false]);
}
