//! Sets from a server: asked for when they are old, and what counts instead.

use std::fs;
use std::thread;
use std::time::Duration;

use super::machines::*;
use super::*;
use crate::remote::signature;
use crate::session::sets::reader;
use crate::sets::archive::ArrivedSet;
use crate::sets::archive::SetDemands;
use crate::sets::proof::SetProof;
use crate::sets::seen::SeenDocument;
use smcp_model::digest::Digest;
use smcp_model::exit::ExitKind;
use smcp_model::signer::Demand;
use smcp_model::signer::SignedBy;
use smcp_model::signer::Signer;
use smcp_model::source::RemoteAddress;
use smcp_policy::Unreadable;
use smcp_signature::LoadedRule;
use smcp_signature::SignatureForm;
use smcp_signature::SignerFileError;
use smcp_signature::minisign;
use smcp_signature::secret_key::SecretKey;

const ADDRESS: &str = "oci://r.example/company/rules:1";
const URL: &str = "https://r.example/company.tar.gz";

fn version(version: u64) -> Vec<u8> {
    set(&head(version, GOOD))
}

#[test]
fn a_server_is_asked_when_what_it_gave_is_old() {
    for address in [ADDRESS, URL] {
        let (shelf, key) = (Shelf::at(address), SecretKey::generate().unwrap());
        let machine = Machine::trusting(&[&key], "refresh: 1d");
        shelf.put_signed(&key, &version(1));
        machine.has(&shelf, FIRST_DAY, 1, &[]);
        assert_eq!(shelf.asked(), 1);
        assert!(shelf.patience.get().unwrap() > Duration::from_secs(10), "there is nothing else to use");
        shelf.put_signed(&key, &version(2));
        machine.has(&shelf, || (FIRST_DAY)() + Duration::from_secs(DAY - 1), 1, &[]);
        assert_eq!(shelf.asked(), 0);
        machine.has(&shelf, SECOND_DAY, 2, &[]);
        assert_eq!(shelf.asked(), 1);
        assert!(shelf.patience.get().unwrap() <= Duration::from_secs(2), "{:?}", shelf.patience);
        // That the same was found again counts as a look, too.
        machine.has(&shelf, TENTH_DAY, 2, &[]);
        machine.has(&shelf, TENTH_DAY, 2, &[]);
        assert_eq!(shelf.asked(), 1);
        // How old it is by a clock that goes back is not known.
        machine.has(&shelf, || TENTH_DAY() - Duration::from_secs(5), 2, &[]);
        assert_eq!(shelf.asked(), 0);
        for _ in 0..2 {
            machine.has(&shelf, LONG_AGO, 2, &["clock-behind"]);
            assert_eq!(shelf.asked(), 1);
        }
        shelf.put_signed(&key, &version(3));
        machine.has(&shelf, LONG_AGO, 3, &["clock-behind"]);
        shelf.clear();
        let unknown = "later than the clock says, so how old it is can't be known";
        machine.has_nothing(&shelf, LONG_AGO, ExitKind::Registry, "set-unavailable", unknown);
        machine.has_nothing(&shelf, LONG_AGO, ExitKind::Registry, "set-unavailable", "remove ~/.mcp/seen.json");
    }
}

#[test]
fn a_damaged_copy_is_fetched_once() {
    let (shelf, key) = (Shelf::at(ADDRESS), SecretKey::generate().unwrap());
    let machine = Machine::trusting(&[&key], "refresh: 1d");
    shelf.put_signed(&key, &version(1));
    machine.has(&shelf, FIRST_DAY, 1, &[]);
    fs::write(machine.copies().pop().unwrap(), "damaged").unwrap();
    shelf.asked();
    machine.has(&shelf, FIRST_DAY, 1, &[]);
    machine.has(&shelf, FIRST_DAY, 1, &[]);
    assert_eq!(shelf.asked(), 1);
    // Where it can't be made whole, the components are held.
    let copy = machine.copies().pop().unwrap();
    fs::remove_file(&copy).unwrap();
    fs::create_dir(&copy).unwrap();
    let (config, notices) = machine.try_start(&shelf, FIRST_DAY).unwrap();
    assert_eq!(notices.iter().map(|notice| notice.code).collect::<Vec<_>>(), ["set-not-remembered"]);
    assert!(config.layer(LayerName::UserSet).unwrap().set().unwrap().held.is_some());
}

