//! `smcp scan`: which lines are smcp's, what the policies say of them, and what is shown of others.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::bed::Ran;
use crate::scan::CURSOR;
use crate::scan::SMCP;
use crate::scan::bed;
use crate::scan::cursor;
use crate::scan::servers;
use crate::scan::told;

/// The gate of each server, what the policies say, and what is odd.
fn gates(ran: &Ran) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    servers(ran)
        .iter()
        .map(|it| {
            (
                format!("{} {}", text(&it["name"]), text(&it["gate"])),
                text(&it["policies_today"]["state"]),
                text(&it["remark"]),
            )
        })
        .collect()
}

#[test]
fn what_the_policies_say_today_is_said_of_lines_of_smcp() {
    let bed = bed();
    let lines = [
        ("a", "[SMCP] run acme/good@1.0.0", "pinned", "allowed"),
        ("b", "smcp run acme/good@latest -- --flag", "latest", "allowed"),
        ("c", "[SMCP] run acme/asked@1.0.0", "pinned", "asks"),
        ("d", "[SMCP] run --trust acme/asked@1.0.0", "pinned", "allowed"),
        ("e", "[SMCP] run acme/bad@1.0.0", "pinned", "refused"),
        ("f", "[SMCP] run acme/none@1.0.0", "pinned", "missing"),
        ("g", "[SMCP] run --config [HOME]/open.yaml acme/bad@1.0.0", "pinned", "allowed"),
        ("h", "[SMCP] --registry nowhere run acme/good@1.0.0", "pinned", "unknown"),
        ("i", "[SMCP] run --config [HOME]/broken.yaml acme/good@1.0.0", "pinned", "refused"),
    ];
    bed.write("open.yaml", "registry_url: registry\npolicy: {}\n");
    bed.write("broken.yaml", "polic: {}\n");
    let lines = lines.map(|(name, line, gate, state)| {
        (name, line.replace("[SMCP]", SMCP).replace("[HOME]", bed.path("").to_str().unwrap()), gate, state)
    });
    let written: Vec<_> = lines.iter().map(|(name, line, ..)| (*name, line.as_str())).collect();
    bed.write(CURSOR, cursor(&written));
    let ran = bed.run("--json scan").succeeds();
    let found = gates(&ran);
    for ((name, _, gate, state), found) in lines.iter().zip(&found) {
        assert_eq!((format!("{name} {gate}"), *state), (found.0.clone(), found.1.as_str()), "{ran}");
    }
    bed.run("--json scan --fail-on unpinned").exits(1);
    insta::assert_snapshot!("gated", bed.run("scan").succeeds().stdout);
    assert!(!bed.has(".mcp/audit.jsonl"), "a look is no decision");
}

#[test]
fn what_is_only_called_smcp_is_not_smcp() {
    let bed = bed();
    fs::create_dir(bed.path("bin")).unwrap();
    fs::copy(SMCP, bed.path("bin/smcp")).unwrap();
    symlink(SMCP, bed.path("smcp")).unwrap();
    let copy = bed.path("bin/smcp");
    let link = bed.path("smcp");
    let (copy, link) = (copy.to_str().unwrap(), link.to_str().unwrap());
    let cases = [
        (format!("{link} run acme/good@1.0.0"), ""),
        (format!("{copy} run acme/good@1.0.0"), "is not this one"),
        ("./smcp run acme/good@1.0.0".to_owned(), "is not this one"),
        (format!("{SMCP} policy check acme/good@1.0.0"), "it starts no server"),
        (format!("{SMCP} run --dry-run acme/good@1.0.0"), "it starts no server"),
        (format!("{SMCP} run --unheard-of acme/good@1.0.0"), "does not understand the line"),
        (format!("{SMCP} --version"), "does not understand the line"),
        (SMCP.to_owned(), "does not understand the line"),
        ("smcp run acme/good@1.0.0".to_owned(), ""),
    ];
    for (line, why) in cases {
        bed.write(CURSOR, cursor(&[("x", &line)]));
        let ran = bed.run("--json scan").exits(i32::from(!why.is_empty()));
        let (_, _, remark) = &gates(&ran)[0];
        assert!(remark.contains(why) && remark.is_empty() == why.is_empty(), "{line}: {ran}");
    }
    // Other programs, as the system finds them.
    for program in ["SMCP", "Smcp", "smcp.exe", "smcp.cmd", "C:\\smcp"] {
        bed.write(CURSOR, cursor(&[("x", &format!("{program} run acme/good@1.0.0"))]));
        assert_eq!(told(&bed.run("--json scan").exits(1)), [format!("cursor | user | x | none | command | {program}")]);
    }
    // Rules that only this server is started by.
    bed.write("open.yaml", "registry_url: registry\npolicy: {}\n");
    let rules = bed.path("open.yaml");
    let entry = serde_json::json!({"command": SMCP, "args": ["run", "acme/bad@1.0.0"], "env": {"SMCP_CONFIG": rules}});
    bed.write(CURSOR, serde_json::json!({"mcpServers": {"x": entry}}).to_string());
    assert_eq!(gates(&bed.run("--json scan"))[0].1, "allowed");
}

