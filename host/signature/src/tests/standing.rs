//! Statements: who has signed them, who has not, and who only says so.

use std::path::Path;
use std::slice::from_ref;

use rcgen::KeyPair;
use serde_json::Value;
use serde_json::json;

use crate::LoadedRule;
use crate::SignatureDocument;
use crate::SignatureForm;
use crate::SignerFileError;
use crate::Standing;
use crate::Vouched;
use crate::minisign;
use crate::secret_key::SecretKey;
use crate::statement_in;
use crate::tests::sigstore::NEW_YEAR;
use crate::tests::sigstore::Wish;
use crate::tests::sigstore::World;
use smcp_model::signer::Demand;
use smcp_model::signer::SignedBy;
use smcp_model::signer::Signer;
use smcp_model::signer::TrustedRoot;

const STATEMENT: &[u8] = br#"{"_type": "https://in-toto.io/Statement/v1", "subject": [], "predicateType": "x"}"#;
const OTHER: &[u8] = br#"{"_type": "https://in-toto.io/Statement/v1", "subject": [], "predicateType": "y"}"#;
const WHO: (&str, &str) = ("dev@acme.example", "https://issuer.test");

struct Signers {
    world: World,
    own: SecretKey,
    second: SecretKey,
    pem: KeyPair,
}

impl Signers {
    fn new() -> Self {
        let key = || SecretKey::generate().unwrap();
        Self { world: World::new(), own: key(), second: key(), pem: KeyPair::generate().unwrap() }
    }

    fn rule(&self, demands: Vec<Demand>) -> LoadedRule {
        let load = |file: &Path, _: usize| -> Result<Vec<u8>, SignerFileError> {
            Ok(match file.to_str().unwrap() {
                "/key.pem" => self.pem.public_key_pem().into_bytes(),
                _ => self.world.root().to_string().into_bytes(),
            })
        };
        LoadedRule::load(&SignedBy::new(demands).unwrap(), &mut { load }).unwrap()
    }

    fn minisign(&self) -> Signer {
        Signer::Minisign(self.own.public())
    }

    /// What the documents are worth to the owner of one minisign key.
    fn to_minisign(&self, documents: &[SignatureDocument]) -> Standing {
        self.rule(vec![Demand::One(self.minisign())]).standing(STATEMENT, documents, NEW_YEAR + 60)
    }
}

fn by_key() -> Signer {
    Signer::Key { file: "/key.pem".into(), log: None }
}

fn keyless() -> Signer {
    let root = TrustedRoot::File("/root.json".into());
    Signer::Keyless { issuer: WHO.1.to_owned(), identity: WHO.0.to_owned(), root }
}

fn minisig(key: &SecretKey, bytes: &[u8]) -> SignatureDocument {
    let content = minisign::sign(key, bytes, "x").into_bytes();
    SignatureDocument { name: "a.minisig".into(), form: SignatureForm::Minisign, content }
}

fn bundle(content: &Value) -> SignatureDocument {
    let content = content.to_string().into_bytes();
    SignatureDocument { name: "a bundle".into(), form: SignatureForm::Sigstore, content }
}

fn is_signed(standing: &Standing) -> bool {
    matches!(standing, Standing::Signed(_))
}

fn is_wrong(standing: &Standing) -> bool {
    matches!(standing, Standing::Wrong(_))
}

#[test]
fn a_strangers_signature_is_nothing_and_a_forged_one_is_wrong() {
    let signers = Signers::new();
    let good = minisig(&signers.own, STATEMENT);
    let stranger = minisig(&SecretKey::generate().unwrap(), STATEMENT);
    let of_another = minisig(&signers.own, OTHER);
    let damaged = SignatureDocument { content: b"no signature".to_vec(), ..good.clone() };
    // minisign's first form, with the number of the key.
    let legacy = {
        let text = String::from_utf8(good.content.clone()).unwrap();
        SignatureDocument { content: text.replacen("\nRU", "\nRW", 1).into_bytes(), ..good.clone() }
    };
    assert_ne!(legacy.content, good.content);
    assert!(is_signed(&signers.to_minisign(from_ref(&good))));
    assert!(is_signed(&signers.to_minisign(&[stranger.clone(), damaged.clone(), good.clone()])));
    for nothing in [vec![], vec![stranger.clone()], vec![damaged], vec![stranger]] {
        assert_eq!(signers.to_minisign(&nothing), Standing::Strange);
    }
    for wrong in [of_another, legacy] {
        assert!(is_wrong(&signers.to_minisign(from_ref(&wrong))));
        assert!(is_wrong(&signers.to_minisign(&[good.clone(), wrong.clone()])), "even beside a good one");
        assert!(is_wrong(&signers.to_minisign(&[wrong, good.clone()])));
    }
}

