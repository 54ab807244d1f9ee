//! What settings hold, and what they refuse in which words.

mod law;
mod validator;

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::*;
use crate::Settings;

#[derive(Debug, PartialEq, Settings)]
struct Sample {
    names: Option<Vec<String>>,
    #[setting(default = 0)]
    limit: u8,
    #[setting(default = {})]
    by_host: BTreeMap<String, Rule>,
    #[setting(default = "notice")]
    kind: Kind,
    #[setting(default = -5, range = -10..=10)]
    offset: i64,
    #[setting(default = 1, range = 1..)]
    depth: u64,
    #[setting(default = "x", length = 1..=3)]
    short: String,
    #[setting(default = [], length = ..=2)]
    few: Vec<bool>,
    #[setting(default = {"a": 1}, length = 1..)]
    some: BTreeMap<Team, Hour>,
    #[setting(name = "type", default = null)]
    kind_of_it: Option<Hour>,
    #[setting(default = {})]
    nested: Nested,
}

#[derive(Debug, PartialEq, Settings)]
struct Rule {
    allow: bool,
    depth: i64,
}

/// A window.
#[derive(Debug, PartialEq, Settings)]
struct Nested {
    /// When it begins.
    #[setting(default = 22)]
    from: Hour,
    #[setting(default = 6)]
    to: Hour,
}

/// An hour of the day.
#[derive(Debug, PartialEq, Settings)]
struct Hour(#[setting(range = 0..=23)] u8);

#[derive(Debug, PartialEq, Settings)]
enum Kind {
    /// Say it.
    Notice,
    #[setting(name = "ENFORCE")]
    Enforce,
    BestEffort,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Team(String);

impl CheckedSetting for Team {
    type Written = String;
    const KEYWORDS: &'static str = r#""pattern":"^[a-z]+$""#;

    fn check(written: String) -> Result<Self, Cow<'static, str>> {
        let is_team = !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_lowercase());
        if is_team { Ok(Self(written)) } else { Err("a team in small letters".into()) }
    }
}

#[derive(Debug, PartialEq, Settings)]
struct Nothing;

fn problems<T: Settings>(json: &str) -> Vec<(String, String)> {
    let problems = decode::<T>(json).err().unwrap_or_else(|| panic!("{json} is taken"));
    problems.into_iter().map(|problem| (problem.path, problem.message)).collect()
}

fn schema_of<T: Settings>() -> serde_json::Value {
    serde_json::from_str(&schema::<T>()).unwrap()
}

#[test]
fn what_the_type_allows_is_read() {
    let sample = decode::<Sample>(
        r#"{"names": ["a", "\u00e9\n"], "limit": 255, "by_host": {"x/y": {"allow": true, "depth": -3}},
            "kind": "best-effort", "offset": 10, "depth": 9223372036854775807, "short": "é🦀", "few": [true, false],
            "some": {"b": 23}, "type": 7, "nested": {"to": 0}}"#,
    )
    .unwrap();
    assert_eq!(sample.names.as_deref(), Some(["a".to_owned(), "é\n".to_owned()].as_slice()));
    assert_eq!((sample.limit, sample.offset, sample.depth), (255, 10, i64::MAX as u64));
    assert_eq!(sample.by_host["x/y"], Rule { allow: true, depth: -3 });
    assert_eq!((sample.kind, sample.short.as_str(), sample.few), (Kind::BestEffort, "é🦀", vec![true, false]));
    assert_eq!((&sample.some[&Team("b".to_owned())], sample.kind_of_it), (&Hour(23), Some(Hour(7))));
    assert_eq!(sample.nested, Nested { from: Hour(22), to: Hour(0) });
}

