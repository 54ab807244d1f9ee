//! What is granted in a home with keys, links and hostile earlier runs.

#![expect(clippy::disallowed_methods, reason = "a test makes the home that it looks at")]

use std::fs;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

fn view() -> FileView {
    FileView {
        resolve: |path| path.canonicalize().ok(),
        target: |path| path.read_link().ok(),
        settled: |_| false,
        names: |path| {
            fs::read_dir(path).map_or_else(|_| Vec::new(), |all| all.map(|one| one.unwrap().file_name()).collect())
        },
    }
}

/// A home, with keys, smcp's folder, documents and a link.
struct Home {
    _folder: TempDir,
    path: PathBuf,
    ruling: Vec<&'static str>,
    mounts: String,
    search_path: Option<OsString>,
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
        Self { _folder: folder, path, ruling: Vec::new(), mounts: String::new(), search_path: None }
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings {
            home: Some(self.path.clone()),
            kept: Vec::new(),
            ruling: self.ruling.iter().map(|name| self.path.join(name)).collect(),
            own: vec![self.path.join("state")],
            mounts: Mount::all_of(self.mounts.as_bytes()),
            view: view(),
        }
    }

    /// What is granted in the home, by names relative to it.
    fn granted(&self, read: &[&str], write: &[&str]) -> Vec<(String, Right)> {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        let permissions = Permissions {
            filesystem_read: owned(read),
            filesystem_write: owned(write),
            subprocess: self.search_path.is_some(),
            ..Permissions::default()
        };
        let surroundings = self.surroundings();
        let grants = Grants::of(&permissions, &[], self.search_path.as_deref(), &surroundings).list.into_iter();
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
fn a_link_that_a_server_could_have_planted_grants_nothing() {
    let home = Home::new();
    // Of this server, of an earlier version, of another one.
    for place in ["work/out", "state/out", "docs/out"] {
        symlink(home.path.join(".config/tool"), home.path.join(place)).unwrap();
        let asked = format!("~/{place}");
        assert_eq!(home.granted(&[&asked], &["~/work"]), rights(&["work"], Right::Write), "{place}");
        assert_eq!(home.granted(&[&asked], &[]), [], "{place}");
    }
    // By a link of the user's that came to lead to one.
    symlink(home.path.join("work/out"), home.path.join("by")).unwrap();
    assert_eq!(home.granted(&["~/by"], &[]), []);
    // Where keys are, no server can make a link.
    symlink(home.path.join("docs"), home.path.join("papers")).unwrap();
    symlink("../docs", home.path.join(".config/papers")).unwrap();
    assert_eq!(home.granted(&["~/papers", "~/.config/papers"], &[]), rights(&["docs"], Right::Read));
    for out in ["/proc/self/cwd", "/proc/self/root", "/dev/fd", "/dev/stdin"] {
        let grants = |asked| home.granted(&[asked], &[]).len();
        assert_eq!(grants(out), 0, "{out}");
    }
}

#[test]
fn links_of_others_are_followed() {
    let home = Home::new();
    symlink(home.path.join("docs"), home.path.join("work/out")).unwrap();
    let permissions = Permissions { filesystem_read: vec!["~/work/out".into()], ..Permissions::default() };
    let mut surroundings = home.surroundings();
    surroundings.view.settled = |folder| folder.ends_with("work");
    let grants = Grants::of(&permissions, &[], None, &surroundings).list;
    assert!(grants.contains(&FileGrant { path: home.path.join("docs"), right: Right::Read }), "{grants:?}");
}

#[test]
fn keys_are_keys_wherever_they_are_mounted() {
    let mut home = Home::new();
    let path = home.path.display().to_string();
    fs::create_dir_all(home.path.join("srv/again/.ssh")).unwrap();
    fs::create_dir_all(home.path.join("srv/key")).unwrap();
    fs::create_dir_all(home.path.join("srv/data")).unwrap();
    // What is seen there is what is seen here, with all that is mounted in it.
    fs::create_dir_all(home.path.join("srv/again/srv/data")).unwrap();
    home.mounts = format!(
        "1 0 0:1 / / rw - ext4 d rw\n2 1 0:1 {path} {path}/srv/again rw - ext4 d rw\n\
         3 1 0:1 {path}/.ssh {path}/srv/key rw - ext4 d rw\n"
    );
    assert_eq!(home.granted(&["~/srv"], &[]), rights(&["srv/again/srv/data", "srv/data"], Right::Read));
    assert_eq!(home.granted(&["~/srv/again/.ssh", "~/srv/key"], &[]), []);
    assert_eq!(home.granted(&["~/.ssh"], &[]), rights(&[".ssh"], Right::Read));
}

#[test]
fn what_rules_name_is_read_and_not_written() {
    let mut home = Home::new();
    fs::create_dir_all(home.path.join("work/rules")).unwrap();
    for name in ["work/rules/policy.wasm", "work/other", "docs/key.pub"] {
        fs::write(home.path.join(name), "").unwrap();
    }
    symlink(home.path.join("docs"), home.path.join("work/current")).unwrap();
    home.ruling = vec!["work/rules/policy.wasm", "work/current/key.pub"];
    assert_eq!(home.granted(&["~/work"], &[]), rights(&["work"], Right::Read));
    assert_eq!(home.granted(&[], &["~/work", "~/docs"]), rights(&["work/other"], Right::Write));
    // Whoever names it, and has it allowed, gets it.
    assert_eq!(home.granted(&[], &["~/work/rules/policy.wasm"]), rights(&["work/rules/policy.wasm"], Right::Write));
}

#[test]
fn what_starts_with_the_user_is_not_written_with_his_home() {
    let mut home = Home::new();
    fs::write(home.path.join(".bashrc"), "").unwrap();
    fs::create_dir_all(home.path.join("work/bin")).unwrap();
    home.search_path = Some(home.path.join("work/bin").into());
    assert_eq!(home.granted(&[], &["~/.bashrc"]).first(), Some(&(".bashrc".to_owned(), Right::Write)));
    let writes = |asked: &str| {
        let granted = home.granted(&[], &[asked]).into_iter();
        granted.filter_map(|(name, right)| (right == Right::Write).then_some(name)).collect::<Vec<_>>()
    };
    assert_eq!(writes("~"), [".config/tool", "docs", "notes.txt"]);
    assert_eq!(writes("~/work"), ["work"]);
}

#[test]
fn no_path_to_programs_opens_the_home() {
    let mut home = Home::new();
    fs::create_dir_all(home.path.join("bin/inner")).unwrap();
    for (folder, granted) in [("bin/..", &[][..]), ("bin", &["bin"]), ("bin/inner/..", &["bin"]), ("", &[])] {
        home.search_path = Some(home.path.join(folder).into());
        assert_eq!(home.granted(&[], &[]), rights(granted, Right::Run), "{folder}");
    }
    fs::create_dir_all(home.path.join(".docker/bin")).unwrap();
    for (folder, granted) in [(".ssh", &[][..]), (".docker", &[]), (".docker/bin", &[".docker/bin"])] {
        home.search_path = Some(home.path.join(folder).into());
        assert_eq!(home.granted(&[], &[]), rights(granted, Right::Run), "{folder}");
    }
    home.search_path = Some(home.path.join(".config").into());
    assert_eq!(home.granted(&[], &[]), rights(&[".config/tool"], Right::Run), "without the keys in it");
}

#[test]
fn a_program_beside_keys_brings_no_keys_with_it() {
    let home = Home::new();
    for name in [".docker/bin", ".cargo/bin", "work/bin"] {
        fs::create_dir_all(home.path.join(name)).unwrap();
        fs::write(home.path.join(name).join("tool"), "").unwrap();
    }
    let here = std::env::current_dir().unwrap();
    let granted = |program: PathBuf| {
        let grants = Grants::of(
            &Permissions { subprocess: false, ..Permissions::default() },
            &[program],
            None,
            &home.surroundings(),
        );
        let run = grants.list.into_iter().filter(|grant| grant.right == Right::Run).map(|grant| grant.path);
        run.filter(|path| path.starts_with(&home.path) || here.starts_with(path)).collect::<Vec<_>>()
    };
    let at = |name: &str| home.path.join(name);
    assert_eq!(granted(at(".docker/bin/tool")), [at(".docker/bin/tool")]);
    assert_eq!(granted(at("work/bin/tool")), [at("work")]);
    // Those of whoever looks are not those of the server.
    for path in ["/proc/self/cwd/tool", "/proc/thread-self/cwd/bin/../tool", "/dev/fd/0/tool"] {
        assert_eq!(granted(path.into()), [] as [PathBuf; 0], "{path}");
    }
    assert_eq!(granted(here.join("tool")), std::slice::from_ref(&here), "the same folder by its name");
}

#[test]
fn what_the_kernel_shows_is_not_written_with_everything() {
    let home = Home::new();
    let permissions = |asked: &str| Permissions { filesystem_write: vec![asked.into()], ..Permissions::default() };
    let written = |asked: &str| {
        let list = Grants::of(&permissions(asked), &[], None, &home.surroundings()).list.into_iter();
        let of_kernel = |path: &Path| ["/proc", "/sys", "/dev"].iter().any(|folder| path.starts_with(folder));
        let written = list.filter(|grant| grant.right == Right::Write && of_kernel(&grant.path));
        written.map(|grant| grant.path).filter(|path| path != Path::new(SHARED_MEMORY)).collect::<Vec<_>>()
    };
    assert!(written("/").is_empty());
    assert_eq!(written("/sys"), [PathBuf::from("/sys")]);
}

#[test]
fn only_who_may_start_others_shares_memory_with_them() {
    let surroundings = Surroundings {
        home: None,
        kept: Vec::new(),
        ruling: Vec::new(),
        own: Vec::new(),
        mounts: Vec::new(),
        view: view(),
    };
    for subprocess in [true, false] {
        let permissions = Permissions { subprocess, ..Permissions::default() };
        let grants = Grants::of(&permissions, &[], None, &surroundings);
        let shares = grants.list.iter().any(|grant| grant.path == Path::new(SHARED_MEMORY));
        assert_eq!(shares, subprocess && Path::new(SHARED_MEMORY).exists());
    }
}
