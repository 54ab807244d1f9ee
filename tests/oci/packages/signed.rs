//! Signed statements about packages in a registry of images, by the list of referrers and by the tag in its place.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::bed::TestBed;
use crate::packages::REPOSITORY;
use crate::packages::configure;
use crate::packages::package;
use crate::packages::text;
use crate::server::Habits;
use crate::server::Registry;
use smcp_http::HttpSettings;
use smcp_model::deadline::Deadline;
use smcp_model::oci::OciPlace;
use smcp_oci::package::IN_TOTO;
use smcp_oci::package::MINISIGN;
use smcp_oci::package::SIGSTORE_BUNDLE;
use smcp_oci::package::STATEMENT;
use smcp_registry::AttachedPart;
use smcp_registry::OciRegistry;
use smcp_registry::RegistryClient as _;

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

const TOOL: &str = "acme/tool@1.0.0";

/// A home with a key, which believes it, and a registry with a signed package.
fn signed(habits: Habits) -> (TestBed, Registry, String) {
    let (bed, registry) = (TestBed::new(), Registry::start(habits));
    let made = bed.run("--json policy sign --new-key own --no-password").succeeds().document().to_string();
    let start = made.find("RW").unwrap();
    let key = made[start..start + 56].to_owned();
    let entry = format!("{{registry: {}, signed_by: [{{minisign: {key}}}]}}", registry.oci("mcp"));
    configure(&bed, &registry, &format!("trusted_registries: [{entry}]\npolicy: {{min_score: 80}}\n"));
    let package = package(TOOL).good().option("--sign", "own");
    bed.try_publish_in(&registry.oci("mcp"), &package).succeeds().says(&["signed", &key]);
    (bed, registry, key)
}

fn attest(bed: &TestBed, registry: &Registry, options: &str) -> crate::bed::Ran {
    bed.run(&format!("registry attest --registry {} {options} {TOOL}", registry.oci("mcp")))
}

#[test]
fn facts_are_what_is_signed() {
    for habits in [Habits { referrers: true, ..Habits::default() }, Habits::default()] {
        let (bed, registry, key) = signed(habits);
        // The tag comes when the statement is there.
        let lines = registry.lines();
        assert_eq!(lines.last().unwrap(), &format!("PUT /v2/{REPOSITORY}/manifests/1.0.0"));
        let image = registry.manifest("1.0.0").unwrap();
        let document = registry.blob(text(&image["config"]["digest"])).unwrap();
        assert!(!String::from_utf8(document).unwrap().contains("certification"), "what is stated is in the statement");
        let decision = bed.run(&format!("--json policy check {TOOL}")).succeeds().document();
        let stated = &decision["statements"][0];
        assert_eq!((&stated["score"], &stated["origin"]), (&95.into(), &"official".into()));
        assert!(text(&stated["signer"]).contains(&key), "{stated}");
        bed.run(&format!("run {TOOL}")).succeeds().prints(&format!("{TOOL} runs\n"));
        // A revocation is a statement; so is what takes it back.
        attest(&bed, &registry, "--sign own --status revoked").succeeds();
        bed.run(&format!("run {TOOL}")).exits(4);
        attest(&bed, &registry, "--sign own --renew --status published --score 70").succeeds();
        bed.run(&format!("run {TOOL}")).refuses(4, &["70"]);
        attest(&bed, &registry, "--sign own --renew --score 90").succeeds();
        bed.run(&format!("run {TOOL}")).succeeds();
        // Two signatures of one statement are two artefacts.
        let made = bed.run("--json policy sign --new-key second --no-password").succeeds().document().to_string();
        let second = &made[made.find("RW").unwrap()..][..56];
        let both = format!("[{{all_of: [{{minisign: {key}}}, {{minisign: {second}}}]}}]");
        let entry = format!("{{registry: {}, signed_by: {both}}}", registry.oci("mcp"));
        configure(&bed, &registry, &format!("trusted_registries: [{entry}]\npolicy: {{min_score: 80}}\n"));
        bed.run(&format!("run {TOOL}")).exits(4);
        attest(&bed, &registry, &format!("--sign second --cosign {key}")).succeeds();
        bed.run(&format!("run {TOOL}")).succeeds();
        // Who is believed by nobody says nothing.
        bed.run("policy sign --new-key other --no-password").succeeds();
        attest(&bed, &registry, "--sign other --status revoked").succeeds();
        bed.run(&format!("run {TOOL}")).succeeds();
    }
}

