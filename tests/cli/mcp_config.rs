//! `smcp mcp-config`: the JSON for each client, and the changes to its file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::symlink;

use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::Ran;
use crate::bed::TestBed;

const CURSOR: &str = ".cursor/mcp.json";

fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    bed
}

/// Returns the printed text without the path of the program.
fn shown(ran: &Ran) -> String {
    ran.to_string().replace(env!("CARGO_BIN_EXE_smcp"), "[SMCP]")
}

const JSON: [&str; 10] =
    ["claude-code", "claude-desktop", "cursor", "gemini", "lm-studio", "opencode", "qwen", "vscode", "windsurf", "zed"];

#[test]
fn every_client_gets_what_it_reads() {
    let bed = bed();
    let options = "--trust --env API_KEY --env REGION --config .mcp/config.yaml --registry registry --cache-dir ~/c";
    for client in JSON.into_iter().chain(["codex", "goose"]) {
        let ran = bed.run(&format!("mcp-config acme/my.tool@1.2.0 --client {client} {options}")).succeeds();
        if JSON.contains(&client) {
            let document: Value = serde_json::from_str(&ran.raw).unwrap();
            assert!(document.is_object(), "nothing but JSON is on standard output");
        }
        insta::assert_snapshot!(client, shown(&ran));
    }
    let plain = bed.run("mcp-config acme/tool@latest --client claude-desktop").succeeds();
    insta::assert_snapshot!("plain", shown(&plain));
    let written = [".config", ".cursor", ".claude.json", ".codex", ".gemini", ".qwen", ".codeium"];
    assert!(written.iter().all(|name| !bed.has(name)), "printing writes nothing");
}

#[test]
fn managed_settings_let_the_given_lines_through_alone() {
    let bed = bed();
    let options = "--trust --config .mcp/config.yaml --registry registry";
    for client in ["claude-code", "codex", "vscode"] {
        let ran = bed.run(&format!("mcp-config acme/my.tool@1.2.0 --managed {client} {options} -- --color ü"));
        insta::assert_snapshot!(format!("managed_{client}"), shown(&ran.succeeds()));
        let ran = bed.run(&format!("mcp-config acme/a@1.0.0 acme/b@latest --managed {client}")).succeeds();
        assert!(ran.raw.contains("acme/a@1.0.0") && ran.raw.contains("acme/b@latest"), "{ran}");
    }
    // Only Codex compares names.
    bed.publish(&Package::shell("acme/a@1.0.0", "true").good());
    for client in ["claude-code", "vscode"] {
        let ran = bed.run(&format!("mcp-config acme/a@1.0.0 acme/a@2.0.0 other/a@1.0.0 --managed {client}")).succeeds();
        for (reference, is_there) in [("acme/a@1.0.0", true), ("acme/a@2.0.0", false), ("other/a@1.0.0", false)] {
            assert!(ran.raw.contains(reference), "{ran}");
            let missing = format!("{reference} is not there, so the client could not start it");
            assert_eq!(ran.stderr.contains(&missing), !is_there, "{ran}");
        }
    }
    let cases = [
        ("acme/a@1.0.0 acme/b@1.0.0 --client cursor", "one package at a time"),
        ("acme/a@1.0.0 acme/b@1.0.0 --managed codex -- x", "arguments behind `--` can only be given for one package"),
        ("acme/a@1.0.0 acme/b@1.0.0 --managed codex --name x", "--name can only be given for one package"),
        ("acme/a@1.0.0 acme/a@2.0.0 --managed codex", "two of the packages would be called `a`"),
        ("acme/a@1.0.0 other/a@1.0.0 --managed codex", "two of the packages would be called `a`"),
        ("acme/a@1.0.0 --managed codex --client codex", "cannot be used with"),
        ("acme/a@1.0.0", "--client <CLIENT>"),
        ("acme/a@1.0.0 --managed claude-code -- ${X}", "argument 1 behind `--` has a `${`"),
    ];
    for (line, says) in cases {
        bed.run(&format!("mcp-config {line}")).refuses(1, &[says]);
    }
}

#[test]
fn variables_that_a_server_needs_are_named() {
    let bed = bed();
    let variables = serde_json::json!({
        "API_KEY": {"required": true}, "REGION": {"required": true, "default": "eu"}, "COLOR": {"required": false},
    });
    bed.publish(&Package::shell("acme/tool@1.0.0", "true").good().manifest(|it| it["variables"] = variables));
    let says = "acme/tool@1.0.0 does not start without API_KEY: --env API_KEY has the client give it";
    bed.run("mcp-config acme/tool@1.0.0 --client cursor").succeeds().says(&[says]);
    let given = bed.run("mcp-config acme/tool@1.0.0 --client cursor --env API_KEY").succeeds();
    assert!(!given.stderr.contains("does not start without"), "{given}");
}

