//! The folder of compiled code in a cache: `compiled/<component>-<engine>`.
//!
//! It knows names, sizes and times of files, and not what is in them: `smcp-code` reads and writes them.

use std::io;
use std::path::Path;

use cap_std::fs::Dir;
use cap_std::fs::File;
use cap_std::fs::MetadataExt as _;
use cap_std::fs::OpenOptions;
use cap_std::fs::OpenOptionsExt as _;
use nix::fcntl::OFlag;

use crate::access::StoreAccess;
use crate::blobs::touch;
use crate::draft;
use crate::draft::FileDraft;
use crate::draft::is_hex;
use crate::folder::FolderGuard;
use crate::folder::first_unknown;
use smcp_model::cache::CacheEntry;
use smcp_model::cache::CacheKind;
use smcp_model::digest::Digest;
use smcp_model::ownership::Caller;
use smcp_model::ownership::Ownership;
use smcp_model::size::ByteSize;

/// The folder of the code, in a cache.
pub(crate) const FOLDER: &str = "compiled";
/// Hex digits that stand for an engine in a name: enough to keep engines apart, and what is in a file says the rest.
const ENGINE: usize = 16;

/// The compiled files of a cache, or of the system.
#[derive(Debug)]
pub struct CompiledFiles {
    folder: Dir,
    guard: FolderGuard,
    access: StoreAccess,
}

/// One of the files, without its contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompiledFile {
    /// The digest of the component that it was compiled from; `None` for an unfinished file.
    pub component: Option<Digest>,
    /// Whether it is a regular file.
    pub is_file: bool,
    /// Its length, bytes.
    pub size: u64,
    /// The time of its last use, in seconds since the Unix epoch.
    pub modified: u64,
    name: String,
}

impl CompiledFile {
    /// Its entry in a list of the cache; `None` for an unfinished one.
    pub(crate) fn entry(&self) -> Option<CacheEntry> {
        Some(CacheEntry {
            digest: self.component?,
            kind: if self.is_file { CacheKind::Compiled } else { CacheKind::Foreign },
            size: ByteSize(self.size),
            last_used: self.modified,
            packages: Vec::new(),
        })
    }

    /// Whether an entry of a list is this file, or one that can't be told from it.
    pub(crate) fn is(&self, entry: &CacheEntry) -> bool {
        self.entry().is_some_and(|own| own == *entry)
    }
}

impl CompiledFiles {
    /// Opens the files in the cache `cache`, whose folder is checked by `guard`; `None` when there is no folder of them.
    ///
    /// # Errors
    /// When the folder can't be opened, or another user could change it.
    pub fn open(cache: &Dir, guard: &FolderGuard) -> io::Result<Option<Self>> {
        guard.check(cache)?;
        let opened = guard.open(cache, FOLDER)?;
        Ok(opened.map(|(folder, guard)| Self { folder, guard, access: StoreAccess::Private }))
    }

    /// Does the same, and makes the folder first if needed.
    ///
    /// # Errors
    /// When it can't be made or opened, or another user could change it.
    pub fn make(cache: &Dir, guard: &FolderGuard) -> io::Result<Self> {
        guard.check(cache)?;
        let (folder, guard) = guard.make(cache, FOLDER)?;
        Ok(Self { folder, guard, access: StoreAccess::Private })
    }

    /// The files in the folder itself, which every user may read and `owner` alone write.
    pub const fn shared(folder: Dir, guard: FolderGuard) -> Self {
        Self { folder, guard, access: StoreAccess::Readable }
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        self.guard.path()
    }

    /// The user on whose behalf files are checked.
    pub const fn caller(&self) -> Caller {
        self.guard.caller()
    }

