//! The problems of a registry, and of its entries and files.

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

/// A registry doesn't have the package, the version or the file, or can't be used.
#[derive(Debug)]
pub struct RegistryFailure {
    /// The registry.
    pub registry: Registry,
    /// The problem.
    pub problem: RegistryProblem,
}

/// A problem of a registry.
#[derive(Debug)]
pub enum RegistryProblem {
    /// It doesn't have the package.
    NoSuchPackage {
        /// The package.
        id: PackageId,
        /// The packages that it has, or advice.
        hint: String,
    },
    /// It has the package, but not this version.
    NoSuchVersion {
        /// The package.
        id: PackageId,
        /// The version.
        wanted: String,
        /// The versions that it has, or advice.
        hint: String,
    },
    /// It doesn't have a file that it names.
    MissingBlob {
        /// The kind of the file.
        artifact: Artifact,
        /// Its digest.
        digest: Digest,
    },
    /// It can't be read or written.
    Unusable {
        /// The operation, for the message.
        doing: String,
        /// The error of the system.
        cause: io::Error,
    },
    /// It does not list its repositories.
    NoCatalog,
}

impl RegistryProblem {
    /// Makes the error about this registry.
    pub fn of(self, registry: &Registry) -> PackageError {
        PackageError::Registry(Box::new(RegistryFailure { registry: registry.clone(), problem: self }))
    }
}

impl fmt::Display for RegistryFailure {
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
            RegistryProblem::NoCatalog => write!(
                f,
                "registry `{registry}` does not list its repositories\n  its packages can be used by their names all the same"
            ),
        }
    }
}

impl Error for RegistryFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.problem {
            RegistryProblem::Unusable { cause, .. } => Some(cause),
            RegistryProblem::NoSuchPackage { .. }
            | RegistryProblem::NoSuchVersion { .. }
            | RegistryProblem::NoCatalog
            | RegistryProblem::MissingBlob { .. } => None,
        }
    }
}

/// The registry's entry or file of a package is not valid, or the cache can't replace the registry.
#[derive(Debug)]
pub struct VersionError {
    /// The package, with its version if there is one: `org/name@version`.
    pub label: String,
    /// The problem.
    pub problem: VersionProblem,
}

/// A problem of a package's entry, of its files, or of the kept answers about it.
#[derive(Debug)]
pub enum VersionProblem {
    /// More than one version has the digest.
    AmbiguousDigest {
        /// The digest.
        digest: Digest,
        /// The versions, with commas.
        versions: String,
    },
    /// The registry can't be asked, and its earlier answer is too old.
    FactsTooOld {
        /// The age of the answer.
        age: Duration,
        /// The highest age that is allowed.
        limit: Duration,
        /// Why the registry can't be asked.
        outage: PackageError,
    },
    /// The registry can't be asked, and its earlier answer is from the future.
    FactsOfTheFuture {
        /// How far in the future it is.
        ahead: Duration,
        /// Why the registry can't be asked.
        outage: PackageError,
    },
    /// The registry can't be asked, and only it knows which version is the latest.
    LatestUnknown {
        /// The versions that the cache knows, with commas.
        versions: String,
        /// Why the registry can't be asked.
        outage: PackageError,
    },
    /// The registry can't be asked, and the cache does not have a file.
    NotInCache {
        /// The kind of the file.
        artifact: Artifact,
        /// Its digest.
        digest: Digest,
        /// Why the registry can't be asked.
        outage: String,
    },
    /// A resolve document is not valid.
    Document(SafeText),
    /// The registry's list of all its packages is not valid.
    List(SafeText),
    /// The registry has nothing of the version that can be started. Holds why, and what can be done.
    NotRunnable(String),
    /// The signed statements about a version are too many, or in a form that is none.
    Statements(SafeText),
    /// The version has signed statements, and what is published now would leave them behind.
    Signed,
    /// The version has a status with which it never runs, and nobody has said that this changes. Holds the status.
    Withdrawn(SafeText),
    /// A statement can't be made.
    Unstatable(SafeText),
    /// The bytes of a file have another digest than the expected one.
    DigestMismatch {
        /// The kind of the file.
        artifact: Artifact,
        /// The expected digest, and that of the bytes.
        mismatch: DigestMismatch,
        /// What the bytes are, if they are recognised as another kind of file; otherwise empty.
        instead: &'static str,
    },
    /// A file is longer than [`Artifact::limit`].
    TooLarge(Artifact),
    /// The version is already published, with another bundle.
    Immutable {
        /// The digest of the published bundle.
        published: Digest,
        /// The digest of the new bundle.
        offered: Digest,
    },
}

impl VersionProblem {
    /// Makes the error about the package with this label.
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
            VersionProblem::List(problem) => write!(f, "the registry's list of servers is not valid: {problem}"),
            VersionProblem::NotRunnable(why) => write!(f, "{label} is not started from this registry: {why}"),
            VersionProblem::Statements(problem) => {
                write!(f, "the registry's signed statements about {label} can't be used: {problem}")
            }
            VersionProblem::Signed => write!(
                f,
                "{label} has signed statements, which are about the manifest that it has now; other facts change that\n  \
                 publish it with --sign, or leave the manifest as it is and use `smcp registry attest`"
            ),
            VersionProblem::Withdrawn(status) => write!(
                f,
                "{label} is `{status}` in this registry, and publishing it again would take that back\n  \
                 --status says what it is now, such as --status published"
            ),
            VersionProblem::Unstatable(problem) => write!(f, "no statement about {label} can be made: {problem}"),
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
            | VersionProblem::List(_)
            | VersionProblem::NotRunnable(_)
            | VersionProblem::Statements(_)
            | VersionProblem::Signed
            | VersionProblem::Withdrawn(_)
            | VersionProblem::Unstatable(_)
            | VersionProblem::DigestMismatch { .. }
            | VersionProblem::TooLarge(_)
            | VersionProblem::Immutable { .. } => None,
        }
    }
}

/// Rounds a duration up to a whole minute, so that the message shows more than the limit.
fn whole_minutes(duration: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_secs(duration.as_secs().div_ceil(60).saturating_mul(60)))
}
