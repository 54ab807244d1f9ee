//! Everything that can go wrong between a name and its bytes.

mod kind;

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::Artifact;
use crate::cache::error::CacheError;
use crate::credentials::CredentialsError;
use crate::http::HttpProblem;
use crate::http::Via;
use crate::manifest::ManifestError;
use crate::stream::recover;
use crate::unpack::ArchiveError;
use smcp_model::content;
use smcp_model::deadline::Expired;
use smcp_model::digest::Digest;
use smcp_model::error_chain;
use smcp_model::name::PackageId;
use smcp_model::text::SafeText;

/// Why a package could not be had, or could not be published.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// A registry behind a URL could not be asked, or answered as none does.
    #[error("registry `{registry}` {}", problem.seen(via.as_deref()))]
    Http {
        /// The registry.
        registry: String,
        /// What is wrong.
        problem: HttpProblem,
        /// The proxy through which that was seen.
        via: Option<Box<Via>>,
    },
    /// The tokens that are kept can't be read or written.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The registry doesn't have the package.
    #[error("there is no package `{id}` in registry `{registry}`\n  {hint}")]
    NoSuchPackage {
        /// What was asked for.
        id: PackageId,
        /// Where.
        registry: String,
        /// What there is instead.
        hint: String,
    },
    /// The registry has the package, but not in this version.
    #[error("there is no version `{wanted}` of `{id}` in registry `{registry}`\n  {hint}")]
    NoSuchVersion {
        /// The package.
        id: PackageId,
        /// Which version was asked for.
        wanted: String,
        /// Where.
        registry: String,
        /// What there is instead.
        hint: String,
    },
    /// A digest stands for more than one version.
    #[error("{digest} is the digest of several versions of `{id}`: {versions}\n  name the version instead")]
    AmbiguousDigest {
        /// The package.
        id: PackageId,
        /// The digest.
        digest: Digest,
        /// The versions, with commas.
        versions: String,
    },
    /// The registry can't be read or written.
    #[error("registry `{registry}`: can't {doing}")]
    Registry {
        /// The registry.
        registry: String,
        /// What was tried.
        doing: String,
        /// Why it failed.
        #[source]
        cause: io::Error,
    },
    /// The registry can't be asked, and what it said before is too old to be relied on.
    #[error(
        "the registry can't be asked, and what the cache knows of `{label}` is {} old, more than the {} that \
         `max_facts_age` allows\n  \
         try again when the registry answers, or allow older facts in the configuration",
        // Up to the whole minute, so that it is seen to be more.
        humantime::format_duration(Duration::from_secs(age.as_secs().div_ceil(60).saturating_mul(60))),
        humantime::format_duration(*limit)
    )]
    FactsTooOld {
        /// `org/name@version`.
        label: String,
        /// How old they are.
        age: Duration,
        /// How old they may be.
        limit: Duration,
        /// Why the registry can't be asked.
        #[source]
        cause: Box<Self>,
    },
    /// What the cache knows was said later than now.
    #[error(
        "the registry can't be asked, and the cache knows `{label}`, but its facts are {} in the future: is this \
         machine's clock right?\n  \
         set the clock, or try again when the registry answers",
        // Up to the whole minute, as above.
        humantime::format_duration(Duration::from_secs(ahead.as_secs().div_ceil(60).saturating_mul(60)))
    )]
    FactsOfTheFuture {
        /// `org/name@version`.
        label: String,
        /// How far.
        ahead: Duration,
        /// Why the registry can't be asked.
        #[source]
        cause: Box<Self>,
    },
    /// The registry can't be asked, and nobody else knows which version is the latest.
    #[error(
        "the registry can't be asked which version of `{id}` is the latest, and the cache never answers that\n  \
         name a version that was used before: {versions}"
    )]
    LatestUnknown {
        /// The package.
        id: PackageId,
        /// The versions that the cache knows, with commas.
        versions: String,
        /// Why the registry can't be asked.
        #[source]
        cause: Box<Self>,
    },
    /// The registry can't be asked, and the cache does not have a file.
    #[error(
        "the cache knows of {label}, but it does not have its {artifact} {digest}, and the registry can't be asked: \
         {outage}"
    )]
    NotInCache {
        /// `org/name@version`.
        label: String,
        /// Which kind of file.
        artifact: Artifact,
        /// Its digest.
        digest: Digest,
        /// Why the registry can't be asked.
        outage: String,
    },
    /// The registry doesn't have a file that it names.
    #[error("registry `{registry}` names a {artifact} that it does not have: {digest}")]
    MissingBlob {
        /// The registry.
        registry: String,
        /// Which kind of file.
        artifact: Artifact,
        /// Its digest.
        digest: Digest,
    },
    /// A resolve document can't be believed.
    #[error("the registry's entry for `{subject}` is not valid: {problem}")]
    Document {
        /// What was asked for.
        subject: String,
        /// What is wrong.
        problem: SafeText,
    },
    /// Bytes are not those that their digest promises.
    #[error(
        "the {artifact} of {label} is not what its digest promises\n  expected {expected}\n  found    {found}{}",
        if instead.is_empty() { String::new() } else { format!(", which is {instead}") }
    )]
    DigestMismatch {
        /// Which file.
        artifact: Artifact,
        /// `org/name@version`.
        label: String,
        /// What was promised.
        expected: Digest,
        /// What the bytes have.
        found: Digest,
        /// What they are, when that is something else than such a file; else empty.
        instead: &'static str,
    },
    /// A document is about something else than what was asked for.
    #[error("identity mismatch: {what} is `{found}`, but it should be `{expected}`")]
    Identity {
        /// Which field of which document.
        what: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        found: SafeText,
    },
    /// A manifest can't be used.
    #[error("the manifest of {label} can't be used: {problem}")]
    Manifest {
        /// `org/name@version`.
        label: String,
        /// What is wrong.
        problem: ManifestError,
    },
    /// A bundle can't be unpacked.
    #[error("the bundle of {label} can't be used: {problem}")]
    Archive {
        /// `org/name@version`.
        label: String,
        /// What is wrong.
        problem: ArchiveError,
    },
    /// A file is longer than it may be.
    #[error("the {artifact} of {label} is longer than {limit} bytes, the most that is read")]
    TooLarge {
        /// Which file.
        artifact: Artifact,
        /// `org/name@version`.
        label: String,
        /// The most that is read, bytes.
        limit: u64,
    },
    /// It took too long.
    #[error("getting the package timed out: {0}\n  `--timeout` or `start_timeout` gives it more time")]
    Timeout(Expired),
    /// It took too long, and somebody else was waited for.
    #[error("getting the package timed out: {expired}, {place}\n  `--timeout` or `start_timeout` gives it more time")]
    Silence {
        /// How long it might have taken.
        expired: Expired,
        /// Who was waited for.
        place: SafeText,
    },
    /// Whoever asked for it wants it no longer.
    #[error("getting the package was interrupted")]
    Interrupted,
    /// The cache, or the folder for what runs, can't be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The cache has nothing of the kind.
    #[error("the cache has nothing of `{target}`\n  `smcp cache ls` shows what it has")]
    NotCached {
        /// What was looked for.
        target: String,
    },
    /// The beginning of a digest stands for more than one file.
    #[error(
        "several digests in the cache begin with `{prefix}`\n  give more digits; `smcp cache ls --json` has them all"
    )]
    AmbiguousPrefix {
        /// The hex digits.
        prefix: String,
    },
    /// A directory can't be published as it is.
    #[error("{label} can't be published: {problem}")]
    Unpublishable {
        /// `org/name@version`.
        label: String,
        /// What is wrong.
        problem: String,
    },
    /// A file of the directory to be published can't be read.
    #[error("{label} can't be published: can't read `{path}`")]
    UnreadableSource {
        /// `org/name@version`.
        label: String,
        /// The file, relative to the directory.
        path: SafeText,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The version is there already, with other bytes.
    #[error(
        "{label} is published already, with other contents, and a version never changes\n  \
         published {published}\n  offered   {offered}\n  publish it under a new version"
    )]
    Immutable {
        /// `org/name@version`.
        label: String,
        /// Digest of the bundle that is there.
        published: Digest,
        /// Digest of the bundle that was to be published.
        offered: Digest,
    },
}

