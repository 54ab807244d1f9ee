//! Packages of PyPI.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::clients::Machine;

const IMPORT: &str = "import --registry registry pypi:acme_tool==1.0";
const REFERENCE: &str = "pypi/acme-tool@1.0";

/// The version of the Python that the tests have.
fn python() -> String {
    let version = Command::new("python3").args(["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).output();
    String::from_utf8(version.unwrap().stdout).unwrap().trim().to_owned()
}

#[test]
fn wheels_are_published_with_what_starts_them() {
    let machine = Machine::with_python("3.11");
    insta::assert_snapshot!("imported", machine.smcp(IMPORT).run().succeeds());
    machine.is_clean();
    let files = machine.files(REFERENCE);
    let names: Vec<&str> = files.iter().map(|(name, _, _)| name.as_str()).collect();
    insta::assert_snapshot!("files", names.join("\n"));
    let text = |wanted: &str| files.iter().find(|(name, _, _)| name == wanted).unwrap().2.clone();
    insta::assert_snapshot!("manifest", text("manifest.json"));
    insta::assert_snapshot!("start", text("start.py"));
    insta::assert_snapshot!("source", text("source.json"));
    let wanted = machine.bed.read("fake/requirements.txt");
    assert_eq!(
        wanted,
        format!("Acme-Tool==1.0 --hash=sha256:{}\nleft==2.0 --hash=sha256:{}\n", "a".repeat(64), "b".repeat(64))
    );
    let log = machine.bed.read("fake/pip.log");
    assert!(log.lines().all(|line| line.contains("--only-binary :all:")), "{log}");
    assert!(log.lines().last().unwrap().contains("--no-deps --no-compile --require-hashes"), "{log}");
}

#[test]
fn what_starts_it_imports_the_bundle_and_nothing_else() {
    let machine = Machine::with_python(&python());
    machine.smcp(IMPORT).run().succeeds();
    // What else is installed for this Python does not count.
    machine.bed.write("elsewhere/left.py", "raise SystemExit('the wrong one')\n");
    let elsewhere = machine.bed.path("elsewhere");
    let variable = format!("--env PYTHONPATH={}", elsewhere.display());
    let run = machine.bed.run(&format!("--registry registry run --trust {variable} {REFERENCE} -- a"));
    run.succeeds().prints("acme-tool left a\n");
    let other = Machine::with_python("2.7");
    other.smcp(IMPORT).run().succeeds();
    let run = other.bed.run(&format!("--registry registry run --trust {REFERENCE}"));
    assert!(run.code != 0 && run.stderr.contains("this bundle is for Python 2.7"), "{run}");
}

#[test]
fn two_machines_make_the_same_bundle_and_a_lock_makes_it_again() {
    let (one, other) = (Machine::with_python("3.11"), Machine::with_python("3.11"));
    one.smcp(IMPORT).run().succeeds();
    let lock = one.smcp(&format!("--registry registry info --provenance --json {REFERENCE}")).run().succeeds().raw;
    other.bed.write("lock.json", &lock);
    other.smcp(&format!("{IMPORT} --lock lock.json")).run().succeeds();
    assert_eq!(one.bundle(REFERENCE), other.bundle(REFERENCE));
    assert!(!other.bed.read("fake/pip.log").contains("--report"), "nobody is asked what is newest");
    let third = Machine::with_python("3.12");
    third.bed.write("lock.json", &lock);
    third.smcp(&format!("{IMPORT} --lock lock.json")).run().refuses(1, &["Python 3.11, and this is", "Python 3.12"]);
}

#[test]
fn what_can_not_be_imported_is_refused_with_the_reason() {
    let changed = |file: &str, from: &str, to: &str| {
        let machine = Machine::with_python("3.11");
        let path = format!("fake/{file}");
        let text = machine.bed.read(&path);
        assert!(text.contains(from), "{text}");
        machine.bed.write(&path, text.replace(from, to));
        machine
    };
    let scripts = "lib/acme_tool-1.0.dist-info/entry_points.txt";
    for (machine, code, reason) in [
        (changed("report.json", "-py3-none-any.whl", ".tar.gz"), 1, "is no wheel"),
        (changed("report.json", "sha256", "md5"), 3, "has no SHA-256"),
        (changed("report.json", "Acme-Tool", "Other"), 1, "pip has found no package"),
        (changed(scripts, "console_scripts", "gui_scripts"), 1, "no `console_scripts`"),
        (changed(scripts, "acme-tool", "third"), 1, "several programs: `third`, `other`"),
        (changed(scripts, "acme.cli:main", "acme.cli:main(evil)"), 1, "no function"),
        (changed("python.json", "23.2.1", "20.0"), 1, "pip 22.2 or newer is needed, and there is no uv"),
    ] {
        // Without uv, wherever it may be.
        let path = std::env::join_paths([machine.bed.path("bin"), "/bin".into()]).unwrap();
        machine.smcp(IMPORT).env("PATH", path).run().refuses(code, &[reason]);
        machine.is_clean();
        assert!(!machine.bed.has("registry"), "{reason}");
    }
    let several = Machine::with_python("3.11");
    several.smcp(&format!("{IMPORT} --bin other")).run().succeeds();
    let alone = Machine::with_python("3.11");
    fs::remove_file(alone.bed.path("bin/python3")).unwrap();
    alone.smcp(IMPORT).env("PATH", alone.bed.path("bin")).run().refuses(1, &["there is no `python3` on PATH"]);
}

#[test]
fn other_bytes_than_the_lock_says_are_told_from_a_failure() {
    let other = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n    left==2.0 from x:\n\
                 \x20       Expected sha256 aa\n             Got        bb\n";
    let absent = "ERROR: Could not find a version that satisfies the requirement left==2.0\n\
                  ERROR: No matching distribution found for left==2.0\n";
    for (said, code, reason) in [
        (other, 3, "pip got something else than the lock says:\n  ERROR: THESE PACKAGES DO NOT MATCH"),
        (absent, 2, "No matching distribution found for left==2.0"),
    ] {
        let machine = Machine::with_python("3.11");
        machine.bed.write("fake/fail.txt", said);
        machine.smcp(IMPORT).run().refuses(code, &[reason]);
        machine.is_clean();
    }
}

#[test]
fn uv_brings_pip_where_python_has_none() {
    let machine = Machine::with_python("3.11");
    let probe = machine.bed.read("fake/python.json").replace("\"23.2.1\"", "null");
    machine.bed.write("fake/python.json", probe);
    let uv = r##"#!/bin/sh
[ "$1" = --version ] && exit
echo "$*" >> "$FAKE/uv.log"
shift 6
exec python3 -m pip "$@"
"##;
    machine.bed.write("bin/uv", uv);
    fs::set_permissions(machine.bed.path("bin/uv"), fs::Permissions::from_mode(0o755)).unwrap();
    machine.smcp(IMPORT).run().succeeds();
    let log = machine.bed.read("fake/uv.log");
    assert!(log.lines().all(|line| line.starts_with("tool run --quiet --python python3 pip install ")), "{log}");
    let with_pip = Machine::with_python("3.11");
    with_pip.smcp(IMPORT).run().succeeds();
    assert_eq!(machine.bundle(REFERENCE), with_pip.bundle(REFERENCE));
}

#[test]
fn a_package_with_extras_is_another_package() {
    let machine = Machine::with_python(&python());
    machine.bed.configure("");
    let with = "import --registry registry pypi:acme-tool[Cli,ws]";
    let made = machine.smcp(with).run().succeeds().says(&["pypi/acme-tool.cli.ws@1.0 is imported"]);
    assert!(made.to_string().contains("source     pypi:Acme-Tool[cli,ws]==1.0"), "{made}");
    assert!(machine.bed.read("fake/pip.log").contains("acme-tool[Cli,ws]"));
    machine
        .smcp("import --registry registry pypi:acme-tool")
        .run()
        .succeeds()
        .says(&["pypi/acme-tool@1.0 is imported"]);
    machine
        .smcp("import --registry registry pypi:acme-tool[ws,cli]")
        .run()
        .succeeds()
        .says(&["its bytes are the same"]);
    let info = "--registry registry info --provenance pypi/acme-tool.cli.ws@1.0";
    let made_of = machine.smcp(info).run().succeeds();
    assert!(made_of.stdout.contains("made of\n  pypi:Acme-Tool[cli,ws]==1.0  sha256:"), "{made_of}");
    let lock = machine.smcp(&format!("--json {info}")).run().succeeds();
    assert_eq!(lock.document()["extras"], serde_json::json!(["cli", "ws"]));
    machine.bed.write("lock.json", &lock.raw);
    machine.smcp(&format!("{with} --lock lock.json")).run().succeeds().says(&["its bytes are the same"]);
    machine
        .smcp("import --registry registry pypi:acme-tool --lock lock.json")
        .run()
        .refuses(1, &["it is of pypi:Acme-Tool[cli,ws]==1.0"]);
    // A client's line is put behind the import with the same extras.
    let cursor = ".cursor/mcp.json";
    let servers = serde_json::json!({
        "with": {"command": "uvx", "args": ["acme-tool[ws,cli]@1.0"]},
        "without": {"command": "uvx", "args": ["acme-tool@1.0"]},
        "other": {"command": "uvx", "args": ["acme-tool[cli]"]},
    });
    machine.bed.write(cursor, serde_json::json!({"mcpServers": servers}).to_string());
    machine.smcp("scan --wrap --yes").run().exits(1).says(&["other in [HOME]/.cursor/mcp.json stays as it is"]);
    let document: serde_json::Value = serde_json::from_str(&machine.bed.read(cursor)).unwrap();
    let servers = &document["mcpServers"];
    assert_eq!(servers["with"]["args"], serde_json::json!(["run", "pypi/acme-tool.cli.ws@1.0"]));
    assert_eq!(servers["without"]["args"], serde_json::json!(["run", "pypi/acme-tool@1.0"]));
    machine.is_clean();
}
