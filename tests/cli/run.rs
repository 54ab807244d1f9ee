//! `smcp run`: an allowed package runs unchanged, any other never starts.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;

use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::ROOT;
use crate::bed::TestBed;

/// A policy that the facts of [`poor`] violate three times.
const TEAM: &str = "policy: {allowed_origins: [official, verified], min_cert_level: 2, min_score: 80}";

fn poor(package: Package) -> Package {
    package.facts("community", 0, 35)
}

#[test]
fn an_allowed_server_answers_its_client() {
    let bed = TestBed::new();
    bed.configure(TEAM);
    bed.publish(&Package::greeter("acme/greeter@1.0.0").facts("verified", 2, 85));
    let session = std::fs::read(format!("{ROOT}/examples/quickstart/session.jsonl")).unwrap();
    let ran = bed.smcp("run acme/greeter@1.0.0").input(session).run().succeeds().silent();
    let answers: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: Vec<_> = answers.iter().map(|answer| answer["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [1, 2, 3], "the answers and nothing else: {ran}");
    assert_eq!(answers[0]["result"]["serverInfo"]["name"], "greeter");
    assert_eq!(answers[1]["result"]["tools"][0]["name"], "greet");
    assert_eq!(answers[2]["result"]["content"][0]["text"], "Hello, world!");
    assert_eq!(bed.list(".mcp/cache/runs"), [""; 0], "its folder is gone");
}

#[test]
fn verbose_says_why_it_may_run() {
    let bed = TestBed::new();
    bed.configure(TEAM);
    bed.publish(&Package::shell("acme/tool@1.0.0", "true").facts("verified", 2, 85).option("--findings", "0,1,4,2"));
    insta::assert_snapshot!("verbose", bed.run("-v run acme/tool@1.0.0"));
}

#[test]
fn the_exit_code_is_the_servers_own_but_for_four() {
    let cases = [
        ("exit 0", 0, ""),
        ("exit 1", 1, ""),
        ("exit 7", 7, ""),
        ("exit 255", 255, ""),
        (
            "exit 4",
            1,
            "note: the server exited with code 4, which smcp keeps for refusals; smcp exits with 1 instead\n",
        ),
        ("kill -TERM $$", 143, ""),
        ("kill -KILL $$", 137, ""),
    ];
    let bed = TestBed::new();
    bed.configure("");
    for (index, (script, code, says)) in cases.into_iter().enumerate() {
        let package = Package::shell(&format!("acme/tool@1.0.{index}"), script).good();
        bed.publish(&package);
        let ran = bed.run(&format!("run {}", package.reference)).exits(code).prints("");
        assert_eq!(ran.stderr, says, "{script}");
    }
}

#[test]
fn arguments_follow_those_of_the_manifest() {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell("acme/tool@1.0.0", "printf '%s|' \"$@\"").good());
    bed.smcp("run acme/tool@1.0.0 --").args(&["--json", "two words", "", "--"]).run().prints("--json|two words||--|");
    bed.run("run acme/tool@1.0.0").succeeds().prints("|");
}

#[test]
fn the_server_gets_a_small_environment() {
    let bed = TestBed::new();
    bed.configure("");
    let script = "env | grep -v -e ^XDG_ -e ^TMPDIR= -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD= | sort";
    let env = json!({"MODE": "manifest", "FROM": "manifest", "LD_PRELOAD": "/evil.so", "SMCP_CONFIG": "/evil.yaml"});
    let package = Package::greeter("acme/tool@1.0.0")
        .entrypoint(json!({"command": ["sh", "-c", script], "env": env}))
        .manifest(|manifest| manifest["permissions"]["env_vars"] = json!(["LC_ALL", "TOKEN", "*", "LD_LIBRARY_PATH"]))
        .good();
    bed.publish(&package);
    bed.write("server.env", "# secrets\nFROM=file\nTOKEN=from file\n");
    let ran = bed
        .smcp("run acme/tool@1.0.0 --env-file server.env --env MODE=flag")
        .env("LC_ALL", "C")
        .env("TOKEN", "ours")
        .env("SECRET", "not asked for")
        .env("LD_LIBRARY_PATH", "/nowhere")
        .env("SMCP_LOG", "error")
        .run()
        .succeeds();
    let path = std::env::var("PATH").unwrap();
    let expected = format!("FROM=file\nHOME=[HOME]\nLC_ALL=C\nMODE=flag\nPATH={path}\nTOKEN=from file\n");
    assert_eq!(ran.stdout, bed.redact(&expected), "{ran}");
    insta::assert_snapshot!("dropped_variables", ran.stderr);
}

#[test]
fn a_value_is_never_printed() {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell("acme/tool@1.0.0", "true").good());
    bed.write("server.env", "GOOD=1\nhunter2 is no assignment\n");
    let cases = [
        ("--env", "hunter2", "while reading --env: "),
        ("--env", "A B=hunter2", "while reading --env: "),
        ("--env-file", "server.env", "while reading server.env: line 2: it has no `=`"),
    ];
    for (option, value, says) in cases {
        let ran = bed.smcp("run acme/tool@1.0.0").args(&[option, value]).run().refuses(1, &[says]);
        assert!(!ran.stderr.contains("hunter2"), "{ran}");
    }
}

