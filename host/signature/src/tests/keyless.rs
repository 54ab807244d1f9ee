//! Keyless signatures: those in order, and everything that is not.

use serde_json::Value;

use crate::bundle::SigstoreBundle;
use crate::json::Moment;
use crate::keyless;
use crate::root::Roots;
use crate::tests::sigstore::NEW_YEAR;
use crate::tests::sigstore::Wish;
use crate::tests::sigstore::World;

const WHO: (&str, &str) = ("dev@acme.example", "https://issuer.test");
const BYTES: &[u8] = b"\0asm and so on";
const NOW: Moment = Moment(NEW_YEAR + 3600);

fn wish() -> Wish {
    Wish::of(WHO.0, WHO.1)
}

/// Returns what is wrong with a bundle; empty when nothing is.
fn flaw_for(who: (&str, &str), world: &World, bundle: &Value, bytes: &[u8], now: Moment) -> String {
    let roots = Roots::from_json(world.root().to_string().as_bytes()).unwrap();
    let verified = SigstoreBundle::read(bundle.to_string().as_bytes())
        .and_then(|bundle| keyless::verify(&bundle, bytes, who, &roots, now));
    verified.err().map_or_else(String::new, |flaw| flaw.to_string())
}

fn flaw(world: &World, bundle: &Value) -> String {
    flaw_for(WHO, world, bundle, BYTES, NOW)
}

#[test]
fn a_signature_in_order_is_taken() {
    let world = World::new();
    for generation in [1, 2] {
        for statement in [false, true] {
            let bundle = world.sign(&Wish { generation, statement, ..wish() }, BYTES);
            assert_eq!(flaw(&world, &bundle), "", "{generation} {statement}");
        }
    }
}

#[test]
fn an_identity_is_compared_as_a_whole() {
    let world = World::new();
    let bundle = world.sign(&wish(), BYTES);
    for who in [
        ("dev@acme.exampl", WHO.1),
        ("dev@acme.example.test", WHO.1),
        ("ev@acme.example", WHO.1),
        ("Dev@acme.example", WHO.1),
        ("dev@acme.example ", WHO.1),
        ("d\u{435}v@acme.example", WHO.1),
        ("", WHO.1),
        (WHO.0, "https://issuer.test/"),
        (WHO.0, "https://issuer.tes"),
        (WHO.0, "http://issuer.test"),
        (WHO.0, ""),
    ] {
        let found = flaw_for(who, &world, &bundle, BYTES, NOW);
        assert_eq!(found, "it is by `dev@acme.example` of https://issuer.test", "{who:?}");
    }
    let workflow = "https://github.test/acme/policies/.github/workflows/release.yaml@refs/heads/main";
    let bundle = world.sign(&Wish::of(workflow, WHO.1), BYTES);
    assert_eq!(flaw_for((workflow, WHO.1), &world, &bundle, BYTES, NOW), "");
    let longer = format!("{workflow}ly");
    assert!(flaw_for((&longer, WHO.1), &world, &bundle, BYTES, NOW).starts_with("it is by `https://github.test"));
}

#[test]
fn a_signature_is_about_its_bytes_and_no_others() {
    let world = World::new();
    for statement in [false, true] {
        let bundle = world.sign(&Wish { statement, ..wish() }, BYTES);
        for other in [&b""[..], b"\0asm and so o", b"\0asm and so on ", b"acme/tool:1.0"] {
            let found = flaw_for(WHO, &world, &bundle, other, NOW);
            assert!(found.starts_with("it is about another digest than sha256:"), "{found}");
        }
    }
    // Without the digest that it says, the signature itself still is about other bytes.
    let mut bundle = world.sign(&wish(), BYTES);
    bundle["messageSignature"].as_object_mut().unwrap().remove("messageDigest");
    assert_eq!(flaw_for(WHO, &world, &bundle, b"other", NOW), "its signature is not one by that key over these bytes");
    // A signature of the name of an image, as cosign once made it, is not one of the bytes.
    let name = br#"{"critical":{"identity":{"docker-reference":"acme/policy:1"}}}"#;
    let found = flaw_for(WHO, &world, &world.sign(&wish(), name), BYTES, NOW);
    assert!(found.starts_with("it is about another digest than sha256:"), "{found}");
}

/// A wish, and what is wrong with what comes of it.
type Wrong = (&'static str, fn(Wish) -> Wish, &'static str);

