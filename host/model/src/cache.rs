//! The contents of a cache, and the rules for removing files from it.

use std::str::FromStr;
use std::time::Duration;

use crate::digest::Digest;
use crate::name::PackageId;
use crate::package::PackageRef;
use crate::package::Selector;
use crate::package::Version;
use crate::registry::Registry;
use crate::size::ByteSize;
use crate::text::SafeText;

/// A file in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheEntry {
    /// The digest that it is named by: its own, or of compiled code that of the component. It is verified when it is
    /// used, not when it is listed.
    pub digest: Digest,
    /// Its kind.
    pub kind: CacheKind,
    /// Its length.
    pub size: ByteSize,
    /// The time of its last use, seconds since the Unix epoch.
    pub last_used: u64,
    /// The packages that it is known to belong to.
    pub packages: Vec<CachedPackage>,
}

/// The kind of a file in the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheKind {
    /// A package's manifest.
    Manifest,
    /// A package's bundle.
    Bundle,
    /// The component of a policy that came from elsewhere, or a manifest that led to it.
    Policy,
    /// The code of a policy, compiled from the component with this digest.
    Compiled,
    /// The unpacked files of the bundle with this digest.
    Tree,
    /// Not a regular file: a link, a folder, a pipe.
    Foreign,
}

impl CacheKind {
    /// The word used in JSON and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Bundle => "bundle",
            Self::Policy => "policy",
            Self::Compiled => "compiled",
            Self::Tree => "tree",
            Self::Foreign => "not a file",
        }
    }
}

/// A package that a registry has resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedPackage {
    /// The package.
    pub id: PackageId,
    /// The version.
    pub version: Version,
    /// The registry.
    pub registry: Registry,
    /// The time at which the registry was asked, seconds since the Unix epoch.
    pub resolved_at: u64,
}

impl CachedPackage {
    /// `org/name@version`.
    pub fn label(&self) -> String {
        format!("{}@{}", self.id, self.version)
    }
}

/// The files that a user asks to have removed from a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheTarget {
    /// The file whose digest begins with these 12 to 64 hex digits.
    Digest(String), // INVARIANT: lower-case hex; checked by `FromStr`.
    /// A package, in one version or in all versions.
    Package(PackageId, Option<Version>),
}

/// A text is neither a digest nor a package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{found}` is neither a digest nor a package: expected sha256:… with at least 12 hex digits, ORG/NAME, or \
     ORG/NAME@VERSION"
)]
pub struct TargetError {
    found: SafeText,
}

/// The fewest hex digits that identify a digest.
const PREFIX: usize = 12;

impl FromStr for CacheTarget {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let fail = || TargetError { found: SafeText::quoted(text) };
        if text.contains('/') && !text.contains('@') {
            return text.parse().map(|id| Self::Package(id, None)).map_err(|_| fail());
        }
        if text.contains('/') {
            let PackageRef { id, selector } = text.parse().map_err(|_| fail())?;
            return match selector {
                Selector::Exact(version) => Ok(Self::Package(id, Some(version))),
                Selector::Latest | Selector::Digest(_) => Err(fail()),
            };
        }
        let hex = text.strip_prefix("sha256:").unwrap_or(text);
        let is_hex = hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if is_hex && (PREFIX..=64).contains(&hex.len()) { Ok(Self::Digest(hex.to_owned())) } else { Err(fail()) }
    }
}

/// The files that housekeeping removes besides those that belong to no known package.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheRules {
    /// Files that were not used for this long.
    pub older_than: Option<Duration>,
    /// The total size to keep at most; the files that were used longest ago go first.
    pub max_size: Option<ByteSize>,
}

/// The files that were removed, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheRemoval {
    /// The removed files.
    pub removed: Vec<CacheEntry>,
    /// Files that were kept, although asked for, because a running package uses them.
    pub in_use: Vec<CacheEntry>,
    /// The number of unfinished downloads that were removed.
    pub drafts: usize,
    /// The number of kept answers of registries that were removed.
    pub answers: usize,
    /// The total size of everything that was removed.
    pub freed: ByteSize,
}

impl CacheRemoval {
    /// Adds a file that was removed.
    pub fn add(&mut self, entry: CacheEntry) {
        self.freed = ByteSize(self.freed.0.saturating_add(entry.size.0));
        self.removed.push(entry);
    }

    /// Whether nothing was removed.
    pub const fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.drafts == 0 && self.answers == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_digest_or_a_package() {
        let hex = "0123456789abcdef".repeat(4);
        let version = |version: &str| Some(version.parse().unwrap());
        let package = |id: &str, version| Ok(CacheTarget::Package(id.parse().unwrap(), version));
        let cases = [
            (format!("sha256:{hex}"), Ok(CacheTarget::Digest(hex.clone()))),
            (hex.clone(), Ok(CacheTarget::Digest(hex.clone()))),
            ("sha256:0123456789ab".to_owned(), Ok(CacheTarget::Digest("0123456789ab".to_owned()))),
            ("acme/tool".to_owned(), package("acme/tool", None)),
            ("acme/tool@1.0.0".to_owned(), package("acme/tool", version("1.0.0"))),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<CacheTarget>(), expected, "{text}");
        }
        let long = format!("{hex}0");
        let of_package = format!("acme/tool@sha256:{hex}");
        for bad in [
            "",
            "sha256:",
            "0123456789a",
            "sha256:0123456789AB",
            "sha512:0123456789ab",
            &long,
            "tool",
            "../..",
            "/",
            "acme/tool@",
            "acme/tool@latest",
            &of_package,
            "sha256:../../../../x",
            "0123456789ab\0",
        ] {
            assert!(bad.parse::<CacheTarget>().is_err(), "{bad}");
        }
    }
}
