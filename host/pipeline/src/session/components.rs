//! The components of policies, read from their files.

use std::path::Path;
use std::sync::Arc;

use crate::PipelineError;
use crate::Session;
use crate::check_clock;
use crate::remote::Eagerness;
use crate::remote::Lookup;
use crate::remote::Obtained;
use crate::remote::RemoteServers;
use crate::session::found::FoundFile;
use crate::session::sets;
use crate::session::signatures::unsigned_in_set;
use crate::session::signatures::unverifiable;
use smcp_authority as authority;
use smcp_authority::Folder;
use smcp_authority::Guarded;
use smcp_authority::GuardedReader;
use smcp_authority::ReadError;
use smcp_config::Layer;
use smcp_config::choice::OnSuspect;
use smcp_model::bounded;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::mode::Mode;
use smcp_model::policy::PolicySource;
use smcp_model::policy::PolicySpec;
use smcp_model::source::RemoteSource;
use smcp_model::suspect::Suspect;
use smcp_policy::Component;
use smcp_policy::Unreadable;

impl Session {
    /// Reads the component of one policy with `reader`; that of a disabled policy is not read.
    ///
    /// The inner error is a fault of that policy alone.
    ///
    /// # Errors
    /// [`PipelineError::Untrusted`] when another user could have written it, and the configuration refuses that;
    /// [`PipelineError::Signature`] when it is not signed as the configuration says.
    pub(crate) fn component(
        &self,
        spec: &PolicySpec,
        reader: &mut GuardedReader,
        deadline: &Deadline,
    ) -> Result<Result<Component, Unreadable>, PipelineError> {
        Ok(match (&spec.source, spec.mode) {
            (PolicySource::BuiltIn(policy), _) => Ok(Component::built_in(*policy)),
            (PolicySource::File(_) | PolicySource::Remote(_), Mode::Disabled) => Err(Unreadable::Disabled),
            (PolicySource::File(path), Mode::Strict | Mode::Warn) if spec.layer.is_set() => {
                if let Some(refusal) = unsigned_in_set(spec, path) {
                    return Err(refusal);
                }
                // Its bytes were read with the set.
                let found = self.config().set_component(spec.layer, path);
                let missing = || Unreadable::Failed(format!("{} is not in the policy set", path.display()));
                let found = found.ok_or_else(missing);
                found
                    .and_then(|(facts, found)| sets::component(self.system(), facts, found, spec.limits.component_size))
            }
            (PolicySource::File(path), Mode::Strict | Mode::Warn) if spec.signed_by.is_none() => {
                self.component_found(spec, FoundFile::read(spec, path, reader))?
            }
            (PolicySource::File(path), Mode::Strict | Mode::Warn) => {
                let Guarded { bytes, suspects } =
                    reader.read(path, spec.limits.component_size, Folder::Any, spec.layer.owners());
                let suspect = suspects.into_iter().next();
                if let (OnSuspect::Refuse, Some(suspect)) = (self.config().on_suspect(), suspect) {
                    return Err(PipelineError::Untrusted { name: spec.name.clone(), suspect });
                }
                match bytes {
                    Ok(bytes) => {
                        let signer = self.signer(spec, path, &bytes, reader)?;
                        Ok(component_in(spec, path, &bytes).signed(signer))
                    }
                    Err(error) => {
                        let unreadable = unreadable(path, &error);
                        match unverifiable(spec, path, &unreadable) {
                            Some(refusal) => return Err(refusal),
                            None => Err(unreadable),
                        }
                    }
                }
            }
            (PolicySource::Remote(source), Mode::Strict | Mode::Warn) => {
                self.remote_component(spec, source, reader, deadline)?
            }
        })
    }

