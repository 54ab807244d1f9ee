//! `smcp mcp-config`: the JSON of each client, and what becomes of its file.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde_json::{Value, json};

use crate::bed::{Package, Ran, TestBed};

const CURSOR: &str = ".cursor/mcp.json";

fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    bed
}

/// What was printed, without the place of the program.
fn shown(ran: &Ran) -> String {
    ran.to_string().replace(env!("CARGO_BIN_EXE_smcp"), "[SMCP]")
}

#[test]
fn every_client_gets_its_own_json() {
    let bed = bed();
    let options = "--trust --env API_KEY --env REGION --config .mcp/config.yaml --registry registry --cache-dir ~/c";
    for client in ["claude-desktop", "cursor", "vscode", "claude-code"] {
        let ran = bed.run(&format!("mcp-config acme/my.tool@1.2.0 --client {client} {options}")).succeeds();
        let document: Value = serde_json::from_str(&ran.raw).unwrap();
        assert!(document.is_object(), "nothing but JSON is on standard output");
        insta::assert_snapshot!(client, shown(&ran));
    }
    let plain = bed.run("mcp-config acme/tool@latest --client claude-desktop").succeeds();
    insta::assert_snapshot!("plain", shown(&plain));
    assert!(!bed.has(".config") && !bed.has(".cursor") && !bed.has(".claude.json"), "printing writes nothing");
}

#[test]
fn what_is_printed_starts_the_package() {
    let bed = TestBed::new();
    bed.write("rules.yaml", "registry_url: registry\npolicy: {min_score: 80, score_mode: warn}");
    bed.publish(&Package::shell("acme/tool@1.0.0", "echo \"served $1\"").facts("verified", 2, 60));
    for (trust, code, stdout) in [("--trust", 0, "served --color\n"), ("", 4, "")] {
        let line = format!("mcp-config acme/tool@1.0.0 --client claude-desktop {trust} -- --color");
        let ran = bed.smcp(&line).env("SMCP_CONFIG", "rules.yaml").run().succeeds();
        let document: Value = serde_json::from_str(&ran.raw).unwrap();
        let server = &document["mcpServers"]["tool"];
        assert_eq!(server["command"], env!("CARGO_BIN_EXE_smcp"));
        // As the client starts it: somewhere else, without our variables.
        let args: Vec<_> = server["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
        let mut invocation = bed.smcp("").args(&args);
        invocation.command.current_dir("/");
        let started = invocation.run().exits(code);
        assert_eq!(started.stdout, stdout, "{started}");
    }
}

#[test]
fn a_link_to_the_program_outlives_an_upgrade() {
    let bed = bed();
    fs::create_dir(bed.path("bin")).unwrap();
    symlink(env!("CARGO_BIN_EXE_smcp"), bed.path("bin/smcp")).unwrap();
    let link = bed.path("bin/smcp");
    for called in ["smcp", "bin/smcp", "./bin/smcp", link.to_str().unwrap()] {
        let mut command = std::process::Command::new(called);
        command.args(["mcp-config", "acme/tool@1.0.0", "--client", "cursor"]);
        command.env_clear().env("HOME", bed.path("")).env("PATH", bed.path("bin")).current_dir(bed.path(""));
        let output = command.output().unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["mcpServers"]["tool"]["command"], link.to_str().unwrap(), "{called}");
    }
}

#[test]
fn writing_keeps_what_is_there_and_a_backup() {
    let bed = bed();
    let before = "{\n\t\"theme\": 1.50,\n\t\"mcpServers\": {\n\t\t\"other\": {\"command\": \"x\"}\n\t}\n}\n";
    bed.write(CURSOR, before);
    fs::set_permissions(bed.path(CURSOR), fs::Permissions::from_mode(0o640)).unwrap();
    let line = "mcp-config acme/tool@1.0.0 --client cursor --trust --write";
    insta::assert_snapshot!("written", bed.run(line).succeeds());
    insta::assert_snapshot!("merged", bed.read(CURSOR).replace(env!("CARGO_BIN_EXE_smcp"), "[SMCP]"));
    assert_eq!(bed.read(".cursor/mcp.json.smcp-backup-1"), before);
    for name in [CURSOR, ".cursor/mcp.json.smcp-backup-1"] {
        assert_eq!(fs::metadata(bed.path(name)).unwrap().permissions().mode() & 0o777, 0o640, "{name}");
    }
    bed.run(line).succeeds().says(&["already; nothing was changed"]);
    assert_eq!(bed.list(".cursor").len(), 2, "no backup of nothing");
    let other = "mcp-config acme/tool@2.0.0 --client cursor --write";
    bed.run(other).refuses(1, &["was not changed", "another server `tool`", "--name", "--force"]);
    bed.run(&format!("{other} --name tool-2")).succeeds();
    bed.run(&format!("{other} --force")).succeeds();
    let document: Value = serde_json::from_str(&bed.read(CURSOR)).unwrap();
    let servers: Vec<_> = document["mcpServers"].as_object().unwrap().keys().collect();
    assert_eq!(servers, ["other", "tool", "tool-2"]);
    assert_eq!(document["mcpServers"]["tool"]["args"], json!(["run", "acme/tool@2.0.0"]));
    assert_eq!(bed.read(".cursor/mcp.json.smcp-backup-1"), before, "an older backup is never touched");
    assert_eq!(bed.list(".cursor").len(), 4);
}

