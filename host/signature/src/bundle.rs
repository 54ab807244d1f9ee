//! A sigstore bundle: a signature, and what is said to prove it.
//!
//! Everything in it is what somebody says. `keyless` and `rule` find out what of it is true.

use std::borrow::Cow;

use serde::Deserialize;

use crate::flaw::Flaw;
use crate::json::Base64Bytes;
use crate::log::LogEntry;
use crate::public_key::HashKind;

/// A bundle, as it was read.
#[derive(Debug)]
pub(crate) struct SigstoreBundle {
    pub(crate) content: SignedContent,
    /// What the bundle says of the signer's key; empty when he has a certificate, or it says nothing.
    pub(crate) hint: String,
    /// The signer's certificate and those above it; empty when the signer has a key of his own.
    pub(crate) certificates: Vec<Vec<u8>>,
    pub(crate) entries: Vec<LogEntry>,
    pub(crate) timestamps: Vec<Vec<u8>>,
}

/// What is signed, and the signature.
#[derive(Debug)]
pub(crate) enum SignedContent {
    /// The bytes themselves.
    Bytes {
        /// The hash that the bundle names, and the digest by it.
        digest: Option<(HashKind, Vec<u8>)>,
        signature: Vec<u8>,
    },
    /// A statement about digests, in an envelope.
    Statement { payload_type: String, payload: Vec<u8>, signature: Vec<u8> },
}

