//! The components of policies, read from their files.

use std::path::Path;
use std::sync::Arc;

use crate::PipelineError;
use crate::Session;
use crate::session::sets;
use smcp_authority as authority;
use smcp_authority::Folder;
use smcp_authority::Guarded;
use smcp_authority::GuardedReader;
use smcp_authority::ReadError;
use smcp_config::Layer;
use smcp_config::choice::OnSuspect;
use smcp_model::mode::Mode;
use smcp_model::policy::PolicySource;
use smcp_model::policy::PolicySpec;
use smcp_model::suspect::Suspect;
use smcp_policy::Component;
use smcp_policy::Unreadable;

impl Session {
    /// Reads the component of one policy with `reader`; that of a disabled policy is not read.
    ///
    /// The inner error is a fault of that policy alone.
    ///
    /// # Errors
    /// [`PipelineError::Untrusted`] when another user could have written it, and the configuration refuses that.
    pub(crate) fn component(
        &self,
        spec: &PolicySpec,
        reader: &mut GuardedReader,
    ) -> Result<Result<Component, Unreadable>, PipelineError> {
        Ok(match (&spec.source, spec.mode) {
            (PolicySource::BuiltIn(policy), _) => Ok(Component::built_in(*policy)),
            (PolicySource::File(_), Mode::Disabled) => Err(Unreadable::Disabled),
            (PolicySource::File(path), Mode::Strict | Mode::Warn) if spec.layer.is_set() => {
                // Its bytes were read with the set.
                let found = self.config().set_component(spec.layer, path);
                let missing = || Unreadable::Failed(format!("{} is not in the policy set", path.display()));
                let found = found.ok_or_else(missing);
                found
                    .and_then(|(facts, found)| sets::component(self.system(), facts, found, spec.limits.component_size))
            }
            (PolicySource::File(path), Mode::Strict | Mode::Warn) => {
                let Guarded { bytes, suspects } =
                    reader.read(path, spec.limits.component_size, Folder::Any, spec.layer.owners());
                let suspect = suspects.into_iter().next();
                if let (OnSuspect::Refuse, Some(suspect)) = (self.config().on_suspect(), suspect) {
                    return Err(PipelineError::Untrusted { name: spec.name.clone(), suspect });
                }
                bytes.map(|bytes| component_in(spec, path, &bytes)).map_err(|error| unreadable(path, &error))
            }
        })
    }

    /// Returns every file and folder that another user could write to, on the way to the component of any enabled
    /// policy.
    pub fn suspects(&self) -> Vec<Suspect> {
        let layers = self.config().layers().iter();
        let specs = layers.flat_map(Layer::policies).filter(|spec| spec.mode != Mode::Disabled);
        let mut reader = GuardedReader::default();
        let of_one = |spec: &Arc<PolicySpec>| match &spec.source {
            PolicySource::BuiltIn(_) => Vec::new(),
            // Those of a set were looked at with the set.
            PolicySource::File(_) if spec.layer.is_set() => Vec::new(),
            // No bytes are needed to know who could write to it.
            PolicySource::File(path) => reader.read(path, 0, Folder::Any, spec.layer.owners()).suspects,
        };
        let mut distinct: Vec<Suspect> = Vec::new();
        for suspect in specs.flat_map(of_one) {
            if !distinct.contains(&suspect) {
                distinct.push(suspect);
            }
        }
        distinct
    }
}

/// Returns the component of a file. Its bytes are not held: with many large policies they would fill the memory, and most
/// have code that was kept.
fn component_in(spec: &PolicySpec, path: &Path, bytes: &[u8]) -> Component {
    let (path, most, owners) = (path.to_owned(), spec.limits.component_size, spec.layer.owners());
    let read = move || {
        let bytes = authority::read_guarded(&path, most, Folder::Any, owners).bytes;
        bytes.map_err(|error| unreadable(&path, &error))
    };
    Component::elsewhere(bytes, Arc::new(read))
}

/// Returns why the component at `path` could not be read.
pub fn unreadable(path: &Path, error: &ReadError) -> Unreadable {
    match error {
        ReadError::TooLarge { limit } => {
            let size = authority::open_file(path).ok().and_then(|file| Some(file.metadata().ok()?.len()));
            Unreadable::TooLarge { limit: *limit, size }
        }
        ReadError::NotAFile => Unreadable::NotAFile(path.display().to_string()),
        ReadError::Io(reason) => Unreadable::Failed(format!("{}: {reason}", path.display())),
    }
}
