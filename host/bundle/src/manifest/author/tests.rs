//! Checks the table of keys against itself, the documents and the reader.

use serde_json::json;

use super::*;
use crate::manifest::Platform;
use crate::manifest::read;
use crate::manifest::schema;

/// A manifest with every key, each with its example.
fn complete() -> Map<String, Value> {
    let mut document = Value::Object(Map::new());
    for key in KEYS.iter().filter(|key| key.kind != KeyKind::Object) {
        let place = key.path.split('.').fold(&mut document, |place, name| &mut place[name]);
        *place = serde_json::from_str(key.example).unwrap();
    }
    document.as_object().unwrap().clone()
}

/// The complete manifest with another value at `path`; `null` removes the key.
fn with(path: &str, value: Value) -> Map<String, Value> {
    let mut document = Value::Object(complete());
    *path.split('.').fold(&mut document, |place, name| &mut place[name]) = value;
    document.as_object().unwrap().clone()
}

#[test]
fn every_example_is_taken_by_whoever_reads_a_manifest() {
    let document = complete();
    check(&document).unwrap();
    assert_eq!(unknown(&document), []);
    let text = Value::Object(document).to_string();
    read(text.as_bytes(), Platform::current()).unwrap();
    for key in KEYS {
        let example: Value = serde_json::from_str(key.example).unwrap();
        assert_eq!(mismatch(&key, &example), None, "{}", key.path);
        let parent = key.path.rsplit_once('.').map(|(parent, _)| parent);
        let is_object = |path| KEYS.iter().any(|key| key.path == path && key.kind == KeyKind::Object);
        assert!(parent.is_none_or(is_object), "{} stands in an object of the table", key.path);
    }
}

#[test]
fn every_key_refuses_what_it_does_not_hold_and_only_required_ones_are_missed() {
    for key in KEYS {
        let other = if matches!(key.kind, KeyKind::Texts | KeyKind::Started | KeyKind::Arguments) {
            json!("x")
        } else {
            json!([[1]])
        };
        let problem = check(&with(key.path, other)).unwrap_err().to_string();
        assert!(problem.contains(&format!("`{}` is ", key.path)) && problem.contains("it must be "), "{problem}");
        let missing = check(&with(key.path, Value::Null));
        assert_eq!(missing.is_err(), key.required, "{}", key.path);
        if let Err(problem) = missing {
            let expected = format!("`{}` is missing, for example {}", key.path, key.example);
            assert!(problem.to_string().contains(&expected), "{problem}");
        }
    }
}

#[test]
fn problems_are_told_together_and_in_our_own_words() {
    let told = |document: Value| check(document.as_object().unwrap()).unwrap_err().to_string();
    let newcomer = json!({"schema_version": 1, "package": {"id": "me/fs", "version": "1.0.0"}, "entrypoint": {"command": ["npx"]}});
    assert!(
        told(newcomer.clone()).starts_with("`runtime` is missing, for example {\"type\": \"node\"}\n"),
        "{}",
        told(newcomer)
    );
    let all = told(json!({}));
    assert!(all.starts_with("4 things in it are not right\n"), "{all}");
    assert!(!all.contains("package.id") && !all.contains("bundle"), "{all}");
    let other = told(json!({"schema_version": 1, "entrypoints": []}));
    assert!(other.contains("`entrypoints` belongs to the format that registries hand out"), "{other}");
    let number = told(with("schema_version", json!("newest")).into());
    assert!(number.contains("the text `\"newest\"`; it must be a number"), "{number}");
}

#[test]
fn a_key_that_means_nothing_is_told_with_the_one_that_was_meant() {
    let mut document = Value::Object(complete());
    document["permissions"]["network"]["outbond"] = json!([]);
    document["entry_point"] = json!({});
    document["x\u{1b}"] = json!(1);
    let remarks = unknown(document.as_object().unwrap());
    assert_eq!(remarks.len(), 3, "{remarks:?}");
    let all = remarks.iter().map(SafeText::as_str).collect::<Vec<_>>().join("\n");
    for says in ["did you mean `permissions.network.outbound`?", "did you mean `entrypoint`?"] {
        assert!(all.contains(says), "{all}");
    }
    assert!(!all.contains('\u{1b}'));
}

#[test]
fn the_schema_and_the_documents_have_every_key() {
    let schema = schema();
    let documents = include_str!("../../../../../docs/manifest.md");
    for key in KEYS {
        let place = key.path.split('.').fold(&schema, |place, name| &place["properties"][name]);
        assert_eq!(place["description"], key.about, "{}", key.path);
        let row = format!("| `{}` | {} | {} |", key.path, if key.required { "yes" } else { "no" }, key.about);
        assert!(documents.contains(&row), "docs/manifest.md has no row that begins with: {row}");
    }
}
