//! Tests of fetching: only the files that were asked for are accepted.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use super::*;
use crate::testing::RegistryBed as _;
use crate::testing::manifest;
use smcp_bed::Bed;
use smcp_model::exit::ExitKind;
use smcp_model::facts::Facts;
use smcp_model::limits;
use smcp_model::name::PackageId;
use smcp_model::progress::Unwatched;
use smcp_model::registry::Registry;
use smcp_model::statement::ArrivedStatements;

/// A registry that returns the same files, whatever the request.
#[derive(Debug)]
struct Fake {
    location: Registry,
    manifest: Vec<u8>,
    bundle: fn() -> Box<dyn Read>,
}

impl RegistryClient for Fake {
    fn resolve(&self, _: &smcp_model::package::PackageRef, _: &Deadline) -> Result<Resolution, PackageError> {
        unreachable!("these tests begin after it")
    }

    fn artifact(
        &self,
        _: &PackageId,
        artifact: Artifact,
        _: &Digest,
        _: &Deadline,
    ) -> Result<Box<dyn Read + '_>, PackageError> {
        Ok(match artifact {
            Artifact::Manifest => Box::new(self.manifest.as_slice()),
            Artifact::Bundle => (self.bundle)(),
        })
    }

    fn statements(&self, _: &Resolution, _: &Deadline) -> Result<ArrivedStatements, PackageError> {
        Ok(ArrivedStatements::default())
    }

    fn probe(&self, _: &Deadline) -> Result<(), PackageError> {
        Ok(())
    }

    fn registry(&self) -> &Registry {
        &self.location
    }
}

fn fake(manifest: &str) -> Fake {
    Fake {
        location: Registry::from_text("https://registry.example", Path::new("/"), None).unwrap(),
        manifest: manifest.as_bytes().to_vec(),
        bundle: || Box::new(&b"bundle"[..]),
    }
}

fn answer(client: &Fake) -> Resolution {
    Resolution {
        id: "acme/tool".parse().unwrap(),
        version: "1.0.0".parse().unwrap(),
        registry: client.location.clone(),
        facts: Facts { git_sha: Some(SafeText::new("0123456789")), ..Facts::default() },
        manifest_digest: Digest::of(&client.manifest),
        bundle_digest: Digest::of(b"bundle"),
        bundle_size: Some(6),
        image_digest: None,
    }
}

fn blobs(bed: &Bed) -> usize {
    bed.files("cache").len()
}

#[test]
fn identity_is_checked_against_the_answer() {
    let with = |path: &str, value: Value| {
        let mut document: Value = serde_json::from_str(&manifest("acme/tool", "1.0.0")).unwrap();
        document["bundle"] = json!({ "digest": Digest::of(b"bundle"), "size_bytes": 6 });
        if let Some(place) = document.pointer_mut(path) {
            *place = value;
        }
        document.to_string()
    };
    let cases = [
        ("/none", json!(null), None),
        ("/package/git_sha", json!("0123456"), None),
        ("/package/git_sha", json!(""), None),
        ("/package/git_sha", json!("012345"), Some("`package.git_sha`")),
        ("/package/git_sha", json!("fedcba9876543210"), Some("`package.git_sha`")),
        ("/package/id", json!("acme/other"), Some("`package.id`")),
        ("/package/id", json!("Acme/tool"), Some("`package.id`")),
        ("/package/version", json!("1.0.1"), Some("`package.version`")),
        ("/bundle/digest", json!(Digest::of(b"other")), Some("`bundle.digest`")),
        ("/bundle/size_bytes", json!(7), Some("size in the manifest")),
    ];
    for (path, value, problem) in cases {
        let (bed, client) = (Bed::with(["registry", "cache"]), fake(&with(path, value.clone())));
        let result = fetch(&client, &bed.cache(), &answer(&client), &Deadline::none(), &mut Unwatched);
        match (result, problem) {
            (Ok(package), None) => assert_eq!((package.label().as_str(), package.bundle_size), ("acme/tool@1.0.0", 6)),
            (Err(error), Some(problem)) => {
                assert_eq!((error.code(), error.exit_kind()), ("identity-mismatch", ExitKind::Integrity));
                assert!(error.to_string().contains(problem), "{path} = {value}: {error}");
            }
            (result, _) => panic!("{path} = {value}: {result:?}"),
        }
    }
    let (bed, client) = (Bed::with(["registry", "cache"]), fake(&manifest("acme/tool", "1.0.0")));
    let resolution = Resolution { bundle_size: Some(5), ..answer(&client) };
    let error = fetch(&client, &bed.cache(), &resolution, &Deadline::none(), &mut Unwatched).unwrap_err();
    assert!(error.to_string().contains("size in the registry's answer"), "{error}");
}

