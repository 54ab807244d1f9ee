//! What a case file may say, and the problems of everything else.

use serde_json::Value;
use serde_json::json;

use crate::Case;
use crate::CaseContext;
use crate::Expectation;
use crate::ExpectedFinding;
use crate::ExpectedProblem;
use crate::Limits;
use crate::Position;
use crate::read;

mod compare;
mod hostile;

const EXAMPLE: &str = "\
# a comment
defaults:
  trusted: {origin: official, cert_level: 3, score: 95, permissions: {network: [a.example], subprocess: true}}
cases:
- name: a package without network passes
  from: trusted
  facts: {permissions: {network: []}, score: null}
  settings: {allow: []}
  context: {at: 2026-01-05T09:00:00Z, trust: false, interactive: true}
  expect: allow
- name: \"nothing: is known\"
  expect:
    violations: [one, {code: two, message: 'a: b', fact: score}]
    notices: [{code: three}]
-   expect: {fault: trap}
    name: breaks
- {name: refused, settings: null, expect: {problems: ['', {path: /a/0, message: no}]}}
";

fn cases(text: &str) -> Vec<Case> {
    read(text.as_bytes(), &Limits::DEFAULT).unwrap().cases
}

/// The problems of a file, each on its own line.
fn said(text: &str) -> String {
    read(text.as_bytes(), &Limits::DEFAULT).unwrap_err().to_string()
}

#[test]
fn a_file_has_cases() {
    let cases = cases(EXAMPLE);
    let names: Vec<_> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names, ["a package without network passes", "nothing: is known", "breaks", "refused"]);
    let places: Vec<_> = cases.iter().map(|case| (case.position.line, case.position.column)).collect();
    assert_eq!(places, [(5, 3), (11, 3), (15, 5), (17, 4)]);
    let expected_at: Vec<_> = cases.iter().map(|case| case.expected_at).collect();
    let at = |line, column| Position { line, column };
    assert_eq!(expected_at, [at(10, 3), at(12, 3), at(15, 5), at(17, 35)]);

    let [first, second, third, fourth] = cases.as_slice() else { panic!() };
    let permissions = json!({
        "network": [], "filesystem_read": [], "filesystem_write": [], "environment": [], "subprocess": true,
    });
    let facts = json!({"origin": "official", "cert_level": 3, "permissions": permissions});
    assert_eq!(Value::Object(first.facts.clone()), facts);
    assert_eq!(first.settings, json!({"allow": []}));
    assert_eq!(first.context, CaseContext { at: 1_767_603_600, trust: false, interactive: true });
    assert_eq!(first.expect, Expectation::Verdict { violations: vec![], notices: vec![] });

    assert!(second.facts.is_empty());
    assert_eq!((&second.settings, second.context), (&json!({}), CaseContext::default()));
    let code = |code: &str| ExpectedFinding { code: code.to_owned(), message: None, fact: None };
    let whole = ExpectedFinding { message: Some("a: b".to_owned()), fact: Some("score".to_owned()), ..code("two") };
    let expected = Expectation::Verdict { violations: vec![code("one"), whole], notices: vec![code("three")] };
    assert_eq!(second.expect, expected);
    assert_eq!(third.expect, Expectation::Fault("trap"));
    let problem = |path: &str, message: Option<&str>| ExpectedProblem {
        path: path.to_owned(),
        message: message.map(str::to_owned),
    };
    assert_eq!(fourth.expect, Expectation::Problems(vec![problem("", None), problem("/a/0", Some("no"))]));
    assert_eq!(fourth.settings, Value::Null);
}

#[test]
fn a_byte_order_mark_and_the_line_ends_of_windows_change_nothing() {
    let windows = format!("\u{feff}{}", EXAMPLE.replace('\n', "\r\n"));
    let (one, other) = (cases(EXAMPLE), cases(&windows));
    assert_eq!(one.len(), other.len());
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one, other);
    }
}

