//! What is wrong with a registry, or with what it says of a version.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use crate::Artifact;
use crate::error::PackageError;
use smcp_model::digest::Digest;
use smcp_model::name::PackageId;
use smcp_model::registry::Registry;
use smcp_model::text::SafeText;
use smcp_store::stream::DigestMismatch;

/// A registry doesn't have what was asked for, or can't be used.
#[derive(Debug)]
pub struct RegistryError {
    /// The registry.
    pub registry: Registry,
    /// What is wrong.
    pub problem: RegistryProblem,
}

/// What is wrong with a registry.
#[derive(Debug)]
pub enum RegistryProblem {
    /// It doesn't have the package.
    NoSuchPackage {
        /// What was asked for.
        id: PackageId,
        /// What there is instead.
        hint: String,
    },
    /// It has the package, but not in this version.
    NoSuchVersion {
        /// The package.
        id: PackageId,
        /// Which version was asked for.
        wanted: String,
        /// What there is instead.
        hint: String,
    },
    /// It doesn't have a file that it names.
    MissingBlob {
        /// Which kind of file.
        artifact: Artifact,
        /// Its digest.
        digest: Digest,
    },
    /// It can't be read or written.
    Unusable {
        /// What was tried.
        doing: String,
        /// Why it failed.
        cause: io::Error,
    },
}

impl RegistryProblem {
    /// The error about this registry.
    pub fn of(self, registry: &Registry) -> PackageError {
        PackageError::Registry(Box::new(RegistryError { registry: registry.clone(), problem: self }))
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { registry, problem } = self;
        match problem {
            RegistryProblem::NoSuchPackage { id, hint } => {
                write!(f, "there is no package `{id}` in registry `{registry}`\n  {hint}")
            }
            RegistryProblem::NoSuchVersion { id, wanted, hint } => {
                write!(f, "there is no version `{wanted}` of `{id}` in registry `{registry}`\n  {hint}")
            }
            RegistryProblem::MissingBlob { artifact, digest } => {
                write!(f, "registry `{registry}` names a {artifact} that it does not have: {digest}")
            }
            RegistryProblem::Unusable { doing, .. } => write!(f, "registry `{registry}`: can't {doing}"),
        }
    }
}

impl Error for RegistryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.problem {
            RegistryProblem::Unusable { cause, .. } => Some(cause),
            RegistryProblem::NoSuchPackage { .. }
            | RegistryProblem::NoSuchVersion { .. }
            | RegistryProblem::MissingBlob { .. } => None,
        }
    }
}

/// What a registry says or has of a package is not in order.
#[derive(Debug)]
pub struct VersionError {
    /// The package, with its version as far as one is meant: `org/name@version`.
    pub label: String,
    /// What is wrong.
    pub problem: VersionProblem,
}

/// What is wrong with what is known of a package, or with its files.
#[derive(Debug)]
pub enum VersionProblem {
    /// A digest stands for more than one version.
    AmbiguousDigest {
        /// The digest.
        digest: Digest,
        /// The versions, with commas.
        versions: String,
    },
    /// The registry can't be asked, and what it said before is too old to be relied on.
    FactsTooOld {
        /// How old it is.
        age: Duration,
        /// How old it may be.
        limit: Duration,
        /// Why the registry can't be asked.
        outage: PackageError,
    },
    /// What the cache knows was said later than now.
    FactsOfTheFuture {
        /// How far.
        ahead: Duration,
        /// Why the registry can't be asked.
        outage: PackageError,
    },
    /// The registry can't be asked, and nobody else knows which version is the latest.
    LatestUnknown {
        /// The versions that the cache knows, with commas.
        versions: String,
        /// Why the registry can't be asked.
        outage: PackageError,
    },
    /// The registry can't be asked, and the cache does not have a file.
    NotInCache {
        /// Which kind of file.
        artifact: Artifact,
        /// Its digest.
        digest: Digest,
        /// Why the registry can't be asked.
        outage: String,
    },
    /// A resolve document can't be believed.
    Document(SafeText),
    /// Bytes are not those that their digest promises.
    DigestMismatch {
        /// Which file.
        artifact: Artifact,
        /// What was promised, and what the bytes have.
        mismatch: DigestMismatch,
        /// What they are, when that is something else than such a file; else empty.
        instead: &'static str,
    },
    /// A file is longer than it may be; as long is [`Artifact::limit`].
    TooLarge(Artifact),
    /// The version is there already, with other bytes.
    Immutable {
        /// Digest of the bundle that is there.
        published: Digest,
        /// Digest of the bundle that was to be published.
        offered: Digest,
    },
}

impl VersionProblem {
    /// The error about the package with this label.
    pub fn of(self, label: impl ToString) -> PackageError {
        PackageError::Version(Box::new(VersionError { label: label.to_string(), problem: self }))
    }
}

impl fmt::Display for VersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { label, problem } = self;
        match problem {
            VersionProblem::AmbiguousDigest { digest, versions } => write!(
                f,
                "{digest} is the digest of several versions of `{label}`: {versions}\n  name the version instead"
            ),
            VersionProblem::FactsTooOld { age, limit, .. } => write!(
                f,
                "the registry can't be asked, and what the cache knows of `{label}` is {} old, more than the {} that \
                 `max_facts_age` allows\n  \
                 try again when the registry answers, or allow older facts in the configuration",
                whole_minutes(*age),
                humantime::format_duration(*limit)
            ),
            VersionProblem::FactsOfTheFuture { ahead, .. } => write!(
                f,
                "the registry can't be asked, and the cache knows `{label}`, but its facts are {} in the future: is \
                 this machine's clock right?\n  \
                 set the clock, or try again when the registry answers",
                whole_minutes(*ahead)
            ),
            VersionProblem::LatestUnknown { versions, .. } => write!(
                f,
                "the registry can't be asked which version of `{label}` is the latest, and the cache never answers \
                 that\n  name a version that was used before: {versions}"
            ),
            VersionProblem::NotInCache { artifact, digest, outage } => write!(
                f,
                "the cache knows of {label}, but it does not have its {artifact} {digest}, and the registry can't be \
                 asked: {outage}"
            ),
            VersionProblem::Document(problem) => {
                write!(f, "the registry's entry for `{label}` is not valid: {problem}")
            }
            VersionProblem::DigestMismatch { artifact, mismatch, instead } => {
                write!(f, "the {artifact} of {label} {mismatch}")?;
                if instead.is_empty() { Ok(()) } else { write!(f, ", which is {instead}") }
            }
            VersionProblem::TooLarge(artifact) => {
                write!(f, "the {artifact} of {label} is longer than {} bytes, the most that is read", artifact.limit())
            }
            VersionProblem::Immutable { published, offered } => write!(
                f,
                "{label} is published already, with other contents, and a version never changes\n  \
                 published {published}\n  offered   {offered}\n  publish it under a new version"
            ),
        }
    }
}

impl Error for VersionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.problem {
            VersionProblem::FactsTooOld { outage, .. }
            | VersionProblem::FactsOfTheFuture { outage, .. }
            | VersionProblem::LatestUnknown { outage, .. } => Some(outage),
            VersionProblem::AmbiguousDigest { .. }
            | VersionProblem::NotInCache { .. }
            | VersionProblem::Document(_)
            | VersionProblem::DigestMismatch { .. }
            | VersionProblem::TooLarge(_)
            | VersionProblem::Immutable { .. } => None,
        }
    }
}

/// A duration up to the whole minute, so that it is seen to be more than a limit.
fn whole_minutes(duration: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_secs(duration.as_secs().div_ceil(60).saturating_mul(60)))
}
