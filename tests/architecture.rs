//! The import law: which module may use which, and who alone may name a crate (docs/architecture.md).
//!
//! A table, and a scan of every `crate::x` in `host/src`. A planted violation fails, see the last test.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test reads the tree")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A module of `host/src` and the modules that it may use. The order is that of the pipeline.
const LAW: [(&str, &[&str]); 13] = [
    ("authority", &[]),
    ("model", &[]),
    ("config", &["model"]),
    ("package", &["model"]),
    ("request", &["model"]),
    ("policy", &["model"]),
    ("decide", &["model"]),
    ("report", &["model", "decide"]),
    ("launch", &["model", "decide"]),
    ("pipeline", &["authority", "model", "config", "package", "request", "policy", "decide", "launch"]),
    ("cli", &["pipeline", "config", "report", "authority", "model"]),
    ("lib", &[]),
    ("main", &["pipeline", "config", "report", "authority", "model", "cli"]),
];

/// Files that may use more than their module may, and what.
const EXCEPTIONS: [(&str, &[&str]); 2] = [("cli/policy", &["policy"]), ("cli/registry", &["package"])];

/// A name that only some files may use, for its power or its price.
const OWNERS: [(&str, &[&str]); 8] = [
    ("serde_yaml", &["config/raw.rs"]),
    ("wasmtime", &["policy.rs", "policy/"]),
    ("wasmparser", &["policy/shape.rs", "policy/compile.rs"]),
    ("clap", &["cli.rs", "cli/"]),
    ("anyhow", &["cli.rs", "cli/", "main.rs"]),
    ("ambient_authority", &["authority.rs"]),
    ("std::process::Command", &["launch/"]),
    ("unsafe ", &["policy/load.rs"]),
];

/// Every Rust file of the host, as its path below `host/src` and its code without comments and strings' contents.
fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeMap::new();
    let mut todo = vec![root.clone()];
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            files.insert(name, code_of(&fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(files.len() > 20, "the scan must find the house: {}", files.len());
    files
}

fn code_of(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

fn module_of(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

/// The modules that some code reaches through `crate::`.
fn used(code: &str) -> Vec<&str> {
    code.match_indices("crate::")
        .filter(|(at, _)| !code[..*at].ends_with(|before: char| before.is_alphanumeric() || before == '_'))
        .map(|(at, found)| {
            let rest = &code[at + found.len()..];
            &rest[..rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())]
        })
        .collect()
}

/// What breaks the law in one file.
fn violations(file: &str, code: &str) -> Vec<String> {
    let module = module_of(file);
    let Some((_, allowed)) = LAW.iter().find(|(name, _)| *name == module) else {
        return vec![format!("{file}: the law does not know the module `{module}`")];
    };
    let extra = EXCEPTIONS.iter().filter(|(prefix, _)| file.starts_with(prefix)).flat_map(|(_, more)| *more);
    let allowed: Vec<_> = allowed.iter().chain(extra).chain([&module]).collect();
    let mut found: Vec<_> = used(code)
        .into_iter()
        .filter(|target| !allowed.contains(&target))
        .map(|target| format!("{file}: `{module}` may not use `{target}`"))
        .collect();
    // A unit test may build its own world.
    let of_tests =
        ["tests.rs", "testing.rs", "fixtures.rs"].iter().any(|name| file.ends_with(name)) || file.contains("/tests/");
    let outside_tests = if of_tests { "" } else { code.split("#[cfg(test)]\nmod tests").next().unwrap_or_default() };
    for (name, owners) in OWNERS {
        if outside_tests.contains(name) && !owners.iter().any(|owner| file.starts_with(owner)) {
            found.push(format!("{file}: `{name}` belongs to {owners:?}"));
        }
    }
    found
}

#[test]
fn every_module_keeps_the_import_law() {
    let found: Vec<_> = sources().iter().flat_map(|(file, code)| violations(file, code)).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_file_says_what_it_is_and_stays_readable() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in sources().into_keys() {
        let text = fs::read_to_string(root.join(&file)).unwrap();
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("//! ") && first.chars().count() <= 120, "{file} opens with `//!`: {first}");
        assert!(text.lines().count() <= 400, "{file} has {} lines", text.lines().count());
        assert!(!file.ends_with("mod.rs"), "{file}: modules are foo.rs beside foo/");
    }
}

#[test]
fn faults_are_never_told_apart_by_words() {
    for (file, code) in sources().iter().filter(|(file, _)| file.starts_with("policy")) {
        for phrase in ["to_string().contains", ".to_string().starts_with", "{error}\").contains"] {
            assert!(!code.contains(phrase), "{file} looks into the words of an error");
        }
    }
}

#[test]
fn the_top_of_the_tree_is_the_agreed_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for name in ["Cargo.toml", "host", "wit", "builtin-policies", "sdk", "tests", "examples", "docs", "xtask"] {
        assert!(root.join(name).exists(), "{name}");
    }
    let manifest: PathBuf = root.join("wit/policy.wit");
    assert!(fs::read_to_string(manifest).unwrap().contains("package smcp:policy@0.1.0;"));
}

#[test]
fn a_planted_violation_is_found() {
    for (file, code) in [
        ("report/human.rs", "use crate::policy::Shape;"),
        ("launch.rs", "let x = crate::pipeline::run();"),
        ("cli/run.rs", "use crate::launch::launch;"),
        ("cli/run.rs", "use crate::policy::PolicyHost;"),
        ("decide.rs", "use wasmtime::Engine;"),
        ("package.rs", "cap_std::ambient_authority()"),
        ("config.rs", "serde_yaml::from_str"),
        ("attic.rs", ""),
    ] {
        assert_eq!(violations(file, code).len(), 1, "{file}: {code}");
    }
    assert!(violations("cli/policy/list.rs", "use crate::policy::PolicyHost;").is_empty());
    assert!(violations("report.rs", "use crate::report::human; use crate::model::mode::Mode;").is_empty());
}
