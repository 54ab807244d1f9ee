//! The components that are elsewhere: from the cache, or fetched into it.
//!
//! Nothing is connected while the cache has what is meant: by a digest for ever, by a tag until it is older than
//! `refresh`. When it can't be asked for again, or what came is not right, the last good one counts up to `max_age`.
//! Bytes that have just arrived and bytes of the cache go through the same place, `verify`, before they count.

mod server;
#[cfg(test)]
mod tests;
mod verify;

pub(crate) use crate::remote::server::Arrived;
pub(crate) use crate::remote::server::RemoteServers;
pub(crate) use crate::remote::server::SourceServer;

use std::time::Duration;

use crate::PipelineError;
use crate::remote::verify::UnverifiedComponent;
use smcp_decide::Notice;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::exit::ExitKind;
use smcp_model::limits;
use smcp_model::policy::PolicySpec;
use smcp_model::source::RemoteAddress;
use smcp_model::source::RemoteSource;
use smcp_model::text::SafeText;
use smcp_oci::FetchedManifest;
use smcp_oci::OciError;
use smcp_oci::wasm;
use smcp_policy::PinMismatch;
use smcp_store::Cache;
use smcp_store::SourceNote;

/// The notice that a policy is older than its `refresh`.
pub(crate) const NOT_REFRESHED: &str = "policy-not-refreshed";
/// The notice that a policy is fetched at each start.
pub(crate) const FETCHED_EACH_TIME: &str = "policy-fetched-each-time";

/// A component that counts.
#[derive(Debug)]
pub(crate) struct Obtained {
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: Digest,
    /// The manifest that was asked for; `None` for a file behind a URL.
    pub(crate) manifest: Option<Digest>,
    /// Whether it is in the cache.
    pub(crate) is_kept: bool,
    /// Whether it came just now.
    pub(crate) is_new: bool,
    pub(crate) notice: Option<Notice>,
}

/// Why there is no component that counts.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceFailure {
    /// It can't be had, or what came is not right.
    #[error("{error}{}", last_good(.since.as_ref()))]
    Fetch {
        /// The error of fetching.
        error: Box<OciError>,
        /// How old the last good one is, and how old it may be; `None` without one.
        since: Option<(Duration, Duration)>,
    },
    /// It is not the pinned one.
    #[error(transparent)]
    Pin(#[from] PinMismatch),
}

impl SourceFailure {
    /// The error of a policy's component.
    pub(crate) fn of(self, spec: &PolicySpec) -> PipelineError {
        match self {
            Self::Fetch { error, since } => {
                let error = SourceError { error: *error, since: last_good(since.as_ref()) };
                PipelineError::Source { name: spec.name.clone(), error: Box::new(error) }
            }
            Self::Pin(mismatch) => mismatch.into(),
        }
    }
}

/// Why the component of a policy that is elsewhere does not count.
#[derive(Debug, thiserror::Error)]
#[error("{error}{since}")]
pub struct SourceError {
    error: OciError,
    /// What there is of the last good one, as the end of the message.
    since: String,
}

impl SourceError {
    /// Whether something came that is not what it should be, and not only nothing.
    pub fn is_wrong(&self) -> bool {
        self.error.is_wrong()
    }

    /// How the program ends after it.
    pub const fn exit_kind(&self) -> ExitKind {
        self.error.exit_kind()
    }

    /// A stable name for machines.
    pub const fn code(&self) -> &'static str {
        self.error.code()
    }
}

impl From<OciError> for SourceError {
    fn from(error: OciError) -> Self {
        Self { error, since: String::new() }
    }
}

fn last_good(since: Option<&(Duration, Duration)>) -> String {
    since.map_or_else(String::new, |(age, most)| {
        let text = humantime::format_duration;
        format!("\n  what it gave last is {} old, and `max_age` is {}", text(*age), text(*most))
    })
}

/// How eagerly a source is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Eagerness {
    /// When the cache does not have it, or it is old.
    Needed,
    /// A tag in any case.
    Always,
}

/// What a lookup needs.
pub(crate) struct Lookup<'l> {
    pub(crate) cache: &'l Cache,
    pub(crate) now: u64,
    pub(crate) server: &'l dyn SourceServer,
    pub(crate) deadline: &'l Deadline,
}

/// A component of the cache.
struct Kept {
    bytes: Vec<u8>,
    digest: Digest,
    manifests: Vec<Digest>,
    /// When it was asked for; `None` when its digest is fixed, so that it never ages.
    at: Option<u64>,
}

