//! Packages that were allowed and are not started, or do not stay running.

use std::fs;
use std::io::BufRead as _;
use std::io::BufReader;

use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde_json::json;

use crate::Row;
use crate::bed::Package;
use crate::bed::TestBed;
use crate::bed::corrupt;
use crate::guest::Twin;
use crate::registries::blob;
use crate::scene::Scene;
use crate::scene::TOOL;
use crate::trial::Trial;

pub(crate) const ROWS: &[Row] = &[
    Row {
        what: "command or `workdir` leads out of the bundle",
        holds: &[("as typed", "`/bin/sh`")],
        provoke: |trial| {
            trial.launches(|bed| client_format(bed, "stdio", "/bin/sh"));
            // Manifest and bundle were checked before; this would find only what those checks missed.
            for code in ["command-escapes", "workdir-escapes"] {
                trial.elsewhere("tests/launch/start.rs", "what_can_not_be_started_says_so", code);
            }
        },
    },
    Row {
        what: "time is over before the start",
        holds: &[("which key gives more", "`start_timeout`")],
        provoke: slow_policy,
    },
    Row {
        what: "transport `http`",
        holds: &[("that only `stdio` can be started", "only `stdio` servers can be started")],
        provoke: |trial| trial.launches(|bed| client_format(bed, "http", "sh")),
    },
    Row {
        what: "the server dodges its warning for the model",
        holds: &[
            ("what it did", "a message with a duplicate key"),
            ("what is allowed", "each key may stand only once"),
        ],
        provoke: dodges,
    },
    Row {
        what: "the server can't be supervised, or its streams relayed",
        holds: &[("the system's reason", "can't be supervised, so it does not run: Resource temporarily unavailable")],
        provoke: few_threads,
    },
    Row {
        what: "the reaper is killed: the server dies with it, and what it had started",
        holds: &[("what was killed", "keeper"), ("whether all ended", "ended")],
        provoke: reaper_killed,
    },
];

/// A manifest in the client format, which only other registries write.
fn client_format(bed: &TestBed, transport: &str, command: &str) -> Scene {
    bed.publish(&Package::greeter(TOOL).good());
    bed.replace_manifest("acme/tool", "1.0.0", |manifest, bundle| {
        let entrypoint = |arch| json!({"os": "linux", "arch": arch, "command": command, "args": ["-c", "true"]});
        json!({
            "schema_version": "1.0",
            "package": manifest["package"],
            "bundle": bundle,
            "transport": {"type": transport, "port": 8080},
            "entrypoints": (["amd64", "arm64"].map(entrypoint)),
        })
    });
    Scene::run()
}

/// A policy that needs all of its time, and more.
fn slow(bed: &TestBed, timeout: &str) {
    bed.write("guest.wasm", Twin::of("evaluate-spins").component());
    let custom = "custom: [{name: guest, source: ~/guest.wasm, mode: warn, on_warn: notify}]";
    bed.configure(&format!("start_timeout: {timeout}\npolicy: {{{custom}}}\n"));
    bed.publish(&Package::shell(TOOL, "touch \"$HOME/proof/started\"").good());
}

fn slow_policy(trial: &Trial<'_>) {
    trial.launches(|bed| {
        slow(bed, "450ms");
        Scene::run()
    });
    // Only a clock that is held makes a run late between unpacking and starting.
    trial.elsewhere("tests/launch/start.rs", "nothing_starts_after_the_deadline", "timeout");
}

/// Policies are asked after the bundle is fetched and verified, and before it is unpacked.
pub(crate) fn changed_meanwhile(trial: &Trial<'_>) {
    let bed = TestBed::new();
    slow(&bed, "60s");
    let cached = bed.path(&format!(".mcp/cache/blobs/{}", blob(&bed, "registry", "bundle")));
    let mut smcp = bed.smcp(&format!("run {TOOL}"));
    let child = smcp.start();
    while !cached.exists() {
        std::thread::yield_now();
    }
    corrupt(&cached);
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    trial.exit(output.status.code().unwrap(), &told);
    assert!(!bed.has("proof/started") && output.stdout.is_empty(), "{told}");
    trial.message(&told);
    trial.recorded(&bed);
}

fn dodges(trial: &Trial<'_>) {
    let bed = TestBed::new();
    bed.configure("");
    let script = r#"printf '{"id":1,"result":{},"result":{}}\n'; cat >/dev/null"#;
    bed.publish(&Package::shell(TOOL, script).facts("official", 3, 20));
    // The client stays until its server is ended.
    let mut child = bed.smcp(&format!("run {TOOL}")).start();
    let mut stdin = child.stdin.take().unwrap();
    let hello = br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#;
    std::io::Write::write_all(&mut stdin, &[hello, &b"\n"[..]].concat()).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    let told = String::from_utf8(output.stderr).unwrap();
    trial.exit(output.status.code().unwrap(), &told);
    assert!(output.stdout.is_empty(), "{told}");
    trial.message(&told);
    trial.recorded(&bed);
}

/// How many threads are just too few for relaying, but enough before it, depends on smcp's internals.
fn few_threads(trial: &Trial<'_>) {
    for threads in (3..24).rev() {
        let bed = TestBed::new();
        bed.configure("");
        let scene = crate::before::with_threads(&bed, threads);
        // The same package with a score that the model is warned of, which needs a relay.
        bed.publish(&Package::shell(TOOL, "touch \"$HOME/proof/started\"").facts("official", 3, 20));
        let told = scene.told(&bed);
        if told.stderr.contains("can't be supervised") {
            trial.exit(told.code, &told);
            trial.message(&told.stderr);
            trial.recorded(&bed);
            return;
        }
    }
    panic!("no number of threads is enough for all but the relay");
}

fn reaper_killed(trial: &Trial<'_>) {
    let bed = TestBed::new();
    bed.configure("");
    // Its parent is the reaper.
    bed.publish(&Package::shell(TOOL, "echo $PPID; exec sleep 1000").good());
    let mut child = bed.smcp(&format!("run {TOOL}")).start();
    let stdin = child.stdin.take();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut reaper = String::new();
    output.read_line(&mut reaper).unwrap();
    kill(Pid::from_raw(reaper.trim().parse().unwrap()), Signal::SIGKILL).unwrap();
    let ended = child.wait_with_output().unwrap();
    drop(stdin);
    let told = String::from_utf8(ended.stderr).unwrap();
    trial.exit(ended.status.code().unwrap(), &told);
    trial.message(&told);
    assert_eq!(bed.list(".mcp/cache/runs"), [""; 0], "{told}");
    assert!(fs::read_to_string(bed.path(".mcp/audit.jsonl")).is_ok_and(|log| log.contains("\"end\"")));
}
