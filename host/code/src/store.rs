//! Finds compiled code, and keeps it in the cache.
//!
//! A component whose file is not certainly ours is compiled again. That is never an error, and shown with `-v`.

use std::fmt;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::time::SystemTime;

use cap_std::fs::Dir;

use crate::entry;
use crate::entry::MacKey;
use crate::key;
use crate::system;
use smcp_model::digest::Digest;
use smcp_model::limits::compiling;
use smcp_model::ownership::Caller;
use smcp_model::policy::LayerName;
use smcp_model::text::SafeText;
use smcp_policy::CodeStore;
use smcp_policy::Kept;
use smcp_store::Cache;
use smcp_store::CompiledFiles;
use smcp_store::compiled;
use smcp_store::folder::FolderGuard;

/// The folders of a store, and how they are opened.
#[derive(Debug, Clone)]
pub struct CodePlaces {
    /// The cache; `None` when there is no place for it.
    pub cache: Option<PathBuf>,
    /// The folder of the key; `None` when there is no place for it.
    pub key: Option<PathBuf>,
    /// The user who runs smcp.
    pub caller: Caller,
    /// Opens a folder.
    pub open: fn(&Path) -> io::Result<Dir>,
    /// Opens a folder, and makes it if it is missing.
    pub make: fn(&Path) -> io::Result<Dir>,
    /// The clock.
    pub clock: fn() -> SystemTime,
}

/// A store in the user's cache, beside that of the system.
///
/// Nothing is opened before a component is looked for.
pub struct CompiledStore {
    places: CodePlaces,
    engine: Digest,
    own: Mutex<Option<Arc<Own>>>,
    system: OnceLock<Option<CompiledFiles>>,
    problem: Mutex<Option<SafeText>>,
}

/// The user's files and key.
struct Own {
    files: CompiledFiles,
    key: MacKey,
}

impl CompiledStore {
    /// A store in these places.
    pub fn new(places: CodePlaces) -> Self {
        let (own, system, problem) = (Mutex::default(), OnceLock::new(), Mutex::default());
        Self { places, engine: smcp_policy::engine_key(), own, system, problem }
    }

    /// The reason why compiled code could not be kept, so that the next start compiles again; `None` when all was kept.
    pub fn problem(&self) -> Option<SafeText> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The user's files, opened once; `None` when there are none.
    fn own(&self) -> Option<Arc<Own>> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if own.is_none() {
            *own = self.open().unwrap_or_else(|error| {
                tracing::info!(%error, "the compiled code in the cache is not used");
                None
            });
        }
        own.clone()
    }

    fn open(&self) -> io::Result<Option<Arc<Own>>> {
        let CodePlaces { cache: Some(cache), key: Some(folder), caller, open, .. } = &self.places else {
            return Ok(None);
        };
        let existing = |path: &Path| match open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        };
        let Some(dir) = existing(cache)? else { return Ok(None) };
        let Some(files) = CompiledFiles::open(&dir, &FolderGuard::new(*caller, cache))? else { return Ok(None) };
        let Some(dir) = existing(folder)? else { return Ok(None) };
        Ok(key::read(&dir, folder, *caller)?.map(|key| Arc::new(Own { files, key })))
    }

    /// The user's files, made if they are missing.
    fn make(&self) -> io::Result<Arc<Own>> {
        if let Some(own) = self.own() {
            return Ok(own);
        }
        let homeless = || io::Error::new(io::ErrorKind::NotFound, "there is no place for it: HOME is not set");
        let CodePlaces { cache, key, caller, make, .. } = &self.places;
        let (cache, folder) = (cache.as_ref().ok_or_else(homeless)?, key.as_ref().ok_or_else(homeless)?);
        let at = |path: &Path| {
            let path = path.display().to_string();
            move |error: io::Error| io::Error::new(error.kind(), format!("{path}: {error}"))
        };
        let dir = make(cache).map_err(at(cache))?;
        let files = Cache::new(dir, cache, *caller).map_err(io::Error::other)?.make_compiled().map_err(at(cache))?;
        let dir = make(folder).map_err(at(folder))?;
        let key = key::read_or_make(&dir, folder, *caller).map_err(at(&folder.join(key::FILE)))?;
        let made = Arc::new(Own { files, key });
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&made));
        Ok(made)
    }

    fn find_own(&self, component: Digest) -> Option<Kept> {
        let own = self.own()?;
        let found = open_file(&own.files, component, self.engine)?;
        let kept = take(&own.files, &found, own.key, component, self.engine)?;
        let used = found.used;
        let now = (self.places.clock)();
        if now.duration_since(used).is_ok_and(|age| age > compiling::RENEWED) {
            compiled::note_use(&found.file);
        }
        Some(kept)
    }

    fn find_systems(&self, component: Digest) -> Option<Kept> {
        let open = || (self.places.open)(Path::new("/")).ok().and_then(|root| system::open(&root, system::owner()));
        let files = self.system.get_or_init(open).as_ref()?;
        system::find(files, component, self.engine)
    }

    fn write(&self, component: Digest, kept: &Kept) -> io::Result<()> {
        self.write_to(&*self.make()?, component, kept)
    }

    fn write_to(&self, own: &Own, component: Digest, kept: &Kept) -> io::Result<()> {
        let fill =
            |draft: &mut smcp_store::draft::FileDraft<'_>| entry::write(draft, own.key, &component, &self.engine, kept);
        own.files.write(&component, &self.engine, fill)?;
        own.files.trim(compiling::STORE)
    }
}

