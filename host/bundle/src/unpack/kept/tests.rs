//! Changes of a kept tree, each of which is noticed before a start.

use std::time::Duration;

use cap_std::fs::Dir;
use cap_std::fs::MetadataExt as _;
use cap_std::fs::Permissions;
use cap_std::fs::PermissionsExt as _;

use super::testing::TestSeal;
use super::testing::TreeBed;
use super::*;
use crate::error::UnpackError;
use smcp_bed::gzip;
use smcp_model::limits;
use smcp_store::Seal as _;
use smcp_store::stream::Halted;

fn entry(tar: &mut tar::Builder<Vec<u8>>, name: &str, mode: u32, text: &str) {
    let mut header = tar::Header::new_gnu();
    header.set_mode(mode);
    header.set_size(text.len() as u64);
    header.set_mtime(1_500_000_000);
    header.set_cksum();
    tar.append_data(&mut header, name, text.as_bytes()).unwrap();
}

/// A bundle with two folders, a program, and a folder of more files than one thread takes.
fn bundle() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    entry(&mut tar, "server.py", 0o644, "print()");
    entry(&mut tar, "bin/tool", 0o755, "#!/bin/sh");
    entry(&mut tar, "lib/inner/a.py", 0o644, "a = 1");
    for number in 0..limits::trees::SHARE + 10 {
        entry(&mut tar, &format!("many/{number}"), 0o644, &format!("{number}"));
    }
    gzip(&tar.into_inner().unwrap())
}

fn chmod(dir: &Dir, path: &str, mode: u32) {
    dir.set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Writes to a file and gives it back its mode and its time.
fn rewrite(dir: &Dir, path: &str, text: &str) {
    let before = dir.metadata(path).unwrap();
    chmod(dir, path, 0o600);
    dir.write(path, text).unwrap();
    chmod(dir, path, before.mode() & 0o7777);
    let time = before.modified().unwrap().into_std();
    dir.open(path).unwrap().into_std().set_modified(time).unwrap();
}

/// What somebody does to the tree in a folder that he could make writable before.
type Change = fn(&Dir);

/// The changes, and what is said of each.
const CHANGES: [(&str, Change, &str); 22] = [
    (
        "contents of the same length and time",
        |tree| rewrite(tree, "server.py", "prinz()"),
        "`server.py`: it has other contents",
    ),
    (
        "contents in a deep folder",
        |tree| rewrite(tree, "lib/inner/a.py", "a = 2"),
        "`lib/inner/a.py`: it has other contents",
    ),
    ("contents of one of many", |tree| rewrite(tree, "many/70", "07"), "`many/70`: it has other contents"),
    ("another length", |tree| rewrite(tree, "server.py", "print() "), "another length"),
    (
        "a time",
        |tree| {
            let file = tree.open("server.py").unwrap().into_std();
            file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_500_000_001)).unwrap();
        },
        "another time",
    ),
    ("a writable file", |tree| chmod(tree, "server.py", 0o600), "its mode is 0600 in place of 0400"),
    ("a file that runs", |tree| chmod(tree, "server.py", 0o500), "its mode is 0500"),
    ("a set-user-id bit", |tree| chmod(tree, "bin/tool", 0o4500), "its mode is 4500"),
    (
        "a file more",
        |tree| tree.write("lib/sitecustomize.py", "").unwrap(),
        "`lib/sitecustomize.py`: the bundle does not have it",
    ),
    ("a folder more", |tree| tree.create_dir("lib/empty").unwrap(), "`lib/empty`: the bundle does not"),
    (
        "a link more",
        |tree| tree.symlink("/etc/passwd".trim_start_matches('/'), "lib/link").unwrap(),
        "`lib/link`: the bundle",
    ),
    (
        "byte code",
        |tree| {
            tree.create_dir("__pycache__").unwrap();
            tree.write("__pycache__/server.cpython-313.pyc", "").unwrap();
        },
        "`__pycache__`: the bundle does not",
    ),
    ("a file less", |tree| tree.remove_file("bin/tool").unwrap(), "`bin/tool`: No such file"),
    ("a folder less", |tree| tree.remove_dir_all("lib/inner").unwrap(), "`lib/inner`: No such file"),
    ("other letters", |tree| tree.rename("server.py", tree, "Server.py").unwrap(), "`Server.py`: the bundle does not"),
    (
        "a link for a file",
        |tree| {
            tree.remove_file("bin/tool").unwrap();
            tree.symlink("../server.py", "bin/tool").unwrap();
        },
        "it is a link",
    ),
    (
        "a link for a folder",
        |tree| {
            tree.remove_dir_all("lib/inner").unwrap();
            tree.symlink("../many", "lib/inner").unwrap();
        },
        "`lib/inner`: it is a link",
    ),
    ("a second name", |tree| tree.hard_link("server.py", tree, "server.py.2").unwrap(), "server.py"),
    (
        "a second name outside",
        |tree| {
            let outside = tree.open_parent_dir(cap_std::ambient_authority()).unwrap();
            tree.hard_link("server.py", &outside, "mine").unwrap();
        },
        "`server.py`: it has a second name",
    ),
    (
        "a pipe for a file",
        |tree| {
            tree.remove_file("server.py").unwrap();
            nix::unistd::mkfifoat(tree, "server.py", nix::sys::stat::Mode::S_IRUSR).unwrap();
        },
        "`server.py`: it is not a regular file",
    ),
    (
        "a folder for a file",
        |tree| {
            tree.remove_file("server.py").unwrap();
            tree.create_dir("server.py").unwrap();
        },
        "`server.py`: it is not a regular file",
    ),
    (
        "a file for a folder",
        |tree| {
            tree.remove_dir_all("lib/inner").unwrap();
            tree.write("lib/inner", "").unwrap();
        },
        "`lib/inner`: ",
    ),
];