#[test]
fn a_clients_own_command_takes_the_server_alone() {
    let bed = bed();
    let line = "mcp-config acme/tool@1.0.0 --client claude-code";
    let whole = bed.run(line).succeeds();
    // The line is run by a shell; it is the program's own command line and one more option.
    let (_, shown) = whole.stderr.split_once("or: claude mcp add-json --scope user tool \"$(").unwrap();
    let (inner, _) = shown.split_once(")\"").unwrap();
    assert_eq!(inner, format!("{} {line} --format server", env!("CARGO_BIN_EXE_smcp")));
    let server: Value = serde_json::from_str(&bed.run(&format!("{line} --format server")).succeeds().raw).unwrap();
    let document: Value = serde_json::from_str(&whole.raw).unwrap();
    assert_eq!(document["mcpServers"]["tool"], server);
    assert_eq!(server["type"], "stdio");
    bed.run(&format!("{line} --format server --write")).refuses(1, &["cannot be used with"]);
}

#[test]
fn what_the_rules_say_of_the_package_is_said_and_changes_nothing() {
    let bed = TestBed::new();
    let rules = "policy: {min_score: 80, score_mode: warn, allowed_origins: [official], min_cert_level: 2}";
    bed.configure(rules);
    bed.publish(&Package::shell("acme/good@1.0.0", "true").good());
    bed.publish(&Package::shell("acme/asked@1.0.0", "true").facts("official", 3, 60));
    bed.publish(&Package::shell("acme/bad@1.0.0", "true").facts("community", 0, 60));
    bed.publish(&Package::shell("acme/gone@1.0.0", "true").good().option("--status", "revoked"));
    let nobody = "a client has nobody to ask";
    let cases = [
        ("acme/good@1.0.0", "", nobody),
        ("acme/asked@1.0.0", "", "acme/asked@1.0.0 needs consent today"),
        (
            "acme/bad@1.0.0",
            "",
            "acme/bad@1.0.0 is refused today, by origin, certification: the client could not start it",
        ),
        ("acme/bad@1.0.0", "--trust", "acme/bad@1.0.0 is refused today, by origin, certification"),
        ("acme/gone@1.0.0", "", "acme/gone@1.0.0 is refused today, "),
        ("acme/gool@1.0.0", "", "acme/gool@1.0.0 is not there, so the client could not start it"),
        ("acme/good@2.0.0", "", "acme/good@2.0.0 is not there"),
        ("acme/good@1.0.0", "--registry nowhere", "whether acme/good@1.0.0 may run is not known now: registry"),
    ];
    for (reference, options, says) in cases {
        let ran = bed.run(&format!("mcp-config {reference} --client cursor {options}")).succeeds().says(&[says]);
        assert!(ran.raw.contains(reference), "{ran}");
        assert!(bed.run(&format!("-q mcp-config {reference} --client cursor {options}")).succeeds().stderr.is_empty());
    }
    for quiet in ["acme/good@1.0.0", "acme/asked@1.0.0"] {
        let ran = bed.run(&format!("mcp-config {quiet} --client cursor --trust")).succeeds();
        assert!(!ran.stderr.contains("acme/"), "{ran}");
    }
}

#[test]
fn a_toml_file_keeps_its_comments() {
    let bed = bed();
    let before = "# mine\nmodel = \"x\"   # the best\n\n[mcp_servers.other]\ncommand = 'x'\n";
    bed.write(".codex/config.toml", before);
    let line = "mcp-config acme/tool@1.0.0 --client codex --env API_KEY --write";
    bed.run(line).succeeds();
    let after = bed.read(".codex/config.toml").replace(env!("CARGO_BIN_EXE_smcp"), "[SMCP]");
    let added =
        "\n[mcp_servers.tool]\ncommand = \"[SMCP]\"\nargs = [\"run\", \"acme/tool@1.0.0\"]\nenv_vars = [\"API_KEY\"]\n";
    assert_eq!(after, format!("{before}{added}"));
    assert_eq!(bed.read(".codex/config.toml.smcp-backup-1"), before);
    bed.run(line).succeeds().says(&["already; nothing was changed"]);
    bed.run("mcp-config acme/tool@2.0.0 --client codex --write").refuses(1, &["another server `tool`", "--force"]);
    bed.run("mcp-config acme/tool@2.0.0 --client codex --write --force").succeeds();
    bed.write(".codex/config.toml", "model = \n");
    bed.run(line).refuses(1, &["was not changed: it is not TOML", "prints what to add by hand"]);
    bed.write(".config/goose/config.yaml", "extensions: {}\n");
    bed.run("mcp-config acme/tool@1.0.0 --client goose --write").refuses(
        1,
        &["[HOME]/.config/goose/config.yaml was not changed: smcp changes no YAML", "prints what to add by hand"],
    );
    assert_eq!(bed.read(".config/goose/config.yaml"), "extensions: {}\n");
}

