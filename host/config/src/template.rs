//! The file of `smcp config init`: every key with its meaning, commented out.
//!
//! It is made from the keys that the parser reads by, so that none is missing.

use std::fmt::Write as _;

use serde_json::Value;

use crate::keys;
use crate::keys::AnyKey;

/// The most columns of a comment.
const WIDTH: usize = 100;

/// Example values for keys without a default that can be written, or for which an example explains more.
const EXAMPLES: [(&str, &str); 14] = [
    ("trusted_registries", "[https://registry.mcp-hub.info]"),
    ("admin_contact", "\"#sec-help, security@example.com\""),
    ("ca_file", "/etc/ssl/company.pem"),
    ("runtime_dir", "~/.mcp/runtime"),
    ("allowed_origins", "[official, verified]"),
    ("min_cert_level", "2"),
    ("min_score", "80"),
    ("origin_mode", "strict"),
    ("score_mode", "strict"),
    ("custom", "[{name: no-network, source: policies/no_network.wasm, mode: warn}]"),
    ("exceptions", "[{package: acme/legacy, policies: [score], reason: ticket 123, until: 2027-01-31}]"),
    ("policy_set", "{source: /srv/policies/company.tar.gz, minimum: 1}"),
    ("policy", ""),
    // It is another name of `cert_mode`, which the template has already.
    ("cert_level_mode", ""),
];

/// Returns the text, which is an empty configuration until a `#` is taken away.
pub fn template() -> String {
    let mut text =
        "# What smcp may start. Nothing is restricted until the `#` before a key under `policy` is taken away,\n\
                    # and the one before `policy` too. `smcp config validate` checks this file; docs/config.md has\n\
                    # every word of it.\n"
            .to_owned();
    for key in keys::ROOT.keys.iter().filter(|key| key.name() != "policy") {
        write_key(&mut text, *key, "");
    }
    text.push_str("\n# The rules that every package must meet.\n#policy:\n");
    for key in keys::policy::SECTION.keys {
        write_key(&mut text, *key, "  ");
    }
    text
}

fn write_key(text: &mut String, key: &dyn AnyKey, indent: &str) {
    let schema = key.schema();
    let member = |name: &str| schema.get(name).map(|value| value.as_str().map_or(value.to_string(), str::to_owned));
    let example = EXAMPLES.iter().find(|(name, _)| *name == key.name()).map(|(_, value)| (*value).to_owned());
    let Some(value) = example.or_else(|| member("default")).filter(|value| !value.is_empty()) else {
        return;
    };
    text.push_str(if indent.is_empty() { "\n" } else { "#\n" });
    let about = member("description").unwrap_or_default();
    let default = match schema.get("default") {
        None | Some(Value::Null) => String::new(),
        Some(default) => format!(" Default: {}.", default.as_str().map_or(default.to_string(), str::to_owned)),
    };
    for line in lines(&format!("{about}{default}"), WIDTH.saturating_sub(indent.len())) {
        // Writing to a string never fails.
        let _ = writeln!(text, "# {indent}{line}");
    }
    let _ = writeln!(text, "#{indent}{}: {value}", key.name());
}

/// Breaks a text between words, into lines of at most `width` columns.
fn lines(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len().saturating_add(word.len()) < width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::path::PathBuf;

    use super::*;
    use crate as config;
    use crate::Places;

    fn read(text: &str) -> config::Config {
        let places = Places {
            home: Some(PathBuf::from("/home/me")),
            working_directory: PathBuf::from("/"),
            system_folder: PathBuf::from("/etc/mcp"),
        };
        config::parse(text.as_bytes(), Path::new("/home/me/.mcp/config.yaml"), &places)
            .unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    /// Returns the text with every `#` before a key taken away.
    fn uncommented(text: &str) -> String {
        text.lines()
            .map(|line| {
                format!(
                    "{}\n",
                    line.strip_prefix('#')
                        .filter(|rest| !rest.starts_with("# ")
                            && rest
                                .trim_start()
                                .split_once(": ")
                                .is_some_and(|(key, _)| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
                            || *rest == "policy:")
                        .unwrap_or(line)
                )
            })
            .collect()
    }

    #[test]
    fn it_is_an_empty_configuration_with_every_key() {
        let text = template();
        assert_eq!(read(&text).view().to_string(), read("").view().to_string());
        let all = uncommented(&text);
        let config = read(&all);
        assert_eq!(config.warning_threshold().get(), 80);
        for key in keys::ROOT.keys.iter().chain(keys::policy::SECTION.keys) {
            let name = format!("{}:", key.name());
            let is_there = all.lines().any(|line| line.trim_start().starts_with(&name));
            assert_eq!(is_there, key.name() != "cert_level_mode", "{name} is not in\n{all}");
        }
        assert!(text.lines().all(|line| line.len() <= WIDTH + 4), "{text}");
        insta::assert_snapshot!("template", text);
    }
}
