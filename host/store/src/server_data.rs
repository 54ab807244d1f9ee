//! What servers keep between runs: one folder for each package of a registry.
//!
//! Each is `REGISTRY/ORG/NAME`. REGISTRY is the beginning of the digest of the registry's name, so that two packages with one
//! name don't share a folder; the name is in a file beside the organisations. A run locks the folder of its package, shared,
//! for its whole life: what is locked is not removed. The server writes to the last folder alone, so what is in there may be
//! anything.

use std::fs::File;
use std::io;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;

use cap_std::fs::Dir;
use cap_std::fs::MetadataExt as _;

use crate::access::StoreAccess;
use crate::draft::is_hex;
use crate::error::FolderPurpose;
use crate::error::RemovalTargetError;
use crate::error::StoreError;
use crate::file;
use crate::folder;
use crate::folder::FolderGuard;
use crate::removal::opened_up;
use crate::removal::remove_folder;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::lock;
use smcp_model::lock::Sharing;
use smcp_model::name::PackageId;
use smcp_model::name::PackageWord;
use smcp_model::ownership::Caller;
use smcp_model::registry::Registry;
use smcp_model::server_data::DataMeasure;
use smcp_model::server_data::DataRemoval;
use smcp_model::server_data::ServerData;
use smcp_model::size::ByteSize;
use smcp_model::text::SafeText;

/// The characters of a digest that tell a registry from others.
const DIGITS: usize = 16;
/// The file with the name of the registry. No organisation is called so: their names begin with a letter or digit.
const NAME: &str = ".registry";
/// The bytes that [`Metadata::blocks`](std::os::unix::fs::MetadataExt::blocks) counts in.
const BLOCK: u64 = 512;

/// The folder with what all servers keep.
#[derive(Debug)]
pub struct DataFolders {
    dir: Dir,
    guard: FolderGuard,
}

/// The folder of one package. While this lives, nobody removes it.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    // INVARIANT: the folder itself, locked, shared.
    _locked: File,
}