/// Makes every folder of a tree writable, calls `change`, and gives those that are left their mode again.
fn change(tree: &Dir, change: Change) {
    let folders = [".", "bin", "lib", "lib/inner", "many"];
    folders.iter().for_each(|path| chmod(tree, path, 0o700));
    change(tree);
    let is_folder = |path: &&&str| tree.symlink_metadata(path).is_ok_and(|found| found.is_dir());
    folders.iter().rev().filter(is_folder).for_each(|path| chmod(tree, path, 0o500));
}

fn path_of(kept: &TreeFound) -> Option<String> {
    let TreeFound::Whole(unpacked) = kept else { return None };
    assert!(unpacked.is_kept());
    Some(unpacked.path().display().to_string())
}

#[test]
fn what_was_unpacked_is_taken_as_often_as_it_is_asked_for() {
    let bed = TreeBed::with(bundle());
    assert!(matches!(bed.kept(), TreeFound::Absent));
    let unpacked = bed.unpack();
    assert!(unpacked.is_kept() && unpacked.path() == bed.bed.path(bed.tree()));
    assert_eq!(unpacked.root().read_to_string("lib/inner/a.py").unwrap(), "a = 1");
    let tree = bed.bed.root.open_dir(bed.tree()).unwrap();
    for (path, mode) in [(".", 0o500), ("lib", 0o500), ("lib/inner", 0o500), ("bin/tool", 0o500), ("server.py", 0o400)]
    {
        assert_eq!(tree.metadata(path).unwrap().mode() & 0o7777, mode, "{path}");
    }
    assert_eq!(tree.metadata("server.py").unwrap().mtime(), 1_500_000_000, "the time is that of the archive");
    assert_eq!(bed.bed.root.read_dir("cache/runs").unwrap().count(), 0);
    let (one, two) = (bed.kept(), bed.kept());
    assert!(path_of(&one).is_some() && path_of(&one) == path_of(&two), "{one:?} {two:?}");
}

