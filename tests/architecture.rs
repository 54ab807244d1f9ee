//! The import law: which module may use which, and who may name a crate.
//!
//! A table, and a scan of the code in `host/src`. A planted violation of each kind is found, see the last tests.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test reads the tree")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A module of `host/src` and the modules that it may use. The order is that of the pipeline.
const LAW: [(&str, &[&str]); 15] = [
    ("authority", &["model"]),
    ("model", &[]),
    ("config", &["model"]),
    ("package", &["model"]),
    ("request", &["model"]),
    ("policy", &["model"]),
    ("decide", &["model"]),
    ("report", &["model", "decide"]),
    ("launch", &["model", "decide"]),
    // Beside the line: it hands a registry out, and has nothing to do with what is launched.
    ("serve", &["model", "package"]),
    // Writes down what the others did, and is told all of it: it knows nobody.
    ("audit", &["model"]),
    ("pipeline", &["authority", "model", "config", "package", "request", "policy", "decide", "launch", "audit"]),
    ("cli", &["pipeline", "config", "report", "authority", "model"]),
    ("lib", &[]),
    ("main", &["pipeline", "config", "report", "authority", "model", "cli"]),
];

/// Files that may use more than their module may, and what.
const EXCEPTIONS: [(&str, &[&str]); 4] = [
    ("cli/policy", &["policy"]),
    ("cli/registry", &["package", "serve"]),
    // Reading the log is not a step of the pipeline.
    ("cli/audit", &["audit"]),
    ("cli/doctor", &["audit"]),
];

/// A name that only some files may use, for its power or its price; a whole word wherever it stands.
const OWNERS: [(&str, &[&str]); 23] = [
    ("serde_yaml", &["config/raw.rs"]),
    ("wasmtime", &["policy.rs", "policy/"]),
    ("wasmparser", &["policy/shape.rs", "policy/compile.rs"]),
    ("ureq", &["package/http.rs", "package/http/"]),
    ("rustls", &["package/http.rs", "package/http/"]),
    ("rustls_native_certs", &["package/http.rs", "package/http/"]),
    ("indicatif", &["report/progress.rs"]),
    ("clap", &["cli.rs", "cli/"]),
    ("clap_complete", &["cli/completions.rs"]),
    ("clap_mangen", &["cli/man.rs"]),
    ("toml_edit", &["cli/mcp_config/merge/toml.rs"]),
    ("anyhow", &["cli.rs", "cli/", "main.rs"]),
    ("ambient_authority", &["authority.rs", "authority/"]),
    (
        "unsafe",
        &[
            "policy/load.rs",
            "launch/disposition.rs",
            "launch/keeper.rs",
            "launch/keeper/image.rs",
            "authority/kernel.rs",
        ],
    ),
    ("Command", &["launch/spawn.rs", "cli.rs", "cli/args.rs", "cli/man.rs"]),
    // The async runtime and the HTTP server: only what serves a registry, never the way from a package to a process.
    ("tokio", &["serve.rs", "serve/"]),
    ("hyper", &["serve.rs", "serve/"]),
    ("hyper_util", &["serve.rs", "serve/"]),
    ("http_body_util", &["serve.rs", "serve/"]),
    ("syslog", &["audit/heads.rs"]),
    ("regex_syntax", &["model/unseen.rs"]),
    ("rustix", &["policy/room.rs"]),
    ("webpki", &["package/http/certificate.rs"]),
];

/// Files that define a `Command` of their own, the command line's; the system's is not for them.
const OWN_COMMAND: [&str; 3] = ["cli.rs", "cli/args.rs", "cli/man.rs"];

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

/// The code of a file: no comments, and nothing between the quotes of its strings. Lines stay where they are.
fn code_of(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (kept, length) = literal(rest).unwrap_or((&rest[..first.len_utf8()], first.len_utf8()));
        code.push_str(kept);
        code.extend(rest[kept.len()..length].chars().filter(|left_out| *left_out == '\n'));
        rest = &rest[length..];
    }
    code
}

