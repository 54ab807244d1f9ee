//! `smcp registry publish`: makes a package of a directory, or says why not.

use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::TestBed;

#[test]
fn a_directory_is_packed_and_published() {
    let bed = TestBed::new();
    let package = Package::greeter("acme/tool@1.0.0").facts("verified", 2, 85).option("--findings", "0,1,4,2");
    insta::assert_snapshot!("published", bed.try_publish(&package).succeeds());
    insta::assert_snapshot!("again", bed.try_publish(&Package::greeter("acme/tool@1.0.0").good()).succeeds());
    assert_eq!(bed.list("registry/packages/acme/tool"), ["1.0.0.json"]);
    bed.configure("");
    let document = bed.run("info --json acme/tool@1.0.0").document();
    assert_eq!(document["origin"].as_str().or(document["facts"]["origin"].as_str()), Some("official"), "{document}");
}

#[test]
fn a_version_never_changes() {
    let bed = TestBed::new();
    bed.publish(&Package::greeter("acme/tool@1.0.0").good());
    let changed = Package::greeter("acme/tool@1.0.0").file("more.txt", "more", 0o644).good();
    insta::assert_snapshot!("immutable", bed.try_publish(&changed).refuses(1, &["a version never changes"]));
}

#[test]
fn a_status_that_refuses_is_taken_back_by_a_word_alone() {
    let bed = TestBed::new();
    bed.configure("");
    let package = || Package::greeter("acme/tool@1.0.0").good();
    bed.publish(&package().option("--status", "quarantined"));
    bed.try_publish(&package()).refuses(4, &["acme/tool@1.0.0 is `quarantined`", "--status published"]);
    bed.run("policy check acme/tool@1.0.0").exits(4);
    bed.try_publish(&package().option("--status", "deprecated")).says(&["status quarantined → deprecated"]);
    bed.try_publish(&package()).succeeds().says(&["its bytes and its facts are the same"]);
    assert_eq!(bed.run("info --json acme/tool@1.0.0").document()["facts"]["status"], "deprecated");
}

#[test]
fn nothing_is_said_with_quiet_when_nothing_is_wrong() {
    let bed = TestBed::new();
    bed.configure("");
    let package = Package::greeter("acme/tool@1.0.0").good();
    bed.publish(&package);
    bed.try_publish(&Package::greeter("acme/tool@1.0.0").good().option("--quiet", "--include-secrets"))
        .succeeds()
        .silent();
    bed.run("-q pull acme/tool@1.0.0").succeeds().silent();
    let fetches = json!({"command": ["npx", "-y", "x"]});
    let noticed = Package::greeter("acme/other@1.0.0").entrypoint(fetches).option("--quiet", "--include-secrets");
    bed.try_publish(&noticed).succeeds().silent();
}

#[test]
fn what_is_not_a_package_is_not_published() {
    type Change = fn(&mut Value);
    let cases: [(&str, i32, Change, &str); 8] = [
        ("id", 3, |manifest| manifest["package"]["id"] = json!("acme/other"), "`acme/other`"),
        ("version", 3, |manifest| manifest["package"]["version"] = json!("2.0.0"), "`2.0.0`"),
        ("no-entry", 3, |manifest| drop(manifest.as_object_mut().unwrap().remove("entrypoint")), "entrypoint"),
        ("no-command", 3, |manifest| manifest["entrypoint"]["command"] = json!([]), "command"),
        ("certified", 1, |manifest| manifest["certification"] = json!({"level": 3}), "certification"),
        ("no-runtime", 3, |manifest| drop(manifest.as_object_mut().unwrap().remove("runtime")), "`runtime` is missing"),
        ("runtime", 3, |manifest| manifest["runtime"]["type"] = json!("ruby"), "one of node, python, binary"),
        ("schema", 3, |manifest| manifest["schema_version"] = json!("newest"), "schema_version"),
    ];
    let bed = TestBed::new();
    for (name, code, change, says) in cases {
        let package = Package::greeter(&format!("acme/{name}@1.0.0")).manifest(change).good();
        bed.try_publish(&package).refuses(code, &[says]);
        assert!(!bed.has("registry"), "{name}: no directory is made for nothing");
    }
}