#[test]
fn a_byte_order_mark_stays_in_front() {
    let bed = bed();
    bed.write(CURSOR, "\u{feff}{\n  \"a\": 1\n}\n");
    let line = "mcp-config acme/tool@1.0.0 --client cursor --write";
    bed.run(line).succeeds();
    let after = bed.read(CURSOR);
    assert!(after.starts_with("\u{feff}{\n  \"a\": 1,\n  \"mcpServers\": {"), "{after}");
    assert_eq!(bed.read(".cursor/mcp.json.smcp-backup-1"), "\u{feff}{\n  \"a\": 1\n}\n");
    bed.run(line).succeeds().says(&["already; nothing was changed"]);
}

#[test]
fn who_else_could_change_the_file_is_said() {
    let bed = bed();
    bed.write(CURSOR, "{}");
    let mode = |name: &str, mode| fs::set_permissions(bed.path(name), fs::Permissions::from_mode(mode)).unwrap();
    let line = "mcp-config acme/tool@1.0.0 --client cursor --write --force";
    let clean = bed.run(line).succeeds();
    assert!(!clean.stderr.contains("may write"), "{clean}");
    mode(CURSOR, 0o666);
    mode(".cursor", 0o777);
    let ran = bed.run(line).succeeds();
    ran.says(&[
        "[HOME]/.cursor/mcp.json: others may write to it (mode 0666), and whoever may write there",
        "run: chmod go-w [HOME]/.cursor/mcp.json",
        "[HOME]/.cursor: others may write to it (mode 0777)",
    ]);
    if nix::unistd::geteuid().is_root() {
        mode(".cursor", 0o755);
        std::os::unix::fs::chown(bed.path(CURSOR), Some(12_345), None).unwrap();
        let before = bed.read(CURSOR);
        bed.run("mcp-config acme/tool@2.0.0 --client cursor --write --force")
            .refuses(1, &["was not changed: it belongs to another user (uid 12345)", "run this as that user"]);
        assert_eq!(bed.read(CURSOR), before);
    }
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
        // Started as the client does: in another folder, without our variables.
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
    bed.run("mcp-config acme/tool@1.0.0 --client cursor --write")
        .succeeds()
        .says(&["[HOME]/dotfiles/mcp.json", "[HOME]/.cursor/mcp.json leads there, and stays a link"]);
    assert!(fs::symlink_metadata(bed.path(CURSOR)).unwrap().is_symlink());
    assert!(bed.read(CURSOR).contains("acme/tool@1.0.0"));
    assert_eq!(bed.list("dotfiles"), ["mcp.json", "mcp.json.smcp-backup-1"]);
}

#[test]
fn a_file_that_can_not_be_changed_stays_as_it_is() {
    let line = "mcp-config acme/tool@1.0.0 --client cursor --write";
    let cases: [(&[u8], &str); 6] = [
        (b"{", "it is not plain JSON"),
        (b"// mine\n{}", "prints what to add by hand"),
        (b"[]", "it is not a JSON object"),
        (b"\xff\xfe{}", "it is not UTF-8 text"),
        (b"{\"mcpServers\": []}", "`mcpServers` in it is not an object"),
        (b"{\"a\": \"", "it is not plain JSON"),
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
    // This holds even for root, who can write wherever the system can.
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
        ("--client emacs", "claude-code, claude-desktop, codex, cursor, gemini, goose, lm-studio, opencode"),
        ("--client cursor --name a.b", "A-Z, a-z, 0-9, `-` and `_`"),
        ("--client cursor --env API_KEY=hunter2", "no value"),
        ("--client cursor --force", "--write"),
        ("--client cursor --config nowhere.yaml", "does not exist"),
        ("--client cursor --registry ftp://x", "is not a registry"),
        ("--client cursor --registry ./a${b}", "has a `${`, and Cursor would put something else in its place"),
        ("--client gemini --registry ./a$b", "has a `$`, and Gemini CLI would"),
        ("--client opencode --registry ./a{env:b}", "has a `{env:`, and opencode would"),
    ];
    for (options, says) in cases {
        let ran = bed.run(&format!("mcp-config acme/tool@1.0.0 {options}")).refuses(1, &[says]);
        assert!(!ran.stderr.contains("hunter2"), "{ran}");
    }
    let ran = bed.run("mcp-config acme/tool@1.0.0 --client cursor -- plain hunter2${X}");
    let ran = ran.refuses(1, &["argument 2 behind `--` has a `${`"]);
    assert!(!ran.stderr.contains("hunter2"), "{ran}");
    bed.write("rules.yaml", "registry_url: registry");
    let homeless =
        bed.smcp("--config rules.yaml mcp-config acme/tool@1.0.0 --client cursor --write").without_env("HOME");
    homeless.run().refuses(1, &["name it with --file"]);
}
