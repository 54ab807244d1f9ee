//! Tests of housekeeping: what is removed, and what stays because it is in use.

use std::time::Duration;

use nix::sys::stat::UtimensatFlags;
use nix::sys::time::TimeSpec;

use super::*;
use crate::Resolutions;
use crate::stream::Halted;
use crate::testing::CacheBed as _;
use smcp_bed::Bed;
use smcp_bed::caller;
use smcp_model::deadline::Deadline;
use smcp_model::facts::Facts;

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 86_400;

/// Puts a blob with these bytes into the cache, last used `ago` seconds before `NOW`.
fn blob(bed: &Bed, bytes: &[u8], ago: u64) -> Digest {
    let digest = Digest::of(bytes);
    drop(bed.cache());
    bed.root.create_dir_all("cache/blobs").unwrap();
    let path = format!("cache/blobs/sha256-{}", digest.hex());
    bed.root.write(&path, bytes).unwrap();
    used(bed, &path, ago);
    digest
}

fn used(bed: &Bed, path: &str, ago: u64) {
    let time = TimeSpec::new(i64::try_from(NOW - ago).unwrap(), 0);
    nix::sys::stat::utimensat(&bed.root, path, &time, &time, UtimensatFlags::NoFollowSymlink).unwrap();
}

/// Keeps an answer about a version with this manifest and this bundle.
fn know(bed: &Bed, reference: &str, registry: &str, manifest: Digest, bundle: Digest) {
    let (id, version) = reference.split_once('@').unwrap();
    let resolution = Resolution {
        id: id.parse().unwrap(),
        version: version.parse().unwrap(),
        registry: smcp_model::registry::Registry::Directory(registry.into()),
        facts: Facts::default(),
        manifest_digest: manifest,
        bundle_digest: bundle,
        bundle_size: None,
        image_digest: None,
    };
    Resolutions::new(bed.root.open_dir("cache").unwrap(), &bed.path("cache"), caller())
        .keep(&resolution, NOW, NOW)
        .unwrap();
}

/// A cache with two versions of a package that share a bundle, another package, and a file that no answer names.
fn bed() -> (Bed, [Digest; 6]) {
    let bed = Bed::with(["cache"]);
    let one = blob(&bed, b"{one}", 3 * DAY);
    let two = blob(&bed, b"{two}", 2 * DAY);
    let shared = blob(&bed, b"\x1f\x8bshared", DAY);
    let other = blob(&bed, b"{other}", 40 * DAY);
    let own = blob(&bed, b"\x1f\x8bown", 40 * DAY);
    let unknown = blob(&bed, b"unknown", 0);
    know(&bed, "acme/tool@1.0.0", "/srv/r", one, shared);
    know(&bed, "acme/tool@2.0.0", "/srv/r", two, shared);
    know(&bed, "acme/other@1.0.0", "/srv/r", other, own);
    (bed, [one, two, shared, other, own, unknown])
}

fn digests(entries: &[CacheEntry]) -> Vec<Digest> {
    entries.iter().map(|entry| entry.digest).collect()
}

fn left(bed: &Bed) -> Vec<Digest> {
    let mut left = digests(&bed.cache().entries(NOW).unwrap());
    left.sort();
    left
}

#[track_caller]
fn leaves(bed: &Bed, expected: &[Digest], answers: usize) {
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(left(bed), expected);
    assert_eq!(bed.cache().answers(NOW).unwrap().len(), answers);
}

fn remove(bed: &Bed, targets: &[&str]) -> Result<CacheRemoval, StoreError> {
    let targets: Vec<CacheTarget> = targets.iter().map(|target| target.parse().unwrap()).collect();
    bed.cache().remove_targets(&targets, NOW)
}

