//! Paths with links, folders and files of others.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::chown;
use std::os::unix::fs::symlink;

use super::*;

/// A folder with a file in it, three folders deep.
fn tree() -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let root = crate::resolve(temp.path()).unwrap();
    crate::create_dir(&root.join("a/b")).unwrap().write("c.yaml", "x").unwrap();
    mode(&root.join("a/b/c.yaml"), 0o644);
    (temp, root)
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// The suspects, each as its remedy and its path below `root`.
fn suspects(root: &Path, path: &str, folder: Folder) -> Vec<String> {
    let found = read_guarded(&root.join(path), 10, folder, Owners::CallerOrRoot);
    let below = |path: &Path| path.strip_prefix(root).unwrap().display().to_string();
    found.suspects.iter().map(|suspect| format!("{} {}", suspect.why.remedy(), below(&suspect.path))).collect()
}

#[test]
fn every_step_is_checked() {
    let (_temp, root) = tree();
    symlink("a/b/c.yaml", root.join("link")).unwrap();
    symlink("../a", root.join("a/up")).unwrap();
    symlink(root.join("a"), root.join("absolute")).unwrap();
    let ways = ["a/b/c.yaml", "link", "a/up/b/c.yaml", "absolute/b/c.yaml"];
    for way in ways {
        assert_eq!(suspects(&root, way, Folder::Own), [""; 0], "{way}");
        assert_eq!(read_guarded(&root.join(way), 10, Folder::Any, Owners::CallerOrRoot).bytes.unwrap(), b"x", "{way}");
    }
    for (changed, bad, good, remedy) in [
        ("a", 0o777, 0o700, "chmod go-w a"),
        // The sticky bit counts only for folders of root.
        ("a/b", 0o1777, 0o700, if nix::unistd::geteuid().is_root() { "" } else { "chmod go-w a/b" }),
        ("a/b", 0o702, 0o700, "chmod go-w a/b"),
        ("a/b/c.yaml", 0o666, 0o644, "chmod go-w a/b/c.yaml"),
        ("a/b/c.yaml", 0o602, 0o644, "chmod go-w a/b/c.yaml"),
    ] {
        mode(&root.join(changed), bad);
        let expected: Vec<_> = Some(remedy).filter(|remedy| !remedy.is_empty()).into_iter().collect();
        for way in ways {
            assert_eq!(suspects(&root, way, Folder::Any), expected, "{way}: {changed} {bad:o}");
        }
        mode(&root.join(changed), good);
    }
    mode(&root.join("a/b"), 0o1777);
    assert_eq!(suspects(&root, "a/b/c.yaml", Folder::Own), ["chmod go-w a/b"]);
    // A missing file may have been removed by a user who can write to the folder.
    mode(&root.join("a"), 0o777);
    assert_eq!(suspects(&root, "a/gone.yaml", Folder::Own), ["chmod go-w a"]);
    assert!(
        read_guarded(&root.join("a/gone.yaml"), 10, Folder::Any, Owners::CallerOrRoot).bytes.unwrap_err().is_missing()
    );
}

#[test]
fn links_end_and_only_files_are_read() {
    let (_temp, root) = tree();
    symlink("loop", root.join("loop")).unwrap();
    for number in 0..limits::LINKS {
        symlink(format!("l{number}"), root.join(format!("l{}", number + 1))).unwrap();
    }
    symlink("a/b/c.yaml", root.join("l0")).unwrap();
    let read = |path: &str| read_guarded(&root.join(path), 10, Folder::Any, Owners::CallerOrRoot).bytes;
    assert_eq!(read(&format!("l{}", limits::LINKS - 1)).unwrap(), b"x");
    for (path, says) in [("loop", "symbolic links"), ("l40", "symbolic links"), ("a/b", "not a regular file")] {
        assert!(read(path).unwrap_err().to_string().contains(says), "{path}");
    }
    assert!(read("a/b/c.yaml/d").unwrap_err().is_missing());
    assert!(matches!(
        read_guarded(&root.join("a/b/c.yaml"), 0, Folder::Any, Owners::CallerOrRoot).bytes,
        Err(ReadError::TooLarge { .. })
    ));
}

/// Only root can give a file to another user; `model::ownership` tests the rule itself.
#[test]
fn what_belongs_to_another_user_is_suspect() {
    let (_temp, root) = tree();
    if !nix::unistd::geteuid().is_root() {
        assert!(chown(root.join("a/b/c.yaml"), Some(4242), None).is_err());
        return;
    }
    symlink("a/b/c.yaml", root.join("link")).unwrap();
    for path in ["a", "a/b", "a/b/c.yaml"] {
        chown(root.join(path), Some(4242), None).unwrap();
        assert_eq!(suspects(&root, "link", Folder::Any), [format!("chown {path}")]);
        chown(root.join(path), Some(0), None).unwrap();
    }
    std::os::unix::fs::lchown(root.join("link"), Some(4242), None).unwrap();
    assert_eq!(suspects(&root, "link", Folder::Any), ["chown link"]);
}

#[test]
fn one_reader_finds_what_a_new_one_for_each_file_finds() {
    let (_temp, root) = tree();
    crate::open_dir(&root.join("a/b")).unwrap().write("d.yaml", "y").unwrap();
    mode(&root.join("a/b/d.yaml"), 0o666);
    symlink("../../a/b/c.yaml", root.join("a/b/link")).unwrap();
    symlink("b", root.join("a/to-b")).unwrap();
    let paths = [
        "a/b/c.yaml",
        "a/b/d.yaml",
        "a/b/link",
        "a/b/gone",
        "a/b",
        "a/to-b/d.yaml",
        "a/to-b/c.yaml",
        "gone/x",
        "a/b/..",
    ];
    for folders in [0o755, 0o777] {
        mode(&root.join("a"), folders);
        let mut reader = GuardedReader::default();
        for path in paths.iter().chain(paths.iter().rev()) {
            for owners in [Owners::CallerOrRoot, Owners::Root] {
                let path = root.join(path);
                let one = reader.read(&path, 10, Folder::Any, owners);
                let new = read_guarded(&path, 10, Folder::Any, owners);
                assert_eq!(format!("{one:?}"), format!("{new:?}"), "{}", path.display());
            }
        }
    }
}

/// What was checked is what is read from: a folder that takes the place of the checked one has no say.
#[test]
fn a_reader_stays_in_the_folder_that_it_checked() {
    let (_temp, root) = tree();
    let mut reader = GuardedReader::default();
    let mut read = |path: &str| reader.read(&root.join(path), 10, Folder::Any, Owners::CallerOrRoot).bytes.unwrap();
    assert_eq!(read("a/b/c.yaml"), b"x");
    let top = crate::open_dir(&root).unwrap();
    top.rename("a/b", &top, "checked").unwrap();
    crate::create_dir(&root.join("a/b")).unwrap().write("c.yaml", "other").unwrap();
    assert_eq!(read("a/b/c.yaml"), b"x");
    assert_eq!(read("checked/c.yaml"), b"x");
    assert_eq!(read("a/b/c.yaml"), b"other", "it was somewhere else meanwhile");
}
