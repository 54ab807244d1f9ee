//! The components that are elsewhere: from the cache, or fetched into it.
//!
//! Nothing is connected while the cache has what is meant: by a digest for ever, by a tag until it is older than
//! `refresh`. When it can't be asked for again, or what came is not right, the last good one counts up to `max_age`.
//! Bytes that have just arrived and bytes of the cache go through the same place, `verify`, before they count.

mod server;
mod set;
#[cfg(test)]
mod tests;
mod verify;

pub(crate) use crate::remote::server::Arrived;
pub(crate) use crate::remote::server::RemoteServers;
pub(crate) use crate::remote::server::SourceServer;
pub(crate) use crate::remote::server::artifact_type;
pub(crate) use crate::remote::server::signature;
pub(crate) use crate::remote::set::KeptSet;
pub(crate) use crate::remote::set::SetQuestion;
pub(crate) use crate::remote::set::SetServer;

use std::time::Duration;

use crate::PipelineError;
use crate::remote::verify::Demands;
use crate::remote::verify::UnverifiedComponent;
use crate::signed::SignatureMismatch;
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
use smcp_signature::LoadedRule;
use smcp_signature::SignatureDocument;
use smcp_signature::SignatureForm;
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
    /// Who has signed it; `None` when nobody need to have.
    pub(crate) signer: Option<SafeText>,
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
    /// Nobody has signed it who may.
    #[error(transparent)]
    Signature(Box<SignatureMismatch>),
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
            Self::Signature(mismatch) => PipelineError::Signature(mismatch),
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
    /// Who must have signed the component; `None` when nobody need to have.
    pub(crate) rule: Option<&'l LoadedRule>,
    pub(crate) deadline: &'l Deadline,
}

