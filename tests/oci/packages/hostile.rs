//! Registries that swap, lie, lead astray and never end, with a package.

use serde_json::Value;
use serde_json::json;

use crate::bed::TestBed;
use crate::packages::REPOSITORY;
use crate::packages::text;
use crate::packages::with_package;
use crate::server::Habits;
use crate::server::Registry;
use crate::server::Reply;

/// Checks that nothing came of it: nothing ran, and no bytes stayed but those of the manifest document.
#[track_caller]
fn nothing_came_of_it(bed: &TestBed, registry: &Registry) {
    let document = registry.manifest("1.0.0").map(|image| text(&image["config"]["digest"]).replace(':', "-"));
    let kept = bed.list(".mcp/cache/blobs");
    assert!(kept.iter().all(|name| Some(name) == document.as_ref()), "{kept:?}");
    assert_eq!(bed.list(".mcp/cache/resolutions"), [""; 0]);
}

#[test]
fn bytes_in_the_place_of_others_are_not_taken() {
    let evil = crate::digest(b"evil");
    type Line = fn(&Value) -> String;
    let bundle: Line = |image| format!("GET /v2/{REPOSITORY}/blobs/{}", text(&image["layers"][0]["digest"]));
    let document: Line = |image| format!("GET /v2/{REPOSITORY}/blobs/{}", text(&image["config"]["digest"]));
    let tag: Line = |_| format!("GET /v2/{REPOSITORY}/manifests/1.0.0");
    let long = (100_u64 * 1024 * 1024 + 1).to_string();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {long}\r\nconnection: close\r\n\r\n").into_bytes();
    let endless = |kind: &str| {
        Reply::Endless(
            format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n").into_bytes(),
            vec![b' '; 65536],
        )
    };
    let cases: [(&str, Line, Reply, i32, &str); 9] = [
        ("another bundle", bundle, Reply::with(200, &[], b"evil"), 3, "is not what its digest promises"),
        ("another document", document, Reply::with(200, &[], b"{}"), 3, "is not what its digest promises"),
        ("a document without end", document, endless("application/json"), 3, "is longer than [SIZE] bytes"),
        ("a bundle that is too long", bundle, Reply::Cut(head), 3, "is longer than [SIZE] bytes"),
        ("a bundle that is not there", bundle, Reply::with(404, &[], ""), 2, "names a bundle that it does not have"),
        (
            "a bundle that is refused",
            bundle,
            Reply::with(403, &[], ""),
            2,
            "does not let anybody whom it does not know",
        ),
        (
            "a lie about a digest",
            tag,
            Reply::with(200, &[("docker-content-digest", &evil)], b"{}"),
            3,
            "is not what its digest promises",
        ),
        ("a manifest without end", tag, endless("application/json"), 3, "has more than [SIZE] bytes"),
        ("a web page", tag, Reply::with(200, &[("content-type", "text/html")], "<html>"), 2, "web page"),
    ];
    for (name, line, reply, code, says) in cases {
        let (bed, registry) = with_package(Habits::default());
        registry.script(&line(&registry.manifest("1.0.0").unwrap()), [reply]);
        let ran = bed.run("run acme/tool@1.0.0");
        assert_eq!(ran.code, code, "{name}: {ran}");
        assert!(ran.stderr.contains(says) && ran.stdout.is_empty(), "{name}: {ran}");
        nothing_came_of_it(&bed, &registry);
    }
    // A digest is that of the bytes, whatever the registry says about it.
    let (bed, registry) = with_package(Habits::default());
    let digest = crate::digest(registry.manifest("1.0.0").unwrap().to_string().as_bytes());
    let forged = Reply::with(200, &[("docker-content-digest", &digest)], b"{}");
    registry.script(&format!("GET /v2/{REPOSITORY}/manifests/{digest}"), [forged]);
    bed.run(&format!("run acme/tool@{digest}")).refuses(3, &["is not what its digest promises"]);
}

#[test]
fn what_is_no_package_is_refused_by_name() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 8] = [
        (
            |it| it["layers"] = json!([it["layers"][0], it["layers"][0]]),
            "it has 2 layers\n  expected exactly one layer, the bundle",
        ),
        (|it| it["layers"] = json!([]), "it has 0 layers"),
        (
            |it| it["layers"][0]["mediaType"] = json!("application/vnd.oci.image.layer.v1.tar+gzip"),
            "its layer is `application/vnd.oci.image.layer",
        ),
        (
            |it| it["config"]["mediaType"] = json!("application/vnd.oci.image.config.v1+json"),
            "its configuration is `application/vnd.oci.image.config.v1+json`",
        ),
        (|it| it["artifactType"] = json!("application/vnd.wasm"), "it is of the kind `application/vnd.wasm`"),
        (|it| drop(it.as_object_mut().unwrap().remove("artifactType")), "it does not say of which kind it is"),
        (
            |it| it["mediaType"] = json!("application/vnd.oci.image.index.v1+json"),
            "it is `application/vnd.oci.image.index.v1+json`",
        ),
        (|it| it["layers"][0]["size"] = json!(7), "the bundle's size in the registry's answer"),
    ];
    for (change, says) in cases {
        let (bed, registry) = with_package(Habits::default());
        let mut image = registry.manifest("1.0.0").unwrap();
        change(&mut image);
        registry.remove_tag(REPOSITORY, "1.0.0");
        registry.put_tagged(REPOSITORY, "1.0.0", &image);
        for selector in ["1.0.0", "latest"] {
            bed.run(&format!("run acme/tool@{selector}")).refuses(3, &[says]);
        }
        assert_eq!(bed.list(".mcp/cache/resolutions"), [""; 0]);
    }
}

