//! `smcp doctor`: what it checks, and that its answer is the result of `run`.

use std::fs;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::Value;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::bed::corrupt;

fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("policy: {min_score: 80, allowed_origins: [official]}");
    bed.publish(&Package::shell("acme/tool@1.0.0", "true").good());
    bed
}

/// The health and the message of one check.
fn check(document: &Value, name: &str) -> (String, String) {
    let checks = document["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["name"] == name).unwrap();
    let text = |key: &str| found[key].as_str().unwrap().to_owned();
    (text("health"), text("message"))
}

#[test]
fn where_run_works_everything_is_well() {
    let bed = bed();
    bed.run("run acme/tool@1.0.0").succeeds();
    let ran = bed.smcp("doctor").env("SMCP_REGISTRY_TOKEN", "hunter2").run().succeeds().silent();
    for says in [
        "✓ versions       smcp 0.1.0, wasmtime 48.0.8, interface smcp:policy/evaluator@0.1.0\n",
        "✓ configuration  user layer: [HOME]/.mcp/config.yaml\n",
        "✓ policy         the user layer wants: origin official (else refused); score 80 or higher (else refused)\n",
        "✓ policies       3 of 3 are enabled, and load\n",
        "✓ registry       [HOME]/registry answers\n",
        "✓ cache          [HOME]/.mcp/cache can be written\n",
        "✓ audit log      [HOME]/.mcp/audit.jsonl can be written\n",
        "✓ audit chain    it holds: 3 records in the newest file\n",
        "✓ token          there is none for this registry; not every one asks for one\n",
        "✓ clock          2",
        "✓ smcp can run servers\n",
    ] {
        assert!(ran.stdout.contains(says), "{says} {ran}");
    }
    let document = bed.run("--json doctor").succeeds().silent().document();
    assert_eq!((&document["schema"], &document["health"]), (&"smcp.doctor/1".into(), &"ok".into()));
    assert_eq!(
        bed.list(".mcp/cache"),
        ["CACHEDIR.TAG", "blobs", "resolutions", "runs", "trees"],
        "nothing is left in the cache"
    );
    assert_eq!(bed.read(".mcp/audit.jsonl").lines().count(), 3, "it is no decision");
}

#[test]
fn what_stands_in_the_way_of_run_is_a_problem_and_said() {
    type Damage = fn(&TestBed);
    let cases: [(&str, Damage, &str, &str); 15] = [
        ("configuration", |bed| bed.configure("polcy: {}"), "problem", "unknown key `polcy`"),
        ("registry", |bed| fs::rename(bed.path("registry"), bed.path("moved")).unwrap(), "problem", "[HOME]/registry"),
        (
            "cache",
            |bed| bed.configure("cache_dir: ~/registry/blobs/none/../../../.mcp/config.yaml"),
            "problem",
            "can't be used: can't open it",
        ),
        (
            "cache",
            |bed| {
                fs::create_dir_all(bed.path(".mcp/cache")).unwrap();
                fs::set_permissions(bed.path(".mcp/cache"), fs::Permissions::from_mode(0o777)).unwrap();
            },
            "problem",
            "[HOME]/.mcp/cache is not safe for what runs: others may write to it",
        ),
        (
            "cache",
            |bed| bed.write(".mcp/cache/runs", ""),
            "problem",
            "[HOME]/.mcp/cache can't be used: can't rely on it: `runs` in it is not a folder",
        ),
        ("cache", |bed| bed.write(".mcp/cache/blobs", ""), "problem", "rely on it: `blobs` in it is not a folder"),
        (
            "cache",
            |bed| bed.write(".mcp/compiled.key/own.txt", ""),
            "warning",
            "each start unpacks its bundle again: [HOME]/.mcp/compiled.key: ",
        ),
        ("policy", |bed| bed.configure("policy: {allowed_origins: []}"), "problem", "no origin at all"),
        (
            "trust",
            |bed| bed.configure("trusted_registries: [/elsewhere]\npolicy: {min_score: 1}"),
            "problem",
            "the user layer does not trust [HOME]/registry, and sees no facts from there",
        ),
        ("trust", |bed| bed.configure("trusted_registries: []"), "warning", "the user layer does not trust"),
        (
            "trust",
            |bed| bed.configure("trusted_registries: []\npolicy: {allowed_origins: [official], origin_mode: warn}"),
            "warning",
            "the user layer does not trust",
        ),
        ("audit log", |bed| fs::create_dir(bed.path(".mcp/audit.jsonl")).unwrap(), "problem", "not a regular file"),
        (
            "policies",
            |bed| bed.configure("policy: {custom: [{name: mine, source: none.wasm}]}"),
            "problem",
            "mine can't do",
        ),
        (
            "policies",
            |bed| bed.configure("policy: {custom: [{name: mine, source: none.wasm, mode: warn}]}"),
            "warning",
            "mine can't do its work",
        ),
        (
            "audit log",
            |bed| {
                fs::create_dir(bed.path(".mcp/audit.jsonl")).unwrap();
                bed.configure("audit: best-effort");
            },
            "warning",
            "the audit log is not complete",
        ),
    ];
    for (name, damage, health, says) in cases {
        let bed = bed();
        damage(&bed);
        let run = bed.run("run --dry-run acme/tool@1.0.0").code;
        let ran = bed.run("--json doctor");
        let document = ran.document();
        let (found, message) = check(&document, name);
        assert_eq!(found, health, "{document:#}");
        assert!(bed.redact(&message).contains(says), "{says}: {message}");
        if health == "problem" {
            assert_eq!((ran.code, run != 0), (1, true), "{name}: {run} {document:#}");
        } else {
            assert_eq!(run, 0, "{name}: {document:#}");
        }
    }
}

/// The surroundings of smcp: damage to its home, and what a shell does before it starts smcp.
struct Surroundings {
    name: &'static str,
    damage: fn(&TestBed),
    shell: &'static str,
}

impl Surroundings {
    const fn home(name: &'static str, damage: fn(&TestBed)) -> Self {
        Self { name, damage, shell: "" }
    }

    const fn system(name: &'static str, shell: &'static str) -> Self {
        Self { name, damage: |_| {}, shell }
    }

    /// Returns the exit code of `smcp` there, and its whole output.
    fn run(&self, bed: &TestBed, line: &str) -> (i32, String) {
        let mut invocation = bed.smcp("");
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{} exec \"$0\" {line}", self.shell)).arg(env!("CARGO_BIN_EXE_smcp"));
        command.current_dir(bed.path("")).env_clear().env("HOME", bed.path(""));
        command.env("PATH", std::env::var_os("PATH").unwrap());
        invocation.command = command;
        let ran = invocation.run();
        (ran.code, ran.to_string())
    }
}

