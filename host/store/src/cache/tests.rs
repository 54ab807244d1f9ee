//! Tests of which folders are accepted as a cache, and what in one stays.

use std::time::Duration;

use cap_std::fs::Permissions;
use cap_std::fs::PermissionsExt as _;

use super::*;
use crate::testing::CacheBed as _;
use smcp_bed::Bed;
use smcp_bed::caller;
use smcp_model::cache::CacheRules;
use smcp_model::size::ByteSize;

const NOW: u64 = 1_800_000_000;

#[test]
fn a_cache_that_others_can_change_is_not_used() {
    let temp = tempfile::tempdir().unwrap();
    let root = Dir::open_ambient_dir(temp.path(), cap_std::ambient_authority()).unwrap();
    let caller = Caller::new(nix::unistd::geteuid().as_raw(), || None);
    let set = |path: &std::path::Path, mode| {
        let dir = Dir::open_ambient_dir(path, cap_std::ambient_authority()).unwrap();
        dir.set_permissions(".", Permissions::from_mode(mode)).unwrap();
        dir
    };
    let modes = [
        (0o700, true),
        (0o755, true),
        (0o775, false),
        (0o757, false),
        (0o777, false),
        (0o1777, false),
        (0o1775, false),
    ];
    // The cache, and every folder in it.
    for folder in ["", "blobs", "resolutions", "runs", "trees", "compiled"] {
        if !folder.is_empty() {
            root.create_dir(folder).unwrap();
        }
        for (mode, fits) in modes {
            set(&temp.path().join(folder), mode);
            let dir = Dir::open_ambient_dir(temp.path(), cap_std::ambient_authority()).unwrap();
            let opened = Cache::new(dir, temp.path(), caller);
            assert_eq!(opened.is_ok(), fits, "{folder} {mode:o}");
            let said = opened.err().map(|error| error.to_string());
            let place = temp.path().join(folder).components().as_path().display().to_string();
            assert!(said.is_none_or(|said| said.contains("may write to it") && said.contains(&place)), "{mode:o}");
        }
        set(&temp.path().join(folder), 0o700);
    }
}

#[test]
fn a_folder_in_the_cache_that_is_a_link_is_named() {
    let bed = Bed::with(["cache"]);
    drop(bed.cache());
    for folder in ["blobs", "resolutions", "runs", "trees", "compiled"] {
        bed.root.create_dir("elsewhere").unwrap();
        for target in ["../elsewhere", "/tmp", "nowhere"] {
            bed.root.open_dir("cache").unwrap().symlink_contents(target, folder).unwrap();
            let error = Cache::new(bed.root.open_dir("cache").unwrap(), &bed.path("cache"), caller()).unwrap_err();
            let said = error.to_string();
            assert!(said.contains(&format!("cache/{folder} is a link, and links are not followed there")), "{said}");
            bed.root.remove_file(format!("cache/{folder}")).unwrap();
        }
        bed.root.remove_dir("elsewhere").unwrap();
    }
}