#[test]
fn what_has_no_meaning_is_told_with_its_place() {
    let texts = [
        // The file.
        "",
        "[]",
        "cases: []",
        "cases: {}",
        "defaults: {}",
        "case:\n- {name: a, expect: allow}",
        "cases:\n- {name: a, expect: allow}\ncases: []",
        "cases:\n- {name: a, expect: allow}\n---\ncases: []",
        "cases: [",
        "cases:\n\t- a",
        "defaults: []\ncases:\n- {name: a, expect: allow}",
        "defaults: {1: {}, a: {}, a: {}}\ncases:\n- {name: a, expect: allow}",
        // A case.
        "cases:\n- a\n- {}\n- {name: x, expects: allow}",
        "cases:\n- {name: 3, expect: allow}\n- {name: ' ', expect: allow}\n- {name: \"a\\e[2J\", expect: allow}",
        "cases:\n- {name: a, expect: allow}\n- {name: b, expect: allow}\n- {name: a, expect: allow}",
        "defaults: {trusted: {}}\ncases:\n- {name: a, from: trustd, expect: allow}\n- {name: b, from: [], expect: allow}",
        "cases:\n- {name: a, from: trusted, expect: allow}",
        "cases:\n- {name: a, settings: {1: x, b: .nan, c: !t x, <<: {}, d: 1, d: 2}, expect: allow}",
        "cases:\n- {name: a, context: {at: 5, trust: yes, interactve: true}, expect: allow}",
        "cases:\n- {name: a, context: {at: tomorrow}, expect: allow}",
        // What is expected.
        "cases:\n- {name: a, expect: }\n- {name: b, expect: Allow}\n- {name: c, expect: {}}\n- {name: d, expect: [x]}",
        "cases:\n- {name: a, expect: {violations: x}}\n- {name: b, expect: {violations: [X, 3, {message: x}, {code: 3}]}}",
        "cases:\n- {name: a, expect: {violations: [{code: a, message: 3, fact: ~, remedy: x}]}}",
        "cases:\n- {name: a, expect: {fault: trapp}}\n- {name: b, expect: {fault: 3}}\n- {name: c, expect: {fault: trap, notices: []}}",
        "cases:\n- {name: a, expect: {problems: []}}\n- {name: b, expect: {problems: [allow.0, {path: 3}, {}]}}",
        "cases:\n- {name: a, expect: {problems: [/a], fault: settings}}",
    ];
    let said: Vec<_> = texts.iter().map(|text| format!("{text}\n=> {}\n", said(text).replace('\n', "\n   "))).collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn what_can_not_be_a_fact_is_told_with_its_place() {
    let facts = [
        "score: \"80\"",
        "score: 101",
        "score: -1",
        "score: 80.0",
        "cert_level: 4",
        "cert_level: true",
        "origin: 5",
        "status: ' '",
        "version: 1.0",
        "name: [a]",
        "transport: carrier",
        "registry: ftp://x",
        "registry: some/folder",
        "bundle_digest: sha256:00",
        "scor: 80",
        "cert-level: 2",
        "score: 1, score: 2",
        "findings: 3",
        "findings: {critical: 4294967296}",
        "findings: {critical: ~}",
        "findings: {minor: 1}",
        "permissions: {network: a.com}",
        "permissions: {network: [a.com, 3, ~]}",
        "permissions: {subprocess: \"no\"}",
        "permissions: {network: ~}",
        "entrypoint: {args: [x]}",
        "entrypoint: {command: 3}",
        "manifest: {a: b}",
    ];
    let mut told = Vec::new();
    for fact in facts {
        let inside = said(&format!("cases:\n- name: a\n  facts: {{{fact}}}\n  expect: allow\n"));
        told.push(format!("{{{fact}}}\n=> {}\n", inside.replace('\n', "\n   ")));
        // The same in defaults that no case uses.
        let unused = format!("defaults:\n  d: {{{fact}}}\ncases:\n- {{name: a, expect: allow}}\n");
        let is_partial = fact.contains("args: [x]");
        assert_eq!(read(unused.as_bytes(), &Limits::DEFAULT).is_ok(), is_partial, "{fact}");
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_set_of_facts_that_is_wrong_is_told_once() {
    let mut text = "defaults: {d: {score: high}}\ncases:\n".to_owned();
    for number in 0..50 {
        text.push_str(&format!("- {{name: case {number}, from: d, expect: allow}}\n"));
    }
    assert_eq!(said(&text), "1:23: `score` is the text `high` (allowed: a whole number from 0 to 100)");
}

#[test]
fn facts_are_unknown_where_nobody_gives_them() {
    let text = "\
defaults:
  most: {score: 1, origin: ~, permissions: {network: [a]}}
cases:
- {name: all, from: most, expect: allow}
- {name: without permissions, from: most, facts: {permissions: ~}, expect: allow}
- {name: other, from: most, facts: {score: 2, permissions: {network: []}}, expect: allow}
";
    let facts: Vec<_> = cases(text).into_iter().map(|case| case.facts).collect();
    let keys: Vec<Vec<_>> = facts.iter().map(|facts| facts.keys().map(String::as_str).collect()).collect();
    assert_eq!(keys, [vec!["score", "permissions"], vec!["score"], vec!["score", "permissions"]]);
    assert_eq!((&facts[0]["permissions"]["network"], &facts[2]["permissions"]["network"]), (&json!(["a"]), &json!([])));
}
