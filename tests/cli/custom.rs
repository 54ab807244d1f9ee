//! A custom policy beside the built-in ones, in every mode.

use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::ROOT;
use crate::bed::Ran;
use crate::bed::TestBed;

/// A bed with a package that asks for two hosts, and the example policy in `~/.mcp/policies`.
fn bed() -> TestBed {
    let bed = TestBed::new();
    let component = std::fs::read(format!("{ROOT}/examples/policies/dist/no_network.wasm")).unwrap();
    bed.write(".mcp/policies/no_network.wasm", component);
    let ask = |manifest: &mut Value| manifest["permissions"]["network"]["outbound"] = json!(["api.example.com", "*"]);
    bed.publish(&Package::shell("acme/tool@1.0.0", "echo runs").manifest(ask).good());
    bed.publish(&Package::shell("acme/quiet@1.0.0", "echo runs").good());
    bed
}

/// Configures one custom policy with more keys, and runs a package.
fn run(bed: &TestBed, keys: &str, reference: &str) -> Ran {
    let source = if keys.contains("source:") { "" } else { "source: policies/no_network.wasm" };
    bed.configure(&format!("policy:\n  custom:\n    - {{name: no-network, {keys} {source}}}\n"));
    bed.run(&format!("run {reference}"))
}

#[test]
fn it_blocks_warns_or_silent_by_its_mode() {
    let bed = bed();
    insta::assert_snapshot!("strict", run(&bed, "", "acme/tool@1.0.0").exits(4));
    insta::assert_snapshot!("warn", run(&bed, "mode: warn,", "acme/tool@1.0.0").succeeds());
    run(&bed, "mode: disabled,", "acme/tool@1.0.0").succeeds().silent().prints("runs\n");
    run(&bed, "", "acme/quiet@1.0.0").succeeds().silent().prints("runs\n");
}

#[test]
fn its_settings_are_its_own_to_judge() {
    let bed = bed();
    let settings = |text: &str| format!("settings: {{{text}}},");
    let allowed = settings("allow: [api.example.com, '*']");
    run(&bed, &allowed, "acme/tool@1.0.0").succeeds().silent().prints("runs\n");
    run(&bed, &settings("allow: [api.example.com]"), "acme/tool@1.0.0")
        .refuses(4, &["the server asks for network hosts that are not allowed: * (allowed hosts: [api.example.com])"]);
    insta::assert_snapshot!("bad_settings", run(&bed, &settings("alow: [x]"), "acme/quiet@1.0.0").exits(4));
    run(&bed, &format!("mode: warn, {}", settings("allow: 7")), "acme/quiet@1.0.0")
        .succeeds()
        .prints("runs\n")
        .says(&["fault: settings → warn"]);
    run(&bed, &format!("mode: disabled, {}", settings("allow: 7")), "acme/quiet@1.0.0").succeeds().silent();
}

#[test]
fn under_confirm_a_warning_is_a_question() {
    let bed = bed();
    run(&bed, "mode: warn, on_warn: confirm,", "acme/tool@1.0.0").refuses(4, &["pass --trust"]);
    bed.run("run --trust acme/tool@1.0.0").succeeds().prints("runs\n");
}

#[test]
fn another_component_than_the_pinned_one_runs_nothing() {
    let bed = bed();
    let pin = format!("digest: 'sha256:{}',", "0".repeat(64));
    for mode in ["strict", "warn"] {
        let ran = run(&bed, &format!("mode: {mode}, {pin}"), "acme/quiet@1.0.0").exits(3).prints("");
        insta::assert_snapshot!(format!("wrong_pin_{mode}"), ran);
    }
    run(&bed, &format!("mode: disabled, {pin}"), "acme/quiet@1.0.0").succeeds().prints("runs\n");
    let inspected = bed.run("policy inspect --json .mcp/policies/no_network.wasm").document();
    let found = inspected["digest"].as_str().unwrap();
    for line in ["config validate", "policy list", "doctor"] {
        bed.configure(&format!("policy: {{custom: [{{name: n, source: policies/no_network.wasm, {pin}}}]}}\n"));
        let ran = bed.run(line);
        // The digest is complete, since it is meant to be copied.
        assert!(ran.raw.contains(found) && ran.raw.contains(&"0".repeat(64)), "{ran}");
    }
    let right = format!("digest: '{found}',");
    run(&bed, &right, "acme/quiet@1.0.0").succeeds().silent().prints("runs\n");
}