#[test]
fn statements_in_sigstore_bundles_are_judged_by_their_own_bytes() {
    let signers = Signers::new();
    let wish = Wish { statement: true, ..Wish::of(WHO.0, WHO.1) };
    let other_key = KeyPair::generate().unwrap();
    for (signer, good, of_another, stranger) in [
        (
            by_key(),
            signers.world.sign_with(&signers.pem, STATEMENT, true),
            signers.world.sign_with(&signers.pem, OTHER, true),
            signers.world.sign_with(&other_key, STATEMENT, true),
        ),
        (
            keyless(),
            signers.world.sign(&wish, STATEMENT),
            signers.world.sign(&wish, OTHER),
            signers.world.sign(&Wish { statement: true, ..Wish::of("other@acme.example", WHO.1) }, STATEMENT),
        ),
    ] {
        let rule = signers.rule(vec![Demand::One(signer)]);
        let standing = |content: &Value| rule.standing(STATEMENT, &[bundle(content)], NEW_YEAR + 60);
        assert_eq!(statement_in(good.to_string().as_bytes()).as_deref(), Some(STATEMENT));
        assert!(is_signed(&standing(&good)), "{:?}", standing(&good));
        assert_eq!(standing(&stranger), Standing::Strange);
        assert!(is_wrong(&standing(&of_another)), "{:?}", standing(&of_another));
        // The envelope of one, the signature of the other.
        let mut swapped = good.clone();
        swapped["dsseEnvelope"]["signatures"] = of_another["dsseEnvelope"]["signatures"].clone();
        assert!(is_wrong(&standing(&swapped)), "{:?}", standing(&swapped));
        let mut other_type = good.clone();
        other_type["dsseEnvelope"]["payloadType"] = json!("text/plain");
        assert_eq!(statement_in(other_type.to_string().as_bytes()), None);
        assert!(!is_signed(&standing(&other_type)));
    }
    // What signs bytes is no statement, even by the right key, over a statement's bytes.
    let over_bytes = signers.world.sign_with(&signers.pem, STATEMENT, false);
    let rule = signers.rule(vec![Demand::One(by_key())]);
    assert!(!is_signed(&rule.standing(STATEMENT, &[bundle(&over_bytes)], NEW_YEAR + 60)));
    assert_eq!(statement_in(over_bytes.to_string().as_bytes()), None);
}

#[test]
fn all_of_several_must_have_signed() {
    let signers = Signers::new();
    let both = Demand::All(vec![signers.minisign(), Signer::Minisign(signers.second.public())]);
    let rule = signers.rule(vec![both]);
    let (own, second) = (minisig(&signers.own, STATEMENT), minisig(&signers.second, STATEMENT));
    let standing = |documents: &[SignatureDocument]| rule.standing(STATEMENT, documents, 0);
    assert_eq!(standing(from_ref(&own)), Standing::Strange);
    assert_eq!(standing(&[second.clone(), second.clone()]), Standing::Strange);
    let Standing::Signed(Vouched { who, signers: all }) = standing(&[second, own.clone()]) else { panic!() };
    assert!(who.as_str().contains(" and "), "{who}");
    // Who was believed then is believed still where the rule asks for no more.
    assert!(rule.believes(&all) && !rule.believes(&all[..1]) && !rule.believes(&[]));
    assert!(signers.rule(vec![Demand::One(signers.minisign())]).believes(&all));
    assert!(is_wrong(&standing(&[own, minisig(&signers.second, OTHER)])));
}

#[test]
fn two_files_with_one_key_are_not_two_signers() {
    let pem = KeyPair::generate().unwrap().public_key_pem();
    let key = |file: &str| Signer::Key { file: file.into(), log: None };
    let rule = SignedBy::new(vec![Demand::All(vec![key("/a.pem"), key("/b.pem")])]).unwrap();
    let error = LoadedRule::load::<SignerFileError>(&rule, &mut |_, _| Ok(pem.clone().into_bytes())).unwrap_err();
    assert!(error.to_string().contains("/b.pem: it has the same key as another file"), "{error}");
}
