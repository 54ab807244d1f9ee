//! Policy sets: made, shown, named by layers, and what a start has of them.

use std::fs;
use std::path::Path;

use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::ROOT;
use crate::bed::TestBed;

const TOOL: &str = "acme/tool@1.0.0";

/// Writes the folder of a set, and makes its archive at `output`.
fn build(bed: &TestBed, output: &str, version: u64, policy: &str) {
    write(bed, "company", version, policy);
    bed.run(&format!("policy set build company -o {output}")).succeeds().silent();
}

fn write(bed: &TestBed, folder: &str, version: u64, policy: &str) {
    let contact = "admin_contact: \"#rules\"";
    let text = format!("version: {version}\nexpires: 2199-12-31T00:00:00Z\n{contact}\npolicy: {policy}\n");
    bed.write(&format!("{folder}/set.yaml"), text);
}

fn no_network() -> Vec<u8> {
    fs::read(format!("{ROOT}/examples/policies/dist/no_network.wasm")).unwrap()
}

/// A package with score 80 that leaves a file when it is started.
fn publish(bed: &TestBed) {
    let tool = Package::shell(TOOL, "touch \"$HOME/proof/started\"").manifest(|manifest| {
        manifest["permissions"]["network"]["outbound"] = json!(["api.example.com"]);
    });
    bed.publish(&tool.good());
}

#[test]
fn the_same_folder_gives_the_same_bytes_everywhere() {
    let (one, other) = (TestBed::new(), TestBed::new());
    for bed in [&one, &other] {
        write(
            bed,
            "rules",
            7,
            "{min_score: 80, exceptions: [{package: acme/legacy, policies: [score, no-network], reason: migration, until: 2099-01-31}]}",
        );
        bed.write("rules/policies.d/no-network.wasm", no_network());
        bed.write(
            "rules/policies.d/no-network.yaml",
            "source: no-network.wasm\nmode: warn\nsettings: {allow: [api.example.com]}\n",
        );
        bed.write("rules/.git/HEAD", "left out");
    }
    let built = one.run("policy set build rules").succeeds().silent();
    insta::assert_snapshot!("set_built", built.to_string());
    other.run("policy set build rules/ -o out.tar.gz").succeeds();
    assert!(fs::read(one.path("rules.tar.gz")).unwrap() == fs::read(other.path("out.tar.gz")).unwrap());
    insta::assert_snapshot!("set_shown", one.run("policy set show rules.tar.gz").succeeds().silent().to_string());
    let shown = one.run("policy set show --json rules.tar.gz").succeeds().silent();
    insta::assert_snapshot!("set_shown_json", shown.document_shown(&one));
    // What was only looked at is not remembered.
    assert!(!one.has(".mcp/seen.json"));
}

#[test]
fn a_set_that_no_machine_would_accept_is_not_made() {
    for (folder, text, says) in [
        (
            "set.yaml",
            "version: 1\nexpires: 2199-12-31T00:00:00Z\npolicy: {min_scor: 1}\n",
            "set.yaml:3:10: unknown key",
        ),
        ("set.yaml", "version: 1\nexpires: 2001-12-31T00:00:00Z\npolicy: {}\n", "put a later `expires`"),
        ("notes.md", "text", "notes.md: a policy set has no such file"),
        ("policies.d/more/a.yaml", "source: a.wasm", "while reading"),
        ("policies.d/a.yaml", "source: a.wasm", "which is not in the set"),
        ("policies.d/a.wasm", "text", "policies.d/a.wasm is not a policy"),
        (
            "policies.d/no-network.yaml",
            "source: no-network.wasm\nsettings: {alow: []}\n",
            "no-network` can't do its work (settings)",
        ),
    ] {
        let bed = TestBed::new();
        write(&bed, "company", 1, "{}");
        bed.write("company/policies.d/no-network.wasm", no_network());
        bed.write(&format!("company/{folder}"), text);
        bed.run("policy set build company").refuses(1, &[says]);
        assert!(!bed.has("company.tar.gz"), "{folder}");
    }
    let bed = TestBed::new();
    bed.write("damaged.tar.gz", "text");
    bed.run("policy set show damaged.tar.gz").refuses(3, &["damaged.tar.gz is not the archive of a set"]);
    bed.run("policy set show none.tar.gz").refuses(1, &["none.tar.gz"]);
    bed.run("policy set build none").refuses(1, &["none"]);
    write(&bed, "company", 1, "{}");
    let text = bed.read("company/set.yaml");
    bed.run("policy set build company -o ./company/set.yaml").refuses(1, &["is no archive of a set"]);
    bed.run("policy set pull oci://localhost:1/none:1 -o ./company/set.yaml").refuses(1, &["is no archive of a set"]);
    assert_eq!(bed.read("company/set.yaml"), text);
}

