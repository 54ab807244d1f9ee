//! The import law: which crate may use which others; and the layout of files.
//!
//! The compiler holds the law, since a crate can name only what its manifest lists. These tests hold the manifests.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test reads the tree")]

#[path = "architecture/imports.rs"]
mod imports;
#[path = "architecture/names.rs"]
mod names;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// A crate below `host/`, and the others it may use, in the order of the pipeline.
const LAW: [(&str, &[&str]); 23] = [
    ("model", &[]),
    ("authority", &["model"]),
    // Reads YAML by a crate that is no part of the host: the SDK uses it, too.
    ("config", &["model", "yaml"]),
    // From a name to its bytes: storage, transport, contents, registry.
    ("store", &["model"]),
    ("http", &["model", "store"]),
    // Artefacts in registries of images.
    ("oci", &["http", "model", "store"]),
    ("bundle", &["model", "store"]),
    ("registry", &["bundle", "http", "model", "oci", "store"]),
    ("policy", &["model"]),
    // Holds signatures against rules, and makes them; it opens nothing.
    ("signature", &["model"]),
    // Compiles what `policy` says, and keeps what comes of it.
    ("code", &["model", "policy", "store"]),
    // Runs the cases of a policy; their format is a crate that the SDK uses, too.
    ("cases", &["model", "policy", "policy-cases"]),
    ("decide", &["model"]),
    ("report", &["decide", "model", "policy-cases"]),
    // What a server is held to: plans, and locks that `launch` applies.
    ("confine", &["model"]),
    // What a server reaches that is held to hosts: `launch` hands it the sockets.
    ("outbound", &["model"]),
    ("launch", &["confine", "decide", "model", "outbound"]),
    // Beside the pipeline, for authors: it makes components, and has no part in a launch.
    ("author", &["model", "store"]),
    // Beside the pipeline, for whoever starts servers another way: it makes what `registry` publishes.
    ("import", &["bundle", "model", "store"]),
    // Beside the pipeline: it serves a registry, and has no part in a launch.
    ("serve", &["model", "registry"]),
    // Writes the records of all other crates, and uses none of them.
    ("audit", &["model"]),
    (
        "pipeline",
        &[
            "audit",
            "authority",
            "bundle",
            "cases",
            "code",
            "confine",
            "config",
            "decide",
            "http",
            "launch",
            "model",
            "oci",
            "outbound",
            "policy",
            "policy-cases",
            "registry",
            "signature",
            "store",
        ],
    ),
    // The program. It never uses `launch` or `decide`, so that no command can start a server by itself.
    (
        "",
        &[
            "audit",
            "author",
            "authority",
            "bundle",
            "cases",
            "code",
            "config",
            "import",
            "model",
            "pipeline",
            "policy",
            "policy-cases",
            "registry",
            "report",
            "serve",
            "signature",
            "yaml",
        ],
    ),
];

/// A dependency that only some crates may have, because of its power, its price or its weight.
const OWNERS: [(&str, &[&str]); 30] = [
    ("anyhow", &[""]),
    ("blake2", &["signature"]),
    ("blake3", &["code"]),
    ("clap", &[""]),
    ("clap_complete", &[""]),
    ("clap_mangen", &[""]),
    ("flate2", &["bundle"]),
    ("getrandom", &["code", "signature"]),
    ("http-body-util", &["serve"]),
    ("hyper", &["serve"]),
    ("hyper-util", &["serve"]),
    ("indicatif", &["report"]),
    ("landlock", &["code", "confine"]),
    ("regex-syntax", &["model"]),
    ("ring", &["signature"]),
    ("rustix", &["code", "policy"]),
    ("rustls", &["http"]),
    ("rustls-native-certs", &["http"]),
    ("scrypt", &["signature"]),
    ("seccompiler", &["code"]),
    // `smcp-yaml` has it, and no crate of the host.
    ("serde_yaml", &[]),
    ("syslog", &["audit"]),
    ("tar", &["bundle"]),
    ("tokio", &["outbound", "serve"]),
    ("ureq", &["http"]),
    ("wasmparser", &["policy"]),
    ("wasmtime", &["policy"]),
    ("webpki", &["http", "signature"]),
    ("wit-component", &["author"]),
    ("wit-parser", &["author"]),
];

