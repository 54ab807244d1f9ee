//! Sets that somebody must have signed: beside a file, and from a server.

use std::fs;
use std::time::Duration;

use super::GOOD;
use super::LAST_GOOD;
use super::machines::*;
use smcp_model::exit::ExitKind;
use smcp_signature::secret_key::SecretKey;

const ADDRESS: &str = "oci://r.example/company/rules:1";

fn key() -> SecretKey {
    SecretKey::generate().unwrap()
}

fn version(version: u64) -> Vec<u8> {
    set(&head(version, GOOD))
}

/// Both kinds of places. What is elsewhere is asked for at every start here.
fn shelves() -> [(Shelf, &'static str); 2] {
    [(Shelf::new(), ""), (Shelf::at(ADDRESS), "refresh: 1s, max_age: 7d")]
}

#[test]
fn what_nobody_expected_has_signed_never_comes_into_force() {
    let (ours, theirs) = (key(), key());
    for (shelf, options) in shelves() {
        let machine = Machine::trusting(&[&ours], options);
        shelf.put_signed(&ours, &version(1));
        machine.has(&shelf, FIRST_DAY, 1, &[]);
        type Stage<'s> = Box<dyn Fn() + 's>;
        let put = |signed: &dyn Fn(&[u8])| {
            signed(&version(2));
            shelf.put(version(2));
        };
        let cases: [(Stage<'_>, &str); 6] = [
            (Box::new(|| put(&|_| fs::remove_file(shelf.signature()).unwrap())), "no signature"),
            (Box::new(|| put(&|bytes| shelf.sign(&theirs, bytes))), "it is by another minisign key"),
            (Box::new(|| put(&|_| shelf.sign(&ours, &version(1)))), "its signature is not one by that key"),
            (Box::new(|| put(&|_| shelf.sign(&ours, b"company.tar.gz"))), "its signature is not one by that key"),
            (Box::new(|| put(&|_| fs::write(shelf.signature(), "x").unwrap())), "it is no minisign signature"),
            (
                Box::new(|| {
                    shelf.sign(&ours, &version(2));
                    shelf.put([&version(2)[..], b"x"].concat());
                }),
                "its signature is not one by that key",
            ),
        ];
        for (stage, says) in cases {
            stage();
            let fresh = Machine::trusting(&[&ours], options);
            fresh.has_nothing(&shelf, FIRST_DAY, ExitKind::Integrity, "set-signature-invalid", says);
            assert!(!fresh.mcp().exists(), "nothing is remembered of it: {says}");
            machine.has(&shelf, SECOND_DAY, 1, LAST_GOOD);
        }
        // A signature over other bytes is looked at before what is in them.
        shelf.sign(&theirs, b"damaged");
        shelf.put(b"damaged");
        let fresh = Machine::trusting(&[&ours], options);
        fresh.has_nothing(&shelf, FIRST_DAY, ExitKind::Integrity, "set-signature-invalid", "another minisign key");
        // An older one, well signed, is as wrong.
        shelf.put_signed(&ours, &version(3));
        machine.has(&shelf, SECOND_DAY, 3, &[]);
        shelf.put_signed(&ours, &version(2));
        machine.has(&shelf, || (SECOND_DAY)() + Duration::from_secs(DAY), 3, LAST_GOOD);
    }
}

#[test]
fn a_copy_is_verified_at_every_start() {
    let (ours, theirs) = (key(), key());
    for (shelf, options) in shelves() {
        let mut machine = Machine::trusting(&[&ours], options);
        shelf.put_signed(&ours, &version(1));
        machine.has(&shelf, FIRST_DAY, 1, &[]);
        shelf.clear();
        machine.has(&shelf, FIRST_DAY, 1, if options.is_empty() { LAST_GOOD } else { &[] });
        machine.has(&shelf, SECOND_DAY, 1, LAST_GOOD);
        let copy = machine.copies().pop().unwrap();
        let proof = copy.with_extension("").with_extension("json");
        let text = fs::read_to_string(&proof).unwrap();
        let nothing = |machine: &Machine, says: &str| {
            machine.has_nothing(&shelf, SECOND_DAY, ExitKind::Registry, "set-unavailable", says);
        };
        // Its signature is lost, or another one was put there.
        fs::remove_file(&proof).unwrap();
        nothing(&machine, "version 1 was the last good one, but it is not signed as the configuration says");
        let by_other = smcp_signature::minisign::sign(&theirs, &version(1), "timestamp:1");
        let other = serde_json::json!({
            "schema": "smcp.set-proof/1", "manifest": null,
            "signatures": [{"form": "minisig", "content": by_other}],
        });
        fs::write(&proof, other.to_string()).unwrap();
        nothing(&machine, "it is by another minisign key");
        // A set of the other's own in its place, which has the digest of its name.
        fs::write(&proof, &text).unwrap();
        fs::write(&copy, version(9)).unwrap();
        nothing(&machine, "its copy was changed");
        fs::write(&copy, version(1)).unwrap();
        machine.has(&shelf, SECOND_DAY, 1, LAST_GOOD);
        // The configuration names somebody else now.
        machine.options = format!("{}, {options}", signed_by(&[&theirs]));
        nothing(&machine, "it is by another minisign key");
    }
}

#[test]
fn keys_change_while_the_set_stays() {
    let (old, new) = (key(), key());
    for (shelf, options) in shelves() {
        let mut machine = Machine::trusting(&[&old], options);
        shelf.put_signed(&old, &version(1));
        machine.has(&shelf, FIRST_DAY, 1, &[]);
        // Both are listed, and the same archive is signed again.
        machine.options = format!("{}, {options}", signed_by(&[&new, &old]));
        machine.has(&shelf, SECOND_DAY, 1, &[]);
        shelf.sign(&new, &version(1));
        // What is elsewhere and young enough is asked for only when its copy does not count any more.
        machine.options = format!("{}, {options}", signed_by(&[&new]));
        machine.has(&shelf, SECOND_DAY, 1, &[]);
        shelf.clear();
        machine.has(&shelf, SECOND_DAY, 1, if options.is_empty() { LAST_GOOD } else { &[] });
        let signer = {
            let (config, _) = machine.try_start(&shelf, SECOND_DAY).unwrap();
            let facts = config.layer(smcp_model::policy::LayerName::UserSet).unwrap().set().unwrap().clone();
            facts.arrival.signer.unwrap().to_string()
        };
        assert_eq!(signer, format!("minisign {}", new.public()));
    }
}

/// While two may sign, each look takes the signatures of both, so that one key can go without a connection.
#[test]
fn what_the_next_key_has_signed_is_here_before_the_last_one_goes() {
    let (old, new) = (key(), key());
    let shelf = Shelf::at(ADDRESS);
    let mut machine = Machine::trusting(&[&old], "refresh: 1s");
    shelf.put_signed(&old, &version(1));
    machine.has(&shelf, FIRST_DAY, 1, &[]);
    machine.options = format!("{}, refresh: 1s", signed_by(&[&old, &new]));
    shelf.also(&new, &version(1));
    machine.has(&shelf, SECOND_DAY, 1, &[]);
    machine.options = format!("{}, refresh: 1s", signed_by(&[&new]));
    shelf.clear();
    machine.has(&shelf, SECOND_DAY, 1, &[]);
}

#[test]
fn a_rule_about_a_file_that_is_missing_is_an_error_of_the_configuration() {
    let (shelf, machine) = (Shelf::new(), Machine::new("signed_by: [{key: none.pem}]"));
    shelf.put(version(1));
    match machine.start(&shelf, FIRST_DAY) {
        Had::Nothing(ExitKind::Usage, "config", text) => {
            assert!(text.contains("none.pem, which `signed_by`"), "{text}")
        }
        had @ (Had::Nothing(..) | Had::Version(..)) => panic!("{had:?}"),
    }
}
