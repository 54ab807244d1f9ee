//! Registries that lie, break off, redirect, and never end.

use serde_json::Value;
use serde_json::json;

use crate::bed;
use crate::bed::TestBed;
use crate::component;
use crate::digest;
use crate::server::Habits;
use crate::server::Registry;
use crate::server::Reply;

/// Pulls from a registry in a separate home.
fn pull(registry: &Registry) -> (TestBed, crate::bed::Ran) {
    let bed = TestBed::new();
    let ran = bed.run(&format!("policy pull {} --output out.wasm", registry.oci("policies/a:1")));
    (bed, ran)
}

/// Checks that nothing came of it: no file, nothing in the cache.
#[track_caller]
fn nothing_came_of_it(bed: &TestBed, name: &str) {
    assert!(!bed.has("out.wasm"), "{name}");
    assert_eq!(bed.list(".mcp/cache/sources"), [""; 0], "{name}");
    assert_eq!(bed.list(".mcp/cache/blobs"), [""; 0], "{name}");
}

#[test]
fn what_is_not_what_its_digest_says_is_not_taken() {
    let component = component();
    let (blob, evil) = (digest(&component), digest(b"evil"));
    let ok = |headers: &[(&str, &str)], body: &[u8]| Reply::with(200, headers, body);
    let cases: Vec<(&str, String, Reply, &str)> = vec![
        (
            "another blob",
            format!("GET /v2/policies/a/blobs/{blob}"),
            ok(&[], b"evil"),
            "is not what its digest promises",
        ),
        (
            "a shorter blob",
            format!("GET /v2/policies/a/blobs/{blob}"),
            ok(&[], &component[1..]),
            "is not what its digest promises",
        ),
        ("an empty blob", format!("GET /v2/policies/a/blobs/{blob}"), ok(&[], b""), "is not what its digest promises"),
        (
            "a manifest that the registry means otherwise",
            "GET /v2/policies/a/manifests/1".to_owned(),
            ok(&[("docker-content-digest", &evil)], b"{}"),
            "the manifest of oci://127.0.0.1",
        ),
    ];
    for (name, line, reply, says) in cases {
        let registry = Registry::start(Habits::default());
        registry.put_component("1", &component);
        registry.script(&line, [reply]);
        let (bed, ran) = pull(&registry);
        ran.refuses(3, &[says, "expected sha256:", "found    sha256:"]);
        nothing_came_of_it(&bed, name);
    }
    // A digest in the reference is that of the manifest, whatever the registry says about it.
    let registry = Registry::start(Habits::default());
    let manifest = registry.put_component("1", &component);
    let other = registry.component_manifest(b"\0asm other").to_string();
    registry.script(
        &format!("GET /v2/policies/a/manifests/{manifest}"),
        [ok(&[("docker-content-digest", &manifest)], other.as_bytes())],
    );
    let bed = TestBed::new();
    bed.run(&format!("policy pull {}@{manifest}", registry.oci("policies/a")))
        .refuses(3, &["is not what its digest promises"]);
    nothing_came_of_it(&bed, "another manifest");
}

#[test]
fn what_is_no_artefact_of_a_component_is_refused_by_name() {
    let component = component();
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 5] = [
        (
            |it| it["layers"] = json!([it["layers"][0], it["layers"][0]]),
            "it has 2 layers\n  expected exactly one layer",
        ),
        (
            |it| it["config"]["mediaType"] = json!("application/vnd.oci.image.config.v1+json"),
            "its configuration is `application/vnd.oci.image.config.v1+json`",
        ),
        (
            |it| it["layers"][0]["mediaType"] = json!("application/vnd.oci.image.layer.v1.tar+gzip"),
            "its layer is `application/vnd.oci.image.layer",
        ),
        (
            |it| it["mediaType"] = json!("application/vnd.docker.distribution.manifest.v2+json"),
            "it is `application/vnd.docker.distribution.manifest.v2+json`",
        ),
        (|it| it["layers"][0]["size"] = json!(7), "its manifest says that it has [SIZE] bytes"),
    ];
    for (change, says) in cases {
        let registry = Registry::start(Habits::default());
        let mut document = registry.component_manifest(&component);
        change(&mut document);
        registry.put_manifest("1", &document);
        let (bed, ran) = pull(&registry);
        ran.refuses(3, &[says]);
        nothing_came_of_it(&bed, says);
    }
}

