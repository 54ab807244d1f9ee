//! Hostile text: it must not cause a panic, a long wait or a lost rule.

use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;

use super::bad;
use super::places;
use super::read;
use crate::parse;
use smcp_model::limits;

#[test]
fn aliases_can_not_blow_a_document_up() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(text, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(500_000), "*a,".repeat(1000));
    let too_large = "aliases make this document too large (allowed: 4194304 bytes with every alias written out)";
    for (text, place) in [(text, "2:10"), (long, "2:5")] {
        assert_eq!(bad(&text), [format!("{place}: {too_large}")]);
    }
}

#[test]
fn depth_is_bounded() {
    for (text, message) in [
        ("[".repeat(1_000_000), "1:10001: more than 10000 opening brackets; write long lists with `-`"),
        (format!("a: {}1{}", "[".repeat(200), "]".repeat(200)), "1:131: recursion limit exceeded"),
        ("- ".repeat(2_000), "1:257: recursion limit exceeded"),
        ("&a [*a]".to_owned(), "1:1: recursion limit exceeded"),
    ] {
        assert_eq!(bad(&text), [message]);
    }
}

#[test]
fn only_so_many_problems_are_shown_and_the_rest_counted() {
    let text: String = (0..1000).fold(String::new(), |text, number| text + &format!("x{number}: 1\n"));
    let error = read(&text).unwrap_err();
    assert_eq!((error.problems().len(), error.more()), (limits::CONFIG_PROBLEMS, 900));
    assert!(error.to_string().ends_with("\nand 900 more"));

    let large = format!("{text}#{}", "x".repeat(1_000_000));
    let error = read(&large).unwrap_err();
    let shown = limits::CONFIG_REREAD / large.len();
    assert_eq!((error.problems().len(), error.more()), (shown, 1000 - shown));
}

#[test]
fn what_is_quoted_can_not_steer_a_terminal() {
    let error = read("\"\\e[31m\\u202e\": 1\npolicy: {cert_mode: \"\\e[2J\"}\n").unwrap_err().to_string();
    assert!(error.chars().all(|character| character == '\n' || !character.is_control()), "{error:?}");
    assert!(!error.contains('\u{202e}'), "{error:?}");
    let long = read(&format!("{}: 1", "x".repeat(900))).unwrap_err().to_string();
    assert!(long.len() < 400, "{long}");
}

/// Keys of every section, with a document that has one of them alone.
const KEYS: [(&str, &str, &str); 10] = [
    ("registry_url", "", ": /x}"),
    ("start_timeout", "", ": 60s}"),
    ("trusted_registries", "", ": []}"),
    ("policy", "", ": {allowed_origins: []}}"),
    ("allowed_origins", "policy: {", ": []}}"),
    ("min_score", "policy: {", ": 100}}"),
    ("cert_mode", "policy: {", ": strict}}"),
    ("custom", "policy: {", ": [{name: a, source: a}]}}"),
    ("digest", "policy: {custom: [{name: a, source: a, ", ": sha256:0}]}}"),
    ("mode", "policy: {custom: [{name: a, source: a, ", ": strict}]}}"),
];

proptest! {
    #[test]
    fn no_text_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes, Path::new("c.yaml"), &places());
    }

    #[test]
    fn no_yaml_like_text_panics(text in "([a-z_]{1,8}|policy|custom|[:\\-\\[\\]{},&*!|>'\"#%@?~ \n\t]|[0-9.]{1,4}|: |\n  ){0,60}") {
        if let Err(error) = read(&text) {
            prop_assert!(!error.problems().is_empty());
        }
    }

    #[test]
    fn no_mistyped_key_is_ignored(
        (key, before, after) in prop::sample::select(KEYS.to_vec()),
        place in any::<prop::sample::Index>(),
        letter in "[a-z_]",
        edit in 0..3_u8,
    ) {
        let (mut typo, at) = (key.to_owned(), place.index(key.len()));
        match edit {
            0 => drop(typo.remove(at)),
            1 => typo.insert_str(at, &letter),
            _ => typo.replace_range(at..=at, &letter),
        }
        prop_assume!(typo != key);
        let error = read(&format!("{{{before}{typo}{after}")).unwrap_err();
        let [problem] = error.problems() else { panic!("{error}") };
        prop_assert_eq!(problem.suggestion.as_ref().map(ToString::to_string), Some(key.to_owned()));
    }
}
