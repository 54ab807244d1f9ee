//! The command line: help for every command, and which lines are accepted.

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
        "policy diff",
        "policy test",
        "policy bench",
        "policy list",
        "policy inspect",
        "policy schema",
        "policy compile",
        "policy new",
        "policy build",
        "config",
        "config show",
        "config validate",
        "config schema",
        "registry",
        "registry publish",
        "info",
        "pull",
        "mcp-config",
        "scan",
        "login",
        "logout",
        "audit",
        "audit verify",
        "audit tail",
        "audit show",
        "audit export",
        "doctor",
        "completions",
        "man",
        "version",
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
fn version_says_what_it_is_made_of() {
    let bed = TestBed::new();
    let version = env!("CARGO_PKG_VERSION");
    bed.run("version").succeeds().silent().prints(&format!("smcp {version}\n"));
    let ran = bed.run("version --verbose").succeeds();
    let words: Vec<_> = ran.stdout.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(words, ["smcp", "interface", "wasmtime", "target"], "{ran}");
    let document = bed.run("version --json").succeeds().silent().document();
    assert_eq!((&document["schema"], &document["version"]), (&"smcp.version/1".into(), &version.into()));
    assert!(ran.stdout.contains(document["interface"].as_str().unwrap()), "{ran}");
}

#[test]
fn every_shell_gets_all_commands() {
    let bed = TestBed::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = bed.run(&format!("completions {shell}")).succeeds().silent();
        for word in ["mcp-config", "env-file", "validate"] {
            assert!(ran.stdout.contains(word), "{shell} has no {word}");
        }
    }
    bed.run("completions tcsh").refuses(1, &["[possible values: bash, elvish, fish, powershell, zsh]"]);
}

#[test]
fn manual_pages_are_printed_or_written() {
    let bed = TestBed::new();
    let whole = bed.run("man").succeeds().silent();
    assert!(whole.stdout.contains(".TH smcp 1") && whole.stdout.contains("smcp\\-run(1)"), "{whole}");
    let check = bed.run("man policy check").succeeds().silent();
    assert!(check.stdout.contains(".TH smcp-policy-check 1"), "{check}");
    bed.run("man nonsense").refuses(1, &["there is no command `smcp nonsense`"]);
    bed.run("man --dir share/man1").succeeds().says(&["pages are in share/man1"]);
    let pages = bed.list("share/man1");
    for page in ["smcp.1", "smcp-run.1", "smcp-policy-check.1"] {
        assert!(pages.iter().any(|found| found == page), "{pages:?}");
    }
}

#[test]
fn a_line_that_is_not_understood_is_a_usage_error() {
    let cases = [
        ("", "Usage: smcp"),
        ("rum", "similar subcommand exists: 'run'"),
        ("acme/tool@1.0.0", "did you mean `smcp run acme/tool@1.0.0`?"),
        ("search files", "there is no search; `smcp registry list`"),
        ("run @scope/tool", "it is the name of an npm package"),
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