    /// Opens a file, and checks through its descriptor that nobody else could have written it. Never waits, and follows no
    /// link; `None` when there is none.
    ///
    /// # Errors
    /// When it can't be opened, or is not to be trusted.
    pub fn file(&self, component: &Digest, engine: &Digest) -> io::Result<Option<File>> {
        let mut options = OpenOptions::new();
        options.read(true).custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW).bits());
        let file = match self.folder.open_with(file_name(component, engine), &options) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        self.guard.caller().check(Ownership::from(&found)).map_err(io::Error::other)?;
        Ok(Some(file))
    }

    /// Writes a file: `fill` writes into a draft, which gets its name when it is whole.
    ///
    /// # Errors
    /// Those of `fill`; when it can't be written.
    pub fn write(
        &self,
        component: &Digest,
        engine: &Digest,
        fill: impl FnOnce(&mut FileDraft<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut draft = FileDraft::new(&self.folder, self.access)?;
        fill(&mut draft)?;
        let name = file_name(component, engine);
        // A folder in its place can't be replaced, and is not ours.
        draft.keep(&name)
    }

    /// Lists the files whose names smcp made.
    ///
    /// # Errors
    /// When the folder can't be listed.
    pub fn list(&self) -> io::Result<Vec<CompiledFile>> {
        let mut files = Vec::new();
        for entry in self.folder.entries()? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let component = component_of(&name);
            if component.is_none() && !draft::is_name(&name) {
                continue;
            }
            let metadata = match entry.metadata() {
                // Removed meanwhile by another process.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata?,
            };
            files.push(CompiledFile {
                component,
                is_file: metadata.is_file(),
                size: metadata.len(),
                modified: u64::try_from(metadata.mtime()).unwrap_or_default(),
                name,
            });
        }
        Ok(files)
    }

    /// Removes a listed file, or an empty folder in its place.
    ///
    /// # Errors
    /// When it can't be removed.
    pub fn remove(&self, file: &CompiledFile) -> io::Result<()> {
        let removed = match self.folder.remove_file(&file.name) {
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => self.folder.remove_dir(&file.name),
            removed => removed,
        };
        match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    /// Removes the files that were used longest ago, until the rest has at most `most` bytes.
    ///
    /// # Errors
    /// When the folder can't be listed, or a file can't be removed.
    pub fn trim(&self, most: u64) -> io::Result<()> {
        let mut files: Vec<_> = self.list()?.into_iter().filter(|file| file.component.is_some()).collect();
        files.sort_by_key(|file| std::cmp::Reverse(file.modified));
        let mut total: u64 = 0;
        for file in files {
            total = total.saturating_add(file.size);
            if total > most {
                tracing::info!(file = file.name, "compiled code that was used longest ago is removed");
                self.remove(&file)?;
            }
        }
        Ok(())
    }
}

/// Notes that a file was used, for [`CompiledFiles::trim`].
pub fn note_use(file: &File) {
    touch(file);
}

/// Finds the first name in the folder that is not one of ours.
pub(crate) fn foreign(folder: &Dir) -> io::Result<Option<String>> {
    first_unknown(folder, |name| component_of(name).is_some() || draft::is_name(name))
}

fn file_name(component: &Digest, engine: &Digest) -> String {
    let mut engine = engine.hex();
    engine.truncate(ENGINE);
    format!("{}-{engine}", component.hex())
}

/// The component in a name, if it is the name of a compiled file.
fn component_of(name: &str) -> Option<Digest> {
    let (component, engine) = name.split_once('-')?;
    (is_hex(component, 64) && is_hex(engine, ENGINE)).then(|| format!("sha256:{component}").parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_component_and_engine() {
        let (component, engine) = (Digest::of(b"component"), Digest::of(b"engine"));
        let name = file_name(&component, &engine);
        assert_eq!(component_of(&name), Some(component));
        assert_ne!(name, file_name(&component, &Digest::of(b"another")));
        for other in
            ["", "-", "photo.jpg", &name[1..], &name[..name.len() - 1], &name.to_uppercase(), &format!("{name}0")]
        {
            assert_eq!(component_of(other), None, "{other}");
        }
    }
}