/// What a signature has to be about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Meant<'b> {
    /// These bytes: the signature is over them, or over a statement about them.
    Bytes(&'b [u8]),
    /// This statement: the signature is over it. What the statement is about is not looked at.
    Statement(&'b [u8]),
}

/// The most certificates, entries or time-stamps in one bundle: there is one of each, or two.
const MOST: usize = 8;
/// The type of a statement about digests.
const IN_TOTO: &str = "application/vnd.in-toto+json";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSigstoreBundle {
    media_type: String,
    verification_material: RawMaterial,
    message_signature: Option<RawSignature>,
    dsse_envelope: Option<RawEnvelope>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMaterial {
    public_key: Option<RawPublicKey>,
    certificate: Option<RawBytes>,
    x509_certificate_chain: Option<RawCertificates>,
    #[serde(default)]
    tlog_entries: Vec<LogEntry>,
    timestamp_verification_data: Option<RawTimestamps>,
}

#[derive(Deserialize)]
struct RawPublicKey {
    hint: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawBytes {
    raw_bytes: Base64Bytes,
}

#[derive(Deserialize)]
struct RawCertificates {
    certificates: Vec<RawBytes>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawTimestamps {
    #[serde(default)]
    rfc3161_timestamps: Vec<RawTimestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawTimestamp {
    signed_timestamp: Base64Bytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSignature {
    message_digest: Option<RawDigest>,
    signature: Base64Bytes,
}

#[derive(Deserialize)]
struct RawDigest {
    algorithm: String,
    digest: Base64Bytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEnvelope {
    payload: Base64Bytes,
    payload_type: String,
    signatures: Vec<RawEnvelopeSignature>,
}

#[derive(Deserialize)]
struct RawEnvelopeSignature {
    sig: Base64Bytes,
}

#[derive(Deserialize)]
struct RawStatement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<RawSubject>,
}

#[derive(Deserialize)]
struct RawSubject {
    #[serde(default)]
    digest: std::collections::BTreeMap<String, String>,
}

impl SigstoreBundle {
    /// Reads a bundle.
    pub(crate) fn read(text: &[u8]) -> Result<Self, Flaw> {
        let raw: RawSigstoreBundle = serde_json::from_slice(text).map_err(|_| not_a_bundle(text))?;
        let RawSigstoreBundle { media_type, verification_material, message_signature, dsse_envelope } = raw;
        let known = ["0.1", "0.2", "0.3"].iter().any(|version| {
            media_type == format!("application/vnd.dev.sigstore.bundle+json;version={version}")
                || media_type == format!("application/vnd.dev.sigstore.bundle.v{version}+json")
        });
        if !known {
            return Err(Flaw::bundle("its mediaType is none of versions 0.1 to 0.3"));
        }
        let RawMaterial { public_key, certificate, x509_certificate_chain, tlog_entries, timestamp_verification_data } =
            verification_material;
        let hint = public_key.as_ref().and_then(|key| key.hint.clone()).unwrap_or_default();
        let certificates = match (public_key, certificate, x509_certificate_chain) {
            (Some(_), None, None) => Vec::new(),
            (None, Some(certificate), None) => vec![certificate.raw_bytes.0],
            (None, None, Some(chain)) if !chain.certificates.is_empty() => {
                chain.certificates.into_iter().map(|certificate| certificate.raw_bytes.0).collect()
            }
            _ => return Err(Flaw::bundle("it names no signer, or several")),
        };
        let timestamps = timestamp_verification_data.map_or_else(Vec::new, |data| data.rfc3161_timestamps);
        let timestamps: Vec<_> = timestamps.into_iter().map(|timestamp| timestamp.signed_timestamp.0).collect();
        if [certificates.len(), tlog_entries.len(), timestamps.len()].iter().any(|count| *count > MOST) {
            return Err(Flaw::bundle("it has more than 8 certificates, entries of logs, or time-stamps"));
        }
        let content = match (message_signature, dsse_envelope) {
            (Some(signature), None) => SignedContent::of_bytes(signature)?,
            (None, Some(envelope)) => SignedContent::of_envelope(envelope)?,
            _ => return Err(Flaw::bundle("it has no signature, or several")),
        };
        Ok(Self { content, hint, certificates, entries: tlog_entries, timestamps })
    }
}

/// Returns what is wrong with a text that is not a bundle.
fn not_a_bundle(text: &[u8]) -> Flaw {
    let value: serde_json::Value = serde_json::from_slice(text).unwrap_or_default();
    let is_old = ["base64Signature", "critical"].iter().any(|key| value.get(key).is_some());
    if is_old { Flaw::CosignOld } else { Flaw::bundle("it is not the JSON of one") }
}

impl SignedContent {
    fn of_bytes(raw: RawSignature) -> Result<Self, Flaw> {
        let RawSignature { message_digest, signature } = raw;
        let digest = message_digest.map(|RawDigest { algorithm, digest }| {
            let hash = match algorithm.as_str() {
                "SHA2_256" => HashKind::Sha256,
                "SHA2_384" => HashKind::Sha384,
                "SHA2_512" => HashKind::Sha512,
                _ => return Err(Flaw::bundle("its digest is by a hash that is not known")),
            };
            Ok((hash, digest.0))
        });
        Ok(Self::Bytes { digest: digest.transpose()?, signature: signature.0 })
    }

    fn of_envelope(raw: RawEnvelope) -> Result<Self, Flaw> {
        let RawEnvelope { payload, payload_type, signatures } = raw;
        let [RawEnvelopeSignature { sig }]: [_; 1] =
            signatures.try_into().map_err(|_| Flaw::bundle("its envelope has no signature, or several"))?;
        Ok(Self::Statement { payload_type, payload: payload.0, signature: sig.0 })
    }

    /// The signature.
    pub(crate) fn signature(&self) -> &[u8] {
        match self {
            Self::Bytes { signature, .. } | Self::Statement { signature, .. } => signature,
        }
    }

    /// The hash that the signature is by; `None` when the key says it.
    pub(crate) fn hash(&self) -> Option<HashKind> {
        match self {
            Self::Bytes { digest, .. } => digest.as_ref().map(|(hash, _)| *hash),
            Self::Statement { .. } => None,
        }
    }

    /// Returns what the signature is over, when that is what is meant.
    pub(crate) fn signed<'b>(&self, meant: Meant<'b>) -> Result<Cow<'b, [u8]>, Flaw> {
        let other = |bytes| Flaw::OtherDigest(format!("sha256:{}", hex(&HashKind::Sha256.of(bytes))));
        match (self, meant) {
            (Self::Bytes { digest, .. }, Meant::Bytes(bytes)) => match digest {
                Some((hash, digest)) if hash.of(bytes) != *digest => Err(other(bytes)),
                Some(_) | None => Ok(Cow::Borrowed(bytes)),
            },
            (Self::Bytes { .. }, Meant::Statement(_)) => Err(Flaw::OtherKind("it is over bytes, and not a statement")),
            (Self::Statement { payload_type, payload, .. }, Meant::Bytes(bytes)) => {
                let statement: Option<RawStatement> = serde_json::from_slice(payload).ok();
                let statement = statement.filter(|statement| {
                    payload_type == IN_TOTO && statement.kind.starts_with("https://in-toto.io/Statement/")
                });
                let statement = statement.ok_or(Flaw::bundle("its envelope holds no in-toto statement"))?;
                let sha256 = hex(&HashKind::Sha256.of(bytes));
                if !statement.subject.iter().any(|subject| subject.digest.get("sha256") == Some(&sha256)) {
                    return Err(other(bytes));
                }
                Ok(Cow::Owned(encoded(payload_type, payload)))
            }
            (Self::Statement { payload_type, payload, .. }, Meant::Statement(statement)) => {
                if payload_type == IN_TOTO && payload == statement {
                    Ok(Cow::Owned(encoded(payload_type, payload)))
                } else {
                    Err(other(statement))
                }
            }
        }
    }

    /// Returns the statement that is signed; `None` when it is something else.
    pub(crate) fn statement(&self) -> Option<&[u8]> {
        match self {
            Self::Statement { payload_type, payload, .. } if payload_type == IN_TOTO => Some(payload),
            Self::Statement { .. } | Self::Bytes { .. } => None,
        }
    }
}

/// What the signature of an envelope is over: its type and its content, each with its length.
fn encoded(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

impl<'b> From<&'b [u8]> for Meant<'b> {
    fn from(bytes: &'b [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