#[test]
fn what_others_attach_stops_nothing_until_it_is_too_much() {
    let (bed, registry, _) = signed(Habits { referrers: true, ..Habits::default() });
    let place = OciPlace::parse(&registry.oci("mcp")).unwrap();
    let client = OciRegistry::new(place, HttpSettings::default(), Box::new(|| Ok(None)));
    let resolution = client.resolve(&TOOL.parse().unwrap(), &soon()).unwrap();
    let attach = |kind: &str, parts: &[(&str, Vec<u8>)]| {
        let part = |(media_type, bytes): &(&str, Vec<u8>)| AttachedPart {
            media_type: (*media_type).to_owned(),
            bytes: bytes.clone(),
        };
        let parts: Vec<_> = parts.iter().map(part).collect();
        client.attach(&resolution.id, &resolution.image_digest.unwrap(), kind, &parts, &soon()).unwrap();
    };
    for number in 0..70 {
        let list = STANDARD.encode(format!(r#"{{"predicateType": "https://spdx.dev/Document", "number": {number}}}"#));
        let bundle = format!(r#"{{"dsseEnvelope": {{"payload": "{list}"}}}}"#);
        attach(SIGSTORE_BUNDLE, &[(SIGSTORE_BUNDLE, bundle.into_bytes())]);
    }
    attach(SIGSTORE_BUNDLE, &[(SIGSTORE_BUNDLE, vec![b' '; 200 << 10])]);
    attach(STATEMENT, &[(IN_TOTO, vec![b' '; 20 << 10]), (MINISIGN, Vec::new())]);
    attach(STATEMENT, &[(IN_TOTO, b"alone".to_vec())]);
    bed.run(&format!("run {TOOL}")).succeeds();
    for number in 0..64 {
        attach(STATEMENT, &[(IN_TOTO, format!("{number}").into_bytes()), (MINISIGN, Vec::new())]);
    }
    let refusal = bed.run(&format!("--json policy check {TOOL}")).exits(3).document()["refusal"].clone();
    assert_eq!(refusal["code"], "statements-unreadable", "{refusal}");
    // More than are looked at.
    for number in 64..190 {
        attach(STATEMENT, &[(IN_TOTO, format!("{number}").into_bytes()), (MINISIGN, Vec::new())]);
    }
    let refusal = bed.run(&format!("--json policy check {TOOL}")).exits(3).document()["refusal"].clone();
    assert_eq!(refusal["code"], "statements-unreadable", "{refusal}");
    assert!(refusal["message"].as_str().unwrap().contains("more than 256 entries"), "{refusal}");
}

#[test]
fn what_is_hidden_or_changed_starts_nothing() {
    let (bed, registry, _) = signed(Habits::default());
    let image = crate::digest(registry.manifest("1.0.0").unwrap().to_string().as_bytes());
    let tag = image.replace(':', "-");
    bed.run(&format!("run {TOOL}")).succeeds();
    let list = registry.manifest(&tag).unwrap();
    registry.remove_tag(REPOSITORY, &tag);
    bed.run(&format!("run {TOOL}")).exits(4);
    registry.put_tagged(REPOSITORY, &tag, &list);
    bed.run(&format!("run {TOOL}")).succeeds();
    // A statement in which one letter was changed.
    let statement = registry.manifest(text(&list["manifests"][0]["digest"])).unwrap();
    let old = registry.blob(text(&statement["layers"][0]["digest"])).unwrap();
    let forged = String::from_utf8(old).unwrap().replace("95", "99");
    let mut forgery = statement.clone();
    forgery["layers"][0] = registry.put_blob(text(&statement["layers"][0]["mediaType"]), forged.as_bytes());
    let digest = registry.put_tagged(REPOSITORY, "forged", &forgery);
    let mut list = list;
    list["manifests"][0]["digest"] = digest.into();
    registry.put_tagged(REPOSITORY, &tag, &list);
    bed.run(&format!("run {TOOL}")).refuses(3, &[]);
}
