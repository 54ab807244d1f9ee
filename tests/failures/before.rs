//! Failures before a registry is asked: command line, configuration, folders.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::Row;
use crate::bed::Package;
use crate::bed::TestBed;
use crate::scene::Scene;
use crate::scene::TOOL;
use crate::trial::Trial;

pub(crate) const ROWS: &[Row] = &[
    Row {
        what: "usage: unknown flag, bad reference, lower threshold",
        holds: &[("what was typed", "`acme`"), ("the grammar", "ORG/NAME@VERSION")],
        provoke: usage,
    },
    Row {
        what: "`mcp-config --write`: the client's file can't be read, merged or replaced",
        holds: &[
            ("the file", "[HOME]/.cursor/mcp.json"),
            ("that it was not changed", "was not changed"),
            ("the reason", "smcp edits no file with comments"),
        ],
        provoke: clients_file,
    },
    Row {
        what: "a policy's `limits` out of range, or all policies of a layer over 60 s or too many",
        holds: &[
            ("what is allowed", "(allowed: a size from 64KiB to 512MiB"),
            ("the sum", "the policies may take 1m 1s 500ms together"),
        ],
        provoke: limits,
    },
    Row {
        what: "an exception for a policy that its layer doesn't have, until a day that isn't one, or without a reason",
        holds: &[
            ("where", "~/.mcp/config.yaml:2:49: `policy.exceptions[0].policies[0]`"),
            ("the nearest name", "did you mean `score`?"),
            ("what is allowed", "(allowed: origin, certification, score)"),
        ],
        provoke: exceptions,
    },
    Row {
        what: "configuration: any problem in it",
        holds: &[
            ("all problems: line", "2 problems"),
            ("column", "~/.mcp/config.yaml:2:10"),
            ("what is allowed", "(allowed: strict, warn, disabled)"),
        ],
        provoke: configuration,
    },
    Row {
        what: "the audit log can't be written, under `required`",
        holds: &[
            ("which file", "[HOME]/.mcp/audit.jsonl"),
            ("why", "it is not a regular file"),
            ("what to do", "with `audit: best-effort`"),
        ],
        provoke: |trial| trial.refuses(|bed| folder_for_a_log(bed, Scene::run())),
    },
    Row {
        what: "the audit log can't be read (`audit`)",
        holds: &[("which file", "[HOME]/.mcp/audit.jsonl"), ("why", "it is not a regular file")],
        provoke: |trial| trial.refuses(|bed| folder_for_a_log(bed, Scene::of("audit tail"))),
    },
    Row {
        what: "`cache rm` names what is not there",
        holds: &[("what was looked for", "`acme/other`")],
        provoke: |trial| trial.refuses(|_| Scene::of("cache rm acme/other")),
    },
    Row {
        what: "another process empties the cache each time that the package is fetched",
        holds: &[("that it does", "the cache is being emptied by somebody else"), ("to try again", "try again")],
        provoke: |trial| {
            trial.elsewhere(
                "host/pipeline/src/find/tests.rs",
                "a_cache_that_is_always_emptied_is_given_up",
                "cache-busy",
            );
        },
    },
    Row {
        what: "the cache can't be made, read or written; no room",
        holds: &[
            ("which folder", "the cache at [HOME]/file can't be used"),
            ("what was tried", "can't open it"),
            ("the reason", "Not a directory"),
            ("`--cache-dir`", "--cache-dir"),
        ],
        provoke: unusable_cache,
    },
    Row {
        what: "the runtime of policies can't be started",
        holds: &[("the runtime's reason", "could not be started: max_wasm_stack")],
        provoke: |trial| {
            trial.elsewhere("host/policy/src/host.rs", "a_runtime_that_does_not_start_says_why", "sandbox-unavailable");
        },
    },
    Row {
        what: "the tokens' file can be read by others, or is none",
        holds: &[("the file", "[HOME]/.mcp/credentials.json"), ("its mode", "(mode 644)"), ("what to do", "chmod 600")],
        provoke: |trial| {
            trial.refuses(|bed| {
                bed.write(".mcp/credentials.json", "{}");
                fs::set_permissions(bed.path(".mcp/credentials.json"), fs::Permissions::from_mode(0o644)).unwrap();
                Scene::run_from("http://localhost:1")
            });
        },
    },
    Row {
        what: "the proxy in the environment is not understood",
        holds: &[("the variable", "HTTPS_PROXY"), ("never its value", "expected http://HOST:PORT")],
        provoke: |trial| {
            trial.refuses(|_| Scene::run_from("https://registry.example").env("HTTPS_PROXY", "hunter2://x"));
            trial.never("hunter2");
        },
    },
];

