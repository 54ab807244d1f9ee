//! `policy build DIR`: which toolchain runs, with which words, and what is left when it fails.
//!
//! Scripts stand in for the toolchains; that the real ones take these words is shown where they are there.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::symlink;

use serde_json::json;

use crate::bed::Invocation;
use crate::bed::Ran;
use crate::bed::TestBed;
use crate::guest::Twin;

/// Copies the prepared module to the file after `-o` or `--output`.
const MAKES: &str = "for word; do case \"$last\" in -o|--output) out=$word;; esac; last=$word; done
case \"$out\" in ''|/dev/null) exit 0;; esac
echo \"${0##*/} says: making $out\"
/bin/cp \"$HOME/module.wasm\" \"$out\"";

/// Files of a project: name and text.
type Files<'f> = &'f [(&'f str, &'f str)];

/// A bed with an empty project, and a prepared module for its toolchain to make.
fn bed(files: Files<'_>) -> TestBed {
    let bed = TestBed::new();
    bed.write("module.wasm", Twin::honest().module());
    for (name, text) in files {
        bed.write(&format!("project/{name}"), text);
    }
    fs::create_dir_all(bed.path("bin")).unwrap();
    bed
}

/// Puts a program on the bed's path.
fn tool(bed: &TestBed, name: &str, script: &str) {
    let name = format!("bin/{name}");
    bed.write(&name, format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(bed.path(&name), fs::Permissions::from_mode(0o755)).unwrap();
}

/// `policy build`, with the bed's programs and no others.
fn build<'b>(bed: &'b TestBed, line: &str) -> Invocation<'b> {
    bed.smcp(&format!("policy build {line}")).env("PATH", bed.path("bin"))
}

fn built(bed: &TestBed) -> Ran {
    let ran = build(bed, "project").run().succeeds();
    assert!(bed.has("project/honest.wasm"), "{ran}");
    ran
}

const PACKAGE: &str = r#"{"name": "p", "dependencies": {"componentize-qjs": "0.4.5"}}"#;
const PINNED: &str = "componentize-py==0.25.1 \\\n    --hash=sha256:00\n";

/// A script that makes another one.
fn makes_tool(path: &str) -> String {
    let quoted = MAKES.replace('\'', "'\\''");
    format!("MAKES='{quoted}'\n/bin/mkdir -p {path}\n/bin/rmdir {path}\nprintf '%s\\n' '#!/bin/sh' \"$MAKES\" > {path}\n/bin/chmod 755 {path}")
        .replace("printf", "/usr/bin/printf")
}

/// cargo and rustc, of which the target's library is in the bed or not.
fn rust(bed: &TestBed, has_target: bool) {
    bed.write("project/Cargo.toml", "[package]\n");
    let library = bed.path("target-lib");
    if has_target {
        fs::create_dir_all(&library).unwrap();
    }
    let metadata = json!({
        "packages": [
            {"name": "p", "manifest_path": bed.path("project/Cargo.toml"), "source": null,
             "targets": [{"name": "build-script-build", "crate_types": ["bin"]}, {"name": "the-policy", "crate_types": ["cdylib", "rlib"]}]},
            {"name": "serde", "manifest_path": "/home/a/.cargo/registry/src/x/serde-1.0.0/Cargo.toml", "source": "registry+https://x"},
        ],
        "target_directory": bed.path("elsewhere"),
    });
    bed.write("metadata.json", metadata.to_string());
    tool(
        bed,
        "cargo",
        "echo \"$@\" >> \"$HOME/cargo.log\"\ncase $1 in metadata) exec /bin/cat \"$HOME/metadata.json\";; esac
folder=\"$HOME/elsewhere/wasm32-unknown-unknown/release\"\n/bin/mkdir -p \"$folder\"
echo compiling >&2\n/bin/cp \"$HOME/module.wasm\" \"$folder/the_policy.wasm\"",
    );
    let library = library.display();
    tool(
        bed,
        "rustc",
        &format!(
            "case $2 in target-libdir) echo {library};; sysroot) echo /sysroot;; *) echo 'commit-hash: abc';; esac"
        ),
    );
}

