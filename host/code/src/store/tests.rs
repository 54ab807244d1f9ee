//! The store: it finds what it keeps, and nothing that another put there.

use std::thread;
use std::time::Duration;
use std::time::UNIX_EPOCH;

use cap_std::ambient_authority;
use cap_std::fs::Permissions;
use cap_std::fs::PermissionsExt as _;

use super::*;
use smcp_bed::caller;

/// A folder with a cache and a home, removed when dropped.
struct Bed {
    temp: tempfile::TempDir,
    root: Dir,
}

#[expect(clippy::disallowed_methods, reason = "the test takes the place of `authority`")]
fn make(path: &Path) -> io::Result<Dir> {
    std::fs::create_dir_all(path)?;
    open(path)
}

fn open(path: &Path) -> io::Result<Dir> {
    Dir::open_ambient_dir(path, ambient_authority())
}

fn component() -> Digest {
    Digest::of(b"component")
}

/// What can be kept without a compiler: a refusal.
fn refusal(why: &str) -> Kept {
    Kept { code: None, notes: why.into() }
}

impl Bed {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let root = open(temp.path()).unwrap();
        Self { temp, root }
    }

    fn places(&self) -> CodePlaces {
        CodePlaces {
            cache: Some(self.temp.path().join("cache")),
            key: Some(self.temp.path().join("home")),
            caller: caller(),
            open,
            make,
            clock: || UNIX_EPOCH + Duration::from_secs(4_000_000_000),
        }
    }

    fn store(&self) -> CompiledStore {
        CompiledStore::new(self.places())
    }

    /// The name of the one compiled file.
    fn file(&self) -> String {
        let mut names = self.root.read_dir("cache/compiled").unwrap().map(|entry| entry.unwrap().file_name());
        let name = format!("cache/compiled/{}", names.next().unwrap().into_string().unwrap());
        assert!(names.next().is_none());
        name
    }

    /// A bed in which something is kept.
    fn filled() -> Self {
        let bed = Self::new();
        bed.store().keep(component(), &refusal("kept"));
        bed
    }

    fn found(&self) -> Option<String> {
        self.store().find(component(), LayerName::User).map(|kept| kept.notes.to_string())
    }
}

#[test]
fn what_is_kept_is_found_by_the_next_process_and_by_this_one() {
    let bed = Bed::new();
    let store = bed.store();
    assert!(store.find(component(), LayerName::User).is_none());
    store.keep(component(), &refusal("kept"));
    assert_eq!(store.problem(), None);
    assert!(store.find(component(), LayerName::User).is_some());
    for layer in LayerName::ALL {
        assert_eq!(&*bed.store().find(component(), layer).unwrap().notes, "kept");
    }
    assert!(bed.store().find(Digest::of(b"another"), LayerName::User).is_none());
    store.keep(component(), &refusal("kept again"));
    assert_eq!(bed.found().as_deref(), Some("kept again"));
    bed.file();
}

/// Each of them is compiled again, and the file is replaced by one that is used.
#[test]
fn whatever_stands_in_the_place_of_a_file_is_not_trusted() {
    type Put = fn(&Bed, &str);
    let cases: [(&str, Put); 9] = [
        ("empty", |bed, file| bed.root.write(file, "").unwrap()),
        ("another kind of file", |bed, file| bed.root.write(file, vec![b'x'; 10_000]).unwrap()),
        ("writable by others", |bed, file| bed.root.set_permissions(file, Permissions::from_mode(0o602)).unwrap()),
        ("writable by a group", |bed, file| bed.root.set_permissions(file, Permissions::from_mode(0o620)).unwrap()),
        ("a link to the file itself", |bed, file| {
            bed.root.rename(file, &bed.root, "cache/elsewhere").unwrap();
            bed.root.symlink("../elsewhere", file).unwrap();
        }),
        ("a link to nothing", |bed, file| {
            bed.root.remove_file(file).unwrap();
            bed.root.symlink("nowhere", file).unwrap();
        }),
        ("a link out of the folder", |bed, file| {
            bed.root.remove_file(file).unwrap();
            std::os::unix::fs::symlink("/dev/zero", bed.temp.path().join(file)).unwrap();
        }),
        ("a pipe", |bed, file| {
            bed.root.remove_file(file).unwrap();
            let mode = nix::sys::stat::Mode::from_bits_retain(0o600);
            nix::sys::stat::mknod(&bed.temp.path().join(file), nix::sys::stat::SFlag::S_IFIFO, mode, 0).unwrap();
        }),
        ("another key", |bed, _| bed.root.write("home/compiled.key", [9; 32]).unwrap()),
    ];
    for (case, put) in cases {
        let bed = Bed::filled();
        put(&bed, &bed.file());
        assert_eq!(bed.found(), None, "{case}");
        bed.store().keep(component(), &refusal("again"));
        assert_eq!(bed.found().as_deref(), Some("again"), "{case}");
    }
}