#[test]
fn the_time_of_a_start_is_noted_while_nobody_is_asked() {
    let (shelf, key) = (Shelf::at(ADDRESS), SecretKey::generate().unwrap());
    let machine = Machine::trusting(&[&key], "refresh: 7d");
    shelf.put_signed(&key, &version(1));
    machine.has(&shelf, FIRST_DAY, 1, &[]);
    let time = || SeenDocument::parse(&fs::read(machine.mcp().join("seen.json")).unwrap()).unwrap().time;
    machine.has(&shelf, || FIRST_DAY() + Duration::from_secs(3599), 1, &[]);
    assert_eq!(time(), START);
    machine.has(&shelf, SECOND_DAY, 1, &[]);
    assert_eq!((time(), shelf.asked()), (START + DAY, 1));
}

#[test]
fn without_an_answer_the_last_good_one_stays_for_a_time() {
    let (shelf, key) = (Shelf::at(ADDRESS), SecretKey::generate().unwrap());
    let machine = Machine::trusting(&[&key], "refresh: 1h, max_age: 7d");
    machine.has_nothing(&shelf, FIRST_DAY, ExitKind::Registry, "set-unavailable", "rules:1, can't be read: ");
    shelf.put_signed(&key, &version(3));
    machine.has(&shelf, FIRST_DAY, 3, &[]);
    shelf.clear();
    for _ in 0..2 {
        machine.has(&shelf, SECOND_DAY, 3, LAST_GOOD);
    }
    assert_eq!(shelf.asked(), 4, "each start asks until there is an answer");
    machine.has_nothing(&shelf, TENTH_DAY, ExitKind::Registry, "set-unavailable", "more than 7days ago");
    assert!(shelf.patience.get().unwrap() > Duration::from_secs(10), "there is nothing else to use");
    shelf.is_wrong.set(true);
    machine.has_nothing(&shelf, TENTH_DAY, ExitKind::Integrity, "set-invalid", "it has 2 layers");
    let fresh = Machine::trusting(&[&key], "");
    fresh.has_nothing(&shelf, FIRST_DAY, ExitKind::Integrity, "set-invalid", "is not right: it is not what");
    shelf.is_wrong.set(false);
    shelf.put_signed(&key, &version(3));
    machine.has(&shelf, TENTH_DAY, 3, &[]);
}

#[test]
fn a_tag_that_moves_back_changes_nothing() {
    let (shelf, key) = (Shelf::at(ADDRESS), SecretKey::generate().unwrap());
    let (one, other) =
        (Machine::trusting(&[&key], "refresh: 1h"), Machine::trusting(&[&key], "refresh: 1h, minimum: 4"));
    shelf.put_signed(&key, &version(5));
    one.has(&shelf, FIRST_DAY, 5, &[]);
    shelf.put_signed(&key, &version(4));
    other.has(&shelf, FIRST_DAY, 4, &[]);
    one.has(&shelf, SECOND_DAY, 5, LAST_GOOD);
    shelf.put_signed(&key, &version(3));
    other.has(&shelf, SECOND_DAY, 4, LAST_GOOD);
    // The same number with other rules.
    shelf.put_signed(&key, &set(&format!("{}# changed\n", head(5, GOOD))));
    one.has(&shelf, SECOND_DAY, 5, LAST_GOOD);
    // It goes on as if nothing had been, and only a newer one ends it.
    one.has_nothing(&shelf, TENTH_DAY, ExitKind::Integrity, "set-rollback", "the last look that succeeded was at");
    shelf.put_signed(&key, &version(6));
    one.has(&shelf, TENTH_DAY, 6, &[]);
    other.has(&shelf, TENTH_DAY, 6, &[]);
}