#[test]
fn it_starts_in_the_bundle_or_in_the_manifests_workdir() {
    let bed = TestBed::new();
    bed.configure("");
    let at_root = Package::shell("acme/tool@1.0.0", "ls").file("here", "", 0o644).good();
    let below = Package::greeter("acme/tool@2.0.0")
        .entrypoint(json!({"command": ["sh", "-c", "ls"], "workdir": "sub"}))
        .file("sub/there", "", 0o644)
        .good();
    bed.publish(&at_root);
    bed.publish(&below);
    bed.run("run acme/tool@1.0.0").succeeds().prints("here\nmanifest.json\nserver.py\n");
    bed.run("run acme/tool@2.0.0").succeeds().prints("there\n");
}

#[test]
fn a_program_of_the_bundle_keeps_its_executable_bit() {
    let bed = TestBed::new();
    bed.configure("");
    let binary = |version: &str, mode| {
        Package::greeter(&format!("acme/tool@{version}"))
            .entrypoint(json!({"command": ["bin/tool"]}))
            .manifest(|manifest| manifest["runtime"] = json!({"type": "binary"}))
            .file("bin/tool", "#!/bin/sh\necho runs\n", mode)
            .good()
    };
    bed.publish(&binary("1.0.0", 0o755));
    bed.publish(&binary("2.0.0", 0o644));
    bed.run("run acme/tool@1.0.0").succeeds().prints("runs\n");
    bed.run("run acme/tool@2.0.0").refuses(6, &["`bin/tool` is not an executable file"]);
}

#[test]
fn what_can_not_be_started_says_why() {
    let escaping = |command: &str| json!({"command": [command]});
    let cases = [
        ("missing", 6, "`no-such-program-anywhere` was not found", escaping("no-such-program-anywhere")),
        ("absent", 6, "`./absent` is not in the bundle", escaping("./absent")),
        ("absolute", 3, "`/bin/sh`", escaping("/bin/sh")),
        ("parent", 3, "`../sh`", escaping("../sh")),
        ("nested", 3, "`sub/../../sh`", escaping("sub/../../sh")),
        ("workdir", 3, "`../..`", json!({"command": ["sh"], "workdir": "../.."})),
        ("no-workdir", 6, "`nowhere`", json!({"command": ["sh"], "workdir": "nowhere"})),
    ];
    let bed = TestBed::new();
    bed.configure("");
    for (name, code, says, entrypoint) in cases {
        let package = Package::greeter(&format!("acme/{name}@1.0.0")).entrypoint(entrypoint).good();
        let published = bed.try_publish(&package);
        if published.code != 0 {
            // A package that can't be published is stopped by the registry itself.
            published.refuses(code, &[says]);
            continue;
        }
        bed.run(&format!("run acme/{name}@1.0.0")).refuses(code, &[says]);
        assert_eq!(bed.list(".mcp/cache/runs"), [""; 0], "{name} leaves nothing behind");
    }
}