#[test]
fn a_line_of_smcp_that_starts_other_code_than_was_judged_is_past_smcp() {
    let bed = bed();
    bed.write("fine.env", "TOKEN=1\n");
    bed.write("other.env", "TOKEN=1\nexport NODE_OPTIONS='--require /evil.js'\n");
    let fine = format!("--env-file {}", bed.path("fine.env").display());
    let other = format!("--env-file {}", bed.path("other.env").display());
    let changed = "changes which code runs";
    let cases = [
        ("LD_PRELOAD", "", changed),
        ("PATH", "", changed),
        ("NODE_OPTIONS", "", changed),
        ("PYTHONPATH", "", changed),
        ("DENO_DIR", "", changed),
        ("TZ", "", ""),
        ("TZ", "--env TZ --env=TOKEN=NODE_OPTIONS", ""),
        ("TZ", "--env NODE_OPTIONS", "the variable NODE_OPTIONS changes which code runs"),
        ("TZ", "--env=BASH_ENV=/evil.sh", "the variable BASH_ENV changes which code runs"),
        ("TZ", fine.as_str(), ""),
        ("TZ", other.as_str(), "the variable NODE_OPTIONS changes which code runs"),
        ("TZ", "--env-file .env", "which variables its --env-file has is not known"),
        ("TZ", "--env-file /nowhere/.env", "which variables its --env-file has is not known"),
    ];
    for program in ["smcp", SMCP] {
        for (variable, options, why) in cases {
            let args: Vec<_> =
                ["run"].into_iter().chain(options.split_whitespace()).chain(["acme/good@1.0.0"]).collect();
            let entry = serde_json::json!({"command": program, "args": args, "env": {variable: "/evil"}});
            bed.write(CURSOR, serde_json::json!({"mcpServers": {"x": entry}}).to_string());
            let ran = bed.run("--json scan").exits(i32::from(!why.is_empty()));
            let (gate, _, remark) = &gates(&ran)[0];
            assert!(remark.contains(why) && remark.is_empty() == why.is_empty(), "{variable} {options}: {ran}");
            assert_eq!(gate, if why.is_empty() { "x pinned" } else { "x none" }, "{ran}");
        }
    }
    let entry = serde_json::json!({"command": SMCP, "args": ["run", "acme/good@1.0.0"], "envFile": ".env"});
    bed.write(CURSOR, serde_json::json!({"mcpServers": {"x": entry}}).to_string());
    assert!(gates(&bed.run("--json scan").exits(1))[0].2.contains("its `envFile` has is not known"));
}

#[test]
fn a_line_is_judged_in_the_folder_that_it_starts_in() {
    let bed = bed();
    bed.write("work/rules.yaml", "registry_url: ../registry\npolicy: {}\n");
    let work = bed.path("work");
    let cases = [
        (["--config", "rules.yaml"], serde_json::json!(work), "allowed"),
        (["--registry", "../registry"], serde_json::json!(work), "refused"),
        (["--config", "rules.yaml"], Value::Null, "refused"),
        (["--config", "work/rules.yaml"], Value::Null, "allowed"),
        (["--config", "rules.yaml"], serde_json::json!("work"), "unknown"),
        (["--config", "rules.yaml"], serde_json::json!("${workspaceFolder}"), "unknown"),
        (["--config", "rules.yaml"], serde_json::json!(5), "unknown"),
    ];
    for (options, folder, state) in cases {
        let args: Vec<_> = options.iter().copied().chain(["run", "acme/bad@1.0.0"]).collect();
        let entry = serde_json::json!({"command": SMCP, "args": args, "cwd": folder});
        bed.write(CURSOR, serde_json::json!({"mcpServers": {"x": entry}}).to_string());
        let ran = bed.run("--json scan").succeeds();
        assert_eq!(gates(&ran)[0].1, state, "{options:?} {folder}: {ran}");
    }
}

