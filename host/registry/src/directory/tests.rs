//! Tests of resolving: which version is found, and hostile documents.

use serde_json::Value;
use serde_json::json;

use super::*;
use crate::testing::RegistryBed as _;
use smcp_bed::Bed;
use smcp_model::exit::ExitKind;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Origin;

fn document(version: &str, status: &str) -> Value {
    let digest = |what: &str| Digest::of(format!("{what} {version}").as_bytes());
    json!({
        "package": "acme/tool", "ref": version, "origin": "official",
        "resolved": {
            "version": version, "git_sha": "abc", "status": status, "certification_level": 2,
            "manifest": { "digest": digest("manifest"), "url": "https://elsewhere.example/x" },
            "bundle": { "digest": digest("bundle"), "url": "", "size_bytes": 7 },
            "evidence": [],
        },
    })
}

/// A registry with these documents, as entries with these names.
fn registry(documents: &[(&str, Value)]) -> (Bed, DirectoryRegistry) {
    let bed = Bed::with(["registry", "cache"]);
    let folder = "registry/packages/acme/tool";
    bed.root.create_dir_all(folder).unwrap();
    for (name, document) in documents {
        bed.root.write(format!("{folder}/{name}.json"), document.to_string()).unwrap();
    }
    let registry = bed.registry();
    (bed, registry)
}

fn resolve(registry: &DirectoryRegistry, reference: &str) -> Result<Resolution, PackageError> {
    registry.resolve(&reference.parse().unwrap(), &Deadline::none())
}

#[test]
fn latest_is_the_highest_semver_that_is_published() {
    type Case<'c> = (&'c [(&'c str, &'c str)], Option<&'c str>);
    let cases: [Case<'_>; 8] = [
        (&[("1.9.0", "published"), ("1.10.0", "published"), ("1.2.0", "published")], Some("1.10.0")),
        (&[("1.0.0", "published"), ("2.0.0", "revoked"), ("1.5.0", "deprecated")], Some("1.0.0")),
        (&[("1.0.0", "published"), ("2.0.0-rc.1", "published")], Some("2.0.0-rc.1")),
        (&[("1.0.0-rc.1", "published"), ("1.0.0", "published")], Some("1.0.0")),
        (
            &[("1.0.0", "published"), ("2024-12-31", "published"), ("v9", "published"), ("3", "published")],
            Some("1.0.0"),
        ),
        (&[("nightly", "published")], None),
        (&[("1.0.0", "Published"), ("1.0.1", "draft")], None),
        (&[], None),
    ];
    for (versions, expected) in cases {
        let documents: Vec<_> = versions.iter().map(|(name, status)| (*name, document(name, status))).collect();
        let (_bed, registry) = registry(&documents);
        let found = resolve(&registry, "acme/tool@latest");
        assert_eq!(found.as_ref().ok().map(|found| found.version.as_str()), expected, "{versions:?}: {found:?}");
        if let Err(error) = found {
            assert_eq!(error.exit_kind(), ExitKind::Registry, "{error}");
        }
    }
}

#[test]
fn an_answer_has_everything_the_document_says() {
    let (_bed, registry) = registry(&[("1.0.0", document("1.0.0", "deprecated"))]);
    let found = resolve(&registry, "acme/tool@1.0.0").unwrap();
    assert_eq!(found.label(), "acme/tool@1.0.0");
    assert_eq!((found.bundle_size, found.bundle_digest), (Some(7), Digest::of(b"bundle 1.0.0")));
    assert_eq!(found.manifest_digest, Digest::of(b"manifest 1.0.0"));
    assert_eq!((found.facts.status, found.facts.origin), (Some(Status::Deprecated), Some(Origin::Official)));
    assert_eq!((found.facts.cert_level, found.facts.doubts), (CertLevel::new(2_u8), vec![]));
    assert_eq!((found.facts.git_sha, found.facts.score), (Some(SafeText::new("abc")), None));
    assert_eq!(found.registry, *registry.registry());
}

