//! A start verifies the signatures that a configuration asks for, before anything of a component counts.

use std::os::unix::fs::PermissionsExt as _;

use rcgen::KeyPair;
use serde_json::Value;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::guest::Twin;
use crate::sigstore::Wish;
use crate::sigstore::World;
use smcp_signature::minisign;
use smcp_signature::secret_key::SecretKey;

const TOOL: &str = "acme/tool@1.0.0";

/// A home with a package, and an honest policy that is not signed.
fn home() -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell(TOOL, "touch \"$HOME/proof/started\"").good());
    bed.write(".mcp/guest.wasm", component());
    bed
}

fn component() -> Vec<u8> {
    Twin::honest().component()
}

/// Configures the policy with this `signed_by`.
fn signed_by(bed: &TestBed, rule: &str, mode: &str) {
    bed.configure(&format!(
        "policy:\n  custom:\n    - {{name: guest, source: guest.wasm, mode: {mode}, signed_by: {rule}}}\n"
    ));
}

fn sign(bed: &TestBed, key: &SecretKey, bytes: &[u8]) {
    bed.write(".mcp/guest.wasm.minisig", minisign::sign(key, bytes, "timestamp:1\tfile:guest.wasm\thashed"));
}

/// Makes sure that nothing starts, in no mode but `disabled`; returns what is said.
fn refused(bed: &TestBed, rule: &str) -> String {
    let mut said = String::new();
    for mode in ["strict", "warn", "disabled"] {
        signed_by(bed, rule, mode);
        let ran = bed.run(&format!("run --trust {TOOL}"));
        if mode == "disabled" {
            ran.succeeds();
            break;
        }
        assert_eq!(ran.code, 3, "{mode}: {ran}");
        assert!(!bed.has("proof/started"), "{mode}: {ran}");
        // Nothing of it was compiled.
        assert!(!bed.has(".mcp/cache/compiled") || bed.list(".mcp/cache/compiled").is_empty(), "{ran}");
        let document = bed.run(&format!("--json policy check --trust {TOOL}")).document();
        assert_eq!(document["refusal"]["code"], "policy-signature-invalid", "{document}");
        assert_eq!(document["exit_code"], 3);
        said = ran.stderr;
    }
    said
}

fn minisign_rule(key: &SecretKey) -> String {
    format!("[{{minisign: {}}}]", key.public())
}

/// Returns the first policy of a document that is no built-in one.
fn guest(document: &Value) -> Value {
    document["policies"].as_array().unwrap().iter().find(|it| it["name"] == "guest").unwrap().clone()
}

#[test]
fn what_is_signed_as_it_should_be_starts_and_the_signer_is_recorded() {
    let (bed, key) = (home(), SecretKey::generate().unwrap());
    sign(&bed, &key, &component());
    signed_by(&bed, &minisign_rule(&key), "strict");
    let signer = format!("minisign {}", key.public());
    let document = bed.run(&format!("--json policy check {TOOL}")).succeeds().document();
    assert_eq!(guest(&document)["signer"], signer);
    assert!(document["policies"][0].get("signer").is_none(), "{document}");
    bed.run(&format!("run {TOOL}")).succeeds();
    assert!(bed.has("proof/started"));
    let log = bed.read(".mcp/audit.jsonl");
    let mut records = log.lines().rev().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let decision = records.find(|it| it["event"] == "decision").unwrap();
    assert_eq!(guest(&decision)["signer"], signer, "{decision}");
    let listed = bed.run("--json policy list").succeeds().document();
    assert_eq!((&guest(&listed)["signer"], &guest(&listed)["state"]), (&signer.into(), &"ready".into()));
    bed.run("config validate").succeeds();
}

#[test]
fn a_component_without_its_signature_or_with_another_starts_nothing() {
    let (key, other) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
    let rule = minisign_rule(&key);
    let expected = format!("expected: the minisign key {} (number {})", key.public(), key.public().number());
    let with = |stage: &dyn Fn(&TestBed)| {
        let bed = home();
        stage(&bed);
        let said = refused(&bed, &rule);
        assert!(said.contains(&expected), "{said}");
        said
    };
    let nothing = with(&|_| ());
    assert!(nothing.contains("found: no signature beside it (looked for guest.wasm.minisig)"), "{nothing}");
    let changed = with(&|bed| sign(bed, &key, b"\0asm of yesterday"));
    assert!(changed.contains("guest.wasm.minisig: its signature is not one by that key over these bytes"), "{changed}");
    let by_other = with(&|bed| sign(bed, &other, &component()));
    let number = other.public().number();
    assert!(by_other.contains(&format!("it is by another minisign key (number {number})")), "{by_other}");
    let named = with(&|bed| sign(bed, &key, b"guest.wasm"));
    assert!(named.contains("not one by that key over these bytes"), "{named}");
    let empty = with(&|bed| bed.write(".mcp/guest.wasm.minisig", ""));
    assert!(empty.contains("it is no minisign signature"), "{empty}");
    let huge = with(&|bed| bed.write(".mcp/guest.wasm.minisig", vec![b'x'; 20_000]));
    assert!(huge.contains("it is no minisign signature"), "{huge}");
    let folder = with(&|bed| std::fs::create_dir(bed.path(".mcp/guest.wasm.minisig")).unwrap());
    assert!(folder.contains("it is no minisign signature"), "{folder}");
    let old = with(&|bed| bed.write(".mcp/guest.wasm.sig", "MEUCIQD"));
    assert!(old.contains("guest.wasm.sig may be cosign's old layout, which is not read"), "{old}");
    let large = with(&|bed| {
        sign(bed, &key, &component());
        std::fs::File::create(bed.path(".mcp/guest.wasm")).unwrap().set_len((32 << 20) + 1).unwrap();
    });
    assert!(large.contains("found: it has more than [SIZE] bytes"), "{large}");
}