#[test]
fn a_set_is_a_layer_that_only_adds() {
    for (own, set, exit) in [
        ("{}", "{min_score: 70}", 0),
        ("{}", "{min_score: 99}", 4),
        ("{min_score: 99}", "{min_score: 0, score_mode: disabled}", 4),
        ("{min_score: 99}", "{exceptions: [{package: acme/tool, policies: [score], reason: r, until: 2199-01-01}]}", 4),
        ("{allowed_origins: []}", "{origin_mode: warn}", 4),
    ] {
        let bed = TestBed::new();
        publish(&bed);
        build(&bed, "set.tar.gz", 3, set);
        let rules = own.trim_matches(['{', '}']);
        let comma = if rules.is_empty() { "" } else { ", " };
        bed.configure(&format!("policy: {{{rules}{comma}policy_set: {{source: ../set.tar.gz}}}}\n"));
        let document = bed.run(&format!("policy check --json {TOOL}")).exits(exit).silent().document();
        let layers: Vec<_> = document["policies"].as_array().unwrap().iter().map(|policy| &policy["layer"]).collect();
        assert_eq!(layers, ["user", "user", "user", "user/set", "user/set", "user/set"]);
        assert_eq!(document["facts"]["believed_by"], json!(["user", "user/set"]));
        let ran = bed.run(&format!("run {TOOL}"));
        assert_eq!((ran.code, bed.has("proof/started")), (exit, exit == 0), "{own} | {set}: {ran}");
    }
}

#[test]
fn a_set_of_an_administrator_and_one_of_the_user_both_count() {
    let bed = TestBed::new();
    publish(&bed);
    build(&bed, "user.tar.gz", 5, "{min_score: 70}");
    bed.write("company/policies.d/no-network.wasm", no_network());
    build(&bed, "added.tar.gz", 9, "{min_score: 60}");
    let registry = bed.path("registry");
    let added = format!("registry_url: {}\npolicy: {{policy_set: {{source: added.tar.gz}}}}\n", registry.display());
    bed.write("added.yaml", added);
    bed.configure("policy: {policy_set: {source: ../user.tar.gz}}\n");
    let smcp = |line: &str| bed.smcp(line).env("SMCP_SYSTEM_CONFIG", bed.path("added.yaml")).run();
    let refused = smcp(&format!("run {TOOL}")).exits(4);
    assert!(!bed.has("proof/started"));
    refused.says(&["no-network", "added/set", "ask: #rules (added/set layer)"]);
    let listed = smcp("policy list --json").succeeds().document();
    let rows = listed["policies"].as_array().unwrap();
    let layers: Vec<_> = rows.iter().map(|row| row["layer"].as_str().unwrap()).collect();
    let expected = [vec!["added"; 3], vec!["added/set"; 4], vec!["user"; 3], vec!["user/set"; 3]].concat();
    assert_eq!(layers, expected);
    // The record says which versions were in force.
    let record = records(&bed).pop().unwrap();
    let sets = record["sets"].as_array().unwrap();
    let of = |set: &Value| (set["layer"].clone(), set["version"].clone());
    assert_eq!(
        sets.iter().map(of).collect::<Vec<_>>(),
        [(json!("added/set"), json!(9)), (json!("user/set"), json!(5))]
    );
    let shown = smcp("config show --json").succeeds().document();
    let layers = shown["layers"].as_array().unwrap();
    assert_eq!(layers[1]["set"]["version"], 9);
    assert_eq!(layers[1]["trusted_registries"]["value"], json!([registry.to_str().unwrap()]));
    assert_eq!(layers[0]["set"], Value::Null);
    let doctor = smcp("doctor");
    assert!(doctor.stdout.contains("added/set layer: version 9 of"), "{doctor}");
}

