//! `smcp scan --wrap`: what npx and uvx start is put behind smcp, whole or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::Value;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::terminal::Terminal;

const CURSOR: &str = ".cursor/mcp.json";
const VSCODE: &str = ".config/Code/User/mcp.json";
const CODEX: &str = ".codex/config.toml";

/// Files as people have them: a list of servers with something else in it, a comment, and an order of their own.
const CURSOR_TEXT: &str = r#"{
  "mcpServers": {
    "files": {
      "command": "npx",
      "args": ["-y", "@scope/files@1.2.0", "/home/ann/notes"],
      "env": {"TOKEN": "hunter2", "REGION": "eu"}
    },
    "remote": {"url": "https://x.example/mcp"}
  }
}
"#;
const VSCODE_TEXT: &str = "{\n\t\"inputs\": [],\n\t// the team's\n\t\"servers\": {\n\t\t\"time\": {\n\t\t\t\"type\": \"stdio\",\n\t\t\t\"command\": \"uvx\", // fast\n\t\t\t\"args\": [\n\t\t\t\t\"server-time\",\n\t\t\t],\n\t\t},\n\t},\n}\n";
const CODEX_TEXT: &str = "model = \"x\" # mine\n\n[mcp_servers.files]\ncommand = \"npx\"\nargs = [\"@scope/files\"] # newest\nenabled = true\n";

/// A bed with both packages as they are after an import, and clients that start them otherwise.
fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    for reference in ["npm/scope.files@1.2.0", "npm/scope.files@1.3.0", "pypi/server-time@2.0.0"] {
        bed.publish(&Package::shell(reference, "echo \"$TOKEN $REGION $*\"").good());
    }
    bed.write(CURSOR, CURSOR_TEXT);
    bed.write(VSCODE, VSCODE_TEXT);
    bed.write(CODEX, CODEX_TEXT);
    bed
}

/// Every file of the clients, with its text.
fn files(bed: &TestBed) -> BTreeMap<String, String> {
    let names = [".cursor", ".config/Code/User", ".codex"].map(|folder| {
        let names = fs::read_dir(bed.path(folder)).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| format!("{folder}/{}", name.to_str().unwrap())).collect::<Vec<_>>()
    });
    names.concat().into_iter().map(|name| (name.clone(), bed.read(&name))).collect()
}

#[test]
fn what_was_imported_is_started_through_smcp_and_nothing_else_changes() {
    let bed = bed();
    let ran = bed.run("scan --wrap --yes").exits(1);
    let smcp = env!("CARGO_BIN_EXE_smcp");
    let cursor = CURSOR_TEXT.replace("\"npx\"", &format!("\"{smcp}\"")).replace(
        "[\"-y\", \"@scope/files@1.2.0\", \"/home/ann/notes\"]",
        "[\"run\", \"--env\", \"TOKEN\", \"--env\", \"REGION\", \"npm/scope.files@1.2.0\", \"--\", \"/home/ann/notes\"]",
    );
    let vscode = VSCODE_TEXT
        .replace("\"uvx\"", &format!("\"{smcp}\""))
        .replace("\"server-time\",\n\t\t\t]", "\"run\",\n\t\t\t\t\"pypi/server-time@2.0.0\"\n\t\t\t]");
    let codex = CODEX_TEXT
        .replace("\"npx\"", &format!("\"{smcp}\""))
        .replace("[\"@scope/files\"]", "[\"run\", \"npm/scope.files@1.3.0\"]");
    let expected = [
        (CURSOR, cursor.as_str()),
        (".cursor/mcp.json.smcp-backup-1", CURSOR_TEXT),
        (VSCODE, &vscode),
        (".config/Code/User/mcp.json.smcp-backup-1", VSCODE_TEXT),
        (CODEX, &codex),
        (".codex/config.toml.smcp-backup-1", CODEX_TEXT),
    ];
    let expected: BTreeMap<_, _> = expected.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    assert_eq!(files(&bed), expected, "{ran}");
    insta::assert_snapshot!("wrapped", ran.to_string().replace(smcp, "[SMCP]"));
    // A second time there is nothing to do; what is elsewhere stays past smcp.
    let again = bed.run("scan --wrap --yes").exits(1).silent();
    assert_eq!(files(&bed), expected, "{again}");
    assert!(again.stdout.contains("1 of 4 servers is started past smcp"), "{again}");
    // The client starts what stands there, with the variables that it has.
    let document: Value = serde_json::from_str(&bed.read(CURSOR)).unwrap();
    let words = document["mcpServers"]["files"]["args"].as_array().unwrap();
    let words: Vec<_> = words.iter().map(|word| word.as_str().unwrap()).collect();
    let started = bed.smcp("").args(&words).env("TOKEN", "hunter2").env("REGION", "eu").run().succeeds();
    assert_eq!(started.stdout, "hunter2 eu /home/ann/notes\n", "{started}");
}

