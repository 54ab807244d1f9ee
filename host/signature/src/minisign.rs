//! minisign signatures: held against a key, and made.
//!
//! Only the prehashed form counts: a signature is over the BLAKE2b hash of the bytes. A second one is over the first and the
//! comment, so that neither is exchanged.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blake2::Blake2b512;
use blake2::Digest as _;
use ring::signature::ED25519;
use ring::signature::UnparsedPublicKey;

use crate::flaw::Flaw;
use crate::secret_key::SecretKey;
use smcp_model::signer::MinisignKey;

/// The algorithms of a signature: over the bytes, and over their hash.
const LEGACY: &[u8] = b"Ed";
const PREHASHED: &[u8] = b"ED";
/// What the line of the comment that is signed begins with.
const COMMENT: &str = "trusted comment: ";

/// The parts of a signature.
struct MinisignParts<'d> {
    number: [u8; 8],
    signature: [u8; 64],
    comment: &'d str,
    global: [u8; 64],
}

/// Makes sure that the document is a signature over the bytes by this key.
pub(crate) fn verify(document: &[u8], bytes: &[u8], key: &MinisignKey) -> Result<(), Flaw> {
    let MinisignParts { number, signature, comment, global } = read(document)?;
    if number != key.id() {
        return Err(Flaw::OtherKey(format!("another minisign key (number {:016X})", u64::from_le_bytes(number))));
    }
    let public = UnparsedPublicKey::new(&ED25519, key.key());
    let signed = public.verify(&Blake2b512::digest(bytes), &signature);
    let commented = public.verify(&[signature.as_slice(), comment.as_bytes()].concat(), &global);
    signed.and(commented).map_err(|_| Flaw::WrongSignature)
}

/// Reads the four lines of a signature.
fn read(document: &[u8]) -> Result<MinisignParts<'_>, Flaw> {
    let text = std::str::from_utf8(document).map_err(|_| Flaw::minisign("it is not text"))?;
    let mut lines = text.lines().skip(1);
    let first = lines.next().and_then(|line| STANDARD.decode(line).ok());
    let first = first.ok_or(Flaw::minisign("its second line is no signature"))?;
    if first.starts_with(LEGACY) {
        return Err(Flaw::MinisignLegacy);
    }
    let mut parts = || {
        let (number, signature) = first.strip_prefix(PREHASHED)?.split_first_chunk::<8>()?;
        let comment = lines.next()?.strip_prefix(COMMENT)?;
        let global = STANDARD.decode(lines.next()?).ok()?;
        let (signature, global) = (signature.try_into().ok()?, global.try_into().ok()?);
        Some(MinisignParts { number: *number, signature, comment, global })
    };
    parts().ok_or(Flaw::minisign("it has not the four lines of one"))
}

/// Whether the document says that it is by the key with this number, in any form. That proves nothing.
pub(crate) fn is_claimed(document: &[u8], key: &MinisignKey) -> bool {
    let line = std::str::from_utf8(document).ok().and_then(|text| text.lines().nth(1));
    let decoded = line.and_then(|line| STANDARD.decode(line).ok()).unwrap_or_default();
    decoded.get(PREHASHED.len()..).is_some_and(|rest| rest.starts_with(&key.id()))
}

/// Returns the number of the key that a signature says it is by, as minisign shows it. That proves nothing.
pub fn number_in(document: &[u8]) -> Option<String> {
    read(document).ok().map(|parts| format!("{:016X}", u64::from_le_bytes(parts.number)))
}

/// Signs bytes: returns the document that goes beside them. `comment` is signed, too, and is on one line.
pub fn sign(key: &SecretKey, bytes: &[u8], comment: &str) -> String {
    let signature = key.sign(&Blake2b512::digest(bytes));
    let signed = [PREHASHED, &key.id(), &signature].concat();
    let global = key.sign(&[signature.as_slice(), comment.as_bytes()].concat());
    let (signed, global) = (STANDARD.encode(signed), STANDARD.encode(global));
    format!("untrusted comment: signature from smcp\n{signed}\n{COMMENT}{comment}\n{global}\n")
}
