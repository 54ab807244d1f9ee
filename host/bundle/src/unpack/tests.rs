//! Unpacks honest and hostile archives.

use cap_std::fs::MetadataExt as _;

use super::*;
use smcp_bed::Bed;
use smcp_bed::files;
use smcp_bed::gzip;
use smcp_store::stream::Halted;

/// Makes one entry of a tar by hand, so that it can be invalid.
fn entry(name: &[u8], kind: u8, mode: u32, data: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_mode(mode);
    header.set_size(data.len() as u64);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    let mut bytes = [header.as_bytes().as_slice(), data].concat();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn file(name: &str) -> Vec<u8> {
    entry(name.as_bytes(), b'0', 0o644, b"text")
}

fn folder(name: &str) -> Vec<u8> {
    entry(name.as_bytes(), b'5', 0o755, b"")
}

fn pax(kind: u8, records: &[(&str, &str)]) -> Vec<u8> {
    let mut data = String::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let length = (1..).find(|length: &usize| length.to_string().len() + rest == *length).unwrap();
        data += &format!("{length} {key}={value}\n");
    }
    entry(b"pax", kind, 0o644, data.as_bytes())
}

fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    [entries.concat(), vec![0; 1024]].concat()
}

/// Unpacks a bundle; returns the paths of its files.
fn extract_all(bundle: &[u8]) -> Result<Vec<String>, ArchiveError> {
    let bed = Bed::with([]);
    let root = bed.source("out", &[]);
    match extract::extract(bundle, &root, &Deadline::none()) {
        Ok(_) => Ok(files(&root).into_iter().map(|(name, _)| name).collect()),
        Err(ExtractFailure::Archive(problem)) => Err(problem),
        Err(ExtractFailure::Write(error)) => panic!("{error}"),
        Err(ExtractFailure::Halted(error)) => panic!("{error}"),
    }
}

fn extract_entries(entries: &[Vec<u8>]) -> Result<Vec<String>, ArchiveError> {
    extract_all(&gzip(&tar(entries)))
}

#[test]
fn honest_archives_are_unpacked() {
    let long = format!("{}/{}", "d".repeat(200), "f".repeat(200));
    type Case<'c> = (&'c str, Vec<Vec<u8>>, Vec<&'c str>);
    let cases: [Case<'_>; 10] = [
        ("nothing", vec![], vec![]),
        ("files and folders", vec![folder("a/"), file("a/b"), file("c")], vec!["a/b", "c"]),
        ("folders implied", vec![file("a/b/c"), file("a/b/d")], vec!["a/b/c", "a/b/d"]),
        ("a folder after its file", vec![file("a/b"), folder("a/")], vec!["a/b"]),
        ("dots and slashes", vec![folder("./"), file("./a"), file("b//c"), file("d/./e")], vec!["a", "b/c", "d/e"]),
        ("two dots in a name", vec![file("..a"), file("b..")], vec!["..a", "b.."]),
        ("old files", vec![entry(b"a", b'\0', 0o644, b"x")], vec!["a"]),
        ("git archive's header", vec![pax(b'g', &[("comment", "abc")]), file("a")], vec!["a"]),
        (
            "a long name in pax",
            vec![pax(b'x', &[("mtime", "1.5"), ("path", &long), ("SCHILY.xattr.a", "b\nc")]), file("short")],
            vec![&long],
        ),
        (
            "a long name in GNU's way",
            vec![entry(b"././@LongLink", b'L', 0, &[long.as_bytes(), b"\0"].concat()), file("short")],
            vec![&long],
        ),
    ];
    for (what, entries, expected) in cases {
        assert_eq!(extract_entries(&entries).unwrap(), expected, "{what}");
    }
}

#[test]
fn only_regular_files_and_directories_are_let_in() {
    let kinds = [
        (b'1', "hard link"),
        (b'2', "symbolic link"),
        (b'3', "device"),
        (b'4', "device"),
        (b'6', "pipe"),
        (b'7', "unknown"),
        (b'S', "sparse"),
        (b'K', "hard link"),
        (b'V', "unknown"),
        (b'Z', "unknown"),
    ];
    for (kind, word) in kinds {
        let error = extract_entries(&[file("a"), entry(b"evil", kind, 0o777, b"")]).unwrap_err();
        assert!(matches!(error, ArchiveError::Kind { .. }), "{kind}: {error}");
        assert!(error.to_string().contains(word), "{kind}: {error}");
    }
    for strange in [entry(b"a/", b'0', 0o644, b"x"), entry(b"a", b'5', 0o755, b"x"), entry(b"./", b'0', 0o644, b"")] {
        assert!(matches!(extract_entries(&[strange]).unwrap_err(), ArchiveError::Kind { .. }));
    }
}

