//! An update changes what is expected, and nothing else.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::FoundProblem;

fn verdict(violations: &[&str], notices: &[&str]) -> Found {
    let finding = |code: &&str| FoundFinding {
        code: (*code).to_owned(),
        message: format!("{code}, said: \"no\" # 1"),
        fact: Some("score".to_owned()),
        remedy: None,
    };
    Found::Verdict {
        violations: violations.iter().map(finding).collect(),
        notices: notices.iter().map(finding).collect(),
    }
}

fn fault(kind: &str) -> Found {
    Found::Fault { kind: kind.to_owned(), message: "it broke".to_owned() }
}

fn problems(paths: &[&str]) -> Found {
    let problem = |path: &&str| FoundProblem { path: (*path).to_owned(), message: format!("found {path}") };
    Found::Problems(paths.iter().map(problem).collect())
}

/// Updates every case of a text to what is found.
fn updated(text: &str, found: &Found) -> Result<String, NotUpdated> {
    let file = read(text.as_bytes(), &Limits::DEFAULT).unwrap();
    let all: Vec<_> = (0..file.cases.len()).map(|index| (index, found)).collect();
    update(text.as_bytes(), &file, &all, &Limits::DEFAULT).map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn only_what_is_expected_changes() {
    let one =
        |expect: &str| format!("# top\ncases:\n  - name: a   # of a\n{expect}\n    settings: {{ b:   1 }}\n\n# end\n");
    let (ab, none) = (verdict(&["a", "b"], &[]), verdict(&[], &[]));
    let cases = [
        ("    expect: allow", &ab, "    expect:\n      violations: [a, b]"),
        ("    expect:   allow   # why", &ab, "    expect:   # why\n      violations: [a, b]"),
        ("    expect:\tallow", &ab, "    expect:\n      violations: [a, b]"),
        ("    expect:\n      violations:\n        - x\n        - y", &none, "    expect: allow"),
        (
            "    expect: # one\n\n      # two\n      violations: [x] # three\n      # four\n      notices: [] # five\n      # six",
            &none,
            "    expect: allow # one\n      # two\n      # three\n      # four\n      # five\n      # six",
        ),
        ("    expect: {violations: [x,\n      y]}   ", &fault("trap"), "    expect: {fault: trap}   "),
        (
            "    expect: {violations: [{code: a, message: 'it''s # x'}]} # c",
            &ab,
            "    expect: # c\n      violations:\n        - {code: a, message: \"a, said: \\\"no\\\" # 1\"}\n        - {code: b, message: \"b, said: \\\"no\\\" # 1\"}",
        ),
        (
            "    expect:\n      violations: [{code: x, fact: score}]",
            &verdict(&["x"], &["n"]),
            "    expect:\n      violations: [{code: x, fact: score}]\n      notices: [{code: n, fact: score}]",
        ),
        ("    expect: allow", &problems(&["", "/a"]), "    expect:\n      problems: [\"\", /a]"),
        (
            "    expect: {problems: [{path: /b, message: x}]}",
            &problems(&["/a"]),
            "    expect:\n      problems: [{path: /a, message: found /a}]",
        ),
        ("    expect: {fault: settings}", &problems(&["/a"]), "    expect: {fault: settings}"),
        ("    \"expect\" : allow", &ab, "    \"expect\" :\n      violations: [a, b]"),
    ];
    for (before, found, after) in cases {
        assert_eq!(updated(&one(before), found).as_deref(), Ok(&*one(after)), "{before}");
        let (before, after) = (one(before).replace('\n', "\r\n"), one(after).replace('\n', "\r\n"));
        assert_eq!(updated(&before, found).as_deref(), Ok(&*after), "with the line ends of Windows");
        let marked = format!("\u{feff}{before}");
        assert_eq!(updated(&marked, found), Ok(format!("\u{feff}{after}")), "with a byte order mark");
    }
}

#[test]
fn a_case_in_braces_stays_in_braces() {
    let found = verdict(&["a"], &["n"]);
    let cases = [
        ("- {name: x, expect: allow}", "- {name: x, expect: {violations: [a], notices: [n]}}"),
        ("- {expect: {violations: [b, c]}, name: x}  # c", "- {expect: {violations: [a], notices: [n]}, name: x}  # c"),
        ("- {\n  name: x,\n  expect: allow }", "- {\n  name: x,\n  expect: {violations: [a], notices: [n]} }"),
        (
            "- { name: 'a, }' , expect: allow , settings: {} }",
            "- { name: 'a, }' , expect: {violations: [a], notices: [n]} , settings: {} }",
        ),
    ];
    for (before, after) in cases {
        let text = |case: &str| format!("cases:\n{case}\n");
        assert_eq!(updated(&text(before), &found), Ok(text(after)), "{before}");
    }
    let whole = "{cases: [{name: x, expect: allow}, {name: y, expect: allow}]}";
    let after = "{cases: [{name: x, expect: {fault: trap}}, {name: y, expect: {fault: trap}}]}";
    assert_eq!(updated(whole, &fault("trap")), Ok(after.to_owned()));
}

#[test]
fn what_can_not_be_replaced_is_refused_by_name() {
    let long = "cases:\n- name: x\n  expect:\n    violations:\n    - code: a\n      message: ";
    let cases = [
        ("cases:\n- name: x\n  expect: &e allow\n- {name: y, expect: *e}\n", "has an anchor, an alias or a tag"),
        ("cases:\n- name: x\n  expect: !!str allow\n", "has an anchor, an alias or a tag"),
        ("cases:\n- name: x\n  ? expect\n  : allow\n", "written in an unusual way"),
        ("cases:\n- name: x\n  ? expect\n  : allow\n", "`expect`"),
        ("cases:\n- {name: x, expect: {violations: [a,\n  b]}}\n", "in braces over several lines"),
        ("cases:\n- { # {\n  name: x, expect: {violations: [a, # }\n  b]}}\n", "in braces over several lines"),
        ("cases:\n- name: x\n  expect: {violations: [a,\nb]}\n", "can't be replaced"),
        ("cases:\n- name: x\n  expect: allow\r- name: y\r  expect: allow\r", "line ends"),
        ("cases:\n- name: \"a\"\n  expect: allow\u{2028}\n", "line ends"),
        (&format!("{long}|\n        # no comment\n"), "a text of several lines"),
        (&format!("{long}>-\n        b\n"), "a text of several lines"),
        (&format!("{long}\"b\n\n        # c\"\n"), "may be a comment"),
    ];
    for (text, reason) in cases {
        let refused = updated(text, &fault("trap")).unwrap_err();
        assert!(refused.reason.contains(reason), "{text}: {refused:?}");
        assert!(["x", "a"].contains(&refused.name.as_str()), "{refused:?}");
    }
    for kind in NEVER_EXPECTED {
        let refused = updated("cases:\n- {name: x, expect: allow}\n", &fault(kind)).unwrap_err();
        assert!(refused.reason.contains("never written"), "{refused:?}");
    }
}

#[test]
fn the_case_that_keeps_a_file_from_being_updated_is_named() {
    let text =
        "cases:\n- {name: x, expect: allow}\n- name: y\n  expect: {violations: [a,\nb]}\n- {name: z, expect: allow}\n";
    let refused = updated(text, &fault("trap")).unwrap_err();
    assert_eq!((refused.name.as_str(), refused.reason.as_str()), ("y", UNREAD));
    assert_eq!(refused.position, Position { line: 3, column: 3 });
}

#[test]
fn cases_that_are_not_updated_keep_what_they_expect() {
    let text = "cases:\n- name: x\n  expect: allow # x\n- name: y\n  expect: allow # y\n- {name: z, expect: allow}\n";
    let file = read(text.as_bytes(), &Limits::DEFAULT).unwrap();
    let found = verdict(&["a"], &[]);
    let updated = update(text.as_bytes(), &file, &[(1, &found)], &Limits::DEFAULT).unwrap();
    let expected = text.replace("allow # y", "# y\n    violations: [a]");
    assert_eq!(String::from_utf8(updated).unwrap(), expected);
}

/// One way to write a case: lines, of which those with `expect` come from `EXPECTS`.
fn written_cases() -> impl Strategy<Value = String> {
    let expects = proptest::sample::select(
        &[
            "allow",
            "{fault: trap}",
            "{violations: [a, b]}",
            "{violations: [{code: a, message: \"x # y\"}], notices: [c]}",
            "\n    violations: [a] # IN\n    # IN\n    notices:\n      - {code: b, fact: f}",
            "\n    violations:\n    - a\n\n    - code: b # IN\n      message: it's # IN",
            "\n    problems:\n      - /a\n      - {path: '', message: 'no # mark'}",
        ][..],
    );
    let trailing = proptest::sample::select(&["", "   ", " # AFTER", "\t# AFTER"][..]);
    let extra = proptest::sample::select(
        &["", "  # BETWEEN\n", "\n\n", "  settings: {a: [1, '#']} # BETWEEN\n", "# BETWEEN\n"][..],
    );
    let case = (expects, trailing, extra.clone(), extra, any::<bool>()).prop_map(|(expect, after, one, two, first)| {
        let expect = format!("expect: {expect}{after}\n");
        let (one, two) = if one.contains("settings") && two.contains("settings") { (one, "") } else { (one, two) };
        if first {
            format!("- {expect}{one}  name: NAME # NAMED\n{two}")
        } else {
            format!("- name: NAME # NAMED\n{one}  {expect}{two}")
        }
    });
    (proptest::collection::vec(case, 1..5), any::<bool>()).prop_map(|(cases, windows)| {
        let mut text = "# TOP\ndefaults: {d: {score: 1}} # TOP\ncases: # TOP\n".to_owned();
        for (number, case) in cases.iter().enumerate() {
            write!(text, "{}", case.replace("NAME #", &format!("case {number} #"))).unwrap();
        }
        text.push_str("# END");
        if windows { text.replace('\n', "\r\n") } else { text }
    })
}

fn anything_found() -> impl Strategy<Value = Found> {
    let finding = ("[a-z0-9-]{1,8}", "[ -~é\u{2028}]{1,30}", proptest::option::of("[a-z_]{1,6}"))
        .prop_map(|(code, message, fact)| FoundFinding { code, message, fact, remedy: None });
    let findings = || proptest::collection::vec(finding.clone(), 0..4);
    let problem = ("(/[a-z0-9~ ]{0,3}){0,2}", "[ -~]{1,20}").prop_map(|(path, message)| FoundProblem { path, message });
    prop_oneof![
        (findings(), findings()).prop_map(|(violations, notices)| Found::Verdict { violations, notices }),
        proptest::collection::vec(problem, 1..4).prop_map(Found::Problems),
        proptest::sample::select(&["memory", "stack", "limit", "output", "trap", "settings"][..]).prop_map(fault),
    ]
}

/// The comments of a text, in order, as they are written; those inside of values are marked.
fn comments(text: &str) -> Vec<&str> {
    ["# TOP", "# NAMED", "# BETWEEN", "# AFTER", "# IN", "# END"]
        .into_iter()
        .flat_map(|comment| text.match_indices(comment))
        .map(|(_, comment)| comment)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_an_update_all_cases_hold_and_every_comment_is_there(
        text in written_cases(),
        found in proptest::collection::vec(proptest::option::of(anything_found()), 5),
    ) {
        let file = read(text.as_bytes(), &Limits::DEFAULT).unwrap();
        let wanted: Vec<_> = file
            .cases
            .iter()
            .zip(&found)
            .enumerate()
            .filter_map(|(index, (case, found))| {
                let found = found.as_ref()?;
                (!compare(&case.expect, found).is_empty()).then_some((index, found))
            })
            .collect();
        let updated = update(text.as_bytes(), &file, &wanted, &Limits::DEFAULT);
        let updated = String::from_utf8(updated.map_err(|it| TestCaseError::fail(format!("{it:?}")))?).unwrap();
        let after = read(updated.as_bytes(), &Limits::DEFAULT).unwrap();
        for (index, (case, before)) in after.cases.iter().zip(&file.cases).enumerate() {
            prop_assert_eq!(&case.name, &before.name);
            match wanted.iter().find(|(one, _)| *one == index) {
                Some((_, found)) => prop_assert_eq!(compare(&case.expect, found), vec![]),
                None => prop_assert_eq!(&case.expect, &before.expect),
            }
        }
        prop_assert_eq!(comments(&updated), comments(&text), "{}", updated);
        prop_assert_eq!(updated.contains('\r'), text.contains('\r'));
        if wanted.is_empty() {
            prop_assert_eq!(updated, text);
        }
    }

    /// Whatever the text is: an update is right, or refused.
    #[test]
    fn no_text_makes_an_update_wrong(
        noise in proptest::collection::vec(
            (0..200_usize, proptest::sample::select(&["#", " ", "\n", "'", "\"", "{", "}", "[", "]", ",", ": ", "|", "&a ", "*a", "- ", "\\"][..])),
            0..6,
        ),
        text in written_cases(),
        found in anything_found(),
    ) {
        let mut text = text;
        for (at, noise) in noise {
            if text.is_char_boundary(at.min(text.len())) {
                text.insert_str(at.min(text.len()), noise);
            }
        }
        let Ok(file) = read(text.as_bytes(), &Limits::DEFAULT) else { return Ok(()) };
        let Ok(updated) = update(text.as_bytes(), &file, &[(0, &found)], &Limits::DEFAULT) else { return Ok(()) };
        let after = read(&updated, &Limits::DEFAULT).unwrap();
        prop_assert_eq!(compare(&after.cases[0].expect, &found), vec![]);
        let rest = |file: &CaseFile| file.cases.iter().skip(1).map(|it| (it.name.clone(), it.expect.clone())).collect::<Vec<_>>();
        prop_assert_eq!(rest(&after), rest(&file));
        let count = |text: &[u8]| text.windows(2).filter(|pair| pair == b" #").count();
        let quoted = |case: &Case| marks_in(&case.expect);
        // Every comment is still there: what begins with ` #` and is no text.
        let (before, now) = (count(text.as_bytes()) - quoted(&file.cases[0]), count(&updated) - quoted(&after.cases[0]));
        prop_assert!(now >= before, "{}", String::from_utf8_lossy(&updated));
    }
}