fn mode(bed: &TestBed, name: &str, mode: u32) {
    fs::set_permissions(bed.path(name), fs::Permissions::from_mode(mode)).unwrap();
}

fn log_folder(bed: &TestBed) {
    fs::create_dir(bed.path("logs")).unwrap();
    mode(bed, "logs", 0o700);
    bed.configure("audit_log: ~/logs/audit.jsonl");
}

const fn surroundings() -> [Surroundings; 33] {
    [
        Surroundings::home("nothing is wrong", |_| {}),
        Surroundings::home("a key that nobody knows", |bed| bed.configure("polcy: {}")),
        Surroundings::home("a configuration that is a folder", |bed| {
            fs::remove_file(bed.path(".mcp/config.yaml")).unwrap();
            fs::create_dir(bed.path(".mcp/config.yaml")).unwrap();
        }),
        Surroundings::home("a policy that has no source", |bed| bed.write(".mcp/policies.d/x.yaml", "{}")),
        Surroundings::home("the registry is gone", |bed| {
            fs::rename(bed.path("registry"), bed.path("moved")).unwrap();
        }),
        Surroundings::home("the registry is a file", |bed| {
            bed.configure("registry_url: ~/bundles/none/../../.mcp/config.yaml")
        }),
        Surroundings::home("the cache is a file", |bed| bed.write(".mcp/cache", "")),
        Surroundings::home("the cache is open to everybody", |bed| {
            fs::create_dir(bed.path(".mcp/cache")).unwrap();
            mode(bed, ".mcp/cache", 0o777);
        }),
        Surroundings::home("the folder of runs is a file", |bed| bed.write(".mcp/cache/runs", "")),
        Surroundings::home("the folder of blobs is a file", |bed| bed.write(".mcp/cache/blobs", "")),
        Surroundings::home("the cache is where nobody makes folders", |bed| {
            bed.configure("cache_dir: /proc/self/fdinfo/x")
        }),
        Surroundings::home("a policy is missing", |bed| {
            bed.configure("policy: {custom: [{name: mine, source: none.wasm}]}");
        }),
        Surroundings::home("a policy is something else", |bed| {
            bed.write(".mcp/mine.wasm", "<html>");
            bed.configure("policy: {custom: [{name: mine, source: mine.wasm}]}");
        }),
        Surroundings::home("a policy is not the pinned one", |bed| {
            bed.write(".mcp/mine.wasm", "x");
            let digest = format!("sha256:{}", "0".repeat(64));
            bed.configure(&format!("policy: {{custom: [{{name: mine, source: mine.wasm, digest: \"{digest}\"}}]}}"));
        }),
        Surroundings::home("no origin is allowed", |bed| bed.configure("policy: {allowed_origins: []}")),
        Surroundings::home("the registry is not trusted", |bed| {
            bed.configure("trusted_registries: [/elsewhere]\npolicy: {min_score: 1}");
        }),
        Surroundings::home("the log is a folder", |bed| fs::create_dir(bed.path(".mcp/audit.jsonl")).unwrap()),
        Surroundings::home("the log is a link", |bed| symlink("nowhere", bed.path(".mcp/audit.jsonl")).unwrap()),
        Surroundings::home("the lock of the log is a link", |bed| {
            symlink("nowhere", bed.path(".mcp/audit.lock")).unwrap();
        }),
        Surroundings::home("the log ends with something else", |bed| bed.write(".mcp/audit.jsonl", "no record\n")),
        Surroundings::home("an older file of the log is damaged", |bed| {
            bed.write(".mcp/audit-000001.jsonl", "no record\n");
        }),
        Surroundings::home("the log's folder is open to everybody", |bed| {
            log_folder(bed);
            mode(bed, "logs", 0o777);
        }),
        Surroundings::home("the log's folder is sticky", |bed| {
            log_folder(bed);
            mode(bed, "logs", 0o1777);
        }),
        Surroundings::home("the log is where nobody makes files", |bed| bed.configure("audit_log: /proc/self/x.jsonl")),
        Surroundings::home("the log is below a file", |bed| bed.configure("audit_log: ~/.mcp/config.yaml/x.jsonl")),
        Surroundings::home("there is no time to start", |bed| bed.configure("start_timeout: 1ns")),
        Surroundings::system("HOME is not set", "unset HOME;"),
        Surroundings::system("HOME is a relative path", "export HOME=here;"),
        Surroundings::system("HOME is where nobody makes folders", "export HOME=/proc/self/fdinfo;"),
        Surroundings::system("no file may have a byte", "ulimit -f 0;"),
        Surroundings::system("little address space", "ulimit -v 300000;"),
        Surroundings::system("a system file that does not exist", "export SMCP_SYSTEM_CONFIG=/x.yaml;"),
        Surroundings::system("a proxy that is none", "export HTTPS_PROXY=' ';"),
    ]
}

