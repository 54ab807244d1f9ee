//! A directory is served, asked over HTTP by another home, and taken away.

use std::fs;
use std::path::Path;

use nix::sys::signal::Signal;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::bed::corrupt;
use crate::server::Served;

const TOOL: &str = "acme/tool@1.0.0";

/// A registry with a package, and a home that asks for it at the address of its server.
fn served() -> (TestBed, Served, TestBed) {
    let host = TestBed::new();
    host.publish(&Package::shell(TOOL, "echo it runs").good());
    host.publish(&Package::shell("acme/poor@1.0.0", "touch \"$HOME/proof/started\"").facts("community", 0, 20));
    let served = Served::start(&host);
    let guest = TestBed::new();
    let config = format!("registry_url: http://{}\npolicy: {{min_score: 80}}\n", served.address);
    guest.write(".mcp/config.yaml", config);
    (host, served, guest)
}

/// Checks that every file below a folder is in the registry, byte for byte.
fn same_blobs(cache: &Path, registry: &Path) -> usize {
    let names: Vec<_> = fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    for name in &names {
        assert_eq!(fs::read(cache.join(name)).unwrap(), fs::read(registry.join(name)).unwrap());
    }
    names.len()
}

#[test]
fn a_served_registry_is_a_registry_and_its_end_is_an_outage() {
    let (host, served, guest) = served();
    let digest = guest.run(&format!("info --json {TOOL}")).succeeds().document()["facts"]["bundle_digest"].clone();
    for reference in [TOOL, "acme/tool@latest", &format!("acme/tool@{}", digest.as_str().unwrap())] {
        guest.run(&format!("run {reference}")).succeeds().silent().prints("it runs\n");
    }
    assert_eq!(same_blobs(&guest.path(".mcp/cache/blobs"), &host.path("registry/blobs")), 2);
    guest.run("run acme/poor@1.0.0").refuses(4, &["below minimum required score 80"]);
    guest.run("run acme/tool@2.0.0").refuses(2, &["there is no version `2.0.0`"]);
    guest.run("run acme/none@1.0.0").refuses(2, &["there is no package `acme/none`"]);
    let (code, _) = served.end(Signal::SIGTERM);
    assert_eq!(code, 0);
    let told = ["the facts are from the cache", "can't be reached"];
    guest.run(&format!("run {TOOL}")).succeeds().prints("it runs\n").says(&told);
    guest.run("run acme/poor@1.0.0").refuses(4, &["below minimum required score 80", told[0]]);
    guest.run("run acme/tool@latest").refuses(2, &["the cache never answers that", "can't be reached"]);
    guest.run(&format!("pull {TOOL}")).refuses(2, &["can't be reached"]);
}

#[test]
fn what_the_server_can_not_vouch_for_is_no_outage_to_be_papered_over() {
    let (host, _served, guest) = served();
    guest.run(&format!("run {TOOL}")).succeeds();
    host.publish(&Package::shell(TOOL, "echo it runs").good().option("--status", "revoked"));
    guest.run(&format!("run {TOOL}")).refuses(4, &["revoked"]);
    fs::remove_dir_all(guest.path(".mcp/cache/blobs")).unwrap();
    host.publish(&Package::shell(TOOL, "echo it runs").good().option("--status", "published"));
    for name in host.list("registry/blobs") {
        corrupt(&host.path("registry/blobs").join(name));
    }
    let ran = guest.run(&format!("run {TOOL}"));
    assert!(ran.code == 2 && ran.stdout.is_empty(), "{ran}");
    assert_eq!(guest.list(".mcp/cache/blobs"), [""; 0]);
}
