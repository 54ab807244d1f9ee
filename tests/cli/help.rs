//! The command line: help for every command, and which lines are understood.

use crate::bed::TestBed;

#[test]
fn every_command_has_help() {
    let bed = TestBed::new();
    for command in [
        "",
        "run",
        "policy",
        "policy check",
        "policy eval",
        "policy list",
        "policy inspect",
        "config",
        "config show",
        "config validate",
        "config schema",
        "registry",
        "registry publish",
        "info",
        "pull",
        "mcp-config",
        "login",
        "logout",
        "audit",
        "audit verify",
        "audit tail",
        "audit show",
        "doctor",
    ] {
        let name = format!("help {command}").trim_end().replace(' ', "_");
        insta::assert_snapshot!(name, bed.run(&format!("{command} --help")).succeeds().silent());
        bed.run(&format!("help {command}")).succeeds().silent();
    }
}

#[test]
fn the_version_is_on_standard_output() {
    let version = format!("smcp {}\n", env!("CARGO_PKG_VERSION"));
    TestBed::new().run("--version").succeeds().silent().prints(&version);
}

#[test]
fn a_line_that_is_not_understood_is_a_usage_error() {
    let cases = [
        ("", "Usage: smcp"),
        ("rum", "similar subcommand exists: 'run'"),
        ("run", "<REF>"),
        ("run --nonsense acme/tool@1.0.0", "--nonsense"),
        ("run acme/tool@1.0.0 surplus", "surplus"),
        ("run --timeout soon acme/tool@1.0.0", "--timeout"),
        ("run --timeout -1s acme/tool@1.0.0", "-1"),
        ("run --timeout 0s acme/tool@1.0.0", "a duration above zero"),
        ("run --warning-threshold 101 acme/tool@1.0.0", "from 0 to 100"),
        ("run --warning-threshold 50.5 acme/tool@1.0.0", "from 0 to 100"),
        ("run --color sometimes acme/tool@1.0.0", "[possible values: auto, always, never]"),
        ("policy", "Usage: smcp policy"),
        ("policy eval", "--facts"),
        ("policy inspect", "<FILE.wasm>"),
        ("config", "Usage: smcp config"),
        ("registry publish", "<ORG/NAME@VERSION>"),
        ("policy list --trust", "--trust"),
        ("info --trust acme/tool@1.0.0", "--trust"),
    ];
    let bed = TestBed::new();
    for (line, says) in cases {
        bed.run(line).refuses(1, &[says]);
    }
    let document = bed.run("--json policy check").exits(1).silent().document();
    assert_eq!((&document["schema"], &document["code"]), (&"smcp.error/1".into(), &"usage".into()));
    bed.run("--json run").refuses(1, &["<REF>"]);
}

#[test]
fn global_options_stand_before_or_behind() {
    let bed = TestBed::new();
    bed.write("c.yaml", "");
    for line in [
        "--config c.yaml policy list",
        "policy list --config c.yaml",
        "policy --config=c.yaml list",
        "-v --json --color never --registry r --cache-dir c policy list --config c.yaml",
        "-vv policy list --config c.yaml",
    ] {
        bed.run(line).succeeds();
    }
    bed.run("--config c.yaml --config c.yaml policy list").refuses(1, &["cannot be used multiple times"]);
}