#[test]
fn an_http_server_is_not_started() {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::greeter("acme/tool@1.0.0").good());
    // Only the client format has a key for the transport, and only other registries write it.
    bed.replace_manifest("acme/tool", "1.0.0", |manifest, bundle| {
        let entrypoint = |arch| json!({"os": "linux", "arch": arch, "command": "sh", "args": ["-c", "true"]});
        json!({
            "schema_version": "1.0",
            "package": manifest["package"],
            "bundle": bundle,
            "transport": {"type": "http", "port": 8080},
            "entrypoints": (["amd64", "arm64"].map(entrypoint)),
        })
    });
    bed.run("run acme/tool@1.0.0").refuses(6, &["transport is `http`, and only `stdio`"]);
}

#[test]
fn the_time_limit_is_for_the_start_only() {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell("acme/tool@1.0.0", "echo runs").good());
    insta::assert_snapshot!("timeout", bed.run("run --timeout 1ns acme/tool@1.0.0").exits(5));
    bed.run("run --timeout 1m acme/tool@1.0.0").succeeds().prints("runs\n");
    bed.configure("start_timeout: 1ns");
    bed.run("run acme/tool@1.0.0").refuses(5, &["took longer than 1ns", "`start_timeout`"]);
    bed.run("run --timeout 1m acme/tool@1.0.0").succeeds().prints("runs\n");
}

#[test]
fn the_warning_threshold_can_only_be_raised() {
    let bed = TestBed::new();
    bed.configure("policy: {warning_threshold: 60}");
    bed.publish(&Package::shell("acme/tool@1.0.0", "echo runs").facts("official", 1, 70));
    bed.run("run acme/tool@1.0.0 --warning-threshold 60").succeeds().silent().prints("runs\n");
    bed.run("run acme/tool@1.0.0 --warning-threshold 75")
        .succeeds()
        .says(&["note: security score 70 is below warning threshold 75"])
        .prints("runs\n");
    for lower in ["59", "0"] {
        bed.run(&format!("run acme/tool@1.0.0 --warning-threshold {lower}"))
            .refuses(1, &[&format!("the warning threshold {lower} is lower than the configured 60")]);
    }
}

#[test]
fn what_is_blocked_never_starts() {
    let bed = TestBed::new();
    bed.configure(TEAM);
    bed.publish(&poor(Package::shell("acme/tool@1.0.0", "touch \"$HOME/proof/started\"; echo started")));
    let ran = bed.run("run acme/tool@1.0.0").refuses(
        4,
        &[
            "origin \"community\" is not allowed by policy (allowed origins: [official verified])",
            "certification level 0 (Integrity Verified) is below minimum required level 2 (Security Certified)",
            "security score 35 is below minimum required score 80",
        ],
    );
    insta::assert_snapshot!("blocked", ran);
    assert!(!bed.has("proof/started") && bed.list(".mcp/cache/runs").is_empty());
    bed.run("run --trust acme/tool@1.0.0").refuses(4, &["--trust answers questions; it never lifts a block"]);
    bed.run("run --json acme/tool@1.0.0").refuses(4, &["3 of 3 policies block it"]);
    assert!(!bed.has("proof/started"), "no flag lifts a block");
    bed.configure("");
    bed.run("run acme/tool@1.0.0").succeeds().prints("started\n");
    assert!(bed.has("proof/started"), "the proof works");
}

