//! The cache under stress: many runs at once, kills, no room, invalid files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::chown;
use std::os::unix::fs::symlink;
use std::process::Command;

use nix::sys::stat::Mode;

use crate::bed::Package;
use crate::bed::Ran;
use crate::bed::TestBed;
use crate::shifted::deadly_limit;
use smcp_model::digest::Digest;

const TOOL: &str = "acme/tool@1.0.0";

/// A bed with a package whose bundle is a few KiB, and unpacks to a few hundred.
fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    let zeros = "0".repeat(512 * 1024);
    let mut seed: u32 = 7;
    let noise: String = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'a' + u8::try_from(seed >> 24).unwrap() % 26)
    })
    .take(64 * 1024)
    .collect();
    let package = Package::shell(TOOL, "echo it runs").file("zeros", &zeros, 0o644).file("noise", &noise, 0o644);
    bed.publish(&package.good());
    bed
}

/// Checks that the cache has all blobs of a package, and that each has the digest of its name.
#[track_caller]
fn is_sound(bed: &TestBed, ran: &Ran, whole: bool) {
    let names = bed.list(".mcp/cache/blobs");
    assert!(!whole || names.len() == 2, "{names:?} {ran}");
    for name in names {
        let bytes = fs::read(bed.path(".mcp/cache/blobs").join(&name)).unwrap();
        assert_eq!(name, Digest::of(&bytes).to_string().replace(':', "-"), "nothing half-written has a name: {ran}");
    }
}

/// Runs `smcp` with a limit on the length of files, in blocks of 512 bytes. `before` is what the shell does first;
/// without it, a write beyond the limit kills smcp.
fn limited(bed: &TestBed, before: &str, blocks: u32, line: &str) -> Ran {
    let mut invocation = bed.smcp("");
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{before} ulimit -f {blocks}; exec \"$0\" {line}"));
    command.arg(env!("CARGO_BIN_EXE_smcp")).current_dir(bed.path("")).env_clear();
    command.env("HOME", bed.path("")).env("PATH", std::env::var_os("PATH").unwrap());
    if before.is_empty() {
        command.envs(deadly_limit());
    }
    invocation.command = command;
    invocation.run()
}

#[test]
fn many_at_once_fill_one_cache() {
    let bed = bed();
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..12)
            .map(|number| {
                let bed = &bed;
                let line = if number % 3 == 0 { "pull" } else { "run" };
                scope.spawn(move || bed.run(&format!("{line} {TOOL}")).succeeds())
            })
            .collect();
        // Waits for all of them: while one writes, its file has a temporary name.
        let ran: Vec<Ran> = runs.into_iter().map(|run| run.join().unwrap()).collect();
        ran.iter().for_each(|ran| is_sound(&bed, ran, true));
    });
    assert_eq!(bed.list(".mcp/cache/runs"), [""; 0]);
    assert_eq!(bed.list(".mcp/cache"), ["CACHEDIR.TAG", "blobs", "resolutions", "runs", "trees"]);
}

#[test]
fn many_at_once_and_somebody_empties_it() {
    let bed = bed();
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..8)
            .map(|number| {
                let bed = &bed;
                // A run gets what it needs up to three times, so two that empty the cache can't make it fail.
                let line = if number % 4 == 0 { "cache rm --all".to_owned() } else { format!("run {TOOL}") };
                scope.spawn(move || (number, bed.run(&line)))
            })
            .collect();
        for run in runs {
            let (number, ran) = run.join().unwrap();
            // Emptying the cache may fail because it is in use; a run succeeds.
            assert!(ran.code == 0 || number % 4 == 0 && ran.code == 1, "{ran}");
        }
    });
    bed.run(&format!("run {TOOL}")).succeeds().prints("it runs\n");
}

#[test]
fn killed_at_any_byte_of_a_download_nothing_counts_as_present() {
    let bed = bed();
    // A kill at a known point: at the first byte beyond the limit.
    for blocks in [1, 2, 3, 5, 8, 13, 21, 34, 55, 80] {
        let ran = limited(&bed, "", blocks, &format!("pull {TOOL}"));
        assert!(ran.code < 0, "it was killed: {ran}");
        is_sound(&bed, &ran, false);
        assert!(bed.list(".mcp/cache/blobs").len() < 2, "{ran}");
        assert_eq!(bed.list(".mcp/cache/resolutions"), [""; 0], "nothing is known of what did not arrive: {ran}");
    }
    let ran = bed.run(&format!("run {TOOL}")).succeeds().prints("it runs\n");
    is_sound(&bed, &ran, true);
}

