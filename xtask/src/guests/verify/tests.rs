//! Tests that the check finds each change that it is there for.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::toolchain::Release;

/// A copy of what the built-ins are built from, with stand-ins for the components and a record that fits.
struct Copy {
    folder: TempDir,
    record: Record,
}

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
        for part in ["Cargo.toml", "sdk", "wit", "builtin-policies"] {
            copy(&root.join(part), &folder.path().join(part));
        }
        let set = &GuestSet::BUILTINS;
        let components = set.guests.iter().map(|guest| {
            let bytes = guest.name.as_bytes();
            fs::create_dir_all(folder.path().join(set.dist)).unwrap();
            fs::write(folder.path().join(set.dist).join(guest.file), bytes).unwrap();
            let component = Component {
                file: guest.file.to_owned(),
                package: guest.package.to_owned(),
                size: bytes.len(),
                sha256: digest::of_bytes(bytes),
                sources: digest::of_sources(folder.path(), guest.folders).unwrap(),
                dependencies: String::new(),
            };
            (guest.name.to_owned(), component)
        });
        let toolchain = Release { rustc: String::new(), commit: String::new(), host: String::new() };
        let record = Record::new(toolchain, String::new(), components.collect());
        Self { folder, record }
    }

    fn problems(&self) -> Vec<String> {
        stale(self.folder.path(), &GuestSet::BUILTINS, &self.record).unwrap()
    }

    fn append(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        let before = fs::read_to_string(&path).unwrap_or_default();
        fs::write(path, before + text).unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        fs::copy(from, to).unwrap();
    }
}

#[test]
fn an_untouched_copy_has_no_problem() {
    assert_eq!(Copy::new().problems(), [""; 0]);
}

#[test]
fn a_changed_source_is_seen_in_the_guests_that_it_is_part_of() {
    let cases: [(&str, &str, &[&str]); 9] = [
        ("builtin-policies/score/src/lib.rs", "// more\n", &["score", "built-ins"]),
        ("builtin-policies/origin/src/new.rs", "", &["origin", "built-ins"]),
        ("builtin-policies/origin/Cargo.toml", "\n", &["origin", "built-ins"]),
        ("builtin-policies/certification/build.rs", "\n", &["certification", "built-ins"]),
        ("sdk/rust/src/lib.rs", "\n", &["origin", "certification", "score", "built-ins"]),
        ("sdk/derive/src/lib.rs", "\n", &["origin", "certification", "score", "built-ins"]),
        ("sdk/rust/wit/policy.wit", "\n", &["origin", "certification", "score", "built-ins"]),
        ("builtin-policies/all/wit/built-ins.wit", "\n", &["built-ins"]),
        ("builtin-policies/score/cases/more.yaml", "[]\n", &[]),
    ];
    for (file, text, guests) in cases {
        let copy = Copy::new();
        copy.append(file, text);
        let expected: Vec<_> =
            guests.iter().map(|guest| format!("`{guest}`: its sources changed since it was built")).collect();
        assert_eq!(copy.problems(), expected, "{file}");
    }
}

#[test]
fn a_changed_profile_is_seen() {
    let copy = Copy::new();
    let manifest = fs::read_to_string(copy.folder.path().join("Cargo.toml")).unwrap();
    let changed = manifest.replace("opt-level = \"z\"", "opt-level = \"s\"");
    assert_ne!(changed, manifest);
    fs::write(copy.folder.path().join("Cargo.toml"), changed).unwrap();
    assert_eq!(copy.problems().len(), 4);
}

#[test]
fn a_changed_or_missing_component_is_seen() {
    let copy = Copy::new();
    copy.append("builtin-policies/dist/origin.wasm", "!");
    fs::remove_file(copy.folder.path().join("builtin-policies/dist/score.wasm")).unwrap();
    let problems = copy.problems();
    assert_eq!(problems[0], "`origin.wasm` is not the file that was recorded");
    assert!(problems[1].starts_with("`score.wasm` can't be read: "), "{problems:?}");
    assert_eq!(problems.len(), 2);
}

#[test]
fn a_record_must_name_every_guest_and_no_other() {
    let mut copy = Copy::new();
    let component = copy.record.components.remove("origin").unwrap();
    copy.record.components.insert("stranger".to_owned(), component);
    assert_eq!(copy.problems(), ["`origin` is not in the record", "the record names `stranger`, which is no guest"]);
}
