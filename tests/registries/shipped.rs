//! What smcp pushes, it pulls: with and without TLS and log-in, in one request and in pieces; and what refers to it.

use std::time::Duration;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::component;
use crate::registry::MANNERS;
use crate::registry::Manner;
use crate::registry::RealRegistry;
use smcp_http::HttpSettings;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::oci::OciReference;
use smcp_oci::Descriptor;
use smcp_oci::IMAGE_MANIFEST;
use smcp_oci::OciClient;

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(120))
}

#[test]
fn a_policy_goes_there_and_comes_back() {
    for manner in MANNERS {
        let Some(registry) = RealRegistry::start(manner) else { return };
        let bed = TestBed::new();
        bed.write("no_network.wasm", component());
        bed.publish(&Package::shell("acme/quiet@1.0.0", "echo runs").good());
        let proxy = registry.way();
        let host = registry.address();
        let run = |line: &str| crate::run(&bed, &registry, proxy.as_deref(), line);
        let push = format!("policy push no_network.wasm {host}/policies/no-network:1");
        if manner.log_in {
            run(&push).refuses(2, &["does not let anybody whom it does not know write to policies/no-network"]);
            run(&format!("login --registry {host} --username me --token -")).succeeds();
        }
        let pushed = run(&format!("--json {push}")).succeeds().document();
        let (reference, digest) = (pushed["reference"].as_str().unwrap(), pushed["digest"].as_str().unwrap());
        assert_eq!(run(&format!("--json {push}")).succeeds().document()["sent"], false);
        run(&format!("policy pull {host}/policies/no-network:1 --output back.wasm")).succeeds();
        assert_eq!(std::fs::read(bed.path("back.wasm")).unwrap(), component());
        run("cache rm --all").succeeds();
        for keys in
            [format!("source: '{reference}'"), format!("source: '{host}/policies/no-network:1', digest: '{digest}'")]
        {
            bed.configure(&format!("policy: {{custom: [{{name: n, {keys}}}]}}\n"));
            run("run acme/quiet@1.0.0").succeeds().prints("runs\n");
        }
        run(&format!("policy pull {host}/policies/no-network:2")).refuses(2, &["is not there"]);
    }
}

/// A set with its signature: under the fallback tag, since this version lists no referrers.
#[test]
fn a_policy_set_goes_there_and_is_in_force() {
    for manner in [Manner::default(), Manner { tls: true, log_in: true }] {
        let Some(registry) = RealRegistry::start(manner) else { return };
        let bed = TestBed::new();
        bed.publish(&Package::shell("acme/quiet@1.0.0", "echo runs").good());
        bed.configure("");
        let proxy = registry.way();
        let host = registry.address();
        let run = |line: &str| crate::run(&bed, &registry, proxy.as_deref(), line);
        if manner.log_in {
            run(&format!("login --registry {host} --username me --token -")).succeeds();
        }
        run("policy sign --new-key release --no-password").succeeds();
        let key = bed.read(".mcp/keys/release.pub").lines().nth(1).unwrap().to_owned();
        let source = format!("{host}/company/rules:stable");
        let ship = |version: u64, min_score: u64| {
            let text =
                format!("version: {version}\nexpires: 2199-12-31T00:00:00Z\npolicy: {{min_score: {min_score}}}\n");
            bed.write("company/set.yaml", text);
            bed.write("company/policies.d/no-network.wasm", component());
            run("policy set build company -o company.tar.gz").succeeds();
            run("policy sign company.tar.gz").succeeds();
            run(&format!("--json policy set push company.tar.gz {source}")).succeeds().document()
        };
        let pushed = ship(1, 80);
        assert_eq!(pushed["signatures"][0], "company.tar.gz.minisig");
        bed.configure(&format!("policy: {{policy_set: {{source: '{source}', signed_by: [{{minisign: '{key}'}}]}}}}\n"));
        run("run acme/quiet@1.0.0").succeeds().prints("runs\n").silent();
        ship(2, 99);
        run("policy set pull").succeeds();
        run("run acme/quiet@1.0.0").exits(4);
        // The tag moves back: the archive is signed, and older.
        ship(1, 80);
        run("policy set pull").refuses(3, &["has version 1, and this machine has seen version 2"]);
        run("run acme/quiet@1.0.0").exits(4);
        // The registry is gone, the rules are not.
        drop(registry);
        assert_eq!(bed.run("policy set pull").code, 2);
        bed.run("run acme/quiet@1.0.0").exits(4);
    }
}

#[test]
fn a_long_blob_arrives_whole_in_pieces() {
    let Some(registry) = RealRegistry::start(Manner::default()) else { return };
    let client = client(&registry);
    let bytes: Vec<u8> = (0..20_u32 << 20).map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[2]).collect();
    let blob = Descriptor::of("application/wasm", &bytes);
    assert!(client.push_blob(&blob, &bytes, &soon()).unwrap());
    assert!(!client.push_blob(&blob, &bytes, &soon()).unwrap(), "it is there");
    assert!(client.blob(&blob, bytes.len(), "it", &soon()).unwrap() == bytes);
}

#[test]
fn without_a_list_referrers_are_found_by_the_tag() {
    let Some(registry) = RealRegistry::start(Manner::default()) else { return };
    let client = client(&registry);
    let pushed = client.push_component(reference(&registry).tag(), &component(), &[], &[], &soon()).unwrap();
    let manifest = client.manifest(&reference(&registry), &soon()).unwrap();
    assert_eq!(manifest.digest, pushed.manifest);
    let subject = Descriptor::of(IMAGE_MANIFEST, &manifest.bytes);
    let kind = "application/vnd.example.signature.v1";
    assert_eq!(client.referrers(&subject.digest, kind, &soon()).unwrap(), []);
    for text in [b"one", b"two"] {
        client.push_referrer(&subject, kind, &[("text/plain", text)], &soon()).unwrap();
    }
    let found = client.referrers(&subject.digest, kind, &soon()).unwrap();
    let mut read: Vec<_> = found
        .iter()
        .map(|it| client.referrer(it, &subject.digest, 1024, &soon()).unwrap().parts[0].1.clone())
        .collect();
    read.sort();
    assert_eq!(read, [b"one".to_vec(), b"two".to_vec()]);
    let tag = format!("oci://localhost:{}/policies/a:sha256-{}", registry.port, subject.digest.hex());
    client.manifest(&tag.parse().unwrap(), &soon()).unwrap();
    assert_eq!(client.referrers(&Digest::of(b"x"), kind, &soon()).unwrap(), []);
}

fn reference(registry: &RealRegistry) -> OciReference {
    format!("oci://localhost:{}/policies/a:1", registry.port).parse().unwrap()
}

fn client(registry: &RealRegistry) -> OciClient<'static> {
    OciClient::new(reference(registry).repository(), HttpSettings::default(), Box::new(|| Ok(None)))
}
