//! The system's files: who owns the way to them decides, and nothing else.

use cap_std::fs::MetadataExt as _;

use super::*;
use smcp_bed::Bed;
use smcp_bed::caller;

/// A root with system files, in which one refusal is kept.
fn bed() -> Bed {
    let bed = Bed::with([]);
    bed.root.create_dir_all("var/cache").unwrap();
    for folder in ["var", "var/cache"] {
        bed.root.set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    }
    let files = walk(&bed.root, caller(), true).unwrap().unwrap();
    let system = SystemFiles { files, engine: smcp_policy::engine_key(), problem: Mutex::default() };
    system.keep(component(), &Kept { code: None, notes: "kept".into() });
    assert_eq!(system.problem(), None);
    bed
}

fn component() -> Digest {
    Digest::of(b"component")
}

fn found(bed: &Bed) -> bool {
    open(&bed.root, caller()).and_then(|files| find(&files, component(), smcp_policy::engine_key())).is_some()
}

#[test]
fn what_root_compiled_everybody_reads() {
    let bed = bed();
    assert!(found(&bed));
    let mode = |path: &str| bed.root.metadata(path).unwrap().mode() & 0o777;
    for folder in ["var/cache/smcp", "var/cache/smcp/compiled"] {
        assert_eq!(mode(folder), 0o755, "{folder}");
    }
    let mut files = bed.root.read_dir("var/cache/smcp/compiled").unwrap();
    let name = files.next().unwrap().unwrap().file_name().into_string().unwrap();
    assert_eq!(mode(&format!("var/cache/smcp/compiled/{name}")), 0o644);
}

#[test]
fn a_way_that_somebody_else_could_change_is_not_gone() {
    for folder in ["var", "var/cache", "var/cache/smcp", "var/cache/smcp/compiled"] {
        for mode in [0o777, 0o775, 0o1777] {
            let bed = bed();
            bed.root.set_permissions(folder, Permissions::from_mode(mode)).unwrap();
            assert!(!found(&bed), "{folder} {mode:o}");
            assert!(walk(&bed.root, caller(), true).is_err(), "{folder} {mode:o}");
        }
        let bed = bed();
        bed.root.rename(folder, &bed.root, "elsewhere").unwrap();
        let up = "../".repeat(folder.matches('/').count());
        bed.root.symlink(format!("{up}elsewhere"), folder).unwrap();
        assert!(!found(&bed), "{folder} is a link");
    }
}

#[test]
fn a_file_that_somebody_else_could_change_is_not_used() {
    let bed = bed();
    let mut files = bed.root.read_dir("var/cache/smcp/compiled").unwrap();
    let name = files.next().unwrap().unwrap().file_name().into_string().unwrap();
    let file = format!("var/cache/smcp/compiled/{name}");
    bed.root.set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
    assert!(!found(&bed));
    bed.root.set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    assert!(found(&bed));
    let mut damaged = bed.root.read(&file).unwrap();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    bed.root.write(&file, damaged).unwrap();
    assert!(!found(&bed), "damage is found here, too");
}

/// Only root can give a folder to another user.
#[test]
fn only_the_owner_counts() {
    if caller().uid() == 0 {
        for path in ["var", "var/cache", "var/cache/smcp", "var/cache/smcp/compiled"] {
            let bed = bed();
            std::os::unix::fs::chown(bed.path(path), Some(4242), None).unwrap();
            assert!(!found(&bed), "{path}");
        }
    }
    // Root's folders are another user's to everybody else.
    let bed = bed();
    assert_eq!(open(&bed.root, ROOT).is_some(), caller().uid() == 0);
    let missing = Bed::with([]);
    assert!(open(&missing.root, caller()).is_none());
    assert_eq!(missing.root.entries().unwrap().count(), 0, "looking makes nothing");
}
