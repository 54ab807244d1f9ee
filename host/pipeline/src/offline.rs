//! A registry's answers in the cache, for the day that it can't be asked.
//!
//! Keeping them is a convenience: when an answer can't be kept, that is logged, and the launch goes on.

use std::io;
use std::time::Duration;

use crate::PipelineError;
use crate::Session;
use smcp_config::Config;
use smcp_decide::Notice;
use smcp_model::facts::Status;
use smcp_model::package::PackageRef;
use smcp_model::package::Resolution;
use smcp_model::statement::ArrivedStatements;
use smcp_model::text::SafeText;
use smcp_registry as registry;
use smcp_registry::PackageError;
use smcp_registry::Recalled;
use smcp_store::Cache;

/// The code of the notice that the facts come from the cache.
pub(super) const FACTS_FROM_CACHE: &str = "facts-from-cache";

/// Returns the registry's last answer, if the cache has it and it is not too old.
pub(super) fn recall(
    session: &Session,
    reference: &PackageRef,
    outage: PackageError,
) -> Result<Recalled, PipelineError> {
    let Some(resolutions) = session.kept_answers() else { return Err(outage.into()) };
    let (config, now) = (session.config(), session.system().now());
    let limit = config.max_facts_age();
    let recalled = registry::recall(resolutions, config.registry(), reference, outage, now, limit)?;
    tracing::info!(%reference, age = recalled.age.as_secs(), "the registry can't be asked; recalled from the cache");
    Ok(recalled)
}

/// Whether the cache has an answer that could take the place of the registry's.
pub(super) fn can_recall(session: &Session, reference: &PackageRef) -> bool {
    let (config, now) = (session.config(), session.system().now());
    let limit = config.max_facts_age();
    session
        .kept_answers()
        .is_some_and(|resolutions| registry::can_recall(resolutions, config.registry(), reference, now, limit))
}

/// Returns the notice that goes with a recalled answer: how old it is, and why the registry can't be asked.
pub(super) fn notice(config: &Config, recalled: &Recalled) -> Notice {
    let limit = humantime::format_duration(config.max_facts_age());
    // From an hour on, seconds are left out.
    let unit = if recalled.age.as_secs() < 3_600 { 1 } else { 60 };
    let seconds = recalled.age.as_secs();
    let age = humantime::format_duration(Duration::from_secs(seconds.saturating_sub(seconds % unit)));
    let message = format!(
        "the facts are from the cache and {age} old (`max_facts_age` allows {limit}): the registry can't be asked \
         whether they still hold: {}",
        recalled.outage
    );
    Notice { code: FACTS_FROM_CACHE, message: SafeText::new(&message) }
}

/// Keeps an answer whose package is in the cache and verified, with the statements that came with it; `at` is when the registry was asked.
pub(super) fn keep(cache: &Cache, resolution: &Resolution, statements: Option<&ArrivedStatements>, at: u64, now: u64) {
    log_failure(cache.resolutions().keep_with(resolution, statements, at, now), "kept");
}

/// Keeps an answer at once when it says that the version must not run: its package is never fetched, and an earlier
/// answer must not be recalled after it.
pub(super) fn note(session: &Session, resolution: &Resolution, at: u64) {
    match resolution.facts.status {
        Some(Status::Refused(_)) => {
            if let Some(resolutions) = session.kept_answers() {
                log_failure(resolutions.keep(resolution, at, session.system().now()), "kept");
            }
        }
        Some(Status::Published | Status::Deprecated) | None => {}
    }
}

/// Keeps an answer at once whose signed statements say that the version must not run, for the same reason.
pub(super) fn note_stated(session: &Session, resolution: &Resolution, statements: Option<&ArrivedStatements>, at: u64) {
    if let Some(resolutions) = session.kept_answers() {
        log_failure(resolutions.keep_with(resolution, statements, at, session.system().now()), "kept");
    }
}

/// Removes the answer about a package that the registry says it doesn't have.
pub(super) fn forget(session: &Session, reference: &PackageRef) {
    if let Some(resolutions) = session.kept_answers() {
        log_failure(resolutions.forget(session.config().registry(), reference, session.system().now()), "forgotten");
    }
}

fn log_failure(done: io::Result<()>, what: &str) {
    if let Err(error) = done {
        tracing::warn!(%error, "an answer of the registry could not be {what}");
    }
}
