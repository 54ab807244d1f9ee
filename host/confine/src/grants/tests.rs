//! What is granted in a home with keys, links and hostile earlier runs.

#![expect(clippy::disallowed_methods, reason = "a test makes the home that it looks at")]

use std::fs;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

fn view() -> FileView {
    FileView {
        resolve: |path| path.canonicalize().ok(),
        names: |path| {
            fs::read_dir(path).map_or_else(|_| Vec::new(), |all| all.map(|one| one.unwrap().file_name()).collect())
        },
    }
}

/// A home, with keys, smcp's folder, documents and a link.
struct Home {
    _folder: TempDir,
    path: PathBuf,
}

impl Home {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().canonicalize().unwrap();
        for name in [".ssh", ".mcp/data", "docs", "work", ".config/google-chrome", ".config/tool", "state"] {
            fs::create_dir_all(path.join(name)).unwrap();
        }
        fs::write(path.join("notes.txt"), "").unwrap();
        symlink(path.join(".ssh"), path.join("link")).unwrap();
        Self { _folder: folder, path }
    }

    /// What is granted in the home, by names relative to it.
    fn granted(&self, read: &[&str], write: &[&str]) -> Vec<(String, Right)> {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        let permissions =
            Permissions { filesystem_read: owned(read), filesystem_write: owned(write), ..Permissions::default() };
        let surroundings = Surroundings {
            home: Some(self.path.clone()),
            kept: Vec::new(),
            own: vec![self.path.join("state")],
            view: view(),
        };
        let grants = Grants::of(&permissions, &[], None, &surroundings).list.into_iter();
        let inside = grants.filter_map(|grant| {
            let name = grant.path.strip_prefix(&self.path).ok()?.to_str().unwrap().to_owned();
            (!name.starts_with("state")).then_some((name, grant.right))
        });
        inside.collect()
    }
}

fn rights(names: &[&str], right: Right) -> Vec<(String, Right)> {
    names.iter().map(|name| ((*name).to_owned(), right)).collect()
}

#[test]
fn a_manifest_that_asks_for_nothing_gets_nothing_of_the_home() {
    assert_eq!(Home::new().granted(&[], &[]), []);
    assert_eq!(Home::new().granted(&["docs", "./docs", "../docs", "~/missing", "~/../x"], &["data"]), []);
}

#[test]
fn what_is_asked_for_is_granted_as_it_was_asked_for() {
    let home = Home::new();
    assert_eq!(home.granted(&["~/docs"], &["~/work"]), [("docs".into(), Right::Read), ("work".into(), Right::Write)]);
    assert_eq!(home.granted(&["~/notes.txt"], &[]), rights(&["notes.txt"], Right::Read));
}

#[test]
fn keys_and_browsers_are_granted_by_their_names_alone() {
    let home = Home::new();
    let all = [".config/tool", "docs", "notes.txt", "work"];
    for asked in ["~", "~/*", "*", "/"] {
        assert_eq!(home.granted(&[asked], &[]), rights(&all, Right::Read), "{asked}");
        assert_eq!(home.granted(&[], &[asked]), rights(&all, Right::Write), "{asked}");
    }
    assert_eq!(home.granted(&["~/.ssh"], &[]), rights(&[".ssh"], Right::Read));
    assert_eq!(home.granted(&["~/.config/google-chrome"], &[]), rights(&[".config/google-chrome"], Right::Read));
    assert_eq!(home.granted(&["~/link"], &[]), [], "another name for the keys");
}

#[test]
fn a_link_that_an_earlier_run_could_have_planted_grants_nothing() {
    let home = Home::new();
    symlink(home.path.join("docs"), home.path.join("work/out")).unwrap();
    assert_eq!(home.granted(&["~/work/out"], &["~/work"]), rights(&["work"], Right::Write));
    assert_eq!(home.granted(&["~/work/out"], &[]), rights(&["docs"], Right::Read), "nobody but the user made it");
    symlink(home.path.join("docs"), home.path.join("state/out")).unwrap();
    assert_eq!(home.granted(&["~/state/out"], &[]), []);
}

#[test]
fn only_who_may_start_others_shares_memory_with_them() {
    let surroundings = Surroundings { home: None, kept: Vec::new(), own: Vec::new(), view: view() };
    for subprocess in [true, false] {
        let permissions = Permissions { subprocess, ..Permissions::default() };
        let grants = Grants::of(&permissions, &[], None, &surroundings);
        let shares = grants.list.iter().any(|grant| grant.path == Path::new(SHARED_MEMORY));
        assert_eq!(shares, subprocess && Path::new(SHARED_MEMORY).exists());
    }
}
