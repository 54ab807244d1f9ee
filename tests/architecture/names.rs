//! The names of types: each has one meaning.

use std::collections::BTreeMap;

use crate::root;
use crate::sources;

/// The names of types that two files may have, since both mean the same: the interface's types, in the host and in the
/// SDK; a setting, in the configuration and in its policy; what each system has in its own way; what each version of the
/// interface has.
const TWINS: [&str; 19] = [
    "Adoption",
    "Callee",
    "CertScoreCheck",
    "ClientWatch",
    "Context",
    "Description",
    "Entrypoint",
    "Finding",
    "Level",
    "OnWarn",
    "Origin",
    "Permissions",
    "Preparation",
    "Process",
    "Request",
    "SettingsProblem",
    "SeverityCounts",
    "Subject",
    "Verdict",
];

/// Returns the names of the types that the production code of a file defines.
fn types(text: &str) -> Vec<&str> {
    let production = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let definitions = production.lines().filter(|line| !line.starts_with([' ', '/', '#']));
    let names = definitions.filter_map(|line| {
        let mut words = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_').skip_while(|word| {
            // `pub`, and what is in its parentheses: `pub(in crate::cli)`.
            ["pub", "crate", "super", "in", "cli", ""].contains(word)
        });
        ["struct", "enum", "union", "trait", "type"].contains(&words.next()?).then(|| words.next())?
    });
    names.collect()
}

#[test]
fn the_name_of_a_type_has_one_meaning() {
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for folder in ["host", "sdk", "builtin-policies"] {
        for (file, text) in sources(&root().join(folder)) {
            let of_tests = ["tests", "testing", "fixtures", "benches", "templates"].iter().any(|it| file.contains(it));
            for name in types(&text).into_iter().filter(|_| !of_tests) {
                files.entry(name.to_owned()).or_default().push(format!("{folder}/{file}"));
            }
        }
    }
    assert!(files.len() > 500, "the scan must find the types: {}", files.len());
    for (name, files) in files {
        let expected = if TWINS.contains(&name.as_str()) { 2 } else { 1 };
        assert_eq!(files.len(), expected, "`{name}` is defined in {files:?}");
    }
}

#[test]
fn the_names_of_types_are_found() {
    let text = "pub(crate) struct One(u8);\n/// struct Text\nenum Two<T> {}\npub type Three = u8;\nimpl One {\n    type Inner = u8;\n}\n\
                pub trait Four: Sized {}\nmod union;\n#[cfg(test)]\nmod tests {\nstruct Six;\n}\n";
    assert_eq!(types(text), ["One", "Two", "Three", "Four"]);
}
