//! How far a registry is trusted: `@latest`, digests, facts by their source.

use serde_json::json;

use crate::bed::TestBed;
use crate::server::Reply;
use crate::server::Script;
use crate::server::Server;
use crate::trial::Goods;
use crate::trial::RESOLVE;

fn with_entry(change: impl FnOnce(&mut serde_json::Value)) -> Script {
    let mut script = Goods::get().honest();
    script.set(RESOLVE, Reply::ok(Goods::get().entry_with(change)));
    script
}

#[test]
fn the_latest_is_published_and_has_a_place_among_versions() {
    type Change = fn(&mut serde_json::Value);
    let cases: [(&str, Change, i32, &str); 6] = [
        ("as it is", |_| {}, 0, ""),
        ("echoed", |entry| entry["ref"] = json!("latest"), 0, ""),
        (
            "deprecated",
            |entry| entry["resolved"]["status"] = json!("deprecated"),
            3,
            "the status of what the registry calls the latest is `deprecated`",
        ),
        ("of no status", |entry| drop(entry["resolved"].as_object_mut().unwrap().remove("status")), 3, "is `absent`"),
        ("a draft", |entry| entry["resolved"]["status"] = json!("draft"), 4, "draft"),
        (
            "no SemVer",
            |entry| {
                entry["ref"] = json!("latest");
                entry["resolved"]["version"] = json!("newest");
            },
            3,
            "the version that the registry calls the latest is `newest`",
        ),
    ];
    for (name, change, exit, says) in cases {
        let (bed, server) = (TestBed::new(), Server::start(with_entry(change)));
        let ran = bed.run(&format!("--registry {} run acme/tool@latest", server.url()));
        assert!(ran.code == exit && ran.stderr.contains(says), "{name}: {ran}");
        assert_eq!(bed.has("proof/started"), exit == 0, "{name}");
        assert_eq!(server.requests()[0].path, format!("{RESOLVE}?ref=latest"));
    }
}

#[test]
fn a_digest_gets_what_has_it() {
    let goods = Goods::get();
    for kind in ["manifest", "bundle"] {
        let (bed, server) = (TestBed::new(), Server::start(goods.honest()));
        bed.run(&format!("--registry {} run acme/tool@{}", server.url(), goods.digest(kind))).succeeds();
        assert!(bed.has("proof/started"));
        assert_eq!(server.requests()[0].path, format!("{RESOLVE}?ref={}", goods.digest(kind).replace(':', "%3A")));
    }
    let other = format!("sha256:{}", "0".repeat(64));
    let (bed, server) = (TestBed::new(), Server::start(goods.honest()));
    bed.run(&format!("--registry {} run acme/tool@{other}", server.url()))
        .refuses(3, &["the bundle's digest in the registry's answer"]);
    assert!(!bed.has("proof/started"));
}

/// The same name and bytes in two registries: each is judged by its own facts, cached or not.
#[test]
fn the_same_package_from_two_registries_is_two_packages() {
    let official = Server::start(with_entry(|entry| entry["origin"] = json!("official")));
    let community = Server::start(with_entry(|entry| entry["origin"] = json!("community")));
    let bed = TestBed::new();
    bed.write(".mcp/config.yaml", "policy: {allowed_origins: [official]}\n");
    let check = |server: &Server| bed.run(&format!("--registry {} policy check acme/tool@1.0.0", server.url()));
    for _ in 0..2 {
        check(&official).succeeds();
        let refused = check(&community).exits(4);
        assert!(refused.stdout.contains("origin \"community\" is not allowed"), "{refused}");
    }
    // The bytes are the same, and were downloaded once.
    assert_eq!(official.requests().len(), 2 + 2);
    assert_eq!(community.requests().len(), 2);
}

#[test]
fn a_registry_that_is_not_trusted_vouches_for_nothing() {
    let (trusted, other) = (Server::start(Goods::get().honest()), Server::start(Goods::get().honest()));
    let bed = TestBed::new();
    let policy = "policy: {allowed_origins: [official], min_cert_level: 1, min_score: 60}";
    bed.write(
        ".mcp/config.yaml",
        format!("registry_url: {0}\ntrusted_registries: [\"{0}/\"]\n{policy}\n", trusted.url()),
    );
    bed.run("policy check acme/tool@1.0.0").succeeds();
    let ran = bed.run(&format!("--registry {} --json policy check acme/tool@1.0.0", other.url())).exits(4);
    let document = ran.document();
    let outcomes: Vec<_> = document["policies"].as_array().unwrap().iter().map(|policy| &policy["outcome"]).collect();
    assert_eq!(outcomes, ["violation"; 3], "{ran}");
    assert!(document.to_string().contains(&other.url()), "the registry is shown with the facts: {ran}");
}

/// Untrusted facts are unknown, and an unknown fact fails a policy that asks for it.
#[test]
fn facts_out_of_range_or_of_the_wrong_type_are_unknown() {
    let bed = TestBed::new();
    bed.write(".mcp/config.yaml", "policy: {allowed_origins: [official], min_cert_level: 1}\n");
    let cases = [
        ("certification_level", json!(100)),
        ("certification_level", json!(-5)),
        ("certification_level", json!(2.5)),
        ("certification_level", json!("3")),
        ("certification_level", json!(true)),
        ("certification_level", json!(null)),
        ("origin", json!(["official"])),
        ("origin", json!("")),
        ("origin", json!(null)),
    ];
    for (fact, value) in cases {
        let server = Server::start(with_entry(|entry| match fact {
            "origin" => entry["origin"] = value.clone(),
            level => entry["resolved"][level] = value.clone(),
        }));
        let ran = bed.run(&format!("--registry {} run acme/tool@1.0.0", server.url()));
        assert!(ran.code == 4 && !bed.has("proof/started"), "{fact} {value}: {ran}");
    }
}