impl Lookup<'_> {
    /// Returns the component of a policy.
    ///
    /// # Errors
    /// When there is none that counts.
    pub(crate) fn obtain(
        &self,
        spec: &PolicySpec,
        source: &RemoteSource,
        eagerness: Eagerness,
    ) -> Result<Obtained, SourceFailure> {
        let Some(kept) = self.kept(spec, source) else {
            let arrived = self.fetch(spec, source, &self.patience(eagerness, limits::oci::PULL_PATIENCE))?;
            return self.taken(spec, source, arrived);
        };
        let Kept { bytes, digest, manifests, .. } = &kept;
        verify::verify(spec, &UnverifiedComponent { bytes, digest: *digest, manifest: manifests.first().copied() })?;
        let Some(at) = kept.at else { return Ok(in_force(kept, None)) };
        let age = Duration::from_secs(self.now.saturating_sub(at));
        if eagerness == Eagerness::Needed && age < source.refresh {
            return Ok(in_force(kept, None));
        }
        match self.fetch(spec, source, &self.patience(eagerness, limits::oci::REFRESH_PATIENCE)) {
            Ok(arrived) => self.taken(spec, source, arrived),
            Err(failure) if eagerness == Eagerness::Always => Err(failure),
            Err(failure) if age <= source.max_age => {
                Ok(in_force(kept, Some(not_refreshed(spec, source, &failure, age))))
            }
            Err(SourceFailure::Fetch { error, since: _ }) => {
                Err(SourceFailure::Fetch { error, since: Some((age, source.max_age)) })
            }
            Err(failure) => Err(failure),
        }
    }

    /// How long a source is waited for: a start has other policies, whoever asks ahead has not.
    fn patience(&self, eagerness: Eagerness, of_a_start: Duration) -> Deadline {
        match eagerness {
            Eagerness::Needed => self.deadline.share(of_a_start),
            Eagerness::Always => *self.deadline,
        }
    }

    /// Fetches a component, and verifies it.
    fn fetch(&self, spec: &PolicySpec, source: &RemoteSource, patience: &Deadline) -> Result<Arrived, SourceFailure> {
        tracing::info!(policy = %spec.name, source = %source.address, "asking for a policy");
        let limit = spec.limits.component_size;
        let known = |digest: &Digest| self.cache.read(digest, limit);
        let fetched = self.server.fetch(&source.address, spec, &known, patience);
        let arrived = fetched.map_err(|error| SourceFailure::Fetch { error: Box::new(error), since: None })?;
        let Arrived { component, digest, manifests, sent: _ } = &arrived;
        let manifest = manifests.first().map(|manifest| manifest.digest);
        verify::verify(spec, &UnverifiedComponent { bytes: component, digest: *digest, manifest })?;
        Ok(arrived)
    }

    /// Keeps what has arrived and was verified.
    fn taken(&self, spec: &PolicySpec, source: &RemoteSource, arrived: Arrived) -> Result<Obtained, SourceFailure> {
        let unkept = self.keep(source, &arrived).err().map(|error| Notice {
            code: FETCHED_EACH_TIME,
            message: SafeText::new(&format!(
                "the policy `{}` was fetched for this start, and will be for the next: it can't be kept: {error}",
                spec.name
            )),
        });
        let Arrived { component, digest, manifests, sent } = arrived;
        let manifest = manifests.first().map(|manifest| manifest.digest);
        let is_kept = unkept.is_none();
        Ok(Obtained { bytes: component, digest, manifest, is_kept, is_new: sent, notice: unkept })
    }

    fn keep(&self, source: &RemoteSource, arrived: &Arrived) -> std::io::Result<()> {
        let Arrived { component, digest, manifests, sent: _ } = arrived;
        let blobs = manifests.iter().map(|manifest| (manifest.digest, manifest.bytes.as_slice()));
        for (digest, bytes) in blobs.chain([(*digest, component.as_slice())]) {
            if self.cache.read(&digest, bytes.len()).is_none() {
                self.cache.blobs().store(std::convert::identity, |draft| {
                    std::io::Write::write_all(draft, bytes).map(|()| (digest, ()))
                })?;
            }
        }
        self.cache.sources().keep(&SourceNote {
            address: source.address.to_string(),
            component: *digest,
            manifests: manifests.iter().map(|manifest| manifest.digest).collect(),
            at: self.now,
        })
    }

    /// Finds the component in the cache: by the digests that are written down, else by the note about the source.
    fn kept(&self, spec: &PolicySpec, source: &RemoteSource) -> Option<Kept> {
        let limit = spec.limits.component_size;
        if let RemoteAddress::Oci(reference) = &source.address
            && let Some(digest) = reference.digest()
        {
            let (component, manifests) = self.led_to(digest, &reference.to_string())?;
            return Some(Kept { bytes: self.cache.read(&component, limit)?, digest: component, manifests, at: None });
        }
        let note = self.cache.sources().of(&source.address.to_string(), self.now);
        if let Some(pin) = spec.pin {
            let manifests = note.filter(|note| note.component == pin).map_or_else(Vec::new, |note| note.manifests);
            return Some(Kept { bytes: self.cache.read(&pin, limit)?, digest: pin, manifests, at: None });
        }
        let SourceNote { address: _, component, manifests, at } = note?;
        Some(Kept { bytes: self.cache.read(&component, limit)?, digest: component, manifests, at: Some(at) })
    }

    /// Follows manifests of the cache from a digest to that of the component.
    fn led_to(&self, digest: &Digest, what: &str) -> Option<(Digest, Vec<Digest>)> {
        let first = FetchedManifest::of(self.cache.read(digest, limits::oci::MANIFEST)?, None);
        let Ok(chosen) = wasm::chosen(&first, what) else {
            return Some((wasm::layer_of(&first, what).ok()?.digest, vec![*digest]));
        };
        let second = FetchedManifest::of(self.cache.read(&chosen, limits::oci::MANIFEST)?, None);
        Some((wasm::layer_of(&second, what).ok()?.digest, vec![*digest, chosen]))
    }
}

fn in_force(kept: Kept, notice: Option<Notice>) -> Obtained {
    let Kept { bytes, digest, manifests, at: _ } = kept;
    Obtained { bytes, digest, manifest: manifests.first().copied(), is_kept: true, is_new: false, notice }
}

fn not_refreshed(spec: &PolicySpec, source: &RemoteSource, failure: &SourceFailure, age: Duration) -> Notice {
    let failure = failure.to_string();
    let (text, left) = (humantime::format_duration, source.max_age.saturating_sub(age));
    let message = format!(
        "the policy `{}` is as it was {} ago, and for at most {} more: {}",
        spec.name,
        text(age),
        text(left),
        failure.lines().next().unwrap_or_default()
    );
    Notice { code: NOT_REFRESHED, message: SafeText::new(&message) }
}
