//! Machines that see versions of a set, good ones and others, at chosen times.

#![expect(clippy::disallowed_methods, reason = "a test is the file system")]

mod elsewhere;
mod layers;
mod machines;
mod signed;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::*;
use crate::Session;
use crate::SharedHost;
use crate::sets::tests::machines::*;
use smcp_authority::GuardedReader;
use smcp_model::deadline::Deadline;
use smcp_model::exit::ExitKind;
use smcp_policy::Component;

const GOOD: &str = "2100-12-31T00:00:00Z";
const LAST_GOOD: &[&str] = &["set-last-good"];

#[test]
fn a_fresh_machine_needs_a_good_set() {
    let (shelf, machine) = (Shelf::new(), Machine::new("minimum: 5"));
    machine.has_nothing(&shelf, FIRST_DAY, ExitKind::Registry, "set-unavailable", "No such file");
    shelf.put_version(4, GOOD);
    machine.has_nothing(&shelf, FIRST_DAY, ExitKind::Integrity, "set-too-old", "accepts none before 5");
    shelf.put_version(5, "2100-01-01T00:00:00Z");
    machine.has_nothing(&shelf, FIRST_DAY, ExitKind::Integrity, "set-expired", "expired at 2100-01-01T00:00:00Z");
    assert!(!machine.mcp().exists(), "nothing is remembered of what was never good");
    shelf.put_version(5, "2100-01-01T00:00:01Z");
    machine.has(&shelf, FIRST_DAY, 5, &[]);
}

#[test]
fn two_machines_keep_the_newest_that_each_has_seen() {
    let (shelf, one, other) = (Shelf::new(), Machine::new(""), Machine::new(""));
    shelf.put_version(5, GOOD);
    one.has(&shelf, FIRST_DAY, 5, &[]);
    other.has(&shelf, FIRST_DAY, 5, &[]);
    shelf.put_version(7, GOOD);
    one.has(&shelf, FIRST_DAY, 7, &[]);
    shelf.put_version(6, GOOD);
    one.has(&shelf, SECOND_DAY, 7, LAST_GOOD);
    other.has(&shelf, SECOND_DAY, 6, &[]);
    // Another set with the version that was seen is as wrong as an older one.
    shelf.put(set(&format!("{}# changed\n", head(6, GOOD))));
    other.has(&shelf, SECOND_DAY, 6, LAST_GOOD);
    shelf.put_version(8, GOOD);
    one.has(&shelf, SECOND_DAY, 8, &[]);
    other.has(&shelf, SECOND_DAY, 8, &[]);
    // The copy of an older version stays for a day, since somebody may just be reading it.
    assert_eq!(one.copies().len(), 3);
    one.has(&shelf, TENTH_DAY, 8, &[]);
    assert_eq!(one.copies().len(), 1);
}

#[test]
fn the_last_good_set_stays_for_a_time() {
    let (shelf, machine) = (Shelf::new(), Machine::new("max_age: 7d"));
    shelf.put_version(3, GOOD);
    machine.has(&shelf, FIRST_DAY, 3, &[]);
    shelf.clear();
    machine.has(&shelf, SECOND_DAY, 3, LAST_GOOD);
    machine.has_nothing(
        &shelf,
        TENTH_DAY,
        ExitKind::Registry,
        "set-unavailable",
        "the last look that succeeded was at",
    );
    shelf.put(b"damaged");
    machine.has_nothing(&shelf, TENTH_DAY, ExitKind::Integrity, "set-invalid", "version 3 was the last good one");
    // A look that succeeds begins a new time.
    shelf.put_version(3, GOOD);
    machine.has(&shelf, TENTH_DAY, 3, &[]);
    shelf.clear();
    machine.has(&shelf, TENTH_DAY, 3, LAST_GOOD);
}

