//! Policies that are elsewhere and count because of who has signed them.

use crate::bed;
use crate::bed::TestBed;
use crate::component;
use crate::configure;
use crate::digest;
use crate::server::Habits;
use crate::server::Registry;
use crate::server::Reply;
use smcp_model::digest::Digest;
use smcp_oci::Descriptor;
use smcp_oci::IMAGE_MANIFEST;
use smcp_signature::minisign;
use smcp_signature::secret_key::SecretKey;

const MINISIGN: &str = "application/vnd.mcp-hub.minisign.v1";
const RUN: &str = "run acme/quiet@1.0.0";

fn key() -> SecretKey {
    SecretKey::generate().unwrap()
}

fn signature(key: &SecretKey, bytes: &[u8]) -> String {
    minisign::sign(key, bytes, "timestamp:1")
}

/// Configures the policy with a tag, and the key by which it must be signed.
fn by_tag(bed: &TestBed, registry: &Registry, key: &SecretKey) {
    let source = registry.oci("policies/a:1");
    configure(bed, &format!("source: '{source}', signed_by: [{{minisign: '{}'}}]", key.public()));
}

/// Puts a referrer to the artefact under the tag there, and returns its digest.
fn refer(registry: &Registry, kind: &str, signature: &str) -> Digest {
    let manifest = registry.manifest("1").unwrap().to_string();
    let (client, _) = crate::referrers::client(registry);
    let subject = Descriptor::of(IMAGE_MANIFEST, manifest.as_bytes());
    client.push_referrer(&subject, kind, &[(kind, signature.as_bytes())], &crate::referrers::soon()).unwrap().digest
}

#[test]
fn what_is_pushed_with_its_signature_counts_by_it() {
    for referrers in [true, false] {
        let (bed, key) = (bed(), key());
        let registry = Registry::start(Habits { referrers, ..Habits::default() });
        bed.write("no-network.wasm", component());
        bed.write("no-network.wasm.minisig", signature(&key, &component()));
        let reference = registry.oci("policies/a:1");
        let pushed = bed.run(&format!("--json policy push no-network.wasm {reference}")).succeeds().document();
        assert_eq!(pushed["signatures"], serde_json::json!(["no-network.wasm.minisig"]));
        // Whoever asks for the tag meanwhile never finds it without its signature.
        assert_eq!(registry.lines().last().unwrap(), "PUT /v2/policies/a/manifests/1");
        assert_eq!(registry.lines().iter().filter(|line| line.ends_with("/manifests/1")).count(), 1);
        by_tag(&bed, &registry, &key);
        bed.run(RUN).succeeds().prints("runs\n").silent();
        // Component and signature are there: nothing is asked, and both are verified again.
        let asked = registry.connections();
        let document = bed.run("--json policy check acme/quiet@1.0.0").succeeds().document();
        let policies = document["policies"].as_array().unwrap();
        let shipped = policies.iter().find(|policy| policy["name"] == "shipped").unwrap();
        assert_eq!(shipped["signer"], format!("minisign {}", key.public()));
        bed.run("cache gc").succeeds();
        bed.run(RUN).succeeds().prints("runs\n").silent();
        assert_eq!(registry.connections(), asked, "{:?}", registry.lines());
        // Asked for ahead, the answer names the signer.
        let pulled = bed.run("--json policy pull").succeeds().document();
        assert_eq!(pulled["policies"][0]["signer"], format!("minisign {}", key.public()));
    }
}

/// A list of referrers may name one that was removed.
#[test]
fn a_signature_that_is_gone_leaves_the_others() {
    let (bed, key, registry) = (bed(), key(), Registry::start(Habits { referrers: true, ..Habits::default() }));
    registry.put_component("1", &component());
    let gone = refer(&registry, MINISIGN, "gone");
    refer(&registry, MINISIGN, &signature(&key, &component()));
    registry.script(&format!("GET /v2/policies/a/manifests/{gone}"), vec![Reply::with(404, &[], ""); 3]);
    by_tag(&bed, &registry, &key);
    bed.run(RUN).succeeds().prints("runs\n").silent();
}

/// cosign signs the manifest of an artefact, which names the component by its digest.
#[test]
fn a_signature_of_the_manifest_counts_for_the_component() {
    let (bed, key, registry) = (bed(), key(), Registry::start(Habits { referrers: true, ..Habits::default() }));
    registry.put_component("1", &component());
    refer(&registry, MINISIGN, &signature(&key, registry.manifest("1").unwrap().to_string().as_bytes()));
    by_tag(&bed, &registry, &key);
    bed.run(RUN).succeeds().prints("runs\n").silent();
    let asked = registry.connections();
    bed.run(RUN).succeeds();
    assert_eq!(registry.connections(), asked);
}

