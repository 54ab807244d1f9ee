//! From a directory to a version and back; and what may not be published.

use cap_std::fs::MetadataExt as _;

use super::*;
use crate::model::deadline::Deadline;
use crate::model::facts::Origin;
use crate::package::PackageErrorKind;
use crate::package::testing::Bed;
use crate::package::testing::manifest;
use crate::package::testing::request;
use crate::package::testing::walk;
use crate::package::unpack;

const ID: &str = "acme/tool";

fn refused(request: &PublishRequest, bed: &Bed) -> PackageError {
    let before = bed.files("registry");
    let error = publish(&bed.registry(), request).unwrap_err();
    let after = bed.files("registry").into_iter().filter(|(name, _)| name != LOCK);
    assert!(after.eq(before.into_iter().filter(|(name, _)| name != LOCK)), "nothing half-written: {error}");
    error
}

#[test]
fn what_was_published_comes_back_byte_for_byte() {
    let bed = Bed::new();
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(120));
    let text = manifest(ID, "1.0.0");
    let files = [
        ("manifest.json", text.as_str()),
        ("*bin/server", "#!/bin/sh\n"),
        ("server.py", "print()\n"),
        (".hidden", ""),
        ("ünï/漢字", "x"),
        (&long, "long"),
        ("empty/", ""),
    ];
    let source = bed.source("source", &files);
    let published = publish(&bed.registry(), &request(ID, "1.0.0", source.try_clone().unwrap())).unwrap();
    let package = bed.fetch("acme/tool@latest").unwrap();
    assert_eq!((package.bundle_digest, package.manifest_digest), (published.bundle_digest, published.manifest_digest));
    assert_eq!((package.bundle_size, published.updated), (published.bundle_size, false));

    let unpacked = unpack(&bed.cache(), bed.run_folder(), &package, &Deadline::none(), &|| false).unwrap();
    let (mut expected, mut found) = (Vec::new(), Vec::new());
    walk(&source, "", &mut expected);
    walk(unpacked.root(), "", &mut found);
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    assert!(unpacked.root().is_dir("empty"));
    let mode = |path: &str| unpacked.root().metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode("bin/server"), mode("server.py")), (0o500, 0o400));
}

#[test]
fn every_fact_comes_back_and_none_is_invented() {
    let bed = Bed::new();
    let source = || bed.root.open_dir("source").unwrap();
    bed.source("source", &[("manifest.json", &manifest(ID, "1.0.0"))]);
    publish(&bed.registry(), &request(ID, "1.0.0", source())).unwrap();
    let facts = bed.fetch("acme/tool@1.0.0").unwrap().facts;
    assert_eq!((facts.status, facts.origin), (Some(Status::Published), Some(Origin::Verified)));
    assert_eq!((facts.cert_level, facts.score), (CertLevel::new(2_u8), Score::new(85_u8)));
    assert_eq!(facts.findings, Some(SeverityCounts { critical: 0, high: 1, medium: 2, low: 3 }));
    assert_eq!((facts.git_sha, facts.doubts), (Some(SafeText::new("0123456789abcdef")), vec![]));

    let silent = PublishRequest {
        origin: None,
        cert_level: None,
        score: None,
        findings: None,
        ..request(ID, "1.0.0", source())
    };
    assert!(publish(&bed.registry(), &silent).unwrap().updated);
    let package = bed.fetch("acme/tool@1.0.0").unwrap();
    let facts = package.facts;
    assert_eq!((facts.origin, facts.cert_level, facts.score, facts.findings), (None, None, None, None));
    assert!(facts.doubts.is_empty());
    assert!(!package.manifest.text.contains("certification"));
}

#[test]
fn the_same_directory_gives_the_same_bytes() {
    let (one, two) = (Bed::new(), Bed::new());
    let text = manifest(ID, "1.0.0");
    one.source("source", &[("b", "x"), ("a/z", "y"), ("manifest.json", &text), ("*run", "z")]);
    two.source("source", &[("*run", "z"), ("manifest.json", &text), ("a/z", "y"), ("b", "x")]);
    let publish =
        |bed: &Bed| publish(&bed.registry(), &request(ID, "1.0.0", bed.root.open_dir("source").unwrap())).unwrap();
    let (first, second) = (publish(&one), publish(&two));
    assert_eq!(first, second);
    assert_eq!(Published { updated: true, ..first }, publish(&one));
    let bytes = |bed: &Bed| bed.files("registry");
    assert_eq!(bytes(&one), bytes(&two));
}

