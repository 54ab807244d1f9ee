//! What policies and people are told of an imported package.

use serde_json::Value;
use serde_json::json;

use crate::bed::ROOT;
use crate::clients::Machine;

const REFERENCE: &str = "npm/acme.tool@1.2.3";

#[test]
fn facts_of_an_importer_are_called_so_and_others_are_absent() {
    let machine = Machine::new();
    machine.smcp("import --registry registry npm:@acme/tool").run().succeeds();
    machine.bed.configure("policy: {allowed_origins: [verified]}");
    let checked = machine.smcp(&format!("policy check {REFERENCE}")).run().exits(4);
    assert!(!checked.stdout.contains("facts by"), "{checked}");
    machine.smcp("import --registry registry npm:@acme/tool --origin verified --score 90").run().succeeds();
    let checked = machine.smcp(&format!("policy check {REFERENCE}")).run().succeeds();
    insta::assert_snapshot!("checked", checked);
    let info = machine.smcp(&format!("info --json {REFERENCE}")).run().document();
    let source = &info["source"];
    assert_eq!((&source["kind"], &source["facts_by"]), (&json!("npm"), &json!("importer")), "{info}");
}

#[test]
fn what_is_not_said_again_stays_and_what_changes_is_shown() {
    const IMPORT: &str = "import --registry registry npm:@acme/tool";
    let machine = Machine::new();
    machine.smcp(&format!("{IMPORT} --origin verified --score 90 --cert-level 1")).run().succeeds();
    let info = || machine.smcp(&format!("--registry registry info --json {REFERENCE}")).run().document();
    let first = info();
    machine.smcp(IMPORT).run().succeeds().says(&["was imported before; its bytes are the same"]);
    assert_eq!(info(), first, "the same manifest, and the same facts");
    let changed = machine.smcp(&format!("{IMPORT} --origin community")).run().succeeds();
    changed.says(&["has new facts; its bytes are the same", "origin verified → community"]);
    let changed = machine.smcp(&format!("--json {IMPORT} --score 10")).run().succeeds().document();
    assert_eq!(changed["changes"], json!([{"fact": "score", "from": "90", "to": "10"}]));
    let facts = &info()["facts"];
    assert_eq!((&facts["origin"], &facts["cert_level"], &facts["score"]), (&json!("community"), &json!(1), &json!(10)));
}

#[test]
fn an_import_takes_no_status_back_that_refuses() {
    const IMPORT: &str = "import --registry registry npm:@acme/tool";
    let machine = Machine::new();
    machine.smcp(IMPORT).run().succeeds();
    machine.smcp(&format!("{IMPORT} --status revoked")).run().succeeds().says(&["status published → revoked"]);
    machine.smcp(IMPORT).run().refuses(4, &["is `revoked` in this registry", "--status published"]);
    let run = format!("--registry registry run --trust {REFERENCE}");
    machine.smcp(&run).run().refuses(4, &["revoked"]);
    machine.smcp(&format!("{IMPORT} --status published")).run().succeeds().says(&["status revoked → published"]);
    machine.smcp(&run).run().succeeds();
    machine.is_clean();
}

