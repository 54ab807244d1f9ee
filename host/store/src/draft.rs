//! A file that gets its name when it is complete.
//!
//! Any process that sees the name sees the whole file, and it is on the disk. Where the system allows it, a draft has no
//! name until then, so that a killed process leaves nothing. Elsewhere, and where a file without a name can't get one
//! later (no `/proc`, no hard links), it has a temporary name that housekeeping knows, and is renamed.

use std::hash::BuildHasher as _;
use std::hash::RandomState;
use std::io;
use std::io::Seek as _;
use std::io::Write;

use cap_std::fs::Dir;
use cap_std::fs::File;
use cap_std::fs::MetadataExt as _;
use cap_std::fs::OpenOptions;
use cap_std::fs::OpenOptionsExt as _;
use cap_std::fs::Permissions;
use cap_std::fs::PermissionsExt as _;
use cap_tempfile::TempFile;

use crate::access::StoreAccess;

/// The start of a draft's name; 16 hex digits follow.
const PREFIX: &str = ".draft-";
/// The mode bits with which the group and others may write.
const OTHERS_WRITE: u32 = 0o022;

/// An unfinished file in a folder; removed when dropped.
#[derive(Debug)]
pub struct FileDraft<'d> {
    folder: &'d Dir,
    access: StoreAccess,
    held: DraftFile<'d>,
}

#[derive(Debug)]
enum DraftFile<'d> {
    Nameless(TempFile<'d>),
    Named(NamedDraft<'d>),
}

impl<'d> FileDraft<'d> {
    /// Makes an empty draft; the finished file has the mode of `access`.
    pub fn new(folder: &'d Dir, access: StoreAccess) -> io::Result<Self> {
        let held = match TempFile::new(folder) {
            Ok(file) => DraftFile::Nameless(file),
            // Whatever the error: a file that can be made at all can be made with a name.
            Err(error) => {
                tracing::debug!(%error, "a file without a name can't be made here; it gets one at once");
                DraftFile::Named(NamedDraft::new(folder, access)?)
            }
        };
        let draft = Self { folder, access, held };
        // Done while the file is empty, so that no other user can open it and read the contents.
        restrict(draft.file(), access)?;
        Ok(draft)
    }

    /// The file itself.
    pub fn file(&self) -> &File {
        match &self.held {
            DraftFile::Nameless(file) => file.as_file(),
            DraftFile::Named(named) => &named.file,
        }
    }

    /// Gives the finished draft its name, atomically and durably. An existing file with that name is replaced.
    pub fn keep(mut self, name: &str) -> io::Result<()> {
        self.flush()?;
        self.file().sync_data()?;
        match self.held {
            DraftFile::Nameless(file) => {
                let handle = file.as_file().try_clone()?;
                if let Err(error) = file.replace(name) {
                    tracing::debug!(%error, "a file without a name can't be given one here; it is copied");
                    NamedDraft::copy(handle, self.folder, self.access)?.rename(name)?;
                }
            }
            DraftFile::Named(named) => named.rename(name)?,
        }
        sync(self.folder)
    }
}

impl Write for FileDraft<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.held {
            DraftFile::Nameless(file) => file.write(bytes),
            DraftFile::Named(named) => named.file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.held {
            DraftFile::Nameless(file) => file.flush(),
            DraftFile::Named(named) => named.file.flush(),
        }
    }
}

/// A draft with a temporary name.
#[derive(Debug)]
struct NamedDraft<'d> {
    folder: &'d Dir,
    file: File,
    /// The temporary name; `None` once the file has its final name.
    name: Option<String>,
}

