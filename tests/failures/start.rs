//! Commands that can't be started, each for another reason.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::Row;
use crate::bed::Package;
use crate::bed::TestBed;
use crate::scene::Scene;
use crate::scene::TOOL;
use crate::trial::Trial;

pub(crate) const ROWS: &[Row] = &[
    Row {
        what: "what was unpacked of the bundle is not what it was",
        holds: &[
            ("what is different", "`server.py`: its mode is 0600 in place of 0400"),
            ("that the bundle is unpacked again", "it is unpacked again"),
        ],
        provoke: |trial| {
            let bed = TestBed::new();
            bed.configure("");
            bed.publish(&Package::shell(TOOL, "echo started").good());
            bed.run(&format!("run {TOOL}")).succeeds().silent();
            let tree = bed.list(".mcp/cache/trees").remove(0);
            let server = bed.path(".mcp/cache/trees").join(tree).join("server.py");
            fs::set_permissions(server, fs::Permissions::from_mode(0o600)).unwrap();
            trial.class("tree-changed");
            trial.message(&bed.run(&format!("run {TOOL}")).succeeds().prints("started\n").stderr);
        },
    },
    Row {
        what: "nobody has set a variable that the manifest says the server needs",
        holds: &[
            ("the variables", "`TOKEN`"),
            ("what each is for", "(From your account)"),
            ("`--env NAME=…`", "--env TOKEN=…"),
        ],
        provoke: |trial| {
            trial.launches(|bed| {
                let needs = json!({"TOKEN": {"about": "From your account", "required": true}});
                let needing = |manifest: &mut serde_json::Value| manifest["variables"] = needs;
                bed.publish(&Package::greeter(TOOL).manifest(needing).good());
                Scene::run()
            });
        },
    },
    Row {
        what: "no directory of PATH has the command",
        holds: &[
            ("where it was sought", "searched: /usr/bin"),
            ("what was skipped", "tools"),
            ("`--env PATH=…`", "--env PATH="),
        ],
        provoke: |trial| {
            trial.launches(|bed| {
                command(bed, &["no-such-program-anywhere"], "", 0o644).env("PATH", "/usr/bin:/bin:tools")
            });
        },
    },
    Row {
        what: "the bundle does not have the command, or the `workdir`",
        holds: &[("as typed", "`./missing`")],
        provoke: |trial| {
            trial.launches(|bed| {
                bed.publish(&Package::greeter(TOOL).entrypoint(json!({"command": ["sh"], "workdir": "gone"})).good());
                Scene::run()
            });
            trial.launches(|bed| command(bed, &["./missing"], "", 0o644));
        },
    },
    Row {
        what: "the command may not be executed",
        holds: &[("as typed", "`./tool`")],
        provoke: |trial| trial.launches(|bed| command(bed, &["./tool"], "#!/bin/sh\n", 0o644)),
    },
    Row {
        what: "the package's own program is where nothing can be executed (`noexec`)",
        holds: &[
            ("the folder", "can't be started: [HOME]/c/trees/"),
            ("`runtime_dir`", "`runtime_dir`"),
            ("`--cache-dir`", "--cache-dir"),
        ],
        provoke: |trial| {
            // Such a file system needs a mount namespace and a bed that has one.
            let test = "a_folder_where_nothing_can_be_run_is_named";
            trial.elsewhere("tests/offline/places.rs", test, "command-on-noexec");
        },
    },
    Row {
        what: "its `#!` line names what is not there",
        holds: &[("the interpreter", "/no/such/interpreter"), ("a CR behind it as `\\r`", "/bin/sh\\r")],
        provoke: |trial| {
            trial.launches(|bed| command(bed, &["./tool"], "#!/no/such/interpreter\n", 0o755));
            trial.launches(|bed| command(bed, &["./tool"], "#!/bin/sh\r\necho\r\n", 0o755));
        },
    },
    Row {
        what: "it asks for a dynamic loader that is not there",
        holds: &[("the loader", "/lib64/ld-linux-x86-64.so.9")],
        provoke: |trial| {
            let program = fs::read("/bin/true").unwrap();
            let (loader, other) = (b"/lib64/ld-linux-x86-64.so.2", b"/lib64/ld-linux-x86-64.so.9");
            let Some(at) = program.windows(loader.len()).position(|part| part == loader) else {
                // Another architecture, or a file without one: the reader of such files has its own test.
                return trial.elsewhere(
                    "host/launch/src/diagnose/format.rs",
                    "our_own_program_is_for_our_own_machine",
                    "loader-missing",
                );
            };
            trial.launches(|bed| {
                let mut program = program.clone();
                program[at..at + other.len()].copy_from_slice(other);
                binary(bed, &program)
            });
        },
    },
    Row {
        what: "it is no program, or one for another machine",
        holds: &[("what it is instead", "it is no program of this machine and has no `#!` line")],
        provoke: |trial| {
            trial.launches(|bed| command(bed, &["./tool"], "MZ\u{0}", 0o755));
            trial.launches(|bed| command(bed, &["./tool"], "echo hello\n", 0o755));
        },
    },
    Row {
        what: "the server starts no other program, and is a script that does nothing else",
        holds: &[("the script", "shims/shim for "), ("what reads it", "/bin/sh"), ("`--env PATH=…`", "--env PATH=…")],
        provoke: |trial| trial.launches(wrapped),
    },
    Row {
        what: "the system refuses to confine the server as it said it could",
        holds: &[("the system's reason", "could not be confined, so it was not started: Argument list too long")],
        provoke: |trial| trial.launches(confined_too_often),
    },
    Row {
        what: "its arguments and variables are too long",
        holds: &[("the greatest by name", "argument 2 has [SIZE] bytes"), ("the limit", "131071")],
        provoke: |trial| {
            trial.launches(|bed| command(bed, &["sh", "-c", &"x".repeat(200_000)], "", 0o644));
        },
    },
    Row {
        what: "the system refuses to start it for another reason",
        holds: &[("the system's reason", "Too many open files")],
        provoke: few_files,
    },
];

