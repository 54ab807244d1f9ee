//! Shared by this crate's tests: a registry, a cache, a source directory.

use std::io::Write as _;
use std::path::PathBuf;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use cap_std::fs::Permissions;
use cap_std::fs::PermissionsExt as _;

use crate::DirectoryRegistry;
use crate::PackageError;
use crate::PublishRequest;
use crate::Published;
use crate::RegistryClient as _;
use crate::fetch;
use crate::publish;
use smcp_model::deadline::Deadline;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Score;
use smcp_model::facts::SeverityCounts;
use smcp_model::facts::Status;
use smcp_model::ownership::Caller;
use smcp_model::package::ResolvedPackage;
use smcp_model::progress::Unwatched;
use smcp_model::registry::Registry;
use smcp_store::Cache;
use smcp_store::RunFolder;

/// The user who runs the tests.
pub(super) fn caller() -> Caller {
    Caller::new(nix::unistd::geteuid().as_raw(), || None)
}

/// A temporary folder with a registry and a cache, removed when dropped.
pub(super) struct Bed {
    temp: tempfile::TempDir,
    pub(super) root: Dir,
}

impl Bed {
    pub(super) fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let root = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        for name in ["registry", "cache"] {
            root.create_dir(name).unwrap();
            root.set_permissions(name, Permissions::from_mode(0o700)).unwrap();
        }
        Self { temp, root }
    }

    pub(super) fn registry(&self) -> DirectoryRegistry {
        let location = Registry::Directory(self.temp.path().join("registry"));
        DirectoryRegistry::new(self.root.open_dir("registry").unwrap(), location).unwrap()
    }

    pub(super) fn cache_path(&self) -> PathBuf {
        self.temp.path().join("cache")
    }

    /// Makes the folder of a new run, in the cache.
    pub(super) fn run_folder(&self) -> RunFolder {
        self.cache().runs().unwrap().folder().unwrap()
    }

    pub(super) fn cache(&self) -> Cache {
        Cache::new(self.root.open_dir("cache").unwrap(), &self.cache_path(), caller()).unwrap()
    }

    /// Makes a new directory with these files. A name that ends in a slash is a directory; `*` before a name makes the
    /// file executable.
    pub(super) fn source(&self, name: &str, files: &[(&str, &str)]) -> Dir {
        self.root.create_dir(name).unwrap();
        let dir = self.root.open_dir(name).unwrap();
        for (path, text) in files {
            let (path, mode) = path.strip_prefix('*').map_or((*path, 0o600), |path| (path, 0o711));
            if let Some((parent, _)) = path.rsplit_once('/') {
                dir.create_dir_all(parent).unwrap();
            }
            if !path.ends_with('/') {
                dir.write(path, text).unwrap();
                dir.set_permissions(path, Permissions::from_mode(mode)).unwrap();
            }
        }
        dir
    }

    /// Publishes a small package from a directory of its own, with every fact.
    pub(super) fn publish(&self, id: &str, version: &str) -> Published {
        let source = format!("source-{}-{version}", id.replace('/', "-"));
        let dir = self.source(&source, &[("manifest.json", &manifest(id, version)), ("server.py", version)]);
        publish(&self.registry(), &request(id, version, dir)).unwrap()
    }

    pub(super) fn fetch(&self, reference: &str) -> Result<ResolvedPackage, PackageError> {
        let (registry, deadline) = (self.registry(), Deadline::none());
        let resolution = registry.resolve(&reference.parse().unwrap(), &deadline)?;
        fetch(&registry, &self.cache(), &resolution, &deadline, &mut Unwatched)
    }

    /// Lists every file below a folder with its contents, except the marker of a cache.
    pub(super) fn files(&self, folder: &str) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        walk(&self.root.open_dir(folder).unwrap(), "", &mut found);
        found.retain(|(name, _)| name != "CACHEDIR.TAG");
        found.sort();
        found
    }
}

/// Adds every file below `dir` to `found`, with its path and contents.
pub(super) fn walk(dir: &Dir, path: &str, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in dir.entries().unwrap() {
        let entry = entry.unwrap();
        let name = format!("{path}{}", entry.file_name().display());
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.open_dir().unwrap(), &format!("{name}/"), found);
        } else {
            found.push((name, dir.read(entry.file_name()).unwrap()));
        }
    }
}

/// An author's manifest in the hub format.
pub(super) fn manifest(id: &str, version: &str) -> String {
    serde_json::json!({
        "schema_version": 1,
        "package": { "id": id, "version": version, "git_sha": "0123456789abcdef" },
        "runtime": { "type": "python" },
        "entrypoint": { "command": ["python3", "server.py"] },
    })
    .to_string()
}

/// A request with every fact.
pub(super) fn request(id: &str, version: &str, bundle_dir: Dir) -> PublishRequest {
    PublishRequest {
        id: id.parse().unwrap(),
        version: version.parse().unwrap(),
        bundle_dir,
        origin: Some("verified".to_owned()),
        cert_level: CertLevel::new(2_u8),
        score: Score::new(85_u8),
        findings: Some(SeverityCounts { critical: 0, high: 1, medium: 2, low: 3 }),
        status: Status::Published,
        exclude: Vec::new(),
        include_secrets: false,
    }
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
