//! What is read, what is refused, and that both are as serde_json has it.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// The value that serde_json would have read.
fn as_value(json: &Json<'_>) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => serde_json::from_str(number).unwrap(),
        Json::Text(text) => Value::from(text.as_ref()),
        Json::List(items) => items.iter().map(as_value).collect(),
        Json::Object(entries) => entries.iter().map(|(key, value)| (key.to_string(), as_value(value))).collect(),
    }
}

#[test]
fn values_are_read_as_they_are_written() {
    let json =
        Json::parse(r#" { "a" : [ 1, -0.5e+3, "\u00e9\ud83e\udd80\n\/" , null ] , "" : true, "b": {} } "#).unwrap();
    let items = json.get("a").unwrap().as_list().unwrap();
    assert_eq!(items, [Json::Number("1"), Json::Number("-0.5e+3"), Json::Text("é🦀\n/".into()), Json::Null]);
    assert_eq!((json.get("").unwrap().as_bool(), json.get("c")), (Some(true), None));
    assert_eq!(json.get("b").unwrap().as_object(), Some([].as_slice()));
    assert_eq!((items[0].as_integer(), items[2].as_text(), items[0].get("a")), (Some(1), Some("é🦀\n/"), None));
}

#[test]
fn a_number_is_an_integer_when_it_is_written_as_one_and_fits() {
    let cases = [
        ("0", Some(0)),
        ("-0", Some(0)),
        ("42", Some(42)),
        ("9223372036854775807", Some(i64::MAX)),
        ("-9223372036854775808", Some(i64::MIN)),
        ("9223372036854775808", None),
        ("-9223372036854775809", None),
        ("18446744073709551616", None),
        ("99999999999999999999999999", None),
        ("1.0", None),
        ("1e2", None),
        ("-1E2", None),
    ];
    for (text, expected) in cases {
        assert_eq!(Json::parse(text).unwrap().as_integer(), expected, "{text}");
    }
}

#[test]
fn what_is_not_json_is_refused_at_its_byte() {
    let cases = [
        ("", "it is not JSON from byte 0"),
        (" ", "it is not JSON from byte 1"),
        ("nul", "it is not JSON from byte 3"),
        ("nulL", "it is not JSON from byte 3"),
        ("True", "it is not JSON from byte 0"),
        ("{} {}", "it is not JSON from byte 3"),
        ("{'a': 1}", "it is not JSON from byte 1"),
        ("{\"a\": 1,}", "it is not JSON from byte 8"),
        ("{\"a\" 1}", "it is not JSON from byte 5"),
        ("[1 2]", "it is not JSON from byte 3"),
        ("[1,]", "it is not JSON from byte 3"),
        ("[,1]", "it is not JSON from byte 1"),
        ("[", "it is not JSON from byte 1"),
        ("01", "it is not JSON from byte 1"),
        ("-", "it is not JSON from byte 1"),
        ("+1", "it is not JSON from byte 0"),
        ("1.", "it is not JSON from byte 2"),
        (".5", "it is not JSON from byte 0"),
        ("1e", "it is not JSON from byte 2"),
        ("NaN", "it is not JSON from byte 0"),
        ("\"a", "it is not JSON from byte 2"),
        ("\"\n\"", "it is not JSON from byte 1"),
        (r#""\x""#, "it is not JSON from byte 2"),
        (r#""\ud800""#, "it is not JSON from byte 7"),
        (r#""\ud800\n""#, "it is not JSON from byte 8"),
        (r#""\ud800\ud800""#, "it is not JSON from byte 13"),
        (r#""\udc00""#, "it is not JSON from byte 7"),
        (r#""\u00g0""#, "it is not JSON from byte 5"),
        ("\u{feff}1", "it is not JSON from byte 0"),
        (r#"{"a": 1, "b": {"c": 1, "\u0063": 2}}"#, "a key stands more than once in the object that ends at byte 35"),
    ];
    for (text, message) in cases {
        assert_eq!(Json::parse(text).unwrap_err().to_string(), message, "{text}");
    }
}

#[test]
fn nesting_ends_in_an_error_and_not_in_a_stack_overflow() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Json::parse(&nested(MAX_DEPTH)).is_ok());
    assert!(serde_json::from_str::<Value>(&nested(MAX_DEPTH)).is_ok());
    let error = Json::parse(&nested(MAX_DEPTH + 1)).unwrap_err();
    assert_eq!(error.to_string(), "it is nested too deeply at byte 127");
    assert!(serde_json::from_str::<Value>(&nested(MAX_DEPTH + 1)).is_err());
    assert!(Json::parse(&"{\"a\":".repeat(1_000_000)).is_err());
}

#[test]
fn very_many_keys_are_compared_quickly() {
    // The worst order for a sort that compares neighbours only: 200,000 keys would take 20 billion steps.
    let keys: Vec<_> = (0..200_000).rev().map(|number| format!("\"{number:06}\":1")).collect();
    assert!(Json::parse(&format!("{{{}}}", keys.join(","))).is_ok());
    assert!(Json::parse(&format!("{{{},\"000000\":2}}", keys.join(","))).is_err());
}

#[test]
fn decimal_digits_are_those_of_the_standard_library() {
    for number in [0, 1, -1, 9, 10, -10, 1234567890, i64::MAX, i64::MIN] {
        assert_eq!(decimal(number), number.to_string());
    }
}

/// Text that is JSON or nearly so.
fn near_json() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "a",
        "null",
        "true",
        "false",
        "-",
        "0",
        "12",
        ".",
        "e",
        "+",
        " ",
        "\n",
        "\\u0041",
        "\\ud83e\\udd80",
        "é",
        "\"k\":",
        "\"\"",
        "\u{1}",
    ]);
    prop::collection::vec(parts, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    /// On texts of all kinds, it reads and refuses what serde_json does, but for keys that stand twice and for numbers
    /// that no `f64` can hold.
    #[test]
    fn it_reads_what_serde_json_reads(text in near_json()) {
        match (Json::parse(&text), serde_json::from_str::<Value>(&text)) {
            (Ok(json), Ok(value)) => prop_assert_eq!(as_value(&json), value),
            (Err(error), Ok(_)) => prop_assert_eq!(error.kind, JsonErrorKind::RepeatedKey),
            (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("number out of range"), "{} {}", text, error),
            (Err(error), Err(_)) => prop_assert!(error.byte <= text.len()),
        }
    }

    #[test]
    fn any_document_is_read_as_serde_json_writes_it(value in any_json()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            prop_assert_eq!(as_value(&Json::parse(&text).unwrap()), value.clone());
        }
    }

    #[test]
    fn a_repeated_key_is_found_wherever_it_stands(
        keys in prop::collection::btree_set("[a-c]{0,4}", 1..40), again in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(), seed in any::<prop::sample::Index>(),
    ) {
        let mut keys: Vec<_> = keys.into_iter().collect();
        let middle = seed.index(keys.len());
        keys.rotate_left(middle);
        let document = |keys: &[String]| format!("{{{}}}", keys.iter().map(|key| format!("\"{key}\":0")).collect::<Vec<_>>().join(","));
        prop_assert!(Json::parse(&document(&keys)).is_ok());
        let repeated = keys[again.index(keys.len())].clone();
        keys.insert(place.index(keys.len() + 1), repeated);
        prop_assert_eq!(Json::parse(&document(&keys)).unwrap_err().kind, JsonErrorKind::RepeatedKey);
    }
}

/// Any JSON value of modest size, with whole numbers.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-3_i64..300).prop_map(Value::from),
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
