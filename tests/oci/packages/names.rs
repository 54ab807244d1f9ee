//! Names of packages and versions: what a registry of images can have, and which of its tags are versions.

use crate::packages::REPOSITORY;
use crate::packages::bed;
use crate::packages::package;
use crate::packages::publish;
use crate::packages::with_package;
use crate::server::Habits;
use crate::server::Registry;

#[test]
fn what_is_no_name_of_a_repository_or_of_a_tag_is_refused() {
    let registry = Registry::start(Habits::default());
    let bed = bed(&registry);
    let list = format!("sha256-{}", "a".repeat(64));
    let cases = [
        ("Acme/tool@1.0.0".to_owned(), "`mcp/Acme/tool` is not the name of a repository: a repository is lower-case"),
        ("acme/tool-@1.0.0".to_owned(), "`mcp/acme/tool-` is not the name of a repository"),
        ("acme/to..ol@1.0.0".to_owned(), "`mcp/acme/to..ol` is not the name of a repository"),
        (
            "acme/tool@1.0.0_x".to_owned(),
            "`1.0.0_x` is not a version that a registry of images can have: its tag is that of `1.0.0+x`",
        ),
        (format!("acme/tool@{list}"), "its tag is that of what refers to an artefact"),
    ];
    for (reference, says) in cases {
        publish(&bed, &registry, &reference).refuses(1, &["can't be published: ", says]);
        bed.run(&format!("run {reference}")).refuses(2, &[says]);
    }
    let long = format!("acme/tool@1.0.0-{}", "x".repeat(123));
    publish(&bed, &registry, &long).refuses(1, &["a version is 1 to 128 characters"]);
    assert_eq!(registry.connections(), 0);
}

#[test]
fn a_plus_is_an_underscore_in_a_tag() {
    let registry = Registry::start(Habits::default());
    let bed = bed(&registry);
    for version in ["1.0.0+build.5", "2024_01"] {
        let reference = format!("acme/tool@{version}");
        publish(&bed, &registry, &reference).succeeds();
        bed.run(&format!("run {reference}")).succeeds().prints(&format!("{reference} runs\n"));
    }
    assert!(registry.manifest("1.0.0_build.5").is_some() && registry.manifest("2024_01").is_some());
    bed.run("run acme/tool@latest").succeeds().prints("acme/tool@1.0.0+build.5 runs\n");
    bed.run("run acme/tool@3")
        .refuses(2, &["there is no version `3` of `acme/tool`", "it has: 1.0.0+build.5, 2024_01"]);
}

#[test]
fn the_latest_is_the_highest_version_among_the_tags() {
    for page in [0, 2] {
        let registry = Registry::start(Habits { page, ..Habits::default() });
        let bed = bed(&registry);
        for version in ["1.10.0", "1.9.0", "1.10.0-rc.1", "nightly", "0.99.0"] {
            publish(&bed, &registry, &format!("acme/tool@{version}")).succeeds();
        }
        let signed = format!("sha256-{}", "f".repeat(64));
        let other = serde_json::json!({"mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []});
        for tag in ["latest", &signed, &format!("{signed}.sig"), "_9.9.9", "zzz"] {
            registry.put_tagged(REPOSITORY, tag, &other);
        }
        bed.run("run acme/tool@latest").succeeds().prints("acme/tool@1.10.0 runs\n");
        // A bundle's digest is found among them, whatever else is there.
        let bundle = registry.manifest("0.99.0").unwrap()["layers"][0]["digest"].as_str().unwrap().to_owned();
        bed.run(&format!("run acme/tool@{bundle}")).succeeds().prints("acme/tool@0.99.0 runs\n");
        registry.remove_tag(REPOSITORY, "1.10.0");
        bed.run("run acme/tool@latest").succeeds().prints("acme/tool@1.10.0-rc.1 runs\n");
    }
}

#[test]
fn what_is_missing_is_said_with_what_there_is() {
    let (bed, registry) = with_package(Habits::default());
    for number in 0..12 {
        publish(&bed, &registry, &format!("acme/many@0.{number}.0")).succeeds();
    }
    let nobody = format!("acme/tool@{}", crate::digest(b"nothing"));
    bed.run(&format!("run {nobody}")).refuses(2, &["there is no version `sha256:", "it has: 1.0.0"]);
    bed.run("run acme/many@9.0.0").refuses(2, &["it has: 0.11.0, 0.10.0, 0.9.0, ", ", 0.2.0 and 2 more"]);
    for reference in ["acme/gone@1.0.0", "acme/gone@latest", &nobody.replace("tool", "gone")] {
        bed.run(&format!("run {reference}"))
            .refuses(2, &["there is no package `acme/gone`", "smcp login --registry oci://127.0.0.1:"]);
    }
    publish(&bed, &registry, "acme/named@nightly").succeeds();
    bed.run("run acme/named@latest").refuses(2, &["`latest` is the highest SemVer among its tags", "it has: nightly"]);
    bed.try_publish_in("oci://127.0.0.1:1/mcp", &package("acme/tool@1.0.0")).refuses(2, &["can't be reached"]);
    for (text, says) in [
        ("oci://127.0.0.1:1/Upper", "a repository is lower-case"),
        ("oci://127.0.0.1:1/mcp:1", "the prefix has none"),
        ("oci://me:hunter2@r.example/mcp", "user name or a password"),
        ("oci:///mcp", "it names no host"),
    ] {
        let ran = bed.try_publish_in(text, &package("acme/tool@1.0.0")).refuses(1, &["is not a registry: ", says]);
        assert!(!ran.stderr.contains("hunter2"), "{ran}");
    }
}

/// A digest is looked for in so many versions; that of the image is found by the registry itself.
#[test]
fn a_digest_is_looked_for_within_bounds() {
    let (bed, registry) = with_package(Habits::default());
    let image = registry.manifest("1.0.0").unwrap();
    let bundle = image["layers"][0]["digest"].as_str().unwrap();
    let other = serde_json::json!({"mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []});
    (0..300).for_each(|number| drop(registry.put_tagged(REPOSITORY, &format!("2.{number}.0"), &other)));
    let before = registry.lines().len();
    bed.run(&format!("run acme/tool@{bundle}"))
        .refuses(2, &["the highest 256 versions were looked through: name the version, or the digest of the image"]);
    assert!(registry.lines().len() - before < 262, "{}", registry.lines().len() - before);
    let digest = crate::digest(image.to_string().as_bytes());
    bed.run(&format!("run acme/tool@{digest}")).succeeds().prints("acme/tool@1.0.0 runs\n");
}
