//! An exception: what a layer waives, for which package, until when.
//!
//! It is defined in sections 1 and 3 of the spec. `config` reads exceptions, `decide` holds them against what
//! policies found. An exception is a part of its layer's rules and concerns that layer's policies alone.

use std::fmt;
use std::str::FromStr;

use crate::day::Day;
use crate::digest::Digest;
use crate::name::FindingCode;
use crate::name::PackageId;
use crate::name::PolicyName;
use crate::package::Version;
use crate::policy::LayerName;
use crate::request::Subject;
use crate::text::SafeText;
use crate::word::deserialize_parsed;

/// The packages that an exception names: `org/name`, `org/name@version`, or `org/name@sha256:…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageScope {
    /// The package.
    pub id: PackageId,
    /// Which of its bundles.
    pub extent: Extent,
}

/// Which bundles of a package an exception is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// Those of every version.
    EveryVersion,
    /// That of one version.
    Version(Version),
    /// The one with this digest, wherever it comes from.
    Bundle(Digest),
}

/// The reason why a text does not name the packages of an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.reason())]
pub enum ScopeError {
    /// The part before the `@` is not a package.
    Package,
    /// It is about whatever is the newest version.
    Latest,
    /// The part after the `@` is not a version.
    Version,
    /// The part after the `@` is not a digest.
    Digest,
}

impl ScopeError {
    /// What is wrong, as the end of a sentence.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Package => "it names no package",
            Self::Latest => "`latest` is another version tomorrow",
            Self::Version => "what is behind the `@` is no version",
            Self::Digest => "what is behind the `@` is no digest, `sha256:` and 64 lower-case hex digits",
        }
    }
}

impl PackageScope {
    /// Whether it names this package. The registry that it comes from is another question.
    pub fn contains(&self, subject: &Subject) -> bool {
        let Self { id, extent } = self;
        let of_this = match extent {
            Extent::EveryVersion => true,
            Extent::Version(version) => subject.version == version.as_str(),
            Extent::Bundle(digest) => subject.bundle_digest == Some(*digest),
        };
        of_this && subject.org == id.org.as_str() && subject.name == id.name.as_str()
    }

    /// Whether it names the bytes themselves, so that no registry has to be trusted.
    pub const fn is_bound_to_bytes(&self) -> bool {
        matches!(self.extent, Extent::Bundle(_))
    }

    /// Whether it names every package that another one names, from the same registries.
    pub fn includes(&self, other: &Self) -> bool {
        let wider = matches!((&self.extent, &other.extent), (Extent::EveryVersion, Extent::Version(_)));
        self.id == other.id && (wider || self.extent == other.extent)
    }
}

impl FromStr for PackageScope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let (id, extent) = text.split_once('@').map_or((text, None), |(id, extent)| (id, Some(extent)));
        let extent = match extent {
            None => Extent::EveryVersion,
            Some("latest") => return Err(ScopeError::Latest),
            Some(digest) if digest.contains(':') => Extent::Bundle(digest.parse().map_err(|_| ScopeError::Digest)?),
            Some(version) => Extent::Version(version.parse().map_err(|_| ScopeError::Version)?),
        };
        Ok(Self { id: id.parse().map_err(|_| ScopeError::Package)?, extent })
    }
}

impl fmt::Display for PackageScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, extent } = self;
        match extent {
            Extent::EveryVersion => write!(f, "{id}"),
            Extent::Version(version) => write!(f, "{id}@{version}"),
            Extent::Bundle(digest) => write!(f, "{id}@{digest}"),
        }
    }
}

impl serde::Serialize for PackageScope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

deserialize_parsed!(PackageScope);

/// An exception of one layer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Exception {
    /// The layer whose rules it belongs to; policies of other layers are not its business.
    pub layer: LayerName,
    /// The packages that it is for.
    pub package: PackageScope,
    /// The policies of its layer whose violations it waives.
    pub policies: Vec<PolicyName>,
    /// The findings that it waives; `None` means any, and is null in a record.
    pub codes: Option<Vec<FindingCode>>,
    /// Why it was made.
    pub reason: SafeText,
    /// Who approved it.
    pub approved_by: Option<SafeText>,
    /// Its last day: it is in force to the end of it, UTC.
    pub until: Day,
}

impl Exception {
    /// Whether it holds for this package at a moment, in seconds since the Unix epoch. Without a digest it holds only
    /// where its layer trusts the registry that the package comes from: anybody can publish a package of that name.
    pub fn holds_for(&self, subject: &Subject, registry_trusted: bool, seconds: u64) -> bool {
        let vouched_for = registry_trusted || self.package.is_bound_to_bytes();
        vouched_for && self.package.contains(subject) && !self.until.is_over(seconds)
    }