/// A component of the cache.
struct Kept {
    bytes: Vec<u8>,
    digest: Digest,
    manifests: Vec<FetchedManifest>,
    signatures: Vec<SignatureDocument>,
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
            let (arrived, signer) = self.fetch(spec, source, &self.patience(eagerness, limits::oci::PULL_PATIENCE))?;
            return self.taken(spec, source, arrived, signer);
        };
        let Kept { bytes, digest, manifests, signatures, .. } = &kept;
        let component = UnverifiedComponent { bytes, digest: *digest, manifests, signatures };
        let signer = match self.demands(spec, source).verify(&component) {
            Ok(signer) => signer,
            Err(failure @ SourceFailure::Signature(_)) => return self.signed_anew(spec, source, eagerness, failure),
            Err(failure) => return Err(failure),
        };
        let Some(at) = kept.at else { return Ok(in_force(kept, signer, None)) };
        let age = Duration::from_secs(self.now.saturating_sub(at));
        if eagerness == Eagerness::Needed && age < source.refresh {
            return Ok(in_force(kept, signer, None));
        }
        match self.fetch(spec, source, &self.patience(eagerness, limits::oci::REFRESH_PATIENCE)) {
            Ok((arrived, signer)) => self.taken(spec, source, arrived, signer),
            Err(failure) if eagerness == Eagerness::Always => Err(failure),
            Err(failure) if age <= source.max_age => {
                let notice = not_refreshed(spec, source, &failure, age);
                Ok(in_force(kept, signer, Some(notice)))
            }
            Err(SourceFailure::Fetch { error, since: _ }) => {
                Err(SourceFailure::Fetch { error, since: Some((age, source.max_age)) })
            }
            Err(failure) => Err(failure),
        }
    }

    /// Asks again for what the cache has without a signature that counts: a digest does not name signatures, so that it
    /// may have been signed meanwhile. When it can't be asked, `failure` holds.
    fn signed_anew(
        &self,
        spec: &PolicySpec,
        source: &RemoteSource,
        eagerness: Eagerness,
        failure: SourceFailure,
    ) -> Result<Obtained, SourceFailure> {
        match self.fetch(spec, source, &self.patience(eagerness, limits::oci::PULL_PATIENCE)) {
            Ok((arrived, signer)) => self.taken(spec, source, arrived, signer),
            Err(SourceFailure::Fetch { error, .. }) if !error.is_wrong() => Err(failure),
            Err(newer) => Err(newer),
        }
    }

    const fn demands<'d>(&'d self, spec: &'d PolicySpec, source: &'d RemoteSource) -> Demands<'d> {
        Demands { spec, address: &source.address, rule: self.rule, now: self.now }
    }

    /// How long a source is waited for: a start has other policies, whoever asks ahead has not.
    fn patience(&self, eagerness: Eagerness, of_a_start: Duration) -> Deadline {
        match eagerness {
            Eagerness::Needed => self.deadline.share(of_a_start),
            Eagerness::Always => *self.deadline,
        }
    }

    /// Fetches a component, and verifies it. Returns who has signed it.
    fn fetch(
        &self,
        spec: &PolicySpec,
        source: &RemoteSource,
        patience: &Deadline,
    ) -> Result<(Arrived, Option<SafeText>), SourceFailure> {
        tracing::info!(policy = %spec.name, source = %source.address, "asking for a policy");
        let limit = spec.limits.component_size;
        let known = |digest: &Digest| self.cache.read(digest, limit);
        let forms = self.rule.map_or_else(Vec::new, LoadedRule::forms);
        let fetched = self.server.fetch(&source.address, spec, &forms, &known, patience);
        let arrived = fetched.map_err(|error| SourceFailure::Fetch { error: Box::new(error), since: None })?;
        let Arrived { component, digest, manifests, signatures, sent: _ } = &arrived;
        let component = UnverifiedComponent { bytes: component, digest: *digest, manifests, signatures };
        let signer = self.demands(spec, source).verify(&component)?;
        Ok((arrived, signer))
    }

    /// Keeps what has arrived and was verified.
    fn taken(
        &self,
        spec: &PolicySpec,
        source: &RemoteSource,
        arrived: Arrived,
        signer: Option<SafeText>,
    ) -> Result<Obtained, SourceFailure> {
        let unkept = self.keep(source, &arrived).err().map(|error| Notice {
            code: FETCHED_EACH_TIME,
            message: SafeText::new(&format!(
                "the policy `{}` was fetched for this start, and will be for the next: it can't be kept: {error}",
                spec.name
            )),
        });
        let Arrived { component, digest, manifests, signatures: _, sent } = arrived;
        let manifest = manifests.first().map(|manifest| manifest.digest);
        let is_kept = unkept.is_none();
        Ok(Obtained { bytes: component, digest, signer, manifest, is_kept, is_new: sent, notice: unkept })
    }

    fn keep(&self, source: &RemoteSource, arrived: &Arrived) -> std::io::Result<()> {
        let Arrived { component, digest, manifests, signatures, sent: _ } = arrived;
        let blobs = manifests.iter().map(|manifest| (manifest.digest, manifest.bytes.as_slice()));
        let signatures: Vec<_> = signatures.iter().map(|document| (document, Digest::of(&document.content))).collect();
        let of_signatures = signatures.iter().map(|(document, digest)| (*digest, document.content.as_slice()));
        let blobs = blobs.chain(of_signatures);
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
            signatures: signatures.iter().map(|(it, digest)| (it.form.suffix().to_owned(), *digest)).collect(),
            at: self.now,
        })
    }

    /// Finds the component in the cache: by the digests that are written down, else by the note about the source.
    fn kept(&self, spec: &PolicySpec, source: &RemoteSource) -> Option<Kept> {
        let limit = spec.limits.component_size;
        let kept = |digest: Digest, manifests, signatures, at| {
            Some(Kept { bytes: self.cache.read(&digest, limit)?, digest, manifests, signatures, at })
        };
        if let RemoteAddress::Oci(reference) = &source.address
            && let Some(digest) = reference.digest()
        {
            let (component, manifests) = self.led_to(digest, &reference.to_string())?;
            // The note counts for signatures alone, which prove themselves.
            let note = self.rule.and_then(|_| self.cache.sources().of(&source.address.to_string(), self.now));
            let signatures = note.map_or_else(Vec::new, |note| self.signatures(&note));
            return kept(component, manifests, signatures, None);
        }
        let note = self.cache.sources().of(&source.address.to_string(), self.now);
        if let Some(pin) = spec.pin {
            let note = note.filter(|note| note.component == pin);
            let manifests = note.as_ref().map_or_else(Vec::new, |note| self.manifests(note));
            let signatures = note.as_ref().map_or_else(Vec::new, |note| self.signatures(note));
            return kept(pin, manifests, signatures, None);
        }
        let note = note?;
        kept(note.component, self.manifests(&note), self.signatures(&note), Some(note.at))
    }

    /// The manifests of a note, as far as the cache has them.
    fn manifests(&self, note: &SourceNote) -> Vec<FetchedManifest> {
        let bytes = note.manifests.iter().map_while(|digest| self.cache.read(digest, limits::oci::MANIFEST));
        bytes.map(|bytes| FetchedManifest::of(bytes, None)).collect()
    }

    /// The signatures of a note, as far as the cache has them and somebody need to have signed.
    fn signatures(&self, note: &SourceNote) -> Vec<SignatureDocument> {
        let of_one = |(end, digest): &(String, Digest)| {
            let form = SignatureForm::ALL.into_iter().find(|form| form.suffix() == end)?;
            Some(server::signature(form, self.cache.read(digest, form.most())?))
        };
        self.rule.map_or_else(Vec::new, |_| note.signatures.iter().filter_map(of_one).collect())
    }

    /// Follows manifests of the cache from a digest to that of the component.
    fn led_to(&self, digest: &Digest, what: &str) -> Option<(Digest, Vec<FetchedManifest>)> {
        let first = FetchedManifest::of(self.cache.read(digest, limits::oci::MANIFEST)?, None);
        let Ok(chosen) = wasm::chosen(&first, what) else {
            return Some((wasm::layer_of(&first, what).ok()?.digest, vec![first]));
        };
        let second = FetchedManifest::of(self.cache.read(&chosen, limits::oci::MANIFEST)?, None);
        Some((wasm::layer_of(&second, what).ok()?.digest, vec![first, second]))
    }
}

fn in_force(kept: Kept, signer: Option<SafeText>, notice: Option<Notice>) -> Obtained {
    let Kept { bytes, digest, manifests, signatures: _, at: _ } = kept;
    let manifest = manifests.first().map(|manifest| manifest.digest);
    Obtained { bytes, digest, signer, manifest, is_kept: true, is_new: false, notice }
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
