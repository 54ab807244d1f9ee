//! Tests of publishing: a directory becomes a version; what is refused.

use super::*;
use crate::testing::RegistryBed as _;
use crate::testing::manifest;
use crate::testing::request;
use smcp_bed::Bed;
use smcp_bundle::BundleFolders;
use smcp_bundle::Unpacked;
use smcp_bundle::unpack;
use smcp_model::deadline::Deadline;
use smcp_model::exit::ExitKind;
use smcp_model::facts::Origin;
use smcp_model::package::ResolvedPackage;
use smcp_model::progress::Unwatched;

const ID: &str = "acme/tool";

fn unpacked(bed: &Bed, package: &ResolvedPackage) -> Unpacked {
    let (cache, folder, deadline) = (bed.cache(), bed.run_folder(), Deadline::none());
    unpack(&cache, folder, package, BundleFolders::Writable, &deadline, &|| false, &mut Unwatched).unwrap()
}

fn refused(request: &PublishRequest<'_>, bed: &Bed) -> PackageError {
    let before = bed.files("registry");
    let error = publish(&bed.registry(), request).unwrap_err();
    let after = bed.files("registry").into_iter().filter(|(name, _)| name != LOCK);
    assert!(after.eq(before.into_iter().filter(|(name, _)| name != LOCK)), "nothing half-written: {error}");
    error
}

#[test]
fn what_was_published_comes_back_byte_for_byte() {
    let bed = Bed::with(["registry", "cache"]);
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

    let unpacked = unpacked(&bed, &package);
    assert_eq!(smcp_bed::files(unpacked.root()), smcp_bed::files(&source));
    assert!(unpacked.root().is_dir("empty"));
    let mode = |path: &str| unpacked.root().metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode("bin/server"), mode("server.py")), (0o500, 0o400));
}

#[test]
fn every_fact_comes_back_and_none_is_invented() {
    let bed = Bed::with(["registry", "cache"]);
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
    let (one, two) = (Bed::with(["registry", "cache"]), Bed::with(["registry", "cache"]));
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
    let bed = Bed::with(["registry", "cache"]);
    let source = || bed.root.open_dir("source").unwrap();
    bed.source("source", &[("manifest.json", &manifest(ID, "1.0.0")), ("server.py", "one")]);
    let first = publish(&bed.registry(), &request(ID, "1.0.0", source())).unwrap();
    let revoked = PublishRequest { status: Some(Status::from_word("revoked")), ..request(ID, "1.0.0", source()) };
    let second = publish(&bed.registry(), &revoked).unwrap();
    assert_eq!((second.bundle_digest, second.updated), (first.bundle_digest, true));
    assert_eq!(bed.fetch("acme/tool@1.0.0").unwrap().facts.status, Some(Status::Refused("revoked".to_owned())));

    // Nobody takes that back by leaving something out.
    let unsaid = || PublishRequest { status: None, ..request(ID, "1.0.0", source()) };
    for request in [unsaid(), PublishRequest { keep_facts: true, ..unsaid() }] {
        let error = refused(&request, &bed);
        assert_eq!((error.code(), error.exit_kind()), ("version-withdrawn", ExitKind::Refused));
        assert!(error.to_string().contains("is `revoked`"), "{error}");
    }
    let taken_back = publish(&bed.registry(), &request(ID, "1.0.0", source())).unwrap();
    assert_eq!(taken_back.changes.iter().map(ToString::to_string).collect::<Vec<_>>(), ["status revoked → published"]);
    publish(&bed.registry(), &PublishRequest { status: Some(Status::Deprecated), ..unsaid() }).unwrap();
    assert!(publish(&bed.registry(), &unsaid()).unwrap().changes.is_empty());
    assert_eq!(bed.fetch("acme/tool@1.0.0").unwrap().facts.status, Some(Status::Deprecated));

    source().write("server.py", "two").unwrap();
    let error = refused(&request(ID, "1.0.0", source()), &bed);
    assert_eq!((error.code(), error.exit_kind()), ("version-immutable", ExitKind::Usage));
    assert!(error.to_string().contains(&first.bundle_digest.to_string()), "{error}");
}

