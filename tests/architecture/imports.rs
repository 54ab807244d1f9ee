//! The order of imports.

use std::collections::BTreeMap;

use crate::root;
use crate::sources;

/// Returns the group of an import: the standard library, other crates, or ours. They follow each other in this order.
fn group(import: &str) -> u8 {
    let first = import.split([':', ' ', ';']).next().unwrap_or_default();
    let is_local = first.starts_with("smcp") || first.starts_with(|first: char| first.is_ascii_uppercase());
    match first {
        "std" | "core" | "alloc" => 0,
        "crate" | "super" | "self" => 2,
        _ if is_local => 2,
        _ => 1,
    }
}

/// Returns the imports of a file that share a line, or are outside their group.
fn loose_imports(text: &str) -> Vec<&str> {
    let mut loose = Vec::new();
    let mut last = None;
    let mut is_apart = false;
    for line in text.lines().map(str::trim) {
        let public = line.strip_prefix("pub").and_then(|rest| rest.split_once("use ")).map(|(_, import)| import);
        if let Some(import) = line.strip_prefix("use ") {
            let group = group(import);
            let is_in_place = last.is_none_or(|last| if is_apart { last < group } else { last == group });
            if import.contains('{') || !is_in_place {
                loose.push(line);
            }
            (last, is_apart) = (Some(group), false);
        } else if line.is_empty() {
            is_apart = true;
        } else if !line.starts_with("#[") {
            last = None;
            if public.is_some_and(|import| import.contains('{')) {
                loose.push(line);
            }
        }
    }
    loose
}

#[test]
fn imports_are_one_per_line_and_in_three_groups() {
    let mut found = BTreeMap::new();
    for folder in ["host", "tests", "xtask", "sdk", "builtin-policies"] {
        for (file, text) in sources(&root().join(folder)) {
            let path = format!("{folder}/{file}");
            let loose: Vec<_> = loose_imports(&text).into_iter().map(str::to_owned).collect();
            if !loose.is_empty() {
                found.insert(path, loose);
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_loose_import_is_found() {
    for (text, expected) in [
        ("use std::io;\n\nuse nix::poll::poll;\n\nuse crate::a;\nuse smcp_model::b;\n", 0),
        ("use std::io;\n#[cfg(unix)]\nuse std::os;\n\npub use crate::a;\nmod b;\n", 0),
        ("use std::{fs, io};\n", 1),
        ("pub(crate) use crate::a::{B, C};\n", 1),
        ("use std::io;\nuse crate::a;\n", 1),
        ("use std::fs;\n\nuse std::io;\n", 1),
        ("use crate::a;\n\nuse std::io;\n", 1),
    ] {
        assert_eq!(loose_imports(text).len(), expected, "{text}");
    }
}