/// A command that PATH has as a script for another program.
fn wrapped(bed: &TestBed) -> Scene {
    bed.write("shims/shim", "#!/bin/sh\nexec python3 \"$@\"\n");
    fs::set_permissions(bed.path("shims/shim"), fs::Permissions::from_mode(0o755)).unwrap();
    let server = Package::greeter(TOOL).entrypoint(json!({"command": ["shim", "server.py"]}));
    bed.publish(&server.manifest(|manifest| manifest["permissions"]["subprocess"] = false.into()).good());
    Scene::run().env("PATH", &format!("{}:/usr/bin:/bin", bed.path("shims").display()))
}

/// Landlock holds a process to at most sixteen rulesets; these refuse nothing that anybody does.
const SIXTEEN: &str = "import ctypes, os, sys\n\
    libc = ctypes.CDLL(None, use_errno=True)\n\
    libc.prctl(38, 1, 0, 0, 0)\n\
    blocks = (ctypes.c_uint64 * 1)(1 << 11)\n\
    for layer in range(16):\n    \
        ruleset = libc.syscall(ctypes.c_long(444), blocks, ctypes.c_long(8), ctypes.c_long(0))\n    \
        assert libc.syscall(ctypes.c_long(446), ctypes.c_long(ruleset), ctypes.c_long(0)) == 0\n    \
        os.close(ruleset)\n\
    os.execv(sys.argv[1], sys.argv[1:])\n";

fn confined_too_often(bed: &TestBed) -> Scene {
    bed.publish(&Package::shell(TOOL, "touch \"$HOME/proof/started\"").good());
    Scene::run().behind(&["python3", "-c", SIXTEEN])
}

/// Publishes a package with this command; `tool` is a file of its bundle.
fn command(bed: &TestBed, command: &[&str], text: &str, mode: u32) -> Scene {
    let package = Package::greeter(TOOL).entrypoint(json!({"command": command})).file("tool", text, mode).good();
    bed.publish(&package);
    Scene::run()
}

/// Publishes a package whose command is this program.
fn binary(bed: &TestBed, program: &[u8]) -> Scene {
    bed.write("bundle/tool", program);
    fs::set_permissions(bed.path("bundle/tool"), fs::Permissions::from_mode(0o755)).unwrap();
    let manifest = json!({
        "schema_version": 1,
        "package": {"id": "acme/tool", "version": "1.0.0"},
        "runtime": {"type": "binary"},
        "entrypoint": {"command": ["./tool"]},
    });
    bed.write("bundle/manifest.json", manifest.to_string());
    let facts = "--origin official --cert-level 3 --score 95";
    bed.run(&format!("registry publish --registry registry {facts} {TOOL} bundle")).succeeds();
    Scene::run()
}

/// How many descriptors are just too few for starting the server, but enough before it, depends on smcp's internals.
fn few_files(trial: &Trial<'_>) {
    for files in (16..48).rev() {
        let bed = TestBed::new();
        bed.configure("");
        bed.publish(&Package::shell(TOOL, "cat").facts("official", 3, 20));
        let limited = format!("ulimit -n {files}; exec \"$0\" \"$@\"");
        let told = Scene::run().behind(&["sh", "-c", &limited]).told(&bed);
        if told.code == 6 {
            trial.exit(told.code, &told);
            trial.message(&told.stderr);
            trial.recorded(&bed);
            return;
        }
    }
    panic!("no number of open files is enough for all but the start");
}
