//! What sources of policies that are elsewhere have given: notes in the cache.
//!
//! A note says which bytes a source gave, and when it was asked. The bytes are blobs like any other, verified when they are
//! read; a note is no approval, and is used only when this user or root wrote it and nobody else could have. The files are
//! `sources/<address>.json`, the address as SHA-256.

use std::io;
use std::io::Write as _;
use std::path::Path;

use cap_std::fs::Dir;
use serde::Deserialize;
use serde::Serialize;

use crate::access::StoreAccess;
use crate::draft;
use crate::draft::FileDraft;
use crate::draft::is_hex;
use crate::file::open_file;
use crate::folder::FolderGuard;
use crate::folder::first_unknown;
use smcp_model::bounded;
use smcp_model::digest::Digest;
use smcp_model::json;
use smcp_model::limits;
use smcp_model::ownership::Caller;
use smcp_model::ownership::Ownership;

/// The folder of the notes, in a cache.
pub(crate) const FOLDER: &str = "sources";
/// The end of the name of a note's file.
const SUFFIX: &str = ".json";
/// The schema of a note. A changed one gets another name, and then notes of this one count as absent.
const SCHEMA: &str = "smcp.source/1";

/// What a source has given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceNote {
    /// The source's address.
    pub address: String,
    /// The digest of the component.
    pub component: Digest,
    /// The digests of the manifests that led to it, the one that was asked for first; none for a file behind a URL.
    pub manifests: Vec<Digest>,
    /// The signatures that came with it: what the name of the file of each would end in, and the digest of its bytes.
    pub signatures: Vec<(String, Digest)>,
    /// When the source was asked with success, in seconds since the Unix epoch.
    pub at: u64,
}