impl<'d> NamedDraft<'d> {
    fn new(folder: &'d Dir, access: StoreAccess) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(access.file_mode());
        loop {
            let name = format!("{PREFIX}{:016x}", RandomState::new().hash_one(PREFIX));
            match folder.open_with(&name, &options) {
                Ok(file) => return Ok(Self { folder, file, name: Some(name) }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Copies a complete file, and makes the copy as durable.
    fn copy(mut source: File, folder: &'d Dir, access: StoreAccess) -> io::Result<Self> {
        let mut named = Self::new(folder, access)?;
        source.rewind()?;
        io::copy(&mut source, &mut named.file)?;
        named.file.sync_data()?;
        Ok(named)
    }

    fn rename(mut self, name: &str) -> io::Result<()> {
        if let Some(draft) = &self.name {
            self.folder.rename(draft, self.folder, name)?;
        }
        self.name = None;
        Ok(())
    }
}

impl Drop for NamedDraft<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name
            && let Err(error) = self.folder.remove_file(name)
        {
            tracing::debug!(%error, %name, "an unfinished file could not be removed");
        }
    }
}

/// Whether a name is that of a draft, of this version or an earlier one.
pub(crate) fn is_name(name: &str) -> bool {
    is_own(name) || is_uuid(name)
}

fn is_own(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|digits| is_hex(digits, 16))
}

/// Whether a name is one that `cap-tempfile` gives a file for a moment, before the final name.
fn is_uuid(name: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let parts: Vec<&str> = name.split('-').collect();
    parts.len() == lengths.len() && parts.iter().zip(lengths).all(|(part, length)| is_hex(part, length))
}

/// Whether a text consists of `length` lower-case hex digits.
pub(crate) fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Removes the permissions that `access` does not allow, whatever the umask. Where the file system has no permissions
/// (FAT, some shares), the ones that it shows are accepted, unless others may write.
fn restrict(file: &File, access: StoreAccess) -> io::Result<()> {
    let mode = file.metadata()?.mode() & 0o777;
    let wanted = mode & access.file_mode();
    if mode == wanted {
        return Ok(());
    }
    match file.set_permissions(Permissions::from_mode(wanted)) {
        Err(error) if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported) => {
            if file.metadata()?.mode() & OTHERS_WRITE == 0 { Ok(()) } else { Err(error) }
        }
        done => done,
    }
}

/// Makes the names in a folder durable, where the file system supports it.
fn sync(folder: &Dir) -> io::Result<()> {
    match folder.open(".")?.sync_all() {
        // Older network shares, shared folders of virtual machines and some FUSE file systems don't: only the file itself
        // is on the disk.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smcp_bed::Bed;

    fn names(dir: &Dir) -> Vec<String> {
        dir.entries().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_draft_becomes_the_file_with_or_without_a_name_of_its_own() {
        let bed = Bed::with([]);
        let dir = &bed.root;
        dir.write("plain", "").unwrap();
        let umask = 0o666 & !dir.metadata("plain").unwrap().mode();
        dir.remove_file("plain").unwrap();
        for (number, held) in [None, Some(())].into_iter().enumerate() {
            for access in [StoreAccess::Private, StoreAccess::Shared] {
                let mut draft = match held {
                    None => FileDraft::new(dir, access).unwrap(),
                    Some(()) => {
                        FileDraft { folder: dir, access, held: DraftFile::Named(NamedDraft::new(dir, access).unwrap()) }
                    }
                };
                draft.write_all(format!("{number}").as_bytes()).unwrap();
                draft.keep("file").unwrap();
                assert_eq!(names(dir), ["file"]);
                assert_eq!(dir.read_to_string("file").unwrap(), format!("{number}"));
                assert_eq!(dir.metadata("file").unwrap().mode() & 0o777, access.file_mode() & !umask);
            }
        }
    }

    #[test]
    fn a_copy_is_whole_and_what_is_dropped_is_gone() {
        let bed = Bed::with([]);
        let dir = &bed.root;
        let mut draft = FileDraft::new(dir, StoreAccess::Private).unwrap();
        draft.write_all(b"bytes").unwrap();
        let copy = NamedDraft::copy(draft.file().try_clone().unwrap(), dir, StoreAccess::Private).unwrap();
        assert!(names(dir).iter().any(|name| is_own(name)), "{:?}", names(dir));
        copy.rename("copy").unwrap();
        assert_eq!(dir.read_to_string("copy").unwrap(), "bytes");
        drop((draft, NamedDraft::new(dir, StoreAccess::Private).unwrap()));
        assert_eq!(names(dir), ["copy"]);
    }

    #[test]
    fn only_names_that_drafts_have_are_taken_for_drafts() {
        let bed = Bed::with([]);
        let dir = &bed.root;
        let named = NamedDraft::new(dir, StoreAccess::Private).unwrap();
        assert!(is_name(named.name.as_deref().unwrap()));
        for (name, expected) in [
            (".draft-0123456789abcdef", true),
            ("01234567-89ab-cdef-0123-456789abcdef", true),
            (".draft-0123456789abcde", false),
            (".draft-0123456789ABCDEF", false),
            (".draft-", false),
            ("draft-0123456789abcdef", false),
            (".tmp", false),
            ("01234567-89AB-cdef-0123-456789abcdef", false),
            ("0123456789abcdef0123456789abcdef", false),
            ("01234567-89ab-cdef-0123-456789abcdef-", false),
            ("photo.jpg", false),
            ("", false),
        ] {
            assert_eq!(is_name(name), expected, "{name}");
        }
    }
}
