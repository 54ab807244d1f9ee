//! The place of the log, who may write to it, and a log that can't be written.

use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use nix::unistd::Uid;
use nix::unistd::chown;
use nix::unistd::mkfifo;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::log::Log;
use crate::log::clock;
use crate::log::entry;
use crate::log::journal;
use crate::log::verification;
use smcp_audit::AuditLog;
use smcp_audit::KnownLog;
use smcp_model::ownership::Caller;

pub(crate) const LOG: &str = ".mcp/audit.jsonl";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A bed with a package that leaves a mark when it is started.
pub(crate) fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell("acme/tool@1.0.0", "touch \"$HOME/proof/started\"").good());
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

/// With umask 002, as in Fedora and Ubuntu, a group that only has its user is not another user.
#[test]
fn the_users_own_group_may_write_to_it() {
    let log = Log::new();
    set_mode(log.folder(), 0o2775);
    let group = fs::metadata(log.folder()).unwrap().gid();
    let dir = || Dir::open_ambient_dir(log.folder(), ambient_authority()).unwrap();
    let uid = Uid::effective().as_raw();
    let own_group = || Some(nix::unistd::getegid().as_raw());
    // This does not hold where a folder takes its group from the one above it.
    if own_group() == Some(group) {
        let private = Caller::new(uid, own_group);
        let journal = AuditLog::open(dir(), &log.path("audit.jsonl"), private, clock).unwrap();
        set_mode(&log.path("audit.jsonl"), 0o660);
        set_mode(&log.path("audit.lock"), 0o660);
        journal.append(&entry("a")).unwrap();
    }
    let shared = Caller::new(uid, || None);
    let error = AuditLog::open(dir(), &log.path("audit.jsonl"), shared, clock).unwrap_err().to_string();
    assert!(error.contains("its group may write to it (mode 2775, gid "), "{error}");
    assert!(error.contains(&format!("\n  run: chmod g-w {}", log.folder().display())), "{error}");
}

#[test]
fn a_folder_that_is_a_link_is_followed_to_where_it_leads() {
    let bed = bed();
    fs::create_dir(bed.path("real")).unwrap();
    set_mode(&bed.path("real"), 0o777);
    symlink("real", bed.path("link")).unwrap();
    symlink("nowhere", bed.path("dangling")).unwrap();
    bed.configure("audit_log: ~/link/audit.jsonl");
    bed.run("run acme/tool@1.0.0").refuses(
        1,
        &["[HOME]/link is not safe for the audit log: it leads to [HOME]/real, and others may write to it (mode 0777)"],
    );
    set_mode(&bed.path("real"), 0o700);
    bed.run("run acme/tool@1.0.0").succeeds();
    assert!(bed.has("real/audit.jsonl"));
    bed.configure("audit_log: ~/dangling/audit.jsonl");
    bed.run("run acme/tool@1.0.0").refuses(
        1,
        &["[HOME]/dangling is a link that leads nowhere: make what it names, or put a folder in its place"],
    );
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
    assert!(!bed.has("proof/started"));

    bed.configure("audit: best-effort");
    bed.run("policy check acme/tool@1.0.0")
        .succeeds()
        .says(&["note: the audit log is not complete: ", "it is not a regular file; move it away; a link could lead"]);
    let ran = bed.run("-q run acme/tool@1.0.0").succeeds();
    assert_eq!(ran.stderr.matches("the audit log is not complete").count(), 1, "said once: {ran}");
    assert!(bed.has("proof/started"));
}

#[test]
fn without_a_home_there_is_no_place_for_it() {
    let bed = bed();
    let config = bed.path("config.yaml");
    let words = ["--cache-dir", "cache", "--config", config.to_str().unwrap()];
    for (text, code) in [("", 1), ("audit: best-effort\n", 0)] {
        bed.write("config.yaml", format!("registry_url: {}\n{text}", bed.path("registry").display()));
        let ran = bed.smcp("run --dry-run acme/tool@1.0.0").args(&words).without_env("HOME").run();
        ran.exits(code).says(&[
            "there is no place for the audit log: HOME is not set to an absolute path",
            "set HOME, or name a file with `audit_log` in a configuration that --config or SMCP_CONFIG names",
        ]);
    }
}