#[test]
fn a_missing_component_is_a_fault_of_its_policy() {
    let bed = bed();
    let gone = "source: gone.wasm,";
    insta::assert_snapshot!("missing", run(&bed, gone, "acme/quiet@1.0.0").exits(4));
    run(&bed, &format!("mode: warn, {gone}"), "acme/quiet@1.0.0")
        .succeeds()
        .prints("runs\n")
        .says(&["fault: load → warn", "gone.wasm: No such file"]);
    run(&bed, &format!("mode: disabled, {gone}"), "acme/quiet@1.0.0").succeeds().silent().prints("runs\n");
    bed.write(".mcp/text.wasm", "this is no component");
    run(&bed, "source: text.wasm,", "acme/quiet@1.0.0").refuses(4, &["fault: load → block", "not a component"]);
}

/// The remedy depends on what is wrong with the file.
#[test]
fn a_file_that_is_no_component_is_told_apart_by_what_it_is() {
    let bed = bed();
    let policies = bed.path(".mcp/policies");
    std::fs::create_dir(policies.join("folder.wasm")).unwrap();
    nix::unistd::mkfifo(&policies.join("pipe.wasm"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    bed.write(".mcp/policies/page.wasm", "<!DOCTYPE html>\n<title>no_network.wasm</title>");
    std::fs::File::create(policies.join("large.wasm")).unwrap().set_len((32 << 20) + 1).unwrap();
    for (file, says, remedy) in [
        ("folder.wasm", "folder.wasm: it is not a regular file", "name the component's file itself"),
        ("pipe.wasm", "pipe.wasm: it is not a regular file", "name the component's file itself"),
        ("large.wasm", "large.wasm has [SIZE] bytes, and a component may have 33554432", "build it smaller"),
        ("page.wasm", "page.wasm is a web page (HTML), not a component", "download the file itself"),
        ("gone.wasm", "gone.wasm: No such file", "check `source`"),
    ] {
        let source = format!("source: policies/{file},");
        run(&bed, &source, "acme/quiet@1.0.0").refuses(4, &["fault: load → block", says, remedy]);
    }
    // `inspect` reports the same about the contents as a run.
    for (file, says, remedy) in [
        ("large.wasm", "(load): it has [SIZE] bytes, and a component may have 33554432", "build it smaller"),
        ("page.wasm", "(load): it is a web page (HTML), not a component", "download the file itself"),
    ] {
        bed.run(&format!("policy inspect .mcp/policies/{file}")).refuses(1, &[file, says, remedy]);
    }
}

#[test]
fn it_is_listed_checked_and_inspected() {
    let bed = bed();
    bed.configure(
        "policy:\n  custom:\n    - {name: good, source: policies/no_network.wasm}\n    - {name: bad, source: \
         policies/no_network.wasm, settings: {alow: []}}\n    - {name: gone, source: gone.wasm, mode: warn}\n    - \
         {name: asleep, source: gone.wasm, mode: disabled}\n",
    );
    insta::assert_snapshot!("list", bed.run("policy list").succeeds());
    insta::assert_snapshot!("list_json", bed.run("policy list --json").succeeds().document_shown(&bed));
    insta::assert_snapshot!("validate", bed.run("config validate").exits(1));
    insta::assert_snapshot!("validate_json", bed.run("config validate --json").exits(1).document_shown(&bed));
    insta::assert_snapshot!("inspect", bed.run("policy inspect .mcp/policies/no_network.wasm").succeeds());
    let inspected = bed.run("policy inspect --json .mcp/policies/no_network.wasm").succeeds();
    insta::assert_snapshot!("inspect_json", inspected.document_shown(&bed));
}

/// Each problem stands at its line and column, whether the component was asked now or its answer was kept.
#[test]
fn a_wrong_setting_has_its_place() {
    let bed = bed();
    bed.configure(
        "policy:\n  custom:\n    - name: no-network\n      source: policies/no_network.wasm\n      settings:\n        \
         allow: [a.example, 7]\n        alow: []\n",
    );
    bed.write(".mcp/policies.d/other.yaml", "source: ../policies/no_network.wasm\nsettings: 7\n");
    for _ in 0..2 {
        let ran = bed.run("config validate").exits(1);
        for line in [
            "~/.mcp/config.yaml:7:28: `settings/allow/1`: ",
            "~/.mcp/config.yaml:8:15: `settings/alow`: ",
            "~/.mcp/policies.d/other.yaml:2:11: `settings`: ",
        ] {
            assert!(ran.stdout.contains(line), "{line}: {ran}");
        }
        let document = bed.run("config validate --json").exits(1).document();
        let problems = &document["policies"][3]["fault"]["settings"];
        assert_eq!(problems[0]["path"], "/allow/1", "{document}");
        assert_eq!(problems[0]["at"], "~/.mcp/config.yaml:7:28", "{document}");
    }
}