impl SourceNote {
    /// Whether the source has given these bytes.
    pub fn names(&self, digest: &Digest) -> bool {
        self.component == *digest
            || self.manifests.contains(digest)
            || self.signatures.iter().any(|(_, signature)| signature == digest)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoteDocument {
    schema: String,
    address: String,
    component: String,
    manifests: Vec<String>,
    #[serde(default)]
    signatures: Vec<(String, String)>,
    asked_at: u64,
}

impl NoteDocument {
    fn of(note: &SourceNote) -> Self {
        let SourceNote { address, component, manifests, signatures, at } = note;
        Self {
            schema: SCHEMA.to_owned(),
            address: address.clone(),
            component: component.to_string(),
            manifests: manifests.iter().map(ToString::to_string).collect(),
            signatures: signatures.iter().map(|(end, digest)| (end.clone(), digest.to_string())).collect(),
            asked_at: *at,
        }
    }

    fn note(self) -> Option<SourceNote> {
        let Self { schema, address, component, manifests, signatures, asked_at } = self;
        let manifests = manifests.iter().map(|digest| digest.parse().ok()).collect::<Option<_>>()?;
        let signatures = signatures.into_iter().map(|(end, digest)| Some((end, digest.parse().ok()?)));
        let signatures = signatures.collect::<Option<_>>()?;
        let note = SourceNote { address, component: component.parse().ok()?, manifests, signatures, at: asked_at };
        (schema == SCHEMA).then_some(note)
    }
}

/// The notes of a cache.
#[derive(Debug)]
pub struct SourceNotes {
    root: Dir,
    guard: FolderGuard,
}

impl SourceNotes {
    /// The notes of the cache in `dir`, which is at `path`. Nothing is opened yet.
    pub(crate) fn new(dir: Dir, path: &Path, caller: Caller) -> Self {
        Self { root: dir, guard: FolderGuard::new(caller, path) }
    }

    fn folder(&self) -> io::Result<Option<Dir>> {
        self.guard.check(&self.root)?;
        Ok(self.guard.open(&self.root, FOLDER)?.map(|(folder, _)| folder))
    }

    /// Returns the note about a source; `None` when there is none that can be trusted, and is of the past.
    pub fn of(&self, address: &str, now: u64) -> Option<SourceNote> {
        let folder = self.folder().unwrap_or_else(|problem| {
            tracing::warn!(%problem, "the notes about sources are not used");
            None
        })?;
        let name = name_of(address);
        let latest = now.saturating_add(limits::CLOCK_TOLERANCE.as_secs());
        self.read(&folder, &name).filter(|note| note.address == address && note.at <= latest)
    }

    /// Keeps a note, in place of an earlier one of the same source.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn keep(&self, note: &SourceNote) -> io::Result<()> {
        self.guard.check(&self.root)?;
        let (folder, _) = self.guard.make(&self.root, FOLDER)?;
        let mut draft = FileDraft::new(&folder, StoreAccess::Private)?;
        serde_json::to_writer(&mut draft, &NoteDocument::of(note))?;
        writeln!(draft)?;
        draft.keep(&name_of(&note.address))
    }

    /// Lists the notes, up to [`limits::oci::NOTES_READ`].
    pub(crate) fn all(&self) -> io::Result<Vec<SourceNote>> {
        let Some(folder) = self.folder()? else { return Ok(Vec::new()) };
        let mut notes = Vec::new();
        for entry in folder.entries()?.take(limits::oci::NOTES_READ) {
            let Ok(name) = entry?.file_name().into_string() else { continue };
            if is_note(&name) {
                notes.extend(self.read(&folder, &name).filter(|note| name_of(&note.address) == name));
            }
        }
        Ok(notes)
    }

    /// Removes a note.
    pub(crate) fn remove(&self, note: &SourceNote) -> io::Result<()> {
        let Some(folder) = self.folder()? else { return Ok(()) };
        match folder.remove_file(name_of(&note.address)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn read(&self, folder: &Dir, name: &str) -> Option<SourceNote> {
        let read = || -> io::Result<Option<Vec<u8>>> {
            let Some(file) = open_file(folder, name)? else { return Ok(None) };
            let untrusted = |problem| io::Error::new(io::ErrorKind::PermissionDenied, problem);
            self.guard.caller().check(Ownership::from(&file.metadata()?)).map_err(untrusted)?;
            bounded::read_within(file, limits::oci::NOTE, 0)
        };
        match read() {
            Ok(bytes) => json::read::<NoteDocument>(&bytes?).ok()?.note(),
            Err(problem) => {
                tracing::warn!(%name, %problem, "a note about a source is not used");
                None
            }
        }
    }
}

/// Finds the first name in the folder that is not one of ours.
pub(crate) fn foreign(folder: &Dir) -> io::Result<Option<String>> {
    first_unknown(folder, |name| is_note(name) || draft::is_name(name))
}

fn is_note(name: &str) -> bool {
    name.strip_suffix(SUFFIX).is_some_and(|hex| is_hex(hex, 64))
}

fn name_of(address: &str) -> String {
    format!("{}{SUFFIX}", Digest::of(address.as_bytes()).hex())
}

#[cfg(test)]
mod tests {
    use cap_std::fs::PermissionsExt as _;

    use super::*;
    use smcp_bed::Bed;
    use smcp_bed::caller;

    #[test]
    fn a_note_is_kept_until_the_next_and_believed_only_if_it_is_ours() {
        let bed = Bed::with(["cache"]);
        let dir = bed.root.open_dir("cache").unwrap();
        let notes = SourceNotes::new(dir.try_clone().unwrap(), &bed.path("cache"), caller());
        let address = "oci://r.example/a:1";
        let note = SourceNote {
            address: address.to_owned(),
            component: Digest::of(b"x"),
            manifests: vec![Digest::of(b"m")],
            signatures: vec![("minisig".to_owned(), Digest::of(b"signature"))],
            at: 1000,
        };
        assert_eq!(notes.of(address, 2000), None);
        notes.keep(&note).unwrap();
        assert_eq!(notes.of(address, 2000), Some(note.clone()));
        assert_eq!(notes.all().unwrap(), std::slice::from_ref(&note));
        assert_eq!(notes.of("oci://r.example/a:2", 2000), None);
        assert_eq!(notes.of(address, 900), None, "it is from the future");
        assert!(note.names(&Digest::of(b"m")) && !note.names(&Digest::of(b"y")));
        let later = SourceNote { at: 1500, component: Digest::of(b"y"), ..note.clone() };
        notes.keep(&later).unwrap();
        assert_eq!(notes.of(address, 2000), Some(later.clone()));
        let file = format!("{FOLDER}/{}", name_of(address));
        dir.set_permissions(&file, cap_std::fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(notes.of(address, 2000), None, "others could have written it");
        dir.set_permissions(&file, cap_std::fs::Permissions::from_mode(0o600)).unwrap();
        for damaged in ["", "{}", "null"] {
            dir.write(&file, damaged).unwrap();
            assert_eq!((notes.of(address, 2000), notes.all().unwrap()), (None, Vec::new()), "{damaged}");
        }
        notes.remove(&later).unwrap();
        assert!(!dir.exists(&file));
        notes.remove(&later).unwrap();
    }
}