/// If `doctor` reports no problem, `run` must work.
#[test]
fn doctor_never_says_yes_where_run_says_no() {
    let mut refused = 0;
    for surroundings in surroundings() {
        let bed = bed();
        (surroundings.damage)(&bed);
        let (doctor, found) = surroundings.run(&bed, "doctor");
        let (run, said) = surroundings.run(&bed, "run acme/tool@1.0.0");
        let name = surroundings.name;
        assert!(matches!(doctor, 0 | 1), "{name}: {found}");
        assert!(run == 0 || doctor == 1, "{name}: run says no: {said}\nand doctor: {found}");
        if name == "nothing is wrong" {
            assert_eq!((run, doctor), (0, 0), "{name}: {said} {found}");
        }
        refused += usize::from(run != 0);
    }
    // Exceptions: only policies can tell how much address space is enough, and a folder needs no proxy.
    assert!(refused >= surroundings().len() - 3, "{refused}");
}

#[test]
fn what_belongs_to_somebody_else_is_a_problem() {
    if !nix::unistd::Uid::effective().is_root() {
        return; // Only root can give things away.
    }
    for name in [".mcp", ".mcp/audit.jsonl", ".mcp/audit.lock", ".mcp/cache", ".mcp/cache/blobs"] {
        let bed = bed();
        bed.run("run acme/tool@1.0.0").succeeds();
        std::os::unix::fs::chown(bed.path(name), Some(64_001), None).unwrap();
        let doctor = bed.run("doctor").code;
        let run = bed.run("run acme/tool@1.0.0").code;
        assert!(run == 0 || doctor == 1, "{name}: {run} {doctor}");
        assert!(run == 1 || name == ".mcp/cache/blobs", "{name}: {run}");
    }
}

