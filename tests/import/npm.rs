//! Packages of npm.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde_json::Value;
use serde_json::json;

use crate::clients::Machine;
use crate::clients::integrity;
use crate::clients::npm_lock;

const IMPORT: &str = "import --registry registry npm:@acme/tool";
const REFERENCE: &str = "npm/acme.tool@1.2.3";

#[test]
fn a_package_with_everything_that_belongs_to_it_is_published() {
    let machine = Machine::new();
    insta::assert_snapshot!("imported", machine.smcp(IMPORT).run().succeeds());
    machine.is_clean();
    let files = machine.files(REFERENCE);
    let names: Vec<String> = files.iter().map(|(name, mode, _)| format!("{name} {mode:o}")).collect();
    insta::assert_snapshot!("files", names.join("\n"));
    let text = |wanted: &str| files.iter().find(|(name, _, _)| name == wanted).unwrap().2.clone();
    insta::assert_snapshot!("manifest", text("manifest.json"));
    insta::assert_snapshot!("source", text("source.json"));
    let log = machine.bed.read("fake/npm.log");
    for line in log.lines().filter(|line| *line != "--version") {
        assert!(line.contains(" --ignore-scripts --no-bin-links "), "{line}");
    }
    // It starts, and gets its arguments.
    let run = machine.smcp(&format!("--registry registry run --trust {REFERENCE} -- a b")).run().succeeds();
    run.prints("heard nothing a b\n");
}

#[test]
fn two_machines_make_the_same_bundle_of_the_same_package() {
    let (one, other) = (Machine::new(), Machine::new());
    for path in ["fake/node_modules/@acme/tool/server.js", "fake/node_modules/left/package.json"] {
        fs::set_permissions(other.bed.path(path), fs::Permissions::from_mode(0o600)).unwrap();
    }
    one.smcp(IMPORT).run().succeeds();
    other.smcp(IMPORT).run().succeeds();
    assert_eq!(one.bundle(REFERENCE), other.bundle(REFERENCE));
    // The same again says so, and something else is refused.
    other.smcp(IMPORT).run().succeeds().says(&["was imported before; its bytes are the same"]);
    other.bed.write("fake/node_modules/left/index.js", "changed");
    other.smcp(IMPORT).run().refuses(1, &["a version never changes"]);
    other.is_clean();
}

#[test]
fn a_lock_makes_the_same_again_and_asks_nobody_what_is_newest() {
    let (one, other) = (Machine::new(), Machine::new());
    one.smcp(IMPORT).run().succeeds();
    let shown = one.smcp(&format!("--registry registry info --provenance {REFERENCE}")).run().succeeds();
    insta::assert_snapshot!("provenance", shown);
    let lock = one.smcp(&format!("--registry registry info --provenance --json {REFERENCE}")).run().succeeds().raw;
    other.bed.write("lock.json", &lock);
    other.smcp(&format!("{IMPORT} --lock lock.json")).run().succeeds();
    assert_eq!(one.bundle(REFERENCE), other.bundle(REFERENCE));
    let asked: Vec<String> =
        other.bed.read("fake/npm.log").lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(asked, ["--version", "ci"]);
    // A lock is for one package, one version and one platform.
    other
        .smcp("import --registry registry npm:other --lock lock.json")
        .run()
        .refuses(1, &["the lock does not fit", "npm:@acme/tool@1.2.3"]);
    other.smcp(&format!("{IMPORT}@9.9.9 --lock lock.json")).run().refuses(1, &["the lock does not fit"]);
    other.bed.write("lock.json", lock.replace("glibc", "musl"));
    other.smcp(&format!("{IMPORT} --lock lock.json")).run().refuses(1, &["it is for linux/amd64, musl"]);
    other.bed.write("lock.json", lock.replace("node_modules/left\"", "../../left\""));
    other.smcp(&format!("{IMPORT} --lock lock.json")).run().refuses(1, &["it is no lock of an import"]);
    // What stands in it twice is the same in both places, and what nobody would heed does not stand in it.
    let mut changed: Value = serde_json::from_str(&lock).unwrap();
    changed["integrity"] = integrity('d').into();
    other.bed.write("lock.json", changed.to_string());
    other.smcp(&format!("{IMPORT} --lock lock.json")).run().refuses(3, &["the lock contradicts itself"]);
    other.bed.write("lock.json", lock.replace("\"kind\"", "\"sort\": 1, \"kind\""));
    other.smcp(&format!("{IMPORT} --lock lock.json")).run().refuses(1, &["the key `sort` is not known"]);
    other.is_clean();
}

