//! Machines that lack something: `/proc`, hard links, room, a usable disk.
//!
//! Some are made with namespaces, some with `strace`, which answers system calls instead of the kernel. If neither is
//! allowed, only the unit tests of drafts and folders remain, and the test says so.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

use nix::unistd::Uid;

use crate::bed::Package;
use crate::bed::Ran;
use crate::bed::TestBed;

const TOOL: &str = "acme/tool@1.0.0";

fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell(TOOL, "echo it runs").good());
    bed
}

/// Whether a command works here.
#[expect(clippy::print_stderr, reason = "a test that tries less than it could says so")]
fn can(line: &[&str]) -> bool {
    let mut command = Command::new(line[0]);
    let ran = command.args(&line[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let can = ran.is_ok_and(|status| status.success());
    if !can {
        eprintln!("not tried: `{}` is not possible here", line.join(" "));
    }
    can
}

fn has_namespaces() -> bool {
    Uid::effective().is_root() && can(&["unshare", "-m", "true"])
}

/// Runs `smcp` by another command.
fn behind(bed: &TestBed, words: &[&str], line: &str) -> Ran {
    let mut invocation = bed.smcp(line);
    let smcp = std::mem::replace(&mut invocation.command, Command::new(words[0]));
    let variables = smcp.get_envs().filter_map(|(name, value)| Some((name, value?)));
    invocation.command.args(&words[1..]).arg(smcp.get_program()).args(smcp.get_args());
    invocation.command.current_dir(bed.path("")).env_clear().envs(variables);
    // The input is for `login`; other commands do not read it.
    invocation.input("token\n").run()
}

/// Runs `smcp` after a script has mounted something, which only smcp sees.
fn mounted(bed: &TestBed, script: &str, line: &str) -> Ran {
    let script = format!("{script} && exec \"$0\" \"$@\"");
    behind(bed, &["unshare", "-m", "sh", "-c", &script], line)
}

/// Runs every command that stores a file, with an empty cache at first.
fn keeps_files(bed: &TestBed, run: impl Fn(&str) -> Ran) {
    run(&format!("run {TOOL}")).succeeds().prints("it runs\n");
    run(&format!("run {TOOL}")).succeeds().prints("it runs\n");
    run("doctor").succeeds();
    bed.write("bundle/manifest.json", bed.read("bundles/acme-tool-1.0.0/manifest.json").replace("1.0.0", "2.0.0"));
    run("registry publish --registry registry acme/tool@2.0.0 bundle").succeeds();
    run("login --registry https://r.example --token -").succeeds();
    for folder in ["registry/blobs", ".mcp/cache/blobs", ".mcp/cache"] {
        let names = bed.list(folder);
        assert!(names.iter().all(|name| !name.starts_with(".draft")), "{folder}: {names:?}");
    }
    assert_eq!(bed.list(".mcp/cache/blobs").len(), 2);
    assert_eq!(bed.list(".mcp/cache/resolutions").len(), 1);
    run("run acme/tool@2.0.0").succeeds().prints("it runs\n");
    let mode = |name: &str| fs::metadata(bed.path(name)).unwrap().permissions().mode() & 0o777;
    for name in bed.list(".mcp/cache/blobs") {
        assert_eq!(mode(&format!(".mcp/cache/blobs/{name}")), 0o600, "{name}");
    }
}

#[test]
fn without_proc_files_are_kept_all_the_same() {
    if has_namespaces() {
        let bed = bed();
        keeps_files(&bed, |line| mounted(&bed, "umount -l /proc", line));
    }
}

#[test]
fn without_files_that_have_no_name_without_links_and_without_synced_folders_too() {
    if !can(&["strace", "-f", "-o", "/dev/null", "true"]) {
        return;
    }
    // The call that fails, and its error.
    for inject in ["linkat:error=EPERM", "linkat:error=EACCES", "linkat:error=EOPNOTSUPP", "linkat:error=ENOSYS"] {
        let bed = bed();
        let inject = format!("inject={inject}");
        keeps_files(&bed, |line| behind(&bed, &["strace", "-f", "-o", "/dev/null", "-e", &inject], line));
    }
    // Folders are synced with one call, and the bytes of files with another.
    for error in ["EINVAL", "EOPNOTSUPP"] {
        let bed = bed();
        bed.write("bundle/manifest.json", bed.read("bundles/acme-tool-1.0.0/manifest.json").replace("1.0.0", "2.0.0"));
        let inject = format!("inject=fsync:error={error}");
        let words = ["strace", "-f", "-o", "/dev/null", "-e", &inject];
        behind(&bed, &words, "registry publish --registry registry acme/tool@2.0.0 bundle").succeeds();
        let inject = format!("inject=fdatasync:error={error}");
        let words = ["strace", "-f", "-o", "/dev/null", "-e", &inject];
        let ran = behind(&bed, &words, "registry publish --registry registry acme/tool@2.0.0 bundle");
        assert!(ran.code == 2 && ran.stderr.contains("can't write to it"), "a file that can't be synced: {ran}");
    }
    // Where a file system has no permissions, the ones it shows must do.
    let bed = bed();
    let words = ["strace", "-f", "-o", "/dev/null", "-e", "inject=fchmod:error=EPERM"];
    behind(&bed, &words, &format!("pull {TOOL}")).succeeds();
    assert_eq!(bed.list(".mcp/cache/blobs").len(), 2);
}

/// A start waits for the disk once: the decision and the start are there together, before the server runs.
#[test]
fn the_audit_log_is_synced_once_before_a_server_runs() {
    if !can(&["strace", "-f", "-o", "/dev/null", "true"]) {
        return;
    }
    let bed = bed();
    bed.run(&format!("run {TOOL}")).succeeds();
    let trace = bed.path("trace");
    let words = ["strace", "-f", "-o", trace.to_str().unwrap(), "-e", "trace=fdatasync,fsync,execve,pwrite64"];
    behind(&bed, &words, &format!("run {TOOL}")).succeeds().prints("it runs\n");
    let calls = fs::read_to_string(&trace).unwrap();
    // The first program is smcp itself, and the last one is the server.
    let calls_made: Vec<&str> = calls.lines().collect();
    let server = calls_made.iter().rposition(|call| call.contains("execve(")).unwrap();
    let before = &calls_made[..server];
    let count = |name: &str| before.iter().filter(|call| call.contains(name)).count();
    assert_eq!((count("pwrite64("), count("fdatasync("), count("fsync(")), (2, 1, 0), "{calls}");
    let last = before.iter().rev().find(|call| !call.contains("execve(")).unwrap();
    assert!(last.contains("fdatasync("), "nothing of the log is written after it was synced: {calls}");
}

#[test]
fn a_filled_cache_that_can_not_be_written_runs() {
    if !has_namespaces() {
        return;
    }
    let bed = bed();
    bed.run(&format!("pull {TOOL}")).succeeds();
    let read_only = "mount --bind .mcp/cache .mcp/cache && mount -o remount,ro,bind .mcp/cache";
    fs::create_dir(bed.path("xdg")).unwrap();
    fs::set_permissions(bed.path("xdg"), fs::Permissions::from_mode(0o700)).unwrap();
    let xdg = format!("export XDG_RUNTIME_DIR={} && {read_only}", bed.path("xdg").display());
    mounted(&bed, &xdg, &format!("run {TOOL}")).succeeds().silent().prints("it runs\n");
    assert_eq!((bed.list("xdg/smcp"), bed.list("xdg/smcp/runs")), (vec!["runs".to_owned()], vec![]));
    mounted(&bed, &xdg, "cache ls").succeeds();
    let doctor = mounted(&bed, &xdg, "doctor").succeeds();
    assert!(doctor.stdout.contains("it can only be read"), "{doctor}");
    mounted(&bed, read_only, &format!("run {TOOL}")).refuses(
        1,
        &["the folder for what runs, [HOME]/.mcp/cache, can't be used", "Read-only file system", "`runtime_dir`"],
    );
    mounted(&bed, read_only, "doctor").exits(1);
    bed.configure("runtime_dir: ~/run\n");
    mounted(&bed, read_only, &format!("run {TOOL}")).succeeds().prints("it runs\n");
    assert!(!bed.has(".mcp/cache/runs"));
    // A new package can't be stored in it, and the message says so.
    let other = Package::shell("acme/other@1.0.0", "true").good();
    bed.publish(&other);
    let words =
        ["the cache at [HOME]/.mcp/cache can't be used: can't write to it: Read-only file system", "--cache-dir"];
    mounted(&bed, read_only, "run acme/other@1.0.0").refuses(1, &words);
}

#[test]
fn a_folder_where_nothing_can_be_run_is_named() {
    if !has_namespaces() {
        return;
    }
    let bed = bed();
    let start = serde_json::json!({"command": ["./start.sh"]});
    let own =
        Package::greeter("acme/own@1.0.0").entrypoint(start.clone()).file("start.sh", "#!/bin/sh\necho own\n", 0o755);
    bed.publish(&own.good());
    let not = Package::greeter("acme/not@1.0.0").entrypoint(start).file("start.sh", "#!/bin/sh\necho own\n", 0o644);
    bed.publish(&not.good());
    fs::create_dir(bed.path("c")).unwrap();
    let noexec = "mount -t tmpfs -o noexec,mode=700 none c";
    let ran = mounted(&bed, noexec, "--cache-dir c run acme/own@1.0.0");
    ran.refuses(
        6,
        &["`./start.sh` can't be started: [HOME]/c/trees/", "mounted noexec", "`runtime_dir`", "--cache-dir"],
    );
    mounted(&bed, noexec, "--cache-dir c run acme/not@1.0.0").refuses(6, &["`./start.sh` is not an executable file"]);
    // The interpreter is not in that folder, so the system can start it.
    mounted(&bed, noexec, &format!("--cache-dir c run {TOOL}")).succeeds().prints("it runs\n");
    bed.configure("runtime_dir: ~/run\n");
    mounted(&bed, noexec, "--cache-dir c run acme/own@1.0.0").succeeds().prints("own\n");
}

#[test]
fn a_full_folder_is_named_with_the_way_out() {
    if !has_namespaces() {
        return;
    }
    let bed = bed();
    let big = Package::shell("acme/big@1.0.0", "true").file("zeros", "0".repeat(400_000), 0o644);
    bed.publish(&big.good());
    fs::create_dir(bed.path("c")).unwrap();
    let full = "mount -t tmpfs -o size=8k,mode=700 none c";
    let no_room = ["No space left on device", "free some space there, or name another folder with"];
    let ran = mounted(&bed, full, &format!("--cache-dir c run {TOOL}"));
    ran.refuses(1, &["the cache at [HOME]/c can't be used"]).says(&no_room).says(&["--cache-dir"]);
    // This is too little even for a trial file.
    mounted(&bed, "mount -t tmpfs -o size=4k,mode=700 none c", "--cache-dir c doctor").exits(1);
    let ran = mounted(&bed, "mount -t tmpfs -o size=200k,mode=700 none c", "--cache-dir c run acme/big@1.0.0");
    ran.refuses(1, &["the folder for what runs, [HOME]/c/runs/", "`runtime_dir`"]).says(&no_room);
    bed.configure("runtime_dir: ~/c\n");
    let ran = mounted(&bed, "mount -t tmpfs -o size=200k,mode=700 none c", "run acme/big@1.0.0");
    ran.refuses(1, &["the folder for what runs, [HOME]/c/runs/", "`runtime_dir`"]).says(&no_room);
}

#[test]
fn what_runs_lives_where_the_configuration_says() {
    let bed = TestBed::new();
    bed.configure("runtime_dir: ~/run\n");
    bed.publish(&Package::shell(TOOL, "pwd -P").good());
    let ran = bed.run(&format!("run {TOOL}")).succeeds();
    assert!(ran.stdout.starts_with("[HOME]/run/runs/"), "{ran}");
    assert_eq!((bed.list("run"), bed.list("run/runs")), (vec!["runs".to_owned()], vec![]));
    assert_eq!(bed.list(".mcp/cache"), ["CACHEDIR.TAG", "blobs", "resolutions"]);
    // The next run and housekeeping remove what a dead run left there; foreign files stay.
    for line in [format!("run {TOOL}"), "cache gc".to_owned()] {
        bed.write("run/runs/0123456789abcdef.lock", "");
        bed.write("run/runs/0123456789abcdef/server.py", "");
        bed.write("run/runs/train.lock", "");
        bed.write("run/runs/train/weights.pt", "");
        bed.run(&line).succeeds();
        assert_eq!(bed.list("run/runs"), ["train", "train.lock"], "{line}");
    }
    bed.write("file", "");
    bed.configure("runtime_dir: ~/file\n");
    let words =
        ["the folder for what runs, [HOME]/file, can't be used: can't open it: Not a directory", "`runtime_dir`"];
    bed.run(&format!("run {TOOL}")).refuses(1, &words);
    bed.run("doctor").exits(1);
}

#[test]
fn a_cache_that_is_somebodys_folder_loses_nothing() {
    let bed = bed();
    bed.write("ml/runs/train/weights.pt", "weeks");
    bed.write("ml/runs/train.lock", "");
    bed.write("ml/blobs/photo.jpg", "a day");
    fs::set_permissions(bed.path("ml"), fs::Permissions::from_mode(0o700)).unwrap();
    for line in ["cache ls", "cache gc", "cache rm --all", "pull acme/tool@1.0.0", "run acme/tool@1.0.0"] {
        let ran = bed.run(&format!("--cache-dir ml {line}")).exits(1);
        ran.says(&["[HOME]/ml is not a cache of smcp: there is `", "name an empty folder", "--cache-dir"]);
    }
    bed.run("--cache-dir ml doctor").exits(1);
    assert_eq!(bed.read("ml/runs/train/weights.pt"), "weeks");
    assert_eq!(bed.read("ml/blobs/photo.jpg"), "a day");
    assert_eq!(bed.list("ml"), ["blobs", "runs"]);
    // An empty folder becomes a cache, and is marked for backups to skip.
    fs::create_dir(bed.path("empty")).unwrap();
    bed.run("--cache-dir empty cache ls").succeeds();
    assert!(bed.read("empty/CACHEDIR.TAG").starts_with("Signature: 8a477f597d28d172789f06886806bc55\n"));
}

#[test]
fn a_cache_of_an_earlier_version_goes_on() {
    let bed = bed();
    bed.run(&format!("run {TOOL}")).succeeds();
    fs::remove_file(bed.path(".mcp/cache/CACHEDIR.TAG")).unwrap();
    bed.write(".mcp/cache/blobs/01234567-89ab-cdef-0123-456789abcdef", "left by a killed download");
    bed.run(&format!("run {TOOL}")).succeeds().prints("it runs\n");
    assert!(bed.has(".mcp/cache/CACHEDIR.TAG"));
}

#[test]
fn links_are_named() {
    let bed = bed();
    bed.run(&format!("pull {TOOL}")).succeeds();
    let put_aside = |name: &str| {
        fs::create_dir_all(bed.path("aside")).unwrap();
        let aside = bed.path("aside").join(Path::new(name).file_name().unwrap());
        fs::rename(bed.path(name), &aside).unwrap();
        symlink(&aside, bed.path(name)).unwrap();
        aside
    };
    let back = |name: &str, aside: &Path| {
        fs::remove_file(bed.path(name)).unwrap();
        fs::rename(aside, bed.path(name)).unwrap();
    };
    let run = format!("run {TOOL}");
    let blob = bed.list(".mcp/cache/blobs")[0].clone();
    let entry = "registry/packages/acme/tool/1.0.0.json";
    for (name, code, says) in [
        (".mcp/cache/blobs", 1, "[HOME]/.mcp/cache/blobs is a link, and links are not followed there"),
        (".mcp/cache/resolutions", 1, "[HOME]/.mcp/cache/resolutions is a link"),
        (&format!(".mcp/cache/blobs/{blob}"), 1, "is a link, and links are not followed there: put the file itself"),
        (entry, 2, "`packages/acme/tool/1.0.0.json` is a link, and links are not followed there: put the file itself"),
        ("registry/packages/acme", 2, "`packages/acme` is a link, and links are not followed there: put the folder"),
        ("registry/blobs", 1, ""),
    ] {
        let aside = put_aside(name);
        let ran = bed.run(&run);
        if says.is_empty() {
            // Everything is in the cache.
            assert_eq!(ran.code, 0, "{name}: {ran}");
        } else {
            assert!(ran.code == code && ran.stderr.contains(says), "{name}: {ran}");
        }
        back(name, &aside);
    }
    // The cache itself may be a link: people put it on another disk in this way.
    let aside = put_aside(".mcp/cache");
    bed.run(&run).succeeds().prints("it runs\n");
    back(".mcp/cache", &aside);
    bed.smcp("login --registry https://r.example --token -").input("token\n").run().succeeds();
    let aside = put_aside(".mcp/credentials.json");
    bed.run("--registry https://r.example info acme/tool@1.0.0").refuses(
        1,
        &["credentials.json", "is a link, and links are not followed there: put the file itself in its place"],
    );
    back(".mcp/credentials.json", &aside);
    // A folder that is a link to nothing is not the same as a missing folder.
    let bed = TestBed::new();
    symlink("nowhere", bed.path(".mcp")).unwrap();
    bed.write("facts.json", "{}");
    bed.smcp("login --registry https://r.example --token -")
        .input("token\n")
        .run()
        .refuses(1, &["[HOME]/.mcp is a link that leads nowhere: make what it names, or put a folder in its place"]);
}