#[test]
fn every_change_is_noticed_and_thrown_away() {
    let bed = TreeBed::with(bundle());
    bed.unpack();
    for (what, made, said) in CHANGES {
        change(&bed.bed.root.open_dir(bed.tree()).unwrap(), made);
        let found = bed.change();
        assert!(found.as_ref().is_some_and(|found| found.contains(said)), "{what}: {found:?}");
        // As the next start does.
        assert!(bed.unpack().is_kept(), "{what}");
        assert_eq!(bed.change(), None, "{what}");
        drop(bed.bed.root.remove_file("cache/trees/mine"));
    }
}

#[test]
fn a_folder_with_another_mode_is_noticed() {
    let bed = TreeBed::with(bundle());
    bed.unpack();
    let tree = bed.bed.root.open_dir(bed.tree()).unwrap();
    for (path, mode) in [(".", 0o700), ("lib/inner", 0o700), ("lib", 0o1500), ("many", 0o550)] {
        chmod(&tree, path, mode);
        let found = bed.change().unwrap();
        assert!(found.contains(&format!("its mode is {mode:04o} in place of 0500")), "{path}: {found}");
        chmod(&tree, path, 0o500);
    }
    assert_eq!(bed.change(), None);
}

#[test]
fn an_index_that_smcp_did_not_write_is_noticed() {
    let bed = TreeBed::with(bundle());
    let index = format!("{}.index", bed.tree());
    let forged = |bed: &TreeBed, seal: &TestSeal, bundle: &[u8]| {
        let bytes = bed.bed.root.read(&index).unwrap();
        let read = Index::open(&bytes, &bed.digest(), &bed.seal).unwrap();
        read.sealed(&Digest::of(bundle), seal)
    };
    type Forgery<'f> = &'f dyn Fn(&Dir);
    let changes: [(&str, Forgery<'_>, &str); 9] = [
        ("empty", &|root| root.write(&index, "").unwrap(), "not the one that smcp wrote"),
        (
            "cut",
            &|root| {
                let bytes = root.read(&index).unwrap();
                root.write(&index, &bytes[..bytes.len() - 1]).unwrap();
            },
            "not the one that smcp wrote",
        ),
        ("by another key", &|root| root.write(&index, forged(&bed, &TestSeal(8), &bed.bundle)).unwrap(), "not the one"),
        ("of another bundle", &|root| root.write(&index, forged(&bed, &bed.seal, b"other")).unwrap(), "not the one"),
        (
            "of something else by this key",
            &|root| {
                root.write(&index, [b"x".as_slice(), &bed.seal.seal(b"x")].concat()).unwrap();
            },
            "not the one",
        ),
        ("for all", &|root| chmod(root, &index, 0o666), "others may write"),
        (
            "a link",
            &|root| {
                root.rename(&index, root, "elsewhere").unwrap();
                root.symlink("../../elsewhere", &index).unwrap();
            },
            "",
        ),
        ("with a second name", &|root| drop(root.hard_link(&index, root, "second")), "not a file of its own"),
        (
            "a folder",
            &|root| {
                root.remove_file(&index).unwrap();
                root.create_dir(&index).unwrap();
            },
            "not a file of its own",
        ),
    ];
    for (what, made, said) in changes {
        bed.trees.remove(&bed.digest(), false).unwrap();
        bed.unpack();
        assert_eq!(bed.change(), None, "{what}");
        made(&bed.bed.root);
        let found = bed.change();
        assert!(found.as_ref().is_some_and(|found| found.contains(said)), "{what}: {found:?}");
        for other in ["elsewhere", "second"] {
            drop(bed.bed.root.remove_file(other));
        }
    }
}

#[test]
fn another_folder_in_its_place_is_not_entered() {
    let bed = TreeBed::with(bundle());
    let root = &bed.bed.root;
    for what in ["a link to its copy", "a file"] {
        bed.unpack();
        chmod(root, &bed.tree(), 0o700);
        root.rename(bed.tree(), root, "moved").unwrap();
        chmod(root, "moved", 0o500);
        if what == "a file" {
            root.write(bed.tree(), "").unwrap();
        } else {
            root.symlink("../../moved", bed.tree()).unwrap();
        }
        let found = bed.change();
        assert!(found.as_ref().is_some_and(|found| found != "absent"), "{what}: {found:?}");
        assert!(bed.unpack().is_kept() && bed.change().is_none(), "{what}");
        assert!(root.exists("moved/server.py"), "{what}: what it led to stays");
        chmod(root, "moved", 0o700);
        root.rename("moved", root, format!("kept {what}")).unwrap();
    }
}

#[test]
fn what_belongs_to_another_user_is_noticed() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let bed = TreeBed::with(bundle());
    for path in ["", "/lib", "/server.py", ".index"] {
        bed.unpack();
        let path = bed.bed.path(format!("{}{path}", bed.tree()));
        nix::unistd::chown(&path, Some(nix::unistd::Uid::from_raw(4242)), None).unwrap();
        let found = bed.change();
        assert!(found.as_ref().is_some_and(|found| found.contains("(uid 4242)")), "{}: {found:?}", path.display());
        bed.trees.remove(&bed.digest(), false).unwrap();
    }
}