#[test]
fn files_are_listed_with_what_is_known_of_them() {
    let (bed, [one, two, shared, _, own, unknown]) = bed();
    let entries = bed.cache().entries(NOW).unwrap();
    assert_eq!(digests(&entries)[..4], [unknown, shared, two, one], "the last used first");
    let of = |digest| entries.iter().find(|entry| entry.digest == digest).unwrap();
    assert_eq!((of(one).kind, of(own).kind), (CacheKind::Manifest, CacheKind::Bundle));
    assert_eq!((of(one).size, of(one).last_used), (ByteSize(5), NOW - 3 * DAY));
    let mut labels: Vec<String> = of(shared).packages.iter().map(CachedPackage::label).collect();
    labels.sort();
    assert_eq!(labels, ["acme/tool@1.0.0", "acme/tool@2.0.0"]);
    assert_eq!(of(unknown).packages, []);
}

#[test]
fn what_is_named_goes_and_what_others_need_stays() {
    type Case<'c> = (&'c [&'c str], &'c [usize], usize);
    let (_, all) = bed();
    let exact = all[5].to_string();
    let short = all[2].short();
    let cases: [Case<'_>; 6] = [
        (&["acme/tool@1.0.0"], &[1, 2, 3, 4, 5], 2),
        (&["acme/tool"], &[3, 4, 5], 1),
        (&["acme/tool@2.0.0", "acme/other"], &[0, 2, 5], 1),
        (&[&exact], &[0, 1, 2, 3, 4], 3),
        (&[&short], &[0, 1, 3, 4, 5], 1),
        (&[&exact, "acme/tool", "acme/other"], &[], 0),
    ];
    for (targets, expected, answers) in cases {
        let (bed, all) = bed();
        let removal = remove(&bed, targets).unwrap();
        let expected: Vec<Digest> = expected.iter().map(|index| all[*index]).collect();
        leaves(&bed, &expected, answers);
        assert_eq!((removal.removed.len(), removal.answers), (6 - expected.len(), 3 - answers), "{targets:?}");
    }
}

#[test]
fn a_name_that_means_nothing_or_too_much_removes_nothing() {
    let (bed, all) = bed();
    // A second file whose digest begins like the first one's.
    let twin = format!("cache/blobs/sha256-{}{}", &all[0].hex()[..12], "0".repeat(52));
    bed.root.write(twin, "x").unwrap();
    let beginning = &all[0].hex()[..12];
    for targets in
        [&["acme/tool", "acme/nothing"][..], &["acme/tool@3.0.0"], &["sha256:000000000000"], &["acme/tool", beginning]]
    {
        let error = remove(&bed, targets).unwrap_err();
        assert!(matches!(error, StoreError::Target(_)), "{error}");
        assert_eq!(left(&bed).len(), 7, "{targets:?}");
    }
    assert!(matches!(remove(&bed, &[beginning]), Err(StoreError::Target(RemovalTargetError::AmbiguousPrefix { .. }))));
}

#[test]
fn housekeeping_follows_its_rules() {
    let rules = |days: Option<u64>, most: Option<u64>| CacheRules {
        older_than: days.map(|days| Duration::from_secs(days * DAY)),
        max_size: most.map(ByteSize),
    };
    // The sizes: shared 8, two 5, one 5, other 7, own 5.
    type Case<'c> = (CacheRules, &'c [usize], usize);
    let cases: [Case<'_>; 7] = [
        (rules(None, None), &[0, 1, 2, 3, 4], 3),
        (rules(Some(30), None), &[0, 1, 2], 2),
        (rules(Some(1), None), &[2], 0),
        (rules(Some(0), None), &[], 0),
        (rules(None, Some(0)), &[], 0),
        (rules(None, Some(13)), &[1, 2], 1),
        (rules(None, Some(1000)), &[0, 1, 2, 3, 4], 3),
    ];
    for (rules, expected, answers) in cases {
        let (bed, all) = bed();
        let before = left(&bed);
        let would = bed.cache().collect(&rules, NOW, true).unwrap();
        assert_eq!(left(&bed), before, "a dry run removes nothing");
        let did = bed.cache().collect(&rules, NOW, false).unwrap();
        assert_eq!(would, did);
        let expected: Vec<Digest> = expected.iter().map(|index| all[*index]).collect();
        leaves(&bed, &expected, answers);
    }
}