#[test]
fn no_name_leads_out_or_is_ambiguous() {
    let cases: [(&[u8], &str); 8] = [
        (b"/etc/passwd", "absolute"),
        (b"../a", "`..`"),
        (b"a/../../b", "`..`"),
        (b"a/..", "`..`"),
        (b"..", "`..`"),
        (b"", "empty"),
        (b"a\xff", "UTF-8"),
        (b"//a", "absolute"),
    ];
    for (name, problem) in cases {
        let error = extract_entries(&[entry(name, b'0', 0o644, b"x")]).unwrap_err();
        assert!(matches!(error, ArchiveError::Name { .. }), "{name:?}: {error}");
        assert!(error.to_string().contains(problem), "{name:?}: {error}");
    }
    let (long, deep, many) =
        ("x".repeat(256), "d/".repeat(129), format!("{0}/{0}/{0}/{0}/{0}/{0}/{0}/{0}/{0}", "y".repeat(250)));
    for (path, problem) in [
        ("a\0b", "NUL"),
        (long.as_str(), "too long"),
        (&deep, "nested"),
        (&many, "too long"),
        ("../a", "`..`"),
        ("/a", "absolute"),
    ] {
        let error = extract_entries(&[pax(b'x', &[("path", path)]), file("harmless")]).unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
    }
}

#[test]
fn no_two_entries_are_one() {
    let cases = [
        (vec![file("a"), file("a")], "twice"),
        (vec![file("a"), file("./a")], "twice"),
        (vec![folder("a"), folder("a/")], "twice"),
        (vec![file("a"), file("A")], "case"),
        (vec![file("dir/a"), file("DIR/b")], "case"),
        (vec![folder("dir"), folder("Dir")], "case"),
        (vec![file("É"), file("é")], "case"),
        (vec![file("a"), folder("a")], "file and a directory"),
        (vec![folder("a"), file("a")], "file and a directory"),
        (vec![file("a/b"), file("a")], "file and a directory"),
        (vec![file("a"), file("a/b")], "inside of something that is a file"),
    ];
    for (entries, problem) in cases {
        let error = extract_entries(&entries).unwrap_err();
        assert!(matches!(error, ArchiveError::Collision { .. }), "{error}");
        assert!(error.to_string().contains(problem), "{problem}: {error}");
    }
}

#[test]
fn extended_headers_say_one_thing() {
    let gnu = || entry(b"././@LongLink", b'L', 0, b"a\0");
    let path = || pax(b'x', &[("path", "a")]);
    let cases = [
        (vec![pax(b'g', &[("path", "a")]), file("b")], "all entries"),
        (vec![pax(b'g', &[("size", "4")]), file("b")], "all entries"),
        (vec![pax(b'x', &[("size", "5")]), file("b")], "disagree"),
        (vec![pax(b'x', &[("size", "-1")]), file("b")], "no number"),
        (vec![pax(b'x', &[("path", "a"), ("path", "b")]), file("b")], "twice"),
        (vec![pax(b'x', &[("GNU.sparse.major", "1")]), file("b")], "sparse"),
        (vec![entry(b"pax", b'x', 0, b"9 path=a"), file("b")], "malformed"),
        (vec![entry(b"pax", b'x', 0, b"99999999999999999999 path=a\n"), file("b")], "malformed"),
        (vec![entry(b"pax", b'x', 0, b"0 path=a\n"), file("b")], "malformed"),
        (vec![entry(b"pax", b'x', 0, b"8 path a\n"), file("b")], "malformed"),
        (vec![gnu(), gnu(), file("b")], "twice"),
        (vec![path(), path(), file("b")], "twice"),
        (vec![path(), gnu(), file("b")], "both name"),
        (vec![entry(b"././@LongLink", b'L', 0, &[b'a'; 64 * 1024 + 1]), file("b")], "longer than"),
        (vec![file("b"), path()], "announces"),
        (vec![file("b"), gnu()], "announces"),
    ];
    for (entries, problem) in cases {
        let error = extract_entries(&entries).unwrap_err();
        assert!(error.to_string().contains(problem), "{problem}: {error}");
    }
    assert_eq!(extract_entries(&[pax(b'x', &[("size", "4")]), file("b")]).unwrap(), ["b"]);
}

#[test]
fn a_bomb_is_refused_before_it_is_written() {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..4].copy_from_slice(b"bomb");
    header.set_mode(0o644);
    header.set_size(limits::BUNDLE_UNPACKED);
    header.set_cksum();
    let error = extract_entries(&[file("a"), header.as_bytes().to_vec()]).unwrap_err();
    assert_eq!(error, ArchiveError::TooManyBytes { limit: limits::BUNDLE_UNPACKED });
    let padding = vec![0; limits::BUNDLE_PADDING + 1024];
    let error = extract_all(&gzip(&[tar(&[file("a")]), padding].concat())).unwrap_err();
    assert!(matches!(error, ArchiveError::Damaged { .. }), "{error}");
}

