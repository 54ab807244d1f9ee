//! What is added and where, and that nothing else changes.

use proptest::prelude::Just;
use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prelude::prop;
use proptest::prop_assert_eq;
use proptest::prop_oneof;
use proptest::proptest;

use super::*;

fn tool() -> Addition {
    server("tool", &json!({"command": "/bin/smcp", "args": ["run"]}))
}

fn server(name: &str, value: &Value) -> Addition {
    Addition::Member { section: "mcpServers", name: name.to_owned(), value: value.clone() }
}

fn merged(text: &str) -> Result<String, String> {
    merge(text, &[tool()], false).map_err(|error| error.to_string())
}

#[test]
fn a_server_is_added_in_the_layout_of_the_file() {
    let fresh = "{\n  \"mcpServers\": {\n    \"tool\": {\n      \"command\": \"/bin/smcp\",\n      \"args\": [\n        \
                 \"run\"\n      ]\n    }\n  }\n}\n";
    let cases = [
        ("nothing", "", fresh),
        ("white space", " \n", fresh),
        ("an empty object", "{}\n", fresh),
        ("an empty object with room", "{\n\n}\n", fresh),
        (
            "other keys, their numbers and their order",
            "{\n  \"z\": 1e3, \"a\": 0.10,\n  \"n\": 12345678901234567890123\n}",
            "{\n  \"z\": 1e3, \"a\": 0.10,\n  \"n\": 12345678901234567890123,\n  \"mcpServers\": {\n    \"tool\": {\n      \
             \"command\": \"/bin/smcp\",\n      \"args\": [\n        \"run\"\n      ]\n    }\n  }\n}",
        ),
        (
            "tabs, and a server before it",
            "{\n\t\"mcpServers\": {\n\t\t\"a\": {\"command\": \"x\"}\n\t}\n}\n",
            "{\n\t\"mcpServers\": {\n\t\t\"a\": {\"command\": \"x\"},\n\t\t\"tool\": {\n\t\t\t\"command\": \"/bin/smcp\",\n\
             \t\t\t\"args\": [\n\t\t\t\t\"run\"\n\t\t\t]\n\t\t}\n\t}\n}\n",
        ),
        (
            "one line",
            r#"{"a":[{"}":"\"]"}],"mcpServers":{"a":{}},"b":"é\\"}"#,
            r#"{"a":[{"}":"\"]"}],"mcpServers":{"a":{}, "tool": {"command":"/bin/smcp","args":["run"]}},"b":"é\\"}"#,
        ),
        (
            "carriage returns",
            "{\r\n  \"mcpServers\": {}\r\n}\r\n",
            "{\r\n  \"mcpServers\": {\r\n    \"tool\": {\r\n      \"command\": \"/bin/smcp\",\r\n      \"args\": [\r\n        \
             \"run\"\r\n      ]\r\n    }\r\n  }\r\n}\r\n",
        ),
        (
            "the key in other words, and a nested one of the same name",
            r#"{"x": {"mcpServers": 1}, "mcp\u0053ervers": {}}"#,
            "{\"x\": {\"mcpServers\": 1}, \"mcp\\u0053ervers\": {\n  \"tool\": {\n    \"command\": \"/bin/smcp\",\n    \
             \"args\": [\n      \"run\"\n    ]\n  }\n}}",
        ),
    ];
    for (case, text, expected) in cases {
        assert_eq!(merged(text).as_deref(), Ok(expected), "{case}");
    }
}

#[test]
fn what_is_there_already_stays_to_the_byte() {
    let there = "{\"mcpServers\" : {\"tool\":{ \"args\":[\"run\" ],\"command\":\"\\/bin/smcp\"} } }";
    assert_eq!(merged(there).as_deref(), Ok(there));
    let once = merged("").unwrap();
    assert_eq!(merged(&once), Ok(once));
}

#[test]
fn a_file_that_is_not_understood_is_left_alone() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let cases = [
        ("[]", "it is not a JSON object"),
        ("null", "it is not a JSON object"),
        ("\"text\"", "it is not a JSON object"),
        (
            "{",
            "it is not plain JSON, and smcp edits no file with comments or trailing commas, which it could lose: EOF",
        ),
        ("{} {}", "trailing characters at line 1 column 4"),
        (
            "// mine\n{}",
            "it is not plain JSON, and smcp edits no file with comments or trailing commas, which it could lose: expected value at line 1",
        ),
        ("{\"a\": 1,}", "trailing comma at line 1 column 9"),
        ("\u{feff}{}", "it is not plain JSON"),
        (&deep, "recursion limit exceeded"),
        ("{\"mcpServers\": null}", "`mcpServers` in it is not an object"),
        ("{\"mcpServers\": [{\"tool\": {}}]}", "`mcpServers` in it is not an object"),
        ("{\"mcpServers\": {}, \"mcpServers\": {}}", "`mcpServers` stands in it more than once"),
        ("{\"mcpServers\": {\"tool\": 1, \"tool\": 2}}", "`tool` stands in it more than once"),
        ("{\"mcpServers\": {\"tool\": {\"command\": \"other\"}}}", "it has another server `tool`"),
    ];
    for (text, expected) in cases {
        let error = merged(text).unwrap_err();
        assert!(error.contains(expected), "{text:.60}: {error}");
    }
}

#[test]
fn only_force_replaces_another_server() {
    let text =
        "{\n  \"mcpServers\": {\n    \"a\": 1.0,\n    \"tool\": {\"command\": \"other\"},\n    \"b\": 2\n  }\n}\n";
    let expected = "{\n  \"mcpServers\": {\n    \"a\": 1.0,\n    \"tool\": {\n      \"command\": \"/bin/smcp\",\n      \
                    \"args\": [\n        \"run\"\n      ]\n    },\n    \"b\": 2\n  }\n}\n";
    assert_eq!(merge(text, &[tool()], true).unwrap(), expected);
}

#[test]
fn a_question_is_asked_once() {
    let question = Addition::Element { section: "inputs", value: json!({"id": "tool-KEY", "password": true}) };
    let once = merge("{\"inputs\": [{\"id\": \"x\"}]}", std::slice::from_ref(&question), false).unwrap();
    assert_eq!(once, "{\"inputs\": [{\"id\": \"x\"}, {\"id\":\"tool-KEY\",\"password\":true}]}");
    assert_eq!(merge(&once, std::slice::from_ref(&question), false).unwrap(), once);
    let error = merge("{\"inputs\": {}}", &[question], false).unwrap_err();
    assert_eq!(error.to_string(), "`inputs` in it is not a list");
}

/// Any JSON, with keys and texts that look like the syntax around them.
fn json_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("}],{[".to_owned()),
        Just("a\nb".to_owned()),
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(text.clone(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_in_the_file_the_server_is_all_that_changes(
        members in prop::collection::btree_map("[a-z\"\\\\{} ]{0,4}", json_value(), 0..5),
        servers in prop::option::of(prop::collection::btree_map("[a-z]{1,2}", json_value(), 0..4)),
        value in json_value(),
        pretty in any::<bool>(),
    ) {
        let mut document = Value::Object(members.into_iter().collect());
        if let Some(servers) = servers {
            document["mcpServers"] = Value::Object(servers.into_iter().collect());
        }
        let text = if pretty { format!("{document:#}") } else { document.to_string() };
        let after = merge(&text, &[server("tool", &value)], false).unwrap();
        document["mcpServers"]["tool"] = value;
        prop_assert_eq!(serde_json::from_str::<Value>(&after).unwrap(), document);
    }
}