#[test]
fn a_check_ends_when_it_has_to() {
    let bed = TreeBed::with(bundle());
    bed.unpack();
    let late = kept(bed.keeper(), &bed.digest(), &Deadline::after(Duration::ZERO), &|| false);
    assert!(matches!(late, Err(UnpackError::Store(StoreError::Halted(Halted::Expired(_))))), "{late:?}");
    let stopped = kept(bed.keeper(), &bed.digest(), &Deadline::none(), &|| true);
    assert!(matches!(stopped, Err(UnpackError::Store(StoreError::Halted(Halted::Interrupted)))), "{stopped:?}");
    assert_eq!(bed.change(), None);
}

#[test]
fn a_tree_that_a_run_has_stays_whatever_was_done_to_it() {
    let bed = TreeBed::with(bundle());
    let running = bed.unpack();
    let tree = bed.bed.root.open_dir(bed.tree()).unwrap();
    change(&tree, |tree| tree.write("more", "").unwrap());
    assert!(bed.change().is_some());
    // The next start has a folder of its own, as read-only as the tree.
    let own = bed.unpack();
    assert!(!own.is_kept() && own.path().starts_with(bed.bed.path("cache/runs")));
    for path in [".", "lib"] {
        assert_eq!(own.root().metadata(path).unwrap().mode() & 0o777, 0o500, "{path}");
    }
    assert!(!bed.trees.remove(&bed.digest(), true).unwrap());
    assert!(!bed.trees.remove(&bed.digest(), false).unwrap());
    assert!(tree.exists("server.py"));
    drop(own);
    assert_eq!(bed.bed.root.read_dir("cache/runs").unwrap().count(), 0);
    drop(running);
    assert!(bed.unpack().is_kept());
    assert_eq!(bed.change(), None);
}

#[test]
fn at_its_end_a_tree_is_as_it_was_or_gone() {
    let bed = TreeBed::with(bundle());
    let end = |made: Change| {
        let unpacked = if let TreeFound::Whole(unpacked) = bed.kept() { unpacked } else { bed.unpack() };
        change(&bed.bed.root.open_dir(bed.tree()).unwrap(), made);
        let left = unpacked.left();
        unpacked.clear(&left);
        (left.lost.count, left.byte_code.len())
    };
    assert_eq!(end(|_| {}), (0, 0));
    assert_eq!(bed.change(), None);
    assert_eq!(
        end(|tree| {
            tree.create_dir("__pycache__").unwrap();
            tree.write("__pycache__/server.pyc", "").unwrap();
            tree.create_dir("lib/__pycache__").unwrap();
            tree.write("lib/__pycache__/a.pyc", "").unwrap();
        }),
        (0, 2)
    );
    if nix::unistd::geteuid().is_root() {
        assert_eq!(bed.change(), None, "the byte code is gone");
    }
    assert_eq!(end(|tree| tree.write("memory.json", "").unwrap()), (1, 0));
    assert_eq!(bed.change().as_deref(), Some("absent"));
}
