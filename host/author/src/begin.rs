//! Begins a project: the template of a language, with the policy's name in it.
//!
//! Files whose own name would have a meaning in our tree have another one there: `dot-NAME` becomes `.NAME`, and
//! `NAME.template` becomes `NAME`.

use std::hash::BuildHasher as _;
use std::hash::RandomState;
use std::io;

use cap_std::fs::Dir;

use crate::language::Language;
use smcp_model::name::PolicyName;

include!(concat!(env!("OUT_DIR"), "/carried.rs"));

/// The name that the templates have in the place of the policy's.
const STAND_IN: &str = "my-policy";
/// The folder of the templates' part that every language has.
const ALL: &str = "all";
/// The file with the versions that a project of Rust is built with.
const LOCK: &str = "Cargo.lock";
/// The folder of the SDK in a project of Rust.
const VENDORED: &str = "vendor";

/// The error when no project was begun. No part of one is left.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The name is taken already.
    #[error("`{0}` is there already, and is no empty folder\n→ choose another name, or another folder to begin it in")]
    Exists(PolicyName),
    /// Cargo has rules of its own for names.
    #[error(
        "a package of Rust can't be called `{0}`: its name begins with a letter, and is not that of a part of the SDK"
    )]
    NoCrateName(PolicyName),
    /// The system refuses.
    #[error("can't write `{name}`: {cause}")]
    Unwritable {
        /// The file or folder.
        name: String,
        /// The system's error.
        cause: io::Error,
    },
}

/// Returns the files of a new project: names and contents, in no order.
pub fn project_files(language: Language, name: &PolicyName) -> Vec<(String, Vec<u8>)> {
    let of_language = TEMPLATES.iter().filter(|(of, ..)| *of == language.as_str() || *of == ALL);
    let file = |path: &str, content: &[u8]| {
        let (path, text) = (real_name(path), named(content, name));
        let text = if path == LOCK { in_order(&text) } else { text };
        (path, text.into_bytes())
    };
    let mut files: Vec<_> = of_language.map(|(_, path, content)| file(path, content)).collect();
    if language == Language::Rust {
        files.extend(VENDOR.iter().map(|(path, content)| (format!("{VENDORED}/{path}"), content.to_vec())));
    }
    files
}

/// Writes a new project into the folder NAME in `parent`, which must be missing or empty. Afterwards it is complete, or
/// not there at all.
///
/// # Errors
/// See [`BeginError`].
pub fn begin(parent: &Dir, language: Language, name: &PolicyName) -> Result<(), BeginError> {
    if language == Language::Rust && !is_crate_name(name) {
        return Err(BeginError::NoCrateName(name.clone()));
    }
    if !is_free(parent, name) {
        return Err(BeginError::Exists(name.clone()));
    }
    let draft = format!(".{name}.{:016x}", RandomState::new().hash_one(name));
    let finished = write(parent, &draft, &project_files(language, name)).and_then(|()| {
        // A rename replaces an empty folder, and nothing else.
        parent.rename(&draft, parent, name.as_str()).map_err(|cause| match is_free(parent, name) {
            true => BeginError::Unwritable { name: name.to_string(), cause },
            false => BeginError::Exists(name.clone()),
        })
    });
    if finished.is_err() {
        // When that fails, too, the error still says what failed first.
        let _ = parent.remove_dir_all(&draft);
    }
    finished
}

/// Whether Cargo accepts the name beside those of the SDK's crates.
fn is_crate_name(name: &PolicyName) -> bool {
    let line = format!("name = \"{name}\"");
    let manifests = VENDOR.iter().filter(|(path, _)| path.ends_with("/Cargo.toml"));
    let mut taken = manifests.filter(|(_, text)| String::from_utf8_lossy(text).lines().any(|own| own == line));
    name.as_str().starts_with(|first: char| first.is_ascii_lowercase()) && taken.next().is_none()
}

/// Whether the name is free, or that of an empty folder. A link takes the name, wherever it leads.
fn is_free(parent: &Dir, name: &PolicyName) -> bool {
    match parent.symlink_metadata(name.as_str()) {
        Err(error) => error.kind() == io::ErrorKind::NotFound,
        Ok(found) => found.is_dir() && parent.read_dir(name.as_str()).is_ok_and(|mut entries| entries.next().is_none()),
    }
}

fn write(parent: &Dir, draft: &str, files: &[(String, Vec<u8>)]) -> Result<(), BeginError> {
    let unwritable = |name: &str| {
        let name = name.to_owned();
        move |cause| BeginError::Unwritable { name, cause }
    };
    parent.create_dir(draft).map_err(unwritable(draft))?;
    let folder = parent.open_dir(draft).map_err(unwritable(draft))?;
    files.iter().try_for_each(|(name, content)| {
        let above = name.rsplit_once('/').map_or(Ok(()), |(above, _)| folder.create_dir_all(above));
        above.and_then(|()| folder.write(name, content)).map_err(unwritable(name))
    })
}

/// The name that a file of a template has in a project.
fn real_name(path: &str) -> String {
    let parts =
        path.split('/').map(|part| part.strip_prefix("dot-").map_or(part.to_owned(), |rest| format!(".{rest}")));
    let path = parts.collect::<Vec<_>>().join("/");
    path.strip_suffix(".template").map_or(path.clone(), str::to_owned)
}

/// The content of a file with the policy's name in it.
fn named(content: &[u8], name: &PolicyName) -> String {
    String::from_utf8_lossy(content).replace(STAND_IN, name.as_str())
}