#[test]
fn a_certificate_is_believed_for_its_time_and_its_purpose() {
    let world = World::new();
    let cases: [Wrong; 5] = [
        (
            "expired when the log took it in",
            |wish| Wish { signs_after: 601, ..wish },
            "its certificate is out of its time: it signed at 2026-01-01T00:10:01Z, and was valid to 2026-01-01T00:10:00Z",
        ),
        (
            "expired by the clock",
            |wish| Wish { signs_after: 601, generation: 2, ..wish },
            "its certificate is out of its time: it signed at 2026-01-01T00:10:01Z, and was valid to 2026-01-01T00:10:00Z",
        ),
        (
            "in no log of certificates",
            |wish| Wish { promised: false, ..wish },
            "its certificate is not believed: no log of certificates that is believed has promised to show it",
        ),
        (
            "for servers",
            |wish| Wish { usage: rcgen::ExtendedKeyUsagePurpose::ServerAuth, ..wish },
            "its certificate is not believed: ",
        ),
        ("valid to the last second", |wish| Wish { signs_after: 600, ..wish }, ""),
    ];
    for (what, change, says) in cases {
        let found = flaw(&world, &world.sign(&change(wish()), BYTES));
        assert!(found.starts_with(says) && says.is_empty() == found.is_empty(), "{what}: {found}");
    }
    // The time of the log may be a little ahead of this machine's, and no more.
    let bundle = world.sign(&wish(), BYTES);
    assert_eq!(flaw_for(WHO, &world, &bundle, BYTES, Moment(NEW_YEAR - 290)), "");
    let found = flaw_for(WHO, &world, &bundle, BYTES, Moment(NEW_YEAR - 300));
    assert_eq!(found, "its entry of a log is not believed: its time is in the future");
}

#[test]
fn another_world_is_not_believed() {
    let (world, other) = (World::new(), World::new());
    for generation in [1, 2] {
        let bundle = world.sign(&Wish { generation, ..wish() }, BYTES);
        assert!(flaw(&other, &bundle).contains("not believed"), "{generation}");
        // With some of the parts believed, the others are not.
        for part in ["tlogs", "ctlogs", "certificateAuthorities", "timestampAuthorities"] {
            if (generation, part) == (1, "timestampAuthorities") {
                continue;
            }
            let mut root = world.root();
            root[part] = other.root()[part].clone();
            let roots = Roots::from_json(root.to_string().as_bytes()).unwrap();
            let read = SigstoreBundle::read(bundle.to_string().as_bytes()).unwrap();
            let found = keyless::verify(&read, BYTES, WHO, &roots, NOW).unwrap_err().to_string();
            assert!(found.contains("not believed"), "{generation} {part}: {found}");
            root[part] = serde_json::json!([]);
            let roots = Roots::from_json(root.to_string().as_bytes()).unwrap();
            assert!(keyless::verify(&read, BYTES, WHO, &roots, NOW).is_err(), "{generation} {part}");
        }
    }
    // An authority counts for its time alone.
    let bundle = world.sign(&wish(), BYTES);
    for part in ["tlogs", "ctlogs", "certificateAuthorities"] {
        let mut root = world.root().to_string();
        let until = r#""start":"2025-01-01T00:00:00Z","end":"2025-12-31T00:00:00Z""#;
        let before: Value = serde_json::from_str(&root.replace(r#""start":"2025-01-01T00:00:00Z""#, until)).unwrap();
        let mut changed = world.root();
        changed[part] = before[part].clone();
        root = changed.to_string();
        let roots = Roots::from_json(root.as_bytes()).unwrap();
        let read = SigstoreBundle::read(bundle.to_string().as_bytes()).unwrap();
        assert!(keyless::verify(&read, BYTES, WHO, &roots, NOW).is_err(), "{part}");
    }
}

/// A change of a bundle, given another one in order, and what is wrong with what comes of it.
type Change = (&'static str, fn(&mut Value, &Value, &World), &'static str);

const ENTRY: &str = "/verificationMaterial/tlogEntries/0";

fn at<'v>(bundle: &'v mut Value, path: &str) -> &'v mut Value {
    bundle.pointer_mut(path).unwrap()
}

fn in_entry<'v>(bundle: &'v mut Value, path: &str) -> &'v mut Value {
    at(bundle, &format!("{ENTRY}{path}"))
}

fn remove(bundle: &mut Value, path: &str, key: &str) {
    at(bundle, path).as_object_mut().unwrap().remove(key).unwrap();
}

