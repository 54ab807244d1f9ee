//! Prints what the user pastes into a client's YAML file.

use serde_json::Value;

use crate::cli::client::merge::Addition;

/// Returns a document with nothing but the additions, in block style, which has room for comments.
pub(super) fn document(additions: &[Addition]) -> String {
    let mut text = String::new();
    for addition in additions {
        match addition {
            Addition::Member { section, name, value } => {
                text.push_str(&format!("{section}:\n  {}:\n", key(name)));
                below(value, 4, &mut text);
            }
            Addition::Element { section, value } => {
                text.push_str(&format!("{section}:\n  - {value}\n"));
            }
        }
    }
    text
}

/// Writes the members of a value, one to a line. JSON is YAML, so everything deeper is written as JSON.
fn below(value: &Value, indent: usize, text: &mut String) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let pad = " ".repeat(indent);
        match value.as_array().filter(|items| !items.is_empty()) {
            Some(items) => {
                text.push_str(&format!("{pad}{}:\n", key(name)));
                items.iter().for_each(|item| text.push_str(&format!("{pad}  - {item}\n")));
            }
            None => text.push_str(&format!("{pad}{}: {value}\n", key(name))),
        }
    }
}

/// Returns a key, in quotation marks where YAML could read it as something else: `on`, `1e3`, `null`.
fn key(name: &str) -> String {
    let is_plain = name.contains(['_', '-'])
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '-'));
    let is_known = ["name", "type", "enabled", "cmd", "args", "timeout"].contains(&name);
    if is_plain || is_known { name.to_owned() } else { Value::from(name).to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_pasted_means_what_was_added() {
        let value = json!({
            "name": "on", "type": "stdio", "enabled": true, "cmd": "/bin/smcp", "args": ["run", "a: b # c", "-x", ""],
            "env_keys": [], "timeout": 300,
        });
        for name in ["tool", "on", "null", "1e3", "my-tool", "true", "0x1F", "a_b"] {
            let addition = Addition::Member { section: "extensions", name: name.to_owned(), value: value.clone() };
            let text = document(&[addition]);
            let read: Value = serde_yaml::from_str(&text).unwrap();
            assert_eq!(read, json!({"extensions": {name: value}}), "{text}");
        }
    }
}
