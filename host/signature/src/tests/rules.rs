//! Rules: lists of signers, bundles by keys, and what a refusal says.

use std::path::Path;
use std::path::PathBuf;
use std::slice::from_ref;

use rcgen::KeyPair;
use serde_json::Value;

use crate::LoadedRule;
use crate::SignatureDocument;
use crate::SignatureForm;
use crate::SignerFileError;
use crate::minisign;
use crate::secret_key::SecretKey;
use crate::tests::sigstore::NEW_YEAR;
use crate::tests::sigstore::Wish;
use crate::tests::sigstore::World;
use smcp_model::signer::Demand;
use smcp_model::signer::SignedBy;
use smcp_model::signer::Signer;
use smcp_model::signer::TrustedRoot;

const BYTES: &[u8] = b"\0asm and so on";

/// Files that rules name.
struct Files<'w> {
    world: &'w World,
    pem: String,
}

impl Files<'_> {
    fn load(&self, demands: Vec<Demand>) -> Result<LoadedRule, SignerFileError> {
        LoadedRule::load(&SignedBy::new(demands).unwrap(), &mut |file: &Path, _| {
            Ok(match file.to_str().unwrap() {
                "/key.pem" => self.pem.clone().into_bytes(),
                "/root.json" => self.world.root().to_string().into_bytes(),
                other => other.as_bytes().to_vec(),
            })
        })
    }

    /// Returns who has signed; otherwise what is found.
    fn judge(&self, demands: Vec<Demand>, documents: &[SignatureDocument]) -> Result<String, String> {
        let verdict = self.load(demands).unwrap().verify(BYTES, documents, NEW_YEAR + 60);
        verdict.map(|signer| signer.to_string()).map_err(|unsigned| unsigned.to_string())
    }
}

fn root() -> TrustedRoot {
    TrustedRoot::File(PathBuf::from("/root.json"))
}

fn by_key(log: bool) -> Signer {
    Signer::Key { file: "/key.pem".into(), log: log.then(root) }
}

fn keyless(identity: &str) -> Signer {
    Signer::Keyless { issuer: "https://issuer.test".to_owned(), identity: identity.to_owned(), root: root() }
}

fn bundle(name: &str, content: &Value) -> SignatureDocument {
    SignatureDocument { name: name.into(), form: SignatureForm::Sigstore, content: content.to_string().into_bytes() }
}

fn minisig(key: &SecretKey, bytes: &[u8]) -> SignatureDocument {
    let content = minisign::sign(key, bytes, "x").into_bytes();
    SignatureDocument { name: "a.minisig".into(), form: SignatureForm::Minisign, content }
}

#[test]
fn of_many_documents_those_are_good_that_somebody_in_the_rule_has_made() {
    let (world, keys) = (World::new(), [0; 3].map(|_| SecretKey::generate().unwrap()));
    let [one, other, stranger] = &keys;
    let files = Files { world: &world, pem: String::new() };
    let minisign = |key: &SecretKey| Signer::Minisign(key.public());
    let rule = files.load(vec![Demand::One(minisign(one)), Demand::All(vec![minisign(one), minisign(other)])]).unwrap();
    let document = |key: &SecretKey, bytes: &[u8]| SignatureDocument {
        name: "it".into(),
        form: SignatureForm::Minisign,
        content: minisign::sign(key, bytes, "x").into_bytes(),
    };
    let junk = SignatureDocument { name: "junk".into(), form: SignatureForm::Sigstore, content: vec![b' '; 1000] };
    let documents =
        [document(stranger, BYTES), document(one, b"others"), junk, document(other, BYTES), document(one, b"manifest")];
    let candidates: [&[u8]; 2] = [BYTES, b"manifest"];
    let good: Vec<_> = rule.good(&candidates, &documents, NEW_YEAR).map(|it| it.content.clone()).collect();
    assert_eq!(good, [documents[3].content.clone(), documents[4].content.clone()]);
}