#[test]
fn a_setting_with_the_line_of_a_server_is_a_server() {
    let cases = [
        ("/tmp/mark.sh x", "none | command | /tmp/mark.sh"),
        ("/tmp/mark.sh", "none | command | /tmp/mark.sh"),
        ("npx -y @scope/server --key hunter2", "none | npx | npx @scope/server"),
        ("smcp run acme/good@1.0.0", "pinned | smcp | acme/good@1.0.0"),
        ("'smcp' run $X", "none | command | a line"),
        ("smcp run acme/good@1.0.0 $EVIL", "none | command | smcp"),
    ];
    for (client, folder) in [("gemini", ".gemini"), ("qwen", ".qwen")] {
        for (line, expected) in cases {
            for (document, at) in [
                (serde_json::json!({"mcp": {"serverCommand": line, "excluded": ["mcp"]}}), ""),
                (serde_json::json!({"mcpServerCommand": line}), "work/"),
            ] {
                let bed = bed();
                bed.write(&format!("{at}{folder}/settings.json"), document.to_string());
                let scope = if at.is_empty() { "user" } else { "project" };
                let ran = bed.run(if at.is_empty() { "--json scan" } else { "--json scan --dir work" });
                assert_eq!(told(&ran), [format!("{client} | {scope} | mcp | {expected}")], "{line}: {ran}");
                assert_eq!(ran.code, i32::from(!expected.starts_with("pinned")), "{ran}");
                assert!(!ran.raw.contains("hunter2"), "{ran}");
            }
        }
    }
    let bed = bed();
    bed.write(".qwen/settings.json", r#"{"mcp": {"serverCommand": "npx x"}, "mcpServers": {}}"#);
    let ran = bed.run("scan --wrap --yes --registry registry").exits(1);
    assert!(ran.stderr.contains("stays as it is: it is a whole line in its settings"), "{ran}");
    for nothing in [r#"{"mcp": {"serverCommand": ""}}"#, r#"{"mcp": {"serverCommand": null}, "mcpServerCommand": " "}"#]
    {
        bed.write(".qwen/settings.json", nothing);
        bed.run("scan").succeeds();
    }
    bed.write(".qwen/settings.json", r#"{"mcp": {"serverCommand": 5}}"#);
    assert!(told(&bed.run("--json scan").exits(1))[0].contains("mcp | none | unknown"));
}

#[test]
fn a_server_without_a_name_is_seen() {
    let bed = bed();
    bed.write(CURSOR, cursor(&[("", "npx x"), (" ", "npx y")]));
    let ran = bed.run("scan").exits(1);
    assert!(ran.stdout.contains("✗ \"\"   past smcp: npx x") && ran.stdout.contains("✗ \" \"  past smcp"), "{ran}");
    let ran = bed.run("scan --wrap --yes --registry registry").exits(1);
    assert!(ran.stderr.contains("\"\" in "), "{ran}");
}

#[test]
fn a_whole_line_as_command_shows_no_secret() {
    let bed = bed();
    let cases = [
        ("npx -y foo --key hunter2", "npx", "npx foo"),
        ("TOKEN=hunter2 npx foo", "npx", "npx foo"),
        ("TOKEN=hunter2 smcp run acme/good@1.0.0", "command", "smcp"),
        ("docker run --odd hunter2 image", "docker", "docker"),
    ];
    for (line, kind, shown) in cases {
        bed.write(CURSOR, serde_json::json!({"mcpServers": {"x": {"command": line}}}).to_string());
        let ran = bed.run("--json scan").exits(1);
        assert_eq!(told(&ran), [format!("cursor | user | x | none | {kind} | {shown}")], "{line}");
        for line in ["--json scan", "scan", "scan --format sarif"] {
            let ran = bed.run(line);
            assert!(!ran.raw.contains("hunter2") && !ran.stderr.contains("hunter2"), "{ran}");
        }
    }
    bed.write("my tools/tool", "");
    let tool = bed.path("my tools/tool");
    bed.write(CURSOR, serde_json::json!({"mcpServers": {"x": {"command": tool}}}).to_string());
    assert!(told(&bed.run("--json scan"))[0].ends_with("/my tools/tool"), "a program");
}
