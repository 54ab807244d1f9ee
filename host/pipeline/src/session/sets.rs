//! Where policy sets come from, and the folder in which they are remembered.
//!
//! `~/.mcp/seen.json` has what was seen, `~/.mcp/sets` a copy of each set that is in force, by its digest, with what proves
//! that it counts. The copies are verified whenever they are read, and not in the cache: emptying that must not change the
//! rules.

use std::ffi::OsString;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::time::UNIX_EPOCH;

use crate::PipelineError;
use crate::System;
use crate::session::FOLDER;
use crate::session::documents_beside;
use crate::sets::NotedSet;
use crate::sets::SetProblem;
use crate::sets::archive::ArrivedSet;
use crate::sets::archive::component_in;
use crate::sets::archive::file_in;
use crate::sets::proof::SetProof;
use crate::sets::seen::SeenDocument;
use crate::signed::SignerFile;
use smcp_authority as authority;
use smcp_authority::Folder;
use smcp_authority::Guarded;
use smcp_authority::GuardedReader;
use smcp_config::set::PolicySetFacts;
use smcp_config::set::SetComponent;
use smcp_decide::Notice;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::limits::sets;
use smcp_model::lock;
use smcp_model::lock::Sharing;
use smcp_model::ownership::Owners;
use smcp_model::signer::SignedBy;
use smcp_model::source::SetSource;
use smcp_model::suspect::Suspect;
use smcp_model::text::SafeText;
use smcp_policy::Component;
use smcp_policy::Unreadable;
use smcp_signature::LoadedRule;
use smcp_signature::SignatureForm;
use smcp_store::access::StoreAccess;
use smcp_store::draft::FileDraft;

/// The file with what was seen, in `~/.mcp`.
pub(super) const SEEN: &str = "seen.json";
/// The folder of the copies, in `~/.mcp`.
pub(super) const COPIES: &str = "sets";
/// The file in the folder of the copies that is locked while something is noted.
pub(super) const LOCK: &str = ".lock";
/// The end of a copy's name; the digest comes before it.
const COPY: &str = ".tar.gz";
/// The end of the name of what proves that a copy counts.
const PROOF: &str = ".json";

/// Reads the archive of a set and the signatures beside it, and returns who but its `owners` could have written it. Nobody
/// could have made signatures that fit.
pub(crate) fn read_file(
    source: &Path,
    forms: &[SignatureForm],
    owners: Owners,
) -> (Result<ArrivedSet, SetProblem>, Vec<Suspect>) {
    let Guarded { bytes, suspects } = authority::read_guarded(source, sets::ARCHIVE, Folder::Any, owners);
    let arrived = bytes.map_err(|error| match error {
        authority::ReadError::TooLarge { .. } => SetProblem::Archive(SafeText::new(&error.to_string())),
        authority::ReadError::Io(_) | authority::ReadError::NotAFile => SetProblem::Unreachable(error.to_string()),
    });
    let proof = SetProof { manifest: None, signatures: documents_beside(source, forms) };
    (arrived.map(|bytes| ArrivedSet::new(bytes, proof)), suspects)
}

/// Reads the files that the rule about a set names, and returns who but its `owners` could have written them.
///
/// # Errors
/// [`PipelineError::SignerFile`] when one can't be used.
pub(crate) fn read_rule(signed_by: &SignedBy, owners: Owners) -> (Result<LoadedRule, PipelineError>, Vec<Suspect>) {
    let (mut reader, mut suspects) = (GuardedReader::default(), Vec::new());
    let rule = LoadedRule::load(signed_by, &mut |file, limit| {
        let found = reader.read(file, limit, Folder::Any, owners);
        suspects.extend(found.suspects);
        let why = |error: authority::ReadError| SignerFile { file: file.to_owned(), why: error.to_string() };
        found.bytes.map_err(|error| PipelineError::SignerFile(why(error)))
    });
    (rule, suspects)
}

/// What this user's smcp remembers of sets.
#[derive(Debug)]
pub(crate) struct SetMemory {
    /// `~/.mcp`; `None` when there is no home.
    folder: Option<PathBuf>,
    seen: SeenDocument,
    /// Whether something was seen once, and is not known any more.
    is_lost: bool,
}