#[test]
fn the_configuration_names_another_place_for_it() {
    let bed = bed();
    bed.configure("audit_log: logs/deep/smcp.log\n");
    bed.run("run acme/tool@1.0.0").succeeds();
    assert_eq!(bed.list(".mcp/logs/deep"), ["smcp.lock", "smcp.log", "smcp.running"]);
    assert_eq!((mode(&bed.path(".mcp/logs")), mode(&bed.path(".mcp/logs/deep/smcp.log"))), (0o700, 0o600));
    assert!(!bed.has(LOG) && !bed.has(".mcp/audit.lock"));
    let document = bed.run("--json audit verify").succeeds().document();
    assert_eq!((&document["records"], &document["intact"]), (&3.into(), &true.into()));
    assert_eq!(bed.run("--json audit tail").document()["records"].as_array().unwrap().len(), 3);
    let doctor = bed.run("doctor").succeeds();
    assert!(doctor.stdout.contains("✓ audit log      [HOME]/.mcp/logs/deep/smcp.log can be written\n"), "{doctor}");
    assert_eq!(bed.list(".mcp/logs/deep"), ["smcp.lock", "smcp.log", "smcp.running"], "nothing is left of a try");

    for wrong in ["/var/log/", "/", "..", "''", "7", "[a]", "https://x.example/log"] {
        bed.configure(&format!("audit_log: {wrong}\n"));
        bed.run("run acme/tool@1.0.0").refuses(1, &["`audit_log`", "the path of a file: absolute, ~/…"]);
    }
    bed.configure("audit_log: logs\n");
    bed.run("run acme/tool@1.0.0").refuses(1, &["[HOME]/.mcp/logs is not safe", "it is not a regular file"]);
}

/// HOME as containers, services and `sudo` leave it: what works, and the messages.
#[test]
fn a_home_that_is_none_is_named_with_the_way_out() {
    let bed = bed();
    let registry = bed.path("registry").display().to_string();
    bed.write("plain.yaml", format!("registry_url: {registry}\ncache_dir: {}\n", bed.path("cache").display()));
    bed.write("elsewhere.yaml", bed.read("plain.yaml") + "audit_log: audit-elsewhere/log.jsonl\n");
    bed.write("file", "");
    let (file, missing) = (bed.path("file").display().to_string(), bed.path("new/home").display().to_string());
    // No user, not even root, can make a folder in /proc.
    let cases: [(Option<&str>, i32, &str); 6] = [
        (None, 1, "HOME is not set to an absolute path"),
        (Some("relative"), 1, "HOME is not set to an absolute path"),
        (Some(""), 1, "HOME is not set to an absolute path"),
        (Some(&missing), 0, ""),
        (Some(&file), 1, "/file/.mcp: "),
        (Some("/proc/self/fdinfo"), 1, "can't make the folder of the audit log at /proc/self/fdinfo/.mcp: "),
    ];
    for (home, code, says) in cases {
        let run = |config: &str| {
            let invocation = bed.smcp("run --dry-run acme/tool@1.0.0").args(&["--config", config]);
            match home {
                Some(home) => invocation.env("HOME", home).run(),
                None => invocation.without_env("HOME").run(),
            }
        };
        let ran = run("plain.yaml").exits(code).says(&[says]);
        assert!(code == 0 || ran.stderr.contains("`audit_log`"), "{home:?}: {ran}");
        run("elsewhere.yaml").succeeds();
    }
    assert!(bed.has("audit-elsewhere/log.jsonl") && bed.has("new/home/.mcp/audit.jsonl"));
}

#[test]
fn a_head_that_nobody_hears_is_a_log_that_can_not_be_written() {
    let is_socket = |path: &&str| fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    if ["/dev/log", "/var/run/syslog", "/var/run/log"].iter().any(is_socket) {
        return; // A real log must not get the records of tests.
    }
    let bed = bed();
    bed.configure("audit_head: syslog");
    bed.run("run acme/tool@1.0.0")
        .refuses(1, &["the head of the audit log can't be sent to syslog (`audit_head: syslog`)"]);
    assert!(!bed.has("proof/started"));
    bed.configure("audit_head: syslog\naudit: best-effort");
    bed.run("run acme/tool@1.0.0").succeeds().says(&["note: the audit log is not complete: the head of the audit log"]);
    assert!(bed.has("proof/started"));
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
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    let found = verification(&bed.path(".mcp"), KnownLog::default());
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
