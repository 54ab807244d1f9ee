//! From a reference to verified bytes: ask the registry, fill the cache.
//!
//! When the registry can't be asked, `offline` looks in the cache for its last answer.

use std::io;

use crate::PipelineError;
use crate::Session;
use crate::offline;
use crate::statements;
use smcp_config::Config;
use smcp_decide::HasFacts;
use smcp_decide::Notice;
use smcp_model::deadline::Deadline;
use smcp_model::facts::Facts;
use smcp_model::limits;
use smcp_model::package::PackageRef;
use smcp_model::package::Resolution;
use smcp_model::package::ResolvedPackage;
use smcp_model::progress::Progress;
use smcp_model::registry::Registry;
use smcp_model::statement::ArrivedStatements;
use smcp_registry as registry;
use smcp_registry::PackageError;
use smcp_registry::RegistryClient;
use smcp_registry::RegistryProblem;
use smcp_store::Lease;

/// A package that its registry knows, and of which nothing has been downloaded yet.
pub(super) struct Resolved {
    client: Box<dyn RegistryClient>,
    resolution: Resolution,
    /// The signed statements about it; `None` when no layer goes by any.
    statements: Option<ArrivedStatements>,
    /// When the registry was asked, in seconds since the Unix epoch.
    at: u64,
    // INVARIANT: `Some` when the client is the cache in place of the registry.
    notice: Option<Notice>,
}

/// Asks the registry which package is meant; the cache when the registry can't be asked.
///
/// # Errors
/// [`PipelineError::Package`] when the registry has no such package, or can't be asked and the cache does not help.
pub(super) fn resolve(
    session: &Session,
    reference: &PackageRef,
    deadline: &Deadline,
) -> Result<Resolved, PipelineError> {
    // A silent registry must not use up the time in which the cache could answer.
    let shorter = || deadline.share(limits::RECALL_PATIENCE);
    let can_recall = || offline::can_recall(session, reference);
    let answer = match session.config().registry() {
        // A directory hardly ever is, so that the cache is only looked into when it was.
        Registry::Directory(_) => match ask(session, reference, &shorter()) {
            Err(error) if is_silence(&error) && can_recall() => Err(as_outage(session.config(), error)),
            Err(error) if is_silence(&error) => ask(session, reference, deadline),
            answered => answered,
        },
        Registry::Url(_) | Registry::Official(_) | Registry::Oci(_) => match can_recall() {
            true => ask(session, reference, &shorter()).map_err(|error| as_outage(session.config(), error)),
            false => ask(session, reference, deadline),
        },
    };
    match answer {
        Err(PipelineError::Package(outage)) if outage.is_outage() => {
            let at = session.system().now();
            let recalled = offline::recall(session, reference, outage)?;
            let notice = Some(offline::notice(session.config(), &recalled));
            let (resolution, statements) = (recalled.resolution.clone(), recalled.statements.clone());
            Ok(Resolved { resolution, statements, client: Box::new(recalled), at, notice })
        }
        answered => answered,
    }
}

/// Whether the registry has not answered in time.
const fn is_silence(error: &PipelineError) -> bool {
    matches!(error, PipelineError::Package(PackageError::Timeout(_) | PackageError::Silence { .. }))
}

/// Makes of a registry's silence the error of a registry that can't be asked; returns any other error as it is.
fn as_outage(config: &Config, error: PipelineError) -> PipelineError {
    let PipelineError::Package(PackageError::Timeout(expired) | PackageError::Silence { expired, .. }) = error else {
        return error;
    };
    let cause = io::Error::new(io::ErrorKind::TimedOut, expired);
    RegistryProblem::Unusable { doing: "wait longer for its answer".to_owned(), cause }.of(config.registry()).into()
}

/// Asks the registry itself which package is meant.
///
/// # Errors
/// [`PipelineError::Package`] when the registry can't be asked, or has no such package.
pub(super) fn ask(session: &Session, reference: &PackageRef, deadline: &Deadline) -> Result<Resolved, PipelineError> {
    let client = session.registry()?;
    // Taken before the question: facts may seem older than they are, but never younger.
    let at = session.system().now();
    let resolution = client.resolve(reference, deadline).inspect_err(|error| {
        if error.is_absence() {
            offline::forget(session, reference);
        }
    })?;
    tracing::info!(%reference, version = %resolution.version, registry = %resolution.registry, "resolved");
    offline::note(session, &resolution, at);
    let statements = statements::are_asked_for(session.config(), &resolution.registry);
    let statements = statements.then(|| client.statements(&resolution, deadline)).transpose()?;
    Ok(Resolved { client, resolution, statements, at, notice: None })
}

impl HasFacts for Resolved {
    fn facts(&self) -> &Facts {
        &self.resolution.facts
    }
}

impl Resolved {
    /// The registry's answer.
    pub(super) const fn resolution(&self) -> &Resolution {
        &self.resolution
    }

    /// The signed statements about it, as they came.
    pub(super) const fn statements(&self) -> Option<&ArrivedStatements> {
        self.statements.as_ref()
    }

    /// The notice that the answer comes from the cache, if it does.
    pub(super) const fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref()
    }

    /// Keeps an answer by whose statements the version must not run, so that no earlier one is recalled after it.
    pub(super) fn keep_refusal(&self, session: &Session) {
        if self.notice.is_none() {
            offline::note_stated(session, &self.resolution, self.statements(), self.at);
        }
    }

    /// Downloads and verifies the manifest and the bundle, which stay in the cache as long as the lease exists.
    ///
    /// # Errors
    /// [`PipelineError::Package`] when something is not what it should be, or the cache can't be used;
    /// [`PipelineError::NoCache`] when there is no place for it; [`PipelineError::CacheBusy`] when another process
    /// removes the files each time.
    pub(super) fn fetch(
        &self,
        session: &Session,
        deadline: &Deadline,
        progress: &mut dyn Progress,
    ) -> Result<(ResolvedPackage, Lease), PipelineError> {
        let cache = session.cache()?;
        for _ in 0..limits::FETCH_ATTEMPTS {
            let package = registry::fetch(self.client.as_ref(), cache, &self.resolution, deadline, progress)?;
            if let Some(lease) = cache.lease(&[package.manifest_digest, package.bundle_digest], deadline)? {
                if self.notice.is_none() {
                    offline::keep(cache, &self.resolution, self.statements.as_ref(), self.at, session.system().now());
                }
                return Ok((package, lease));
            }
            tracing::debug!("somebody empties the cache; the package is fetched again");
        }
        Err(PipelineError::CacheBusy)
    }
}

/// Checks that the configured registry can be opened, and answers as a registry does.
///
/// # Errors
/// [`PipelineError::Package`] when it does not answer, or its answer is not that of a registry.
pub fn probe_registry(session: &Session, deadline: &Deadline) -> Result<(), PipelineError> {
    Ok(session.registry()?.probe(deadline)?)
}

#[cfg(test)]
mod tests;
