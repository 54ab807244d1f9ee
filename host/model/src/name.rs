//! Names of policies, findings, packages and their owners.

use std::fmt;
use std::str::FromStr;

use crate::policy::BuiltIn;
use crate::text::SafeText;
use crate::word::deserialize_parsed;
use crate::word::serialize_as_word;

/// A policy's name: 1 to 64 bytes of `[a-z0-9-]` (spec section 1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyName(String); // INVARIANT: checked by `FromStr`; `of` and `like` give only such, which tests check.

/// The stable name of a finding, for machines: 1 to 64 bytes of `[a-z0-9-]` (`wit/policy.wit`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingCode(String); // INVARIANT: checked by `FromStr`, the only constructor.

/// A part of a package's id: 1 to 128 bytes of `[A-Za-z0-9._-]`, with a letter or digit first.
///
/// It allows dots, unlike the client manifests of today's hub. It can be neither a path nor a flag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageWord(String); // INVARIANT: checked by `FromStr`, the only constructor.

/// `org/name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageId {
    /// The owner.
    pub org: PackageWord,
    /// The package.
    pub name: PackageWord,
}

/// A text is not a name of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not {expected}")]
pub struct NameError {
    found: SafeText,
    expected: &'static str,
}

impl PolicyName {
    /// The longest name, in bytes.
    pub const MAX: usize = 64;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name that is like a text, for a policy that no configuration names; `policy` when nothing of the text can stay.
    pub fn like(text: &str) -> Self {
        let letter = |character: char| match character.to_ascii_lowercase() {
            plain @ ('a'..='z' | '0'..='9' | '-') => Some(plain),
            '_' | ' ' | '.' => Some('-'),
            _ => None,
        };
        let name: String = text.chars().filter_map(letter).take(Self::MAX).collect();
        Self(if name.is_empty() { "policy".to_owned() } else { name })
    }

    /// The name of a built-in policy.
    pub fn of(built_in: BuiltIn) -> Self {
        Self(built_in.as_str().to_owned())
    }
}

/// Whether `text` is 1 to 64 bytes of `[a-z0-9-]`, as the names of policies and the codes of findings are.
fn is_slug(text: &str) -> bool {
    (1..=PolicyName::MAX).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

impl FromStr for PolicyName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if is_slug(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError {
                found: SafeText::quoted(text),
                expected: "a policy name: 1 to 64 characters of a-z, 0-9 and -",
            })
        }
    }
}

impl FindingCode {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FindingCode {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if is_slug(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError { found: SafeText::quoted(text), expected: "a code: 1 to 64 characters of a-z, 0-9 and -" })
        }
    }
}

impl PackageWord {
    const MAX: usize = 128;

    /// The word as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PackageWord {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let shape = (1..=Self::MAX).contains(&text.len())
            && text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        if shape {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError {
                found: SafeText::quoted(text),
                expected: "a package or owner name: 1 to 128 characters of A-Z, a-z, 0-9, `.`, `_` and `-`, \
                           with a letter or digit first",
            })
        }
    }
}

impl FromStr for PackageId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let Some((org, name)) = text.split_once('/') else {
            return Err(NameError { found: SafeText::quoted(text), expected: "a package id: ORG/NAME" });
        };
        Ok(Self { org: org.parse()?, name: name.parse()? })
    }
}

macro_rules! shown_as_text {
    ($($name:ty),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    )+};
}

shown_as_text!(PolicyName, FindingCode, PackageWord);
serialize_as_word!(PolicyName, FindingCode, PackageWord);
deserialize_parsed!(PolicyName, FindingCode);

impl fmt::Display for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.org, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_like_a_text_is_a_name() {
        let long = "x".repeat(100);
        let cases =
            [("few_findings", "few-findings"), ("No Network.v2", "no-network-v2"), ("漢字", "policy"), ("", "policy")];
        for (text, name) in cases.into_iter().chain([(long.as_str(), &long[..64])]) {
            assert_eq!(PolicyName::like(text), name.parse().unwrap(), "{text}");
        }
    }

    #[test]
    fn names_are_narrow() {
        for good in ["a", "no-network", "0", &"x".repeat(64)] {
            assert!(good.parse::<PolicyName>().is_ok() && good.parse::<FindingCode>().is_ok(), "{good}");
        }
        for built_in in BuiltIn::ALL {
            assert_eq!(built_in.as_str().parse(), Ok(PolicyName::of(built_in)));
        }
        for bad in ["", "A", "a_b", "a b", "ä", "../x", &"x".repeat(65)] {
            assert!(bad.parse::<PolicyName>().is_err() && bad.parse::<FindingCode>().is_err(), "{bad}");
        }
        for good in ["acme/tool", "A.b_c-d/9"] {
            assert_eq!(good.parse::<PackageId>().unwrap().to_string(), good);
        }
        for bad in ["acme", "acme/", "/tool", "../tool", "acme/..", "-a/b", "a/b/c", "a/b c", "a/b@1", "a/b\0"] {
            assert!(bad.parse::<PackageId>().is_err(), "{bad}");
        }
    }
}
