//! When the registry is down, or goes back on what it said.

use crate::packages::REPOSITORY;
use crate::packages::configure;
use crate::packages::with_package;
use crate::server::Habits;
use crate::server::Reply;

/// The reply of a server that is overloaded, to the end of all tries.
fn busy() -> Vec<Reply> {
    vec![Reply::with(503, &[("retry-after", "0")], ""); 3]
}

#[test]
fn what_was_said_lately_is_recalled_when_the_registry_is_down() {
    let (bed, registry) = with_package(Habits::default());
    let image = registry.manifest("1.0.0").unwrap();
    let bundle = image["layers"][0]["digest"].as_str().unwrap();
    let digest = crate::digest(image.to_string().as_bytes());
    bed.run("run acme/tool@1.0.0").succeeds();
    bed.run("cache gc").succeeds();
    let listed = bed.run("--json cache ls").succeeds().document();
    assert!(listed.to_string().contains("acme/tool"), "{listed}");
    for selector in ["1.0.0", bundle, &digest] {
        registry.script("GET /v2/mcp/acme/tool/manifests/", busy());
        bed.run(&format!("run acme/tool@{selector}"))
            .succeeds()
            .prints("acme/tool@1.0.0 runs\n")
            .says(&["the facts are from the cache"]);
    }
    registry.script("GET /v2/mcp/acme/tool/tags/list", busy());
    bed.run("run acme/tool@latest").refuses(2, &["1.0.0"]);
    // Another registry has said nothing.
    configure(&bed, &registry, "trusted_registries: []\n");
    registry.script("GET /v2/mcp/acme/other/manifests/", busy());
    bed.run("run acme/other@1.0.0").refuses(2, &["can't answer now"]);
}

#[test]
fn what_is_gone_is_forgotten() {
    let (bed, registry) = with_package(Habits::default());
    bed.run("run acme/tool@1.0.0").succeeds();
    registry.remove_tag(REPOSITORY, "1.0.0");
    bed.run("run acme/tool@1.0.0").refuses(2, &["there is no "]);
    registry.script("GET /v2/mcp/acme/tool/manifests/", busy());
    bed.run("run acme/tool@1.0.0").refuses(2, &["can't answer now"]);
}

/// A bundle that breaks off is nothing, and the next start gets all of it.
#[test]
fn a_download_that_breaks_off_leaves_nothing() {
    let (bed, registry) = with_package(Habits::default());
    let image = registry.manifest("1.0.0").unwrap();
    let bundle = image["layers"][0]["digest"].as_str().unwrap();
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\nconnection: close\r\n\r\nshort".to_vec();
    registry.script(&format!("GET /v2/{REPOSITORY}/blobs/{bundle}"), [Reply::Cut(cut)]);
    bed.run("run acme/tool@1.0.0").refuses(2, &["read the bundle of acme/tool@1.0.0"]);
    assert!(!bed.list(".mcp/cache/blobs").contains(&bundle.replace(':', "-")));
    bed.run("run acme/tool@1.0.0").succeeds().prints("acme/tool@1.0.0 runs\n");
}

#[test]
fn a_silent_registry_costs_no_more_than_the_time_that_there_is() {
    // Where the cache could answer, the registry has a share of that time.
    for is_cached in [false, true] {
        let (bed, registry) = with_package(Habits::default());
        if is_cached {
            bed.run("run acme/tool@1.0.0").succeeds();
        }
        registry.script("GET /v2/mcp/acme/tool/manifests/", vec![Reply::Silence; 3]);
        let ran = bed.run("run --timeout 2s acme/tool@1.0.0");
        if is_cached {
            ran.succeeds().prints("acme/tool@1.0.0 runs\n").says(&["the facts are from the cache"]);
        } else {
            ran.refuses(5, &["timed out"]);
        }
    }
}
