//! `smcp policy push`: what is sent, and how.

use serde_json::Value;

use crate::bed::TestBed;
use crate::component;
use crate::digest;
use crate::server::Habits;
use crate::server::Registry;
use crate::server::Reply;
use smcp_oci::Descriptor;

/// A home with the component.
fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.write("no_network.wasm", component());
    bed
}

fn push(bed: &TestBed, registry: &Registry) -> crate::bed::Ran {
    bed.run(&format!("policy push no_network.wasm {}", registry.oci("policies/a:1")))
}

/// The methods of the requests, in their order.
fn methods(registry: &Registry) -> Vec<String> {
    registry.requests().into_iter().map(|request| request.method).collect()
}

#[test]
fn the_artefact_is_that_of_the_community() {
    let (bed, registry) = (bed(), Registry::start(Habits::default()));
    let ran = bed.run(&format!("--json policy push no_network.wasm {}", registry.oci("policies/a:1"))).succeeds();
    let document = ran.document();
    assert_eq!((&document["schema"], &document["sent"]), (&"smcp.push/1".into(), &true.into()));
    assert_eq!(document["digest"], digest(&component()).as_str());
    let manifest = registry.manifest("1").unwrap();
    assert_eq!(manifest, registry.manifest(document["manifest"].as_str().unwrap()).unwrap());
    assert_eq!(manifest["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
    let layers = manifest["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 1);
    assert_eq!((&layers[0]["mediaType"], &layers[0]["digest"]), (&"application/wasm".into(), &document["digest"]));
    assert_eq!(registry.blob(layers[0]["digest"].as_str().unwrap()).unwrap(), component());
    let config = registry.blob(manifest["config"]["digest"].as_str().unwrap()).unwrap();
    let config: Value = serde_json::from_slice(&config).unwrap();
    assert_eq!((&config["architecture"], &config["os"]), (&"wasm".into(), &"wasip2".into()));
    assert_eq!(config["layerDigests"][0], document["digest"]);
    assert_eq!(config["component"]["exports"][0], "smcp:policy/evaluator@0.1.0");
    // What is there is not sent again, and the artefact is the same.
    let before = registry.requests().len();
    let again = bed.run(&format!("--json policy push no_network.wasm {}", registry.oci("policies/a:1"))).succeeds();
    assert_eq!((&again.document()["manifest"], &again.document()["sent"]), (&document["manifest"], &false.into()));
    assert_eq!(methods(&registry)[before..], ["HEAD", "HEAD", "PUT"]);
    bed.run(&format!("policy pull {} --output back.wasm", registry.oci("policies/a:1"))).succeeds();
    assert_eq!(std::fs::read(bed.path("back.wasm")).unwrap(), component());
}

#[test]
fn only_a_policy_is_pushed_and_only_to_a_tag() {
    let (bed, registry) = (bed(), Registry::start(Habits::default()));
    bed.write("other.wasm", "no component");
    let reference = registry.oci("policies/a:1");
    bed.run(&format!("policy push other.wasm {reference}")).refuses(1, &["is not a policy that can be used"]);
    bed.run(&format!("policy push gone.wasm {reference}")).refuses(1, &["while reading gone.wasm"]);
    bed.run(&format!("policy push no_network.wasm {reference}@{}", digest(b"x"))).refuses(1, &["name a tag"]);
    bed.run("policy push no_network.wasm ghcr.io/a:1").refuses(1, &["it does not begin with oci://"]);
    assert_eq!(registry.connections(), 0);
}

#[test]
fn a_blob_goes_in_the_way_that_the_registry_takes() {
    // Most take one request; a proxy before one may take no body of that size; few take no pieces.
    for (habits, expected) in [
        (Habits::default(), vec!["HEAD", "POST", "PUT", "HEAD", "POST", "PUT", "PUT"]),
        (Habits { absolute: true, ..Habits::default() }, vec!["HEAD", "POST", "PUT", "HEAD", "POST", "PUT", "PUT"]),
        (
            Habits { refuses_pieces: true, ..Habits::default() },
            vec!["HEAD", "POST", "PUT", "HEAD", "POST", "PUT", "PUT"],
        ),
    ] {
        let (bed, registry) = (bed(), Registry::start(habits));
        push(&bed, &registry).succeeds();
        assert_eq!(methods(&registry), expected);
        assert_eq!(registry.blob(&digest(&component())).unwrap(), component());
    }
    // A registry that takes a blob by no request of its whole gets it in pieces.
    let (bed, registry) = (bed(), Registry::start(Habits::default()));
    registry.script("PUT /v2/policies/a/blobs/uploads/", vec![Reply::with(405, &[], "")]);
    push(&bed, &registry).succeeds();
    assert_eq!(methods(&registry)[..6], ["HEAD", "POST", "PUT", "POST", "PATCH", "PUT"]);
    // One that takes none at all says why, once for each way.
    let (bed, registry) =
        (self::bed(), Registry::start(Habits { longest_body: Some(0), refuses_pieces: true, ..Habits::default() }));
    push(&bed, &registry).refuses(2, &["answers with status 413", "size_invalid"]);
    assert_eq!(registry.manifest("1"), None);
}

#[test]
fn a_registry_that_fails_in_the_middle_has_no_tag() {
    for (line, replies, says) in [
        ("POST /v2/policies/a/blobs/uploads/", vec![Reply::with(202, &[], "")], "no `location` for the blob"),
        ("POST /v2/policies/a/blobs/uploads/", vec![Reply::with(404, &[], "")], "is not there"),
        (
            "POST /v2/policies/a/blobs/uploads/",
            vec![Reply::with(403, &[], "")],
            "does not let anybody whom it does not know write",
        ),
        ("PUT /v2/policies/a/blobs/uploads/", vec![Reply::Cut(Vec::new()); 4], "can't be reached (asked once)"),
        ("PUT /v2/policies/a/blobs/uploads/", vec![Reply::with(500, &[], ""); 4], "can't answer now (asked once)"),
        ("PUT /v2/policies/a/manifests/", vec![Reply::with(400, &[], "")], "answers with status 400"),
        (
            "PUT /v2/policies/a/manifests/",
            vec![Reply::with(307, &[("location", "/elsewhere")], "")],
            "what is sent goes to the server itself",
        ),
        (
            "PUT /v2/policies/a/manifests/",
            vec![Reply::with(201, &[("docker-content-digest", &format!("sha256:{}", "0".repeat(64)))], "")],
            "as it was stored is not what its digest promises",
        ),
    ] {
        let (bed, registry) = (bed(), Registry::start(Habits::default()));
        registry.script(line, replies);
        let code = if says.contains("digest") { 3 } else { 2 };
        push(&bed, &registry).refuses(code, &[says]);
        assert_eq!(registry.manifest("1"), None, "{says}");
    }
    // What was too much at its moment was not done, so it is done again.
    let (bed, registry) = (bed(), Registry::start(Habits::default()));
    registry.script("PUT /v2/policies/a/blobs/uploads/", [Reply::with(429, &[("retry-after", "0")], "")]);
    push(&bed, &registry).succeeds();
}

/// The place of an upload is the registry's to name. What proves who asks goes to the registry itself.
#[test]
fn a_place_elsewhere_gets_the_bytes_and_no_log_in() {
    let storage = Registry::start(Habits::default());
    let registry = Registry::start(Habits {
        gate: Some(crate::server::Gate::Basic("Basic bWU6aHVudGVyMg==".to_owned())),
        ..Habits::default()
    });
    let bed = bed();
    bed.smcp(&format!("login --registry {} --username me --token -", registry.oci("")))
        .input("hunter2")
        .run()
        .succeeds();
    let place = storage.url("v2/policies/a/blobs/uploads/7");
    registry.script("POST /v2/policies/a/blobs/uploads/", []);
    storage.script("PUT /v2/policies/a/blobs/uploads/7", vec![Reply::with(201, &[], ""); 2]);
    let moved = Reply::with(202, &[("location", &place)], "");
    let challenge = Reply::with(401, &[("www-authenticate", "Basic realm=x")], "");
    registry.script("HEAD /v2/policies/a/blobs/", [challenge, Reply::with(404, &[], "")]);
    registry.script("POST /v2/policies/a/blobs/uploads/", vec![moved; 2]);
    // The registry does not know the blobs in the end, which are on the storage of this test.
    push(&bed, &registry).refuses(2, &["is not there"]);
    let sent = storage.requests();
    assert_eq!(sent.len(), 2);
    assert!(sent.iter().all(|request| request.header("authorization").is_none()), "{sent:?}");
    assert_eq!(sent[1].body, component());
}

/// What a client of the library sends of a long blob.
#[test]
fn a_long_blob_goes_in_pieces_where_they_are_taken() {
    let bytes: Vec<u8> = (0..20_u32 << 20).map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[2]).collect();
    let pieces = vec!["HEAD", "POST", "PATCH", "PATCH", "PATCH", "PUT"];
    for (habits, expected) in [
        (Habits::default(), pieces.clone()),
        (Habits { absolute: true, longest_body: Some(8 << 20), ..Habits::default() }, pieces),
        (Habits { least_piece: Some(12 << 20), ..Habits::default() }, vec!["HEAD", "POST", "PATCH", "PATCH", "PUT"]),
        (Habits { refuses_pieces: true, ..Habits::default() }, vec!["HEAD", "POST", "PATCH", "POST", "PUT"]),
    ] {
        let registry = Registry::start(habits);
        let (client, _) = crate::referrers::client(&registry);
        let blob = Descriptor::of("application/wasm", &bytes);
        assert!(client.push_blob(&blob, &bytes, &crate::referrers::soon()).unwrap());
        assert_eq!(methods(&registry), expected);
        assert!(registry.blob(&blob.digest.to_string()).unwrap() == bytes);
        assert!(!client.push_blob(&blob, &bytes, &crate::referrers::soon()).unwrap(), "it is there");
    }
}