#[test]
fn what_is_absent_has_its_default_at_every_depth() {
    let sample = decode::<Sample>("{}").unwrap();
    let expected = Sample {
        names: None,
        limit: 0,
        by_host: BTreeMap::new(),
        kind: Kind::Notice,
        offset: -5,
        depth: 1,
        short: "x".to_owned(),
        few: Vec::new(),
        some: BTreeMap::from([(Team("a".to_owned()), Hour(1))]),
        kind_of_it: None,
        nested: Nested { from: Hour(22), to: Hour(6) },
    };
    assert_eq!(sample, expected);
    assert_eq!(decode::<Sample>(r#"{"names": null, "type": null}"#).unwrap(), expected);
}

#[test]
fn what_it_does_not_allow_is_refused_with_place_finding_and_remedy() {
    let cases = [
        (
            r#"{"nmaes": []}"#,
            "/nmaes",
            "found an unknown key, allowed is names, limit, by_host, kind, offset, depth, short, few, some, type, nested",
        ),
        (r#"{"names": "/tmp"}"#, "/names", "found the text `/tmp`, allowed is a list"),
        (r#"{"names": ["a", 7]}"#, "/names/1", "found 7, allowed is a text"),
        (r#"{"names": [null]}"#, "/names/0", "found `null`, allowed is a text"),
        (r#"{"limit": "80"}"#, "/limit", "found the text `80`, allowed is a whole number"),
        (r#"{"limit": 300}"#, "/limit", "found 300, allowed is a whole number from 0 to 255"),
        (r#"{"limit": -1}"#, "/limit", "found -1, allowed is a whole number from 0 to 255"),
        (r#"{"limit": 1.0}"#, "/limit", "found a number with a fraction, allowed is a whole number"),
        (r#"{"limit": 1e1}"#, "/limit", "found a number with a fraction, allowed is a whole number"),
        (r#"{"limit": true}"#, "/limit", "found `true`, allowed is a whole number"),
        (r#"{"limit": null}"#, "/limit", "found `null`, allowed is a whole number"),
        (r#"{"offset": 11}"#, "/offset", "found 11, allowed is a whole number from -10 to 10"),
        (r#"{"depth": 0}"#, "/depth", "found 0, allowed is a whole number 1 or more"),
        (
            r#"{"depth": 9223372036854775808}"#,
            "/depth",
            "found 9223372036854775808, allowed is a whole number 1 or more",
        ),
        (r#"{"short": ""}"#, "/short", "found a text of length 0, allowed is a text of length from 1 to 3"),
        (r#"{"short": "éééé"}"#, "/short", "found a text of length 4, allowed is a text of length from 1 to 3"),
        (r#"{"few": [true, true, true]}"#, "/few", "found a list of length 3, allowed is a list of length from 0 to 2"),
        (r#"{"few": [0]}"#, "/few/0", "found 0, allowed is true or false"),
        (r#"{"some": {}}"#, "/some", "found an object of length 0, allowed is an object of length 1 or more"),
        (r#"{"some": {"a/b~c": 1}}"#, "/some/a~1b~0c", "found the key `a/b~c`, allowed is a team in small letters"),
        (r#"{"some": {"a": 24}}"#, "/some/a", "found 24, allowed is a whole number from 0 to 23"),
        (r#"{"by_host": {"h": {"allow": true}}}"#, "/by_host/h", "the key `depth` is missing"),
        (r#"{"by_host": {"h": [true, 1]}}"#, "/by_host/h", "found a list, allowed is an object"),
        (r#"{"kind": "strict"}"#, "/kind", "found `strict`, allowed is notice, ENFORCE, best-effort"),
        (r#"{"kind": "Notice"}"#, "/kind", "found `Notice`, allowed is notice, ENFORCE, best-effort"),
        (r#"{"kind": 3}"#, "/kind", "found 3, allowed is notice, ENFORCE, best-effort"),
        (r#"{"nested": {"from": 24}}"#, "/nested/from", "found 24, allowed is a whole number from 0 to 23"),
        (r#"{"nested": {"form": 1}}"#, "/nested/form", "found an unknown key, allowed is from, to"),
        (r#"{"nested": null}"#, "/nested", "found `null`, allowed is an object"),
        (r#"{"kind_of_it": 1}"#, "/kind_of_it", "found an unknown key"),
        ("[]", "", "found a list, allowed is an object"),
        ("null", "", "found `null`, allowed is an object"),
        ("3", "", "found 3, allowed is an object"),
    ];
    for (json, path, message) in cases {
        let found = problems::<Sample>(json);
        assert_eq!(found.len(), 1, "{json}: {found:?}");
        assert_eq!(found[0].0, path, "{json}");
        assert!(found[0].1.starts_with(message), "{json}: {}", found[0].1);
    }
}

#[test]
fn all_problems_are_told_at_once_whatever_their_depth_and_missing_keys_too() {
    let found = problems::<Sample>(
        r#"{"limit": "x", "nmaes": 1, "names": [1, "a", 2], "kind": "?", "by_host": {"a": {"allow": 1, "x": 2}, "b": 3},
            "nested": {"from": -1, "to": 99}, "some": {"A": 99, "B": 1}}"#,
    );
    let places: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
    let expected = [
        "/limit",
        "/nmaes",
        "/names/0",
        "/names/2",
        "/kind",
        "/by_host/a/allow",
        "/by_host/a/x",
        "/by_host/a",
        "/by_host/b",
        "/nested/from",
        "/nested/to",
        "/some/A",
        "/some/A",
        "/some/B",
    ];
    assert_eq!(places, expected);
    let missing = problems::<Rule>("{}");
    assert_eq!(missing.len(), 2, "{missing:?}");
}

#[test]
fn text_that_no_policy_can_rely_on_is_refused_in_one_problem() {
    for (text, message) in [
        ("", "found text that is not JSON (it is not JSON from byte 0), allowed is a JSON document"),
        ("{} {}", "found text that is not JSON (it is not JSON from byte 3), allowed is a JSON document"),
        (r#"{"limit": 1, "limit": 2}"#, "a key stands more than once in the object that ends at byte 24"),
    ] {
        assert_eq!(problems::<Sample>(text), [(String::new(), message.to_owned())]);
    }
    assert_eq!(problems::<Sample>(&"[".repeat(100_000)).len(), 1);
}

#[test]
fn a_long_text_is_shown_in_part() {
    let (_, message) = problems::<Sample>(&format!(r#"{{"limit": "{}"}}"#, "é".repeat(5000))).remove(0);
    assert_eq!(message, format!("found the text `{}…`, allowed is a whole number", "é".repeat(38)));
    let (_, message) = problems::<Sample>(&format!(r#"{{"limit": {}}}"#, "9".repeat(5000))).remove(0);
    assert_eq!(message, format!("found {}…, allowed is a whole number from 0 to 255", "9".repeat(77)));
}

#[test]
fn no_settings_is_an_empty_object_and_nothing_else() {
    assert_eq!(decode::<Nothing>("{}"), Ok(Nothing));
    for text in ["null", "[]", r#"{"a": 1}"#, "\"\"", ""] {
        assert_eq!(decode::<Nothing>(text).map_err(|problems| problems.len()), Err(1), "{text}");
    }
}

#[test]
fn the_schema_says_what_the_type_says() {
    let expected = serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "description": "A window.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "from": {
                "description": "When it begins.", "type": "integer", "minimum": 0, "maximum": 23, "default": 22,
            },
            "to": { "description": "An hour of the day.", "type": "integer", "minimum": 0, "maximum": 23, "default": 6 },
        },
        "required": [],
    });
    assert_eq!(schema_of::<Nested>(), expected);

    let sample = schema_of::<Sample>();
    let of = |name: &str| sample["properties"][name].clone();
    assert_eq!(
        of("kind"),
        serde_json::json!({
            "oneOf": [{ "const": "notice", "description": "Say it." }, { "const": "ENFORCE" }, { "const": "best-effort" }],
            "default": "notice",
        })
    );
    assert_eq!(
        of("names"),
        serde_json::json!({ "type": ["array", "null"], "items": { "type": "string" }, "default": null })
    );
    assert_eq!(of("short"), serde_json::json!({ "type": "string", "minLength": 1, "maxLength": 3, "default": "x" }));
    assert_eq!(of("some")["propertyNames"], serde_json::json!({ "type": "string", "pattern": "^[a-z]+$" }));
    assert_eq!(
        (of("some")["minProperties"].clone(), of("some")["default"].clone()),
        (1.into(), serde_json::json!({"a": 1}))
    );
    assert_eq!(of("nested")["default"], serde_json::json!({}));
    assert_eq!(schema_of::<Rule>()["required"], serde_json::json!(["allow", "depth"]));
}

#[test]
fn a_default_that_breaks_the_rules_of_its_own_key_is_found_at_every_depth() {
    #[derive(Debug, Settings)]
    struct Outer {
        #[setting(default = [], length = 1..)]
        _inner: Vec<Inner>,
    }

    #[derive(Debug, Settings)]
    struct Inner {
        #[setting(default = 24)]
        _hour: Hour,
        #[setting(default = {"from": 0, "to": 0})]
        _nested: Nested,
    }

    assert_eq!(
        problems::<Inner>("{}"),
        [("/_hour".to_owned(), "found 24, allowed is a whole number from 0 to 23".to_owned())]
    );
    assert!(decode::<Inner>(r#"{"_hour": 3}"#).is_ok());
    let wrong: Vec<_> = wrong_defaults::<Outer>().into_iter().map(|problem| problem.path).collect();
    assert_eq!(wrong, ["/_inner", "/_inner/0/_hour"]);
    assert_eq!(wrong_defaults::<Sample>(), []);
}

#[test]
fn descriptions_are_json_whatever_they_hold() {
    /// A "quoted" \ backslash.
    ///
    /// Another
    /// paragraph.
    #[derive(Debug, Settings)]
    struct Described;
    assert_eq!(schema_of::<Described>()["description"], "A \"quoted\" \\ backslash.\nAnother paragraph.");
}