#[test]
fn what_only_warns_runs_and_says_so() {
    let bed = TestBed::new();
    bed.configure("policy: {allowed_origins: [official], min_cert_level: 3, cert_mode: warn, warning_threshold: 0}");
    bed.publish(&poor(Package::shell("acme/tool@1.0.0", "echo runs")));
    let ran = bed.run("run acme/tool@1.0.0").succeeds();
    insta::assert_snapshot!("warned", ran);
}

#[test]
fn a_low_score_under_warn_needs_consent() {
    let bed = TestBed::new();
    bed.configure("policy: {min_score: 80, score_mode: warn}");
    bed.publish(&poor(Package::shell("acme/tool@1.0.0", "touch \"$HOME/proof/started\"; echo runs")));
    let ran = bed.smcp("run acme/tool@1.0.0").input("y\n").run().refuses(4, &["pass --trust"]);
    insta::assert_snapshot!("nobody_to_ask", ran);
    assert!(!bed.has("proof/started"), "an answer in a pipe is nobody's");
    insta::assert_snapshot!("trusted", bed.run("run --trust acme/tool@1.0.0").succeeds());
    assert!(bed.has("proof/started"));
}

#[test]
fn a_dry_run_decides_and_starts_nothing() {
    let bed = TestBed::new();
    bed.configure(TEAM);
    let server = "touch \"$HOME/proof/started\"";
    bed.publish(&Package::shell("acme/good@1.0.0", server).facts("verified", 2, 85));
    bed.publish(&poor(Package::shell("acme/poor@1.0.0", server)));
    insta::assert_snapshot!("dry_run", bed.run("run --dry-run acme/good@1.0.0").succeeds());
    let blocked = bed.run("run --dry-run --json acme/poor@1.0.0").exits(4).silent();
    insta::assert_snapshot!("dry_run_blocked_json", blocked.document_shown(&bed));
    bed.configure("policy: {min_score: 80, cert_mode: warn}");
    insta::assert_snapshot!("dry_run_asks", bed.run("run --dry-run acme/poor@1.0.0").exits(4));
    bed.run("run --dry-run --trust acme/poor@1.0.0").succeeds();
    assert!(!bed.has("proof/started"));
}

#[test]
fn a_status_that_is_not_for_use_refuses_whatever_the_policies_say() {
    let bed = TestBed::new();
    bed.configure("policy: {cert_mode: disabled, origin_mode: disabled, score_mode: disabled}");
    for status in ["revoked", "quarantined", "draft", "ingested", "scanned"] {
        let package = Package::shell(&format!("acme/{status}@1.0.0"), "echo runs").good().option("--status", status);
        bed.publish(&package);
        bed.run(&format!("run --trust acme/{status}@1.0.0")).refuses(4, &[&format!("is `{status}`")]);
        let document = bed.run(&format!("policy check --trust --json acme/{status}@1.0.0")).exits(4).document();
        assert_eq!((&document["refusal"]["code"], &document["policies"]), (&json!("status"), &json!([])), "{status}");
    }
    insta::assert_snapshot!("revoked", bed.run("run --trust acme/revoked@1.0.0"));
    bed.publish(&Package::shell("acme/old@1.0.0", "echo runs").good().option("--status", "deprecated"));
    let ran = bed.run("run acme/old@1.0.0").succeeds().prints("runs\n");
    ran.says(&["note: the registry says that this version is deprecated"]);
}

#[test]
fn a_signal_to_smcp_ends_the_server() {
    let bed = TestBed::new();
    bed.configure("");
    let script = "trap 'echo ended; exit 9' TERM; echo ready; while read -r line; do :; done";
    bed.publish(&Package::shell("acme/tool@1.0.0", script).good());
    let mut smcp = bed.smcp("run acme/tool@1.0.0");
    let mut child = smcp.start();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
    let mut rest = String::new();
    // The end of the output proves that neither the server nor a child of it holds it.
    output.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("ended\n", Some(9)));
    assert_eq!(bed.list(".mcp/cache/runs"), [""; 0]);
}