#[test]
fn a_digest_names_the_version_that_has_it() {
    let mut same = document("3.0.0", "published");
    same["resolved"]["bundle"]["digest"] = json!(Digest::of(b"bundle 2.0.0"));
    let documents =
        [("1.0.0", document("1.0.0", "revoked")), ("2.0.0", document("2.0.0", "published")), ("3.0.0", same)];
    let (_bed, registry) = registry(&documents);
    let by = |text: &str| resolve(&registry, &format!("acme/tool@{}", Digest::of(text.as_bytes())));
    assert_eq!(by("bundle 1.0.0").unwrap().version.as_str(), "1.0.0");
    assert_eq!(by("manifest 3.0.0").unwrap().version.as_str(), "3.0.0");
    assert_eq!(by("nothing").unwrap_err().code(), "version-not-found");
    let error = by("bundle 2.0.0").unwrap_err();
    assert_eq!(error.code(), "digest-ambiguous");
    assert!(error.to_string().contains("3.0.0, 2.0.0"), "{error}");
}

#[test]
fn what_is_missing_is_answered_with_what_is_there() {
    let versions: Vec<String> = (0..12).map(|minor| format!("1.{minor}.0")).collect();
    let documents: Vec<_> = versions.iter().map(|name| (name.as_str(), document(name, "published"))).collect();
    let (bed, registry) = registry(&documents);
    bed.root.write("registry/packages/acme/tool/notes.txt", "x").unwrap();
    let cases = [
        ("acme/tool@9.9.9", "version-not-found", "it has: 1.11.0, 1.10.0, 1.9.0, 1.8.0, 1.7.0"),
        ("acme/tool@9.9.9", "version-not-found", "and 2 more"),
        ("acme/tol@1.0.0", "package-not-found", "did you mean acme/tool?"),
        ("Acme/Tool@1.0.0", "package-not-found", "did you mean acme/tool?"),
        ("zzz/qqq@latest", "package-not-found", "it has: acme/tool"),
    ];
    for (reference, code, hint) in cases {
        let error = resolve(&registry, reference).unwrap_err();
        assert_eq!((error.code(), error.exit_kind()), (code, ExitKind::Registry));
        assert!(error.to_string().contains(hint), "{reference}: {error}");
    }
    let error = resolve(&Bed::with(["registry", "cache"]).registry(), "acme/tool@1.0.0").unwrap_err();
    assert!(error.to_string().contains("no packages at all"), "{error}");
}

