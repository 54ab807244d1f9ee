//! A SHA-256 digest: `sha256:` and 64 lower-case hex digits, checked when read.

use std::fmt;
use std::str::FromStr;

use sha2::Digest as _;
use sha2::Sha256;

use crate::text::SafeText;

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
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
        digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
    }

    /// The algorithm and the first twelve hex digits: enough for a person to read, never for a comparison.
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate("sha256:".len() + 12);
        text
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
    let hex = text.strip_prefix("sha256:")?.as_bytes();
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

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
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
        serializer.collect_str(self)
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
