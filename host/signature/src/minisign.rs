//! minisign signatures: held against a key, and made.
//!
//! Verifying is `minisign-verify`'s work. Only the prehashed form counts: a signature is over the BLAKE2b hash of the bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blake2::Blake2b512;
use blake2::Digest as _;
use minisign_verify::PublicKey;
use minisign_verify::Signature;

use crate::flaw::Flaw;
use crate::secret_key::SecretKey;
use smcp_model::signer::MinisignKey;

/// The algorithms of a signature: over the bytes, and over their hash.
const LEGACY: &[u8] = b"Ed";
const PREHASHED: &[u8] = b"ED";

/// Makes sure that the document is a signature over the bytes by this key.
pub(crate) fn verify(document: &[u8], bytes: &[u8], key: &MinisignKey) -> Result<(), Flaw> {
    let (signature, number) = read(document)?;
    if number != key.number() {
        return Err(Flaw::OtherKey(format!("another minisign key (number {number})")));
    }
    let public = PublicKey::from_base64(&key.to_string()).map_err(|_| Flaw::WrongSignature)?;
    public.verify(bytes, &signature, false).map_err(|_| Flaw::WrongSignature)
}

fn read(document: &[u8]) -> Result<(Signature, String), Flaw> {
    let text = std::str::from_utf8(document).map_err(|_| Flaw::minisign("it is not text"))?;
    let line = text.lines().nth(1).and_then(|line| STANDARD.decode(line).ok());
    let line = line.ok_or(Flaw::minisign("its second line is no signature"))?;
    if line.starts_with(LEGACY) {
        return Err(Flaw::MinisignLegacy);
    }
    let number = line.get(2..10).and_then(|number| number.try_into().ok()).map(u64::from_le_bytes);
    let signature = Signature::decode(text).map_err(|_| Flaw::minisign("it has not the four lines of one"))?;
    let number = number.ok_or(Flaw::minisign("its second line is no signature"))?;
    Ok((signature, format!("{number:016X}")))
}

/// Signs bytes: returns the document that goes beside them. `comment` is signed, too, and is on one line.
pub fn sign(key: &SecretKey, bytes: &[u8], comment: &str) -> String {
    let signature = key.sign(&Blake2b512::digest(bytes));
    let signed = [PREHASHED, &key.id(), &signature].concat();
    let global = key.sign(&[signature.as_slice(), comment.as_bytes()].concat());
    let (signed, global) = (STANDARD.encode(signed), STANDARD.encode(global));
    format!("untrusted comment: signature from smcp\n{signed}\ntrusted comment: {comment}\n{global}\n")
}