#[test]
fn nothing_configured_is_a_warning() {
    let bed = bed();
    fs::remove_file(bed.path(".mcp/config.yaml")).unwrap();
    let document = bed.run("--json --registry registry doctor").succeeds().document();
    assert_eq!(check(&document, "configuration").0, "warning");
    assert_eq!(check(&document, "policy"), ("warning".to_owned(), "the user layer restricts nothing".to_owned()));
    assert_eq!(document["health"], "warning");
}

#[test]
fn a_log_that_was_changed_is_a_problem() {
    let bed = bed();
    for _ in 0..3 {
        bed.run("policy check acme/tool@1.0.0").succeeds();
    }
    corrupt(&bed.path(".mcp/audit.jsonl"));
    let document = bed.run("--json doctor").exits(1).document();
    let (health, message) = check(&document, "audit chain");
    assert!(health == "problem" && message.contains("it is broken in line"), "{message}");
}

/// Starts a web server with these answers, one connection at a time. It ends with the test's process.
fn web_server(answer: fn(&str) -> (u16, &'static str)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let first = lines.next().unwrap_or_default();
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let (status, body) = answer(first.split(' ').nth(1).unwrap_or_default());
            let length = body.len();
            let head = format!("HTTP/1.1 {status} Status\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
            drop(stream.write_all((head + body).as_bytes()));
        }
    });
    url
}

#[test]
fn not_everything_that_answers_is_a_registry() {
    type Answer = fn(&str) -> (u16, &'static str);
    let cases: [(&str, Answer, &str, &str); 5] = [
        (
            "a registry",
            |path| if path == "/healthz" { (200, r#"{"status":"ok"}"#) } else { (404, r#"{"error":{}}"#) },
            "ok",
            "answers",
        ),
        ("a host of something else", |_| (404, "not found"), "problem", "answers, but not as a registry"),
        ("one that is glad about everything", |_| (200, "welcome"), "problem", "answers, but not as a registry"),
        (
            "a registry that does not let us in",
            |path| if path == "/healthz" { (200, r#"{"status":"ok"}"#) } else { (401, "") },
            "problem",
            "wants to know who asks",
        ),
        ("one that is down", |_| (503, ""), "problem", "can't answer now"),
    ];
    for (name, answer, health, says) in cases {
        let bed = bed();
        let document = bed.run(&format!("--json --registry {} doctor", web_server(answer))).document();
        let (found, message) = check(&document, "registry");
        assert!(found == health && message.contains(says), "{name}: {found} {message}");
    }
}