#[test]
fn what_a_digest_fixes_is_never_asked_for_again() {
    let archive = version(2);
    let digest = manifest(&archive).digest;
    let address: &'static str = Box::leak(format!("oci://r.example/company/rules@{digest}").into_boxed_str());
    let (shelf, machine) = (Shelf::at(address), Machine::new(""));
    shelf.put(version(3));
    let says = format!("is not the one whose manifest is {digest}");
    machine.has_nothing(&shelf, FIRST_DAY, ExitKind::Integrity, "set-invalid", &says);
    shelf.put(&archive);
    machine.has(&shelf, FIRST_DAY, 2, &[]);
    shelf.clear();
    shelf.asked();
    machine.has(&shelf, SECOND_DAY, 2, &[]);
    machine.has(&shelf, TENTH_DAY, 2, &[]);
    assert_eq!(shelf.asked(), 0);
    // The digest is that of the manifest: without it, nothing leads to the copy.
    let proof = machine.copies().pop().unwrap().with_extension("").with_extension("json");
    fs::remove_file(&proof).unwrap();
    machine.has_nothing(&shelf, TENTH_DAY, ExitKind::Registry, "set-unavailable", &format!("it {says}"));
    let other = serde_json::json!({
        "schema": "smcp.set-proof/1", "signatures": [],
        "manifest": String::from_utf8(manifest(&version(3)).bytes).unwrap(),
    });
    fs::write(&proof, other.to_string()).unwrap();
    machine.has_nothing(&shelf, TENTH_DAY, ExitKind::Registry, "set-unavailable", &format!("it {says}"));
    shelf.put(&archive);
    machine.has(&shelf, TENTH_DAY, 2, &[]);
    // It ends all the same.
    let ended = "expired at 2100-12-31T00:00:00Z";
    machine.has_nothing(&shelf, NEXT_YEAR, ExitKind::Integrity, "set-expired", ended);
}

#[test]
fn a_manifest_that_leads_to_the_archive_may_be_what_is_signed() {
    let (shelf, key) = (Shelf::at(ADDRESS), SecretKey::generate().unwrap());
    let machine = Machine::trusting(&[&key], "refresh: 1h");
    // The manifest of another set proves nothing.
    shelf.sign(&key, &manifest(&version(2)).bytes);
    shelf.put(version(1));
    machine.has_nothing(&shelf, FIRST_DAY, ExitKind::Integrity, "set-signature-invalid", "not one by that key");
    shelf.sign(&key, &manifest(&version(1)).bytes);
    machine.has(&shelf, FIRST_DAY, 1, &[]);
    shelf.clear();
    machine.has(&shelf, SECOND_DAY, 1, LAST_GOOD);
}

/// Whoever can write in a home puts another archive beside a manifest that counts, and says that it was seen.
#[test]
fn a_manifest_that_leads_elsewhere_lets_nothing_count() {
    let key = SecretKey::generate().unwrap();
    let (meant, other) = (version(2), version(9));
    let leads = manifest(&meant);
    let text = minisign::sign(&key, &leads.bytes, "timestamp:1").into_bytes();
    let proof = SetProof { manifest: Some(leads.clone()), signatures: vec![signature(SignatureForm::Minisign, text)] };
    let signed_by = SignedBy::new(vec![Demand::One(Signer::Minisign(key.public()))]).unwrap();
    let rule = LoadedRule::load::<SignerFileError>(&signed_by, &mut |_, _| Ok(Vec::new())).unwrap();
    let pinned = format!("oci://r.example/company/rules@{}", leads.digest);
    for (source, rule) in [(pinned.as_str(), None), (ADDRESS, Some(&rule)), (pinned.as_str(), Some(&rule))] {
        let source = SetSource::Remote(RemoteAddress::read_set(source).unwrap());
        let demands = SetDemands { source: &source, rule, now: START };
        assert!(ArrivedSet::new(meant.clone(), proof.clone()).admit(&demands).is_ok(), "{source}");
        let problem = ArrivedSet::new(other.clone(), proof.clone()).admit(&demands).unwrap_err();
        let is_refused = matches!(problem, SetProblem::Unproven { .. } | SetProblem::Unsigned { .. });
        assert!(is_refused, "{source}: {problem}");
    }
}

