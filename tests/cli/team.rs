//! A registry directory in which several people publish.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::process::Output;

use crate::bed::Package;
use crate::bed::TestBed;

/// Lists everything below a folder whose mode differs from that of folders or of files.
fn strangers(folder: &Path, folders: u32, files: u32) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let (mode, expected) = (metadata.mode() & 0o7777, if metadata.is_dir() { folders } else { files });
        if mode != expected {
            found.push(format!("{} has {mode:o} and not {expected:o}", path.display()));
        }
        if metadata.is_dir() {
            found.extend(strangers(&path, folders, files));
        }
    }
    found
}

/// Runs `smcp registry publish` under a umask, by `wrapper` if it is given.
fn publish(bed: &TestBed, wrapper: &str, umask: &str, version: &str) -> Output {
    let bundle = format!("bundles/acme-tool-{version}");
    let script =
        format!("umask {umask}; exec \"$SMCP\" registry publish --registry registry acme/tool@{version} {bundle}");
    let mut words = wrapper.split_whitespace().chain(["sh", "-c", &script]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).current_dir(bed.path(".")).env("SMCP", env!("CARGO_BIN_EXE_smcp")).env("HOME", "/nowhere");
    command.output().unwrap()
}

fn shown(output: &Output) -> String {
    format!("{}\n{}", output.status, String::from_utf8_lossy(&output.stderr))
}

/// Makes bundles of two versions, which are not published in the bed's registry.
fn bundles(bed: &TestBed) {
    for version in ["1.0.0", "1.1.0"] {
        bed.publish(&Package::greeter(&format!("acme/tool@{version}")));
    }
    fs::remove_dir_all(bed.path("registry")).unwrap();
}

#[test]
fn what_is_published_has_the_modes_that_the_umask_leaves() {
    for (umask, folders, files) in
        [("002", 0o775, 0o664), ("022", 0o755, 0o644), ("027", 0o750, 0o640), ("077", 0o700, 0o600)]
    {
        let bed = TestBed::new();
        bundles(&bed);
        let output = publish(&bed, "env", umask, "1.0.0");
        assert!(output.status.success(), "{}", shown(&output));
        assert_eq!(fs::metadata(bed.path("registry")).unwrap().mode() & 0o7777, folders, "umask {umask}");
        assert_eq!(strangers(&bed.path("registry"), folders, files), [""; 0], "umask {umask}");
    }
    // A folder with the set-group-id bit passes it on.
    let bed = TestBed::new();
    bundles(&bed);
    fs::create_dir(bed.path("registry")).unwrap();
    fs::set_permissions(bed.path("registry"), fs::Permissions::from_mode(0o2775)).unwrap();
    let output = publish(&bed, "env", "002", "1.0.0");
    assert!(output.status.success(), "{}", shown(&output));
    assert_eq!(strangers(&bed.path("registry"), 0o2775, 0o664), [""; 0]);
}

/// Only root can become two other users; without root the test above must do.
#[test]
fn two_users_of_one_group_publish_in_turn() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("not root: nobody else can be become here");
        return;
    }
    let bed = TestBed::new();
    bundles(&bed);
    let group = 54_321;
    fs::set_permissions(bed.path("."), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(bed.path("registry")).unwrap();
    std::os::unix::fs::chown(bed.path("registry"), Some(0), Some(group)).unwrap();
    fs::set_permissions(bed.path("registry"), fs::Permissions::from_mode(0o2775)).unwrap();
    let as_user = |user: u32| format!("setpriv --reuid {user} --regid {user} --groups {group}");
    let (ann, bob, eve) = (as_user(54_301), as_user(54_302), "setpriv --reuid 54303 --regid 54303 --clear-groups");
    let turns = [
        (ann.as_str(), "1.0.0", true),
        (&bob, "1.1.0", true),
        (&ann, "1.1.0", true),
        (&bob, "1.0.0", true),
        (eve, "1.0.0", false),
    ];
    for (who, version, works) in turns {
        let output = publish(&bed, who, "002", version);
        assert_eq!(output.status.success(), works, "{who} {version}: {}", shown(&output));
    }
    // If a member has another umask, the next member gets a message about the folder.
    fs::remove_dir_all(bed.path("registry/packages")).unwrap();
    assert!(publish(&bed, &ann, "022", "1.0.0").status.success());
    let output = publish(&bed, &bob, "002", "1.1.0");
    assert!(
        shown(&output).contains("can't write to its folder `packages/acme/tool`: Permission denied"),
        "{}",
        shown(&output)
    );
}
