//! Follows a new project from nothing to the first refusal by a configuration, as its author would.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use serde_json::Value;
use serde_json::json;

use crate::bed::Invocation;
use crate::bed::Ran;
use crate::bed::TestBed;

/// The name of the policies that are begun.
pub(crate) const NAME: &str = "own-hosts";

/// What the toolchain of a language needs of the environment, besides an empty home.
pub(crate) type Toolchain = [(&'static str, OsString)];

/// The languages whose toolchains make the same bytes of the same sources. The others keep a picture of a memory, in which
/// places and hashes differ from one build to the next.
const REPRODUCIBLE: [&str; 3] = ["rust", "c", "go"];

/// Facts about a package that asks for these hosts.
fn asking(hosts: &[&str]) -> Value {
    json!({"permissions": {"network": hosts, "filesystem_read": [], "filesystem_write": [], "environment": [],
        "subprocess": false}})
}

/// Makes a project in an empty home, builds it, tries it in a configuration. Returns the home, and what the build printed.
#[track_caller]
pub(crate) fn follow(language: &str, toolchain: &Toolchain) -> (TestBed, Ran) {
    let bed = TestBed::new();
    bed.run(&format!("policy new {NAME} --lang {language}")).succeeds().prints("");
    is_apart_from_the_checkout(&bed.path(NAME));
    let with_tools = |line: &str| -> Invocation<'_> {
        toolchain.iter().fold(bed.smcp(line), |invocation, (name, value)| invocation.env(name, value))
    };
    let built = with_tools(&format!("policy build {NAME}")).run().succeeds();
    assert!(bed.has(&format!("{NAME}/{NAME}.wasm")), "{built}");
    let again = with_tools(&format!("policy build {NAME}")).run().succeeds();
    if REPRODUCIBLE.contains(&language) {
        assert_eq!(again.raw, built.raw, "the same sources make the same bytes");
    }
    // The entry has the digest of the file that is there now.
    let built = again;

    let tested = bed.run(&format!("policy test {NAME}")).succeeds();
    assert!(tested.stdout.contains("3 cases"), "{tested}");

    let (_, entry) = built.raw.split_once("\n\npolicy:").unwrap_or_else(|| panic!("{built}"));
    assert!(!entry.contains("settings"), "a new policy needs none: {built}");
    bed.configure(&format!("policy:{entry}"));
    bed.run("config validate").succeeds();
    let judged = |hosts: Option<&[&str]>, code: i32| {
        bed.write("facts.json", hosts.map_or(json!({}), asking).to_string());
        bed.run("--json policy eval --facts facts.json").exits(code).document()
    };
    let found = |document: &Value| {
        let policies = document["policies"].as_array().unwrap();
        let own = policies.iter().find(|policy| policy["name"] == NAME).unwrap();
        own["findings"].as_array().unwrap().iter().map(|it| json!([it["code"], it["message"]])).collect::<Vec<_>>()
    };
    let allowed = |allow: &str| bed.configure(&format!("policy:{}\n      settings: {allow}\n", entry.trim_end()));
    let host = |message: &str| vec![json!(["host-not-allowed", message])];
    assert_eq!(found(&judged(Some(&[]), 0)), Vec::<Value>::new());
    assert_eq!(found(&judged(None, 4)), [json!(["network-unknown", "what the server asks of the network is unknown"])]);
    let one = "the server asks for b.example, which is not allowed";
    assert_eq!(found(&judged(Some(&["b.example"]), 4)), host(one));
    allowed("{allow: [a.example, c.example]}");
    assert_eq!(found(&judged(Some(&["a.example", "c.example"]), 0)), Vec::<Value>::new());
    assert_eq!(found(&judged(Some(&["a.example", "b.example"]), 4)), host(one));
    let more = "the server asks for b.example and 1 more hosts that are not allowed";
    assert_eq!(found(&judged(Some(&["b.example", "d.example"]), 4)), host(more));
    for settings in ["{alow: []}", "{allow: a.example}", "{allow: [a.example, 7]}", "{allow: null}"] {
        allowed(settings);
        let ran = bed.run("config validate").exits(1);
        assert!(ran.stdout.contains("settings"), "{settings}: {ran}");
    }
    (bed, built)
}

/// No file of a project leads to the tree in which smcp was built.
#[track_caller]
fn is_apart_from_the_checkout(folder: &Path) {
    let checkout = Path::new(crate::bed::ROOT).canonicalize().unwrap();
    let mut todo = vec![folder.to_owned()];
    while let Some(path) = todo.pop() {
        let found = fs::symlink_metadata(&path).unwrap();
        assert!(!found.is_symlink(), "{}", path.display());
        if found.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains(checkout.to_str().unwrap()), "{} names the checkout", path.display());
        }
    }
}