    /// Returns the component of a policy that is elsewhere.
    ///
    /// The inner error is a fault of that policy alone: it can't be had now.
    ///
    /// # Errors
    /// [`PipelineError::Source`] when what came is not right, [`PipelineError::Pin`] when it is not the pinned one.
    fn remote_component(
        &self,
        spec: &PolicySpec,
        source: &RemoteSource,
        reader: &mut GuardedReader,
        deadline: &Deadline,
    ) -> Result<Result<Component, Unreadable>, PipelineError> {
        match self.obtain(spec, source, Eagerness::Needed, reader, deadline) {
            Ok(Obtained { bytes, digest, signer, is_kept, notice, .. }) => {
                self.note_of_source(notice);
                let component =
                    if is_kept { self.component_of_cache(spec, digest, &bytes)? } else { Component::new(bytes) };
                Ok(Ok(component.signed(signer)))
            }
            Err(PipelineError::Source { error, .. }) if !error.is_wrong() => {
                Ok(Err(Unreadable::NotFetched(error.to_string())))
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the component of a policy that is elsewhere, and how it came about.
    ///
    /// # Errors
    /// As [`Session::component`], and [`PipelineError::Source`] when it can't be had.
    pub(crate) fn obtain(
        &self,
        spec: &PolicySpec,
        source: &RemoteSource,
        eagerness: Eagerness,
        reader: &mut GuardedReader,
        deadline: &Deadline,
    ) -> Result<Obtained, PipelineError> {
        check_clock(self.system())?;
        let rule = self.rule_of(spec, reader)?;
        let (cache, now) = (self.cache()?, self.system().now());
        let lookup = Lookup { cache, now, server: &RemoteServers(self), rule: rule.as_ref(), deadline };
        lookup.obtain(spec, source, eagerness).map_err(|failure| failure.of(spec))
    }

    /// Returns a component that the cache has. Its bytes are not held, as those of a file.
    fn component_of_cache(&self, spec: &PolicySpec, digest: Digest, bytes: &[u8]) -> Result<Component, PipelineError> {
        let (blobs, most) = (self.cache()?.handle()?, spec.limits.component_size);
        let read = move || {
            let gone = || Unreadable::Failed(format!("{digest} was removed from the cache meanwhile"));
            let file = blobs.open(&digest).ok().flatten().ok_or_else(gone)?;
            bounded::read_within(file, most, 0).ok().flatten().ok_or_else(gone)
        };
        Ok(Component::elsewhere(bytes, Arc::new(read)))
    }

    /// Returns every file and folder that another user could write to, on the way to the component of any enabled
    /// policy, or to the keys of those whose statements are believed.
    pub fn suspects(&self) -> Vec<Suspect> {
        let layers = self.config().layers().iter();
        let specs = layers.flat_map(Layer::policies).filter(|spec| spec.mode != Mode::Disabled);
        let mut reader = GuardedReader::default();
        let of_one = |spec: &Arc<PolicySpec>| match &spec.source {
            // The cache is checked when it is opened, and its bytes have their digests.
            PolicySource::BuiltIn(_) => Vec::new(),
            PolicySource::Remote(_) => Self::signer_suspects(spec, &mut reader),
            // Those of a set were looked at with the set.
            PolicySource::File(_) if spec.layer.is_set() => Vec::new(),
            // No bytes are needed to know who could write to it.
            PolicySource::File(path) => {
                let of_component = reader.read(path, 0, Folder::Any, spec.layer.owners()).suspects;
                of_component.into_iter().chain(Self::signer_suspects(spec, &mut reader)).collect()
            }
        };
        let mut suspects: Vec<Suspect> = specs.flat_map(of_one).collect();
        let layers = self.config().layers().iter();
        suspects.extend(layers.flat_map(|layer| Self::statement_suspects(layer, &mut reader)));
        let mut distinct: Vec<Suspect> = Vec::new();
        for suspect in suspects {
            if !distinct.contains(&suspect) {
                distinct.push(suspect);
            }
        }
        distinct
    }
}

/// Returns the component of a file. Its bytes are not held: with many large policies they would fill the memory, and most
/// have code that was kept.
pub(super) fn component_in(spec: &PolicySpec, path: &Path, bytes: &[u8]) -> Component {
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