#[test]
fn a_fact_that_is_not_given_stays_where_that_is_wanted() {
    let bed = Bed::with(["registry", "cache"]);
    let source = || bed.root.open_dir("source").unwrap();
    bed.source("source", &[("manifest.json", &manifest(ID, "1.0.0"))]);
    let first = publish(&bed.registry(), &request(ID, "1.0.0", source())).unwrap();
    assert_eq!(first.changes, []);
    let silent = || PublishRequest {
        origin: None,
        cert_level: None,
        score: None,
        findings: None,
        status: None,
        keep_facts: true,
        ..request(ID, "1.0.0", source())
    };
    let again = publish(&bed.registry(), &silent()).unwrap();
    assert_eq!((again.manifest_digest, again.changes), (first.manifest_digest, vec![]));
    let changed = PublishRequest { origin: Some("community".to_owned()), score: Score::new(40_u8), ..silent() };
    let changes = |published: &Published| published.changes.iter().map(ToString::to_string).collect::<Vec<_>>();
    let published = publish(&bed.registry(), &changed).unwrap();
    assert_eq!(changes(&published), ["origin verified → community", "score 85 → 40"]);
    let dropped = PublishRequest { keep_facts: false, ..silent() };
    let expected =
        ["origin community → unknown", "level 2 → unknown", "score 40 → unknown", "findings 0,1,2,3 → unknown"];
    assert_eq!(changes(&publish(&bed.registry(), &dropped).unwrap()), expected);
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
        let bed = Bed::with(["registry", "cache"]);
        let error = refused(&request(ID, "1.0.0", bed.source("source", &[("manifest.json", &text)])), &bed);
        assert_eq!(error.code(), code, "{text}: {error}");
    }
    let bed = Bed::with(["registry", "cache"]);
    let error = refused(&request(ID, "1.0.0", bed.source("source", &[("server.py", "x")])), &bed);
    assert!(error.to_string().contains("there is no `manifest.json`"), "{error}");
    let source = bed.source("other", &[("manifest.json", &good)]);
    let unknown = PublishRequest { status: Some(Status::from_word("shiny")), ..request(ID, "1.0.0", source) };
    assert!(refused(&unknown, &bed).to_string().contains("expected one of published, deprecated, draft"));
}