#[test]
fn bytes_that_are_not_those_of_the_digest_are_not_kept() {
    let (bed, client) = (Bed::with(["registry", "cache"]), fake(&manifest("acme/tool", "1.0.0")));
    let resolution = Resolution { manifest_digest: Digest::of(b"other"), ..answer(&client) };
    let error = fetch(&client, &bed.cache(), &resolution, &Deadline::none(), &mut Unwatched).unwrap_err();
    assert_eq!((error.code(), blobs(&bed)), ("digest-mismatch", 0));
    let resolution = Resolution { bundle_digest: Digest::of(b"other"), ..answer(&client) };
    let error = fetch(&client, &bed.cache(), &resolution, &Deadline::none(), &mut Unwatched).unwrap_err();
    assert_eq!((error.code(), blobs(&bed)), ("digest-mismatch", 1));
    assert!(error.to_string().contains(&Digest::of(b"bundle").to_string()), "{error}");
}

#[test]
fn a_registry_that_never_stops_is_stopped() {
    let endless = " ".repeat(limits::MANIFEST + 1);
    let (bed, client) = (Bed::with(["registry", "cache"]), fake(&endless));
    let error = fetch(&client, &bed.cache(), &answer(&client), &Deadline::none(), &mut Unwatched).unwrap_err();
    assert_eq!((error.code(), blobs(&bed)), ("too-large", 0));

    let client = Fake { bundle: || Box::new(std::io::repeat(0)), ..fake(&manifest("acme/tool", "1.0.0")) };
    let error = fetch(&client, &bed.cache(), &answer(&client), &Deadline::none(), &mut Unwatched).unwrap_err();
    assert_eq!((error.code(), blobs(&bed)), ("too-large", 1));
    let error =
        fetch(&client, &bed.cache(), &answer(&client), &Deadline::after(Duration::ZERO), &mut Unwatched).unwrap_err();
    assert_eq!((error.code(), error.exit_kind()), ("timeout", ExitKind::Timeout));
}

#[test]
fn a_registry_that_breaks_off_is_a_registry_error() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
    }
    let bed = Bed::with(["registry", "cache"]);
    let client = Fake { bundle: || Box::new((&b"bun"[..]).chain(Broken)), ..fake(&manifest("acme/tool", "1.0.0")) };
    let error = fetch(&client, &bed.cache(), &answer(&client), &Deadline::none(), &mut Unwatched).unwrap_err();
    assert_eq!((error.code(), error.exit_kind()), ("registry-unavailable", ExitKind::Registry));
    assert!(error.to_string().contains("read the bundle of acme/tool@1.0.0"), "{error}");
}

#[test]
fn a_corrupt_cached_file_is_fetched_again_and_a_corrupt_registry_is_not_believed() {
    let bed = Bed::with(["registry", "cache"]);
    let published = bed.publish("acme/tool", "1.0.0");
    bed.fetch("acme/tool@1.0.0").unwrap();
    for digest in [published.bundle_digest, published.manifest_digest] {
        let name = format!("blobs/sha256-{}", digest.hex());
        let good = bed.root.read(format!("cache/{name}")).unwrap();
        bed.root.write(format!("cache/{name}"), "corrupt").unwrap();
        bed.fetch("acme/tool@1.0.0").unwrap();
        assert_eq!(bed.root.read(format!("cache/{name}")).unwrap(), good);

        bed.root.remove_file(format!("cache/{name}")).unwrap();
        bed.root.write(format!("registry/{name}"), "corrupt").unwrap();
        assert_eq!(bed.fetch("acme/tool@1.0.0").unwrap_err().code(), "digest-mismatch");
        assert!(!bed.root.exists(format!("cache/{name}")));
        bed.root.remove_file(format!("registry/{name}")).unwrap();
        let error = bed.fetch("acme/tool@1.0.0").unwrap_err();
        assert_eq!((error.code(), error.exit_kind()), ("registry-file-missing", ExitKind::Registry));
        bed.root.write(format!("registry/{name}"), &good).unwrap();
        bed.fetch("acme/tool@1.0.0").unwrap();
    }
}

#[test]
fn the_cache_is_for_its_owner_alone() {
    use cap_std::fs::MetadataExt as _;
    let bed = Bed::with(["registry", "cache"]);
    let published = bed.publish("acme/tool", "1.0.0");
    bed.fetch("acme/tool@1.0.0").unwrap();
    let _run = bed.run_folder();
    let blob = format!("cache/blobs/sha256-{}", published.bundle_digest.hex());
    for (path, mode) in [("cache/blobs", 0o700), ("cache/runs", 0o700), (&blob, 0o600)] {
        assert_eq!(bed.root.metadata(path).unwrap().mode() & 0o777, mode, "{path}");
    }
}
