//! What a registry of the official kind has.

use serde_json::Value;
use serde_json::json;

use crate::api::Api;
use crate::api::OF_REGISTRY;
use crate::api::entry;
use crate::api::paths;
use crate::api::run;
use crate::api::start;
use crate::bed::TestBed;
use crate::server::Script;
use crate::server::Server;

#[test]
fn every_page_is_read() {
    let many = |_: &str| {
        let mut api = Api::default();
        for number in 0..450 {
            for (version, is_latest) in [("1.0.0", false), ("1.1.0", true)] {
                let mut entry = entry(&format!("io.github.acme/tool-{number:03}"), version, &json!([]));
                entry["_meta"][OF_REGISTRY]["isLatest"] = is_latest.into();
                api.entries.push(entry);
            }
        }
        for (name, version, status) in [
            ("com.example/deprecated", "1.0.0", "deprecated"),
            ("com.example/dated", "2026-01-01", "active"),
            ("com.example/_hidden", "1.0.0", "active"),
        ] {
            let mut entry = entry(name, version, &json!([]));
            entry["_meta"][OF_REGISTRY]["status"] = status.into();
            api.entries.push(entry);
        }
        api
    };
    let (bed, server) = (TestBed::new(), start(many));
    let ran = run(&bed, &server, "--json registry list").succeeds();
    let document = ran.document();
    let packages = document["packages"].as_array().unwrap();
    assert_eq!(packages.len(), 452);
    assert_eq!(packages[0], json!({"package": "com.example/dated", "latest_version": null}));
    assert_eq!(packages[1], json!({"package": "com.example/deprecated", "latest_version": null}));
    assert_eq!(packages[451], json!({"package": "io.github.acme/tool-449", "latest_version": "1.1.0"}));
    assert!(ran.stderr.contains("1 more have names that no reference can have"), "{ran}");
    assert_eq!(paths(&server).len(), 5, "a hundred at a time");
    assert!(paths(&server)[1].ends_with("&cursor=at%3A%26%3D100"), "{:?}", paths(&server));
}

#[test]
fn the_doctor_knows_the_api() {
    let (bed, server) = (TestBed::new(), start(Api::good));
    let checks = |server: &Server| -> Value {
        let document = run(&bed, server, "--json doctor").document();
        let checks = document["checks"].as_array().unwrap().clone();
        checks.into_iter().find(|check| check["name"] == "registry").unwrap()
    };
    assert_eq!(checks(&server)["health"], "ok");
    let other = Server::start(Script::default());
    assert_eq!(checks(&other)["health"], "problem");
}
