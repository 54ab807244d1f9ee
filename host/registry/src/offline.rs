//! Answers from the cache in place of a registry that can't be reached.
//!
//! `pipeline` calls this only when a registry can't be reached at all. Answers about an exact version or a digest are
//! recalled. The latest version never is, since it may have changed.

use std::io::Read;
use std::time::Duration;

use crate::Artifact;
use crate::RegistryClient;
use crate::error::PackageError;
use crate::error::VersionProblem;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::name::PackageId;
use smcp_model::package::PackageRef;
use smcp_model::package::Resolution;
use smcp_model::package::Selector;
use smcp_model::registry::Registry;
use smcp_model::statement::ArrivedStatements;
use smcp_store::KeptAnswer;
use smcp_store::Resolutions;

/// An earlier answer of a registry that can't be reached. As a client it has no files: all have to be in the cache.
#[derive(Debug)]
pub struct Recalled {
    /// The answer.
    pub resolution: Resolution,
    /// The signed statements that came with it; `None` when they were not asked for then.
    pub statements: Option<ArrivedStatements>,
    /// The age of the answer.
    pub age: Duration,
    /// Why the registry can't be reached, in one sentence.
    pub outage: String,
}

/// Finds the kept answer of a registry that can't be reached because of `outage`.
///
/// # Errors
/// The outage itself when there is no answer; [`VersionProblem::FactsOfTheFuture`] when it is from the future;
/// [`VersionProblem::FactsTooOld`] when it is older than `limit`; [`VersionProblem::LatestUnknown`] for `latest`;
/// [`VersionProblem::AmbiguousDigest`] when several versions have the digest.
pub fn recall(
    resolutions: &Resolutions,
    registry: &Registry,
    wanted: &PackageRef,
    outage: PackageError,
    now: u64,
    limit: Duration,
) -> Result<Recalled, PackageError> {
    let mut known = candidates(resolutions, registry, wanted, now);
    if known.is_empty()
        && let Some((label, ahead)) = resolutions.ahead(registry, wanted, now)
    {
        return Err(VersionProblem::FactsOfTheFuture { ahead, outage }.of(label));
    }
    let kept = match &wanted.selector {
        Selector::Exact(_) => known.pop(),
        Selector::Digest(digest) => only_one(known, &wanted.id, digest)?,
        Selector::Latest => {
            if known.is_empty() {
                return Err(outage);
            }
            let versions: Vec<String> = known.iter().map(|kept| kept.resolution.version.to_string()).collect();
            let versions = versions.join(", ");
            return Err(VersionProblem::LatestUnknown { versions, outage }.of(&wanted.id));
        }
    };
    let Some(KeptAnswer { resolution, statements, at }) = kept else { return Err(outage) };
    let age = Duration::from_secs(now.saturating_sub(at));
    if age > limit {
        return Err(VersionProblem::FactsTooOld { age, limit, outage }.of(resolution.label()));
    }
    Ok(Recalled { resolution, statements, age, outage: outage.sentence() })
}

/// Whether [`recall`] would return an answer.
pub fn can_recall(
    resolutions: &Resolutions,
    registry: &Registry,
    wanted: &PackageRef,
    now: u64,
    limit: Duration,
) -> bool {
    match (&wanted.selector, candidates(resolutions, registry, wanted, now).as_slice()) {
        (Selector::Exact(_) | Selector::Digest(_), [only]) => now.saturating_sub(only.at) <= limit.as_secs(),
        (Selector::Exact(_) | Selector::Digest(_), _) | (Selector::Latest, _) => false,
    }
}

/// Returns the kept answers that a reference may mean; for `latest`, all answers about the package.
fn candidates(resolutions: &Resolutions, registry: &Registry, wanted: &PackageRef, now: u64) -> Vec<KeptAnswer> {
    match &wanted.selector {
        Selector::Exact(version) => resolutions.of_version(registry, &wanted.id, version, now).into_iter().collect(),
        Selector::Digest(digest) => {
            let mut matching = resolutions.of_package(registry, &wanted.id, now);
            matching.retain(|kept| kept.resolution.has_digest(digest));
            matching
        }
        Selector::Latest => resolutions.of_package(registry, &wanted.id, now),
    }
}

/// Returns the only answer, if there is one. Several are an error.
fn only_one(mut kept: Vec<KeptAnswer>, id: &PackageId, digest: &Digest) -> Result<Option<KeptAnswer>, PackageError> {
    if kept.len() > 1 {
        let versions: Vec<String> = kept.iter().map(|kept| kept.resolution.version.to_string()).collect();
        return Err(VersionProblem::AmbiguousDigest { digest: *digest, versions: versions.join(", ") }.of(id));
    }
    Ok(kept.pop())
}

impl RegistryClient for Recalled {
    fn resolve(&self, _: &PackageRef, _: &Deadline) -> Result<Resolution, PackageError> {
        Ok(self.resolution.clone())
    }

    fn artifact(
        &self,
        _: &PackageId,
        artifact: Artifact,
        digest: &Digest,
        _: &Deadline,
    ) -> Result<Box<dyn Read + '_>, PackageError> {
        let problem = VersionProblem::NotInCache { artifact, digest: *digest, outage: self.outage.clone() };
        Err(problem.of(self.resolution.label()))
    }

    fn statements(&self, _: &Resolution, _: &Deadline) -> Result<ArrivedStatements, PackageError> {
        Ok(self.statements.clone().unwrap_or_default())
    }

    fn probe(&self, _: &Deadline) -> Result<(), PackageError> {
        Err(PackageError::unreachable(self.registry(), std::io::Error::other(self.outage.clone())))
    }

    fn registry(&self) -> &Registry {
        &self.resolution.registry
    }
}

#[cfg(test)]
mod tests;