impl SetMemory {
    /// Reads what was seen, and returns who else could have written it.
    pub(crate) fn open(system: &System) -> (Self, Vec<Suspect>) {
        let folder = system.home().map(|home| home.join(FOLDER));
        let Some(path) = folder.as_ref() else {
            return (Self { folder, seen: SeenDocument::default(), is_lost: false }, Vec::new());
        };
        let Guarded { bytes, suspects } =
            authority::read_guarded(&path.join(SEEN), sets::SEEN, Folder::Own, Owners::CallerOrRoot);
        let is_there = !bytes.as_ref().is_err_and(authority::ReadError::is_missing);
        let seen = bytes.ok().and_then(|bytes| SeenDocument::parse(&bytes));
        let is_copy = |name: &OsString| name.to_str().is_some_and(|name| copy_of(name).is_some());
        let has_copies = || authority::names(&path.join(COPIES)).is_ok_and(|names| names.iter().any(is_copy));
        let is_lost = seen.is_none() && (is_there || has_copies());
        // Without the folder, nobody could have changed what was seen. In one of others, the file could have been removed.
        let is_made = is_there || authority::exists(path).unwrap_or(true);
        let suspects = if is_made { suspects } else { Vec::new() };
        (Self { folder, seen: seen.unwrap_or_default(), is_lost }, suspects)
    }

    /// What was seen.
    pub(crate) const fn seen(&self) -> &SeenDocument {
        &self.seen
    }

    /// Returns the notice that what was seen is not known any more. It is said once, because a new file is written then.
    pub(crate) fn lost(&self) -> Option<Notice> {
        self.is_lost.then(|| Notice {
            code: "set-memory-lost",
            message: SafeText::new(
                "~/.mcp/seen.json is lost or damaged, so which policy sets and signed statements this machine has seen is \
                 not known any more; an older one is accepted once, unless it is below `minimum`",
            ),
        })
    }

    fn copy_path(&self, digest: Digest) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(COPIES).join(copy_name(digest)))
    }

    /// Returns what proves that the copy of a set counts, as far as that was kept.
    pub(crate) fn proof(&self, digest: Digest) -> SetProof {
        let path = self.folder.as_ref().map(|folder| folder.join(COPIES).join(proof_name(digest)));
        let bytes = path.and_then(|path| authority::read_file(&path, sets::PROOF).ok());
        bytes.map_or_else(SetProof::default, |bytes| SetProof::parse(&bytes))
    }

    /// Returns the copy of a set, or why there is none.
    pub(crate) fn copy(&self, digest: Digest) -> Result<ArrivedSet, String> {
        let path = self.copy_path(digest).ok_or_else(|| "there is no place for copies: HOME is not set".to_owned())?;
        let bytes = authority::read_file(&path, sets::ARCHIVE)
            .map_err(|error| format!("its copy can't be read: {}: {error}", path.display()))?;
        let arrived = ArrivedSet::new(bytes, self.proof(digest));
        if arrived.digest() == digest {
            Ok(arrived)
        } else {
            Err(format!("its copy was changed: {} does not have the digest of its name", path.display()))
        }
    }

    /// Remembers what was seen at the time `now`, and now and then the time alone: a clock that is set back must not make
    /// younger what nobody could look at. Returns a notice when that is not possible: an older set would not be
    /// noticed then. `clock` is what the clock says, by which files are dated.
    pub(crate) fn note(&mut self, changes: Vec<NotedSet>, now: u64, clock: u64) -> Option<Notice> {
        let is_time_alone = changes.is_empty() && !self.is_lost;
        let is_recent = now.saturating_sub(self.seen.time) < sets::TIME_NOTED.as_secs();
        if is_time_alone && (self.seen.sets.is_empty() || is_recent) {
            return None;
        }
        let noted = match self.folder.clone() {
            Some(folder) => self.write(&folder, changes, now, clock),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "HOME is not set")),
        };
        let error = noted.err()?;
        if is_time_alone {
            // Everything that was seen is known still.
            tracing::warn!(%error, "the time of the last start can't be kept");
            return None;
        }
        Some(Notice {
            code: "set-not-remembered",
            message: SafeText::new(&format!(
                "what was seen of policy sets can't be kept, so an older one would not be noticed: {error}"
            )),
        })
    }

    fn write(&mut self, folder: &Path, changes: Vec<NotedSet>, now: u64, clock: u64) -> io::Result<()> {
        let dir = authority::create_dir(folder)?;
        let copies = authority::create_dir(&folder.join(COPIES))?;
        // One smcp at a time: what another one has noted meanwhile must not be lost.
        let locked = lock::lock_by(copies.create(LOCK)?.into_std(), Sharing::Exclusive, &patience());
        let _locked = locked.map_err(io::Error::from)?;
        let found = authority::read_file(&folder.join(SEEN), sets::SEEN).ok();
        let mut seen = found.and_then(|bytes| SeenDocument::parse(&bytes)).unwrap_or_default();
        // What was in force until now may just be read by another smcp, so it stays for a time.
        let before: Vec<_> = seen.sets.iter().map(|set| set.digest.hex()).collect();
        for NotedSet { seen: set, archive, proof } in changes {
            let proof = proof.map(|text| (proof_name(set.digest), Arc::new(text.into_bytes())));
            for (name, bytes) in proof.into_iter().chain(archive.map(|bytes| (copy_name(set.digest), bytes))) {
                let mut draft = FileDraft::new(&copies, StoreAccess::Private)?;
                draft.write_all(&bytes)?;
                draft.keep(&name)?;
            }
            seen.note(set);
        }
        seen.time = seen.time.max(now);
        let mut draft = FileDraft::new(&dir, StoreAccess::Private)?;
        draft.write_all(seen.text().as_bytes())?;
        draft.keep(SEEN)?;
        for entry in copies.entries()? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let Some(hex) = copy_of(name).or_else(|| hex_before(name, PROOF)) else { continue };
            if seen.sets.iter().any(|set| set.digest.hex() == hex) {
                continue;
            }
            let clock = Duration::from_secs(clock);
            if before.iter().any(|it| *it == hex) {
                // Its time begins now.
                copies.open(name)?.into_std().set_modified(UNIX_EPOCH + clock)?;
                continue;
            }
            let ended = entry.metadata()?.modified()?.into_std().duration_since(UNIX_EPOCH).unwrap_or_default();
            if ended.saturating_add(sets::COPY_STAYS) < clock {
                copies.remove_file(name)?;
            }
        }
        self.seen = seen;
        Ok(())
    }
}

