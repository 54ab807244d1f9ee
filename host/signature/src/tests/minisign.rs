//! minisign's signatures and keys: those of the real tool, and our own.
//!
//! The files in `vectors` were made by minisign 0.11 with keys of this test alone: `-S` (prehashed) and `-S -l` (legacy).

use proptest::prelude::*;

use crate::minisign::sign;
use crate::minisign::verify;
use crate::secret_key::Password;
use crate::secret_key::SecretKey;
use crate::secret_key::SecretKeyError;
use crate::secret_key::SecretKeyFile;
use smcp_model::signer::MinisignKey;

const POLICY: &[u8] = include_bytes!("vectors/policy.txt");
const HASHED: &str = include_str!("vectors/hashed.minisig");
const LEGACY: &str = include_str!("vectors/legacy.minisig");
const OTHER: &str = include_str!("vectors/other.minisig");
const SECRET: &str = include_str!("vectors/plain.key");

fn key_of(file: &str) -> MinisignKey {
    file.lines().nth(1).unwrap().parse().unwrap()
}

fn team() -> MinisignKey {
    key_of(include_str!("vectors/plain.pub"))
}

fn flaw(document: &str, bytes: &[u8]) -> String {
    verify(document.as_bytes(), bytes, &team()).err().map_or_else(String::new, |flaw| flaw.to_string())
}

#[test]
fn a_signature_of_the_real_minisign_is_taken() {
    assert_eq!(flaw(HASHED, POLICY), "");
    // Line ends of other systems change nothing.
    assert_eq!(flaw(&HASHED.replace('\n', "\r\n"), POLICY), "");
}

#[test]
fn everything_else_is_not() {
    let wrong = "its signature is not one by that key over these bytes";
    let cut = |lines: usize| HASHED.lines().take(lines).collect::<Vec<_>>().join("\n");
    let lines: Vec<_> = HASHED.lines().collect();
    let swapped: Vec<_> = OTHER.lines().collect();
    let legacy = "it has minisign's legacy form, which is not accepted: sign again with `minisign -S -H`";
    let cases = [
        ("legacy", LEGACY.to_owned(), legacy.to_owned()),
        ("by another key", OTHER.to_owned(), format!("it is by another minisign key (number {})", other().number())),
        ("another comment", HASHED.replace("signed by the real", "signed by the red"), wrong.to_owned()),
        ("a comment of another", [lines[0], lines[1], swapped[2], lines[3]].join("\n"), wrong.to_owned()),
        ("a global signature of another", [lines[0], lines[1], lines[2], swapped[3]].join("\n"), wrong.to_owned()),
        ("nothing", String::new(), "it is no minisign signature: its second line is no signature".to_owned()),
        ("one line", cut(1), "it is no minisign signature: its second line is no signature".to_owned()),
        ("two lines", cut(2), "it is no minisign signature: it has not the four lines of one".to_owned()),
        ("three lines", cut(3), "it is no minisign signature: it has not the four lines of one".to_owned()),
        ("a public key", include_str!("vectors/plain.pub").to_owned(), legacy.to_owned()),
        ("a bundle", "{\n}".to_owned(), "it is no minisign signature: its second line is no signature".to_owned()),
        ("a lot", "x\n".repeat(8192), "it is no minisign signature: its second line is no signature".to_owned()),
    ];
    for (what, document, says) in cases {
        assert_eq!(flaw(&document, POLICY), says, "{what}");
    }
    for bytes in [&b""[..], b"a policy", b"a policy\n\n", b"policy.txt"] {
        assert_eq!(flaw(HASHED, bytes), wrong, "{bytes:?}");
    }
    assert!(verify(b"x\n\xff\n", POLICY, &team()).unwrap_err().to_string().ends_with("it is not text"));
}

fn other() -> MinisignKey {
    key_of(include_str!("vectors/other.pub"))
}

#[test]
fn a_key_of_the_real_minisign_signs() {
    let key = SecretKeyFile::read(SECRET.as_bytes()).unwrap().open(None).unwrap();
    assert_eq!(key.public(), team());
    assert_eq!(flaw(&sign(&key, POLICY, "here"), POLICY), "");
    // But for its comment and its checksum, the file is the one that minisign has written.
    let line = |text: &str| text.lines().nth(1).unwrap().to_owned();
    let (ours, theirs) = (line(&key.file(None).unwrap()), line(SECRET));
    assert_eq!((&ours[..168], ours.len()), (&theirs[..168], theirs.len()));
    assert_eq!(line(&key.public_file()), team().to_string());
}

