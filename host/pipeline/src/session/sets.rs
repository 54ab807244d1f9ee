//! Where policy sets come from, and the folder in which they are remembered.
//!
//! `~/.mcp/seen.json` has what was seen, `~/.mcp/sets` a copy of each set that is in force, by its digest. The copies are
//! verified whenever they are read, and not in the cache: emptying that must not change the rules.

use std::ffi::OsString;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::UNIX_EPOCH;

use crate::System;
use crate::session::FOLDER;
use crate::sets::NotedSet;
use crate::sets::SetProblem;
use crate::sets::archive::ArrivedSet;
use crate::sets::archive::file_in;
use crate::sets::seen::SeenDocument;
use smcp_authority as authority;
use smcp_authority::Folder;
use smcp_authority::Guarded;
use smcp_config::set::PolicySetFacts;
use smcp_config::set::SetComponent;
use smcp_decide::Notice;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::limits::sets;
use smcp_model::lock;
use smcp_model::lock::Sharing;
use smcp_model::ownership::Owners;
use smcp_model::suspect::Suspect;
use smcp_model::text::SafeText;
use smcp_policy::Component;
use smcp_policy::Unreadable;
use smcp_store::access::StoreAccess;
use smcp_store::draft::FileDraft;

/// The file with what was seen, in `~/.mcp`.
const SEEN: &str = "seen.json";
/// The folder of the copies, in `~/.mcp`.
const COPIES: &str = "sets";
/// The file in the folder of the copies that is locked while something is noted.
const LOCK: &str = ".lock";
/// The end of a copy's name; the digest comes before it.
const COPY: &str = ".tar.gz";

/// Gets the archive of a set from where its layer says that it is, and returns who but its `owners` could have written it.
/// This is the only place where the bytes of sets arrive.
pub(crate) fn fetch(source: &Path, owners: Owners) -> (Result<ArrivedSet, SetProblem>, Vec<Suspect>) {
    let Guarded { bytes, suspects } = authority::read_guarded(source, sets::ARCHIVE, Folder::Any, owners);
    let arrived = bytes.map(ArrivedSet::new).map_err(|error| match error {
        authority::ReadError::TooLarge { .. } => SetProblem::Archive(SafeText::new(&error.to_string())),
        authority::ReadError::Io(_) | authority::ReadError::NotAFile => SetProblem::Unreachable(error.to_string()),
    });
    (arrived, suspects)
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
        let is_copy = |name: &OsString| name.to_str().is_some_and(is_copy);
        let has_copies = || authority::names(&path.join(COPIES)).is_ok_and(|names| names.iter().any(is_copy));
        let is_lost = seen.is_none() && (is_there || has_copies());
        // Without the file, nobody could have changed what was seen.
        let suspects = if is_there { suspects } else { Vec::new() };
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
                "~/.mcp/seen.json is lost or damaged, so which policy sets this machine has seen is not known any more; an \
                 older one is accepted once, unless it is below `minimum`",
            ),
        })
    }

    fn copy_path(&self, digest: Digest) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(COPIES).join(copy_name(digest)))
    }

    /// Whether there is a copy of a set. What is in it is known when it is read.
    pub(crate) fn has_copy(&self, digest: Digest) -> bool {
        self.copy_path(digest).is_some_and(|path| authority::exists(&path).is_ok_and(|there| there))
    }

    /// Returns the copy of a set, or why there is none.
    pub(crate) fn copy(&self, digest: Digest) -> Result<ArrivedSet, String> {
        let path = self.copy_path(digest).ok_or_else(|| "there is no place for copies: HOME is not set".to_owned())?;
        let bytes = authority::read_file(&path, sets::ARCHIVE)
            .map_err(|error| format!("its copy can't be read: {}: {error}", path.display()))?;
        let arrived = ArrivedSet::new(bytes);
        if arrived.digest() == digest {
            Ok(arrived)
        } else {
            Err(format!("its copy was changed: {} does not have the digest of its name", path.display()))
        }
    }

    /// Remembers what was seen at the time `now`. Returns a notice when that is not possible: an older set would not be
    /// noticed then. `clock` is what the clock says, by which files are dated.
    pub(crate) fn note(&mut self, changes: Vec<NotedSet>, now: u64, clock: u64) -> Option<Notice> {
        if changes.is_empty() && !self.is_lost {
            return None;
        }
        let noted = match self.folder.clone() {
            Some(folder) => self.write(&folder, changes, now, clock),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "HOME is not set")),
        };
        noted.err().map(|error| Notice {
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
        for NotedSet { seen: set, archive } in changes {
            if let Some(bytes) = archive {
                let mut draft = FileDraft::new(&copies, StoreAccess::Private)?;
                draft.write_all(&bytes)?;
                draft.keep(&copy_name(set.digest))?;
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
            let Some(name) = name.to_str().filter(|name| is_copy(name)) else { continue };
            let is_in_force = seen.sets.iter().any(|set| copy_name(set.digest) == name);
            let written = entry.metadata()?.modified()?.into_std().duration_since(UNIX_EPOCH).unwrap_or_default();
            let ends = written.saturating_add(sets::COPY_STAYS);
            if !is_in_force && ends < Duration::from_secs(clock) {
                copies.remove_file(name)?;
            }
        }
        self.seen = seen;
        Ok(())
    }
}

/// How long another smcp may take to note what it has seen.
fn patience() -> Deadline {
    Deadline::after(sets::LOCK)
}

fn copy_name(digest: Digest) -> String {
    format!("{}{COPY}", digest.hex())
}

fn is_copy(name: &str) -> bool {
    name.strip_suffix(COPY).is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
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
    let copy = system.home().map(|home| home.join(FOLDER).join(COPIES).join(copy_name(facts.digest)));
    let (places, archive): (Vec<_>, _) = (copy.into_iter().chain([facts.source.clone()]).collect(), facts.digest);
    let read = move || {
        let archives = places.iter().filter_map(|place| authority::read_file(place, sets::ARCHIVE).ok());
        let mut found = archives.filter_map(|bytes| file_in(&bytes, archive, &name));
        found.next().ok_or_else(|| Unreadable::Failed(format!("{name} of a policy set that was replaced meanwhile")))
    };
    Ok(Component::known(digest, size, std::sync::Arc::new(read)))
}
