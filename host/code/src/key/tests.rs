//! The key: made once, by whoever is first, and never shared.

use std::thread;

use cap_std::fs::Permissions;
use cap_std::fs::PermissionsExt as _;

use super::*;
use smcp_bed::Bed;
use smcp_bed::caller;

/// A [`Bed`] that is the folder of a key.
trait KeyBed {
    fn read(&self) -> io::Result<Option<[u8; LENGTH]>>;

    fn make(&self) -> io::Result<[u8; LENGTH]>;

    fn mode(&self, mode: u32);
}

fn bed() -> Bed {
    Bed::with([])
}

impl KeyBed for Bed {
    fn read(&self) -> io::Result<Option<[u8; LENGTH]>> {
        read(&self.root, self.folder(), caller()).map(|key| key.map(|key| key.0))
    }

    fn make(&self) -> io::Result<[u8; LENGTH]> {
        read_or_make(&self.root, self.folder(), caller()).map(|key| key.0)
    }

    fn mode(&self, mode: u32) {
        self.root.set_permissions(FILE, Permissions::from_mode(mode)).unwrap();
    }
}

#[test]
fn a_key_is_made_once_and_only_its_owner_reads_it() {
    let bed = bed();
    assert_eq!(bed.read().unwrap(), None);
    let key = bed.make().unwrap();
    assert_eq!(bed.read().unwrap(), Some(key));
    assert_eq!(bed.make().unwrap(), key);
    assert_eq!(bed.root.metadata(FILE).unwrap().mode() & 0o777, 0o600);
    assert_ne!(self::bed().make().unwrap(), key, "each is another");
    assert_eq!(bed.root.entries().unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn many_who_make_it_at_once_get_the_same() {
    let bed = bed();
    let keys: Vec<_> = thread::scope(|scope| {
        let makers: Vec<_> = (0..16).map(|_| scope.spawn(|| bed.make().unwrap())).collect();
        makers.into_iter().map(|maker| maker.join().unwrap()).collect()
    });
    assert!(keys.iter().all(|key| *key == keys[0]));
}

/// As a full disk or a lost power leaves it: made again.
#[test]
fn what_is_no_whole_key_is_none() {
    for contents in [&[][..], &[1; LENGTH - 1], &[1; LENGTH + 1], &[0; LENGTH], &[1; 100_000]] {
        let bed = bed();
        bed.root.write(FILE, contents).unwrap();
        bed.mode(0o600);
        assert_eq!(bed.read().unwrap(), None, "{} bytes", contents.len());
        let key = bed.make().unwrap();
        assert_eq!(bed.read().unwrap(), Some(key));
    }
}

/// A key that others could have read says nothing: it is replaced, and code that was kept with it is compiled again.
#[test]
fn a_key_that_others_could_read_or_that_is_no_file_is_replaced() {
    type Put = fn(&Bed);
    let cases: [(&str, Put); 4] = [
        ("readable by the group", |bed| bed.mode(0o640)),
        ("readable by others", |bed| bed.mode(0o604)),
        ("a link", |bed| {
            bed.root.rename(FILE, &bed.root, "elsewhere").unwrap();
            bed.root.symlink("elsewhere", FILE).unwrap();
        }),
        ("a pipe", |bed| {
            bed.root.remove_file(FILE).unwrap();
            nix::sys::stat::mknod(
                &bed.path(FILE),
                nix::sys::stat::SFlag::S_IFIFO,
                nix::sys::stat::Mode::from_bits_retain(0o600),
                0,
            )
            .unwrap();
        }),
    ];
    for (case, put) in cases {
        let bed = bed();
        let old = bed.make().unwrap();
        put(&bed);
        assert!(bed.read().is_err(), "{case}");
        let new = bed.make().unwrap();
        assert_ne!(new, old, "{case}");
        assert_eq!(bed.read().unwrap(), Some(new), "{case}");
    }
}

#[test]
fn a_folder_in_its_place_and_a_folder_that_others_write_give_no_key() {
    let bed = bed();
    bed.root.create_dir(FILE).unwrap();
    assert!(bed.read().is_err() && bed.make().is_err());
    let bed = self::bed();
    bed.make().unwrap();
    bed.root.set_permissions(".", Permissions::from_mode(0o777)).unwrap();
    assert!(bed.read().is_err() && bed.make().is_err());
}

/// Only root can give a file to another user.
#[test]
fn the_key_of_another_user_is_not_used() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let bed = bed();
    let old = bed.make().unwrap();
    std::os::unix::fs::chown(bed.path(FILE), Some(4242), None).unwrap();
    assert!(bed.read().is_err());
    assert_ne!(bed.make().unwrap(), old);
}
