//! Tests of names and locks of kept trees.

use cap_std::fs::PermissionsExt as _;

use super::*;
use crate::cache::Cache;
use crate::testing::CacheBed as _;
use smcp_bed::Bed;

fn bed() -> (Bed, Cache, Trees) {
    let bed = Bed::with(["cache"]);
    let cache = bed.cache();
    let trees = cache.make_trees().unwrap();
    (bed, cache, trees)
}

/// Keeps a folder with one file as the tree of a bundle.
fn keep(cache: &Cache, trees: &Trees, bundle: &Digest, text: &str) -> Result<KeptTree, RunFolder> {
    let folder = cache.runs().unwrap().folder().unwrap();
    let root = folder.open().unwrap();
    root.write("file", text).unwrap();
    trees.keep(bundle, folder, &root, text.as_bytes()).unwrap()
}

#[test]
fn a_folder_of_a_run_becomes_a_tree_that_stays() {
    let (bed, cache, trees) = bed();
    let bundle = Digest::of(b"bundle");
    assert!(trees.open(&bundle).unwrap().is_none());
    let kept = keep(&cache, &trees, &bundle, "one").unwrap();
    assert_eq!(kept.path(), bed.path(format!("cache/trees/sha256-{}", bundle.hex())));
    drop(kept);
    assert_eq!(bed.root.read_dir("cache/runs").unwrap().count(), 0);
    let opened = trees.open(&bundle).unwrap().unwrap();
    assert_eq!(
        (opened.index().unwrap(), opened.root().read_to_string("file").unwrap()),
        (b"one".to_vec(), "one".into())
    );
    assert_eq!(opened.root().dir_metadata().unwrap().permissions().mode() & 0o7777, 0o500);
    assert!(trees.open(&Digest::of(b"other")).unwrap().is_none());
}

#[test]
fn whoever_has_a_tree_keeps_it() {
    let (_bed, cache, trees) = bed();
    let bundle = Digest::of(b"bundle");
    let first = keep(&cache, &trees, &bundle, "one").unwrap();
    let second = trees.open(&bundle).unwrap().unwrap();
    // Neither replaced nor removed while one of them has it.
    for held in [first, second] {
        let folder = keep(&cache, &trees, &bundle, "two").unwrap_err();
        assert_eq!(folder.open().unwrap().read_to_string("file").unwrap(), "two", "it stays the run's");
        assert!(!trees.remove(&bundle, true).unwrap() && !trees.remove(&bundle, false).unwrap());
        assert_eq!(trees.open(&bundle).unwrap().unwrap().index().unwrap(), b"one");
        drop(held);
    }
    let replaced = keep(&cache, &trees, &bundle, "two").unwrap();
    assert_eq!(replaced.root().read_to_string("file").unwrap(), "two");
    replaced.discard();
    assert!(trees.open(&bundle).unwrap().is_none() && trees.list().unwrap().is_empty());
}

#[test]
fn while_one_makes_a_tree_others_do_without() {
    let (_bed, cache, trees) = bed();
    let bundle = Digest::of(b"bundle");
    let making = trees.lock_alone(&blobs::file_name(&bundle)).unwrap().unwrap();
    assert!(trees.open(&bundle).unwrap().is_none());
    assert!(keep(&cache, &trees, &bundle, "two").is_err());
    assert!(!trees.remove(&bundle, false).unwrap());
    drop(making);
    assert!(keep(&cache, &trees, &bundle, "two").is_ok());
}

#[test]
fn what_a_killed_process_left_is_in_nobodys_way() {
    let (bed, cache, trees) = bed();
    let bundle = Digest::of(b"bundle");
    let tree = format!("cache/trees/sha256-{}", bundle.hex());
    // Killed before the folder had its place, after the old one was removed, and with a folder that has no index.
    for left in [vec![".index"], vec![".index", "/deep/folder/"], vec!["/deep/folder/"]] {
        for name in &left {
            match name.strip_suffix('/') {
                Some(folder) => bed.root.create_dir_all(format!("{tree}{folder}")).unwrap(),
                None => bed.root.write(format!("{tree}{name}"), "").unwrap(),
            }
        }
        if left == [".index"] || left == ["/deep/folder/"] {
            assert!(trees.open(&bundle).unwrap().is_none());
        }
        keep(&cache, &trees, &bundle, "one").unwrap();
        assert_eq!(trees.open(&bundle).unwrap().unwrap().index().unwrap(), b"one", "{left:?}");
        assert!(trees.remove(&bundle, false).unwrap());
        assert_eq!(bed.root.read_dir("cache/trees").unwrap().count(), 0, "{left:?}");
    }
}

#[test]
fn only_what_smcp_named_is_listed_and_removed() {
    let (bed, cache, trees) = bed();
    let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
    drop(keep(&cache, &trees, &one, "four").unwrap());
    bed.root.write(format!("cache/trees/sha256-{}.index", two.hex()), "half").unwrap();
    let foreign = ["photo.jpg", "sha256-aaaa", "sha256-aaaa.index", &format!("sha256-{}.old", one.hex())];
    for name in foreign {
        bed.root.write(format!("cache/trees/{name}"), "weeks").unwrap();
    }
    let mut listed: Vec<_> = trees.list().unwrap().iter().map(|tree| (tree.digest, tree.size.0, tree.kind)).collect();
    listed.sort_by_key(|(digest, ..)| *digest == two);
    // A file and its index of four bytes each.
    assert_eq!(listed, [(one, 8, CacheKind::Tree), (two, 4, CacheKind::Tree)]);
    for digest in [one, two] {
        assert!(trees.remove(&digest, false).unwrap());
    }
    assert!(trees.list().unwrap().is_empty());
    for name in foreign {
        assert!(bed.root.exists(format!("cache/trees/{name}")), "{name}");
    }
}

#[test]
fn removing_goes_no_further_than_the_tree() {
    let (bed, cache, trees) = bed();
    let bundle = Digest::of(b"bundle");
    let tree = format!("cache/trees/sha256-{}", bundle.hex());
    bed.root.create_dir("mine").unwrap();
    bed.root.write("mine/file", "weeks").unwrap();
    let kept = keep(&cache, &trees, &bundle, "one").unwrap();
    bed.root.set_permissions(&tree, cap_std::fs::Permissions::from_mode(0o700)).unwrap();
    kept.root().symlink("../../../mine", "link").unwrap();
    // What is not there any more, and what is behind a link.
    kept.clean(&["link/file".into(), "gone".into(), "../../../mine/file".into()]);
    kept.discard();
    assert!(!bed.root.exists(&tree) && bed.root.exists("mine/file"));
    bed.root.symlink("../../mine", &tree).unwrap();
    drop(keep(&cache, &trees, &bundle, "one").unwrap());
    bed.root.remove_dir_all(&tree).unwrap();
    bed.root.symlink("../../mine", &tree).unwrap();
    assert!(trees.remove(&bundle, false).unwrap());
    assert!(bed.root.exists("mine/file"));
}