#[test]
fn unfinished_files_go_once_they_are_old() {
    let (bed, _) = bed();
    let limit = limits::DRAFT_ABANDONED.as_secs();
    let (old, new) = (".draft-0123456789abcdef", ".draft-0123456789abcde0");
    let earlier = "01234567-89ab-cdef-0123-456789abcdef";
    for (name, ago) in [(old, limit + 1), (new, limit), (earlier, limit + 1), ("sha256-short", limit + 1)] {
        let path = format!("cache/blobs/{name}");
        bed.root.write(&path, "123").unwrap();
        used(&bed, &path, ago);
    }
    bed.root.create_dir("cache/blobs/folder").unwrap();
    used(&bed, "cache/blobs/folder", 2 * limit);
    let removal = bed.cache().collect(&CacheRules::default(), NOW, false).unwrap();
    assert_eq!((removal.drafts, removal.freed), (2, ByteSize(6 + 7)));
    for (name, there) in [(old, false), (new, true), (earlier, false), ("sha256-short", true), ("folder", true)] {
        assert_eq!(bed.root.exists(format!("cache/blobs/{name}")), there, "{name}");
    }
}

#[test]
fn what_is_no_file_is_shown_and_leaves() {
    let bed = Bed::with(["cache"]);
    let target = blob(&bed, b"{target}", 0);
    know(&bed, "acme/tool@1.0.0", "/srv/r", target, target);
    let link = Digest::of(b"link");
    let path = format!("cache/blobs/sha256-{}", link.hex());
    bed.root.symlink(format!("sha256-{}", target.hex()), path).unwrap();
    let entries = bed.cache().entries(NOW).unwrap();
    let kind = entries.iter().find(|entry| entry.digest == link).unwrap().kind;
    assert_eq!(kind, CacheKind::Foreign);
    let folder = Digest::of(b"folder");
    bed.root.create_dir_all(format!("cache/blobs/sha256-{}", folder.hex())).unwrap();
    bed.cache().collect(&CacheRules::default(), NOW, false).unwrap();
    assert_eq!(left(&bed), [target], "the link is gone, and not what it led to");
}

#[test]
fn what_is_leased_stays() {
    let bed = Bed::with(["cache"]);
    let files = [blob(&bed, b"{manifest}", 0), blob(&bed, b"\x1f\x8bbundle", 0)];
    let lease = bed.cache().lease(&files, &Deadline::none()).unwrap().unwrap();
    let rules = CacheRules { older_than: None, max_size: Some(ByteSize(0)) };
    for removal in [
        bed.cache().collect(&rules, NOW, false).unwrap(),
        bed.cache().remove_everything(NOW).unwrap(),
        bed.cache().remove_targets(&[files[1].hex().parse().unwrap()], NOW).unwrap(),
    ] {
        assert!(removal.removed.is_empty() && !removal.in_use.is_empty(), "{removal:?}");
    }
    assert!(bed.cache().verify(&files[1], &Deadline::none()).unwrap().is_some());
    drop(lease);
    assert_eq!(bed.cache().remove_everything(NOW).unwrap().removed.len(), 2);
    assert!(bed.cache().lease(&files, &Deadline::none()).unwrap().is_none(), "nothing is left to lease");
}

#[test]
fn a_file_that_somebody_keeps_locked_is_not_waited_for_for_ever() {
    let bed = Bed::with(["cache"]);
    let files = [blob(&bed, b"{manifest}", 0), blob(&bed, b"\x1f\x8bbundle", 0)];
    let held = bed.cache().blobs().open(&files[1]).unwrap().unwrap().into_std();
    assert!(lock::try_lock(&held, Sharing::Exclusive).unwrap());
    let error = bed.cache().lease(&files, &Deadline::after(std::time::Duration::ZERO)).unwrap_err();
    assert!(matches!(error, StoreError::Halted(Halted::Expired(_))), "{error}");
    drop(held);
    assert!(bed.cache().lease(&files, &Deadline::none()).unwrap().is_some());
}

