//! Sets of two layers, each of which concerns itself alone.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::machines::*;
use super::*;
use smcp_authority as authority;
use smcp_authority::Folder;
use smcp_authority::Guarded;
use smcp_authority::GuardedNames;
use smcp_config::Files;
use smcp_config::Places;
use smcp_config::discover;
use smcp_config::discover::Asked;
use smcp_model::ownership::Owners;
use smcp_model::progress::Unwatched;
use smcp_signature::secret_key::SecretKey;

const ADDRESS: &str = "oci://r.example/company/rules:1";

#[derive(Debug)]
struct RealFiles;

impl Files for RealFiles {
    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        authority::names(folder)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        authority::exists(path)
    }

    fn read_guarded(&self, path: &Path, limit: usize, folder: Folder, owners: Owners) -> Guarded {
        authority::read_guarded(path, limit, folder, owners)
    }

    fn names_guarded(&self, path: &Path, folder: Folder, owners: Owners) -> GuardedNames {
        authority::names_guarded(path, folder, owners)
    }

    fn foreign_owner(&self, path: &Path) -> Option<u32> {
        authority::foreign_owner(path)
    }
}

/// The configuration of a machine on which the added layer and the user's name these sets.
fn config_of(added: &Shelf, user: &Shelf) -> Config {
    let folder = tempfile::TempDir::new().unwrap();
    let write = |name: &str, shelf: &Shelf| {
        let file = folder.path().join(name);
        fs::write(
            &file,
            format!(
                "trusted_registries: [https://own.example]\npolicy: {{policy_set: {{source: '{}'}}}}\n",
                shelf.path().display()
            ),
        )
        .unwrap();
        file
    };
    let (added, user) = (write("added.yaml", added), write("user.yaml", user));
    let places =
        Places { home: None, working_directory: folder.path().to_owned(), system_folder: folder.path().join("none") };
    let asked = Asked { flag: Some(&user), user_variable: None, system_variable: Some(added.as_os_str()) };
    discover::discover(asked, &places, &RealFiles).unwrap().config
}

#[test]
fn a_set_that_fails_takes_nothing_from_the_others() {
    for is_added in [true, false] {
        let (good, bad, machine) = (Shelf::new(), Shelf::new(), Machine::new(""));
        let config = if is_added { config_of(&good, &bad) } else { config_of(&bad, &good) };
        let start = || add_sets(&mut config.clone(), &machine.system(FIRST_DAY), Duration::from_secs(60));
        good.put_version(7, GOOD);
        assert_eq!(start().unwrap_err().code(), "set-unavailable");
        // What it has seen counts when nothing is wrong with the other one any more.
        good.put_version(6, GOOD);
        bad.put_version(1, GOOD);
        let found = start().unwrap();
        assert_eq!(found.notices.iter().map(|notice| notice.code).collect::<Vec<_>>(), LAST_GOOD);
    }
}

#[test]
fn a_short_start_leaves_the_sets_of_others_their_time() {
    let (shelf, key) = (Shelf::at(ADDRESS), SecretKey::generate().unwrap());
    let machine = Machine::trusting(&[&key], "");
    shelf.put_signed(&key, &set(&head(1, GOOD)));
    let (config, system) = (machine.config(&shelf), machine.system(FIRST_DAY));
    let (parent, _, reference) = named(&config).pop().unwrap();
    let hurry = Deadline::after(Duration::from_secs(1));
    for (name, least, most) in
        [(LayerName::SystemSet, 1_001, 2_000), (LayerName::AddedSet, 1_001, 2_000), (LayerName::UserSet, 0, 500)]
    {
        let mut round = SetRound::begin(&config, &system, &shelf, Eagerness::Needed, &hurry);
        assert_eq!(round.settle(&parent, name, &reference).unwrap().layer.set().unwrap().version, 1);
        let patience = shelf.patience.get().unwrap().as_millis();
        assert!(least <= patience && patience <= most, "{name:?}: {patience} ms");
    }
}

#[test]
fn nothing_is_decided_without_a_set_that_is_named() {
    let (added, user, machine) = (Shelf::new(), Shelf::new(), Machine::new(""));
    let bare = config_of(&added, &user);
    added.put_version(1, GOOD);
    user.put_version(1, GOOD);
    let mut whole = bare.clone();
    add_sets(&mut whole, &machine.system(FIRST_DAY), Duration::from_secs(60)).unwrap();
    let mut half = bare.clone();
    half.add_set(whole.layer(LayerName::AddedSet).unwrap().clone());
    for (config, missing) in [(bare, Some(LayerName::AddedSet)), (half, Some(LayerName::UserSet)), (whole, None)] {
        let session = Session::new(config, machine.system(FIRST_DAY), SharedHost::default());
        match session.policies(&Deadline::none(), &mut Unwatched) {
            Ok(policies) => assert_eq!((policies.len(), missing), (4, None)),
            Err(PipelineError::SetMissing { layer }) => assert_eq!(Some(layer), missing),
            Err(error) => panic!("{error}"),
        }
    }
}
