//! A cache that another process empties while it is filled.

use std::io::Read;
use std::path::Path;
use std::time::UNIX_EPOCH;

use cap_std::fs::Dir;

use super::*;
use crate::Compilation;
use crate::SharedHost;
use crate::System;
use smcp_authority as authority;
use smcp_config::Config;
use smcp_config::Places;
use smcp_model::digest::Digest;
use smcp_model::exit::ExitKind;
use smcp_model::name::PackageId;
use smcp_model::progress::Unwatched;
use smcp_model::registry::Registry;
use smcp_model::statement::ArrivedStatements;
use smcp_registry::Artifact;
use smcp_registry::DirectoryRegistry;
use smcp_registry::PublishRequest;
use smcp_registry::publish;

/// A registry that empties the cache whenever it is asked for a file.
#[derive(Debug)]
struct Emptying {
    registry: DirectoryRegistry,
    cache: Dir,
}

impl RegistryClient for Emptying {
    fn resolve(&self, wanted: &PackageRef, deadline: &Deadline) -> Result<Resolution, PackageError> {
        self.registry.resolve(wanted, deadline)
    }

    fn artifact(
        &self,
        id: &PackageId,
        artifact: Artifact,
        digest: &Digest,
        deadline: &Deadline,
    ) -> Result<Box<dyn Read + '_>, PackageError> {
        empty(&self.cache);
        self.registry.artifact(id, artifact, digest, deadline)
    }

    fn statements(&self, resolution: &Resolution, deadline: &Deadline) -> Result<ArrivedStatements, PackageError> {
        self.registry.statements(resolution, deadline)
    }

    fn probe(&self, deadline: &Deadline) -> Result<(), PackageError> {
        self.registry.probe(deadline)
    }

    fn registry(&self) -> &Registry {
        self.registry.registry()
    }
}

/// Removes every file below a folder.
fn empty(dir: &Dir) {
    for entry in dir.entries().unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            empty(&entry.open_dir().unwrap());
        } else {
            entry.remove_file().unwrap();
        }
    }
}

fn published(root: &Path) -> DirectoryRegistry {
    let source = authority::create_dir(&root.join("source")).unwrap();
    let manifest = r#"{"schema_version": 1, "package": {"id": "acme/tool", "version": "1.0.0", "git_sha": "abc"},
        "runtime": {"type": "python"}, "entrypoint": {"command": ["python3", "server.py"]}}"#;
    source.write("manifest.json", manifest).unwrap();
    source.write("server.py", "pass").unwrap();
    let path = root.join("registry");
    let dir = authority::create_dir(&path).unwrap();
    let registry = DirectoryRegistry::new(dir, Registry::Directory(path)).unwrap();
    let request = PublishRequest {
        id: "acme/tool".parse().unwrap(),
        version: "1.0.0".parse().unwrap(),
        bundle_dir: source,
        origin: None,
        cert_level: None,
        score: None,
        findings: None,
        status: None,
        keep_facts: false,
        exclude: Vec::new(),
        include_secrets: false,
        source: None,
        attestation: None,
    };
    publish(&registry, &request).unwrap();
    registry
}

#[test]
fn a_cache_that_is_always_emptied_is_given_up() {
    let temp = tempfile::tempdir().unwrap();
    let places = Places {
        home: Some(temp.path().to_path_buf()),
        working_directory: temp.path().to_path_buf(),
        system_folder: temp.path().join("etc"),
    };
    let system = System {
        environment: Vec::new(),
        clock: || UNIX_EPOCH,
        caller: authority::caller(),
        stdin: || Err(io::ErrorKind::NotFound.into()),
        is_program: |_| None,
        read_head: |_| None,
        compilation: Compilation::InProcess,
        lasting: true,
        offline: false,
    };
    let session = Session::new(Config::unconfigured(&places), system, SharedHost::default());
    let registry = published(temp.path());
    session.cache().unwrap();
    let blobs = authority::create_dir(&session.config().cache_dir().unwrap().join("blobs")).unwrap();
    let deadline = Deadline::none();
    let resolution = registry.resolve(&"acme/tool@1.0.0".parse().unwrap(), &deadline).unwrap();
    let client = Box::new(Emptying { registry, cache: blobs });
    let resolved = Resolved { client, resolution, statements: None, at: 0, notice: None };
    let error = resolved.fetch(&session, &deadline, &mut Unwatched).unwrap_err();
    assert_eq!((error.code(), error.exit_kind()), ("cache-busy", ExitKind::Usage));
    assert_eq!(error.to_string(), "the cache is being emptied by somebody else; try again");
}