#[test]
fn no_set_counts_after_its_end() {
    let (shelf, machine) = (Shelf::new(), Machine::new("max_age: 365d"));
    shelf.put_version(1, "2100-01-05T00:00:00Z");
    machine.has(&shelf, FIRST_DAY, 1, &[]);
    shelf.put_version(2, "2100-01-01T12:00:00Z");
    machine.has(&shelf, SECOND_DAY, 1, LAST_GOOD);
    machine.has_nothing(&shelf, TENTH_DAY, ExitKind::Integrity, "set-expired", "but it has version 1, which expired");
    shelf.put_version(1, "2100-01-05T00:00:00Z");
    machine.has_nothing(&shelf, TENTH_DAY, ExitKind::Integrity, "set-expired", "version 1, which expired");
}

#[test]
fn a_clock_that_goes_back_revives_nothing() {
    let (shelf, machine) = (Shelf::new(), Machine::new("max_age: 365d"));
    shelf.put_version(1, GOOD);
    machine.has(&shelf, FIRST_DAY, 1, &[]);
    machine.has_nothing(&shelf, NEXT_YEAR, ExitKind::Integrity, "set-expired", "expired at");
    shelf.put_version(2, "2101-12-31T00:00:00Z");
    machine.has(&shelf, NEXT_YEAR, 2, &[]);
    machine.has(&shelf, LONG_AGO, 2, &["clock-behind"]);
    let (_, notices) = machine.try_start(&shelf, LONG_AGO).unwrap();
    assert!(notices[0].message.as_str().contains("remove ~/.mcp/seen.json"), "{notices:?}");
    // It was valid at the time that the clock says now.
    shelf.put_version(3, GOOD);
    let unknown = "later than the clock says, so how old it is can't be known";
    machine.has_nothing(&shelf, LONG_AGO, ExitKind::Integrity, "set-expired", unknown);
    machine.has_nothing(&shelf, LONG_AGO, ExitKind::Integrity, "set-expired", "remove ~/.mcp/seen.json");
}

#[test]
fn a_clock_that_a_time_server_corrects_ends_nothing() {
    let (shelf, machine) = (Shelf::new(), Machine::new(""));
    shelf.put_version(1, GOOD);
    machine.has(&shelf, SECOND_DAY, 1, &[]);
    shelf.clear();
    machine.has(&shelf, || UNIX_EPOCH + Duration::from_secs(START + DAY - 5), 1, LAST_GOOD);
    machine.has(&shelf, || UNIX_EPOCH + Duration::from_secs(START + DAY - 60), 1, &["clock-behind", "set-last-good"]);
    let behind = || UNIX_EPOCH + Duration::from_secs(START + DAY - 61);
    machine.has_nothing(&shelf, behind, ExitKind::Registry, "set-unavailable", "later than the clock says");
}

#[test]
fn a_clock_that_goes_back_makes_nothing_younger() {
    let (shelf, machine) = (Shelf::new(), Machine::new("max_age: 7d"));
    shelf.put_version(1, GOOD);
    machine.has(&shelf, FIRST_DAY, 1, &[]);
    shelf.clear();
    machine.has(&shelf, SECOND_DAY, 1, LAST_GOOD);
    assert!(
        fs::read_to_string(machine.mcp().join("seen.json")).unwrap().contains("\"time\": \"2100-01-02T00:00:00Z\"")
    );
    let ended = "the last look that succeeded was at 2100-01-01T00:00:00Z, more than 7days ago";
    machine.has_nothing(&shelf, TENTH_DAY, ExitKind::Registry, "set-unavailable", ended);
    machine.has_nothing(&shelf, SECOND_DAY, ExitKind::Registry, "set-unavailable", ended);
    machine.has_nothing(&shelf, SECOND_DAY, ExitKind::Registry, "set-unavailable", "remove ~/.mcp/seen.json");
    // A good one begins anew.
    shelf.put_version(1, GOOD);
    machine.has(&shelf, TENTH_DAY, 1, &[]);
}