impl CodeStore for CompiledStore {
    /// For a policy of an administrator's layer the system's files are asked first, for another one last.
    fn find(&self, digest: Digest, layer: LayerName) -> Option<Kept> {
        match layer {
            LayerName::System | LayerName::SystemSet | LayerName::Added | LayerName::AddedSet => {
                self.find_systems(digest).or_else(|| self.find_own(digest))
            }
            LayerName::User | LayerName::UserSet => self.find_own(digest).or_else(|| self.find_systems(digest)),
        }
    }

    fn keep(&self, digest: Digest, kept: &Kept) {
        match self.write(digest, kept) {
            Ok(()) => tracing::info!(%digest, "the compiled code is kept"),
            Err(error) => {
                tracing::info!(%digest, %error, "the compiled code can't be kept");
                let problem = SafeText::new(&error.to_string());
                self.problem.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(problem);
            }
        }
    }
}

/// An opened compiled file.
struct OpenedEntry {
    file: cap_std::fs::File,
    length: u64,
    used: SystemTime,
}

/// Looks for a component's code in files that are written with `key`.
pub(crate) fn look(files: &CompiledFiles, key: MacKey, component: Digest, engine: Digest) -> Option<Kept> {
    let found = open_file(files, component, engine)?;
    take(files, &found, key, component, engine)
}

fn open_file(files: &CompiledFiles, component: Digest, engine: Digest) -> Option<OpenedEntry> {
    let opened = files.file(&component, &engine).and_then(|file| {
        let Some(file) = file else { return Ok(None) };
        let metadata = file.metadata()?;
        let (length, used) = (metadata.len(), metadata.modified()?.into_std());
        Ok(Some(OpenedEntry { file, length, used }))
    });
    opened.unwrap_or_else(|error| {
        say(files, component, &error);
        None
    })
}

fn take(files: &CompiledFiles, found: &OpenedEntry, key: MacKey, component: Digest, engine: Digest) -> Option<Kept> {
    match entry::read(&found.file, found.length, key, &component, &engine) {
        Ok(Ok(kept)) => Some(kept),
        Ok(Err(unfit)) => {
            say(files, component, &unfit.reason());
            None
        }
        Err(error) => {
            say(files, component, &error);
            None
        }
    }
}

fn say(files: &CompiledFiles, component: Digest, why: &dyn fmt::Display) {
    tracing::info!(%component, folder = %files.path().display(), %why, "a compiled file is not used");
}

impl fmt::Debug for CompiledStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompiledStore").field("places", &self.places).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