fn records(bed: &TestBed) -> Vec<Value> {
    bed.read(".mcp/audit.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_is_not_right_never_replaces_the_last_good_set() {
    let bed = TestBed::new();
    publish(&bed);
    bed.configure("policy: {policy_set: {source: ../set.tar.gz, minimum: 3}}\n");
    let run = format!("run {TOOL}");
    // A machine that has seen none.
    bed.run(&run).refuses(2, &["set.tar.gz, can't be read", "nothing starts without a good set"]);
    build(&bed, "set.tar.gz", 2, "{}");
    bed.run(&run).refuses(3, &["has version 2, and the configuration accepts none before 3"]);
    bed.write("set.tar.gz", "damaged");
    bed.run(&run).refuses(3, &["is not the archive of a set"]);
    for (line, exit) in [("config validate", 3), ("policy list", 3), ("doctor", 1)] {
        let ran = bed.run(line).exits(exit);
        assert!(format!("{}{}", ran.stdout, ran.stderr).contains("is not the archive of a set"), "{ran}");
    }
    assert!(!bed.has("proof/started") && !bed.has(".mcp/seen.json"));
    // A program gets each problem of the rules in it with its place.
    let files =
        [("set.yaml".to_owned(), b"version: 3\nexpires: 2199-01-01T00:00:00Z\npolicy: {min_scor: 1}\n".to_vec())];
    bed.write("set.tar.gz", smcp_bundle::set::pack_set(&files.into()).unwrap());
    let problem = bed.run("policy list --json").exits(3).document();
    assert_eq!((&problem["code"], &problem["problems"][0]["line"]), (&json!("set-invalid"), &json!(3)), "{problem}");
    assert_eq!(problem["problems"][0]["path"], "policy.min_scor");
    // Everything after a good one.
    build(&bed, "set.tar.gz", 7, "{min_score: 99}");
    bed.run(&run).exits(4);
    let stays = "version 7 stays in force, until";
    build(&bed, "set.tar.gz", 6, "{}");
    bed.run(&run).exits(4).says(&["has version 6, and this machine has seen version 7", stays]);
    build(&bed, "set.tar.gz", 7, "{}");
    bed.run(&run).exits(4).says(&["a version that is published does not change", stays]);
    bed.write("set.tar.gz", "damaged");
    bed.run(&run).exits(4).says(&["is not the archive of a set", stays]);
    fs::remove_file(bed.path("set.tar.gz")).unwrap();
    fs::remove_dir_all(bed.path(".mcp/cache")).unwrap();
    bed.run(&run).exits(4).says(&["can't be read", stays]);
    assert!(!bed.has("proof/started"));
    // Another home has seen nothing, and another layer's source neither.
    build(&bed, "set.tar.gz", 8, "{min_score: 80}");
    bed.run(&run).succeeds();
    assert!(bed.has("proof/started"));
    let seen: Value = serde_json::from_str(&bed.read(".mcp/seen.json")).unwrap();
    assert_eq!((&seen["sets"][0]["version"], &seen["sets"][0]["layer"]), (&json!(8), &json!("user/set")));
}

#[test]
fn a_client_is_told_why_nothing_starts() {
    let bed = TestBed::new();
    bed.configure("policy: {policy_set: {source: ../set.tar.gz}}\n");
    let question = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\"}\n";
    let told = bed.smcp(&format!("run {TOOL}")).input(question).run().exits(2);
    let answer: Value = serde_json::from_str(told.raw.lines().next().unwrap()).unwrap();
    assert!(answer["error"]["message"].as_str().unwrap().contains("policy set"), "{answer}");
}

#[test]
fn a_set_that_somebody_else_may_write_starts_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let bed = TestBed::new();
    publish(&bed);
    build(&bed, "set.tar.gz", 1, "{}");
    bed.configure("policy: {policy_set: {source: ../set.tar.gz}}\n");
    let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    open(&bed.path("set.tar.gz"), 0o666);
    bed.run(&format!("run {TOOL}"))
        .refuses(1, &["policy set of the user/set layer could be somebody else's", "chmod go-w"]);
    let says =
        ["look at what it holds, then run: chmod go-w", "nothing is remembered", "until then `smcp run` refuses it"];
    for command in ["config validate", "policy list", &format!("policy check {TOOL}")] {
        bed.run(command).succeeds().says(&says);
        assert!(!bed.has(".mcp/seen.json") && !bed.has(".mcp/sets"), "{command}");
    }
    open(&bed.path("set.tar.gz"), 0o644);
    bed.run(&format!("policy check {TOOL}")).succeeds();
    open(&bed.path(".mcp/seen.json"), 0o666);
    bed.run(&format!("run {TOOL}")).refuses(1, &["seen.json"]);
    assert!(!bed.has("proof/started"));
}

#[test]
fn a_source_that_can_not_be_meant_is_an_error_of_the_configuration() {
    let bed = TestBed::new();
    for (source, says) in [
        ("oci://registry.example/rules", "nothing says who makes `oci://registry.example/rules`"),
        ("https://example.com/rules.tar.gz", "nothing says who makes `https://example.com/rules.tar.gz`"),
        (
            "registry.example/rules:7",
            "`policy.policy_set.source` is the text `registry.example/rules:7`: an artefact in a",
        ),
        ("folder/", "`policy.policy_set.source` is the text `folder/`: it names no file"),
    ] {
        bed.configure(&format!("policy: {{policy_set: {{source: {source}}}}}\n"));
        bed.run("policy list").refuses(1, &[says]);
    }
    for (entry, says) in [
        ("{}", "`policy.policy_set` is missing `source`"),
        ("{source: a, max_age: 400d}", "at most 365d"),
        ("{source: a, refresh: 0s}", "at most 30d"),
        ("{source: a, minimum: 0}", "a whole number from 1"),
        ("{file: a}", "did you mean `source`?"),
    ] {
        bed.configure(&format!("policy: {{policy_set: {entry}}}\n"));
        bed.run("policy list").exits(1).says(&[says]);
    }
}