#[test]
fn nothing_is_remembered_of_what_another_user_could_have_written() {
    let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let (shelf, machine) = (Shelf::new(), Machine::new(""));
    shelf.put_version(1, GOOD);
    machine.has(&shelf, FIRST_DAY, 1, &[]);
    let seen = machine.mcp().join("seen.json");
    let text = fs::read_to_string(&seen).unwrap();
    let largest = u64::try_from(limits::sets::VERSION).unwrap();
    shelf.put_version(largest, GOOD);
    open(&shelf.path(), 0o666);
    machine.has(&shelf, FIRST_DAY, largest, &["set-not-remembered"]);
    let mut config = machine.config(&shelf);
    let (pulled, found) = pull_sets(&config, &machine.system(FIRST_DAY));
    assert_eq!(pulled.first().unwrap().outcome.as_ref().unwrap().0.version, largest);
    assert_eq!((found.notices.len(), found.suspects.len()), (1, 1));
    assert_eq!((fs::read_to_string(&seen).unwrap(), machine.copies().len()), (text, 1));
    shelf.put_version(2, GOOD);
    machine.has(&shelf, FIRST_DAY, 2, &[]);
    // Of what was seen, somebody else could have changed all.
    let text = fs::read_to_string(&seen).unwrap();
    open(&seen, 0o666);
    shelf.put_version(largest, GOOD);
    machine.has(&shelf, SECOND_DAY, largest, &["set-not-remembered"]);
    fs::write(&seen, "damaged").unwrap();
    machine.has(&shelf, SECOND_DAY, largest, &["set-memory-lost", "set-not-remembered"]);
    assert_eq!(fs::read_to_string(&seen).unwrap(), "damaged");
    // He could have removed it as well.
    fs::remove_file(&seen).unwrap();
    open(&machine.mcp(), 0o777);
    let found = add_sets(&mut config, &machine.system(FIRST_DAY), Duration::from_secs(60)).unwrap();
    assert!(found.suspects.iter().any(|suspect| suspect.path == machine.mcp()), "{found:?}");
    assert!(!seen.exists());
    open(&machine.mcp(), 0o700);
    fs::write(&seen, text).unwrap();
    open(&seen, 0o600);
    shelf.put_version(3, GOOD);
    machine.has(&shelf, SECOND_DAY, 3, &[]);
}