#[test]
fn what_nobody_expected_has_signed_runs_nowhere() {
    let (ours, theirs) = (key(), key());
    let other_artefact = |registry: &Registry| {
        let manifest = registry.component_manifest(b"\0asm other");
        registry.put_manifest("2", &manifest);
        manifest.to_string()
    };
    type Given<'g> = Box<dyn Fn(&Registry) -> Option<(&'static str, String)> + 'g>;
    let cases: [(&str, Given<'_>, &str); 7] = [
        ("no signature", Box::new(|_| None), "it has no signature"),
        ("by another key", Box::new(|_| Some((MINISIGN, signature(&theirs, &component())))), "another minisign key"),
        (
            "of another component",
            Box::new(|_| Some((MINISIGN, signature(&ours, b"other")))),
            "its signature is not one",
        ),
        (
            "of another artefact",
            Box::new(|registry| Some((MINISIGN, signature(&ours, other_artefact(registry).as_bytes())))),
            "its signature is not one",
        ),
        (
            "of the name",
            Box::new(|registry| Some((MINISIGN, signature(&ours, registry.oci("policies/a:1").as_bytes())))),
            "its signature is not one",
        ),
        (
            "under another kind",
            Box::new(|_| Some(("application/vnd.example", signature(&ours, &component())))),
            "it has no signature",
        ),
        ("no text", Box::new(|_| Some((MINISIGN, "\0".to_owned()))), "it is no minisign signature"),
    ];
    for (what, given, expected) in cases {
        let (bed, registry) = (bed(), Registry::start(Habits { referrers: true, ..Habits::default() }));
        registry.put_component("1", &component());
        if let Some((kind, text)) = given(&registry) {
            refer(&registry, kind, &text);
        }
        by_tag(&bed, &registry, &ours);
        let ran = bed.run(RUN);
        assert_eq!(ran.code, 3, "{what}: {ran}");
        assert!(ran.stderr.contains(expected) && ran.stderr.contains(&ours.public().to_string()), "{what}: {ran}");
        assert!(!ran.stdout.contains("runs"), "{what}: {ran}");
        // Nothing of it was kept: it is asked again, and a signature that comes later counts.
        refer(&registry, MINISIGN, &signature(&ours, &component()));
        bed.run(RUN).succeeds().prints("runs\n");
    }
}

/// What is in the cache may have been signed meanwhile by somebody new: the digest says nothing of that.
#[test]
fn a_new_signer_counts_for_what_is_there() {
    let (bed, registry, old, new) =
        (bed(), Registry::start(Habits { referrers: true, ..Habits::default() }), key(), key());
    let manifest = registry.put_component("1", &component());
    let configure_by = |key: &SecretKey| {
        let source = format!("{}@{manifest}", registry.oci("policies/a"));
        configure(&bed, &format!("source: '{source}', signed_by: [{{minisign: '{}'}}]", key.public()));
    };
    refer(&registry, MINISIGN, &signature(&old, &component()));
    configure_by(&old);
    bed.run(RUN).succeeds();
    configure_by(&new);
    let refused = bed.run(RUN);
    assert_eq!(refused.code, 3, "{refused}");
    refer(&registry, MINISIGN, &signature(&new, &component()));
    bed.run(RUN).succeeds().prints("runs\n");
    let asked = registry.connections();
    bed.run(RUN).succeeds();
    assert_eq!(registry.connections(), asked);
}

/// Stores of files answer so for what is not there, unless they let everybody list what is.
#[test]
fn a_store_that_denies_what_is_not_there_has_no_other_signature() {
    let (key, registry) = (key(), Registry::start(Habits::default()));
    let url = registry.url("no-network.wasm");
    let denied = |path: &str| registry.script(path, vec![Reply::with(403, &[], "<Error/>"); 20]);
    registry.script("GET /no-network.wasm", vec![Reply::with(200, &[], component()); 3]);
    denied("GET /no-network.wasm.minisig");
    denied("GET /no-network.wasm.sigstore.json");
    let by_key = format!("minisign: '{}'", key.public());
    for (signers, asked) in
        [(format!("{{{by_key}}}"), 2), (format!("{{{by_key}}}, {{issuer: 'https://issuer.example', identity: me}}"), 3)]
    {
        let bed = bed();
        configure(&bed, &format!("source: '{url}', signed_by: [{signers}]"));
        let before = registry.connections();
        bed.run(RUN).refuses(3, &["no signature"]);
        assert_eq!(registry.connections() - before, asked, "{:?}", registry.lines());
    }
    assert_eq!(registry.lines().iter().filter(|line| line.contains("sigstore")).count(), 1);
}

#[test]
fn the_signature_of_a_file_behind_a_url_lies_beside_it() {
    let (bed, key, registry) = (bed(), key(), Registry::start(Habits::default()));
    let url = registry.url("no-network.wasm");
    let text = signature(&key, &component());
    registry.script("GET /no-network.wasm.minisig", [Reply::with(200, &[], text.as_bytes())]);
    registry.script("GET /no-network.wasm", [Reply::with(200, &[], component())]);
    configure(&bed, &format!("source: '{url}', signed_by: [{{minisign: '{}'}}]", key.public()));
    bed.run(RUN).succeeds().prints("runs\n").silent();
    let asked = registry.connections();
    bed.run(RUN).succeeds();
    assert_eq!(registry.connections(), asked, "{:?}", registry.lines());
    // The cache holds what it was given, under its digest; changed, it is not believed.
    let name = digest(text.as_bytes()).replace(':', "-");
    bed.write(&format!(".mcp/cache/blobs/{name}"), signature(&self::key(), &component()));
    let refused = bed.run(RUN);
    assert_eq!(refused.code, 3, "{refused}");
    assert!(Digest::of(text.as_bytes()).to_string().ends_with(&name["sha256-".len()..]));
}
