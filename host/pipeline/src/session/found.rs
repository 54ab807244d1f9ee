//! The files of components that nobody need have signed, hashed on all cores.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::PipelineError;
use crate::Session;
use crate::session::components::component_in;
use crate::session::components::unreadable;
use smcp_authority::Folder;
use smcp_authority::Guarded;
use smcp_authority::GuardedReader;
use smcp_authority::ReadError;
use smcp_config::choice::OnSuspect;
use smcp_model::mode::Mode;
use smcp_model::policy::PolicySource;
use smcp_model::policy::PolicySpec;
use smcp_model::suspect::Suspect;
use smcp_policy::Component;
use smcp_policy::Unreadable;

/// A component as its file was found. Whether it counts is not decided yet.
#[derive(Debug)]
pub(crate) struct FoundFile {
    path: PathBuf,
    component: Result<Component, ReadError>,
    suspect: Option<Suspect>,
}

/// Reads the file of each policy that has one and no `signed_by`; `None` for the others. When they are many, all cores
/// share them.
pub(crate) fn read_all(specs: &[&Arc<PolicySpec>]) -> Vec<Option<FoundFile>> {
    let read = |reader: &mut GuardedReader, specs: &[&Arc<PolicySpec>]| -> Vec<Option<FoundFile>> {
        specs.iter().map(|spec| Some(FoundFile::read(spec, plain_file(spec)?, reader))).collect()
    };
    smcp_policy::share(specs, GuardedReader::default, read).into_iter().flatten().collect()
}

/// The file of a policy that runs whoever has signed it, and is not part of a set.
fn plain_file(spec: &PolicySpec) -> Option<&Path> {
    match (&spec.source, spec.mode) {
        (PolicySource::File(path), Mode::Strict | Mode::Warn) => {
            (spec.signed_by.is_none() && !spec.layer.is_set()).then_some(path)
        }
        (PolicySource::File(_) | PolicySource::BuiltIn(_) | PolicySource::Remote(_), _) => None,
    }
}

impl FoundFile {
    /// Reads and hashes the file. Its bytes are not held.
    pub(super) fn read(spec: &PolicySpec, path: &Path, reader: &mut GuardedReader) -> Self {
        let Guarded { bytes, suspects } =
            reader.read(path, spec.limits.component_size, Folder::Any, spec.layer.owners());
        Self {
            path: path.to_owned(),
            component: bytes.map(|bytes| component_in(spec, path, &bytes)),
            suspect: suspects.into_iter().next(),
        }
    }
}

impl Session {
    /// Returns the component of a policy whose file was found.
    ///
    /// The inner error is a fault of that policy alone.
    ///
    /// # Errors
    /// [`PipelineError::Untrusted`] when another user could have written it, and the configuration refuses that.
    pub(crate) fn component_found(
        &self,
        spec: &PolicySpec,
        found: FoundFile,
    ) -> Result<Result<Component, Unreadable>, PipelineError> {
        let FoundFile { path, component, suspect } = found;
        if let (OnSuspect::Refuse, Some(suspect)) = (self.config().on_suspect(), suspect) {
            return Err(PipelineError::Untrusted { name: spec.name.clone(), suspect });
        }
        Ok(component.map_err(|error| unreadable(&path, &error)))
    }
}