#[test]
fn damage_of_every_kind_leaves_the_last_good_set() {
    let (shelf, fresh) = (Shelf::new(), Machine::new(""));
    let machine = Machine::new("");
    shelf.put_version(1, GOOD);
    machine.has(&shelf, FIRST_DAY, 1, &[]);
    let text = head(2, GOOD);
    let (yaml, wasm) = (("set.yaml", text.as_bytes()), component());
    let whole = set(&text);
    let with = |more: &[(&str, &[u8])]| files(&[&[yaml], more].concat());
    let policy = |entry: &str| format!("version: 2\nexpires: {GOOD}\npolicy: {{{entry}}}\n");
    let pinned =
        format!("custom: [{{name: a, source: policies.d/no-network.wasm, digest: 'sha256:{}'}}]", "0".repeat(64));
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", Vec::new(), "truncated or damaged"),
        ("no archive", b"version: 2".to_vec(), "truncated or damaged"),
        ("cut off", whole[..whole.len() / 2].to_vec(), "truncated or damaged"),
        ("something behind it", [&whole[..], b"x"].concat(), "something follows its end"),
        ("no set.yaml", files(&[("policies.d/a.wasm", &wasm)]), "set.yaml: there is none"),
        ("another file", with(&[("README.md", b"x")]), "README.md: a policy set has no such file"),
        ("another folder", with(&[("policies.d/more/a.wasm", &wasm)]), "more/a.wasm: a policy set has no such file"),
        ("no policy", with(&[("policies.d/notes.txt", b"x")]), "policies.d/notes.txt: a policy set has no such file"),
        ("a wrong name", with(&[("policies.d/A_b.wasm", &wasm)]), "the file's name is the policy's"),
        ("not a component", with(&[("policies.d/a.wasm", b"\0asm")]), "policies.d/a.wasm is not a policy"),
        ("no policy's interface", with(&[("policies.d/a.wasm", b"\0asm\x0d\0\x01\0")]), "it exports nothing"),
        ("a missing component", set(&policy("custom: [{name: a, source: policies.d/b.wasm}]")), "not in the set"),
        ("a component elsewhere", set(&policy("custom: [{name: a, source: ../b.wasm}]")), "not in the set"),
        ("an absolute path", set(&policy("custom: [{name: a, source: /b.wasm}]")), "not in the set"),
        ("a path at home", set(&policy("custom: [{name: a, source: ~/b.wasm}]")), "custom[0].source"),
        ("another pin", set(&policy(&pinned)), "the component policies.d/no-network.wasm has the digest"),
        ("an unknown key", set(&format!("{text}extra: 1\n")), "unknown key `extra` in a policy set"),
        ("a set in a set", set(&policy("policy_set: {source: a}")), "unknown key `policy_set` in `policy` of a set"),
        ("a key of a configuration", set(&format!("{text}audit: best-effort\n")), "unknown key `audit`"),
        ("no version", set(&format!("expires: {GOOD}\npolicy: {{}}\n")), "is missing `version`"),
        ("no end", set("version: 2\npolicy: {}\n"), "is missing `expires`"),
        ("no policy block", set(&format!("version: 2\nexpires: {GOOD}\n")), "is missing `policy`"),
        ("version 0", set(&text.replace("version: 2", "version: 0")), "a whole number from 1"),
        ("a day as its end", set(&text.replace(GOOD, "2100-12-31")), "a time of RFC 3339"),
        (
            "an exception for nothing",
            set(&policy("exceptions: [{package: a/b, policies: [x], reason: r, until: 2100-01-01}]")),
            "no policy of this layer",
        ),
        (
            "a relative registry",
            set(&format!("{text}trusted_registries: [./r]\n")),
            "no folder that a path could start at",
        ),
    ];
    for (name, archive, words) in cases {
        shelf.put(archive);
        match fresh.start(&shelf, FIRST_DAY) {
            Had::Nothing(ExitKind::Integrity, "set-invalid", text) => assert!(text.contains(words), "{name}: {text}"),
            had @ (Had::Version(..) | Had::Nothing(..)) => panic!("{name}: {had:?}"),
        }
        machine.has(&shelf, FIRST_DAY, 1, LAST_GOOD);
    }
    shelf.put(whole);
    machine.has(&shelf, FIRST_DAY, 2, &[]);
    fresh.has(&shelf, FIRST_DAY, 2, &[]);
}

#[test]
fn a_copy_that_is_gone_or_changed_is_no_last_good_set() {
    let (shelf, machine) = (Shelf::new(), Machine::new(""));
    shelf.put_version(1, GOOD);
    machine.has(&shelf, FIRST_DAY, 1, &[]);
    let copy = machine.copies().pop().unwrap();
    shelf.clear();
    fs::write(&copy, set(&head(1, "2101-12-31T00:00:00Z"))).unwrap();
    machine.has_nothing(&shelf, FIRST_DAY, ExitKind::Registry, "set-unavailable", "its copy was changed");
    fs::remove_file(&copy).unwrap();
    machine.has_nothing(&shelf, FIRST_DAY, ExitKind::Registry, "set-unavailable", "its copy can't be read");
    // The next look that succeeds makes another one.
    shelf.put_version(1, GOOD);
    machine.has(&shelf, FIRST_DAY, 1, &[]);
    assert!(copy.exists());
    // It also replaces one that is damaged.
    fs::write(&copy, "damaged").unwrap();
    machine.has(&shelf, FIRST_DAY, 1, &[]);
    shelf.clear();
    machine.has(&shelf, FIRST_DAY, 1, LAST_GOOD);
}

#[test]
fn what_was_seen_is_missed_once() {
    for lose in [
        (|seen: &Path| fs::remove_file(seen).unwrap()) as fn(&Path),
        |seen| fs::write(seen, "{}").unwrap(),
        |seen| fs::write(seen, "not json").unwrap(),
        |seen| fs::write(seen, fs::read_to_string(seen).unwrap().replace("sha256:", "md5:")).unwrap(),
    ] {
        let (shelf, machine) = (Shelf::new(), Machine::new("minimum: 3"));
        shelf.put_version(7, GOOD);
        machine.has(&shelf, FIRST_DAY, 7, &[]);
        lose(&machine.mcp().join("seen.json"));
        shelf.put_version(2, GOOD);
        machine.has_nothing(&shelf, FIRST_DAY, ExitKind::Integrity, "set-too-old", "seen.json is lost or damaged");
        shelf.put_version(5, GOOD);
        machine.has(&shelf, FIRST_DAY, 5, &["set-memory-lost"]);
        machine.has(&shelf, FIRST_DAY, 5, &[]);
    }
}

