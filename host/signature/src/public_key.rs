//! Public keys as certificates and PEM files have them, and their signatures.
//!
//! ring verifies; nothing here computes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::SHA256;
use ring::digest::digest;
use ring::signature;
use ring::signature::UnparsedPublicKey;
use ring::signature::VerificationAlgorithm;

use crate::der;
use crate::der::NotDer;

/// A hash that a signature is made over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HashKind {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// The kind of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PublicKeyKind {
    P256,
    P384,
    Ed25519,
    Rsa,
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicKey {
    kind: PublicKeyKind,
    /// What ring takes: a point, or an RSA key.
    key: Vec<u8>,
    /// The whole of it, as certificates have it.
    info: Vec<u8>,
}

/// A file is not a public key that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// It is not a public key at all.
    #[error("it is no public key: expected a PEM file that begins with `-----BEGIN PUBLIC KEY-----`")]
    NotPem,
    /// It holds a secret.
    #[error("it holds a secret key; a configuration names the public one")]
    Secret,
    /// It is of a kind that nothing here verifies.
    #[error("it is a key of a kind that is not known: expected ECDSA on P-256 or P-384, Ed25519, or RSA")]
    Unknown,
}

const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

impl PublicKey {
    /// Takes a key from a PEM file, which holds nothing else.
    ///
    /// # Errors
    /// See [`PublicKeyError`].
    pub(crate) fn from_pem(text: &[u8]) -> Result<Self, PublicKeyError> {
        let text = std::str::from_utf8(text).map_err(|_| PublicKeyError::NotPem)?.trim();
        if text.contains("PRIVATE KEY-----") {
            return Err(PublicKeyError::Secret);
        }
        let info = pem(text, "PUBLIC KEY").ok_or(PublicKeyError::NotPem)?;
        Self::from_info(&info).map_err(|NotDer| PublicKeyError::Unknown)
    }

    /// Takes a key as certificates have it: its algorithm, then its bits.
    pub(crate) fn from_info(info: &[u8]) -> Result<Self, NotDer> {
        let mut fields = der::only(info, der::SEQUENCE)?.inside();
        let mut algorithm = fields.expect(der::SEQUENCE)?.inside();
        let bits = fields.expect(der::BIT_STRING)?.content;
        fields.end()?;
        let (unused, key) = bits.split_first().ok_or(NotDer)?;
        let oid = algorithm.expect(der::OID)?.content;
        let curve = || algorithm.clone().expect(der::OID).map_or(&[][..], |curve| curve.content);
        let kind = match oid {
            EC if curve() == P256 => PublicKeyKind::P256,
            EC if curve() == P384 => PublicKeyKind::P384,
            ED25519 if algorithm.is_empty() => PublicKeyKind::Ed25519,
            RSA => PublicKeyKind::Rsa,
            _ => return Err(NotDer),
        };
        if *unused == 0 { Ok(Self { kind, key: key.to_vec(), info: info.to_vec() }) } else { Err(NotDer) }
    }

    /// Takes a key as trusted roots have it: as certificates do, or an RSA key without its algorithm.
    pub(crate) fn of_log(bytes: &[u8]) -> Result<Self, NotDer> {
        Self::from_info(bytes).or_else(|NotDer| {
            let mut numbers = der::only(bytes, der::SEQUENCE)?.inside();
            numbers.expect(der::INTEGER)?;
            numbers.expect(der::INTEGER)?;
            numbers.end()?;
            Ok(Self { kind: PublicKeyKind::Rsa, key: bytes.to_vec(), info: bytes.to_vec() })
        })
    }

    /// The SHA-256 of the key as certificates have it: the name of logs and of key pairs.
    pub(crate) fn name(&self) -> [u8; 32] {
        let mut name = [0; 32];
        name.copy_from_slice(digest(&SHA256, &self.info).as_ref());
        name
    }

    /// The key as certificates have it.
    pub(crate) fn info(&self) -> &[u8] {
        &self.info
    }

    /// The hash that goes with the key when nothing names one.
    pub(crate) const fn usual_hash(&self) -> HashKind {
        match self.kind {
            PublicKeyKind::P256 | PublicKeyKind::Ed25519 | PublicKeyKind::Rsa => HashKind::Sha256,
            PublicKeyKind::P384 => HashKind::Sha384,
        }
    }

    /// Whether the key has signed the message. Ed25519 has a hash of its own, whatever `hash` says.
    pub(crate) fn has_signed(&self, hash: HashKind, message: &[u8], signature: &[u8]) -> bool {
        let algorithm: &dyn VerificationAlgorithm = match (self.kind, hash) {
            (PublicKeyKind::P256, HashKind::Sha256) => &signature::ECDSA_P256_SHA256_ASN1,
            (PublicKeyKind::P256, HashKind::Sha384) => &signature::ECDSA_P256_SHA384_ASN1,
            (PublicKeyKind::P384, HashKind::Sha256) => &signature::ECDSA_P384_SHA256_ASN1,
            (PublicKeyKind::P384, HashKind::Sha384) => &signature::ECDSA_P384_SHA384_ASN1,
            (PublicKeyKind::Ed25519, HashKind::Sha256 | HashKind::Sha384 | HashKind::Sha512) => &signature::ED25519,
            (PublicKeyKind::Rsa, HashKind::Sha256) => &signature::RSA_PKCS1_2048_8192_SHA256,
            (PublicKeyKind::Rsa, HashKind::Sha384) => &signature::RSA_PKCS1_2048_8192_SHA384,
            (PublicKeyKind::Rsa, HashKind::Sha512) => &signature::RSA_PKCS1_2048_8192_SHA512,
            (PublicKeyKind::P256 | PublicKeyKind::P384, HashKind::Sha512) => return false,
        };
        UnparsedPublicKey::new(algorithm, &self.key).verify(message, signature).is_ok()
    }
}

impl HashKind {
    /// The hash of some bytes.
    pub(crate) fn of(self, bytes: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => &ring::digest::SHA256,
            Self::Sha384 => &ring::digest::SHA384,
            Self::Sha512 => &ring::digest::SHA512,
        };
        digest(algorithm, bytes).as_ref().to_vec()
    }
}

/// Returns the bytes of a PEM text with one block of this label, and nothing around it.
pub(crate) fn pem(text: &str, label: &str) -> Option<Vec<u8>> {
    let body = text.trim().strip_prefix(&format!("-----BEGIN {label}-----"))?;
    let body = body.strip_suffix(&format!("-----END {label}-----"))?;
    let body: String = body.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    STANDARD.decode(body).ok()
}