#[test]
fn use_is_noted() {
    let bed = Bed::with(["cache"]);
    let digest = blob(&bed, b"{}", 30 * DAY);
    assert_eq!(bed.cache().entries(NOW).unwrap()[0].last_used, NOW - 30 * DAY);
    bed.cache().verify(&digest, &Deadline::none()).unwrap();
    assert_ne!(bed.cache().entries(NOW).unwrap()[0].last_used, NOW - 30 * DAY);
}

/// Puts compiled code of a component into the cache, last used `ago` seconds before `NOW`.
fn compiled(bed: &Bed, component: &[u8], engine: &[u8], ago: u64) -> Digest {
    let (component, engine) = (Digest::of(component), Digest::of(engine));
    let files = bed.cache().make_compiled().unwrap();
    files.write(&component, &engine, |draft| std::io::Write::write_all(draft, b"code")).unwrap();
    let name = format!("cache/compiled/{}-{}", component.hex(), &engine.hex()[..16]);
    used(bed, &name, ago);
    component
}

/// No package knows compiled code, so only its age, the size of the cache, and whoever names it remove it.
#[test]
fn compiled_code_is_listed_and_removed_with_the_rest() {
    let (bed, blobs) = bed();
    let old = compiled(&bed, b"old", b"engine", 50 * DAY);
    let new = compiled(&bed, b"new", b"engine", 0);
    assert_eq!(compiled(&bed, b"new", b"another engine", DAY), new);
    let cache = bed.cache();
    let kinds = |entries: &[CacheEntry]| entries.iter().filter(|entry| entry.kind == CacheKind::Compiled).count();
    assert_eq!(kinds(&cache.entries(NOW).unwrap()), 3);
    let removed = cache.collect(&CacheRules::default(), NOW, false).unwrap();
    assert_eq!(digests(&removed.removed), [blobs[5]], "what no package has, and no compiled code");
    let rules = CacheRules { older_than: Some(Duration::from_secs(45 * DAY)), max_size: None };
    for dry_run in [true, false] {
        let removed = cache.collect(&rules, NOW, dry_run).unwrap();
        assert_eq!((digests(&removed.removed), removed.freed), (vec![old], ByteSize(4)));
    }
    let target = CacheTarget::Digest(new.hex()[..12].to_owned());
    let removed = cache.remove_targets(&[target], NOW).unwrap();
    assert_eq!(digests(&removed.removed), [new, new], "for every engine");
    compiled(&bed, b"new", b"engine", 0);
    assert_eq!(kinds(&cache.remove_everything(NOW).unwrap().removed), 1);
    assert_eq!(kinds(&cache.entries(NOW).unwrap()), 0);
}

#[test]
fn compiled_code_that_was_used_longest_ago_makes_room() {
    let bed = Bed::with(["cache"]);
    let digests: Vec<_> =
        [b"a", b"b", b"c"].iter().zip(0..).map(|(it, ago)| compiled(&bed, *it, b"engine", ago)).collect();
    let files = bed.cache().make_compiled().unwrap();
    let left = || {
        let listed = files.list().unwrap();
        let mut left: Vec<_> = listed.iter().filter_map(|file| file.component).collect();
        left.sort_by_key(|digest| digests.iter().position(|it| it == digest));
        left
    };
    files.trim(12).unwrap();
    assert_eq!(left(), digests);
    files.trim(11).unwrap();
    assert_eq!(left(), digests[..2]);
    files.trim(3).unwrap();
    assert_eq!(left(), []);
}

