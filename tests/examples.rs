//! Every scenario in `examples/` does what its `expected.txt` shows.
//!
//! That file is a transcript of commands, their output and their exit codes. `SMCP_BLESS=1 cargo test --test examples`
//! rewrites the transcripts; read them afterwards.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the client, the shell and the file system")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples")
}

/// Runs one line of a transcript, `$ smcp ARG… [< FILE]`, in the scenario's folder.
fn run(line: &str, folder: &Path, cache: &Path) -> String {
    let words: Vec<_> = line.trim_start_matches("$ smcp ").split_whitespace().collect();
    let (arguments, input) = match words.iter().position(|word| *word == "<") {
        Some(at) => (&words[..at], Stdio::from(fs::File::open(folder.join(words[at + 1])).unwrap())),
        None => (&words[..], Stdio::null()),
    };
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut smcp = Command::new(env!("CARGO_BIN_EXE_smcp"));
    smcp.arg("--cache-dir").arg(cache.join("cache")).args(arguments).current_dir(folder).stdin(input);
    smcp.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", cache);
    smcp.stdout(writer.try_clone().unwrap()).stderr(writer);
    let mut child = smcp.spawn().unwrap();
    drop(smcp);
    let mut printed = String::new();
    std::io::Read::read_to_string(&mut reader, &mut printed).unwrap();
    let code = child.wait().unwrap().code().unwrap();
    let root = examples().parent().unwrap().display().to_string();
    let printed = printed.replace(&root, "[ROOT]").replace(&cache.display().to_string(), "[CACHE]");
    format!("{line}\n{printed}exit {code}\n")
}

#[test]
fn every_scenario_gives_its_transcript() {
    let mut scenarios = 0;
    for entry in fs::read_dir(examples()).unwrap() {
        let folder = entry.unwrap().path();
        let file = folder.join("expected.txt");
        let Ok(expected) = fs::read_to_string(&file) else { continue };
        assert!(folder.join("README.md").exists(), "{}: says what it shows", folder.display());
        let cache = tempfile::tempdir().unwrap();
        let commands: Vec<_> = expected.lines().filter(|line| line.starts_with("$ smcp ")).collect();
        assert!(!commands.is_empty(), "{}: runs something", file.display());
        let mut found = String::new();
        for command in commands {
            write!(found, "{}{}", if found.is_empty() { "" } else { "\n" }, run(command, &folder, cache.path()))
                .unwrap();
        }
        if std::env::var_os("SMCP_BLESS").is_some() {
            fs::write(&file, &found).unwrap();
        } else {
            assert_eq!(found, expected, "{}", file.display());
        }
        scenarios += 1;
    }
    assert!(scenarios >= 4, "quickstart and the three published configurations are there: {scenarios}");
}

/// Returns the contents of a folder, by path.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            files.push((path.strip_prefix(folder).unwrap().to_path_buf(), fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

#[test]
fn the_example_registry_is_what_publish_makes_of_the_example_servers() {
    let bed = tempfile::tempdir().unwrap();
    let registry = bed.path().join("registry");
    for (facts, reference, server) in [
        ("--origin verified --cert-level 2 --score 88 --findings 0,0,1,2", "acme/greeter@1.0.0", "greeter"),
        ("--origin community --cert-level 0 --score 35 --findings 1,3,4,2", "fly/by-night@0.1.0", "by-night"),
    ] {
        let mut smcp = Command::new(env!("CARGO_BIN_EXE_smcp"));
        smcp.env("HOME", bed.path()).arg("--registry").arg(&registry).args(["registry", "publish"]);
        smcp.args(facts.split(' ')).arg(reference).arg(examples().join("servers").join(server));
        assert!(smcp.output().unwrap().status.success());
    }
    let (made, committed) = (contents(&registry), contents(&examples().join("registry")));
    assert_eq!(made, committed, "publish again, see examples/README.md");
}