#[test]
fn a_bundle_by_a_key_needs_no_log_unless_it_is_asked_for() {
    let (world, key) = (World::new(), KeyPair::generate().unwrap());
    let files = Files { world: &world, pem: key.public_key_pem() };
    let judge = |log: bool, content: &Value| files.judge(vec![Demand::One(by_key(log))], &[bundle("a", content)]);
    for statement in [false, true] {
        let good = world.sign_with(&key, BYTES, statement);
        assert!(judge(false, &good).unwrap().starts_with("key sha256:"), "{statement}");
        assert!(judge(true, &good).unwrap().starts_with("key sha256:"), "{statement}");
        let mut bare = good.clone();
        bare["verificationMaterial"].as_object_mut().unwrap().remove("tlogEntries");
        assert!(judge(false, &bare).is_ok());
        assert_eq!(judge(true, &bare).unwrap_err(), "a: it has no entry of a transparency log");
        // What is not asked for is not looked at, either.
        let mut broken = good.clone();
        broken["verificationMaterial"]["timestampVerificationData"] =
            serde_json::json!({"rfc3161Timestamps": [{"signedTimestamp": "AAAA"}]});
        assert!(judge(false, &broken).is_ok());
        let other = world.sign_with(&KeyPair::generate().unwrap(), BYTES, statement);
        assert_eq!(judge(false, &other).unwrap_err(), "a: its signature is not one by that key over these bytes");
        let mut mixed = good.clone();
        mixed["verificationMaterial"]["tlogEntries"] = other["verificationMaterial"]["tlogEntries"].clone();
        assert_eq!(
            judge(true, &mixed).unwrap_err(),
            "a: its entry of a log is not believed: it is about another signature"
        );
        assert!(judge(false, &mixed).is_ok());
        let of_other_bytes = world.sign_with(&key, b"other", statement);
        assert!(judge(false, &of_other_bytes).unwrap_err().starts_with("a: it is about another digest than sha256:"));
    }
    let certified = world.sign(&Wish::of("a@b.test", "https://issuer.test"), BYTES);
    assert_eq!(judge(false, &certified).unwrap_err(), "a: it is by a certificate, and not by a key");
}

#[test]
fn every_kind_of_key_verifies() {
    let world = World::new();
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let files = Files { world: &world, pem: key.public_key_pem() };
        for statement in [false, true] {
            let mut content = world.sign_with(&key, BYTES, statement);
            if let Some(signature) = content["messageSignature"].as_object_mut() {
                // The signature is by the hash that goes with the key.
                signature.remove("messageDigest");
            }
            let judged = files.judge(vec![Demand::One(by_key(false))], &[bundle("a", &content)]);
            assert!(judged.is_ok(), "{algorithm:?} {statement} {judged:?}");
        }
    }
}

