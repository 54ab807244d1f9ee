//! A token: a text that must never be shown.
//!
//! It can't be printed. Code that needs the text calls [`Secret::expose`].

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::GeneralPurposeConfig;

use crate::limits;

/// Base64 with the alphabet of URLs, with padding or without.
const URL_SAFE_LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A token: visible ASCII, so that it fits into a header and can't add another header.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String); // INVARIANT: 1 to `limits::TOKEN` bytes of visible ASCII, checked by `new`.

/// A text can't be a token. The message does not show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no token: expected 1 to {} visible ASCII characters on one line", limits::TOKEN)]
pub struct SecretError;

impl Secret {
    /// Takes a token, without the white space around it.
    ///
    /// # Errors
    /// When it is empty, too long, or has a character that is not visible ASCII.
    pub fn new(text: &str) -> Result<Self, SecretError> {
        let token = text.trim_ascii();
        let fits = (1..=limits::TOKEN).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(token.to_owned())) } else { Err(SecretError) }
    }

    /// The text itself, for a header or the credentials file.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The time at which the token expires, Unix seconds: the `exp` of a JSON Web Token. `None` when it has no `exp`,
    /// or is another kind of token.
    pub fn expires_at(&self) -> Option<u64> {
        let payload = self.0.split('.').nth(1)?;
        let claims: serde_json::Value = serde_json::from_slice(&URL_SAFE_LENIENT.decode(payload).ok()?).ok()?;
        claims.get("exp")?.as_u64()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_visible_word() {
        let long = "x".repeat(limits::TOKEN + 1);
        let cases = [
            ("abc.DEF-_~+/=", Some("abc.DEF-_~+/=")),
            ("  padded\n", Some("padded")),
            ("", None),
            (" \n ", None),
            ("two words", None),
            ("two\nlines", None),
            ("a\r\nX-Admin: 1", None),
            ("über", None),
            ("\u{7f}", None),
            (long.as_str(), None),
        ];
        for (text, expected) in cases {
            assert_eq!(Secret::new(text).ok().as_ref().map(Secret::expose), expected, "{text:?}");
        }
    }

    #[test]
    fn nothing_prints_a_token() {
        let secret = Secret::new("hunter2").unwrap();
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "Secret(…) Some(Secret(…))");
        assert!(!SecretError.to_string().contains("hunter2"));
    }

    #[test]
    fn a_web_token_says_when_it_expires() {
        // {"alg":"none"}, then {"exp":1700000000,"sub":"ü?"} and others.
        let cases = [
            ("eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDAsInN1YiI6IsO8PyJ9.c2ln", Some(1_700_000_000)),
            ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln", None),
            ("a.b.c", None),
            ("a.!!!.c", None),
            ("opaque", None),
        ];
        for (token, expected) in cases {
            assert_eq!(Secret::new(token).unwrap().expires_at(), expected, "{token}");
        }
    }
}
