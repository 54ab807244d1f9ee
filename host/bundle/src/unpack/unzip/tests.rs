//! Unpacks MCP bundles.

use super::*;
use smcp_bed::Bed;
use smcp_bed::files;
use smcp_bed::zip;

fn extracted(bytes: &[u8]) -> Result<(Bed, Index), ExtractFailure> {
    let bed = Bed::with(["out"]);
    let root = bed.root.open_dir("out").unwrap();
    extract(bytes, &root, &Deadline::none(), &|| false).map(|index| (bed, index))
}

#[test]
fn files_have_their_modes_and_no_time() {
    let bytes =
        zip(&[("manifest.json", "{}", 0o644), ("server/run", "#!/bin/sh\n", 0o755), ("server/a/b", "text", 0o666)]);
    let (bed, index) = extracted(&bytes).unwrap();
    let root = bed.root.open_dir("out").unwrap();
    let names: Vec<String> = files(&root).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["manifest.json", "server/a/b", "server/run"]);
    assert_eq!(root.read_to_string("server/a/b").unwrap(), "text");
    let mut all: Vec<_> = index.folders.iter().flat_map(|folder| &folder.files).collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    let modes: Vec<_> = all.iter().map(|file| (file.name.as_str(), file.mode)).collect();
    assert_eq!(modes, [("b", 0o400), ("manifest.json", 0o400), ("run", 0o500)]);
    assert!(all.iter().all(|file| file.time == TIME), "{all:?}");
}

#[test]
fn what_two_readers_could_read_differently_is_not_unpacked() {
    let good = zip(&[("manifest.json", "{}", 0o644)]);
    let followed = [good.clone(), b"x".to_vec()].concat();
    let before = [b"x".to_vec(), good.clone()].concat();
    for (bytes, says) in [
        (followed, "something follows its end"),
        (before, "does not end where its end begins"),
        (good[..good.len() - 3].to_vec(), "it is cut off"),
        (zip(&[("../x", "", 0o644)]), "leads elsewhere"),
        (zip(&[("a", "", 0o644), ("A", "", 0o644)]), "only in its capital letters"),
        (zip(&[("a", "", 0o120_777)]), "is a link or a device"),
        (smcp_bed::gzip(b"tar"), "it is no zip archive"),
    ] {
        let Err(ExtractFailure::Archive(problem)) = extracted(&bytes).map(|_| ()) else { panic!("{says}") };
        assert!(problem.to_string().contains(says), "{problem}");
    }
}

#[test]
fn an_interruption_and_a_deadline_end_it() {
    let bytes = zip(&[("manifest.json", "{}", 0o644)]);
    let bed = Bed::with(["out"]);
    let root = bed.root.open_dir("out").unwrap();
    let interrupted = extract(bytes.as_slice(), &root, &Deadline::none(), &|| true);
    assert!(matches!(interrupted, Err(ExtractFailure::Halted(Halted::Interrupted))), "{interrupted:?}");
    let over = Deadline::after(std::time::Duration::ZERO);
    let late = extract(bytes.as_slice(), &root, &over, &|| false);
    assert!(matches!(late, Err(ExtractFailure::Halted(Halted::Expired(_)))), "{late:?}");
}