impl DataFolder {
    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl DataFolders {
    /// Takes the opened folder at the absolute `path`.
    ///
    /// # Errors
    /// When another user could change it.
    pub fn new(dir: Dir, path: &Path, caller: Caller) -> Result<Self, StoreError> {
        let guard = FolderGuard::new(caller, path);
        guard.check(&dir).map_err(FolderPurpose::Data.failed(path, "rely on it"))?;
        Ok(Self { dir, guard })
    }

    /// Opens the folder of a package, and makes it first if needed. Waits until the deadline while it is being removed.
    ///
    /// # Errors
    /// When it can't be made, when another user could change those above it, or when the deadline passes.
    pub fn folder(&self, registry: &Registry, id: &PackageId, by: &Deadline) -> Result<DataFolder, StoreError> {
        let failed = FolderPurpose::Data.failed(self.guard.path(), "make a folder in it");
        loop {
            if let Some(folder) = self.try_folder(registry, id, by).map_err(failed)? {
                return Ok(folder);
            }
        }
    }

    /// [`folder`](Self::folder); `None` when it was removed in the meantime.
    fn try_folder(&self, registry: &Registry, id: &PackageId, by: &Deadline) -> io::Result<Option<DataFolder>> {
        let (of_registry, guard) = self.guard.make(&self.dir, &digits_of(registry))?;
        if file::open_file(&of_registry, NAME)?.is_none() {
            of_registry.write(NAME, registry.to_string())?;
        }
        let opened = guard.make(&of_registry, id.org.as_str()).and_then(|(of_org, guard)| {
            folder::create(&of_org, id.name.as_str(), StoreAccess::Private)?;
            Ok((open_own(&of_org, id.name.as_str())?, guard.inside(id.name.as_str())))
        });
        let (dir, guard) = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let locked = lock::lock_by(dir.into_std_file(), Sharing::Shared, by)?;
        let is_there = lock::is_named(&locked)?;
        Ok(is_there.then(|| DataFolder { path: guard.path().to_path_buf(), _locked: locked }))
    }

    /// Returns what every server keeps, by package.
    ///
    /// # Errors
    /// When a folder above those of the servers can't be listed.
    pub fn entries(&self) -> Result<Vec<ServerData>, StoreError> {
        self.list().map_err(FolderPurpose::Data.failed(self.guard.path(), "list it"))
    }

    fn list(&self) -> io::Result<Vec<ServerData>> {
        let mut found = Vec::new();
        for digits in names(&self.dir)?.into_iter().filter(|name| is_hex(name, DIGITS)) {
            let Some((of_registry, guard)) = self.guard.open(&self.dir, &digits)? else { continue };
            let registry = registry_of(&of_registry);
            for org in names(&of_registry)?.iter().filter_map(|name| name.parse::<PackageWord>().ok()) {
                let Some((of_org, _)) = guard.open(&of_registry, org.as_str())? else { continue };
                for name in names(&of_org)?.iter().filter_map(|name| name.parse::<PackageWord>().ok()) {
                    let Ok(dir) = open_own(&of_org, name.as_str()) else { continue };
                    found.push(ServerData {
                        package: PackageId { org: org.clone(), name },
                        folder: digits.clone(),
                        registry: registry.clone(),
                        measure: measure(&dir),
                        in_use: !lock::try_lock(&dir.into_std_file(), Sharing::Exclusive)?,
                    });
                }
            }
        }
        found.sort_by(|one, other| (&one.package, &one.folder).cmp(&(&other.package, &other.folder)));
        Ok(found)
    }

    /// Removes what the servers of these packages keep, of all packages when the list is empty; of those from one registry
    /// when it is named. What a server that runs uses stays.
    ///
    /// # Errors
    /// [`RemovalTargetError`], before anything is removed; when something can't be removed, and what was removed before that
    /// is gone.
    pub fn remove(&self, packages: &[PackageId], of: Option<&Registry>) -> Result<DataRemoval, StoreError> {
        let digits = of.map(digits_of);
        let mut all = self.entries()?;
        all.retain(|entry| digits.as_ref().is_none_or(|digits| *digits == entry.folder));
        let mut doomed = Vec::new();
        for package in packages {
            let mut of_package: Vec<ServerData> = all.extract_if(.., |entry| entry.package == *package).collect();
            let Some(entry) = of_package.pop() else {
                if doomed.iter().any(|entry: &ServerData| entry.package == *package) {
                    continue;
                }
                return Err(RemovalTargetError::no_data(package, of).into());
            };
            if !of_package.is_empty() {
                let registries = of_package.iter().chain([&entry]).map(ServerData::registry).collect();
                return Err(RemovalTargetError::SeveralRegistries { package: package.clone(), registries }.into());
            }
            doomed.push(entry);
        }
        self.remove_all(if packages.is_empty() { all } else { doomed })
    }

    fn remove_all(&self, entries: Vec<ServerData>) -> Result<DataRemoval, StoreError> {
        let failed = FolderPurpose::Data.failed(self.guard.path(), "remove a folder of it");
        let mut removal = DataRemoval::default();
        for entry in entries {
            let is_gone = self.remove_one(&entry).map_err(failed)?;
            if is_gone { removal.removed.push(entry) } else { removal.in_use.push(entry) }
        }
        Ok(removal)
    }

    /// Whether nobody used it, so that it is gone.
    fn remove_one(&self, entry: &ServerData) -> io::Result<bool> {
        let (org, name) = (entry.package.org.as_str(), entry.package.name.as_str());
        let Some((of_registry, guard)) = self.guard.open(&self.dir, &entry.folder)? else { return Ok(true) };
        let Some((of_org, _)) = guard.open(&of_registry, org)? else { return Ok(true) };
        let locked = match open_own(&of_org, name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            opened => opened?.into_std_file(),
        };
        if !lock::try_lock(&locked, Sharing::Exclusive)? {
            return Ok(false);
        }
        remove_folder(&of_org, name)?;
        // Other packages of the organisation may be there, or come now.
        let _ = of_registry.remove_dir(org);
        Ok(true)
    }
}

/// Opens the folder of a package. Its server may have closed it to everybody, so that nobody would find what is in there.
fn open_own(of_org: &Dir, name: &str) -> io::Result<Dir> {
    match file::open_folder_itself(of_org, name) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => opened_up(of_org, name.as_ref()),
        opened => opened,
    }
}

fn digits_of(registry: &Registry) -> String {
    Digest::of(registry.to_string().as_bytes()).hex().chars().take(DIGITS).collect()
}

/// Reads which registry a folder belongs to.
fn registry_of(dir: &Dir) -> Option<SafeText> {
    let mut name = String::new();
    let file = file::open_file(dir, NAME).ok()??;
    file.take(limits::http::URL as u64).read_to_string(&mut name).ok()?;
    Some(SafeText::new(&name))
}

/// The names in a folder that are text.
fn names(dir: &Dir) -> io::Result<Vec<String>> {
    // A handle that is good for names only can't be listed.
    let entries = dir.read_dir(".")?;
    let names = entries.map(|entry| Ok(entry?.file_name().into_string().ok()));
    names.filter_map(io::Result::transpose).collect()
}

/// Measures what a server left in its folder. Links are not followed; what can't be read makes the result partial.
fn measure(dir: &Dir) -> DataMeasure {
    let mut found = DataMeasure::default();
    let mut seen = 0_usize;
    let mut todo = vec![PathBuf::from(".")];
    while let Some(folder) = todo.pop() {
        let Ok(entries) = dir.read_dir(&folder) else {
            found.is_partial = true;
            continue;
        };
        for entry in entries {
            seen = seen.saturating_add(1);
            let metadata = entry.and_then(|entry| Ok((entry.metadata()?, entry.file_name())));
            let (Ok((metadata, name)), true) = (metadata, seen <= limits::DATA_ENTRIES) else {
                found.is_partial = true;
                break;
            };
            let changed = u64::try_from(metadata.mtime()).unwrap_or_default();
            found.changed = found.changed.max(changed);
            found.size = ByteSize(found.size.0.saturating_add(metadata.blocks().saturating_mul(BLOCK)));
            if metadata.is_dir() {
                todo.push(folder.join(name));
            } else {
                found.files = found.files.saturating_add(1);
            }
        }
    }
    found
}