#[test]
fn one_demand_must_be_met_and_each_part_of_it() {
    let (world, key) = (World::new(), KeyPair::generate().unwrap());
    let files = Files { world: &world, pem: key.public_key_pem() };
    let (ours, theirs) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
    let of = |key: &SecretKey| Signer::Minisign(key.public());
    let name = format!("minisign {}", ours.public());
    let dev = world.sign(&Wish::of("dev@acme.test", "https://issuer.test"), BYTES);
    let (signed, certified) = (minisig(&ours, BYTES), bundle("a.sigstore.json", &dev));
    let one = |signer| vec![Demand::One(signer)];
    assert_eq!(files.judge(one(of(&ours)), from_ref(&signed)), Ok(name.clone()));
    assert_eq!(
        files.judge(vec![Demand::One(of(&theirs)), Demand::One(of(&ours))], from_ref(&signed)),
        Ok(name.clone())
    );
    let both = || vec![Demand::All(vec![of(&ours), keyless("dev@acme.test")])];
    let documents = [signed.clone(), certified.clone()];
    assert_eq!(files.judge(both(), &documents), Ok(format!("{name} and dev@acme.test of https://issuer.test")));
    let lacks = files.judge(both(), from_ref(&signed)).unwrap_err();
    assert_eq!(lacks, "a.minisig: it is by one of several that are required, and another is missing");
    let met =
        files.judge(vec![Demand::All(vec![of(&ours)]), Demand::All(vec![of(&ours), of(&theirs)])], from_ref(&signed));
    assert_eq!(met, Ok(name));
    let lacks = files.judge(vec![Demand::All(vec![of(&ours), by_key(false)])], &documents).unwrap_err();
    let missing = "a.minisig: it is by one of several that are required, and another is missing";
    assert_eq!(lacks, format!("{missing}; a.sigstore.json: it is by a certificate, and not by a key"));
    let unasked = files.judge(one(of(&ours)), from_ref(&certified)).unwrap_err();
    assert_eq!(unasked, "a.sigstore.json: nobody that is expected signs so");
    // A changed signer is refused with both identities.
    let changed = files.load(one(keyless("ops@acme.test"))).unwrap();
    let unsigned = changed.verify(BYTES, &[certified], NEW_YEAR + 60).unwrap_err();
    assert_eq!(unsigned.to_string(), "a.sigstore.json: it is by `dev@acme.test` of https://issuer.test");
    assert_eq!(unsigned.expected.to_string(), "`ops@acme.test` of https://issuer.test");
    assert_eq!(files.judge(one(of(&ours)), &[]).unwrap_err(), "it has no signature");
    assert!(files.judge(one(of(&ours)), &[minisig(&theirs, BYTES)]).unwrap_err().contains("by another minisign key"));
    assert!(files.judge(one(of(&ours)), &[minisig(&ours, b"other")]).unwrap_err().contains("not one by that key"));
}

#[test]
fn the_right_signature_among_others_is_found() {
    let (world, key) = (World::new(), KeyPair::generate().unwrap());
    let files = Files { world: &world, pem: key.public_key_pem() };
    let wish = |identity| Wish::of(identity, "https://issuer.test");
    let documents = [
        bundle("one", &world.sign(&wish("ops@acme.test"), BYTES)),
        bundle("two", &Value::Null),
        bundle("three", &world.sign(&wish("dev@acme.test"), b"other")),
        bundle("four", &world.sign(&wish("dev@acme.test"), BYTES)),
    ];
    assert!(files.judge(vec![Demand::One(keyless("dev@acme.test"))], &documents).is_ok());
    let found = files.judge(vec![Demand::One(keyless("dev@acme.test"))], &documents[..3]).unwrap_err();
    assert!(found.starts_with("one: it is by `ops@acme.test` of https://issuer.test; two: it is no sigstore bundle"));
}

#[test]
fn the_files_of_a_rule_are_what_they_should_be() {
    let world = World::new();
    let secret = KeyPair::generate().unwrap().serialize_pem();
    let certificate = crate::tests::sigstore::pem("CERTIFICATE", b"x");
    let curve = crate::tests::sigstore::pem("PUBLIC KEY", &[0x30, 3, 0x30, 1, 0]);
    for (pem, says) in [
        (secret, "/key.pem: it holds a secret key; a configuration names the public one"),
        (certificate, "/key.pem: it is no public key: expected a PEM file"),
        (curve, "/key.pem: it is a key of a kind that is not known: expected ECDSA on P-256 or P-384, Ed25519, or RSA"),
        (String::new(), "/key.pem: it is no public key"),
    ] {
        let error = Files { world: &world, pem }.load(vec![Demand::One(by_key(false))]).unwrap_err().to_string();
        assert!(error.starts_with(says), "{error}");
    }
    let root = TrustedRoot::File("/nothing".into());
    let signer = Signer::Keyless { issuer: "https://i".into(), identity: "a@b".into(), root };
    let error = Files { world: &world, pem: String::new() }.load(vec![Demand::One(signer)]).unwrap_err();
    assert!(error.to_string().starts_with("/nothing: it is no trusted root"), "{error}");
}