#[test]
fn what_may_not_be_packed_is_named_with_the_way_out() {
    let bed = TestBed::new();
    let package = || Package::greeter("acme/tool@1.0.0").good().file(".env", "TOKEN=secret", 0o644);
    bed.write("bundles/acme-tool-1.0.0/.git/config", "[core]");
    std::os::unix::fs::symlink("server.py", bed.path("bundles/acme-tool-1.0.0/link")).unwrap();
    insta::assert_snapshot!("forbidden", bed.try_publish(&package()).refuses(1, &["--include-secrets"]));
    assert!(!bed.has("registry"), "no directory is made for nothing");
    bed.try_publish(&package().option("--exclude", ".git").option("--exclude", "/link")).refuses(1, &["`.env`"]);
    let without = package().option("--exclude", ".git").option("--exclude", "/link").option("--exclude", ".env");
    insta::assert_snapshot!("left_out", bed.try_publish(&without).succeeds());
}

#[test]
fn a_command_that_fetches_is_noticed_wherever_it_is_judged() {
    let bed = TestBed::new();
    let entrypoint = json!({"command": ["npx", "-y", "@modelcontextprotocol/server-filesystem"]});
    let package = Package::greeter("acme/tool@1.0.0").entrypoint(entrypoint).good();
    bed.try_publish(&package).succeeds().says(&["note: `npx` fetches what it runs when it starts"]);
    bed.configure("");
    for line in ["policy check acme/tool@1.0.0", "run --dry-run acme/tool@1.0.0", "info acme/tool@1.0.0"] {
        let document = bed.run(&format!("{line} --json")).succeeds().document();
        assert_eq!(document["notices"][0]["code"], "fetches-at-start", "{line}: {document}");
        let ran = bed.run(line).succeeds();
        assert!(format!("{ran}").contains("`npx` fetches what it runs"), "{ran}");
    }
    let entrypoint = json!({"command": ["node", "-r", "/opt/x.js", "server.js"]});
    let package = Package::greeter("acme/out@1.0.0").entrypoint(entrypoint).good();
    bed.try_publish(&package)
        .succeeds()
        .says(&["note: `node -r /opt/x.js` runs code that is in no file of the package"]);
    for line in ["policy check acme/out@1.0.0", "run --dry-run acme/out@1.0.0", "info acme/out@1.0.0"] {
        let document = bed.run(&format!("{line} --json")).succeeds().document();
        assert_eq!(document["notices"][0]["code"], "runs-elsewhere", "{line}: {document}");
    }
    let facts = r#"{"entrypoint": {"command": "sh", "args": ["-c", "uvx x"]}}"#;
    let document = bed.smcp("policy eval --json --facts -").input(facts).run().succeeds().document();
    assert!(document["notices"].to_string().contains("fetches-at-start"), "{document}");
    bed.publish(&Package::greeter("acme/other@1.0.0").good());
    assert_eq!(bed.run("policy check --json acme/other@1.0.0").document()["notices"], json!([]));
}

#[test]
fn a_wrong_command_line_publishes_nothing() {
    let bed = TestBed::new();
    bed.publish(&Package::greeter("acme/first@1.0.0"));
    let bundle = "bundles/acme-first-1.0.0";
    let cases = [
        (format!("registry publish acme/tool@1.0.0 {bundle}"), "--registry must name"),
        (format!("--registry r registry publish --exclude [x acme/tool@1.0.0 {bundle}"), "a `[` has no `]`"),
        (
            format!("--registry r registry publish --exclude !x acme/tool@1.0.0 {bundle}"),
            "only a line of a .smcpignore",
        ),
        (format!("--registry https://x.example registry publish acme/tool@1.0.0 {bundle}"), "only a directory"),
        ("--registry r registry publish acme/tool@1.0.0 gone".to_owned(), "while opening gone: No such file"),
        (format!("--registry r registry publish acme/tool@latest {bundle}"), "a version can be published"),
        (format!("--registry r registry publish --cert-level 4 acme/tool@1.0.0 {bundle}"), "from 0 to 3"),
        (format!("--registry r registry publish --score 101 acme/tool@1.0.0 {bundle}"), "from 0 to 100"),
        (format!("--registry r registry publish --findings 1,2 acme/tool@1.0.0 {bundle}"), "critical,high,medium,low"),
        (format!("--registry r registry publish --status gone acme/tool@1.0.0 {bundle}"), "published"),
        (format!("--registry r registry publish --origin= acme/tool@1.0.0 {bundle}"), "official, verified"),
    ];
    for (line, says) in cases {
        bed.run(&line).refuses(1, &[says]);
        assert!(!bed.has("r"), "{line}");
    }
}