#[test]
fn a_new_file_is_for_its_user_alone() {
    let bed = bed();
    bed.run("mcp-config acme/tool@1.0.0 --client vscode --env KEY --write").succeeds();
    let path = bed.path(".config/Code/User/mcp.json");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let document: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(document["servers"]["tool"]["env"]["KEY"], "${input:tool-KEY}");
    assert_eq!(document["inputs"][0]["password"], true);
    bed.run("mcp-config acme/tool@1.0.0 --client claude-code --file project/.mcp.json --write").succeeds();
    assert_eq!(bed.list("project"), [".mcp.json"]);
}

#[test]
fn a_link_stays_one() {
    let bed = bed();
    bed.write("dotfiles/mcp.json", "{}");
    fs::create_dir(bed.path(".cursor")).unwrap();
    symlink("../dotfiles/mcp.json", bed.path(CURSOR)).unwrap();
    bed.run("mcp-config acme/tool@1.0.0 --client cursor --write").succeeds().says(&["[HOME]/dotfiles/mcp.json"]);
    assert!(fs::symlink_metadata(bed.path(CURSOR)).unwrap().is_symlink());
    assert!(bed.read(CURSOR).contains("acme/tool@1.0.0"));
    assert_eq!(bed.list("dotfiles"), ["mcp.json", "mcp.json.smcp-backup-1"]);
}

#[test]
fn a_file_that_can_not_be_changed_stays_as_it_is() {
    let line = "mcp-config acme/tool@1.0.0 --client cursor --write";
    let cases: [(&[u8], &str); 6] = [
        (b"{", "it is not JSON"),
        (b"// mine\n{}", "prints what to add by hand"),
        (b"[]", "it is not a JSON object"),
        (b"\xff\xfe{}", "it is not UTF-8 text"),
        (b"{\"mcpServers\": []}", "`mcpServers` in it is not an object"),
        (b"{\"a\": \"", "it is not JSON"),
    ];
    for (content, says) in cases {
        let bed = bed();
        bed.write(CURSOR, content);
        bed.run(line).refuses(1, &["[HOME]/.cursor/mcp.json was not changed", says]);
        assert_eq!(fs::read(bed.path(CURSOR)).unwrap(), content);
        assert_eq!(bed.list(".cursor"), ["mcp.json"], "nothing is left behind");
    }
    let bed = bed();
    fs::create_dir_all(bed.path(CURSOR)).unwrap();
    bed.run(line).refuses(1, &["it is not a regular file"]);
    fs::remove_dir(bed.path(CURSOR)).unwrap();
    symlink("nowhere.json", bed.path(CURSOR)).unwrap();
    bed.run(line).refuses(1, &["it is a link that leads nowhere"]);
    fs::remove_file(bed.path(CURSOR)).unwrap();
    let huge = fs::File::create(bed.path(CURSOR)).unwrap();
    huge.set_len(65 << 20).unwrap();
    bed.run(line).refuses(1, &["it has more than [SIZE] bytes"]);
    fs::remove_file(bed.path(CURSOR)).unwrap();
    nix::unistd::mkfifo(&bed.path(CURSOR), nix::sys::stat::Mode::S_IRWXU).unwrap();
    bed.run(line).refuses(1, &["it is not a regular file"]);
}

#[test]
fn a_folder_that_can_not_be_written_changes_nothing() {
    // Even for root, who may write wherever the system can.
    #[cfg(target_os = "linux")]
    for (file, says) in
        [("/proc/smcp/mcp.json", "can't open its folder"), ("/proc/self/mcp.json", "can't write beside it")]
    {
        bed().run(&format!("mcp-config acme/tool@1.0.0 --client cursor --file {file} --write")).refuses(1, &[says]);
    }
    let bed = bed();
    bed.write("file", "");
    let ran = bed.run("mcp-config acme/tool@1.0.0 --client cursor --file file/mcp.json --write");
    ran.refuses(1, &["[HOME]/file/mcp.json was not changed"]);
}

#[test]
fn a_line_that_would_give_a_broken_client_is_refused() {
    let bed = bed();
    let cases = [
        ("", "--client"),
        ("--client emacs", "claude-desktop, cursor, vscode, claude-code"),
        ("--client cursor --name a.b", "A-Z, a-z, 0-9, `-` and `_`"),
        ("--client cursor --env API_KEY=hunter2", "no value"),
        ("--client cursor --force", "--write"),
        ("--client cursor --config nowhere.yaml", "does not exist"),
        ("--client cursor --registry ftp://x", "is not a registry"),
        ("--client cursor --registry ./a${b}", "has a `${`"),
    ];
    for (options, says) in cases {
        let ran = bed.run(&format!("mcp-config acme/tool@1.0.0 {options}")).refuses(1, &[says]);
        assert!(!ran.stderr.contains("hunter2"), "{ran}");
    }
    bed.write("rules.yaml", "registry_url: registry");
    let homeless = bed.smcp("--config rules.yaml mcp-config acme/tool@1.0.0 --client cursor").without_env("HOME");
    homeless.run().refuses(1, &["name it with --file"]);
}