#[test]
fn each_language_has_its_toolchain() {
    let c = bed(&[("policy.c", ""), ("more.c", ""), ("smcp_policy.h", "")]);
    tool(&c, "clang", MAKES);
    insta::assert_snapshot!("c", built(&c));

    let go = bed(&[("go.mod", "module p\n")]);
    tool(&go, "go", MAKES);
    insta::assert_snapshot!("go", built(&go));

    let javascript = bed(&[("package.json", PACKAGE), ("package-lock.json", "{}")]);
    tool(&javascript, "npm", &makes_tool("node_modules/.bin/componentize-qjs"));
    insta::assert_snapshot!("javascript", built(&javascript));

    let python = bed(&[("requirements.txt", PINNED), ("policy.py", "")]);
    tool(
        &python,
        "python3",
        &format!("{}\n{}", makes_tool(".venv/bin/python3"), makes_tool(".venv/bin/componentize-py")),
    );
    insta::assert_snapshot!("python", built(&python));

    let project = bed(&[]);
    rust(&project, true);
    insta::assert_snapshot!("rust", built(&project));
    let asked = project.read("cargo.log");
    let home = project.path("").display().to_string();
    let home = home.trim_end_matches('/');
    for remap in [
        format!("--remap-path-prefix={home}/project=/cargo/p"),
        "--remap-path-prefix=/home/a/.cargo/registry/src/x=/cargo".to_owned(),
        "--remap-path-prefix=/sysroot/lib/rustlib/src/rust=/rustc/abc".to_owned(),
    ] {
        assert!(asked.contains(&remap), "{remap}: {asked}");
    }
}

#[test]
fn javascript_by_spidermonkey_is_made_without_features() {
    let package = PACKAGE.replace("componentize-qjs", "@bytecodealliance/componentize-js");
    let package = package.replace("\"name\"", "\"main\": \"src/rule.js\", \"name\"");
    let javascript = bed(&[("package.json", &package), ("package-lock.json", "{}")]);
    tool(&javascript, "npm", "/bin/mkdir node_modules");
    tool(&javascript, "node", "for word; do out=$word; done\n/bin/cp \"$HOME/module.wasm\" \"$out\"");
    built(&javascript).says(&[
        r#"disableFeatures = ["random", "stdio", "clocks", "http", "fetch-event"]"#,
        "-- src/rule.js build/wit policy build/policy.wasm",
    ]);
}