/// A folder is the user's, and stays; then each start compiles.
#[test]
fn a_folder_in_the_place_of_a_file_stays() {
    let bed = Bed::filled();
    let file = bed.file();
    bed.root.remove_file(&file).unwrap();
    bed.root.create_dir_all(format!("{file}/inside")).unwrap();
    assert_eq!(bed.found(), None);
    let store = bed.store();
    store.keep(component(), &refusal("again"));
    assert!(store.problem().is_some());
    assert!(bed.root.exists(format!("{file}/inside")));
    assert_eq!(bed.root.read_dir("cache/compiled").unwrap().count(), 1, "no draft is left");
}

#[test]
fn a_folder_that_another_user_could_write_is_not_used() {
    for folder in ["cache", "cache/compiled", "home"] {
        for mode in [0o777, 0o770, 0o1777] {
            let bed = Bed::filled();
            bed.root.set_permissions(folder, Permissions::from_mode(mode)).unwrap();
            assert_eq!(bed.found(), None, "{folder} {mode:o}");
            let store = bed.store();
            store.keep(component(), &refusal("again"));
            assert!(store.problem().is_some(), "{folder} {mode:o}");
        }
    }
    let bed = Bed::filled();
    bed.root.rename("cache/compiled", &bed.root, "elsewhere").unwrap();
    std::os::unix::fs::symlink("../elsewhere", bed.temp.path().join("cache/compiled")).unwrap();
    assert_eq!(bed.found(), None, "a link in the place of the folder");
}

/// Only root can give a file to another user.
#[test]
fn what_belongs_to_another_user_is_not_used() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    for what in ["cache", "cache/compiled", "home", "home/compiled.key", "file"] {
        let bed = Bed::filled();
        let name = if what == "file" { bed.file() } else { what.to_owned() };
        std::os::unix::fs::chown(bed.temp.path().join(name), Some(4242), None).unwrap();
        assert_eq!(bed.found(), None, "{what}");
    }
}

/// The MAC is of this user's key, so his files say nothing to another user who could read them.
#[test]
fn a_store_that_was_copied_to_another_home_is_not_used() {
    let (here, there) = (Bed::filled(), Bed::filled());
    let copy = here.root.read(here.file()).unwrap();
    there.root.write(there.file(), copy).unwrap();
    assert_eq!(there.found(), None);
    there.root.write("home/compiled.key", here.root.read("home/compiled.key").unwrap()).unwrap();
    assert_eq!(there.found().as_deref(), Some("kept"));
}

#[test]
fn without_a_place_nothing_is_kept_and_it_is_said() {
    let bed = Bed::new();
    for places in [CodePlaces { cache: None, ..bed.places() }, CodePlaces { key: None, ..bed.places() }] {
        let store = CompiledStore::new(places);
        assert!(store.find(component(), LayerName::User).is_none());
        store.keep(component(), &refusal("kept"));
        assert!(store.problem().unwrap().as_str().contains("HOME is not set"));
    }
    let read_only = CodePlaces { make: |_| Err(io::ErrorKind::ReadOnlyFilesystem.into()), ..bed.places() };
    let store = CompiledStore::new(read_only);
    store.keep(component(), &refusal("kept"));
    assert!(store.problem().unwrap().as_str().contains("read-only"), "{:?}", store.problem());
    assert_eq!(bed.root.entries().unwrap().count(), 0);
}

/// A folder with other contents is not made a cache.
#[test]
fn a_folder_of_somebody_else_is_left_alone() {
    let bed = Bed::new();
    bed.root.create_dir("cache").unwrap();
    bed.root.write("cache/photo.jpg", "").unwrap();
    let store = bed.store();
    store.keep(component(), &refusal("kept"));
    assert!(store.problem().unwrap().as_str().contains("photo.jpg"));
    assert_eq!(bed.root.read_dir("cache").unwrap().count(), 1);
}

#[test]
fn many_who_keep_and_find_at_once_see_whole_files() {
    let bed = Bed::new();
    let texts: Vec<String> = (0..8).map(|number| number.to_string().repeat(100_000)).collect();
    thread::scope(|scope| {
        for text in &texts {
            let (bed, texts) = (&bed, &texts);
            scope.spawn(move || {
                for _ in 0..10 {
                    bed.store().keep(component(), &refusal(text));
                    let found = bed.found().unwrap();
                    assert!(texts.contains(&found), "{} bytes", found.len());
                }
            });
        }
    });
    bed.file();
}

/// The time of the last use decides what makes room; it is written down once an hour.
#[test]
fn use_is_noted_from_time_to_time() {
    let bed = Bed::filled();
    let file = bed.file();
    let set = |age: u64| {
        let time = nix::sys::time::TimeSpec::new(i64::try_from(4_000_000_000 - age).unwrap(), 0);
        let flags = nix::sys::stat::UtimensatFlags::NoFollowSymlink;
        nix::sys::stat::utimensat(&bed.root, file.as_str(), &time, &time, flags).unwrap();
    };
    let modified = || bed.root.metadata(&file).unwrap().modified().unwrap();
    for (age, noted) in [(10, false), (compiling::RENEWED.as_secs() + 1, true)] {
        set(age);
        let before = modified();
        bed.found().unwrap();
        assert_eq!(modified() != before, noted, "{age}");
    }
}
