//! `policy new`: what it writes, where it refuses, and that its projects of Rust and C work.
//!
//! Those of the other languages are followed by `tests/languages`, which has their toolchains.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use crate::bed::TestBed;
use crate::language::CLANG;
use crate::language::WASM;
use crate::language::clang_of_debian;
use crate::language::succeeds;
use crate::project;

const LANGUAGES: [&str; 5] = ["rust", "javascript", "python", "go", "c"];

/// Every file below a folder.
fn files(bed: &TestBed, folder: &str) -> Vec<String> {
    let (mut found, mut todo) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(path) = todo.pop() {
        if bed.path(&path).is_dir() {
            todo.extend(bed.list(&path).into_iter().map(|name| format!("{path}/{name}")));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn a_new_project_says_what_comes_next() {
    let bed = TestBed::new();
    insta::assert_snapshot!("new", bed.run("policy new no-hosts").succeeds());
    for language in LANGUAGES {
        bed.run(&format!("policy new in-{language} --lang {language}")).succeeds();
        let written = files(&bed, &format!("in-{language}"));
        let own: Vec<_> = written.iter().filter(|name| !name.contains("/vendor/sdk/")).map(String::as_str).collect();
        insta::assert_snapshot!(format!("files_{language}"), own.join("\n"));
    }
}

#[test]
fn a_name_is_that_of_a_policy() {
    let bed = TestBed::new();
    for name in ["", "No-Hosts", "no_hosts", "a/b", "..", "/tmp/x", "ünï", "a b", &"x".repeat(65)] {
        bed.smcp("policy new").args(&["--", name]).run().refuses(1, &["is not a policy name: 1 to 64 characters of"]);
    }
    for name in ["3d", "-x", "smcp-policy-sdk"] {
        let words = ["a package of Rust can't be called", "begins with a letter"];
        bed.smcp("policy new").args(&["--", name]).run().refuses(1, &words);
        bed.smcp("policy new --lang c").args(&["--", name]).run().succeeds();
    }
    let longest = "x".repeat(64);
    bed.run(&format!("policy new {longest}")).succeeds();
    assert_eq!(bed.list("."), ["-x", "3d", "smcp-policy-sdk", longest.as_str()]);
}

#[test]
fn nothing_is_overwritten_and_nothing_half_written() {
    let bed = TestBed::new();
    bed.write("taken/notes", "mine");
    bed.write("file", "mine");
    fs::create_dir_all(bed.path("empty")).unwrap();
    fs::create_dir_all(bed.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink("elsewhere", bed.path("link")).unwrap();
    std::os::unix::fs::symlink("nowhere", bed.path("dangling")).unwrap();
    for name in ["taken", "file", "link", "dangling"] {
        bed.run(&format!("policy new {name}")).refuses(1, &[name, "is there already, and is no empty folder"]);
    }
    bed.run("policy new empty --lang go").succeeds();
    assert!(bed.has("empty/policy.go"));
    assert_eq!(bed.list("."), ["dangling", "elsewhere", "empty", "file", "link", "taken"]);
    assert_eq!((bed.list("elsewhere").len(), bed.list("taken")), (0, vec!["notes".to_owned()]));
    let mut nowhere = bed.smcp("policy new x");
    nowhere.command.current_dir("/proc");
    nowhere.run().refuses(1, &["can't write"]);
}

/// Says what was not tried. Not by `eprintln`, which a passing test doesn't show.
fn skipped(what: &str, why: &str) {
    let mut stderr = std::io::stderr().lock();
    writeln!(stderr, "skipped: a new project of {what}: {why}").unwrap();
}

/// This machine's Rust, with compiled dependencies that stay for the next run.
fn rust() -> Vec<(&'static str, OsString)> {
    let user = std::env::home_dir().unwrap();
    let toolchain = [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")]
        .map(|(name, folder)| (name, std::env::var_os(name).unwrap_or_else(|| user.join(folder).into())));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-rust");
    let rest = [("CARGO_NET_OFFLINE", "true".into()), ("CARGO_TARGET_DIR", target.into())];
    toolchain.into_iter().chain(rest).collect()
}

#[test]
fn a_project_of_rust_works_as_it_stands_is_pinned_and_has_the_same_digest_in_another_folder() {
    let mut env = rust();
    env.push(("PATH", std::env::var_os("PATH").unwrap()));
    if !succeeds(WASM.0, &env) {
        return skipped("Rust", WASM.1);
    }
    let (bed, built) = project::follow("rust", &rust());

    let locked = ["metadata", "--locked", "--format-version=1", "--filter-platform=wasm32-unknown-unknown"];
    let cargo = Command::new("cargo").args(locked).current_dir(bed.path(project::NAME)).envs(rust()).output().unwrap();
    let said = String::from_utf8_lossy(&cargo.stderr);
    assert!(cargo.status.success(), "run `cargo xtask templates`: {said}");

    fs::create_dir_all(bed.path("deeper/below")).unwrap();
    fs::rename(bed.path(project::NAME), bed.path("deeper/below/renamed")).unwrap();
    // What else the crate is made into has no part in the component.
    let manifest = "deeper/below/renamed/Cargo.toml";
    for kinds in [r#"crate-type = ["cdylib"]"#, r#"crate-type = ["cdylib", "rlib"]"#] {
        let text = fs::read_to_string(bed.path(manifest)).unwrap();
        bed.write(manifest, text.replace(r#"crate-type = ["cdylib"]"#, kinds));
        let build = bed.smcp("--json policy build deeper/below/renamed");
        let again = rust().into_iter().fold(build, |build, (name, value)| build.env(name, value)).run().succeeds();
        let digest = again.document()["digest"].as_str().unwrap().to_owned();
        assert!(built.raw.contains(&digest), "{kinds}: {again}\n{built}");
    }
}

#[test]
fn a_project_of_c_works_as_it_stands() {
    let own = std::env::var_os("PATH").unwrap();
    let machines = [("PATH", own.clone())];
    if succeeds(CLANG.0, &machines) {
        project::follow("c", &machines);
        return;
    }
    // What `tests/languages` has unpacked for a machine without one.
    let unpacked = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("languages").join("shared/clang");
    if !unpacked.exists() {
        return skipped("C", CLANG.1);
    }
    let (programs, libraries) = clang_of_debian(&unpacked).unwrap();
    let path: Vec<PathBuf> = programs.into_iter().chain(std::env::split_paths(&own)).collect();
    let path = std::env::join_paths(path).unwrap();
    project::follow("c", &[("PATH", path), ("LD_LIBRARY_PATH", libraries.into_os_string())]);
}