#[test]
fn a_manifest_document_is_about_the_package_that_was_asked_for() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 3] = [
        (|it| it["package"]["id"] = json!("acme/other"), "`package.id` in the manifest is `acme/other`"),
        (|it| it["package"]["version"] = json!("1.0.1"), "`package.version` in the manifest is `1.0.1`"),
        (|it| it["bundle"] = json!({"digest": crate::digest(b"other")}), "`bundle.digest` in the manifest"),
    ];
    for (change, says) in cases {
        let (bed, registry) = with_package(Habits::default());
        let mut image = registry.manifest("1.0.0").unwrap();
        let document = registry.blob(text(&image["config"]["digest"])).unwrap();
        let mut document: Value = serde_json::from_slice(&document).unwrap();
        change(&mut document);
        image["config"] = registry.put_blob(text(&image["config"]["mediaType"]), document.to_string().as_bytes());
        let digest = registry.put_tagged(REPOSITORY, "1.0.0", &image);
        for selector in ["1.0.0", "latest"] {
            bed.run(&format!("run acme/tool@{selector}")).refuses(3, &["identity mismatch", says]);
        }
        // The image names another version of its own; what is asked for by its digest is still of this package.
        if !says.contains("version") {
            bed.run(&format!("run acme/tool@{digest}")).refuses(3, &["identity mismatch", says]);
        }
        assert_eq!(bed.list(".mcp/cache/resolutions"), [""; 0]);
    }
    // A repository with the image of another: both are named.
    let (bed, registry) = with_package(Habits::default());
    let image = registry.manifest("1.0.0").unwrap();
    registry.put_tagged("mcp/acme/twin", "1.0.0", &image);
    bed.run("run acme/twin@1.0.0").refuses(3, &["acme/tool", "acme/twin"]);
}

#[test]
fn lists_have_an_end_and_stay_at_home() {
    let page = |link: &str, body: String| Reply::with(200, &[("link", link)], body);
    let tags = |count: usize| json!({"tags": (0..count).map(|it| format!("0.0.{it}")).collect::<Vec<_>>()}).to_string();
    let more = r#"</v2/mcp/acme/tool/tags/list?n=1>; rel="next""#;
    let cases = [
        (vec![page(more, tags(10_000)); 20], "has more than 100000 entries, the most that are read"),
        (
            vec![page(r#"<https://evil.example/v2/x>; rel="next""#, tags(1))],
            "its next page is `https://evil.example/v2/x`",
        ),
        (vec![Reply::with(200, &[], b"[1, 2")], "a document that can't be read"),
        (vec![Reply::with(200, &[], vec![b' '; (4 << 20) + 1])], "has more than [SIZE] bytes"),
        (vec![Reply::with(403, &[], "")], "does not let anybody whom it does not know"),
    ];
    for (replies, says) in cases {
        let (bed, registry) = with_package(Habits::default());
        let most = replies.len();
        registry.script("GET /v2/mcp/acme/tool/tags/list", replies);
        let ran = bed.run("run acme/tool@latest");
        assert!([2, 3].contains(&ran.code) && ran.stderr.contains(says) && ran.stdout.is_empty(), "{says}: {ran}");
        let asked = registry.lines().iter().filter(|line| line.contains("/tags/list")).count();
        assert!(asked <= most, "{asked}");
    }
}

#[test]
fn storage_may_be_elsewhere_and_not_anywhere() {
    let storage = Registry::start(Habits::default());
    let (bed, registry) = with_package(Habits::default());
    let image = registry.manifest("1.0.0").unwrap();
    for part in [&image["config"], &image["layers"][0]] {
        storage.put_blob("", &registry.blob(text(&part["digest"])).unwrap());
    }
    registry.habits(|it| it.storage = Some(storage.url("").trim_end_matches('/').to_owned()));
    bed.run("run acme/tool@1.0.0").succeeds().prints("acme/tool@1.0.0 runs\n");
    assert!(storage.lines().iter().all(|line| line.starts_with("GET /files/sha256:")), "{:?}", storage.lines());
    for place in ["http://169.254.169.254/latest", "http://r.example", "ftp://r.example", "https://169.254.169.254"] {
        bed.run("cache rm --all").succeeds();
        registry.habits(|it| it.storage = Some(place.to_owned()));
        let ran = bed.run("run acme/tool@1.0.0").exits(2);
        assert!(ran.stdout.is_empty() && !ran.stderr.contains("signature=secret"), "{place}: {ran}");
        nothing_came_of_it(&bed, &registry);
    }
}
