//! Runs a case through the built binary: `smcp policy eval`, code and document.

use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use serde_json::Value;

use crate::bed::Bed;
use crate::expect::Observed;
use crate::table::Case;

/// Runs a case.
pub(crate) fn observe(case: &Case, bed: &Bed) -> Observed {
    let output = eval(case, bed, &["--json"]);
    let exit = code(&output);
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{}: {error}, stderr: {}", case.name, String::from_utf8_lossy(&output.stderr)));
    assert_eq!(document["exit_code"], exit, "{}: the document and the process agree", case.name);
    match document["schema"].as_str() {
        Some("smcp.error/1") => Observed::error(exit, text(&document["message"])),
        Some("smcp.decision/1") => decision(&document, exit),
        other => panic!("{}: a document of the schema {other:?}", case.name),
    }
}

/// Returns the output for a person. After an error, standard output is empty, since it belongs to documents.
pub(crate) fn shown(case: &Case, bed: &Bed) -> String {
    let output = eval(case, bed, &[]);
    if case.expect.is_error() {
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{}: nothing on standard output", case.name);
    }
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the program under test is a process of its own")]
fn eval(case: &Case, bed: &Bed, global: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_smcp"))
        .env_clear()
        .env("HOME", bed.folder())
        .current_dir(bed.folder())
        .args(global)
        .arg("--config")
        .arg(bed.config())
        .args(["policy", "eval", "--facts"])
        .arg(bed.facts())
        .args(&case.args)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn code(output: &Output) -> u8 {
    output.status.code().and_then(|code| code.try_into().ok()).unwrap()
}

fn decision(document: &Value, exit: u8) -> Observed {
    let policies = items(&document["policies"]);
    let asides = items(&document["notices"]);
    let findings: Vec<_> = policies.iter().flat_map(|policy| items(&policy["findings"])).collect();
    let of_kind = |kind: &'static str| findings.iter().copied().filter(move |finding| finding["kind"] == kind);
    let violations = of_kind("violation").map(|finding| text(&finding["code"]));
    let notices = of_kind("notice").chain(asides).map(|notice| text(&notice["code"]));
    assert_eq!(of_kind("fault").count(), 0, "a built-in policy broke: {document:#}");
    let spoken = findings.iter().flat_map(|finding| [&finding["message"], &finding["remedy"]]);
    let spoken = spoken.chain(asides.iter().map(|notice| &notice["message"]));
    Observed {
        exit,
        decision: Some(text(&document["decision"])),
        policies: policies.iter().map(state).collect(),
        violations: violations.collect(),
        notices: notices.collect(),
        says: spoken.filter(|said| !said.is_null()).map(text).collect(),
    }
}

fn state(policy: &Value) -> (String, String) {
    let state = if policy["outcome"] == "skipped" { &policy["outcome"] } else { &policy["effect"] };
    (text(&policy["name"]), text(state))
}

fn items(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