#[test]
fn answers_have_an_end() {
    let blob = digest(&component());
    let (manifest_line, blob_line) =
        ("GET /v2/policies/a/manifests/1".to_owned(), format!("GET /v2/policies/a/blobs/{blob}"));
    let head = |more: &str| format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{more}\r\n").into_bytes();
    let cases = vec![
        (
            "an endless manifest",
            manifest_line.clone(),
            Reply::Endless(head(""), vec![b' '; 65536]),
            3,
            "has more than [SIZE] bytes",
        ),
        (
            "a manifest that says it is long",
            manifest_line.clone(),
            Reply::Cut(head("content-length: 9999999999\r\n")),
            3,
            "has more than [SIZE] bytes",
        ),
        (
            "an endless blob",
            blob_line.clone(),
            Reply::Endless(head(""), vec![0; 65536]),
            3,
            "has more than [SIZE] bytes",
        ),
        (
            "a blob that breaks off",
            blob_line.clone(),
            Reply::Cut([head("content-length: 52479\r\n"), b"\0asm".to_vec()].concat()),
            2,
            "breaks off",
        ),
        (
            "a manifest that breaks off",
            manifest_line.clone(),
            Reply::Cut([head("content-length: 500\r\n"), b"{".to_vec()].concat()),
            2,
            "breaks off",
        ),
        (
            "a web page",
            manifest_line.clone(),
            Reply::with(200, &[("content-type", "text/html")], "<html>"),
            2,
            "answered with a web page",
        ),
        (
            "no JSON",
            manifest_line.clone(),
            Reply::with(200, &[("content-type", "application/vnd.oci.image.manifest.v1+json")], "{"),
            3,
            "its manifest can't be read",
        ),
        (
            "an encoded answer",
            blob_line,
            Reply::with(200, &[("content-encoding", "gzip")], "x"),
            2,
            "in the encoding `gzip`",
        ),
        ("no such status", manifest_line, Reply::with(418, &[], ""), 2, "answers with status 418"),
    ];
    std::thread::scope(|scope| {
        for (name, line, reply, code, says) in cases {
            scope.spawn(move || {
                let registry = Registry::start(Habits::default());
                registry.put_component("1", &component());
                registry.script(&line, vec![reply; 8]);
                let (bed, ran) = pull(&registry);
                ran.refuses(code, &[says]);
                nothing_came_of_it(&bed, name);
            });
        }
    });
}

#[test]
fn what_may_pass_is_tried_again() {
    let registry = Registry::start(Habits::default());
    registry.put_component("1", &component());
    let busy = Reply::with(429, &[("retry-after", "0")], "");
    registry.script("GET /v2/policies/a/manifests/1", [busy.clone(), Reply::with(503, &[("retry-after", "0")], "")]);
    registry.script("GET /v2/policies/a/blobs/", [Reply::Cut(Vec::new())]);
    let (_bed, ran) = pull(&registry);
    ran.succeeds();
    assert_eq!(registry.lines().len(), 5, "{:?}", registry.lines());
    registry.script("GET /v2/policies/a/manifests/1", vec![busy; 3]);
    let (bed, ran) = pull(&registry);
    ran.refuses(2, &["can't answer now (asked 3 times): status 429"]);
    nothing_came_of_it(&bed, "too busy");
    registry.script("GET /v2/policies/a/manifests/1", [Reply::with(429, &[("retry-after", "3600")], "")]);
    let (_bed, ran) = pull(&registry);
    ran.refuses(2, &["it asks to wait 1h"]);
}

/// The storage behind a registry gets no log-in, and can't ask for one; and it is no way into a network.
#[test]
fn a_redirect_takes_nothing_along() {
    let (registry, storage) = (Registry::start(Habits::default()), Registry::start(Habits::default()));
    let component = component();
    registry.put_component("1", &component);
    storage.put_blob("application/wasm", &component);
    registry.habits(|it| {
        it.gate = Some(crate::server::Gate::Basic("Basic bWU6aHVudGVyMg==".to_owned()));
        it.storage = Some(storage.url("").trim_end_matches('/').to_owned());
    });
    let bed = TestBed::new();
    let host = registry.oci("");
    bed.smcp(&format!("login --registry {host} --username me --token -")).input("hunter2\n").run().succeeds();
    bed.run(&format!("-vv policy pull {}", registry.oci("policies/a:1"))).succeeds();
    let asked = storage.requests();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].header("authorization"), None);
    // A challenge of the storage is not the registry's.
    let realm = registry.url("token");
    let challenge = format!(r#"Bearer realm="{realm}",service="x""#);
    storage.script("GET /files/", vec![Reply::with(401, &[("www-authenticate", &challenge)], ""); 2]);
    bed.run("cache rm --all").succeeds();
    bed.run(&format!("policy pull {}", registry.oci("policies/a:1"))).refuses(2, &["status 401"]);
    assert!(!registry.lines().iter().any(|line| line.contains("/token")), "{:?}", registry.lines());
    for (location, says) in [
        ("file:///etc/passwd", "only https:// is followed"),
        ("http://169.254.169.254/latest", "only https:// is followed"),
        ("https://me:pw@r.example/x", "it has a user name or a password in it"),
    ] {
        registry.script("GET /v2/policies/a/blobs/", [Reply::with(307, &[("location", location)], "")]);
        bed.run(&format!("policy pull {}", registry.oci("policies/a:1"))).refuses(2, &[says]);
    }
}

/// A start whose registry is silent goes on with the other policies.
#[test]
fn a_silent_registry_is_not_waited_for_longer_than_a_start_may_take() {
    let (bed, registry) = (bed(), Registry::start(Habits::default()));
    registry.script("GET /", vec![Reply::Silence; 8]);
    let pin = digest(&component());
    crate::configure(&bed, &format!("source: '{}', digest: '{pin}', mode: warn", registry.oci("policies/a:1")));
    bed.run("run --timeout 3s acme/quiet@1.0.0")
        .succeeds()
        .prints("runs\n")
        .says(&["policies/a:1 can't be had: it took longer than"]);
}
