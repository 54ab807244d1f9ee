//! A SHA-256 digest: `sha256:` and 64 lower-case hex digits, checked when read.

use std::fmt;
use std::str::FromStr;

use sha2::Digest as _;
use sha2::Sha256;

use crate::text::SafeText;

/// What stands before the digits.
const ALGORITHM: &str = "sha256:";

/// The SHA-256 of some bytes, the only algorithm that these registries use (spec section 6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// A text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a digest: expected `sha256:` and 64 lower-case hex digits")]
pub struct DigestError {
    found: SafeText,
}

impl Digest {
    /// Zeros: the first record of a chain has them in place of the digest of the record before.
    pub const ZERO: Self = Self([0; 32]);

    /// Takes the 32 bytes of a SHA-256 that was computed elsewhere.
    pub const fn from_sha256(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// Computes the digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 hex digits without the algorithm, safe as a file name.
    pub fn hex(&self) -> String {
        self.with_text(|text| text.get(ALGORITHM.len()..).unwrap_or_default().to_owned())
    }

    /// The algorithm and the first twelve hex digits: enough for a person to read, never for a comparison.
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(ALGORITHM.len() + 12);
        text
    }

    /// Gives the whole text to `read`. A decision writes some twenty digests, so no text is made for each.
    fn with_text<T>(&self, read: impl FnOnce(&str) -> T) -> T {
        let mut text = [0; ALGORITHM.len() + 64];
        let (algorithm, digits) = text.split_at_mut(ALGORITHM.len());
        algorithm.copy_from_slice(ALGORITHM.as_bytes());
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *pair = [digit(byte >> 4), digit(byte & 0x0f)];
        }
        // Always text: it has letters, digits and a colon.
        read(str::from_utf8(&text).unwrap_or_default())
    }
}

/// Computes a [`Digest`] from bytes that arrive in pieces.
#[derive(Debug, Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the digest of all bytes so far.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        decode(text).map(Self).ok_or_else(|| DigestError { found: SafeText::quoted(text) })
    }
}

fn decode(text: &str) -> Option<[u8; 32]> {
    let hex = text.strip_prefix(ALGORITHM)?.as_bytes();
    let (pairs, []) = hex.as_chunks::<2>() else { return None };
    let mut bytes = [0; 32];
    if pairs.len() != bytes.len() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(bytes)
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// The hex digit of a number below 16.
const fn digit(nibble: u8) -> u8 {
    match nibble {
        0..=9 => b'0' + nibble,
        _ => b'a' + (nibble & 0x0f) - 10,
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.write_str(text))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_text(|text| serializer.serialize_str(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_is_a_digest() {
        let good = format!("sha256:{}", "0123456789abcdef".repeat(4));
        assert_eq!(good.parse::<Digest>().unwrap().to_string(), good);
        let bad = [
            String::new(),
            "sha256:".into(),
            "a".repeat(64),
            good.to_uppercase(),
            good.replace('f', "F"),
            good.replace('f', "g"),
            format!("{good}0"),
            good[..70].to_owned(),
            good.replace("sha256", "sha512"),
            good.replace("sha256:", "sha256-"),
            format!("sha256:{}", "é".repeat(32)),
            "sha256:../../../../etc/passwd".into(),
        ];
        for text in bad {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }

    #[test]
    fn pieces_and_whole_agree() {
        let mut hasher = Hasher::default();
        hasher.update(b"mc");
        hasher.update(b"p");
        assert_eq!(hasher.finish(), Digest::of(b"mcp"));
    }
}