#[test]
fn a_missing_program_is_named_with_what_installs_it() {
    let cases: [(Files<'_>, &[&str]); 5] = [
        (&[("Cargo.toml", "")], &["`rustc`", "https://rustup.rs"]),
        (&[("policy.c", "")], &["`clang`", "apt-get install clang lld"]),
        (&[("go.mod", "")], &["`go`", "https://go.dev/dl"]),
        (&[("package.json", PACKAGE), ("package-lock.json", "{}")], &["`npm`", "apt-get install nodejs npm"]),
        (&[("requirements.txt", PINNED)], &["`python3`", "apt-get install python3 python3-venv"]),
    ];
    for (files, words) in cases {
        let bed = bed(files);
        build(&bed, "project").run().refuses(1, &["there is no ", "on this machine"]).says(words);
    }
    let project = bed(&[]);
    rust(&project, false);
    build(&project, "project").run().refuses(1, &["rustup target add wasm32-unknown-unknown"]);
    let c = bed(&[("policy.c", "")]);
    tool(&c, "clang", "echo 'unable to create target' >&2; exit 1");
    build(&c, "project").run().refuses(1, &["can't make WebAssembly, or lacks `wasm-ld`", "apt-get install clang lld"]);
}

#[test]
fn a_toolchain_that_fails_has_said_why_and_leaves_an_older_component() {
    let c = bed(&[("policy.c", "")]);
    tool(&c, "clang", MAKES);
    built(&c);
    let before = fs::read(c.path("project/honest.wasm")).unwrap();
    tool(&c, "clang", "case \"$*\" in */dev/null*) exit 0;; esac\necho 'policy.c:3: it is wrong' >&2; exit 7");
    build(&c, "project")
        .run()
        .refuses(1, &["policy.c:3: it is wrong\n", "`clang` failed (exit status: 7)", "what it said stands above"]);
    assert_eq!(fs::read(c.path("project/honest.wasm")).unwrap(), before);
    // One that says nothing and makes nothing must not be taken for the one before.
    tool(&c, "clang", "exit 0");
    build(&c, "project").run().refuses(1, &["`build/policy.wasm` can't be read"]);
    assert_eq!(fs::read(c.path("project/honest.wasm")).unwrap(), before);
    // Nor one that makes something else.
    tool(&c, "clang", "case \"$*\" in */dev/null*) exit 0;; esac\necho nonsense > build/policy.wasm");
    build(&c, "project").run().refuses(1, &["what the toolchain made is no policy's module", "not WebAssembly"]);
    assert_eq!(fs::read(c.path("project/honest.wasm")).unwrap(), before);
}

#[test]
fn a_toolchain_is_installed_once_for_each_lock_file() {
    let javascript = bed(&[("package.json", PACKAGE), ("package-lock.json", "{}")]);
    let installs = || javascript.read("npm.log").lines().count();
    tool(
        &javascript,
        "npm",
        &format!("echo \"$@\" >> \"$HOME/npm.log\"\n{}", makes_tool("node_modules/.bin/componentize-qjs")),
    );
    built(&javascript);
    built(&javascript);
    assert_eq!(
        (installs(), javascript.read("npm.log").lines().next()),
        (1, Some("ci --ignore-scripts --no-audit --no-fund"))
    );
    javascript.write("project/package-lock.json", "{\"another\": 1}");
    built(&javascript);
    assert_eq!(installs(), 2);
    // One that was not finished is none.
    javascript.write("project/package-lock.json", "{\"a third\": 1}");
    tool(&javascript, "npm", "exit 1");
    build(&javascript, "project").run().refuses(1, &["`npm` failed"]);
    build(&javascript, "project").run().refuses(1, &["`npm` failed"]);
    fs::remove_file(javascript.path("project/package-lock.json")).unwrap();
    build(&javascript, "project").run().refuses(1, &["npm install --package-lock-only"]);
}

#[test]
fn the_interface_is_the_projects_own_if_it_has_one() {
    let javascript = bed(&[("package.json", PACKAGE), ("package-lock.json", "{}")]);
    tool(&javascript, "npm", &makes_tool("node_modules/.bin/componentize-qjs"));
    built(&javascript).says(&["--wit build/wit"]);
    assert_eq!(javascript.read("project/build/wit/policy.wit"), include_str!("../../wit/policy.wit"));
    javascript.write("project/wit/policy.wit", "");
    built(&javascript).says(&["--wit wit "]);
}

#[test]
fn a_project_of_no_language_or_of_several_is_refused() {
    let nothing = bed(&[("README.md", "")]);
    insta::assert_snapshot!("no_language", build(&nothing, "project").run().exits(1));
    // A package.json without a componentizer is somebody's formatter.
    let c = bed(&[("policy.c", ""), ("go.mod", ""), ("package.json", "{\"devDependencies\": {\"prettier\": \"1\"}}")]);
    tool(&c, "clang", MAKES);
    build(&c, "project").run().refuses(1, &["it is a project of go and c; say which with --lang"]);
    build(&c, "project --lang c").run().succeeds();
    build(&c, "project --lang javascript").run().refuses(1, &["package.json names neither"]);
    build(&c, "project --lang cobol").run().refuses(1, &["rust, javascript, python, go, c"]);
}

#[test]
fn a_rust_project_has_to_be_one_crate_that_makes_a_module() {
    let cases = [
        ("\"cdylib\",", "", "Cargo.toml says no `cdylib`"),
        ("project/Cargo.toml", "project/member/Cargo.toml", "Cargo.toml is that of a workspace"),
    ];
    for (from, to, words) in cases {
        let project = bed(&[]);
        rust(&project, true);
        let metadata = project.read("metadata.json");
        assert!(metadata.contains(from), "{metadata}");
        project.write("metadata.json", metadata.replace(from, to));
        build(&project, "project").run().refuses(1, &[words]);
    }
}

#[test]
fn a_folder_that_is_a_link_or_has_spaces_is_a_folder() {
    let c = bed(&[("policy.c", ""), ("-o evil.c", ""), ("it's.c", "")]);
    tool(&c, "clang", MAKES);
    fs::rename(c.path("project"), c.path("my policy's folder")).unwrap();
    symlink(c.path("my policy's folder"), c.path("link")).unwrap();
    let ran = build(&c, "link").run().succeeds();
    assert!(c.has("my policy's folder/honest.wasm"), "{ran}");
    ran.says(&["'./-o evil.c' './it'\\''s.c' ./policy.c"]);
    build(&c, "").args(&["my policy's folder"]).run().succeeds();
}

#[test]
fn a_project_that_cant_be_written_to_is_told_before_anything_runs() {
    let c = bed(&[("policy.c", ""), ("build", "a file of the author's")]);
    tool(&c, "clang", MAKES);
    build(&c, "project").run().refuses(1, &["`build` can't be written"]);
    assert_eq!(c.read("project/build"), "a file of the author's");
}

#[test]
fn with_quiet_only_the_toolchain_speaks_and_with_json_only_the_document() {
    let c = bed(&[("policy.c", "")]);
    tool(&c, "clang", MAKES);
    let quiet = build(&c, "project --quiet").run().succeeds();
    assert_eq!(quiet.stderr, "clang says: making build/policy.wasm\n");
    let document = build(&c, "project --json").run().succeeds().document();
    assert_eq!(document["name"], "honest");
}