    /// Whether it waives a finding of a policy of its layer.
    pub fn waives(&self, policy: &PolicyName, code: &FindingCode) -> bool {
        let any_or_this = self.codes.as_ref().is_none_or(|codes| codes.contains(code));
        any_or_this && self.policies.contains(policy)
    }

    /// Whether it waives, for at least as long, everything that a later exception of its layer would.
    pub fn shadows(&self, later: &Self) -> bool {
        let codes = match (&self.codes, &later.codes) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(others)) => others.iter().all(|code| own.contains(code)),
        };
        codes
            && self.until >= later.until
            && self.package.includes(&later.package)
            && later.policies.iter().all(|policy| self.policies.contains(policy))
    }
}

/// An exception that waived something, and where it is written; records have it whole.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WrittenException {
    /// The exception.
    #[serde(flatten)]
    pub exception: Exception,
    /// Where it is written: `FILE:LINE`.
    pub at: SafeText,
}

/// An exception that waived something, as the document of a decision has it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Waiver {
    /// The packages that it is for.
    pub package: PackageScope,
    /// Why it was made.
    pub reason: SafeText,
    /// The approver; null when none is named.
    pub approved_by: Option<SafeText>,
    /// Its last day.
    pub until: Day,
    /// Where it is written: `FILE:LINE`.
    pub at: SafeText,
}

impl Waiver {
    /// The part of an exception that a decision shows.
    pub fn of(written: &WrittenException) -> Self {
        let WrittenException { exception, at } = written.clone();
        let Exception { layer: _, package, policies: _, codes: _, reason, approved_by, until } = exception;
        Self { package, reason, approved_by, until, at }
    }
}

/// Writes it for people: `migration, ticket 123 (until 2027-01-31, approved by j.doe, FILE:LINE)`.
impl fmt::Display for Waiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { package: _, reason, approved_by, until, at } = self;
        write!(f, "{reason} (until {until}")?;
        if let Some(approved_by) = approved_by {
            write!(f, ", approved by {approved_by}")?;
        }
        write!(f, ", {at})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(digit: char) -> String {
        format!("sha256:{}", digit.to_string().repeat(64))
    }

    #[test]
    fn a_scope_is_a_package_a_version_or_a_digest() {
        let bound = format!("acme/tool@{}", digest('a'));
        for good in ["acme/tool", "acme/tool@1.0.0", "a.b/C_d@2024-01-01+x", &bound] {
            assert_eq!(good.parse::<PackageScope>().unwrap().to_string(), good);
        }
        for (bad, why) in [
            ("", ScopeError::Package),
            ("acme", ScopeError::Package),
            ("acme/*", ScopeError::Package),
            ("*/*", ScopeError::Package),
            ("acme/tool ", ScopeError::Package),
            ("acme/a/b", ScopeError::Package),
            ("acme/tool@latest", ScopeError::Latest),
            ("acme/tool@", ScopeError::Version),
            ("acme/tool@1.*", ScopeError::Version),
            ("acme/tool@1@2", ScopeError::Version),
            ("acme/tool@^1", ScopeError::Version),
            ("acme/tool@sha256:12", ScopeError::Digest),
            (&bound.to_uppercase(), ScopeError::Digest),
            ("acme/tool@sha512:00", ScopeError::Digest),
        ] {
            assert_eq!(bad.parse::<PackageScope>(), Err(why), "{bad}");
        }
    }

    #[test]
    fn a_scope_contains_exactly_what_it_names() {
        let subject = Subject {
            org: "acme".to_owned(),
            name: "tool".to_owned(),
            version: "1.0.0".to_owned(),
            bundle_digest: Some(digest('a').parse().unwrap()),
            ..Subject::default()
        };
        let (bound, other) = (format!("acme/tool@{}", digest('a')), format!("acme/tool@{}", digest('b')));
        let elsewhere = format!("acme/other@{}", digest('a'));
        for (scope, contains) in [
            ("acme/tool", true),
            ("acme/tool@1.0.0", true),
            (bound.as_str(), true),
            ("acme/tool@1.0", false),
            ("acme/tool@1.0.0+x", false),
            ("acme/tools", false),
            ("Acme/tool", false),
            ("acm/tool", false),
            (other.as_str(), false),
            (elsewhere.as_str(), false),
        ] {
            assert_eq!(scope.parse::<PackageScope>().unwrap().contains(&subject), contains, "{scope}");
        }
        // An unknown digest is no digest.
        let unknown = Subject { bundle_digest: None, ..subject };
        assert!(!bound.parse::<PackageScope>().unwrap().contains(&unknown));
    }
}
