//! Tests of the kept answers of registries: which are used, and which are not.

use cap_std::fs::Permissions;
use cap_std::fs::PermissionsExt as _;

use super::*;
use smcp_bed::Bed;
use smcp_bed::caller;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Facts;
use smcp_model::facts::Origin;
use smcp_model::facts::Score;
use smcp_model::facts::SeverityCounts;
use smcp_model::facts::Status;
use smcp_model::statement::ArrivedStatement;
use smcp_model::text::SafeText;

const NOW: u64 = 1_800_000_000;

fn store(bed: &Bed) -> Resolutions {
    Resolutions::new(bed.root.open_dir("cache").unwrap(), &bed.path("cache"), caller())
}

fn resolution(reference: &str, registry: &str) -> Resolution {
    let (id, version) = reference.split_once('@').unwrap();
    Resolution {
        id: id.parse().unwrap(),
        version: version.parse().unwrap(),
        registry: Registry::from_text(registry, std::path::Path::new("/"), None).unwrap(),
        facts: Facts::default(),
        manifest_digest: Digest::of(b"manifest"),
        bundle_digest: Digest::of(b"bundle"),
        bundle_size: None,
        image_digest: None,
    }
}

fn all_facts() -> Facts {
    Facts {
        status: Some(Status::Deprecated),
        origin: Some(Origin::Other("partner".to_owned())),
        cert_level: CertLevel::new(2),
        score: Score::new(85),
        security_score: Score::new(0),
        supply_chain_score: Score::new(100),
        maturity_score: Score::new(50),
        findings: Some(SeverityCounts { critical: 1, high: 2, medium: 3, low: u32::MAX }),
        git_sha: Some("0123\u{1b}".into()),
        doubts: vec![SafeText::new("level `7` \u{202e}")],
    }
}

#[test]
fn an_answer_comes_back_as_it_was() {
    let bed = Bed::with(["cache"]);
    let words = ["published", "deprecated", "revoked", "", "\u{1b}odd"].map(|word| Some(Status::from_word(word)));
    let origins = ["official", "verified", "community", "Odd One"].map(Origin::from_word);
    let mut facts: Vec<Facts> = words.into_iter().map(|status| Facts { status, ..Facts::default() }).collect();
    facts.extend(origins.map(|origin| Facts { origin, ..Facts::default() }));
    facts.extend([Facts::default(), all_facts()]);
    for facts in facts {
        for (place, image_digest) in [("/srv/r", None), ("oci://r.example/mcp", Some(Digest::of(b"image")))] {
            let answer = resolution("acme/tool@1.0.0+x", place);
            let resolution = Resolution { facts: facts.clone(), bundle_size: Some(7), image_digest, ..answer };
            store(&bed).keep(&resolution, NOW, NOW).unwrap();
            let found = store(&bed).of_version(&resolution.registry, &resolution.id, &resolution.version, NOW).unwrap();
            assert_eq!(found, KeptAnswer { resolution, statements: None, at: NOW });
        }
    }
}

