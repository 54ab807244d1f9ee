//! Files that somebody made to do harm: refused, at once, with a place.

use std::fmt::Write as _;
use std::time::Duration;
use std::time::Instant;

use crate::Limits;
use crate::read;

/// The problem of a file, which has to be found quickly.
#[track_caller]
fn refused(bytes: impl AsRef<[u8]>) -> String {
    let start = Instant::now();
    let problems = read(bytes.as_ref(), &Limits::DEFAULT).unwrap_err().to_string();
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    problems
}

#[test]
fn no_file_is_larger_than_it_may_be() {
    let case = "cases:\n- {name: a, expect: allow}\n#";
    let padded = |size: usize| format!("{case}{}", "x".repeat(size - case.len()));
    read(padded(Limits::DEFAULT.file).as_bytes(), &Limits::DEFAULT).unwrap();
    let said = refused(padded(Limits::DEFAULT.file + 1));
    assert_eq!(said, "the file has 1048577 bytes (allowed: at most 1048576 bytes)");
}

#[test]
fn aliases_do_not_multiply_without_end() {
    let mut bomb = "defaults:\n  a: &a {manifest: lol}\n".to_owned();
    for level in 0..9_u8 {
        let (below, here) = (char::from(b'a' + level), char::from(b'b' + level));
        writeln!(bomb, "  {here}: &{here} [{}]", vec![format!("*{below}"); 9].join(", ")).unwrap();
    }
    bomb.push_str("cases:\n- {name: a, expect: allow}\n");
    assert!(refused(&bomb).starts_with("3:"), "{}", refused(&bomb));
    assert!(refused(&bomb).contains("aliases make this document too large"));
}

#[test]
fn facts_over_one_large_default_are_bounded_together() {
    let mut text = format!("defaults:\n  d: {{manifest: {}}}\ncases:\n", "x".repeat(100_000));
    for number in 0..1_000 {
        writeln!(text, "- {{name: {number}x, from: d, expect: allow}}").unwrap();
    }
    let said = refused(&text);
    let (place, message) = said.split_once(": ").unwrap();
    assert!(place.split(':').next().unwrap().parse::<usize>().unwrap() > 600, "{said}");
    assert!(message.starts_with("the facts of all cases together are too large (allowed: at most 67108864 bytes)"));
}

#[test]
fn depth_is_bounded() {
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let deep = format!("cases: {}{}", open.repeat(15_000), close.repeat(15_000));
        refused(&deep);
    }
    let block: String = (0..1_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert!(refused(&block).contains("recursion limit"), "{}", refused(&block));
    assert!(refused(format!("cases: [{}]", "{},".repeat(15_001))).contains("more than 15000 opening brackets"));
}

#[test]
fn there_are_only_so_many_cases() {
    let mut text = "cases:\n".to_owned();
    for number in 0..=Limits::DEFAULT.cases {
        writeln!(text, "- name: c{number}\n  expect: allow").unwrap();
    }
    assert_eq!(refused(&text), "2:1: `cases` has 10001 cases (allowed: 1 to 10000)");
    let most = text.replace(&format!("- name: c{}\n  expect: allow\n", Limits::DEFAULT.cases), "");
    assert_eq!(read(most.as_bytes(), &Limits::DEFAULT).unwrap().cases.len(), Limits::DEFAULT.cases);
}

#[test]
fn what_is_no_text_is_no_case_file() {
    assert_eq!(
        refused(b"cases:\n- {name: \"a\xff\", expect: allow}\n"),
        "2:12: this is not UTF-8 (allowed: UTF-8 text)"
    );
    assert!(refused(b"cases: \0").starts_with("1:8: the character `\\u{0}` is not allowed"));
    assert!(refused("cases:\n- {name: \"a\u{1b}[2Jb\", expect: allow}\n").starts_with("2:12: the character `\\u{1b}`"));
    assert!(refused("\u{feff}\u{feff}cases: 1").starts_with("1:"));
}

#[test]
fn nothing_that_is_said_steers_a_terminal() {
    for text in [
        "cases:\n- {name: \"a\\e[2J\", expect: allow}\n",
        "cases:\n- {\"na\\u202eme\": a, expect: allow}\n",
        "defaults: {\"\\a\": {score: x}}\ncases:\n- {name: a, from: \"\\e]0;x\\a\", expect: allow}\n",
        "cases:\n- {name: a, expect: \"al\\nlow\", facts: {origin: !\"\\u200b\" x}}\n",
        "cases:\n- {name: a, facts: {transport: \"\\e\"}, expect: {fault: \"\\x9b\"}}\n",
    ] {
        let said = refused(text);
        let hidden = |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{200b}' | '\u{202e}'));
        assert!(!said.contains(hidden), "{said:?}");
    }
}

#[test]
fn only_so_many_problems_are_told() {
    let mut text = "cases:\n".to_owned();
    for number in 0..5_000 {
        writeln!(text, "- {{nam: c{number}, expect: allow}}").unwrap();
    }
    let problems = read(text.as_bytes(), &Limits::DEFAULT).unwrap_err();
    assert!((1..=100).contains(&problems.list.len()) && problems.more > 1_000, "{}", problems.list.len());
    assert_eq!(problems.list.len() + problems.more, 10_000);
}