/// Publishes the package in a bed.
pub(crate) fn with_tool(bed: &TestBed) {
    bed.publish(&Package::shell(TOOL, "touch \"$HOME/proof/started\"").good());
}

fn usage(trial: &Trial<'_>) {
    // A line that can't be parsed has no document: its `--json` is not known yet.
    let lower = format!("run --dry-run --warning-threshold 0 {TOOL}");
    for line in ["run --nonsense acme/tool@1.0.0", "run acme", &lower] {
        trial.refuses(|_| Scene::of(line).json(&lower));
    }
}

fn clients_file(trial: &Trial<'_>) {
    trial.refuses(|bed| {
        with_tool(bed);
        bed.write(".cursor/mcp.json", "{ // mine\n}");
        Scene::of(&format!("mcp-config --client cursor --write {TOOL}"))
    });
}

fn configuration(trial: &Trial<'_>) {
    trial.refuses(|bed| {
        bed.configure("policy: {min_scor: 1, cert_mode: Strict}\n");
        Scene::run()
    });
}

fn limits(trial: &Trial<'_>) {
    let entries = |count: usize, limits: &str| {
        let entry = |number| format!("{{name: p{number}, source: x, limits: {{{limits}}}}}");
        format!("policy: {{custom: [{}]}}", (0..count).map(entry).collect::<Vec<_>>().join(", "))
    };
    for text in [entries(1, "memory: 513MiB"), entries(6, "time: 10s"), entries(254, "time: 1ms")] {
        trial.refuses(|bed| {
            bed.configure(&text);
            Scene::run()
        });
    }
}

fn exceptions(trial: &Trial<'_>) {
    for exception in [
        "package: a/b, policies: [scroe], reason: x, until: 9999-12-31",
        "package: a/b, policies: [score], reason: x, until: 2027-02-30",
        "package: a/b, policies: [score], until: 9999-12-31",
    ] {
        trial.refuses(|bed| {
            bed.configure(&format!("policy: {{exceptions: [{{{exception}}}]}}"));
            Scene::run()
        });
    }
}

fn folder_for_a_log(bed: &TestBed, scene: Scene) -> Scene {
    with_tool(bed);
    fs::create_dir(bed.path(".mcp/audit.jsonl")).unwrap();
    scene
}

fn unusable_cache(trial: &Trial<'_>) {
    trial.refuses(|bed| {
        with_tool(bed);
        bed.write("file", "");
        Scene::of(&format!("--cache-dir file run {TOOL}"))
    });
    trial.refuses(|bed| {
        bed.publish(&Package::shell(TOOL, "touch \"$HOME/proof/started\"").file("large", noise(), 0o644).good());
        // The limit on files is 8 KiB, like a disk without room for the bundle.
        let limited = "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\"";
        Scene::of(&format!("pull {TOOL}")).behind(&["sh", "-c", limited])
    });
}

/// 64 KiB that can't be compressed well.
fn noise() -> String {
    let next = |seed: &u32| Some(seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(7), next).take(65_536).map(|seed| char::from(b'a' + (seed >> 24) as u8 % 26)).collect()
}

/// A run as a user who may have so many threads, including the first one.
pub(crate) fn with_threads(bed: &TestBed, threads: u32) -> Scene {
    with_tool(bed);
    let limit = format!("--nproc={threads}");
    if !nix::unistd::Uid::effective().is_root() {
        // The user's other threads count too, so only the first thread is available.
        return Scene::run().behind(&["prlimit", &limit]);
    }
    // Such a limit does not bind root, so the run gets a user without other processes.
    let uid = somebody();
    let give = |path: std::path::PathBuf| std::os::unix::fs::chown(path, Some(uid), Some(uid)).unwrap();
    for path in [".", "registry", ".mcp", ".mcp/config.yaml"] {
        give(bed.path(path));
    }
    let uid = uid.to_string();
    Scene::run().behind(&["prlimit", &limit, "setpriv", "--reuid", &uid, "--regid", &uid, "--clear-groups"])
}

/// An unknown user, another one in each call.
fn somebody() -> u32 {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    2_000_000 + (std::process::id() % 100_000) * 100 + number
}