/// How long another smcp may take to note what it has seen.
pub(super) fn patience() -> Deadline {
    Deadline::after(sets::LOCK)
}

fn copy_name(digest: Digest) -> String {
    format!("{}{COPY}", digest.hex())
}

fn proof_name(digest: Digest) -> String {
    format!("{}{PROOF}", digest.hex())
}

/// Returns the digest in the name of a copy.
fn copy_of(name: &str) -> Option<&str> {
    hex_before(name, COPY)
}

fn hex_before<'n>(name: &'n str, end: &str) -> Option<&'n str> {
    let is_hex = |hex: &&str| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    name.strip_suffix(end).filter(is_hex)
}

/// Returns a component of a set that was read before. Its bytes are read again, from the copy or from the source, when its
/// code was not kept.
pub(crate) fn component(
    system: &System,
    facts: &PolicySetFacts,
    component: &SetComponent,
    most: usize,
) -> Result<Component, Unreadable> {
    let SetComponent { name, digest, size } = component.clone();
    if size > most {
        return Err(Unreadable::TooLarge { limit: most, size: u64::try_from(size).ok() });
    }
    Ok(Component::known(digest, size, Arc::new(reader(system, facts, name))))
}

/// Returns what reads a component of a set again.
pub(crate) fn reader(
    system: &System,
    facts: &PolicySetFacts,
    name: String,
) -> impl Fn() -> Result<Vec<u8>, Unreadable> + Send + Sync + 'static {
    let archive = facts.arrival.digest;
    let copy = system.home().map(|home| home.join(FOLDER).join(COPIES).join(copy_name(archive)));
    let source = match &facts.arrival.source {
        SetSource::File(path) => Some(path.clone()),
        SetSource::Remote(_) => None,
    };
    let (places, held): (Vec<_>, _) = (copy.into_iter().chain(source).collect(), facts.held.clone());
    move || {
        let archives = places.iter().filter_map(|place| authority::read_file(place, sets::ARCHIVE).ok().map(Arc::new));
        let mut found = held.iter().cloned().chain(archives).filter_map(|bytes| file_in(&bytes, archive, &name));
        found.next().ok_or_else(|| Unreadable::Failed(format!("{name} of a policy set that was replaced meanwhile")))
    }
}

/// Returns the component with a digest in the copy of a set; `None` when there is no such copy any more.
pub(crate) fn archived(system: &System, archive: Digest, component: Digest) -> Option<Vec<u8>> {
    let copy = system.home()?.join(FOLDER).join(COPIES).join(copy_name(archive));
    component_in(&authority::read_file(&copy, sets::ARCHIVE).ok()?, archive, component)
}