#[test]
fn entries_are_counted_with_the_folders_they_imply() {
    let mut tree = EntryTree::default();
    let insert = |tree: &mut EntryTree, name: String| {
        tree.count().and_then(|()| tree.insert(&EntryName::parse(name.as_bytes()).unwrap(), EntryKind::File))
    };
    for number in 0..limits::BUNDLE_ENTRIES / 2 {
        insert(&mut tree, format!("{number}/file")).unwrap();
    }
    let error = insert(&mut tree, "one-more".to_owned()).unwrap_err();
    assert_eq!(error, ArchiveError::TooManyEntries { limit: limits::BUNDLE_ENTRIES });
}

#[test]
fn a_cut_is_noticed_wherever_it_is() {
    let entries = [folder("d/"), file("d/a"), entry(b"b", b'0', 0o755, &[7; 1500])];
    let (tar, whole) = (tar(&entries), gzip(&tar(&entries)));
    assert!(extract_all(&whole).is_ok());
    for cut in 0..whole.len() {
        let error = extract_all(&whole[..cut]).unwrap_err();
        assert!(matches!(error, ArchiveError::Damaged { .. }), "{cut}: {error}");
    }
    let end = tar.len() - 1024;
    for cut in (0..=end).step_by(128).chain([end + 1, end + 511]) {
        let error = extract_all(&gzip(&tar[..cut])).unwrap_err();
        assert!(matches!(error, ArchiveError::Damaged { .. }), "{cut}: {error}");
    }
}

#[test]
fn nothing_may_follow_the_end() {
    let whole = gzip(&tar(&[file("a")]));
    let twice = [whole.clone(), whole.clone()].concat();
    let garbage = [whole.clone(), b"x".to_vec()].concat();
    let hidden = gzip(&[tar(&[file("a")]), tar(&[file("b")])].concat());
    for bundle in [twice, garbage, hidden] {
        let error = extract_all(&bundle).unwrap_err();
        assert!(error.to_string().contains("something follows"), "{error}");
    }
    let padded = gzip(&[tar(&[file("a")]), vec![0; 10_240]].concat());
    assert_eq!(extract_all(&padded).unwrap(), ["a"]);
}

#[test]
fn damage_is_noticed() {
    let mut flipped = gzip(&tar(&[file("a")]));
    let checksum = flipped.len() - 8;
    flipped[checksum] ^= 1;
    let mut header = tar(&[file("a")]);
    header[0] ^= 1;
    for bundle in [flipped, gzip(&header), b"not gzip".to_vec(), gzip(b"not tar"), gzip(&[b'x'; 2048])] {
        let error = extract_all(&bundle).unwrap_err();
        assert!(matches!(error, ArchiveError::Damaged { .. }), "{error}");
    }
}

#[test]
fn files_are_for_their_owner_and_programs_stay_programs() {
    let bed = Bed::with([]);
    let root = bed.source("out", &[]);
    let modes =
        [("plain", 0o666, 0o400), ("program", 0o755, 0o500), ("setuid", 0o6755, 0o500), ("others", 0o001, 0o500)];
    let mut entries: Vec<Vec<u8>> =
        modes.iter().map(|(name, mode, _)| entry(name.as_bytes(), b'0', *mode, b"x")).collect();
    entries.push(entry(b"dir", b'5', 0o7777, b""));
    extract::extract(gzip(&tar(&entries)).as_slice(), &root, &Deadline::none()).unwrap();
    for (name, _, expected) in modes.into_iter().chain([("dir", 0, 0o700)]) {
        assert_eq!(root.metadata(name).unwrap().mode() & 0o7777, expected, "{name}");
    }
}

#[test]
fn files_have_the_times_of_the_archive() {
    let bed = Bed::with([]);
    let root = bed.source("out", &[]);
    let exact = |time: &str, name: &str| [pax(b'x', &[("mtime", time)]), file(name)].concat();
    let entries =
        [file("plain"), exact("1700000000.25", "exact"), exact("-1.5", "early"), exact("soon", "odd"), file("after")];
    let index = extract::extract(gzip(&tar(&entries)).as_slice(), &root, &Deadline::none()).unwrap();
    let times = [("plain", (0, 0)), ("exact", (1_700_000_000, 250_000_000)), ("early", (-2, 500_000_000))];
    for (name, time) in times.into_iter().chain([("odd", (0, 0)), ("after", (0, 0))]) {
        let found = root.metadata(name).unwrap();
        assert_eq!((found.mtime(), found.mtime_nsec()), time, "{name}");
        let indexed = index.folders[0].files.iter().find(|file| file.name == name).unwrap();
        assert_eq!((indexed.time.seconds, indexed.time.nanoseconds), time, "{name}");
    }
}