#[test]
fn a_policy_that_is_not_there_is_a_fault_of_it_as_ever() {
    let (bed, key) = (home(), SecretKey::generate().unwrap());
    std::fs::remove_file(bed.path(".mcp/guest.wasm")).unwrap();
    signed_by(&bed, &minisign_rule(&key), "strict");
    let document = bed.run(&format!("--json policy check {TOOL}")).document();
    assert_eq!((&guest(&document)["fault"], &document["exit_code"]), (&"load".into(), &4.into()), "{document}");
}

#[test]
fn sigstore_bundles_are_taken_by_key_and_by_identity() {
    let (world, key) = (World::new(), KeyPair::generate().unwrap());
    let keyless =
        |identity: &str| format!("[{{issuer: 'https://issuer.test', identity: {identity}, trusted_root: root.json}}]");
    let bundle = |bed: &TestBed, bundle: &Value| bed.write(".mcp/guest.wasm.sigstore.json", bundle.to_string());
    let staged = || {
        let bed = home();
        bed.write(".mcp/key.pem", key.public_key_pem());
        bed.write(".mcp/root.json", world.root().to_string());
        bed
    };
    let wish = Wish::of("dev@acme.test", "https://issuer.test");
    let bed = staged();
    bundle(&bed, &world.sign_with(&key, &component(), false));
    for rule in ["[{key: key.pem}]", "[{key: key.pem, log: required, trusted_root: root.json}]"] {
        signed_by(&bed, rule, "strict");
        let document = bed.run(&format!("--json policy check {TOOL}")).succeeds().document();
        assert!(guest(&document)["signer"].as_str().unwrap().starts_with("key sha256:"), "{document}");
    }
    let said = refused(
        &staged_with(staged(), &world.sign_with(&KeyPair::generate().unwrap(), &component(), false)),
        "[{key: key.pem}]",
    );
    assert!(said.contains("expected: the key in "), "{said}");
    bundle(&bed, &world.sign(&wish, &component()));
    signed_by(&bed, &keyless("dev@acme.test"), "strict");
    let document = bed.run(&format!("--json policy check {TOOL}")).succeeds().document();
    assert_eq!(guest(&document)["signer"], "dev@acme.test of https://issuer.test");
    // The same bundle under Sigstore's own root, for another identity, and for other bytes.
    let said = refused(&staged_with(staged(), &world.sign(&wish, &component())), &keyless("ops@acme.test"));
    assert!(
        said.contains("found: guest.wasm.sigstore.json: it is by `dev@acme.test` of https://issuer.test"),
        "{said}"
    );
    assert!(said.contains("expected: `ops@acme.test` of https://issuer.test"), "{said}");
    let public = "[{issuer: 'https://issuer.test', identity: dev@acme.test}]";
    let said = refused(&staged_with(staged(), &world.sign(&wish, &component())), public);
    assert!(said.contains("its entry of a log is not believed"), "{said}");
    let said = refused(&staged_with(staged(), &world.sign(&wish, b"other")), &keyless("dev@acme.test"));
    assert!(said.contains("it is about another digest than sha256:"), "{said}");
    let late = world.sign(&Wish { signs_after: 700, ..wish }, &component());
    let said = refused(&staged_with(staged(), &late), &keyless("dev@acme.test"));
    assert!(said.contains("its certificate is out of its time"), "{said}");
    let old = serde_json::json!({"base64Signature": "MEU=", "cert": "LS0t"});
    let said = refused(&staged_with(staged(), &old), &keyless("dev@acme.test"));
    assert!(said.contains("cosign's old layout"), "{said}");
}

fn staged_with(bed: TestBed, bundle: &Value) -> TestBed {
    bed.write(".mcp/guest.wasm.sigstore.json", bundle.to_string());
    bed
}