#[test]
fn what_is_said_of_a_version_that_is_there_changes_without_its_registry() {
    let machine = Machine::new();
    machine.bed.write("permissions.json", r#"{"network": {"outbound": []}}"#);
    let import = "import --registry registry npm:@acme/tool@1.2.3";
    let whole =
        format!("{import} --variable TOKEN --permissions permissions.json --workdir-writable --origin verified");
    machine.smcp(&whole).run().succeeds();
    let info = || machine.smcp(&format!("--registry registry info --json {REFERENCE}")).run().document();
    let first = info();
    let away = |line: &str| {
        let mut smcp = machine.smcp(line);
        smcp = smcp.env("PATH", machine.bed.path("nothing"));
        smcp.run()
    };
    let changed = away(&format!("{import} --status revoked")).succeeds();
    let changed = changed.says(&["has new facts; its bytes are the same", "status published → revoked"]);
    assert!(!changed.stderr.contains("packed"), "{changed}");
    away(&format!("{import} --origin community")).refuses(4, &["is `revoked` in this registry", "--status published"]);
    away(&format!("{import} --status published --origin verified")).succeeds().says(&["status revoked → published"]);
    assert_eq!(info(), first, "the same manifest, and the same facts");
    away(&format!("{import} --origin verified")).succeeds().says(&["was imported before, with these facts"]);
    let changed = away(&format!("--json {import} --score 10 --cert-level 1")).succeeds().document();
    let expected =
        json!([{"fact": "level", "from": "unknown", "to": "1"}, {"fact": "score", "from": "unknown", "to": "10"}]);
    assert_eq!((&changed["changes"], &changed["known"]), (&expected, &json!(true)), "{changed}");
    assert_eq!((&changed["package"], &changed["source"]["kind"]), (&json!(REFERENCE), &json!("npm")), "{changed}");
    assert_eq!(info()["facts"]["score"], json!(10));
    // The same without the version in the line, once npm has said which one that is.
    machine.smcp("import --registry registry npm:@acme/tool --score 20").run().succeeds().says(&["score 10 → 20"]);
    // What is about the contents, or is another package, has to be fetched.
    let others =
        ["--status revoked --workdir-writable", "--status revoked --variable X", "--status revoked --bin other", ""];
    for options in others {
        assert_ne!(away(&format!("{import} {options}")).code, 0, "{options}");
    }
    assert_ne!(away("import --registry registry npm:acme.tool@1.2.3 --status revoked").code, 0);
    assert_ne!(away(&format!("{import} --status revoked --as acme/other@1.0.0")).code, 0);
    assert_eq!(info()["facts"]["status"], first["facts"]["status"]);
}

#[test]
fn permissions_that_nobody_has_stated_are_unknown_and_not_none() {
    let machine = Machine::new();
    machine.smcp("import --registry registry npm:@acme/tool").run().succeeds();
    let policy = format!("{ROOT}/examples/policies/dist/no_network.wasm");
    machine.bed.configure(&format!("policy: {{custom: [{{name: no-network, source: {policy}}}]}}"));
    let document = machine.smcp(&format!("policy check --json {REFERENCE}")).run().exits(4).document();
    let found: Vec<&Value> =
        document["policies"].as_array().unwrap().iter().filter(|policy| policy["name"] == "no-network").collect();
    assert_eq!(found[0]["outcome"], "violation", "{document}");
}

#[test]
fn only_an_import_says_where_a_package_comes_from() {
    let machine = Machine::new();
    let manifest = json!({
        "schema_version": 1, "package": {"id": "acme/tool", "version": "1.0.0"}, "runtime": {"type": "node"},
        "entrypoint": {"command": ["node"]}, "source": {"kind": "npm", "name": "x", "version": "1", "integrity": "x"},
    });
    machine.bed.write("bundle/manifest.json", manifest.to_string());
    let publish = "registry publish --registry registry acme/tool@1.0.0 bundle";
    machine.smcp(publish).run().refuses(1, &["a `source` block, which only `smcp import` writes"]);
    machine.bed.write("bundle/manifest.json", manifest.to_string().replace("\"source\"", "\"sauce\""));
    machine.smcp(publish).run().succeeds();
    let shown = machine.smcp("--registry registry info --provenance acme/tool@1.0.0").run();
    shown.refuses(1, &["was not imported"]);
}

#[test]
fn a_registry_that_says_something_else_than_the_bundle_is_found_out() {
    let machine = Machine::new();
    machine.smcp("import --registry registry npm:@acme/tool").run().succeeds();
    machine.bed.replace_manifest("npm/acme.tool", "1.2.3", |manifest, _| {
        let mut manifest = manifest.clone();
        manifest["source"]["name"] = "@evil/tool".into();
        manifest
    });
    let shown = machine.smcp(&format!("--registry registry info --provenance {REFERENCE}")).run();
    shown.refuses(3, &["the registry says that it is npm:@evil/tool@1.2.3"]);
}