/// The files below `host/` that may have `unsafe` code.
const UNSAFE: [&str; 19] = [
    "authority/src/kernel.rs",
    "code/src/compiler.rs",
    "code/src/confine/filter.rs",
    "code/src/entry.rs",
    "code/src/fork_server.rs",
    "code/src/mapping.rs",
    "confine/src/handed.rs",
    "confine/src/network/inside.rs",
    "confine/src/observe/listener.rs",
    "confine/src/system.rs",
    "launch/src/disposition.rs",
    "launch/src/program_pages.rs",
    "launch/src/reaper.rs",
    "launch/src/reaper/image.rs",
    "policy/src/load.rs",
    "policy/src/machine_code.rs",
    "policy/src/pages.rs",
    "src/entry.rs",
    "src/start.rs",
];

/// The files below `host/` that may start a process; test code is exempt.
const STARTS: [&str; 8] = [
    // The build: asks the linker where it has its files.
    "build.rs",
    // The toolchains of `policy build`: an author's own programs, and nothing of a package.
    "author/src/toolchain.rs",
    // Our own program again, which only compiles.
    "code/src/compiler.rs",
    // Tries whether the system refuses it.
    "code/src/confine.rs",
    // The system's own program that knows names.
    "http/src/names.rs",
    // npm, pip and the runtimes, which install without running anything of a package.
    "import/src/program.rs",
    // A credential helper that the user's own file names.
    "oci/src/helper.rs",
    // A package's code, with a clearance.
    "launch/src/spawn.rs",
];

/// The files that may fork: for the server that `launch` starts, and compilers where smcp can't start itself.
const FORKS: [&str; 2] = ["launch/src/reaper.rs", "code/src/fork_server.rs"];

/// The files below `host/` that may name the authority over the whole file system; test code is exempt.
const AMBIENT: &str = "authority/src/";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Lists every Rust file below `folder`, with its path below it.
fn sources(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    files
}

/// Lists every Rust file of the host.
fn host() -> BTreeMap<String, String> {
    let files = sources(&root().join("host"));
    assert!(files.len() > 100, "the scan must find the house: {}", files.len());
    files
}

/// The section of dependencies that only Linux has.
const OF_LINUX: &str = "[target.'cfg(target_os = \"linux\")'.dependencies]";

/// Returns the names in the `[dependencies]` of a manifest, and in those of Linux.
fn dependencies(manifest: &str) -> Vec<&str> {
    let section = |head: &str| {
        let section = manifest.split(&format!("{head}\n")).nth(1).unwrap_or_default();
        section.split("\n[").next().unwrap_or_default()
    };
    let lines = section("\n[dependencies]").lines().chain(section(OF_LINUX).lines());
    let names = lines.filter(|line| !line.starts_with('#'));
    names.filter_map(|line| line.split(['.', ' ', '=']).next()).filter(|name| !name.is_empty()).collect()
}

/// Returns the dependencies of one crate that break the law.
fn violations(name: &str, manifest: &str) -> Vec<String> {
    let Some((_, allowed)) = LAW.iter().find(|(known, _)| *known == name) else {
        return vec![format!("the law does not know the crate `{name}`")];
    };
    let mut found = Vec::new();
    for elsewhere in ["[target.", "[dependencies."] {
        if manifest.replace(OF_LINUX, "").contains(elsewhere) {
            found.push(format!("`{name}` lists dependencies in `{elsewhere}…`, where the law does not look"));
        }
    }
    for dependency in dependencies(manifest) {
        if let Some(stage) = dependency.strip_prefix("smcp-")
            && !allowed.contains(&stage)
        {
            found.push(format!("`{name}` may not use `{stage}`"));
        }
        if let Some((_, owners)) = OWNERS.iter().find(|(owned, _)| *owned == dependency)
            && !owners.contains(&name)
        {
            found.push(format!("`{name}` has `{dependency}`, which belongs to {owners:?}"));
        }
    }
    found
}

/// Returns the crates below `host/` with their manifests; the program's own has an empty name.
fn manifests() -> BTreeMap<String, String> {
    let host = root().join("host");
    let folders = fs::read_dir(&host).unwrap().map(|entry| entry.unwrap().path()).chain([host.clone()]);
    let manifests = folders.filter_map(|folder| {
        let name = folder.strip_prefix(&host).unwrap().to_str().unwrap().to_owned();
        Some((name, fs::read_to_string(folder.join("Cargo.toml")).ok()?))
    });
    manifests.collect()
}

#[test]
fn every_crate_keeps_the_import_law() {
    let manifests = manifests();
    let found: Vec<_> = manifests.iter().flat_map(|(name, manifest)| violations(name, manifest)).collect();
    assert!(found.is_empty(), "{found:#?}");
    for (name, _) in LAW {
        assert!(manifests.contains_key(name), "the law knows the crate `{name}`, which is not there");
    }
}