#[test]
fn each_layer_has_signers_of_its_own() {
    let (world, key, team) = (World::new(), KeyPair::generate().unwrap(), SecretKey::generate().unwrap());
    let bed = home();
    sign(&bed, &team, &component());
    bed.write(".mcp/key.pem", key.public_key_pem());
    let guest = bed.path(".mcp/guest.wasm");
    let system = format!(
        "registry_url: {}\npolicy: {{custom: [{{name: guest, source: {}, signed_by: [{{key: {}}}]}}]}}\n",
        bed.path("registry").display(),
        guest.display(),
        bed.path(".mcp/key.pem").display()
    );
    bed.write("added.yaml", system);
    signed_by(&bed, &minisign_rule(&team), "strict");
    let added = bed.path("added.yaml");
    let check = || bed.smcp(&format!("policy check {TOOL}")).env("SMCP_SYSTEM_CONFIG", &added).run();
    // The user's signer is not the system's.
    let ran = check();
    assert_eq!(ran.code, 3, "{ran}");
    assert!(ran.stdout.contains("expected: the key in "), "{ran}");
    bed.write(".mcp/guest.wasm.sigstore.json", world.sign_with(&key, &component(), false).to_string());
    check().succeeds();
    // And the other way round.
    std::fs::remove_file(bed.path(".mcp/guest.wasm.minisig")).unwrap();
    assert_eq!(check().code, 3);
}

#[test]
fn signatures_of_two_components_are_not_exchanged() {
    let (bed, key) = (home(), SecretKey::generate().unwrap());
    bed.write(".mcp/other.wasm", Twin::of("violates").component());
    let signature = |bytes: &[u8]| minisign::sign(&key, bytes, "x");
    let rule = minisign_rule(&key);
    bed.configure(&format!(
        "policy:\n  custom:\n    - {{name: guest, source: guest.wasm, signed_by: {rule}}}\n    - {{name: other, source: \
         other.wasm, mode: warn, signed_by: {rule}}}\n"
    ));
    bed.write(".mcp/guest.wasm.minisig", signature(&component()));
    bed.write(".mcp/other.wasm.minisig", signature(&Twin::of("violates").component()));
    bed.run(&format!("policy check --trust {TOOL}")).succeeds();
    bed.write(".mcp/other.wasm", component());
    assert_eq!(bed.run(&format!("policy check --trust {TOOL}")).code, 3);
    // A component with its signature under another name is still signed; the name is nobody's promise.
    bed.write(".mcp/other.wasm.minisig", signature(&component()));
    bed.run(&format!("policy check --trust {TOOL}")).succeeds();
}

#[test]
fn a_key_that_somebody_else_could_write_starts_nothing() {
    let (bed, world, key) = (home(), World::new(), KeyPair::generate().unwrap());
    bed.write(".mcp/guest.wasm.sigstore.json", world.sign_with(&key, &component(), false).to_string());
    bed.write(".mcp/key.pem", key.public_key_pem());
    signed_by(&bed, "[{key: key.pem}]", "strict");
    bed.run(&format!("run {TOOL}")).succeeds();
    std::fs::set_permissions(bed.path(".mcp/key.pem"), std::fs::Permissions::from_mode(0o666)).unwrap();
    let ran = bed.run(&format!("run --dry-run {TOOL}"));
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.stderr.contains("key.pem") && ran.stderr.contains("chmod"), "{ran}");
    // A signature beside it proves itself.
    std::fs::set_permissions(bed.path(".mcp/key.pem"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let signature = bed.path(".mcp/guest.wasm.sigstore.json");
    std::fs::set_permissions(signature, std::fs::Permissions::from_mode(0o666)).unwrap();
    bed.run(&format!("run {TOOL}")).succeeds();
    bed.write(".mcp/key.pem", key.serialize_pem());
    let ran = bed.run(&format!("run {TOOL}"));
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.stderr.contains("it holds a secret key; a configuration names the public one"), "{ran}");
}

#[test]
fn what_would_not_start_is_listed() {
    let (bed, key) = (home(), SecretKey::generate().unwrap());
    signed_by(&bed, &minisign_rule(&key), "warn");
    let listed = bed.run("--json policy list").document();
    assert_eq!(guest(&listed)["state"], "signature-invalid", "{listed}");
    assert!(guest(&listed)["unsigned"].as_str().unwrap().contains("no signature beside it"), "{listed}");
    let ran = bed.run("config validate");
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.stdout.contains("nothing runs until the signature or `signed_by` is put right"), "{ran}");
    assert_eq!(bed.run("policy compile").code, 3);
    let doctor = bed.run("doctor");
    assert!(doctor.stdout.contains("guest can't do its work: it is not signed by the minisign key"), "{doctor}");
}