#[test]
fn a_version_never_changes_but_what_is_said_of_it_may() {
    let bed = Bed::new();
    let source = || bed.root.open_dir("source").unwrap();
    bed.source("source", &[("manifest.json", &manifest(ID, "1.0.0")), ("server.py", "one")]);
    let first = publish(&bed.registry(), &request(ID, "1.0.0", source())).unwrap();
    let revoked = PublishRequest { status: Status::from_word("revoked"), ..request(ID, "1.0.0", source()) };
    let second = publish(&bed.registry(), &revoked).unwrap();
    assert_eq!((second.bundle_digest, second.updated), (first.bundle_digest, true));
    assert_eq!(bed.fetch("acme/tool@1.0.0").unwrap().facts.status, Some(Status::Refused("revoked".to_owned())));

    source().write("server.py", "two").unwrap();
    let error = refused(&request(ID, "1.0.0", source()), &bed);
    assert_eq!((error.code(), error.kind()), ("version-immutable", PackageErrorKind::Local));
    assert!(error.to_string().contains(&first.bundle_digest.to_string()), "{error}");
}

#[test]
fn a_manifest_must_be_that_of_the_version() {
    let good = manifest(ID, "1.0.0");
    let insert = |key: &str| good.replacen('{', &format!("{{\"{key}\":{{}},"), 1);
    let cases = [
        (manifest("acme/other", "1.0.0"), "identity-mismatch"),
        (manifest(ID, "1.0.1"), "identity-mismatch"),
        (insert("certification"), "publish-refused"),
        (insert("bundle"), "publish-refused"),
        (good.replace("runtime", "run_time"), "manifest-invalid"),
        (good.replace("python3", "/usr/bin/python3"), "manifest-invalid"),
        (format!("{good}x"), "manifest-invalid"),
        (insert("package"), "manifest-invalid"),
    ];
    for (text, code) in cases {
        let bed = Bed::new();
        let error = refused(&request(ID, "1.0.0", bed.source("source", &[("manifest.json", &text)])), &bed);
        assert_eq!(error.code(), code, "{text}: {error}");
    }
    let bed = Bed::new();
    let error = refused(&request(ID, "1.0.0", bed.source("source", &[("server.py", "x")])), &bed);
    assert!(error.to_string().contains("there is no `manifest.json`"), "{error}");
    let source = bed.source("other", &[("manifest.json", &good)]);
    let unknown = PublishRequest { status: Status::from_word("shiny"), ..request(ID, "1.0.0", source) };
    assert!(refused(&unknown, &bed).to_string().contains("expected one of published, deprecated, draft"));
}

#[test]
fn only_regular_files_and_directories_are_packed() {
    type Case = (&'static str, fn(&Dir));
    let cases: [Case; 4] = [
        ("`dir/link` is a symbolic link", |dir| dir.symlink("x", "dir/link").unwrap()),
        ("`dir/pipe` is a pipe", |dir| {
            nix::unistd::mkfifoat(dir, "dir/pipe", nix::sys::stat::Mode::S_IRUSR).unwrap();
        }),
        ("case only", |dir| dir.write("DIR", "x").unwrap()),
        ("not UTF-8", |dir| {
            use std::os::unix::ffi::OsStrExt as _;
            dir.write(std::ffi::OsStr::from_bytes(b"\xff"), "x").unwrap();
        }),
    ];
    for (problem, spoil) in cases {
        let bed = Bed::new();
        let source = bed.source("source", &[("manifest.json", &manifest(ID, "1.0.0")), ("dir/", "")]);
        spoil(&source);
        let error = refused(&request(ID, "1.0.0", source), &bed);
        assert!(error.to_string().contains(problem), "{error}");
    }
}

#[test]
fn a_directory_that_is_too_large_is_refused_before_it_is_read() {
    let bed = Bed::new();
    let source = bed.source("source", &[("manifest.json", &manifest(ID, "1.0.0"))]);
    source.create("huge").unwrap().set_len(limits::BUNDLE_UNPACKED + 1).unwrap();
    let error = refused(&request(ID, "1.0.0", source), &bed);
    assert!(error.to_string().contains("bytes unpacked"), "{error}");
}

#[test]
fn publishers_wait_for_each_other() {
    let bed = Bed::new();
    bed.source("source", &[("manifest.json", &manifest(ID, "1.0.0")), ("server.py", "x")]);
    let held = lock(&bed.registry()).unwrap();
    std::thread::scope(|scope| {
        let publisher = scope
            .spawn(|| publish(&bed.registry(), &request(ID, "1.0.0", bed.root.open_dir("source").unwrap())).unwrap());
        assert!(bed.registry().entry(&ID.parse().unwrap(), &"1.0.0".parse().unwrap()).unwrap().is_none());
        drop(held);
        assert!(!publisher.join().unwrap().updated);
    });
}
