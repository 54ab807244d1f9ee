//! What an entry of a log says: that it is about this signature and no other.
//!
//! A log takes in whatever it is given. An entry that proves itself but belongs to another signature proves nothing here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::bundle::SignedContent;
use crate::bundle::hex;
use crate::flaw::Flaw;
use crate::log::LogEntry;
use crate::public_key::HashKind;
use crate::public_key::pem;

/// Makes sure that an entry is about a signature, which is over `signed`, by the signer whose certificate or public key
/// is `signer`.
pub(crate) fn is_about(entry: &LogEntry, content: &SignedContent, signed: &[u8], signer: &[u8]) -> Result<(), Flaw> {
    let body: Value = serde_json::from_slice(&entry.canonicalized_body.0).map_err(|_| Flaw::Entry("it is not JSON"))?;
    let kind = (entry.kind_version.kind.as_str(), entry.kind_version.version.as_str());
    let text = |path: &str| body.pointer(path).and_then(Value::as_str).unwrap_or_default();
    if (text("/kind"), text("/apiVersion")) != kind {
        return Err(Flaw::Entry("it is of another kind than the bundle says"));
    }
    let agrees = match kind {
        ("hashedrekord", "0.0.1") => {
            hash_named(text("/spec/data/hash/algorithm"))
                .is_some_and(|hash| hex(&hash.of(signed)) == text("/spec/data/hash/value"))
                && decoded(text("/spec/signature/content")) == content.signature()
                && names(text("/spec/signature/publicKey/content"), signer)
        }
        ("hashedrekord", "0.0.2") => {
            let at = |path: &str| text(&format!("/spec/hashedRekordV002/{path}"));
            let certificate = at("signature/verifier/x509Certificate/rawBytes");
            let key = at("signature/verifier/publicKey/rawBytes");
            hash_named(at("data/algorithm")).is_some_and(|hash| hash.of(signed) == decoded(at("data/digest")))
                && decoded(at("signature/content")) == content.signature()
                && [certificate, key].iter().filter(|it| !it.is_empty()).map(|it| decoded(it)).eq([signer.to_vec()])
        }
        ("dsse", "0.0.1") => {
            let SignedContent::Statement { payload, .. } = content else {
                return Err(Flaw::Entry("it is about a statement, and the bundle has none"));
            };
            let signatures = body.pointer("/spec/signatures").and_then(Value::as_array).map_or(0, Vec::len);
            signatures == 1
                && text("/spec/payloadHash/algorithm") == "sha256"
                && text("/spec/payloadHash/value") == hex(&HashKind::Sha256.of(payload))
                && decoded(text("/spec/signatures/0/signature")) == content.signature()
                && names(text("/spec/signatures/0/verifier"), signer)
        }
        _ => return Err(Flaw::Entry("it is of a kind that is not known: expected hashedrekord or dsse")),
    };
    if agrees { Ok(()) } else { Err(Flaw::Entry("it is about another signature")) }
}

fn hash_named(name: &str) -> Option<HashKind> {
    match name {
        "sha256" | "SHA2_256" => Some(HashKind::Sha256),
        "sha384" | "SHA2_384" => Some(HashKind::Sha384),
        "sha512" | "SHA2_512" => Some(HashKind::Sha512),
        _ => None,
    }
}

fn decoded(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap_or_default()
}

/// Whether a PEM text in Base64 is this certificate or public key.
fn names(text: &str, signer: &[u8]) -> bool {
    let text = String::from_utf8(decoded(text)).unwrap_or_default();
    ["CERTIFICATE", "PUBLIC KEY"].iter().filter_map(|label| pem(&text, label)).any(|bytes| bytes == signer)
}