/// A compiler that was killed while it wrote.
#[test]
fn unfinished_compiled_code_is_removed_when_it_is_old() {
    let bed = Bed::with(["cache"]);
    compiled(&bed, b"a", b"engine", 0);
    let name = "cache/compiled/.draft-0123456789abcdef";
    bed.root.write(name, "half").unwrap();
    for (ago, expected) in [(0, 0), (DAY, 1)] {
        used(&bed, name, ago);
        let removed = bed.cache().collect(&CacheRules::default(), NOW, false).unwrap();
        assert_eq!((removed.drafts, removed.removed.len()), (expected, 0));
    }
    bed.root.write("cache/compiled/notes.txt", "the user's own").unwrap();
    bed.cache().remove_everything(NOW).unwrap();
    assert_eq!(bed.files("cache/compiled"), [("notes.txt".to_owned(), b"the user's own".to_vec())]);
}

#[test]
fn a_tree_goes_with_its_bundle_or_alone_when_it_is_old() {
    let tree = |bed: &Bed, bundle: &Digest, ago: u64| {
        let cache = bed.cache();
        let folder = cache.runs().unwrap().folder().unwrap();
        let root = folder.open().unwrap();
        root.write("file", "1234").unwrap();
        drop(cache.make_trees().unwrap().keep(bundle, folder, &root, b"index").unwrap().unwrap());
        used(bed, &format!("cache/trees/sha256-{}.index", bundle.hex()), ago);
    };
    let trees = |bed: &Bed| -> Vec<Digest> {
        let entries = bed.cache().entries(NOW).unwrap();
        entries.iter().filter(|entry| entry.kind == CacheKind::Tree).map(|entry| entry.digest).collect()
    };
    let rules = |days: u64| CacheRules { older_than: Some(Duration::from_secs(days * DAY)), max_size: None };
    let (bed, [_, _, shared, _, own, _]) = bed();
    let gone = Digest::of(b"no bundle has it");
    for (bundle, ago) in [(&shared, 3 * DAY), (&own, DAY), (&gone, 0)] {
        tree(&bed, bundle, ago);
    }
    let listed = bed.cache().entries(NOW).unwrap();
    let entry = listed.iter().find(|entry| entry.kind == CacheKind::Tree && entry.digest == shared).unwrap();
    assert_eq!((entry.size.0, entry.last_used, entry.packages.len()), (9, NOW - 3 * DAY, 2), "as its bundle");
    // The bundle is newer than its tree and stays; another is older than its tree and takes it along.
    let removal = bed.cache().collect(&rules(2), NOW, true).unwrap();
    assert_eq!(trees(&bed).len(), 3, "a dry run");
    assert_eq!(bed.cache().collect(&rules(2), NOW, false).unwrap().removed, removal.removed);
    assert_eq!(trees(&bed), [], "{removal:?}");
    assert!(bed.cache().blobs().open(&shared).unwrap().is_some());
    assert!(bed.cache().blobs().open(&own).unwrap().is_none());
    let entries = bed.cache().entries(NOW).unwrap();
    let kept = entries.iter().find(|entry| entry.digest == shared).unwrap();
    let labels: Vec<String> = kept.packages.iter().map(CachedPackage::label).collect();
    assert_eq!(
        labels,
        ["acme/tool@2.0.0"],
        "whose files are all there is still known; that its tree is gone is no loss"
    );
}

#[test]
fn an_mcp_bundle_is_one_file_of_its_package() {
    let bed = Bed::with(["cache"]);
    let bundle = blob(&bed, b"PK\x03\x04", 0);
    know(&bed, "io.github.acme/tool@1.0.0", "/srv/r", bundle, bundle);
    let entries = bed.cache().entries(NOW).unwrap();
    assert_eq!(
        entries.iter().map(|entry| (entry.kind, entry.packages.len())).collect::<Vec<_>>(),
        [(CacheKind::Bundle, 1)]
    );
    let rules = CacheRules { older_than: None, max_size: None };
    assert_eq!(bed.cache().collect(&rules, NOW, false).unwrap().removed, []);
}
