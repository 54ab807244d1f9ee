//! Packages: one, or all of an owner.

use std::borrow::Cow;

use crate::request::Subject;
use crate::settings::CheckedSetting;

/// The most bytes of the name of an owner or a package.
const MAX: usize = 128;

/// Packages, as a setting: `acme/tool`, `acme/*`, or `*`.
///
/// A `*` stands for a whole name: `acme*/tool` and `acme/t*` are refused, because a stranger could register a name that
/// matches. So is `*/tool`: a name means nothing without its owner. Case counts, as it does in registries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackagePattern(String); // INVARIANT: made by `new` only.

impl PackagePattern {
    /// Reads a pattern; `None` for any other text.
    pub fn new(written: &str) -> Option<Self> {
        let is_pattern = written == "*"
            || written.split_once('/').is_some_and(|(org, name)| is_name(org) && (name == "*" || is_name(name)));
        is_pattern.then(|| Self(written.to_owned()))
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the pattern covers the package.
    pub fn covers(&self, Subject { org, name, .. }: &Subject) -> bool {
        match self.0.split_once('/') {
            None => true,
            Some((owner, "*")) => owner == org,
            Some((owner, package)) => owner == org && package == name,
        }
    }
}

/// Whether a text can be the name of an owner or a package.
fn is_name(text: &str) -> bool {
    (1..=MAX).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

impl CheckedSetting for PackagePattern {
    type Written = String;
    const KEYWORDS: &'static str =
        r#""pattern":"^(\\*|[A-Za-z0-9][A-Za-z0-9._-]{0,127}/(\\*|[A-Za-z0-9][A-Za-z0-9._-]{0,127}))$""#;

    fn check(written: String) -> Result<Self, Cow<'static, str>> {
        Self::new(&written).ok_or_else(|| "a package like `acme/tool`, all of an owner like `acme/*`, or `*`".into())
    }
}
