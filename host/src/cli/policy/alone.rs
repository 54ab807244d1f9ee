//! What one policy without a configuration is tried with.

use std::path::Path;
use std::time::Duration;

use crate::cli::app::App;
use crate::cli::failure::Failure;
use smcp_authority as authority;
use smcp_cases::Tested;
use smcp_model::facts_document;
use smcp_model::limits;
use smcp_model::limits::PolicyLimits;
use smcp_model::request::Subject;
use smcp_policy::Component;

/// Reads a component.
pub(super) fn component(app: &App, path: &Path) -> Result<Tested, Failure> {
    let limit = PolicyLimits::DEFAULT.component_size;
    let bytes = app.read_document(path, limit, limits::START_TIMEOUT_DEFAULT)?;
    Ok(Tested::file(&app.path(path)?, Component::new(bytes)))
}

/// Reads a facts document, within `patience`. Without one, nothing is known.
pub(super) fn facts(app: &App, path: Option<&Path>, patience: Duration) -> Result<Vec<u8>, Failure> {
    path.map_or_else(|| Ok(b"{}".to_vec()), |path| app.read_document(path, limits::FACTS_FILE, patience))
}

/// Returns the package that a facts document is about.
pub(super) fn subject(app: &App, document: &[u8]) -> Result<Subject, Failure> {
    let places = app.places();
    let mut subject = facts_document::read(document, &places.working_directory, places.home.as_deref())?;
    subject.registry.iter_mut().for_each(|registry| registry.resolve(|path| authority::resolve(path).ok()));
    Ok(subject)
}

/// Refuses standard input as both the facts and the settings.
pub(super) fn not_both(facts: Option<&Path>, settings: Option<&Path>) -> Result<(), Failure> {
    if facts == Some(Path::new("-")) && settings == Some(Path::new("-")) {
        return Err(Failure::usage(anyhow::anyhow!("standard input can't be both the facts and the settings")));
    }
    Ok(())
}
