//! Tests that published and fetched packages are unpacked as they were.

use crate::PackageError;
use crate::testing::RegistryBed as _;
use smcp_bed::Bed;
use smcp_bed::gzip;
use smcp_bundle::BundleFolders;
use smcp_bundle::LeftBehind;
use smcp_bundle::UnpackError;
use smcp_bundle::Unpacked;
use smcp_model::deadline::Deadline;
use smcp_model::limits;
use smcp_model::package::ResolvedPackage;
use smcp_model::progress::Unwatched;

/// A bundle with one file of this name.
fn bundle(name: &str) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_size(4);
    header.set_mode(0o644);
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_data(&mut header, name, b"text".as_slice()).unwrap();
    gzip(&tar.into_inner().unwrap())
}

/// Unpacks, and converts the error to the one of this crate, which has the code.
fn unpack(
    bed: &Bed,
    package: &ResolvedPackage,
    deadline: &Deadline,
    interrupted: bool,
) -> Result<Unpacked, PackageError> {
    let (cache, folder, folders) = (bed.cache(), bed.run_folder(), BundleFolders::Writable);
    let unpacked = smcp_bundle::unpack(&cache, folder, package, folders, deadline, &|| interrupted, &mut Unwatched);
    unpacked.map_err(|error: UnpackError| error.into())
}

#[test]
fn what_runs_is_what_was_hashed() {
    let bed = Bed::with(["registry", "cache"]);
    let published = bed.publish("acme/tool", "1.0.0");
    let package = bed.fetch("acme/tool@1.0.0").unwrap();
    let unpacked = unpack(&bed, &package, &Deadline::none(), false).unwrap();
    let path = unpacked.path().to_owned();
    assert!(unpacked.root().exists("server.py") && path.is_absolute());
    assert_eq!(unpacked.root().read_to_string("server.py").unwrap(), "1.0.0");
    let second = unpack(&bed, &package, &Deadline::none(), false).unwrap();
    assert_ne!(second.path(), path);
    drop((unpacked, second));
    assert_eq!(bed.root.read_dir("cache/runs").unwrap().count(), 0, "they are gone");

    let blob = format!("cache/blobs/sha256-{}", published.bundle_digest.hex());
    bed.root.write(&blob, bundle("evil")).unwrap();
    let error = unpack(&bed, &package, &Deadline::none(), false).unwrap_err();
    assert_eq!(error.code(), "digest-mismatch");
    assert!(!bed.root.exists(&blob), "the corrupt file is dropped");
    assert_eq!(bed.root.read_dir("cache/runs").unwrap().count(), 0, "nothing is left behind");
    assert_eq!(unpack(&bed, &package, &Deadline::none(), false).unwrap_err().code(), "cache-unusable");
}

#[test]
fn an_interruption_ends_it_and_leaves_nothing() {
    let bed = Bed::with(["registry", "cache"]);
    bed.publish("acme/tool", "1.0.0");
    let package = bed.fetch("acme/tool@1.0.0").unwrap();
    let error = unpack(&bed, &package, &Deadline::none(), true).unwrap_err();
    assert_eq!(error.code(), "interrupted");
    assert_eq!(bed.root.read_dir("cache/runs").unwrap().count(), 0);
}

#[test]
fn what_a_server_leaves_is_what_the_bundle_does_not_have() {
    let bed = Bed::with(["registry", "cache"]);
    bed.publish("acme/tool", "1.0.0");
    let package = bed.fetch("acme/tool@1.0.0").unwrap();
    let unpacked = unpack(&bed, &package, &Deadline::none(), false).unwrap();
    let root = unpacked.root();
    assert_eq!(unpacked.left().lost, LeftBehind::default());
    // Empty folders don't count, nor does byte code, which Python makes again.
    root.create_dir_all("empty/deep").unwrap();
    root.create_dir("__pycache__").unwrap();
    root.write("__pycache__/server.cpython-313.pyc", "x").unwrap();
    assert_eq!(unpacked.left().lost, LeftBehind::default());
    root.write("memory.json", "{}").unwrap();
    root.write("empty/\u{1b}[31mdata.db", "x").unwrap();
    root.symlink("memory.json", "link").unwrap();
    // A changed file: replaced, since it is read-only.
    root.remove_file("server.py").unwrap();
    root.write("server.py", "longer").unwrap();
    let left = unpacked.left().lost;
    let names: Vec<String> = left.names.iter().map(ToString::to_string).collect();
    assert_eq!((left.count, names.len()), (4, 4));
    for name in ["memory.json", "link", "server.py", "empty/\\u{1b}[31mdata.db"] {
        assert!(names.iter().any(|found| found == name), "{name}: {names:?}");
    }
    for number in 0..100 {
        root.write(format!("{number}"), "").unwrap();
    }
    let left = unpacked.left().lost;
    assert_eq!((left.count, left.names.len()), (104, limits::LEFT_NAMED));
}

#[test]
fn a_deadline_ends_it_and_leaves_nothing() {
    let bed = Bed::with(["registry", "cache"]);
    bed.publish("acme/tool", "1.0.0");
    let package = bed.fetch("acme/tool@1.0.0").unwrap();
    let error = unpack(&bed, &package, &Deadline::after(std::time::Duration::ZERO), false).unwrap_err();
    assert_eq!(error.code(), "timeout");
    assert_eq!(bed.root.read_dir("cache/runs").unwrap().count(), 0);
}