#[test]
fn every_part_of_a_bundle_is_needed_and_belongs_to_it() {
    let changes: [Change; 22] = [
        ("no entry", |it, _, _| *at(it, "/verificationMaterial/tlogEntries") = serde_json::json!([]), "no entry of a"),
        ("no entries", |it, _, _| remove(it, "/verificationMaterial", "tlogEntries"), "no entry of a transparency log"),
        (
            "another's entry",
            |it, other, _| *in_entry(it, "") = other.pointer(ENTRY).unwrap().clone(),
            "another signature",
        ),
        (
            "another's entry, too",
            |it, other, _| {
                let more = other.pointer(ENTRY).unwrap().clone();
                at(it, "/verificationMaterial/tlogEntries").as_array_mut().unwrap().push(more);
            },
            "it is about another signature",
        ),
        (
            "another's certificate",
            |it, other, _| {
                *at(it, "/verificationMaterial/certificate") = other["verificationMaterial"]["certificate"].clone();
            },
            "its signature is not one by that key",
        ),
        (
            "another's signature",
            |it, other, _| it["messageSignature"] = other["messageSignature"].clone(),
            "its signature is not one by that key",
        ),
        ("no promise of a time", |it, _, _| remove(it, ENTRY, "inclusionPromise"), "nothing proves when it was signed"),
        ("another time", |it, _, _| *in_entry(it, "/integratedTime") = "1767225606".into(), "has not signed the time"),
        ("no proof", |it, _, _| remove(it, ENTRY, "inclusionProof"), "no proof that the log has it"),
        (
            "a shorter proof",
            |it, _, _| drop(in_entry(it, "/inclusionProof/hashes").as_array_mut().unwrap().pop()),
            "the proof leads nowhere",
        ),
        (
            "another place",
            |it, _, _| *in_entry(it, "/inclusionProof/logIndex") = "3".into(),
            "does not lead to the head",
        ),
        ("another size", |it, _, _| *in_entry(it, "/inclusionProof/treeSize") = "6".into(), "about another head"),
        (
            "another root",
            |it, _, _| *in_entry(it, "/inclusionProof/rootHash") = "AAAA".into(),
            "the proof is about another head of the log",
        ),
        (
            "another head",
            |it, _, _| {
                let head = in_entry(it, "/inclusionProof/checkpoint/envelope");
                *head = head.as_str().unwrap().replacen("\n5\n", "\n6\n", 1).into();
            },
            "the head of the log is not signed by it",
        ),
        (
            "a head without a signature",
            |it, _, _| {
                let head = in_entry(it, "/inclusionProof/checkpoint/envelope");
                let text = head.as_str().unwrap();
                *head = text[..text.find("—").unwrap()].into();
            },
            "the head of the log is not signed by it",
        ),
        (
            "another body",
            |it, other, _| {
                *in_entry(it, "/canonicalizedBody") =
                    other.pointer(&format!("{ENTRY}/canonicalizedBody")).unwrap().clone();
            },
            "it is about another signature",
        ),
        (
            "another kind",
            |it, _, _| *in_entry(it, "/kindVersion/version") = "0.0.2".into(),
            "it is of another kind than the bundle says",
        ),
        (
            "a kind that nobody knows",
            |it, _, world| {
                *in_entry(it, "") = world.logged("rpm", "0.0.1", br#"{"kind":"rpm","apiVersion":"0.0.1"}"#, NEW_YEAR, 1)
            },
            "it is of a kind that is not known",
        ),
        (
            "a time-stamp that is none",
            |it, _, _| {
                *at(it, "/verificationMaterial/timestampVerificationData/rfc3161Timestamps") =
                    serde_json::json!([{"signedTimestamp": "MAA="}]);
            },
            "its time-stamp is not believed: it can't be read",
        ),
        (
            "a time-stamp of another signature",
            |it, _, world| {
                let stamp = crate::tests::sigstore::b64(&world.time_stamp(b"another", NEW_YEAR + 5));
                *at(it, "/verificationMaterial/timestampVerificationData/rfc3161Timestamps") =
                    serde_json::json!([{"signedTimestamp": stamp}]);
            },
            "its time-stamp is not believed: it is about another signature",
        ),
        (
            "a key in place of the certificate",
            |it, _, _| {
                remove(it, "/verificationMaterial", "certificate");
                it["verificationMaterial"]["publicKey"] = serde_json::json!({"hint": ""});
            },
            "it is by a key, and has no certificate",
        ),
        (
            "a key beside the certificate",
            |it, _, _| it["verificationMaterial"]["publicKey"] = serde_json::json!({"hint": ""}),
            "it names no signer, or several",
        ),
    ];
    let world = World::new();
    let (good, other) = (world.sign(&wish(), BYTES), world.sign(&wish(), BYTES));
    for (what, change, says) in changes {
        let mut bundle = good.clone();
        change(&mut bundle, &other, &world);
        let found = flaw(&world, &bundle);
        assert!(found.contains(says), "{what}: {found}");
    }
}

#[test]
fn the_clock_of_the_second_generation_is_needed() {
    let world = World::new();
    let good = world.sign(&Wish { generation: 2, ..wish() }, BYTES);
    let stamps = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps";
    let mut without = good.clone();
    *at(&mut without, stamps) = serde_json::json!([]);
    assert!(flaw(&world, &without).starts_with("nothing proves when it was signed"));
    // A second time-stamp in order, out of the certificate's time, counts as well.
    let signature = {
        use base64::Engine as _;
        let text = good["messageSignature"]["signature"].as_str().unwrap();
        base64::engine::general_purpose::STANDARD.decode(text).unwrap()
    };
    let late = crate::tests::sigstore::b64(&world.time_stamp(&signature, NEW_YEAR + 700));
    let mut both = good;
    at(&mut both, stamps).as_array_mut().unwrap().push(serde_json::json!({"signedTimestamp": late}));
    assert!(flaw(&world, &both).starts_with("its certificate is out of its time"), "{}", flaw(&world, &both));
}

#[test]
fn what_is_no_bundle_is_refused_by_name() {
    let world = World::new();
    let read = |text: &str| SigstoreBundle::read(text.as_bytes()).map(|_| ()).unwrap_err().to_string();
    let old = "it has cosign's old layout, which is not read: sign again with cosign 3, or `--new-bundle-format`";
    assert_eq!(read(r#"{"base64Signature":"MEU=","cert":"LS0t","rekorBundle":{}}"#), old);
    assert_eq!(read(r#"{"critical":{"type":"cosign container image signature"},"optional":null}"#), old);
    let good = world.sign(&wish(), BYTES);
    for text in ["", "{", "[]", "null", "MEUCIQD", "{}"] {
        assert_eq!(read(text), "it is no sigstore bundle: it is not the JSON of one", "{text}");
    }
    let with = |path: &str, value: Value| {
        let mut bundle = good.clone();
        *at(&mut bundle, path) = value;
        read(&bundle.to_string())
    };
    assert!(with("/mediaType", "application/vnd.dev.sigstore.bundle.v0.4+json".into()).contains("mediaType"));
    assert!(with("/messageSignature", Value::Null).contains("it has no signature, or several"));
    assert!(with("/messageSignature/messageDigest/algorithm", "MD5".into()).contains("a hash that is not known"));
    let entry = good.pointer(ENTRY).unwrap().clone();
    assert!(with("/verificationMaterial/tlogEntries", vec![entry; 9].into()).contains("more than 8"));
    let statement = world.sign(&Wish { statement: true, ..wish() }, BYTES);
    let mut two = statement.clone();
    let signature = two["dsseEnvelope"]["signatures"][0].clone();
    at(&mut two, "/dsseEnvelope/signatures").as_array_mut().unwrap().push(signature);
    assert!(read(&two.to_string()).contains("its envelope has no signature, or several"));
    let mut plain = statement;
    plain["dsseEnvelope"]["payloadType"] = "text/plain".into();
    assert!(flaw(&world, &plain).contains("its envelope holds no in-toto statement"));
}

#[test]
fn no_change_of_a_byte_makes_a_signature_of_other_bytes_or_a_panic() {
    let world = World::new();
    let roots = Roots::from_json(world.root().to_string().as_bytes()).unwrap();
    for generation in [1, 2] {
        let text = world.sign(&Wish { generation, ..wish() }, BYTES).to_string();
        // A few of all places, so that the test is quick.
        for place in (0..text.len()).step_by(29) {
            let mut bytes = text.clone().into_bytes();
            bytes[place] ^= 1;
            let verify =
                |of: &[u8], who| SigstoreBundle::read(&bytes).and_then(|it| keyless::verify(&it, of, who, &roots, NOW));
            assert!(verify(b"other", WHO).is_err(), "{place}");
            assert!(verify(BYTES, ("dev@acme.exampld", WHO.1)).is_err(), "{place}");
            assert!(SigstoreBundle::read(&text.as_bytes()[..place]).is_err(), "{place}");
        }
    }
}
