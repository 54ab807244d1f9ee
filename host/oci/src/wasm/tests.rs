//! What counts as the artefact of a component.

use serde_json::Value;
use serde_json::json;

use super::*;

/// The manifest of a component, changed.
fn manifest(change: impl FnOnce(&mut Value)) -> FetchedManifest {
    let digest = Digest::of(b"x").to_string();
    let mut document = json!({
        "schemaVersion": 2, "mediaType": IMAGE_MANIFEST,
        "config": {"mediaType": CONFIG, "digest": digest, "size": 1},
        "layers": [{"mediaType": LAYER, "digest": digest, "size": 1}],
    });
    change(&mut document);
    FetchedManifest::of(document.to_string().into_bytes(), None)
}

#[test]
fn only_the_artefact_of_a_component_has_one() {
    type Change = fn(&mut Value);
    let cases: [(&str, Change, Option<&str>); 9] = [
        ("as it is", |_| {}, None),
        ("more than is needed", |it| it["annotations"] = json!({"a": "b"}), None),
        (
            "a docker image",
            |it| it["mediaType"] = json!("application/vnd.docker.distribution.manifest.v2+json"),
            Some("it is `application/vnd.docker"),
        ),
        (
            "a container",
            |it| it["config"]["mediaType"] = json!("application/vnd.oci.image.config.v1+json"),
            Some("its configuration is `application/vnd.oci.image.config.v1+json`"),
        ),
        (
            "two layers",
            |it| {
                let layer = it["layers"][0].clone();
                it["layers"] = json!([layer, layer]);
            },
            Some("it has 2 layers"),
        ),
        ("no layer", |it| it["layers"] = json!([]), Some("it has 0 layers")),
        ("another layer", |it| it["layers"][0]["mediaType"] = json!("application/gzip"), Some("its layer is")),
        ("no digest", |it| it["layers"][0]["digest"] = json!("sha256:1"), Some("can't be read")),
        (
            "another algorithm",
            |it| it["layers"][0]["digest"] = json!(format!("sha512:{}", "0".repeat(128))),
            Some("can't be read"),
        ),
    ];
    for (name, change, problem) in cases {
        match (layer_of(&manifest(change), "oci://r.example/a"), problem) {
            (Ok(layer), None) => assert_eq!(layer.digest, Digest::of(b"x"), "{name}"),
            (Err(error), Some(problem)) => {
                assert!(error.to_string().contains(problem), "{name}: {error}");
                assert!(error.to_string().contains("\n  expected "), "{name}: {error}");
                assert!(error.is_wrong(), "{name}");
            }
            (found, _) => panic!("{name}: {found:?}"),
        }
    }
}

#[test]
fn of_an_index_the_only_one_for_webassembly_is_meant() {
    let entry = |architecture: &str, of: &[u8]| {
        json!({"mediaType": IMAGE_MANIFEST, "digest": Digest::of(of).to_string(), "size": 1,
               "platform": {"architecture": architecture, "os": "wasip2"}})
    };
    let index = |manifests: Vec<Value>| {
        let document = json!({"schemaVersion": 2, "mediaType": crate::document::IMAGE_INDEX, "manifests": manifests});
        FetchedManifest::of(document.to_string().into_bytes(), None)
    };
    let one = index(vec![entry("amd64", b"a"), entry("wasm", b"w")]);
    assert_eq!(chosen(&one, "x").unwrap(), Digest::of(b"w"));
    for manifests in [vec![], vec![entry("amd64", b"a")], vec![entry("wasm", b"a"), entry("wasm", b"b")]] {
        let message = chosen(&index(manifests), "x").unwrap_err().to_string();
        assert!(message.contains("it is an index with "), "{message}");
    }
}
