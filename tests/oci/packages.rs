//! Packages in a registry of images: published, found, run, listed; and what such a registry can't have.

mod attached;
mod hostile;
mod names;
mod outages;
mod signed;

use serde_json::Value;

use crate::bed::Package;
use crate::bed::Ran;
use crate::bed::TestBed;
use crate::server::Gate;
use crate::server::Habits;
use crate::server::Registry;

/// The repository of the package that most tests have.
const REPOSITORY: &str = "mcp/acme/tool";

/// A home whose registry is a prefix in this one.
fn bed(registry: &Registry) -> TestBed {
    let bed = TestBed::new();
    configure(&bed, registry, "");
    bed
}

fn configure(bed: &TestBed, registry: &Registry, more: &str) {
    bed.write(".mcp/config.yaml", format!("registry_url: {}\n{more}", registry.oci("mcp")));
}

fn publish(bed: &TestBed, registry: &Registry, reference: &str) -> Ran {
    bed.try_publish_in(&registry.oci("mcp"), &package(reference))
}

fn package(reference: &str) -> Package {
    Package::shell(reference, &format!("echo {reference} runs"))
}

/// A registry with one package in one version, and a home for it.
fn with_package(habits: Habits) -> (TestBed, Registry) {
    let registry = Registry::start(habits);
    let bed = bed(&registry);
    publish(&bed, &registry, "acme/tool@1.0.0").succeeds();
    (bed, registry)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn a_package_is_an_image_with_its_manifest_and_its_bundle() {
    let registry = Registry::start(Habits::default());
    let bed = bed(&registry);
    let published = publish(&bed, &registry, "acme/tool@1.0.0").succeeds();
    let image = registry.manifest("1.0.0").unwrap();
    assert_eq!(image["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(image["artifactType"], "application/vnd.mcp-hub.package.v1");
    assert_eq!(image["config"]["mediaType"], "application/vnd.mcp-hub.manifest.v1+json");
    let layers = image["layers"].as_array().unwrap();
    assert_eq!((layers.len(), text(&layers[0]["mediaType"])), (1, "application/vnd.mcp-hub.bundle.v1.tar+gzip"));
    let document: Value = serde_json::from_slice(&registry.blob(text(&image["config"]["digest"])).unwrap()).unwrap();
    assert_eq!((&document["package"]["id"], &document["certification"]), (&"acme/tool".into(), &Value::Null));
    // Nothing is visible before all of it is there.
    let writes: Vec<String> = registry.lines().into_iter().filter(|line| line.starts_with("PUT ")).collect();
    assert_eq!(writes.len(), 4, "{writes:?}");
    assert!(writes[2].starts_with("PUT /v2/mcp/acme/tool/manifests/sha256:"), "{writes:?}");
    assert_eq!(writes[3], "PUT /v2/mcp/acme/tool/manifests/1.0.0");
    assert!(writes[..2].iter().all(|line| line.contains("/blobs/uploads/")), "{writes:?}");
    let digest = crate::digest(image.to_string().as_bytes());
    assert!(registry.manifest(&digest).is_some());
    published.says(&["acme/tool@1.0.0 is published", "image"]);
    // The same again is the same; other contents are another version.
    publish(&bed, &registry, "acme/tool@1.0.0").succeeds().says(&["is there already, with the same bytes"]);
    let other = package("acme/tool@1.0.0").file("more.txt", "more", 0o644);
    bed.try_publish_in(&registry.oci("mcp"), &other)
        .refuses(1, &["is published already, with other contents", "publish it under a new version"]);
    assert_eq!(registry.manifest("1.0.0").unwrap(), image);
}

#[test]
fn every_command_finds_a_package_by_each_of_its_names() {
    let (bed, registry) = with_package(Habits::default());
    let image = registry.manifest("1.0.0").unwrap();
    let (bundle, document) = (text(&image["layers"][0]["digest"]), text(&image["config"]["digest"]));
    let digest = crate::digest(image.to_string().as_bytes());
    for selector in ["1.0.0", "latest", bundle, document, &digest] {
        let reference = format!("acme/tool@{selector}");
        bed.run("cache rm --all").succeeds();
        let info = bed.run(&format!("--json info {reference}")).succeeds().document();
        assert_eq!(info["package"], "acme/tool@1.0.0", "{info}");
        assert!(info.to_string().contains(bundle), "{info}");
        bed.run(&format!("pull {reference}")).succeeds();
        bed.run(&format!("run {reference}")).succeeds().prints("acme/tool@1.0.0 runs\n");
        bed.run(&format!("run --dry-run {reference}")).succeeds();
        let decision = bed.run(&format!("--json policy check {reference}")).succeeds().document();
        let facts = &decision["facts"];
        assert_eq!((&facts["origin"], &facts["score"], &facts["status"]), (&Value::Null, &Value::Null, &Value::Null));
        assert!(text(&facts["registry"]).ends_with("/mcp"), "{facts}");
    }
    // What is cached is not asked for again: one question for the version.
    let before = registry.lines().len();
    bed.run("run acme/tool@1.0.0").succeeds().prints("acme/tool@1.0.0 runs\n");
    assert_eq!(registry.lines()[before..], ["GET /v2/mcp/acme/tool/manifests/1.0.0"]);
    let doctor = bed.run("doctor");
    assert!(doctor.stdout.contains("/mcp answers"), "{doctor}");
}

/// Whoever may write to the registry has written what stands in it.
#[test]
fn a_registry_of_images_states_no_facts() {
    let (bed, registry) = with_package(Habits::default());
    for (option, value) in [
        ("--origin", "official"),
        ("--cert-level", "3"),
        ("--score", "90"),
        ("--findings", "0,0,0,0"),
        ("--status", "deprecated"),
    ] {
        let stated = package("acme/tool@2.0.0").option(option, value);
        let words = ["facts are signed statements", "with --sign KEY, or leave out --origin"];
        bed.try_publish_in(&registry.oci("mcp"), &stated).refuses(1, &words);
    }
    assert_eq!(registry.manifest("2.0.0"), None);
    let mut image = registry.manifest("1.0.0").unwrap();
    let document = registry.blob(text(&image["config"]["digest"])).unwrap();
    let mut document: Value = serde_json::from_slice(&document).unwrap();
    document["certification"] = serde_json::json!({"level": 3, "score": 100});
    image["config"] = registry.put_blob(text(&image["config"]["mediaType"]), document.to_string().as_bytes());
    registry.put_tagged(REPOSITORY, "1.0.0", &image);
    configure(&bed, &registry, "policy: {min_score: 50}\n");
    let ran = bed.run("--json policy check acme/tool@1.0.0").exits(4);
    let decision = ran.document();
    assert_eq!(decision["facts"]["score"], Value::Null);
    assert!(
        decision["notices"].to_string().contains("`certification` in the manifest counts for nothing"),
        "{decision}"
    );
}

#[test]
fn packages_are_listed_where_the_registry_lists_its_repositories() {
    for page in [0, 1] {
        let (bed, registry) = with_package(Habits { catalog: true, page, ..Habits::default() });
        for reference in
            ["acme/tool@1.10.0", "acme/tool@1.9.0", "acme/tool@2.0.0-rc.1", "a-b/x@nightly", "acme/a@0.1.0+b"]
        {
            publish(&bed, &registry, reference).succeeds();
        }
        bed.try_publish_in(&registry.oci("other"), &package("acme/foreign@1.0.0")).succeeds();
        bed.try_publish_in(&registry.oci("mcpx"), &package("acme/foreign@1.0.0")).succeeds();
        let line = format!("--json registry list --registry {}", registry.oci("mcp"));
        let listed = bed.run(&line).succeeds().document();
        let packages = listed["packages"].as_array().unwrap();
        let shown: Vec<_> = packages.iter().map(|it| (text(&it["package"]), it["latest_version"].as_str())).collect();
        let expected = [("a-b/x", None), ("acme/a", Some("0.1.0+b")), ("acme/tool", Some("2.0.0-rc.1"))];
        assert_eq!(shown, expected);
        let all = bed.run(&format!("--json registry list --registry {}", registry.oci(""))).succeeds().document();
        assert_eq!(all["packages"], serde_json::json!([]), "a name has two parts below the prefix");
    }
    let (bed, registry) = with_package(Habits::default());
    bed.run(&format!("registry list --registry {}", registry.oci("mcp")))
        .refuses(2, &["does not list its repositories", "can be used by their names all the same"]);
    bed.run("registry list --registry https://r.example")
        .refuses(1, &["only a directory, a registry of images and one like the official MCP registry"]);
}

#[test]
fn a_log_in_opens_a_closed_registry() {
    let basic = Gate::Basic("Basic bWU6aHVudGVyMg==".to_owned());
    for is_token in [false, true] {
        let registry = Registry::start(Habits { catalog: true, ..Habits::default() });
        let realm = registry.url("token");
        registry.habits(|it| {
            it.gate = Some(if is_token { Gate::Token { realm, token: "granted".to_owned() } } else { basic.clone() });
            it.grants = Some(("granted".to_owned(), Some("Basic bWU6aHVudGVyMg==".to_owned())));
        });
        let bed = bed(&registry);
        let (who, list) =
            ("does not let anybody whom it does not know", format!("registry list --registry {}", registry.oci("mcp")));
        publish(&bed, &registry, "acme/tool@1.0.0").refuses(2, &[who, "smcp login --registry oci://127.0.0.1"]);
        bed.run("run acme/tool@1.0.0").refuses(2, &[who, "read mcp/acme/tool"]);
        bed.run(&list).refuses(2, &[who, "list its repositories"]);
        // The configured registry is meant without a name.
        bed.smcp("login --username me --token -").input("hunter2\n").run().succeeds();
        publish(&bed, &registry, "acme/tool@1.0.0").succeeds();
        bed.run("run acme/tool@latest").succeeds().prints("acme/tool@1.0.0 runs\n");
        bed.run(&list).succeeds();
        let doctor = bed.run("doctor");
        assert!(doctor.stdout.contains("there is one for this registry"), "{doctor}");
        assert!(doctor.stdout.contains("/mcp answers"), "{doctor}");
        let scopes: Vec<_> = registry.lines().into_iter().filter(|line| line.starts_with("GET /token")).collect();
        let asked = |scope: &str| scopes.iter().any(|line| line.ends_with(scope));
        assert_eq!(is_token, asked("scope=repository%3Amcp%2Facme%2Ftool%3Apull"), "{scopes:?}");
        assert_eq!(is_token, asked("scope=registry%3Acatalog%3A%2A"), "{scopes:?}");
        bed.run("logout").succeeds().says(&["logged out of oci://127.0.0.1:"]);
        bed.run("run acme/tool@1.0.0").refuses(2, &[who]);
    }
}

#[test]
fn a_client_is_told_of_the_registry_as_it_is_written() {
    let (bed, registry) = with_package(Habits::default());
    let ran =
        bed.run(&format!("mcp-config --client claude-desktop --registry {} acme/tool@1.0.0", registry.oci("mcp")));
    assert!(ran.raw.contains(&registry.oci("mcp")), "{ran}");
}