#[test]
fn the_user_says_what_npm_does_not_know() {
    let machine = Machine::new();
    machine.bed.write("asks.json", r#"{"network": {"outbound": ["api.example.com"]}, "env_vars": ["LANG"]}"#);
    let options = "--as ours/tool@1.0.0 --bin other --variable TOKEN --workdir-writable --permissions asks.json";
    machine.smcp(&format!("{IMPORT} {options}")).run().succeeds();
    let files = machine.files("ours/tool@1.0.0");
    let (_, _, text) = files.iter().find(|(name, _, _)| name == "manifest.json").unwrap();
    let manifest: Value = serde_json::from_str(text).unwrap();
    assert_eq!(manifest["package"]["id"], "ours/tool");
    assert_eq!(manifest["entrypoint"]["command"], json!(["node", "node_modules/@acme/tool/other.js"]));
    assert_eq!(manifest["variables"], json!({"TOKEN": {}}));
    assert_eq!((&manifest["workdir_writable"], &manifest["permissions"]["env_vars"]), (&json!(true), &json!(["LANG"])));
    let told = machine.smcp("--registry registry info --json ours/tool@1.0.0").run().document();
    assert_eq!(told["permissions"]["environment"], json!(["LANG", "TOKEN"]), "policies are told of both");
}

#[test]
fn a_variable_reaches_the_server_and_no_other_does() {
    let machine = Machine::new();
    machine.smcp(&format!("{IMPORT} --variable TOKEN")).run().succeeds();
    let run = |token: &str| {
        machine.smcp(&format!("--registry registry run --trust {REFERENCE}")).env(token, "a secret").run()
    };
    run("TOKEN").prints("heard a secret \n");
    run("OTHER").prints("heard nothing \n");
}

#[test]
fn what_can_not_be_imported_is_refused_with_the_reason_and_leaves_nothing() {
    let with_lock = |change: fn(&mut Value)| {
        let machine = Machine::new();
        let mut lock = npm_lock();
        change(&mut lock["packages"]);
        machine.bed.write("fake/package-lock.json", lock.to_string());
        machine
    };
    let failing = |code: &str| {
        let machine = Machine::new();
        machine.bed.write("fake/fail.json", json!({"error": {"code": code, "summary": "as prepared"}}).to_string());
        let usage: String = (0..20).map(|number| format!("npm error [--option-{number}]\n")).collect();
        let said = format!("npm error code {code}\nnpm error as prepared\nnpm error\nnpm error Usage:\n{usage}");
        machine.bed.write("fake/fail.txt", said);
        machine
    };
    let old = Machine::new();
    old.bed.write("fake/npm-version", "6.14.0\n");
    let no_bin = Machine::new();
    no_bin.bed.write("fake/node_modules/@acme/tool/package.json", "{}");
    let no_file = Machine::new();
    fs::remove_file(no_file.bed.path("fake/node_modules/@acme/tool/server.js")).unwrap();
    let cases = [
        (old, 1, "9 or newer is needed"),
        (no_bin, 1, "no `bin`"),
        (no_file, 1, "is not in the package"),
        (failing("EINTEGRITY"), 3, "npm got something else than the lock says: as prepared"),
        (failing("E404"), 2, "npm does not have it: as prepared"),
        (failing("ETARGET"), 2, "npm does not have it: as prepared"),
        (failing("ERESOLVE"), 2, "its packages don't fit together: as prepared"),
        (
            failing("ECONNREFUSED"),
            2,
            "`npm ci` failed (exit status: 1)\n  npm error code ECONNREFUSED\n  npm error as prepared\n",
        ),
        (
            with_lock(|packages| packages["node_modules/left"] = json!({"link": true, "resolved": "../left"})),
            3,
            "link to a folder",
        ),
        (
            with_lock(|packages| {
                packages["node_modules/left"] = json!({"version": "1.0.0", "resolved": "git+ssh://x"})
            }),
            3,
            "has no integrity",
        ),
        (
            with_lock(|packages| {
                packages["node_modules/gone"] =
                    json!({"version": "1.0.0", "integrity": packages["node_modules/left"]["integrity"]})
            }),
            1,
            "npm has not installed `node_modules/gone`",
        ),
        (
            with_lock(|packages| drop(packages.as_object_mut().unwrap().remove("node_modules/@acme/tool"))),
            1,
            "found no package",
        ),
    ];
    for (machine, code, reason) in cases {
        machine.smcp(IMPORT).run().refuses(code, &[reason, "npm:@acme/tool is not imported"]);
        machine.is_clean();
        assert!(!machine.bed.has("registry"), "{reason}: no registry is made for nothing");
    }
}

#[test]
fn a_missing_client_is_named_with_what_installs_it() {
    let machine = Machine::new();
    fs::remove_file(machine.bed.path("bin/npm")).unwrap();
    let alone = machine.smcp(IMPORT).env("PATH", machine.bed.path("bin"));
    alone.run().refuses(1, &["there is no `npm` on PATH", "https://nodejs.org"]);
}

#[test]
fn the_command_line_says_what_is_meant() {
    let machine = Machine::new();
    for (line, reason) in [
        ("import --registry registry @acme/tool", "can't be imported: it does not say of what kind it is"),
        ("import --registry registry npm:@acme/tool --origin official", "nobody makes a package official"),
        ("import --registry registry npm:@acme/tool --origin Official", "nobody makes a package official"),
        ("import --registry registry npm:@acme/tool --as ours/tool@latest", "--as needs a version"),
        ("import --registry https://registry.example npm:@acme/tool", "`https://registry.example` is no directory"),
        ("import --registry oci://registry.example/mcp npm:@acme/tool", "is no directory"),
        ("import npm:@acme/tool", "--registry DIR names one"),
        ("import --registry registry npm:@acme/tool --bin nope", "has no program `nope`; it has `tool`, `other`"),
    ] {
        machine.smcp(line).run().refuses(1, &[reason]);
    }
    // The registry of the configuration is where it goes when none is named.
    machine.bed.configure("");
    machine.smcp("import npm:@acme/tool").run().succeeds();
    assert_eq!(machine.bed.list("registry/packages/npm/acme.tool"), ["1.2.3.json"]);
}

#[test]
fn an_interrupted_import_leaves_nothing() {
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130), (Signal::SIGHUP, 129)] {
        let machine = Machine::new();
        nix::unistd::mkfifo(&machine.bed.path("fake/wait"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let mut smcp = machine.smcp(IMPORT);
        let child = smcp.start();
        // The fake npm has opened the pipe by then, or waits to.
        let _pipe = fs::File::options().write(true).open(machine.bed.path("fake/wait")).unwrap();
        kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains("interrupted while `npm` was running"));
        machine.is_clean();
    }
}