#[test]
fn where_nothing_can_be_kept_the_components_are_held() {
    let (shelf, key) = (Shelf::at(ADDRESS), SecretKey::generate().unwrap());
    let machine = Machine::trusting(&[&key], "");
    shelf.put_signed(&key, &version(1));
    let homeless = System { environment: Vec::new(), ..machine.system(FIRST_DAY) };
    for _ in 0..2 {
        let mut config = machine.config(&shelf);
        let found = add_sets_by(&mut config, &homeless, &shelf, &Deadline::after(Duration::from_secs(60))).unwrap();
        assert_eq!(found.notices.iter().map(|notice| notice.code).collect::<Vec<_>>(), ["set-not-remembered"]);
        let layer = config.layer(LayerName::UserSet).unwrap();
        assert!(layer.set().unwrap().held.is_some());
        let path = Path::new(&layer.policies().last().unwrap().source.to_string()).to_path_buf();
        assert_eq!(path.to_str(), Some("oci://r.example/company/rules:1/policies.d/no-network.wasm"));
        let facts = layer.set().unwrap();
        let name = facts.components.values().next().unwrap().name.clone();
        assert_eq!(reader(&homeless, facts, name.clone())().unwrap(), component());
        let unheld = PolicySetFacts { held: None, ..facts.clone() };
        assert!(matches!(reader(&homeless, &unheld, name)(), Err(Unreadable::Failed(_))));
    }
    assert_eq!(shelf.asked(), 2);
}

#[test]
fn processes_that_note_at_once_lose_nothing() {
    let (key, mut machine) = (SecretKey::generate().unwrap(), Machine::new(""));
    let seen = |source: String, version: u64, bytes: &[u8]| SeenSet {
        layer: LayerName::UserSet,
        source,
        version,
        digest: Digest::of(bytes),
        looked_at: START,
    };
    thread::scope(|scope| {
        for number in 0..8_u64 {
            let (machine, seen) = (&machine, &seen);
            scope.spawn(move || {
                let own = 5 + number % 3;
                let archive = version(own);
                let sets = [(ADDRESS.to_owned(), own), (format!("oci://r.example/of/{number}"), own)];
                let changes = sets.map(|(source, number)| NotedSet {
                    seen: seen(source, number, &archive),
                    archive: Some(Arc::new(archive.clone())),
                    proof: None,
                });
                let (mut memory, _) = SetMemory::open(&machine.system(FIRST_DAY));
                assert!(memory.note(changes.into(), START, START).is_none());
            });
        }
    });
    let noted = SeenDocument::parse(&fs::read(machine.mcp().join("seen.json")).unwrap()).unwrap();
    assert_eq!(noted.sets.len(), 9);
    let newest = noted.sets.iter().find(|set| set.source == ADDRESS).unwrap();
    assert_eq!((newest.version, newest.digest), (7, Digest::of(&version(7))));
    // What was in force for a moment stays for those that may just be reading it.
    assert_eq!(machine.copies().len(), 3);
    machine.options = format!("{}, refresh: 1h", signed_by(&[&key]));
    let shelf = Shelf::at(ADDRESS);
    shelf.put_signed(&key, &version(6));
    machine.has_nothing(&shelf, SECOND_DAY, ExitKind::Integrity, "set-rollback", "has version 6, and this machine");
}
