//! `smcp scan --format sarif`: what code scanners get.

use serde_json::Value;

use crate::bed::Ran;
use crate::scan::bed;
use crate::scan::cursor;

/// The whole of a log, held to the schema of the standard.
fn log(ran: &Ran) -> Value {
    let schema: Value = serde_json::from_str(include_str!("../schemas/sarif.json")).unwrap();
    let log: Value = serde_json::from_str(&ran.raw).unwrap();
    smcp_bed::Schema::new(schema).accepts(&log);
    log
}

#[test]
fn code_scanners_get_what_counts_with_its_place() {
    let bed = bed();
    bed.run("scan --format junit").refuses(1, &["human, json or sarif"]);
    assert_eq!(log(&bed.run("scan --format sarif").succeeds())["runs"][0]["results"], Value::Array(Vec::new()));
    bed.write(
        "home/.cursor/mcp.json",
        cursor(&[("x", "npx x"), ("y", "smcp run acme/good@latest"), ("z", "smcp run acme/good@1.0.0")]),
    );
    bed.write(".cursor/mcp.json", "{");
    let home = bed.path("home");
    let sarif = |options: &str| {
        let ran = bed.smcp(&format!("scan --format sarif {options}")).env("HOME", &home).run().exits(1);
        let results = log(&ran)["runs"][0]["results"].as_array().unwrap().clone();
        let text = |it: &Value| it.as_str().unwrap().to_owned();
        let result = |it: &Value| {
            let place = &it["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
            (text(&it["ruleId"]), text(&it["level"]), text(place), text(&it["partialFingerprints"]["smcpScan/v1"]))
        };
        results.iter().map(result).collect::<Vec<_>>()
    };
    let (loose, strict) = (sarif(""), sarif("--fail-on unpinned"));
    let shown: Vec<_> = loose.iter().map(|(rule, level, place, _)| [rule.as_str(), level, place]).collect();
    let expected = [
        ["past-smcp/npx", "error", "home/.cursor/mcp.json"],
        ["unpinned", "warning", "home/.cursor/mcp.json"],
        ["unreadable-file", "error", ".cursor/mcp.json"],
    ];
    assert_eq!(shown, expected);
    let document: Value = serde_json::from_str(&bed.smcp("--json scan").env("HOME", &home).run().raw).unwrap();
    assert_eq!(document["servers"][0]["line"], 1);
    // A project's servers in a user's file are the project's in every form.
    let projects =
        r#"{"projects": {"/w": {"mcpServers": {"p": {"command": "p"}}}}, "mcpServers": {"u": {"command": "u"}}}"#;
    bed.write("home/.claude.json", projects);
    let scopes = |ran: &Ran, list: &str| {
        let document: Value = serde_json::from_str(&ran.raw).unwrap();
        let found = document.pointer(list).unwrap().as_array().unwrap().clone();
        found
            .iter()
            .map(|it| it["scope"].as_str().or(it["properties"]["scope"].as_str()).unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let scan = |options: &str| bed.smcp(&format!("scan --client claude-code {options}")).env("HOME", &home).run();
    assert_eq!(scopes(&scan("--json"), "/servers"), ["user", "project"]);
    assert_eq!(scopes(&scan("--format sarif"), "/runs/0/results"), ["user", "project"]);
    assert_eq!(strict[1].1, "error");
    assert_eq!(strict[1].3, loose[1].3, "a fingerprint is not of the options");
}