/// A lock file with its packages in the order of their names, as Cargo wants it.
fn in_order(lock: &str) -> String {
    const HEAD: &str = "[[package]]\n";
    let mut parts = lock.split(HEAD);
    let begin = parts.next().unwrap_or_default();
    let mut packages: Vec<String> = parts.map(|package| format!("{}\n\n", package.trim_end())).collect();
    packages.sort_by(|one, other| one.lines().next().cmp(&other.lines().next()));
    let text = std::iter::once(begin.to_owned()).chain(packages.iter().map(|package| format!("{HEAD}{package}")));
    format!("{}\n", text.collect::<String>().trim_end())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn name() -> PolicyName {
        "few-findings".parse().unwrap()
    }

    #[expect(clippy::disallowed_methods, reason = "a test reads the tree")]
    fn below(folder: &str) -> BTreeSet<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let (mut found, mut todo) = (BTreeSet::new(), vec![root.join(folder)]);
        while let Some(path) = todo.pop() {
            if path.is_dir() {
                todo.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            } else {
                found.insert(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
            }
        }
        found
    }

    #[test]
    fn nothing_of_the_sdk_and_of_the_templates_is_missing() {
        let carried: BTreeSet<String> = VENDOR.iter().map(|(path, _)| (*path).to_owned()).collect();
        let mut sdk = below("sdk");
        // The stub is a part of components, and of smcp; authors of Rust never see it.
        sdk.retain(|path| !path.starts_with("sdk/wasi-stub"));
        sdk.extend(["wit/policy.wit", "LICENSE", "Cargo.toml"].map(str::to_owned));
        assert_eq!(carried, sdk);
        let templates = TEMPLATES.iter().map(|(language, path, _)| format!("host/author/templates/{language}/{path}"));
        assert!(templates.collect::<BTreeSet<_>>().is_superset(&below("host/author/templates")));
    }

    #[test]
    fn every_language_has_all_that_a_project_needs_under_its_real_name() {
        for language in Language::ALL {
            let files = project_files(language, &name());
            let names: BTreeSet<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names.len(), files.len(), "{language}: no name twice");
            for needed in ["README.md", "cases/hosts.yaml", ".gitignore", ".github/workflows/policy.yml"] {
                assert!(names.contains(needed), "{language} has no {needed}: {names:?}");
            }
            for (file, content) in files.iter().filter(|(file, _)| !file.starts_with(VENDORED)) {
                assert!(!file.contains("dot-") && !file.contains(".template"), "{file}");
                let text = std::str::from_utf8(content).unwrap();
                assert!(!text.contains(STAND_IN), "{language}: {file} has the stand-in");
            }
            let says = |file: &str| files.iter().any(|(_, text)| String::from_utf8_lossy(text).contains(file));
            assert!(says("few-findings"), "{language}");
        }
    }

    #[test]
    fn a_project_of_rust_is_built_with_the_versions_of_smcp() {
        let ours = include_str!("../../../Cargo.lock");
        for name in ["aardvark", "few-findings", "zebra"] {
            let files = project_files(Language::Rust, &name.parse().unwrap());
            let (_, lock) = files.iter().find(|(file, _)| file == LOCK).unwrap();
            let lock = std::str::from_utf8(lock).unwrap();
            let packages: Vec<_> = lock.split("[[package]]").skip(1).map(str::trim).collect();
            let is_known = |package: &&&str| {
                // Which others a package needs depends on the features that are used of it.
                let pinned = package.split("dependencies = [").next().unwrap().trim();
                !pinned.contains("checksum = ") || ours.contains(pinned)
            };
            let unknown: Vec<_> = packages.iter().filter(|package| !is_known(package)).collect();
            assert!(packages.len() > 20 && unknown.is_empty(), "run `cargo xtask templates`: {unknown:#?}");
            let names: Vec<_> = packages.iter().filter_map(|package| package.lines().next()).collect();
            assert!(names.is_sorted() && names.contains(&format!("name = \"{name}\"").as_str()), "{names:?}");
        }
    }

    #[test]
    fn only_a_place_that_is_free_is_taken() {
        let folder = tempfile::TempDir::new().unwrap();
        let parent = Dir::open_ambient_dir(folder.path(), cap_std::ambient_authority()).unwrap();
        let taken = |parent: &Dir| matches!(begin(parent, Language::C, &name()), Err(BeginError::Exists(_)));
        parent.write("few-findings", "a file").unwrap();
        assert!(taken(&parent));
        parent.remove_file("few-findings").unwrap();
        parent.create_dir("elsewhere").unwrap();
        parent.symlink("elsewhere", "few-findings").unwrap();
        assert!(taken(&parent), "a link to an empty folder");
        parent.remove_file("few-findings").unwrap();
        parent.create_dir_all("few-findings/inside").unwrap();
        assert!(taken(&parent));
        parent.remove_dir("few-findings/inside").unwrap();
        begin(&parent, Language::C, &name()).unwrap();
        assert!(parent.exists("few-findings/policy.c") && taken(&parent));
        let left: BTreeSet<_> = parent.entries().unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, BTreeSet::from(["elsewhere".into(), "few-findings".into()]), "nothing else is left");
    }

    #[test]
    fn a_folder_that_cant_be_written_to_holds_nothing_afterwards() {
        let proc = Dir::open_ambient_dir("/proc", cap_std::ambient_authority()).unwrap();
        let error = begin(&proc, Language::Go, &name()).unwrap_err();
        assert!(matches!(error, BeginError::Unwritable { .. }), "{error}");
    }
}
