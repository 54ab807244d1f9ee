//! Follows `docs/policy-authors.md` from an empty folder to the first refusal.
//!
//! The folder has a fixed place below `target`, and compiled files beside it are kept; everything else starts afresh.
//! The checkout is out of reach. Nothing is downloaded, because a new project has the dependencies of this repository. If
//! Rust's WebAssembly target is missing, the commands that need it are left out, which is said.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use crate::page::Reader;
use crate::page::shows;
use crate::pages::of_today;

const PAGE: &str = "docs/policy-authors.md";

#[test]
fn the_page_for_policy_authors_works_word_for_word() {
    let page = of_today().into_iter().find(|page| page.name == PAGE).unwrap();
    let mut reader = begin();
    let has_target = has_wasm_target();
    let (mut printed, mut left_out) = (None, Vec::new());
    for block in page.blocks() {
        if let Some(file) = block.value("file") {
            reader.writes(file, &block.text);
            printed = None;
        } else if block.is("run") && block.is("wasm") && !has_target {
            left_out.push(block.line);
            printed = None;
        } else if block.is("run") {
            printed = Some(reader.runs(&block));
        } else if block.language() == "text" {
            printed.take().into_iter().for_each(|printed| shows(Path::new(PAGE), &block, &printed));
        }
    }
    assert_eq!(reader.place, reader.folder.join("few-findings"), "the page was followed");
    if !left_out.is_empty() {
        // `eprintln` would show it only if the test fails.
        let lines = left_out.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let note = "Rust has no wasm32-unknown-unknown here (`cargo xtask setup`)";
        writeln!(std::io::stderr(), "{PAGE}: not run, because {note}: the commands at lines {lines}").unwrap();
    }
}

/// Makes an empty folder, and puts `smcp` on the path.
fn begin() -> Reader {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("policy-authors");
    let empty = |name: &str| {
        let path = folder.join(name);
        // A link is removed, and not its target.
        if path.exists() {
            fs::remove_dir_all(&path).unwrap();
        }
        fs::create_dir_all(&path).unwrap();
        path
    };
    let (home, bin, place) = (empty("home"), empty("bin"), empty("place"));
    symlink(env!("CARGO_BIN_EXE_smcp"), bin.join("smcp")).unwrap();
    // Compiled files stay for the next run.
    let mut env = environment(&home, &bin);
    env.push(("CARGO_TARGET_DIR", folder.join("compiled").into()));
    Reader { place: place.clone(), env, folder: place }
}

/// A separate home, with the toolchain and downloads of the real one.
fn environment(home: &Path, bin: &Path) -> Vec<(&'static str, OsString)> {
    let own = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths([bin.to_owned()].into_iter().chain(std::env::split_paths(&own))).unwrap();
    let user = std::env::home_dir().unwrap();
    let toolchain = [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")]
        .map(|(name, folder)| (name, std::env::var_os(name).unwrap_or_else(|| user.join(folder).into())));
    let rest = [("PATH", path), ("HOME", home.into()), ("CARGO_NET_OFFLINE", "true".into())];
    rest.into_iter().chain(toolchain).collect()
}

/// Whether the compiler has the standard library of the policies' target.
fn has_wasm_target() -> bool {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output().unwrap().stdout;
    let sysroot = String::from_utf8(sysroot).unwrap();
    Path::new(sysroot.trim()).join("lib/rustlib/wasm32-unknown-unknown/lib").is_dir()
}
