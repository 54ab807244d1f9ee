//! Where the log is, who may write to it, and what follows when it can't be written.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{Uid, chown, mkfifo};
use smcp::audit::Bounds;

use crate::bed::{Package, TestBed};
use crate::log::{Log, entry, journal, verification};

const LOG: &str = ".mcp/audit.jsonl";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A bed whose package would say that it was started.
fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell("acme/tool@1.0.0", "touch \"$HOME/started\"").good());
    bed
}

#[test]
fn the_log_and_its_folder_are_for_their_owner_alone() {
    let bed = TestBed::new();
    bed.write("facts.json", "{}");
    bed.run("policy eval --facts facts.json").succeeds();
    assert_eq!(
        (mode(&bed.path(".mcp")), mode(&bed.path(LOG)), mode(&bed.path(".mcp/audit.lock"))),
        (0o700, 0o600, 0o600)
    );
}

#[test]
fn a_log_that_others_could_write_or_lead_elsewhere_is_refused() {
    let link = |log: &Log, name: &str| {
        log.write("elsewhere", "");
        symlink(log.path("elsewhere"), log.path(name)).unwrap();
    };
    type Make<'m> = &'m dyn Fn(&Log);
    let cases: [(&str, Make<'_>, &str); 9] = [
        (
            "a link",
            &|log| link(log, "audit.jsonl"),
            "audit.jsonl is not safe for the audit log: it is not a regular file",
        ),
        (
            "a link that leads nowhere",
            &|log| symlink("nowhere", log.path("audit.jsonl")).unwrap(),
            "not a regular file",
        ),
        (
            "a pipe",
            &|log| mkfifo(&log.path("audit.jsonl"), nix::sys::stat::Mode::S_IRWXU).unwrap(),
            "not a regular file",
        ),
        ("a folder", &|log| fs::create_dir(log.path("audit.jsonl")).unwrap(), "not a regular file"),
        ("the lock is a link", &|log| link(log, "audit.lock"), "audit.lock is not safe"),
        ("an old file is a link", &|log| link(log, "audit-000001.jsonl"), "audit-000001.jsonl is not safe"),
        (
            "the group may write to it",
            &|log| {
                log.write("audit.jsonl", "");
                set_mode(&log.path("audit.jsonl"), 0o620);
            },
            "its group may write to it (mode 0620, gid ",
        ),
        (
            "everybody may write to the folder",
            &|log| set_mode(log.folder(), 0o702),
            "others may write to it (mode 0702)\n  run: chmod go-w ",
        ),
        (
            "the group may write to the folder",
            &|log| set_mode(log.folder(), 0o770),
            "its group may write to it (mode 0770, gid ",
        ),
    ];
    for (name, make, says) in cases {
        let log = Log::new();
        make(&log);
        let error = journal(log.folder()).unwrap_err().to_string();
        assert!(error.contains(says), "{name}: {error}");
        assert!(!log.path("elsewhere").exists() || log.bytes("elsewhere").is_empty(), "{name}");
    }
    if Uid::effective().is_root() {
        for name in ["audit.jsonl", "audit.lock", "."] {
            let (log, _) = Log::of(&["a"]);
            chown(&log.path(name), Some(Uid::from_raw(12_345)), None).unwrap();
            let error = journal(log.folder()).unwrap_err().to_string();
            assert!(error.contains("it belongs to another user"), "{name}: {error}");
        }
    }
}

#[test]
fn what_can_not_be_recorded_does_not_run() {
    let bed = bed();
    fs::create_dir(bed.path(LOG)).unwrap();
    for line in [
        "run acme/tool@1.0.0",
        "run --trust acme/tool@1.0.0",
        "run --dry-run acme/tool@1.0.0",
        "policy check acme/tool@1.0.0",
    ] {
        bed.run(line).refuses(
            1,
            &[
                "[HOME]/.mcp/audit.jsonl is not safe for the audit log: it is not a regular file",
                "`audit: best-effort`",
            ],
        );
    }
    let document = bed.run("--json policy check acme/tool@1.0.0").exits(1).document();
    assert_eq!((&document["schema"], &document["code"]), (&"smcp.error/1".into(), &"audit-unwritable".into()));
    assert!(!bed.has("started"));

    bed.configure("audit: best-effort");
    bed.run("policy check acme/tool@1.0.0")
        .succeeds()
        .says(&["note: the audit log is not complete: ", "it is not a regular file; move it away; a link could lead"]);
    let ran = bed.run("-q run acme/tool@1.0.0").succeeds();
    assert_eq!(ran.stderr.matches("the audit log is not complete").count(), 1, "said once: {ran}");
    assert!(bed.has("started"));
}

#[test]
fn without_a_home_there_is_no_place_for_it() {
    let bed = bed();
    let config = bed.path("config.yaml");
    let words = ["--cache-dir", "cache", "--config", config.to_str().unwrap()];
    for (text, code) in [("", 1), ("audit: best-effort\n", 0)] {
        bed.write("config.yaml", format!("registry_url: {}\n{text}", bed.path("registry").display()));
        let ran = bed.smcp("run --dry-run acme/tool@1.0.0").args(&words).without_env("HOME").run();
        ran.exits(code).says(&["there is no place for the audit log: HOME is not set to an absolute path", "set HOME"]);
    }
}

/// A log with a record so large that only it is in the way of the limit, not what the runtime of policies needs.
fn large_log(bed: &TestBed) -> u64 {
    journal(&bed.path(".mcp")).unwrap().append(&entry(&"x".repeat(4_000_000))).unwrap();
    u64::try_from(bed.read(LOG).len()).unwrap()
}

/// `smcp` that may write files of at most so many bytes, which is how a full disk looks like to it.
fn on_a_disk_of(bytes: u64, bed: &TestBed, line: &str) -> (i32, String) {
    let script = "import os, resource, sys; n = int(sys.argv[1]); resource.setrlimit(resource.RLIMIT_FSIZE, (n, n)); os.execv(sys.argv[2], sys.argv[2:])";
    let mut command = Command::new("python3");
    command.args(["-c", script, &bytes.to_string(), env!("CARGO_BIN_EXE_smcp")]).args(line.split_whitespace());
    command.current_dir(bed.path("")).env("HOME", bed.path("")).stdin(Stdio::null());
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_full_disk_refuses_and_leaves_the_log_as_it_was() {
    let bed = bed();
    bed.write("facts.json", "{}");
    let size = large_log(&bed);
    let before = bed.read(LOG);
    for room in [0, 1, 1_000] {
        let (code, stderr) = on_a_disk_of(size + room, &bed, "policy eval --facts facts.json");
        assert_eq!(code, 1, "{room}: {stderr}");
        assert!(stderr.contains("can't write to the audit log at "), "{room}: {stderr}");
        assert!(stderr.contains("nothing runs unrecorded"), "{room}: {stderr}");
        assert_eq!(bed.read(LOG), before, "{room}");
    }
    bed.run("policy eval --facts facts.json").succeeds();
    bed.run("audit verify").succeeds();
    bed.configure("audit: best-effort");
    let size = bed.read(LOG).len();
    let (code, stderr) = on_a_disk_of(u64::try_from(size).unwrap() + 9, &bed, "policy eval --facts facts.json");
    assert!(code == 0 && stderr.contains("note: the audit log is not complete: can't write to"), "{code} {stderr}");
}

#[test]
fn a_refusal_keeps_its_reason_when_it_can_not_be_recorded() {
    let bed = bed();
    bed.configure("policy: {min_score: 100}");
    let (code, stderr) = on_a_disk_of(large_log(&bed) + 100, &bed, "run acme/tool@1.0.0");
    assert_eq!(code, 4, "{stderr}");
    assert!(
        stderr.contains("below minimum required score 100") && stderr.contains("the audit log is not complete"),
        "{stderr}"
    );
}

#[test]
fn a_head_that_nobody_hears_is_a_log_that_can_not_be_written() {
    let is_socket = |path: &&str| fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    if ["/dev/log", "/var/run/syslog", "/var/run/log"].iter().any(is_socket) {
        return; // Not ours to fill with records of tests.
    }
    let bed = bed();
    bed.configure("audit_head: syslog");
    bed.run("run acme/tool@1.0.0")
        .refuses(1, &["the head of the audit log can't be sent to syslog (`audit_head: syslog`)"]);
    assert!(!bed.has("started"));
    bed.configure("audit_head: syslog\naudit: best-effort");
    bed.run("run acme/tool@1.0.0").succeeds().says(&["note: the audit log is not complete: the head of the audit log"]);
    assert!(bed.has("started"));
    assert_eq!(bed.read(LOG).lines().count(), 3, "our own log has all of it");
}

#[test]
fn fifty_processes_at_once_write_fifty_records() {
    let bed = TestBed::new();
    bed.write("facts.json", "{}");
    let children: Vec<_> = (0..50)
        .map(|_| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_smcp"));
            command
                .args(["policy", "eval", "--facts", "facts.json"])
                .current_dir(bed.path(""))
                .env("HOME", bed.path(""));
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let found = verification(&bed.path(".mcp"), Bounds::default());
    assert!(found.is_intact() && found.records == 50, "{found:#?}");
}

#[test]
fn the_log_does_not_move_with_the_configuration() {
    let bed = bed();
    bed.write("other/config.yaml", "registry_url: ~/registry\n");
    bed.run("--config other/config.yaml policy check acme/tool@1.0.0").succeeds();
    assert_eq!(bed.list("other"), ["config.yaml"]);
    assert!(bed.has(LOG));
}

#[test]
fn a_log_that_is_only_read_is_not_made() {
    let bed = TestBed::new();
    bed.run("audit tail").succeeds().prints("the audit log has no records\n");
    bed.run("audit verify").succeeds();
    assert!(!bed.has(".mcp"), "{:?}", bed.list(".mcp"));
}