/// What is kept of the comment or the literal that `text` starts with, and how long it is.
fn literal(text: &str) -> Option<(&str, usize)> {
    if text.starts_with("//") {
        return Some(("", text.find('\n').unwrap_or(text.len())));
    }
    if text.starts_with("/*") {
        return Some(("", block_comment(text)));
    }
    if let Some(inside) = text.strip_prefix('"') {
        let mut escaped = false;
        let end = inside.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        return Some((&text[..1], end.map_or(text.len(), |end| end + 2)));
    }
    if let Some(after) = text.strip_prefix('r') {
        let hashes = after.len() - after.trim_start_matches('#').len();
        if after[hashes..].starts_with('"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let open = 1 + hashes + 1;
            return Some((&text[..1], text[open..].find(&close).map_or(text.len(), |end| open + end + close.len())));
        }
    }
    // A character, not a lifetime: what matters is that a quote in one opens no string.
    ["'\"'", "'\\\"'", "'\\''", "'\\\\'", "'/'"].iter().find(|one| text.starts_with(**one)).map(|one| ("", one.len()))
}

/// How long the block comment is that `text` starts with; they nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut rest) = (0, text);
    while let Some(first) = rest.chars().next() {
        let mark = rest.get(..2).unwrap_or_default();
        match mark {
            "/*" => depth += 1,
            "*/" => depth -= 1,
            _ => {}
        }
        rest = &rest[if matches!(mark, "/*" | "*/") { mark.len() } else { first.len_utf8() }..];
        if depth == 0 {
            break;
        }
    }
    text.len() - rest.len()
}

fn module_of(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

/// The word that some code starts with.
fn word(code: &str) -> &str {
    &code[..code.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(code.len())]
}

/// What follows each `name` that is a whole word.
fn after<'c>(code: &'c str, name: &'c str) -> impl Iterator<Item = &'c str> {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name)
        .filter(move |(at, _)| !code[..*at].ends_with(in_word))
        .map(move |(at, found)| &code[at + found.len()..])
        .filter(move |rest| name.ends_with(':') || !rest.starts_with(in_word))
}

/// The modules that some code reaches: through `crate::`, and in the program through the library's name.
fn used<'c>(file: &str, code: &'c str) -> Vec<&'c str> {
    let root = if file == "main.rs" { "smcp::" } else { "crate::" };
    after(code, root).map(word).collect()
}

/// Whether some code names the system's own way to start a process.
fn starts_processes(code: &str) -> bool {
    after(code, "process").any(|rest| {
        let Some(path) = rest.strip_prefix("::") else { return word(rest.trim_start()) == "as" };
        let named =
            if path.starts_with('{') { path.split_once(';').map_or(path, |(list, _)| list) } else { word(path) };
        path.starts_with('*') || after(named, "Command").next().is_some() || named.contains('*')
    })
}

/// What of a file is not its unit tests, which may build their own world.
fn outside_tests<'c>(file: &str, code: &'c str) -> &'c str {
    let of_tests =
        ["tests.rs", "testing.rs", "fixtures.rs"].iter().any(|name| file.ends_with(name)) || file.contains("/tests/");
    if of_tests { "" } else { code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default() }
}

