//! The configuration: mistakes are reported with their place, nothing runs.

use crate::bed::Package;
use crate::bed::TestBed;

/// A file with every possible mistake at once.
const WRONG: &str = "\
registry_url: ftp://registry
polcy: {}
start_timeout: 0s
policy:
  min_scor: 80
  cert_mode: Strict
  min_cert_level: 7
  min_score: 101
  allowed_origins: [offical]
  warning_threshold: null
  custom:
    - name: Bad Name
      mode: block
";

fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell("acme/tool@1.0.0", "touch \"$HOME/proof/started\"; echo runs").good());
    bed
}

#[test]
fn every_problem_is_said_at_once() {
    let bed = TestBed::new();
    bed.write(".mcp/config.yaml", WRONG);
    insta::assert_snapshot!("wrong", bed.run("config validate").refuses(1, &[]));
    let ran = bed.run("config validate --json").exits(1).silent();
    insta::assert_snapshot!("wrong_json", ran.document_shown(&bed));
}

#[test]
fn rules_that_can_not_be_reached_are_not_no_rules() {
    let cases = [
        ("nowhere", ".mcp/config.yaml", "~/.mcp/config.yaml", "No such file"),
        ("config.yaml", ".mcp/config.yaml", "~/.mcp/config.yaml", "symbolic links"),
        ("nowhere", ".mcp/policies.d", "~/.mcp/policies.d", "No such file"),
        // A folder of rules on a disk that is not mounted.
        ("/nowhere/mcp", ".mcp", "~/.mcp", "is a link that leads nowhere"),
        // As with an unreadable folder, the system doesn't show its contents.
        (".mcp", ".mcp", "~/.mcp", "symbolic links"),
    ];
    for (target, link, file, says) in cases {
        let bed = bed();
        std::fs::rename(bed.path(".mcp"), bed.path("put-away")).unwrap();
        std::fs::create_dir_all(bed.path(link).parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, bed.path(link)).unwrap();
        bed.run("run --registry registry acme/tool@1.0.0").refuses(1, &[file, says]);
        assert!(!bed.has("proof/started"), "{link} to {target}");
    }
}

#[test]
fn a_wrong_configuration_stops_every_command() {
    let bed = bed();
    bed.write(".mcp/config.yaml", "policy: {min_score: eighty}\n");
    bed.write("facts.json", "{}");
    let says = "~/.mcp/config.yaml:1:21: `policy.min_score`";
    for line in [
        "run acme/tool@1.0.0",
        "run --trust acme/tool@1.0.0",
        "run --json acme/tool@1.0.0",
        "run --dry-run acme/tool@1.0.0",
        "policy check acme/tool@1.0.0",
        "policy eval --facts facts.json",
        "policy list",
        "config show",
        "config validate",
        "info acme/tool@1.0.0",
        "pull acme/tool@1.0.0",
    ] {
        bed.run(line).refuses(1, &[says]);
    }
    for line in ["run --dry-run acme/tool@1.0.0", "policy check acme/tool@1.0.0", "policy list", "config show"] {
        let document = bed.run(&format!("--json {line}")).exits(1).silent().document();
        assert_eq!((&document["schema"], &document["code"]), (&"smcp.error/1".into(), &"config".into()), "{line}");
    }
    assert!(!bed.has("proof/started"));
}

#[test]
fn one_problem_has_its_place_and_a_way_out() {
    let cases = [
        ("policy: [", "config.yaml:"),
        ("policy:\n", "`policy`"),
        ("policy: strict\n", ":1:9: `policy`"),
        ("policy: {min_scor: 1}\n", ":1:10: unknown key `min_scor` in `policy`; did you mean `min_score`?"),
        ("policy: {cert_mode: Warn}\n", "did you mean `warn`? (allowed: strict, warn, disabled)"),
        ("policy: {cert_mode: off}\n", "did you mean `disabled`? (allowed: strict, warn, disabled)"),
        ("\u{feff}policy: {min_scor: 1}\n", ":1:10: unknown key `min_scor` in `policy`"),
        ("registry_url: registry.corp.example\n", "did you mean `https://registry.corp.example`?"),
        ("policy: {min_cert_level: 4}\n", "(allowed: a whole number from 0 to 3)"),
        ("policy: {min_score: -1}\n", "(allowed: a whole number from 0 to 100)"),
        ("policy: {min_score: 80.5}\n", "(allowed: a whole number from 0 to 100)"),
        ("policy: {min_score: '80'}\n", "(allowed: a whole number from 0 to 100)"),
        ("policy: {allowed_origins: null}\n", "`policy.allowed_origins`"),
        ("policy: {allowed_origins: official}\n", "`policy.allowed_origins`"),
        ("policy: {allowed_origins: [evil]}\n", "(allowed: official, verified, community)"),
        ("policy: {min_score: 1, min_score: 2}\n", "duplicate key `min_score`"),
        ("policy: {custom: [{name: x}]}\n", "is missing `source`"),
        ("policy: {custom: [{name: score, source: x.wasm}]}\n", "`policy.custom[0].name`"),
        ("policy: {custom: [{name: x, source: x.wasm, digest: sha256:00}]}\n", "`policy.custom[0].digest`"),
        ("---\npolicy: {}\n---\npolicy: {}\n", "a configuration is one document"),
        ("- a list\n", ":1:1:"),
        ("\u{0}", "config.yaml:"),
    ];
    let bed = bed();
    for (text, says) in cases {
        bed.write(".mcp/config.yaml", text);
        bed.run("run acme/tool@1.0.0").refuses(1, &["error: ~/.mcp/config.yaml:", says]);
    }
    bed.write(".mcp/config.yaml", b"policy: {}\n# \xff\n");
    bed.run("run acme/tool@1.0.0").refuses(1, &["config.yaml:2:3: this is not UTF-8"]);
    assert!(!bed.has("proof/started"));
}

