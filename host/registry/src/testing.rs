//! Shared by this crate's tests: a registry, a cache, a source directory.

use cap_std::fs::Dir;

use crate::DirectoryRegistry;
use crate::PackageError;
use crate::PublishRequest;
use crate::Published;
use crate::RegistryClient as _;
use crate::fetch;
use crate::publish;
use smcp_bed::Bed;
use smcp_bed::caller;
use smcp_model::deadline::Deadline;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Score;
use smcp_model::facts::SeverityCounts;
use smcp_model::facts::Status;
use smcp_model::package::ResolvedPackage;
use smcp_model::progress::Unwatched;
use smcp_model::registry::Registry;
use smcp_store::Cache;
use smcp_store::RunFolder;

/// A [`Bed`] with the folders `registry` and `cache`, and what is in them.
pub(super) trait RegistryBed {
    fn registry(&self) -> DirectoryRegistry;

    fn cache(&self) -> Cache;

    /// Makes the folder of a new run, in the cache.
    fn run_folder(&self) -> RunFolder;

    /// Publishes a small package from a directory of its own, with every fact.
    fn publish(&self, id: &str, version: &str) -> Published;

    fn fetch(&self, reference: &str) -> Result<ResolvedPackage, PackageError>;
}

impl RegistryBed for Bed {
    fn registry(&self) -> DirectoryRegistry {
        let location = Registry::Directory(self.path("registry"));
        DirectoryRegistry::new(self.root.open_dir("registry").unwrap(), location).unwrap()
    }

    fn cache(&self) -> Cache {
        Cache::new(self.root.open_dir("cache").unwrap(), &self.path("cache"), caller()).unwrap()
    }

    fn run_folder(&self) -> RunFolder {
        self.cache().runs().unwrap().folder().unwrap()
    }

    fn publish(&self, id: &str, version: &str) -> Published {
        let source = format!("source-{}-{version}", id.replace('/', "-"));
        let dir = self.source(&source, &[("manifest.json", &manifest(id, version)), ("server.py", version)]);
        publish(&self.registry(), &request(id, version, dir)).unwrap()
    }

    fn fetch(&self, reference: &str) -> Result<ResolvedPackage, PackageError> {
        let (registry, deadline) = (self.registry(), Deadline::none());
        let resolution = registry.resolve(&reference.parse().unwrap(), &deadline)?;
        fetch(&registry, &self.cache(), &resolution, &deadline, &mut Unwatched)
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
pub(super) fn request(id: &str, version: &str, bundle_dir: Dir) -> PublishRequest<'static> {
    PublishRequest {
        id: id.parse().unwrap(),
        version: version.parse().unwrap(),
        bundle_dir,
        origin: Some("verified".to_owned()),
        cert_level: CertLevel::new(2_u8),
        score: Score::new(85_u8),
        findings: Some(SeverityCounts { critical: 0, high: 1, medium: 2, low: 3 }),
        status: Some(Status::Published),
        keep_facts: false,
        exclude: Vec::new(),
        include_secrets: false,
        source: None,
        attestation: None,
    }
}