#[test]
fn a_password_is_needed_and_nothing_shows_the_key() {
    let key = SecretKey::generate().unwrap();
    let (right, wrong) = (Password::new("of a test"), Password::new("of a text"));
    let text = key.file(Some(&right)).unwrap();
    let file = SecretKeyFile::read(text.as_bytes()).unwrap();
    assert!(file.is_protected());
    assert_eq!(file.open(Some(&right)).unwrap().public(), key.public());
    assert_eq!(file.open(Some(&wrong)).unwrap_err(), SecretKeyError::WrongPassword);
    assert_eq!(file.open(None).unwrap_err(), SecretKeyError::WrongPassword);
    // Each file has a salt of its own.
    assert_ne!(key.file(Some(&right)).unwrap(), text);
    let shown = format!("{key:?} {right:?}");
    assert_eq!(shown, format!("SecretKey({}) Password(…)", key.public().number()));
}

#[test]
fn a_secret_key_is_158_bytes_that_fit_together() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let bytes = STANDARD.decode(SECRET.lines().nth(1).unwrap()).unwrap();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        let text = format!("untrusted comment: x\n{}\n", STANDARD.encode(bytes));
        SecretKeyFile::read(text.as_bytes()).and_then(|file| file.open(Some(&Password::new("x"))).map(|_| ()))
    };
    assert_eq!(with(&|_| ()), Ok(()));
    assert_eq!(with(&|bytes| bytes[0] = b'X'), Err(SecretKeyError::NotAKey));
    assert_eq!(with(&|bytes| bytes[2] = b'X'), Err(SecretKeyError::NotAKey));
    assert_eq!(with(&|bytes| bytes.truncate(157)), Err(SecretKeyError::NotAKey));
    // The number of the key is checked by a checksum alone.
    for place in 62..158 {
        assert_eq!(with(&|bytes| bytes[place] ^= 1), Err(SecretKeyError::Damaged), "{place}");
    }
    let costly = |operations: u64, memory: u64| {
        with(&|bytes| {
            bytes[2..4].copy_from_slice(b"Sc");
            bytes[38..46].copy_from_slice(&operations.to_le_bytes());
            bytes[46..54].copy_from_slice(&memory.to_le_bytes());
        })
    };
    assert_eq!(costly(1 << 26, 1 << 20), Err(SecretKeyError::TooCostly));
    assert_eq!(costly(1 << 20, 1 << 31), Err(SecretKeyError::TooCostly));
    assert_eq!(costly(0, 0), Err(SecretKeyError::WrongPassword));
    assert_eq!(costly(1, 1 << 20), Err(SecretKeyError::WrongPassword));
    for text in ["", "RWQ", "untrusted comment: x", include_str!("vectors/plain.pub")] {
        assert_eq!(SecretKeyFile::read(text.as_bytes()).unwrap_err(), SecretKeyError::NotAKey, "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_signed_is_verified_and_nothing_else(bytes in prop::collection::vec(any::<u8>(), 0..300), place in any::<usize>()) {
        let key = SecretKeyFile::read(SECRET.as_bytes()).unwrap().open(None).unwrap();
        let document = sign(&key, &bytes, "timestamp:1\tfile:a.wasm\thashed");
        prop_assert_eq!(verify(document.as_bytes(), &bytes, &team()), Ok(()));
        let mut other = bytes;
        other.insert(place % (other.len() + 1), 0);
        prop_assert!(verify(document.as_bytes(), &other, &team()).is_err());
    }

    /// `minisign-verify` is by minisign's author.
    #[test]
    fn minisign_verify_agrees(place in 0..HASHED.len(), byte in any::<u8>(), is_changed: bool) {
        let mut document = HASHED.as_bytes().to_vec();
        document[place] = if is_changed { byte } else { document[place] };
        let theirs = std::str::from_utf8(&document).ok().and_then(|text| {
            let key = minisign_verify::PublicKey::from_base64(&team().to_string()).unwrap();
            key.verify(POLICY, &minisign_verify::Signature::decode(text).ok()?, false).ok()
        });
        prop_assert_eq!(verify(&document, POLICY, &team()).is_ok(), theirs.is_some());
        prop_assert!(is_changed || theirs.is_some());
    }

    #[test]
    fn no_text_is_a_panic(text in "\\PC{0,40}\n[A-Za-z0-9+/=]{0,120}\n(trusted comment: )?\\PC{0,20}\n[A-Za-z0-9+/=]{0,90}") {
        prop_assert!(verify(text.as_bytes(), b"", &team()).is_err());
        let _ = SecretKeyFile::read(text.as_bytes());
    }
}