#[test]
fn a_bundle_that_is_one_directory_starts_inside_of_it() {
    let bed = Bed::with([]);
    let wrapped = bed.source("wrapped", &[("tool-1.0/server.py", "x")]);
    let (inner, path) = bundle_root(wrapped, Path::new("/base")).unwrap();
    assert!(inner.exists("server.py"));
    assert_eq!(path, Path::new("/base/tool-1.0"));
    for files in [vec![], vec![("only", "x")], vec![("a/x", "x"), ("b", "x")]] {
        let name = format!("plain-{}", files.len() + files.iter().map(|(name, _)| name.len()).sum::<usize>());
        let (_, path) = bundle_root(bed.source(&name, &files), Path::new("/base")).unwrap();
        assert_eq!(path, Path::new("/base"));
    }
}

#[test]
fn a_deadline_of_the_source_ends_it() {
    let bed = Bed::with([]);
    let root = bed.source("out", &[]);
    let bundle = gzip(&tar(&[file("a")]));
    let expired = Deadline::after(std::time::Duration::ZERO);
    let source = Timed::new(bundle.as_slice(), &expired);
    assert!(matches!(
        extract::extract(source, &root, &Deadline::none()),
        Err(ExtractFailure::Halted(Halted::Expired(_)))
    ));
}

/// Reads the archive of a policy set; returns its files.
fn read_set_of(entries: &[Vec<u8>]) -> Result<Vec<(String, usize)>, ArchiveError> {
    let mut files = Vec::new();
    read_set(&gzip(&tar(entries)), &mut |name, bytes| files.push((name, bytes.len())))?;
    Ok(files)
}

#[test]
fn sets_are_read_by_the_rules_of_bundles() {
    let named = |name: &str| (name.to_owned(), 4);
    let honest = [folder("policies.d/"), file("policies.d/a.wasm"), file("./set.yaml")];
    assert_eq!(read_set_of(&honest), Ok(vec![named("policies.d/a.wasm"), named("set.yaml")]));
    let link = |kind: u8| entry(b"set.yaml", kind, 0o777, b"");
    let many: Vec<_> = (0..=limits::sets::ENTRIES).map(|number| folder(&format!("{number}/"))).collect();
    let large = || {
        let mut large = entry(b"large", b'0', 0o644, b"");
        let mut header = tar::Header::from_byte_slice(&large).clone();
        header.set_size(limits::sets::UNPACKED + 1);
        header.set_cksum();
        large.copy_from_slice(header.as_bytes());
        large
    };
    for (name, entries, says) in [
        ("a symbolic link", vec![link(b'2')], "`set.yaml` is a symbolic link"),
        ("a hard link", vec![file("a"), link(b'1')], "`set.yaml` is a hard link"),
        ("a device", vec![link(b'3')], "`set.yaml` is a device"),
        ("a pipe", vec![link(b'6')], "`set.yaml` is a pipe"),
        ("an absolute path", vec![file("/etc/mcp/config.yaml")], "is absolute"),
        ("a path that leads out", vec![file("policies.d/../../x")], "has `..` in it"),
        ("a name twice", vec![file("set.yaml"), file("set.yaml")], "stands in it twice"),
        ("a name in two spellings", vec![file("set.yaml"), file("./set.yaml")], "stands in it twice"),
        ("names that differ in case", vec![file("set.yaml"), file("Set.yaml")], "in case only"),
        (
            "a long name in two headers",
            vec![pax(b'x', &[("path", "a")]), pax(b'x', &[("path", "b")]), file("c")],
            "twice",
        ),
        ("too many entries", many, "more than 4096 entries"),
        ("too many bytes", vec![large()], "more than 268435456 bytes"),
    ] {
        let refused = read_set_of(&entries).unwrap_err().to_string();
        assert!(refused.contains(says), "{name}: {refused}");
    }
}

#[test]
fn what_is_packed_as_a_set_is_read_back() {
    let files = [("set.yaml", "text"), ("policies.d/a.wasm", "bytes")];
    let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into();
    let archive = crate::set::pack_set(&files).unwrap();
    assert_eq!(archive, crate::set::pack_set(&files).unwrap());
    let mut read = std::collections::BTreeMap::new();
    read_set(&archive, &mut |name, bytes| drop(read.insert(name, bytes))).unwrap();
    assert_eq!(read, files);
    // Nothing in it tells where or when it was made.
    let tar = std::io::read_to_string(flate2::read::GzDecoder::new(&archive[..])).unwrap();
    assert!(tar.contains("0000644\0") && archive[4..8] == [0; 4], "{tar}");
}
