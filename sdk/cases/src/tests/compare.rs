//! Differences, as a person reads them.

use crate::Found;
use crate::FoundFinding;
use crate::FoundProblem;
use crate::compare;
use crate::tests::cases;

fn finding(code: &str) -> FoundFinding {
    let (message, fact) = (format!("about {code}"), Some("score".to_owned()));
    FoundFinding { code: code.to_owned(), message, fact, remedy: None }
}

fn verdict(violations: &[&str], notices: &[&str]) -> Found {
    let findings = |codes: &[&str]| codes.iter().map(|code| finding(code)).collect();
    Found::Verdict { violations: findings(violations), notices: findings(notices) }
}

fn problems(paths: &[&str]) -> Found {
    let problem = |path: &&str| FoundProblem { path: (*path).to_owned(), message: format!("about {path}") };
    Found::Problems(paths.iter().map(problem).collect())
}

fn fault(kind: &str) -> Found {
    Found::Fault { kind: kind.to_owned(), message: "it broke".to_owned() }
}

/// The differences for what a file says under `expect`.
fn differences(expect: &str, found: &Found) -> String {
    let cases = cases(&format!("cases:\n- name: a\n  expect: {expect}\n"));
    let lines: Vec<_> = compare(&cases[0].expect, found).iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn what_is_as_expected_has_no_difference() {
    let cases = [
        ("allow", verdict(&[], &[])),
        ("{violations: []}", verdict(&[], &[])),
        ("{violations: [a, b], notices: [c]}", verdict(&["a", "b"], &["c"])),
        ("{violations: [a, a]}", verdict(&["a", "a"], &[])),
        ("{violations: [{code: a, message: about a, fact: score}]}", verdict(&["a"], &[])),
        ("{notices: [{code: a, message: about a}]}", verdict(&[], &["a"])),
        ("{fault: trap}", fault("trap")),
        ("{fault: settings}", problems(&["/a"])),
        ("{fault: settings}", fault("settings")),
        ("{problems: [/a, '']}", problems(&["/a", ""])),
        ("{problems: [{path: /a, message: about /a}]}", problems(&["/a"])),
    ];
    for (expect, found) in cases {
        assert_eq!(differences(expect, &found), "", "{expect}");
    }
}

#[test]
fn what_is_not_named_is_not_expected() {
    let cases = [
        ("allow", verdict(&["a"], &[])),
        ("allow", verdict(&[], &["a"])),
        ("{violations: [a]}", verdict(&["a"], &["b"])),
        ("{violations: [a]}", verdict(&["a", "a"], &[])),
        ("{notices: [a]}", verdict(&["a"], &[])),
        ("{violations: [a]}", fault("trap")),
        ("{problems: [/a]}", problems(&["/a", "/b"])),
        ("{problems: [/a]}", fault("settings")),
        ("{fault: trap}", fault("limit")),
        ("{fault: trap}", verdict(&[], &[])),
    ];
    for (expect, found) in cases {
        assert_ne!(differences(expect, &found), "", "{expect}");
    }
}

#[test]
fn a_difference_says_what_is_missing_what_is_more_and_what_is_another() {
    let cases = [
        ("{violations: [a, b, c]}", verdict(&["b", "d"], &["n"])),
        ("{violations: [{code: a, message: about b, fact: level}, b]}", verdict(&["a"], &[])),
        ("{violations: [{code: a, message: it is}]}", verdict(&[], &[])),
        ("{violations: [a, b, c]}", verdict(&["c", "a", "b"], &[])),
        ("{problems: [/a, {path: /b, message: no}]}", problems(&["/b", "/c"])),
        ("allow", fault("trap")),
        ("{fault: deadline}", verdict(&["a", "b"], &["c"])),
        ("{problems: ['']}", verdict(&[], &[])),
        ("{notices: [a]}", problems(&["/a", "/b"])),
    ];
    let shown: Vec<_> =
        cases.iter().map(|(expect, found)| format!("{expect}\n{}\n", differences(expect, found))).collect();
    insta::assert_snapshot!(shown.join("\n"));
}