#[test]
fn a_registry_is_asked_only_about_itself() {
    let bed = Bed::with(["cache"]);
    let places = ["https://a.example", "https://a.example:8443", "oci://a.example", "/srv/https:", "/srv/r"];
    for place in places {
        store(&bed).keep(&resolution("acme/tool@1.0.0", place), NOW, NOW).unwrap();
    }
    store(&bed).keep(&resolution("acme/tool@2.0.0", "/srv/r"), NOW, NOW).unwrap();
    store(&bed).keep(&resolution("acme/too@1.0.0", "/srv/r"), NOW, NOW).unwrap();
    assert_eq!(store(&bed).all(NOW).unwrap().iter().filter(|file| file.answer.is_some()).count(), 7);
    for (place, count) in [("/srv/r", 2), ("https://a.example", 1), ("oci://a.example", 1), ("https://b.example", 0)] {
        let asked = resolution("acme/tool@1.0.0", place);
        let found = store(&bed).of_package(&asked.registry, &asked.id, NOW);
        assert_eq!(found.len(), count, "{place}");
        assert!(found.iter().all(|kept| kept.resolution.registry == asked.registry && kept.resolution.id == asked.id));
    }
    for (path, _) in bed.files("cache") {
        assert!(path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/.-_".contains(&byte)), "{path}");
    }
}

#[test]
fn the_same_answer_is_written_once_a_minute_and_a_new_one_at_once() {
    let bed = Bed::with(["cache"]);
    let first = resolution("acme/tool@1.0.0", "/srv/r");
    let at = |now| store(&bed).of_version(&first.registry, &first.id, &first.version, now).unwrap().at;
    store(&bed).keep(&first, NOW, NOW).unwrap();
    store(&bed).keep(&first, NOW + 59, NOW + 59).unwrap();
    assert_eq!(at(NOW + 59), NOW);
    store(&bed).keep(&first, NOW + 60, NOW + 60).unwrap();
    assert_eq!(at(NOW + 60), NOW + 60);
    let revoked = Facts { status: Some(Status::from_word("revoked")), ..Facts::default() };
    store(&bed).keep(&Resolution { facts: revoked, ..first.clone() }, NOW + 61, NOW + 61).unwrap();
    assert_eq!(at(NOW + 61), NOW + 61);
    // Another run asked before that, and finishes its download only now.
    store(&bed).keep(&first, NOW + 60, NOW + 200).unwrap();
    assert_eq!(at(NOW + 200), NOW + 61, "the later answer stays");
    store(&bed).keep(&first, NOW + 62, NOW + 200).unwrap();
    assert_eq!(at(NOW + 200), NOW + 62, "an answer is as old as the question");
}

#[test]
fn what_we_did_not_write_is_absent() {
    let bed = Bed::with(["cache"]);
    let asked = resolution("acme/tool@1.0.0", "/srv/r");
    let find = |now| store(&bed).of_version(&asked.registry, &asked.id, &asked.version, now);
    store(&bed).keep(&asked, NOW, NOW).unwrap();
    let (path, good) = bed.files("cache").pop().unwrap();
    let path = format!("cache/{path}");
    let text = String::from_utf8(good.clone()).unwrap();
    let tolerance = limits::CLOCK_TOLERANCE.as_secs();
    assert!(find(NOW - tolerance).is_some(), "a clock that was put right by seconds");
    assert!(find(NOW - tolerance - 1).is_none(), "an answer from the future");
    let cases = [
        String::new(),
        text[..text.len() / 2].to_owned(),
        "[]".to_owned(),
        text.replace("smcp.resolution/1", "smcp.resolution/2"),
        text.replace("acme/tool", "acme/other"),
        text.replace("acme/tool", "../../tool"),
        text.replace("1.0.0", "1.0.1"),
        text.replace("/srv/r", "/srv/other"),
        text.replace("/srv/r", "https://"),
        text.replace("sha256:", "sha512:"),
        text.replacen("\"status\":null", "\"status\":null,\"status\":null", 1),
        text.replacen("\"status\":null", "\"status\":null,\"more\":1", 1),
        text.replacen("\"cert_level\":null", "\"cert_level\":4", 1),
        text.replacen("\"score\":null", "\"score\":101", 1),
        text.replacen("\"origin\":null", "\"origin\":\" \"", 1),
        text.replacen("\"resolved_at\":1", "\"resolved_at\":-1", 1),
    ];
    for case in cases {
        assert_ne!(case, text, "a case that changes nothing");
        bed.root.write(&path, &case).unwrap();
        assert!(find(NOW).is_none(), "{case}");
        assert!(store(&bed).all(NOW).unwrap().iter().all(|file| file.answer.is_none()), "{case}");
    }
    bed.root.write(&path, good).unwrap();
    assert!(find(NOW).is_some());
    for mode in [0o620, 0o602, 0o666] {
        bed.root.set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        assert!(find(NOW).is_none(), "{mode:o}");
    }
    bed.root.remove_file(&path).unwrap();
    bed.root.create_dir(&path).unwrap();
    assert!(find(NOW).is_none(), "a folder");
}

#[test]
fn what_the_registry_no_longer_has_is_forgotten() {
    let bed = Bed::with(["cache"]);
    let digest = format!("acme/tool@{}", Digest::of(b"bundle"));
    let cases = [("acme/tool@1.0.0", 1), (digest.as_str(), 0), ("acme/tool@latest", 2), ("acme/tool@3.0.0", 2)];
    for (wanted, left) in cases {
        let registry = resolution("acme/tool@1.0.0", "/srv/r").registry;
        for version in ["acme/tool@1.0.0", "acme/tool@2.0.0"] {
            store(&bed).keep(&resolution(version, "/srv/r"), NOW, NOW).unwrap();
        }
        let wanted: PackageRef = wanted.parse().unwrap();
        store(&bed).forget(&registry, &wanted, NOW).unwrap();
        assert_eq!(store(&bed).of_package(&registry, &wanted.id, NOW).len(), left, "{wanted}");
    }
}

#[test]
fn statements_stay_with_the_bytes_that_they_are_about() {
    let bed = Bed::with(["cache"]);
    let asked = resolution("acme/tool@1.0.0", "/srv/r");
    let found = |bed: &Bed| store(bed).of_version(&asked.registry, &asked.id, &asked.version, NOW + 900).unwrap();
    let mut arrived = ArrivedStatements::default();
    arrived.add(ArrivedStatement::Minisign { statement: b"{}\n".into(), signature: b"s".into() }).unwrap();
    arrived.add(ArrivedStatement::Sigstore { bundle: br#"{"dsseEnvelope":{"payload":""}}"#.into() }).unwrap();
    store(&bed).keep_with(&asked, Some(&arrived), NOW, NOW).unwrap();
    assert_eq!(found(&bed).statements, Some(arrived.clone()));
    // Nobody has asked for statements this time.
    store(&bed).keep(&asked, NOW + 100, NOW + 100).unwrap();
    assert_eq!((found(&bed).statements, found(&bed).at), (Some(arrived.clone()), NOW + 100));
    // The registry has none any more, which is an answer at once.
    let none = ArrivedStatements::default();
    store(&bed).keep_with(&asked, Some(&none), NOW + 101, NOW + 101).unwrap();
    assert_eq!(found(&bed).statements, Some(none));
    store(&bed).keep_with(&asked, Some(&arrived), NOW + 102, NOW + 102).unwrap();
    // Other bytes.
    let other = Resolution { manifest_digest: Digest::of(b"other"), ..asked.clone() };
    store(&bed).keep(&other, NOW + 200, NOW + 200).unwrap();
    assert_eq!(found(&bed).statements, None);
}