#[test]
fn a_document_that_cannot_be_believed_ends_it() {
    let cases = [
        ("/package", json!("acme/other"), "identity-mismatch"),
        ("/package", json!("ACME/tool"), "identity-mismatch"),
        ("/package", json!(5), "registry-entry-invalid"),
        ("/resolved/version", json!("1.0.1"), "identity-mismatch"),
        ("/resolved/version", json!("../1"), "registry-entry-invalid"),
        ("/resolved/version", json!(1), "registry-entry-invalid"),
        ("/resolved/manifest/digest", json!("sha256:../../../etc/passwd"), "registry-entry-invalid"),
        ("/resolved/manifest/digest", json!("sha256:12"), "registry-entry-invalid"),
        ("/resolved/bundle/digest", json!(null), "registry-entry-invalid"),
        ("/resolved/bundle/size_bytes", json!("7"), "registry-entry-invalid"),
        ("/resolved/bundle/size_bytes", json!(-7), "registry-entry-invalid"),
        ("/resolved", json!([]), "registry-entry-invalid"),
        ("/resolved", json!(true), "registry-entry-invalid"),
        ("/resolved/manifest", json!("sha256:00"), "registry-entry-invalid"),
    ];
    for (path, value, code) in cases {
        let mut hostile = document("1.0.0", "published");
        *hostile.pointer_mut(path).unwrap() = value.clone();
        let (_bed, registry) = registry(&[("1.0.0", hostile)]);
        let error = resolve(&registry, "acme/tool@1.0.0").unwrap_err();
        assert_eq!((error.code(), error.exit_kind()), (code, ExitKind::Integrity), "{path} = {value}: {error}");
        assert!(!error.to_string().contains("Raw"), "our types mean nothing to a reader: {error}");
        assert!(resolve(&registry, "acme/tool@latest").is_err(), "{path} = {value}");
    }
    let twice = document("1.0.0", "published").to_string().replace(r#""origin""#, r#""origin":"x","origin""#);
    let long = format!("{}{}", document("1.0.0", "published"), " ".repeat(limits::RESOLVE));
    for text in ["", "{", "null", "[]", &twice, &long] {
        let (bed, registry) = registry(&[]);
        bed.root.write("registry/packages/acme/tool/1.0.0.json", text).unwrap();
        let error = resolve(&registry, "acme/tool@1.0.0").unwrap_err();
        assert_eq!(error.code(), "registry-entry-invalid", "{error}");
    }
}

#[test]
fn facts_that_cannot_be_believed_are_unknown() {
    // path, value, whether the fact is still known, number of doubts
    let cases = [
        ("/resolved/certification_level", json!(4), 1),
        ("/resolved/certification_level", json!(-1), 1),
        ("/resolved/certification_level", json!("2"), 1),
        ("/resolved/certification_level", json!(2.0), 1),
        ("/resolved/certification_level", json!(null), 0),
        ("/origin", json!(5), 1),
        ("/origin", json!(null), 0),
        ("/origin", json!(" "), 0),
        ("/resolved/git_sha", json!([]), 1),
        ("/resolved/git_sha", json!(""), 0),
    ];
    for (path, value, doubts) in cases {
        let mut strange = document("1.0.0", "published");
        *strange.pointer_mut(path).unwrap() = value.clone();
        let (_bed, registry) = registry(&[("1.0.0", strange)]);
        let facts = resolve(&registry, "acme/tool@1.0.0").unwrap().facts;
        let known = [facts.cert_level.is_some(), facts.origin.is_some(), facts.git_sha.is_some()];
        assert_eq!(known.iter().filter(|known| !**known).count(), 1, "{path} = {value}");
        assert_eq!(facts.doubts.len(), doubts, "{path} = {value}: {:?}", facts.doubts);
    }
}

#[test]
fn a_status_of_the_wrong_type_is_not_an_absent_one() {
    for (value, status) in [
        (json!(null), None),
        (json!("published"), Some(Status::Published)),
        (json!(""), Some(Status::Refused(String::new()))),
        (json!(5), Some(Status::Refused("5".to_owned()))),
        (json!(["published"]), Some(Status::Refused("[\"published\"]".to_owned()))),
        (json!("PUBLISHED"), Some(Status::Refused("PUBLISHED".to_owned()))),
    ] {
        let mut strange = document("1.0.0", "published");
        strange["resolved"]["status"] = value.clone();
        let (_bed, registry) = registry(&[("1.0.0", strange)]);
        assert_eq!(resolve(&registry, "acme/tool@1.0.0").unwrap().facts.status, status, "{value}");
    }
}

#[test]
fn a_damaged_entry_ends_only_what_it_could_be_about() {
    let good = |version: &str| document(version, "published").to_string();
    let digest = |text: &str| format!("acme/tool@{}", Digest::of(text.as_bytes()));
    let damaged = |version: &str| good(version).replace("\"status\"", "\"status");
    // the damaged file, the reference, the version that is found or the file that the error names
    let cases = [
        ("1.5.0", "acme/tool@latest".to_owned(), Ok("2.0.0")),
        ("nightly", "acme/tool@latest".to_owned(), Ok("2.0.0")),
        ("2.0.1", "acme/tool@latest".to_owned(), Err("`packages/acme/tool/2.0.1.json`: ")),
        ("2.0.1", "acme/tool@1.0.0".to_owned(), Ok("1.0.0")),
        ("2.0.1", "acme/tool@2.0.1".to_owned(), Err("`packages/acme/tool/2.0.1.json`: ")),
        ("2.0.1", digest("bundle 1.0.0"), Ok("1.0.0")),
        ("2.0.1", digest("bundle 2.0.1"), Err("`packages/acme/tool/2.0.1.json`: ")),
        ("1.5.0", digest("manifest 1.5.0"), Err("`packages/acme/tool/1.5.0.json`: ")),
    ];
    for (file, reference, expected) in cases {
        let (bed, registry) = registry(&[]);
        for version in ["1.0.0", "2.0.0"] {
            bed.root.write(format!("registry/packages/acme/tool/{version}.json"), good(version)).unwrap();
        }
        bed.root.write(format!("registry/packages/acme/tool/{file}.json"), damaged(file)).unwrap();
        match (resolve(&registry, &reference), expected) {
            (Ok(found), Ok(version)) => assert_eq!(found.version.as_str(), version, "{file}, {reference}"),
            (Err(error), Err(says)) => {
                assert_eq!((error.code(), error.exit_kind()), ("registry-entry-invalid", ExitKind::Integrity));
                assert!(error.to_string().contains(says), "{file}, {reference}: {error}");
            }
            (found, expected) => panic!("{file}, {reference}: {found:?}, and not {expected:?}"),
        }
    }
}

#[test]
fn the_catalogue_is_whole_and_in_order() {
    let (bed, registry) = registry(&[("1.0.0", document("1.0.0", "published"))]);
    for name in ["acme-x/b", "acme/zoo", "acme/Able", "b/c", "acme/tool.x"] {
        bed.root.create_dir_all(format!("registry/packages/{name}")).unwrap();
    }
    bed.root.write("registry/packages/acme/zoo/1.0.0.json", "{").unwrap();
    bed.root.write("registry/packages/notes.txt", "x").unwrap();
    let deadline = Deadline::none();
    let listed: Vec<_> = registry.catalog(&deadline).unwrap().map(Result::unwrap).collect();
    let names: Vec<_> = listed.iter().map(|package| package.id.to_string()).collect();
    assert_eq!(names, ["acme-x/b", "acme/Able", "acme/tool", "acme/tool.x", "acme/zoo", "b/c"]);
    let latest: Vec<_> = listed.iter().filter_map(|package| package.latest.as_ref()).collect();
    assert_eq!(latest, ["1.0.0".parse::<Version>().as_ref().unwrap()]);
    let problems: Vec<_> = listed.iter().filter_map(|package| package.problem.as_ref()).collect();
    assert!(problems.len() == 1 && problems[0].as_str().contains("`packages/acme/zoo/1.0.0.json`"), "{problems:?}");
    let expired = Deadline::after(std::time::Duration::ZERO);
    assert_eq!(registry.catalog(&expired).unwrap().next().unwrap().unwrap_err().code(), "timeout");
}

#[test]
fn strange_things_in_the_registry_neither_hang_nor_lead_out() {
    let (bed, registry) = registry(&[]);
    bed.root.create_dir("registry/packages/acme/tool/1.0.0.json").unwrap();
    bed.root.symlink("../../../../cache/secret.json", "registry/packages/acme/tool/2.0.0.json").unwrap();
    bed.root.write("cache/secret.json", document("2.0.0", "published").to_string()).unwrap();
    for reference in ["acme/tool@1.0.0", "acme/tool@2.0.0"] {
        let error = resolve(&registry, reference).unwrap_err();
        assert_eq!((error.code(), error.exit_kind()), ("registry-unavailable", ExitKind::Registry), "{error}");
    }
    let expired = Deadline::after(std::time::Duration::ZERO);
    let error = registry.resolve(&"acme/tool@latest".parse().unwrap(), &expired).unwrap_err();
    assert_eq!(error.code(), "timeout");
}

#[test]
fn what_everybody_may_write_is_not_believed() {
    use cap_std::fs::Permissions;
    use cap_std::fs::PermissionsExt as _;
    let (bed, registry) = registry(&[("1.0.0", document("1.0.0", "published"))]);
    let folder = "registry/packages/acme/tool";
    let places = ["registry", "registry/packages", "registry/packages/acme", folder, &format!("{folder}/1.0.0.json")];
    for place in places {
        // The group may write, since it is a team. All users may not, even with the sticky bit.
        for (mode, fits) in [(0o2775, true), (0o777, false), (0o1777, false), (0o757, false), (0o755, true)] {
            bed.root.set_permissions(place, Permissions::from_mode(mode)).unwrap();
            let found = resolve(&registry, "acme/tool@1.0.0");
            assert_eq!(found.is_ok(), fits, "{place} {mode:o}");
            if let Err(error) = found {
                assert_eq!((error.code(), error.is_outage()), ("registry-unavailable", false), "{error}");
                assert!(error.sentence().contains("everybody may write to"), "{}", error.sentence());
            }
        }
    }
    for place in ["registry/packages", "registry"] {
        bed.root.set_permissions(place, Permissions::from_mode(0o777)).unwrap();
        assert!(registry.probe(&Deadline::none()).is_err(), "{place}");
    }
    let dir = bed.source("new", &[("manifest.json", &crate::testing::manifest("acme/new", "1.0.0"))]);
    let request = crate::testing::request("acme/new", "1.0.0", dir);
    let error = crate::publish(&registry, &request).unwrap_err();
    assert!(error.sentence().contains("everybody may write to it "), "{}", error.sentence());
    assert!(!bed.root.exists("registry/packages/acme/new"));
}
