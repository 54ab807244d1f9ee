//! Folders and files from outside that are made to do harm.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::bed;

#[test]
fn a_file_is_never_read_beyond_its_bound() {
    let bed = bed();
    bed.write("cases/a.yaml", "#".repeat(1024 * 1024 + 1));
    bed.run("policy test").refuses(1, &["while reading cases/a.yaml", "more than [SIZE] bytes"]);
    for endless in ["/dev/zero", "/dev/urandom"] {
        bed.smcp("policy test --cases").args(&[endless]).run().refuses(1, &["more than [SIZE] bytes"]);
    }
    bed.smcp("policy test --cases cases /dev/zero").run().refuses(1, &["more than [SIZE] bytes"]);
}

#[test]
fn what_no_start_could_have_is_told_with_its_place() {
    let bed = bed();
    let long = "a.com, ".repeat(50_000);
    bed.write("cases/a.yaml", format!("cases:\n- {{name: a, settings: {{allow: [{long}]}}, expect: allow}}\n"));
    bed.write(
        "cases/b.yaml",
        "cases:\n- name: b\n  facts: {registry: 'https://user:secret@r.example?x'}\n  expect: allow\n",
    );
    let ran = bed.run("policy test").refuses(
        1,
        &[
            "the cases have 2 problems, and none is run",
            "cases/a.yaml:2:4: the settings have [SIZE] bytes as JSON (allowed: at most 262144)",
            "cases/b.yaml:2:3: the facts document: `/registry` can't be used: ",
        ],
    );
    assert!(!ran.stderr.contains("secret"), "{ran}");
}

#[test]
fn a_folder_holds_only_so_much() {
    let bed = bed();
    let large = format!("cases:\n- {{name: a, expect: allow}}\n#{}", "x".repeat(1024 * 1024 - 100));
    for number in 0..33 {
        bed.write(&format!("cases/{number:02}.yaml"), &large);
    }
    bed.run("policy test").refuses(1, &["cases/32.yaml"]);
    fs::remove_dir_all(bed.path("cases")).unwrap();
    for number in 0..=1_000 {
        bed.write(&format!("cases/{number}.yaml"), "");
    }
    bed.run("policy test").refuses(1, &["cases has 1001 case files, and at most 1000 are run together"]);
}

#[test]
fn names_that_can_not_be_seen_steer_no_terminal() {
    let bed = bed();
    let name = std::ffi::OsStr::from_bytes(b"a\x1b[2J\xff.yaml");
    fs::create_dir(bed.path("cases")).unwrap();
    fs::write(bed.path("cases").join(name), "cases:\n- {name: x, expect: allow}\n").unwrap();
    fs::write(bed.path("cases/b\u{202e}.yaml"), "cases:\n- {name: y, facts: {score: \"\\e[2J\"}, expect: allow}\n")
        .unwrap();
    for line in ["policy test", "policy test --json"] {
        let ran = bed.run(line).exits(1);
        for hidden in ['\u{1b}', '\u{202e}'] {
            assert!(!ran.raw.contains(hidden) && !ran.stderr.contains(hidden), "{ran}");
        }
    }
    fs::remove_file(bed.path("cases/b\u{202e}.yaml")).unwrap();
    let ran = bed.run("policy test").exits(1);
    assert!(ran.stdout.contains("a\\u{1b}[2J\u{fffd}.yaml") && !ran.raw.contains('\u{1b}'), "{ran}");
}

#[test]
fn a_pipe_in_the_folder_without_a_writer_is_not_waited_for_without_end() {
    let bed = bed();
    bed.write("cases/a.yaml", "cases:\n- {name: x, expect: {violations: [network-unknown]}}\n");
    // A link in a circle, a folder and a socket-like thing are told by name; a pipe with a writer is read.
    fs::create_dir(bed.path("cases/b.yaml")).unwrap();
    bed.run("policy test").refuses(1, &["while reading cases/b.yaml", "neither a file nor a pipe"]);
    fs::remove_dir(bed.path("cases/b.yaml")).unwrap();
    std::os::unix::fs::symlink("b.yaml", bed.path("cases/b.yaml")).unwrap();
    bed.run("policy test").refuses(1, &["while reading cases/b.yaml"]);
    fs::remove_file(bed.path("cases/b.yaml")).unwrap();
    mkfifo(&bed.path("cases/b.yaml"), Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    let mut invocation = bed.smcp("policy test");
    let child = invocation.start();
    fs::write(bed.path("cases/b.yaml"), "cases:\n- {name: y, expect: {violations: [network-unknown]}}\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