#[test]
fn killed_while_unpacking_the_next_start_sweeps() {
    let bed = bed();
    for blocks in [50, 100, 200, 1000] {
        // Without the tree of the start before.
        drop(bed.run("cache rm --all"));
        bed.run(&format!("pull {TOOL}")).succeeds();
        let ran = limited(&bed, "", blocks, &format!("run {TOOL}"));
        assert!(ran.code < 0 && ran.stdout.is_empty(), "{ran}");
        assert_eq!(bed.list(".mcp/cache/runs").len(), 2, "a folder and its lock are left: {ran}");
        for line in
            ["cache ls", "cache gc --dry-run", "doctor", "run --dry-run acme/tool@1.0.0", "pull acme/tool@1.0.0"]
        {
            bed.run(line).succeeds();
            assert_eq!(bed.list(".mcp/cache/runs").len(), 2, "it starts nothing, and removes nothing: {line}");
        }
        let line = if blocks == 50 { "cache gc".to_owned() } else { format!("run {TOOL}") };
        bed.run(&line).succeeds();
        assert_eq!(bed.list(".mcp/cache/runs"), [""; 0], "the next one sweeps them: {line}");
        is_sound(&bed, &ran, true);
    }
}

#[test]
fn no_room_is_said() {
    let bed = bed();
    let no_signal = "trap '' XFSZ;";
    limited(&bed, no_signal, 8, &format!("run {TOOL}")).refuses(
        1,
        &["the cache at [HOME]/.mcp/cache can't be used: can't write to it: File too large", "--cache-dir"],
    );
    assert!(bed.list(".mcp/cache/blobs").len() < 2);
    bed.run(&format!("pull {TOOL}")).succeeds();
    let ran = limited(&bed, no_signal, 200, &format!("run {TOOL}"));
    assert!(ran.code == 1 && ran.stderr.contains("File too large"), "{ran}");
    assert_eq!(bed.list(".mcp/cache/runs"), [""; 0], "{ran}");
    // Everything is in the cache, and only the answer can't be renewed, which is not an error.
    bed.run(&format!("run --dry-run {TOOL}")).succeeds();
}

#[test]
fn what_is_no_file_is_neither_read_nor_waited_for() {
    let bed = bed();
    bed.run(&format!("pull {TOOL}")).succeeds();
    let blobs = bed.path(".mcp/cache/blobs");
    for name in bed.list(".mcp/cache/blobs") {
        let path = blobs.join(&name);
        type Put = fn(&std::path::Path);
        let strange: [Put; 4] = [
            |path| fs::create_dir(path).unwrap(),
            |path| nix::unistd::mkfifo(path, Mode::S_IRWXU).unwrap(),
            |path| symlink("/etc/hostname", path).unwrap(),
            |path| symlink("nowhere", path).unwrap(),
        ];
        for (number, put) in strange.into_iter().enumerate() {
            fs::remove_file(&path).unwrap();
            put(&path);
            let ran = bed.run(&format!("run {TOOL}"));
            // A link to nothing counts as missing and is replaced; anything else is left alone and is an error.
            let (code, out) = if number == 3 { (0, "it runs\n") } else { (1, "") };
            assert_eq!((ran.code, ran.stdout.as_str()), (code, out), "{number}: {ran}");
            assert!(code == 0 || ran.stderr.contains("can't open a cached file"), "{number}: {ran}");
            bed.run("cache gc").succeeds();
            bed.run(&format!("run {TOOL}")).succeeds().prints("it runs\n");
        }
    }
    assert!(fs::metadata("/etc/hostname").is_ok(), "nobody followed the link to remove it");
}

#[test]
fn a_cache_of_somebody_else_is_not_used() {
    let bed = bed();
    fs::create_dir_all(bed.path("theirs")).unwrap();
    // Only root can give a folder away. Without root, a folder that all users may write to takes its place.
    let words = match chown(bed.path("theirs"), Some(65_534), None) {
        Ok(()) => "it belongs to another user (uid 65534)\n  make it yours",
        Err(_) => {
            fs::set_permissions(bed.path("theirs"), fs::Permissions::from_mode(0o777)).unwrap();
            "others may write to it (mode 0777)\n  run: chmod go-w [HOME]/theirs"
        }
    };
    let place = "[HOME]/theirs is not safe for what runs: ";
    bed.run(&format!("run --cache-dir theirs {TOOL}")).refuses(1, &[place, words, "--cache-dir"]);
    assert_eq!(bed.list("theirs"), [""; 0]);
    bed.write("file", "");
    bed.run(&format!("run --cache-dir file {TOOL}"))
        .refuses(1, &["the cache at [HOME]/file can't be used", "open it: Not a directory", "--cache-dir"]);
}