impl PackageError {
    /// Whether the registry can't be reached at all, or says that it can't answer now, so that an earlier answer of it
    /// may stand in. Never when it answered the question, whatever it said; never when it, or somebody in its place,
    /// could not prove who it is.
    pub fn is_outage(&self) -> bool {
        let refused = [io::ErrorKind::PermissionDenied, io::ErrorKind::InvalidData, io::ErrorKind::InvalidInput];
        let passing =
            |problem: &HttpProblem| matches!(problem, HttpProblem::Unreachable { .. } | HttpProblem::Busy { .. });
        matches!(self, Self::Registry { cause, .. } if !refused.contains(&cause.kind()))
            || matches!(self, Self::Http { problem, .. } if passing(problem))
    }

    /// The same error, with what the bytes are that begin so, when no such file begins like them.
    pub(super) fn instead(mut self, beginning: &[u8]) -> Self {
        if let Self::DigestMismatch { artifact, instead, .. } = &mut self {
            let usual = match artifact {
                Artifact::Manifest => b'{',
                Artifact::Bundle => 0x1f,
            };
            let known = content::recognise(beginning).filter(|_| beginning.first() != Some(&usual));
            *instead = known.map_or("", |(what, _)| what);
        }
        self
    }

    /// Whether the registry answered that there is no such thing.
    pub const fn is_absence(&self) -> bool {
        matches!(self, Self::NoSuchPackage { .. } | Self::NoSuchVersion { .. })
    }

    /// What went wrong in one sentence, with its causes and without advice.
    pub fn sentence(&self) -> String {
        error_chain::sentence(self)
    }

    /// A registry directory that can't even be opened.
    pub fn unreachable(registry: &smcp_model::registry::Registry, cause: io::Error) -> Self {
        Self::Registry { registry: registry.to_string(), doing: "open it".to_owned(), cause }
    }

    /// A failure of the cache at `place` while `doing` something; what was found out already stays what it is.
    pub(super) fn cache(place: &Path, doing: &'static str) -> impl Fn(io::Error) -> Self + Copy {
        move |cause| recover(cause, |cause| CacheError::Cache { place: place.to_path_buf(), doing, cause }.into())
    }

    /// The same of the folder for what runs.
    pub(super) fn runs(place: &Path, doing: &'static str) -> impl Fn(io::Error) -> Self + Copy {
        move |cause| recover(cause, |cause| CacheError::Runs { place: place.to_path_buf(), doing, cause }.into())
    }

    /// A cache whose folder can't even be opened.
    pub fn no_cache(place: &Path, cause: io::Error) -> Self {
        Self::cache(place, "open it")(cause)
    }

    /// A folder for what runs that can't even be opened.
    pub fn no_runs(place: &Path, cause: io::Error) -> Self {
        Self::runs(place, "open it")(cause)
    }

    /// Whether a folder can be read and not be written, so that another has to do.
    pub fn is_read_only(&self) -> bool {
        matches!(self, Self::Cache(error) if error.is_read_only())
    }
}

impl From<Expired> for PackageError {
    fn from(expired: Expired) -> Self {
        Self::Timeout(expired)
    }
}