#[test]
fn nothing_is_written_while_nothing_is_new() {
    let (shelf, machine) = (Shelf::new(), Machine::new("refresh: 12h"));
    shelf.put_version(1, GOOD);
    machine.has(&shelf, FIRST_DAY, 1, &[]);
    let seen = machine.mcp().join("seen.json");
    // A key of a later smcp stays.
    let text = fs::read_to_string(&seen).unwrap().replacen('{', "{\"later\": [1], ", 1);
    fs::write(&seen, &text).unwrap();
    machine.has(&shelf, FIRST_DAY, 1, &[]);
    assert_eq!(fs::read_to_string(&seen).unwrap(), text);
    machine.has(&shelf, SECOND_DAY, 1, &[]);
    let later = fs::read_to_string(&seen).unwrap();
    assert!(later.contains("2100-01-02T00:00:00Z") && later.contains("\"later\""), "{later}");
}

#[test]
fn where_nothing_can_be_remembered_it_is_said() {
    let (shelf, machine) = (Shelf::new(), Machine::new(""));
    shelf.put_version(1, GOOD);
    fs::write(machine.mcp(), "a file").unwrap();
    for _ in 0..2 {
        machine.has(&shelf, FIRST_DAY, 1, &["set-not-remembered"]);
    }
    let mut config = machine.config(&shelf);
    let homeless = System { environment: Vec::new(), ..machine.system(FIRST_DAY) };
    let found = add_sets(&mut config, &homeless, Duration::from_secs(60)).unwrap();
    assert_eq!(found.notices.iter().map(|notice| notice.code).collect::<Vec<_>>(), ["set-not-remembered"]);
}

#[test]
fn a_set_trusts_as_it_says_or_as_the_layer_that_names_it() {
    for (more, expected) in
        [("", "https://own.example"), ("trusted_registries: [https://set.example]\n", "https://set.example")]
    {
        let (shelf, machine) = (Shelf::new(), Machine::new(""));
        shelf.put(set(&format!("{}{more}", head(1, GOOD))));
        let (config, _) = machine.try_start(&shelf, FIRST_DAY).unwrap();
        let layer = config.layer(LayerName::UserSet).unwrap();
        let trusted = layer.trusted().value.as_ref().unwrap().iter().map(ToString::to_string);
        assert_eq!(trusted.collect::<Vec<_>>(), [expected]);
        let names: Vec<_> = config.layers().iter().map(|layer| layer.name().as_str()).collect();
        assert_eq!(names, ["user", "user/set"]);
    }
}

#[test]
fn a_component_is_the_one_that_was_read_with_the_set() {
    let (shelf, machine) = (Shelf::new(), Machine::new(""));
    shelf.put_version(1, GOOD);
    let (config, _) = machine.try_start(&shelf, FIRST_DAY).unwrap();
    let session = Session::new(config, machine.system(FIRST_DAY), SharedHost::default());
    // What happens to the source from now on changes nothing.
    shelf.put(b"another");
    let layer = session.config().layer(LayerName::UserSet).unwrap();
    let spec = layer.policies().last().unwrap();
    let component = session.component(spec, &mut GuardedReader::default(), &Deadline::none()).unwrap().unwrap();
    assert_eq!(component.digest(), Component::new(self::component()).digest());
    assert_eq!(component.size(), Some(self::component().len()));
    let (facts, found) =
        session.config().set_component(LayerName::UserSet, Path::new(&spec.source.to_string())).unwrap();
    let small = crate::session::sets::component(session.system(), facts, found, 10);
    assert!(matches!(small, Err(smcp_policy::Unreadable::TooLarge { limit: 10, .. })));
}
