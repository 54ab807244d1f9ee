//! Values that authors' types accept and refuse, and the places of the problems.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    #[serde(default)]
    names: Option<Vec<String>>,
    #[serde(default)]
    limit: u8,
    #[serde(default)]
    by_host: BTreeMap<String, Rule>,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    ratio: f64,
    #[serde(default)]
    pair: Option<(u8, u8)>,
}

#[derive(Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    allow: bool,
    depth: i64,
}

#[derive(Debug, Default, PartialEq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Notice,
    Enforce,
    Custom(String),
}

fn problems(json: &str) -> Vec<(String, String)> {
    let problems = decode::<Sample>(json).expect_err(json);
    problems.into_iter().map(|problem| (problem.path, problem.message)).collect()
}

#[test]
fn what_the_type_allows_is_read() {
    let sample = decode::<Sample>(
        r#"{"names": ["a", "\u00e9\n"], "limit": 255, "by_host": {"x/y": {"allow": true, "depth": -3}},
            "kind": {"custom": "c"}, "ratio": 1.5, "pair": [1, 2]}"#,
    )
    .unwrap();
    assert_eq!(sample.names.as_deref(), Some(["a".to_owned(), "é\n".to_owned()].as_slice()));
    assert_eq!((sample.limit, sample.ratio, sample.pair), (255, 1.5, Some((1, 2))));
    assert_eq!(sample.by_host["x/y"], Rule { allow: true, depth: -3 });
    assert_eq!(sample.kind, Kind::Custom("c".to_owned()));
    assert_eq!(decode::<Sample>(r#"{"kind": "enforce", "names": null}"#).unwrap().kind, Kind::Enforce);
    assert_eq!(decode::<Sample>("{}").unwrap().names, None);
}

#[test]
fn what_it_does_not_allow_is_refused_with_place_finding_and_remedy() {
    let cases = [
        (r#"{"nmaes": []}"#, "/nmaes", "found an unknown key, allowed is names, limit, by_host, kind, ratio, pair"),
        (r#"{"names": "a"}"#, "/names", "found the text `a`, allowed is a list"),
        (r#"{"names": ["a", 7]}"#, "/names/1", "found 7, allowed is a text"),
        (r#"{"names": [null]}"#, "/names/0", "found `null`, allowed is a text"),
        (r#"{"limit": "80"}"#, "/limit", "found the text `80`, allowed is a whole number from 0 to 255"),
        (r#"{"limit": 300}"#, "/limit", "found 300, allowed is a whole number from 0 to 255"),
        (r#"{"limit": -1}"#, "/limit", "found -1, allowed is a whole number from 0 to 255"),
        (r#"{"limit": 1.0}"#, "/limit", "found a number with a fraction, allowed is a whole number from 0 to 255"),
        (r#"{"limit": true}"#, "/limit", "found `true`, allowed is a whole number from 0 to 255"),
        (r#"{"ratio": {}}"#, "/ratio", "found an object, allowed is a number"),
        (
            r#"{"by_host": {"a/b~c": {"allow": 1, "depth": 0}}}"#,
            "/by_host/a~1b~0c/allow",
            "found 1, allowed is true or false",
        ),
        (r#"{"by_host": {"h": {"allow": true}}}"#, "/by_host/h", "the key `depth` is missing"),
        (r#"{"by_host": {"h": [true, 1]}}"#, "/by_host/h", "found a list, allowed is an object"),
        (r#"{"by_host": {"h": null, "h": null}}"#, "/by_host/h", "found `null`, allowed is an object"),
        (r#"{"kind": "strict"}"#, "/kind", "found `strict`, allowed is notice, enforce, custom"),
        (r#"{"kind": "custom"}"#, "/kind", "found `custom` alone, allowed is an object with that key"),
        (r#"{"kind": {"enforce": 1}}"#, "/kind/enforce", "found a value, allowed is `enforce` alone"),
        (r#"{"kind": {"custom": 1}}"#, "/kind/custom", "found 1, allowed is a text"),
        (
            r#"{"kind": {"custom": "a", "enforce": null}}"#,
            "/kind",
            "found 2 entries, allowed is an object with one key",
        ),
        (r#"{"kind": 3}"#, "/kind", "found 3, allowed is notice, enforce, custom"),
        (r#"{"pair": [1, 2, 3]}"#, "/pair", "found 3 entries, allowed are 2"),
        (r#"{"pair": [1]}"#, "/pair", "found 1 entries, allowed is a tuple of size 2"),
        (r#"{"limit": 1, "limit": 2}"#, "/limit", "found the key more than once, allowed is once"),
        ("[]", "", "found a list, allowed is an object"),
        ("null", "", "found `null`, allowed is an object"),
        ("3", "", "found 3, allowed is an object"),
    ];
    for (json, path, message) in cases {
        assert_eq!(problems(json), [(path.to_owned(), message.to_owned())], "{json}");
    }
}

#[test]
fn the_problems_of_different_keys_are_told_together() {
    let found = problems(r#"{"limit": "x", "nmaes": 1, "names": [1, 2], "kind": "?"}"#);
    let places: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(places, ["/limit", "/nmaes", "/names/0", "/kind"]);

    let found: Vec<_> = decode::<Rule>(r#"{"allow": 1, "depth": 2}"#).unwrap_err();
    assert_eq!(found.len(), 1, "the key that was set aside is not also missing: {found:?}");
}

#[test]
fn text_that_is_not_json_is_refused_without_a_panic() {
    for text in ["", "{", "{} {}", "{'a': 1}", "nul", "\u{0}", "1e999", "{\"a\": 1,}", "\"\\ud800\""] {
        let found = problems(text);
        assert_eq!(found.len(), 1);
        assert!(found[0].1.starts_with("found text that is not JSON ("), "{text:?}: {found:?}");
    }
    assert_eq!(problems(&"[".repeat(100_000)).len(), 1, "deep nesting ends in a problem, not in a stack overflow");
}

#[test]
fn a_long_text_is_shown_in_part() {
    let (_, message) = problems(&format!(r#"{{"limit": "{}"}}"#, "é".repeat(5000))).remove(0);
    assert_eq!(message, format!("found the text `{}…`, allowed is a whole number from 0 to 255", "é".repeat(60)));
}

#[test]
fn no_settings_is_an_empty_object_and_nothing_else() {
    assert_eq!(decode::<NoSettings>("{}"), Ok(NoSettings {}));
    for text in ["null", "[]", r#"{"a": 1}"#, "\"\""] {
        assert_eq!(decode::<NoSettings>(text).map_err(|problems| problems.len()), Err(1), "{text}");
    }
    assert!(serde_json::from_str::<serde_json::Value>(NoSettings::SCHEMA).unwrap().is_object());
}

/// Any JSON value of modest size.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z~/]{0,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Our decoder accepts what serde_json accepts, and reads the same from it.
    #[test]
    fn it_reads_what_serde_json_reads(value in any_json()) {
        prop_assert_eq!(decode::<serde_json::Value>(&value.to_string()), Ok(value));
    }

    /// It refuses what serde_json refuses; every problem points to a place that exists, or to the whole.
    #[test]
    fn problems_point_into_the_document(value in any_json()) {
        let text = serde_json::json!({ "names": value, "limit": value, "by_host": value }).to_string();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        match decode::<Sample>(&text) {
            Ok(sample) => prop_assert_eq!(sample, serde_json::from_str(&text).unwrap()),
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                for problem in problems {
                    prop_assert!(document.pointer(&problem.path).is_some(), "{:?}", problem);
                }
            }
        }
    }
}