#[test]
fn only_regular_files_and_directories_are_packed() {
    type Case = (&'static str, fn(&Dir));
    let cases: [Case; 5] = [
        ("`dir/link`: a symbolic link", |dir| dir.symlink("x", "dir/link").unwrap()),
        ("`dir/ca.pem`: a symbolic link", |dir| dir.symlink_contents("/etc/passwd", "dir/ca.pem").unwrap()),
        ("`dir/pipe`: a pipe", |dir| {
            nix::unistd::mkfifoat(dir, "dir/pipe", nix::sys::stat::Mode::S_IRUSR).unwrap();
        }),
        ("case only", |dir| dir.write("DIR", "x").unwrap()),
        ("its name is not UTF-8", |dir| {
            use std::os::unix::ffi::OsStrExt as _;
            dir.write(std::ffi::OsStr::from_bytes(b"\xff"), "x").unwrap();
        }),
    ];
    for (problem, spoil) in cases {
        let bed = Bed::with(["registry", "cache"]);
        let source = bed.source("source", &[("manifest.json", &manifest(ID, "1.0.0")), ("dir/", "")]);
        spoil(&source);
        let error = refused(&request(ID, "1.0.0", source), &bed);
        assert!(error.to_string().contains(problem), "{error}");
    }
}

#[test]
fn everything_that_may_not_be_packed_is_named_at_once() {
    let bed = Bed::with(["registry", "cache"]);
    let text = manifest(ID, "1.0.0");
    let source =
        bed.source("source", &[("manifest.json", &text), (".env", "A=1"), (".git/config", ""), ("a/.npmrc", "")]);
    for number in 0..30 {
        source.symlink("x", format!("link{number}")).unwrap();
    }
    let error = refused(&request(ID, "1.0.0", source.try_clone().unwrap()), &bed).to_string();
    let says = [
        "33 things",
        "`.env`: ",
        "`.git/`: ",
        "`a/.npmrc`: ",
        "`link0`: ",
        "and 13 more",
        "--no-bin-links",
        "--include-secrets",
    ];
    for words in says {
        assert!(error.contains(words), "`{words}` is not in: {error}");
    }
    assert_eq!(error.lines().count(), 1 + limits::PUBLISH_LISTED + 1 + 2, "{error}");

    let exclude = ["/link*", ".git"].map(|pattern| pattern.parse().unwrap()).to_vec();
    let allowed = PublishRequest { exclude, include_secrets: true, ..request(ID, "1.0.0", source) };
    let published = publish(&bed.registry(), &allowed).unwrap();
    assert_eq!((published.files, published.left_out_count), (3, 31));
    assert_eq!(published.unpacked, u64::try_from(text.len() + 3).unwrap());
}

/// The names in a bundle of these files.
fn packed(files: &[(&str, &str)], exclude: &[&str]) -> Vec<String> {
    let bed = Bed::with(["registry", "cache"]);
    let text = manifest(ID, "1.0.0");
    let source = bed.source("source", &[&[("manifest.json", text.as_str())], files].concat());
    let exclude = exclude.iter().map(|pattern| pattern.parse().unwrap()).collect();
    publish(&bed.registry(), &PublishRequest { exclude, ..request(ID, "1.0.0", source) }).unwrap();
    let package = bed.fetch("acme/tool@1.0.0").unwrap();
    let unpacked = unpacked(&bed, &package);
    smcp_bed::files(unpacked.root()).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn what_is_left_out_is_what_the_patterns_say() {
    let files = [("a.log", ""), ("b.py", ""), ("keep.log", ""), ("x/a.log", ""), ("x/y.py", ""), ("tests/t.py", "")];
    let all = ["a.log", "b.py", "keep.log", "manifest.json", "tests/t.py", "x/a.log", "x/y.py"];
    assert_eq!(packed(&files, &[]), all);
    assert_eq!(packed(&files, &["*.log", "/tests/"]), ["b.py", "manifest.json", "x/y.py"]);
    let ignore = |text| [&files[..], &[(".smcpignore", text)]].concat();
    assert_eq!(
        packed(&ignore("# logs\r\n*.log\r\n!keep.log\r\ntests\r\n"), &[]),
        ["b.py", "keep.log", "manifest.json", "x/y.py"]
    );
    assert_eq!(packed(&ignore("*\n!x\n"), &[]), ["manifest.json"], "what is in `x` is left out, too");
    assert_eq!(
        packed(&ignore("!*.log"), &["*.log"]),
        ["b.py", "manifest.json", "tests/t.py", "x/y.py"],
        "the last decides"
    );

    let bed = Bed::with(["registry", "cache"]);
    let source = bed.source("source", &[("manifest.json", &manifest(ID, "1.0.0")), (".smcpignore", "ok\n[x\n")]);
    let error = refused(&request(ID, "1.0.0", source), &bed).to_string();
    assert!(error.contains("its `.smcpignore`: line 2: `[x` is no pattern"), "{error}");
}

#[test]
fn a_registry_is_no_part_of_what_it_holds() {
    let bed = Bed::with(["registry", "cache"]);
    bed.root.write("manifest.json", manifest(ID, "1.0.0")).unwrap();
    let whole = || request(ID, "1.0.0", bed.root.try_clone().unwrap());
    let published = publish(&bed.registry(), &whole()).unwrap();
    assert_eq!((published.left_out, published.files), (vec!["registry/".into()], 1));
    assert!(publish(&bed.registry(), &whole()).unwrap().updated, "the same bytes again");
    bed.root.write("registry/manifest.json", manifest(ID, "1.0.0")).unwrap();
    let error = refused(&request(ID, "1.0.0", bed.root.open_dir("registry").unwrap()), &bed);
    assert!(error.to_string().contains("its directory is the registry itself"), "{error}");
}

#[test]
fn a_byte_order_mark_does_not_matter() {
    let bed = Bed::with(["registry", "cache"]);
    let text = format!("\u{feff}{}", manifest(ID, "1.0.0").replace(',', ",\r\n"));
    let source = bed.source("source", &[("manifest.json", &text)]);
    publish(&bed.registry(), &request(ID, "1.0.0", source)).unwrap();
    assert!(bed.fetch("acme/tool@1.0.0").unwrap().manifest.text.starts_with('{'));
}

#[test]
fn a_directory_that_is_too_large_is_refused_before_it_is_read() {
    let bed = Bed::with(["registry", "cache"]);
    let source = bed.source("source", &[("manifest.json", &manifest(ID, "1.0.0"))]);
    source.create("huge").unwrap().set_len(limits::BUNDLE_UNPACKED + 1).unwrap();
    let error = refused(&request(ID, "1.0.0", source), &bed);
    assert!(error.to_string().contains("bytes unpacked"), "{error}");
}

#[test]
fn publishers_wait_for_each_other() {
    let bed = Bed::with(["registry", "cache"]);
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

#[test]
fn a_command_that_can_not_start_is_noticed() {
    // command, working directory, files, remarks
    type Case<'c> = (&'c str, &'c str, &'c [(&'c str, &'c str)], &'c [&'c str]);
    let cases: [Case<'_>; 7] = [
        (r#"["python3","server.py"]"#, "", &[("server.py", "")], &[]),
        (r#"["python3","./server.py"]"#, "app", &[("app/server.py", "")], &[]),
        (r#"["python3","server.py"]"#, "app", &[("server.py", "")], &["`app/server.py`, which is not in the bundle"]),
        (r#"["bin/x"]"#, "", &[("*bin/x", "")], &[]),
        (r#"["./bin/x"]"#, "", &[("bin/x", "")], &["`bin/x`, which is not executable"]),
        (r#"["bin/x","y.js"]"#, "", &[], &["`bin/x`, which is not in", "`y.js`, which is not in"]),
        (r#"["python3","-m","x.py"]"#, "", &[], &[]),
    ];
    for (command, workdir, files, says) in cases {
        let bed = Bed::with(["registry", "cache"]);
        let entrypoint = format!(r#""command":{command},"workdir":"{workdir}""#);
        let text = manifest(ID, "1.0.0").replace(r#""command":["python3","server.py"]"#, &entrypoint);
        let source = bed.source("source", &[&[("manifest.json", text.as_str())], files].concat());
        let remarks = publish(&bed.registry(), &request(ID, "1.0.0", source)).unwrap().remarks;
        assert_eq!(remarks.len(), says.len(), "{command}: {remarks:?}");
        for (remark, says) in remarks.iter().zip(says) {
            assert!(remark.as_str().contains(says), "{command}: {remarks:?}");
        }
    }
}