#[test]
fn what_can_not_be_wrapped_is_said_and_stays() {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell("npm/server@1.0.0", "true").good());
    bed.publish(&Package::shell("pypi/server@1.0.0", "true").good());
    bed.publish(&Package::shell("npm/gone@1.0.0", "true").good().option("--status", "revoked"));
    let cases = [
        (r#"{"command": "npx", "args": ["other"]}"#, "npm:other was not imported: --import does that first"),
        (r#"{"command": "npx", "args": ["server@2.0.0"]}"#, "npm:server@2.0.0 was not imported"),
        (r#"{"command": "npx", "args": ["server@^1.0.0"]}"#, "npm:server@^1.0.0 was not imported"),
        (
            r#"{"command": "npx", "args": ["-p", "server", "tool"]}"#,
            "the program `tool` of npm:server was not imported",
        ),
        (
            r#"{"command": "npx", "args": ["--registry", "https://x.example", "server"]}"#,
            "a word of its command is not understood",
        ),
        (r#"{"command": "npx", "args": ["-y", "-p", "server", "-p", "tool", "tool"]}"#, "it names several packages"),
        (r#"{"command": "uvx", "args": ["server[cli]"]}"#, "pypi:server[cli] was not imported: --import"),
        (r#"{"command": "npx", "args": ["gone@1.0.0"]}"#, "npm/gone@1.0.0 was imported and is revoked now"),
        (r#"{"command": "npx", "args": ["gone"]}"#, "npm:gone was imported, and no version of it is published"),
        (r#"{"command": "npx", "args": ["github:a/b"]}"#, "a word of its command is not understood"),
        (r#"{"command": "npx", "args": ["server"], "envFile": ".env"}"#, "its `envFile` has variables"),
        (
            r#"{"command": "npx", "args": ["server"], "env": {"SMCP_CONFIG": "x"}}"#,
            "the variable SMCP_CONFIG would change smcp itself",
        ),
        (
            r#"{"command": "npx", "args": ["server"], "env": {"LD_PRELOAD": "x"}}"#,
            "the variable LD_PRELOAD changes which code runs",
        ),
        (
            r#"{"command": "npx", "args": ["server"], "env": {"TZ": "x", "NODE_OPTIONS": "x"}}"#,
            "the variable NODE_OPTIONS changes which code runs",
        ),
        (r#"{"command": "npx", "args": ["server"], "cwd": "/srv"}"#, "its `cwd` would not be the folder"),
        (r#"{"command": "npx", "args": ["server", "."]}"#, "an argument is a path below the folder"),
        (r#"{"command": "npx", "args": ["server", "--root=../x"]}"#, "an argument is a path below the folder"),
        (r#"{"command": "npx server"}"#, "its `command` is a whole line, and no program"),
        ("{\"command\": \"npx\", \"args\": [\"server\" /* it */]}", "a comment stands in the command"),
        (r#"{"command": "npx", "args": ["server"], "env": {"A=B": "x"}}"#, "it has a variable with the name `A=B`"),
    ];
    for (entry, says) in cases {
        let text = format!("{{\"mcpServers\": {{\"x\": {entry}}}}}");
        bed.write(CURSOR, &text);
        let ran = bed.run("scan --wrap --yes").exits(1).says(&["x in [HOME]/.cursor/mcp.json stays as it is: ", says]);
        assert_eq!(bed.read(CURSOR), text, "{ran}");
    }
    bed.write(
        CURSOR,
        r#"{"mcpServers": {"x": {"command": "docker", "args": ["run", "server"]}, "y": {"command": "server"}}}"#,
    );
    bed.run("scan --wrap --yes").exits(1).silent();
    bed.write(CURSOR, "{}");
    bed.write(".config/goose/config.yaml", "extensions: {x: {type: stdio, cmd: npx, args: [server], enabled: true}}\n");
    let ran = bed.run("scan --wrap --yes").exits(1).says(&["smcp changes no YAML"]);
    assert!(!ran.stdout.contains("--wrap --import"), "it would be refused again: {ran}");
    bed.run("scan --wrap").refuses(1, &["there is nobody to ask: --yes answers"]);
    bed.run("scan --yes").refuses(1, &["--wrap"]);
    bed.run("scan --wrap --yes --registry http://127.0.0.1:9").refuses(1, &["is no directory"]);
}

#[test]
fn one_server_that_can_not_be_wrapped_is_no_obstacle_for_the_others() {
    let bed = bed();
    let commented = CODEX_TEXT.replace("[\"@scope/files\"]", "[\n  \"@scope/files\", # newest\n]");
    bed.write(CODEX, &commented);
    bed.run("scan --wrap --yes").exits(1).says(&[
        "files in [HOME]/.codex/config.toml stays as it is: a comment stands in the command",
        "files in Cursor starts npm/scope.files@1.2.0 through smcp",
        "time in VS Code starts pypi/server-time@2.0.0 through smcp",
    ]);
    assert_eq!(bed.read(CODEX), commented);
    // Nothing is fetched for it, either: there is no npm here.
    let bed = TestBed::new();
    bed.configure("");
    bed.write(CURSOR, "{\"mcpServers\": {\"x\": {\"command\": \"npx\", \"args\": [\"a\" /* it */]}}}");
    bed.smcp("scan --wrap --import --yes").env("PATH", "").run().exits(1).says(&["stays as it is: a comment stands"]);
}

#[test]
fn one_file_that_can_not_be_changed_leaves_all_as_they_were() {
    let smcp = env!("CARGO_BIN_EXE_smcp");
    // A place in which no backup can be written: that is known only when it is tried, after the other files.
    let bed = bed();
    for number in 1..=1000 {
        bed.write(&format!("{VSCODE}.smcp-backup-{number}"), "");
    }
    let before = files(&bed);
    let ran = bed.run("scan --wrap --yes").refuses(1, &["nothing was changed", "1000 backups beside it already"]);
    assert_eq!(files(&bed), before, "no backup of what was put back stays: {ran}");
    // A folder that can't be written.
    let bed = self::bed();
    let before = files(&bed);
    fs::set_permissions(bed.path(".codex"), fs::Permissions::from_mode(0o500)).unwrap();
    let output = bed.run_unprivileged("scan --wrap --yes");
    fs::set_permissions(bed.path(".codex"), fs::Permissions::from_mode(0o700)).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for name in [CURSOR, VSCODE, CODEX] {
        assert_eq!(bed.read(name), before[name], "{said}");
        assert!(!bed.read(name).contains(smcp));
    }
}

/// Runs `scan --wrap` on a terminal, where each question gets its answer; returns the exit code and the screen.
fn answers(bed: &TestBed, keys: &[&str]) -> (Option<i32>, String) {
    let mut terminal = Terminal::new();
    let mut command = terminal.controls(&bed.smcp("--color never scan --wrap").command);
    command.stdin(terminal.stream()).stderr(terminal.stream()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(command);
    for key in keys {
        terminal.shows("[y/N] ");
        terminal.types(key);
    }
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    let code = child.wait().unwrap().code();
    (code, bed.redact(&terminal.end()))
}

#[test]
fn each_server_is_a_question_of_its_own() {
    let bed = bed();
    let (code, screen) = answers(&bed, &["n\n", "y\n", "\n"]);
    assert_eq!(
        (code, bed.read(CODEX).as_str(), bed.read(VSCODE).as_str()),
        (Some(1), CODEX_TEXT, VSCODE_TEXT),
        "{screen}"
    );
    assert!(bed.read(CURSOR).contains("npm/scope.files@1.2.0"), "{screen}");
    assert!(
        screen.contains("files in [HOME]/.codex/config.toml: start npm/scope.files@1.3.0 through smcp? [y/N]"),
        "{screen}"
    );
}

#[test]
fn a_question_without_an_answer_changes_nothing() {
    let bed = bed();
    let before = files(&bed);
    let (code, screen) = answers(&bed, &["y\n", "\u{4}"]);
    assert_eq!((code, files(&bed)), (Some(1), before), "{screen}");
    assert!(screen.contains("the question was not answered; nothing was changed"), "{screen}");
}

#[test]
fn a_file_that_several_clients_have_links_to_is_changed_once() {
    let bed = bed();
    bed.write("dot/m.json", CURSOR_TEXT);
    fs::remove_file(bed.path(CURSOR)).unwrap();
    fs::create_dir_all(bed.path(".lmstudio")).unwrap();
    for link in [CURSOR, ".lmstudio/mcp.json"] {
        std::os::unix::fs::symlink("../dot/m.json", bed.path(link)).unwrap();
    }
    let ran = bed.run("scan --wrap --yes").exits(1);
    assert!(ran.stderr.contains("files in Cursor and LM Studio starts npm/scope.files@1.2.0"), "{ran}");
    assert_eq!(bed.list("dot"), ["m.json", "m.json.smcp-backup-1"], "{ran}");
    assert_eq!(bed.read("dot/m.json.smcp-backup-1"), CURSOR_TEXT);
    assert_eq!(bed.read("dot/m.json").matches("npm/scope.files@1.2.0").count(), 1);
    assert!(bed.read(VSCODE).contains("pypi/server-time@2.0.0"), "the others change, too: {ran}");
    assert!(fs::symlink_metadata(bed.path(CURSOR)).unwrap().is_symlink(), "a link stays one");
    let document: Value = serde_json::from_str(&bed.run("--json scan").raw).unwrap();
    let servers = document["servers"].as_array().unwrap().iter();
    let gated = servers.filter(|server| server["name"] == "files" && server["gate"] == "pinned").count();
    assert_eq!(gated, 3, "both clients, and Codex: {document:#}");
}