#[test]
fn a_planted_dependency_is_found() {
    for (name, dependency) in [
        ("report", "smcp-policy"),
        ("launch", "smcp-pipeline"),
        ("", "smcp-launch"),
        ("", "smcp-decide"),
        ("model", "smcp-decide"),
        ("code", "smcp-launch"),
        ("author", "smcp-launch"),
        ("import", "smcp-launch"),
        ("import", "smcp-http"),
        ("pipeline", "seccompiler"),
        ("policy", "smcp-registry"),
        ("store", "smcp-http"),
        ("bundle", "smcp-registry"),
        ("decide", "wasmtime"),
        ("config", "clap"),
        ("registry", "anyhow"),
        ("pipeline", "rustls"),
        ("http", "tokio"),
        ("oci", "ureq"),
        ("oci", "smcp-registry"),
        ("attic", "sha2"),
    ] {
        let manifest = format!("\n[dependencies]\n# why\n{dependency}.workspace = true\n\n[lints]\nworkspace = true\n");
        assert_eq!(violations(name, &manifest).len(), 1, "{name}: {dependency}");
        let on_linux = manifest.replace("[dependencies]", OF_LINUX);
        assert_eq!(violations(name, &on_linux).len(), 1, "{name}: {dependency}");
        let only_in_tests = manifest.replace("[dependencies]", "[dev-dependencies]");
        assert_eq!(violations(name, &only_in_tests).len(), usize::from(name == "attic"), "{name}: {dependency}");
    }
    for section in ["target.'cfg(unix)'.dependencies", "dependencies.smcp-launch"] {
        let manifest = format!("\n[dependencies]\n\n[{section}]\nworkspace = true\n");
        assert_eq!(violations("report", &manifest).len(), 1, "{section}");
    }
}

#[test]
fn the_dangerous_words_stand_in_their_files_alone() {
    for (file, text) in host() {
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let is_unsafe = code.contains("unsafe {") || code.contains("expect(unsafe_code");
        assert!(!is_unsafe || UNSAFE.contains(&file.as_str()), "{file} says `unsafe`");
        let in_production = text.split("#[cfg(test)]").next().unwrap_or_default();
        let of_tests = file.contains("tests") || file.contains("testing") || file.starts_with("benches");
        let is_ambient = in_production.contains("ambient_authority()") && !of_tests;
        assert!(!is_ambient || file.starts_with(AMBIENT), "{file} opens the whole file system");
        let starts = in_production.contains("Command::new(") || in_production.contains("fork(");
        let may_start = STARTS.contains(&file.as_str()) || of_tests || FORKS.contains(&file.as_str());
        assert!(!starts || may_start, "{file} starts a process");
    }
}

#[test]
fn every_file_says_what_it_is_and_stays_readable() {
    for (file, text) in host() {
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("//! ") && first.chars().count() <= 80, "{file} opens with `//!`: {first}");
        assert!(text.lines().count() <= 400, "{file} has {} lines", text.lines().count());
        assert!(!file.ends_with("mod.rs"), "{file}: modules are foo.rs beside foo/");
    }
}

#[test]
fn faults_are_never_told_apart_by_words() {
    for (file, code) in host().iter().filter(|(file, _)| file.starts_with("policy")) {
        for phrase in ["to_string().contains", ".to_string().starts_with", "{error}\").contains"] {
            assert!(!code.contains(phrase), "{file} looks into the words of an error");
        }
    }
}

#[test]
fn the_top_of_the_tree_is_the_agreed_one() {
    let root = root();
    for name in ["Cargo.toml", "host", "wit", "builtin-policies", "sdk", "tests", "examples", "docs", "xtask"] {
        assert!(root.join(name).exists(), "{name}");
    }
    assert!(fs::read_to_string(root.join("wit/policy.wit")).unwrap().contains("package smcp:policy@0.1.0;"));
}

/// The YAML parser has traps (duplicate keys, anchors, positions), and one file that knows them.
#[test]
fn one_file_knows_the_yaml_parser() {
    let folders = ["host", "sdk"].map(|folder| fs::read_dir(root().join(folder)).unwrap());
    let crates = folders.into_iter().flatten().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let mut found = Vec::new();
    for folder in crates.filter(|folder| folder.join("Cargo.toml").exists()) {
        if dependencies(&fs::read_to_string(folder.join("Cargo.toml")).unwrap()).contains(&"serde_yaml") {
            let sources = sources(&folder.join("src")).into_iter().filter(|(_, text)| text.contains("serde_yaml::"));
            found.extend(sources.map(|(file, _)| folder.join("src").join(file)));
        }
    }
    assert_eq!(found, [root().join("sdk/yaml/src/tree.rs")]);
}