#[test]
fn a_folder_with_somebodys_things_is_no_cache() {
    let blob = format!("blobs/sha256-{}", "0".repeat(64));
    let hex = "0".repeat(64);
    let cases: [(&str, Vec<String>, Option<&str>); 17] = [
        ("an empty one", vec![], None),
        ("only what a file system puts there", vec!["lost+found/".into()], None),
        ("a cache of an earlier version", vec![blob.clone(), "runs/".into()], None),
        (
            "the same with all that there may be",
            vec![
                blob.clone(),
                "blobs/01234567-89ab-cdef-0123-456789abcdef".into(),
                "blobs/.draft-0123456789abcdef".into(),
                "runs/0123456789abcdef.lock".into(),
                "runs/0123456789abcdef/server.py".into(),
                format!("resolutions/{hex}/{hex}.json"),
                format!("trees/sha256-{hex}/server.py"),
                format!("trees/sha256-{hex}.index"),
            ],
            None,
        ),
        ("folders without anything in them", vec!["blobs/".into(), "resolutions/".into()], None),
        ("somebody's project", vec!["train.py".into()], Some("train.py")),
        ("a hidden file", vec![".bashrc".into()], Some(".bashrc")),
        ("files of our names as a model store has them", vec![blob.clone()], Some("blobs")),
        ("the same beside its own", vec![blob, "manifests/".into()], Some("manifests")),
        ("runs of somebody", vec!["runs/train/weights.pt".into(), "runs/train.lock".into()], Some("runs/train")),
        ("a photo", vec!["blobs/photo.jpg".into(), "runs/".into()], Some("blobs/photo.jpg")),
        ("a cut name", vec!["blobs/sha256-aaaa".into(), "runs/".into()], Some("blobs/sha256-aaaa")),
        ("capitals", vec![format!("blobs/sha256-{}", "A".repeat(64)), "runs/".into()], Some("blobs/sha256-AAAA")),
        ("trees of somebody", vec!["trees/oak/leaf".into(), "runs/".into()], Some("trees/oak")),
        ("facts of somebody", vec!["resolutions/x.json".into(), "runs/".into()], Some("resolutions/x.json")),
        ("deeper", vec![format!("resolutions/{hex}/notes.json"), "runs/".into()], Some("notes.json")),
        ("the mark of another tool", vec!["CACHEDIR.TAG".into()], Some("CACHEDIR.TAG")),
    ];
    for (case, names, found) in cases {
        let bed = Bed::with(["cache"]);
        for name in &names {
            let path = format!("cache/{name}");
            bed.root.create_dir_all(path.rsplit_once('/').unwrap().0).unwrap();
            if !name.ends_with('/') {
                bed.root.write(path, "weeks of work").unwrap();
            }
        }
        let before = bed.files("cache");
        let opened = Cache::new(bed.root.open_dir("cache").unwrap(), &bed.path("cache"), caller());
        match (opened, found) {
            (Ok(_), None) => {
                assert!(bed.root.read_to_string("cache/CACHEDIR.TAG").unwrap().contains("smcp"), "{case}");
                // From now on it is a cache, whatever files are added.
                bed.root.write("cache/note.txt", "").unwrap();
                bed.cache().collect(&CacheRules::default(), NOW, false).unwrap();
                assert!(bed.root.exists("cache/note.txt"), "{case}");
            }
            (Err(error), Some(found)) => {
                let said = error.to_string();
                assert!(said.contains(found) && said.contains("is not a cache of smcp"), "{case}: {said}");
                assert_eq!(bed.files("cache"), before, "{case}");
            }
            (opened, _) => panic!("{case}: {opened:?}"),
        }
    }
}

#[test]
fn what_smcp_did_not_name_is_never_removed() {
    let bed = Bed::with(["cache"]);
    drop(bed.cache());
    let hex = "0".repeat(64);
    let foreign = [
        "weights.pt".to_owned(),
        "runs/train/weights.pt".to_owned(),
        "runs/train.lock".to_owned(),
        "runs/0123456789abcdef.lock.old".to_owned(),
        "blobs/photo.jpg".to_owned(),
        "blobs/sha256-aaaa".to_owned(),
        format!("blobs/sha256-{}", "A".repeat(64)),
        format!("blobs/sha256-{hex}/model"),
        "trees/weights.pt".to_owned(),
        format!("trees/sha256-{hex}.index.old"),
        "resolutions/notes.json".to_owned(),
        "resolutions/mine/notes.json".to_owned(),
        format!("resolutions/{hex}/notes.json"),
        format!("resolutions/{}/notes.json", "F".repeat(64)),
    ];
    for name in &foreign {
        let path = format!("cache/{name}");
        bed.root.create_dir_all(path.rsplit_once('/').unwrap().0).unwrap();
        bed.root.write(&path, "weeks").unwrap();
    }
    let rules = CacheRules { older_than: Some(Duration::ZERO), max_size: Some(ByteSize(0)) };
    bed.cache().entries(NOW).unwrap();
    drop(bed.cache().collect(&rules, NOW, false));
    drop(bed.cache().remove_everything(NOW));
    for name in &foreign {
        assert!(bed.root.exists(format!("cache/{name}")), "{name}");
    }
}