#[test]
fn a_client_that_starts_npx_is_put_behind_smcp_in_one_go() {
    let machine = Machine::new();
    machine.bed.configure("policy: {allowed_origins: [verified]}");
    let cursor = ".cursor/mcp.json";
    let entry = json!({"command": "npx", "args": ["-y", "@acme/tool", "a b"], "env": {"TOKEN": "hunter2"}});
    let before = json!({"mcpServers": {"t": entry}}).to_string();
    machine.bed.write(cursor, &before);
    machine.bed.write("fake/npm-version", "5.0.0\n");
    let line = "scan --wrap --import --origin verified --yes";
    let says =
        ["t in [HOME]/.cursor/mcp.json stays as it is: npm:@acme/tool is not imported", "npm is version `5.0.0`"];
    machine.smcp(line).run().exits(1).says(&says);
    assert_eq!(machine.bed.read(cursor), before, "an import that fails changes no file");
    machine.bed.write("fake/npm-version", "11.0.0\n");
    let ran = machine.smcp(line).run().succeeds();
    assert!(ran.stdout.contains("through smcp, pinned: npm/acme.tool@1.2.3; may run today"), "{ran}");
    machine.is_clean();
    let document: Value = serde_json::from_str(&machine.bed.read(cursor)).unwrap();
    assert_eq!(document["mcpServers"]["t"]["env"], entry["env"]);
    let words = document["mcpServers"]["t"]["args"].as_array().unwrap();
    let words: Vec<_> = words.iter().map(|word| word.as_str().unwrap()).collect();
    machine.smcp("").args(&words).env("TOKEN", "hunter2").run().succeeds().prints("heard hunter2 a b\n");
    machine.smcp("scan --wrap --import --yes").run().succeeds().silent();
}