/// What breaks the law in one file.
fn violations(file: &str, code: &str) -> Vec<String> {
    let module = module_of(file);
    let Some((_, allowed)) = LAW.iter().find(|(name, _)| *name == module) else {
        return vec![format!("{file}: the law does not know the module `{module}`")];
    };
    let extra = EXCEPTIONS.iter().filter(|(prefix, _)| file.starts_with(prefix)).flat_map(|(_, more)| *more);
    let allowed: Vec<_> = allowed.iter().chain(extra).chain([&module]).collect();
    let mut found: Vec<_> = used(file, code)
        .into_iter()
        .filter(|target| !allowed.contains(&target))
        .map(|target| format!("{file}: `{module}` may not use `{target}`"))
        .collect();
    let code = outside_tests(file, code);
    // It would have to be followed to know where it leads; `pub(super)` leads nowhere.
    if after(code, "super::").next().is_some() {
        found.push(format!("{file}: `super::` hides which module is meant; start at `crate::`"));
    }
    for (name, owners) in OWNERS {
        if after(code, name).next().is_some() && !owners.iter().any(|owner| file.starts_with(owner)) {
            found.push(format!("{file}: `{name}` belongs to {owners:?}"));
        }
    }
    if OWN_COMMAND.contains(&file) && starts_processes(code) {
        found.push(format!("{file}: only `launch` starts processes"));
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
        assert!(first.starts_with("//! ") && first.chars().count() <= 80, "{file} opens with `//!`: {first}");
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
        ("cli/run.rs", "use crate::{launch, model};"),
        ("main.rs", "use smcp::launch::launch;"),
        ("main.rs", "smcp::policy::PolicyHost::new()"),
        ("cli/registry.rs", "value_parser = super::run::parse_score"),
        ("report/human.rs", "use super::super::policy;"),
        ("decide.rs", "use wasmtime::Engine;"),
        ("package.rs", "cap_std::ambient_authority()"),
        ("config.rs", "serde_yaml::from_str"),
        ("config.rs", "let x = clap::Parser;"),
        ("package/fetch.rs", "ureq::get(x)"),
        ("pipeline/find.rs", "use rustls::ClientConfig;"),
        ("policy/call.rs", "rustls_native_certs::load_native_certs()"),
        ("package/stream.rs", "use indicatif::ProgressBar;"),
        ("package.rs", "fn x() -> anyhow::Result<()>"),
        ("policy/call.rs", "wasmparser::Parser"),
        ("package.rs", "unsafe{ x() }"),
        ("package.rs", "use std::process::{Child, Command, Stdio};"),
        ("launch/terminal.rs", "use std::process::Command;"),
        ("cli/run.rs", "std::process::Command::new(x)"),
        ("cli/run.rs", "use std::process::Command as Started;"),
        ("cli/args.rs", "use std::process::{Child, Command, Stdio};"),
        ("cli/args.rs", "use std::process as p;"),
        ("cli.rs", "use std::process::*;"),
        ("cli.rs", "process::Command::new(x)"),
        ("package/fetch.rs", "tokio::runtime::Builder::new_current_thread()"),
        ("cli/registry.rs", "use hyper::server::conn::http1;"),
        ("serve.rs", "use crate::pipeline::run;"),
        ("cli/run.rs", "use crate::serve::serve;"),
        ("attic.rs", ""),
    ] {
        assert_eq!(violations(file, &code_of(code)).len(), 1, "{file}: {code}");
    }
    for (file, code) in [
        ("cli/policy/list.rs", "use crate::policy::PolicyHost;"),
        ("report.rs", "use crate::report::human; use crate::model::mode::Mode;"),
        ("main.rs", "use smcp::cli; smcp::authority::arguments()"),
        ("cli/run.rs", "pub(super) struct RunCommand; use std::process::ExitCode;"),
        ("cli/args.rs", "enum Command {} use std::process::{ExitCode, Termination};"),
        ("decide.rs", "// crate::policy\n/* crate::policy */ let x = \"crate::policy\"; let y = r#\"wasmtime\"#;"),
        ("decide.rs", "#[cfg(test)]\nmod tests {\n    use super::*;\n}"),
    ] {
        assert_eq!(violations(file, &code_of(code)), [""; 0], "{file}: {code}");
    }
}

#[test]
fn the_scan_reads_code_and_nothing_else() {
    for (text, code) in [
        ("a // b\nc", "a \nc"),
        ("a /* b /* c */ d\n */ e", "a \n e"),
        ("x(\"https://y\"); crate::z", "x(\"); crate::z"),
        (r#"x("a\"b\\"); y"#, r#"x("); y"#),
        ("x(r\"\\\"); y", "x(r); y"),
        ("x(r#\"a\"b\"#, br##\"c\"#\"##); y", "x(r, br); y"),
        ("x('\"'); y('\\''); fn z<'a>(a: &'a str)", "x(); y(); fn z<'a>(a: &'a str)"),
        ("\"a\nb\" c", "\"\n c"),
    ] {
        assert_eq!(code_of(text), code, "{text}");
    }
}