#[test]
fn a_file_that_can_not_be_read_is_not_an_absent_one() {
    let bed = bed();
    bed.write("folder/x", "");
    std::fs::remove_file(bed.path(".mcp/config.yaml")).unwrap();
    std::fs::create_dir(bed.path(".mcp/config.yaml")).unwrap();
    bed.run("run acme/tool@1.0.0").refuses(1, &["~/.mcp/config.yaml: the configuration can't be read"]);
    std::fs::remove_dir(bed.path(".mcp/config.yaml")).unwrap();
    bed.run("--config folder run acme/tool@1.0.0").refuses(1, &["~/folder: the configuration can't be read"]);
    bed.run("--config gone.yaml run acme/tool@1.0.0")
        .refuses(1, &["~/gone.yaml: the configuration file does not exist"]);
    let named = |file: &str| bed.smcp("run acme/tool@1.0.0").env("SMCP_CONFIG", file).run();
    named("gone.yaml").refuses(1, &["~/gone.yaml: the configuration file does not exist", "SMCP_CONFIG"]);
    named("folder/x/below").refuses(1, &["~/folder/x/below: the configuration file does not exist"]);
    bed.smcp("policy list").without_env("HOME").run().refuses(1, &["HOME is not an absolute path"]);
    assert!(!bed.has("proof/started"));
}

#[test]
fn without_any_file_the_three_checks_run_and_it_is_said() {
    let bed = bed();
    std::fs::remove_file(bed.path(".mcp/config.yaml")).unwrap();
    insta::assert_snapshot!("none", bed.run("run --registry registry acme/tool@1.0.0").succeeds());
    let document = bed.run("policy check --json --registry registry acme/tool@1.0.0").succeeds().document();
    assert_eq!(document["policies"].as_array().unwrap().len(), 3);
    bed.write(".smcp/config.yaml", "policy: {min_score: 100}\n");
    insta::assert_snapshot!("legacy", bed.run("run --registry registry acme/tool@1.0.0").succeeds());
    bed.write(".mcp/config.yaml", "");
    bed.run("run --registry registry acme/tool@1.0.0").succeeds().silent();
}

#[test]
fn the_registry_may_be_named_by_a_variable() {
    let bed = bed();
    bed.write(".mcp/config.yaml", "registry_url: /nowhere\n");
    let registry = bed.path("registry");
    bed.smcp("run acme/tool@1.0.0").env("SMCP_REGISTRY", &registry).run().succeeds().prints("runs\n");
    bed.smcp("run --registry /elsewhere acme/tool@1.0.0")
        .env("SMCP_REGISTRY", &registry)
        .run()
        .refuses(2, &["/elsewhere"]);
    let client =
        bed.smcp("mcp-config --client cursor acme/tool@1.0.0").env("SMCP_REGISTRY", &registry).run().succeeds();
    assert!(client.stdout.contains("--registry"), "{client}");
}

#[test]
fn keys_of_other_tools_are_skipped_at_the_top_only() {
    let bed = bed();
    bed.configure("registry: https://x\ntimeout: 3\nmax_cpu: 1\n");
    insta::assert_snapshot!("foreign", bed.run("run acme/tool@1.0.0").succeeds());
    bed.configure("policy: {timeout: 3}\n");
    bed.run("run acme/tool@1.0.0").refuses(1, &["unknown key `timeout` in `policy`"]);
}

#[test]
fn the_named_file_wins() {
    let bed = bed();
    bed.configure("policy: {min_score: 100}\n");
    bed.write("flag.yaml", "registry_url: registry\n");
    bed.write("variable.yaml", "registry_url: registry\npolicy: {min_cert_level: 3, min_score: 99}\n");
    bed.run("run acme/tool@1.0.0").refuses(4, &["minimum required score 100"]);
    let variable = || bed.smcp("run acme/tool@1.0.0").env("SMCP_CONFIG", "variable.yaml");
    variable().run().refuses(4, &["minimum required score 99"]);
    variable().args(&["--config", "flag.yaml"]).run().succeeds().prints("runs\n");
}

#[test]
fn the_configuration_in_force_is_shown_with_who_chose_it() {
    let bed = bed();
    bed.configure("policy: {allowed_origins: [official], min_score: 70, cert_mode: warn, score_mode: strict}\n");
    insta::assert_snapshot!("show", bed.run("config show --cache-dir elsewhere").succeeds().silent());
    insta::assert_snapshot!("show_json", bed.run("config show --json").succeeds().document_shown(&bed));
    insta::assert_snapshot!("validate", bed.run("config validate").succeeds().silent());
    insta::assert_snapshot!("validate_json", bed.run("--json config validate").succeeds().document_shown(&bed));
    let shown = bed.run("config show").raw;
    bed.write("again.yaml", shown);
    bed.run("--config again.yaml config validate").succeeds().silent();
}

#[test]
fn the_schema_is_a_json_schema() {
    let schema: serde_json::Value = serde_json::from_str(&TestBed::new().run("config schema").succeeds().raw).unwrap();
    assert!(schema["$schema"].is_string());
    for key in ["registry_url", "policy", "cache_dir", "start_timeout"] {
        assert!(schema["properties"][key].is_object(), "{key}");
    }
}