#[test]
fn what_several_clients_start_is_imported_once() {
    let machine = Machine::new();
    machine.bed.configure("");
    let clients = [
        (".claude.json", json!({"command": "npx", "args": ["@acme/tool"], "env": {"TOKEN": "1"}})),
        (".cursor/mcp.json", json!({"command": "npx", "args": ["-y", "@acme/tool", "x"], "env": {"OTHER": "1"}})),
        (".gemini/settings.json", json!({"command": "npx", "args": ["@acme/tool@1.2.3"]})),
    ];
    for (file, entry) in &clients {
        machine.bed.write(file, json!({"mcpServers": {"t": entry}}).to_string());
    }
    // How often npm is asked for one import.
    machine.smcp(IMPORT).run().succeeds();
    fs::remove_dir_all(machine.bed.path("registry")).unwrap();
    let fetched =
        || machine.bed.read("fake/npm.log").lines().filter(|line| line.contains(" --ignore-scripts ")).count();
    let once = fetched();
    let ran = machine.smcp("scan --wrap --import --yes").run().succeeds();
    assert_eq!(ran.stdout.matches("through smcp, pinned: npm/acme.tool@1.2.3").count(), 3, "{ran}");
    assert_eq!(
        fetched(),
        3 * once,
        "once for the name, and once for the version: {}",
        machine.bed.read("fake/npm.log")
    );
    machine.smcp(IMPORT).run().succeeds().says(&["was imported before; its bytes are the same"]);
}

#[test]
fn one_server_that_can_not_be_imported_is_no_obstacle_for_the_others() {
    let machine = Machine::new();
    machine.bed.configure("");
    let cursor = ".cursor/mcp.json";
    let servers = json!({
        "good": {"command": "npx", "args": ["-y", "@acme/tool"]},
        "second": {"command": "npx", "args": ["-y", "-p", "@acme/tool@1.2.3", "other"]},
        "third": {"command": "npx", "args": ["-y", "-p", "@acme/tool@1.2.3", "gone"]},
        "missing": {"command": "npx", "args": ["-y", "missing"]},
    });
    machine.bed.write(cursor, json!({"mcpServers": servers}).to_string());
    let ran = machine.smcp("scan --wrap --import --yes").run().exits(1).says(&[
        "second in Cursor starts npm/acme.tool--other@1.2.3 through smcp",
        "third in [HOME]/.cursor/mcp.json stays as it is: npm:@acme/tool@1.2.3 is not imported",
        "has no program `gone`; it has `tool`, `other`",
        "missing in [HOME]/.cursor/mcp.json stays as it is: npm:missing is not imported",
        "good in Cursor starts npm/acme.tool@1.2.3 through smcp",
    ]);
    assert!(ran.stdout.contains("2 of 4 servers are started past smcp"), "{ran}");
    let document: Value = serde_json::from_str(&machine.bed.read(cursor)).unwrap();
    for name in ["third", "missing"] {
        assert_eq!(document["mcpServers"][name], servers[name], "{ran}");
    }
    assert_eq!(document["mcpServers"]["good"]["args"], json!(["run", "npm/acme.tool@1.2.3"]));
    assert_eq!(document["mcpServers"]["second"]["args"], json!(["run", "npm/acme.tool--other@1.2.3"]));
    // Each program is known again, the one of the package's name under its own name too.
    let servers = json!({
        "named": {"command": "npx", "args": ["-p", "@acme/tool", "tool"]},
        "other": {"command": "npx", "args": ["-p", "@acme/tool", "other"]},
        "third": {"command": "npx", "args": ["-p", "@acme/tool", "gone"]},
    });
    machine.bed.write(cursor, json!({"mcpServers": servers}).to_string());
    machine.smcp("scan --wrap --yes").run().exits(1).says(&[
        "named in Cursor starts npm/acme.tool@1.2.3",
        "other in Cursor starts npm/acme.tool--other@1.2.3",
        "the program `gone` of npm:@acme/tool was not imported: --import does that first",
    ]);
    machine.is_clean();
    // What was taken back is said to be: neither is it started, nor imported again.
    machine.smcp("import --registry registry npm:@acme/tool --status revoked").run().succeeds();
    machine
        .bed
        .write(cursor, json!({"mcpServers": {"t": {"command": "npx", "args": ["@acme/tool@1.2.3"]}}}).to_string());
    for line in ["scan --wrap --yes", "scan --wrap --import --yes"] {
        machine.smcp(line).run().exits(1).says(&["npm/acme.tool@1.2.3 was imported and is revoked now"]);
    }
}
